/*
 * Pages written once and read seven times: 64 pages, one word of each.
 *   @write  64 writes on 64 pages; @read  7 x 64 = 448 reads on the same pages. Each page: 7 reads, 1 write.
 *   The object: 448 reads, 64 writes, 64 pages, one 64-byte line of each page in use (density 1/64).
 */
#include "known.h"

int main(void) {
  volatile uint64_t *block = aligned_alloc(4096, 64 * 4096); // @block
  if (!block) return 1;
  SHOW("block", block, 64 * 4096);
  uint64_t sum = 0;
  for (size_t page = 0; page < 64; page++) {
    block[page * 512 + 3] = page; // @write
  }
  for (int round = 0; round < 7; round++) {
    for (size_t page = 0; page < 64; page++) {
      sum += block[page * 512 + 3]; // @read
    }
  }
  printf("sum %llu\n", (unsigned long long)sum); // 7 x (0 + ... + 63) = 14112
  return 0;
}
