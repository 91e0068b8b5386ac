/*
 * A scan of 64 MiB, 8 bytes at a time, written and then read: 2^23 words, 2^14 pages, 2^20 cache lines.
 *   @write  8,388,608 writes on 16,384 pages; @read  8,388,608 reads on the same. Each page: 512 of each.
 * Traffic, for any least-recently-used cache smaller than 64 MiB: every line is filled in both passes (2 x 1,048,576
 * line reads), and every line leaves the cache dirty once, at the latest while the second pass runs (1,048,576 line
 * writes; the second pass leaves nothing dirty behind).
 */
#include "known.h"

int main(void) {
  size_t words = (size_t)1 << 23;
  volatile uint64_t *block = aligned_alloc(4096, words * 8); // @block
  if (!block) return 1;
  SHOW("block", block, words * 8);
  uint64_t sum = 0;
  for (size_t i = 0; i < words; i++) {
    block[i] = i; // @write
  }
  for (size_t i = 0; i < words; i++) {
    sum += block[i]; // @read
  }
  printf("sum %llu\n", (unsigned long long)sum); // (2^23 - 1) x 2^22 = 35184367894528
  return 0;
}
