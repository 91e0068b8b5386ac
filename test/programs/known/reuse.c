/*
 * Memory that is freed and used again by another object: counts follow the object, not the address.
 *   100 rounds allocate 1,000 bytes at @first-block, write 10 words (@first), free, allocate 1,000 bytes at
 *   @second-block (which reuses the address), write 1 word (@second-write), read 20 words (@second-read), free.
 *   First: 100 blocks, peak 1,000 bytes, 1,000 writes. Second: 100 blocks, peak 1,000 bytes, 100 writes, 2,000 reads.
 *   @grow  realloc from 64 bytes, doubling up to 65,536: 11 blocks, peak 65,536 bytes. After each, the last word is
 *   written (@grown): 11 writes. What realloc itself copies is the C library's business and not counted here.
 *   All blocks of 1,000 bytes reuse one address, so at most 2 pages are touched by either object.
 */
#include "known.h"

int main(void) {
  uint64_t sum = 0;
  for (int round = 0; round < 100; round++) {
    volatile uint64_t *first = malloc(1000); // @first-block
    if (!first) return 1;
    for (uint64_t i = 0; i < 10; i++) {
      first[i] = i; // @first
    }
    free((void *)first);
    volatile uint64_t *second = malloc(1000); // @second-block
    if (!second) return 1;
    second[0] = 1; // @second-write
    for (int i = 0; i < 20; i++) {
      sum += second[i % 10]; // @second-read
    }
    free((void *)second);
  }
  char *grown = NULL;
  for (size_t bytes = 64; bytes <= 65536; bytes *= 2) {
    grown = realloc(grown, bytes); // @grow
    if (!grown) return 1;
    ((volatile char *)grown)[bytes - 1] = 1; // @grown
  }
  free(grown);
  HIDE(sum);
  return 0;
}
