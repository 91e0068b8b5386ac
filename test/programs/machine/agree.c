/*
 * One kernel for every recorder: its tables begin at pages, so that pages have the same counts wherever they lie, and each
 * marked line makes its accesses through volatile, so that no compiler leaves any out.
 */
#include <stdint.h>
#include <stdlib.h>

#define PAGE_ALIGNED __attribute__((aligned(4096)))
#define NOINLINE __attribute__((noinline))

static volatile uint64_t grid[4 * 512] PAGE_ALIGNED;
static volatile uint64_t sums[512] PAGE_ALIGNED;

NOINLINE static void fill(void) {
  for (uint64_t i = 0; i < 4 * 512; i++) {
    grid[i] = i; // @fill
  }
}

NOINLINE static void gather(volatile uint64_t *block) {
  for (uint64_t i = 0; i < 1000; i++) {
    uint64_t value = grid[i * i % 2048]; // @gather
    block[i * 3 % 1024] = value; // @scatter
    sums[i % 8] += value; // @add
  }
}

int main(void) {
  volatile uint64_t *block = aligned_alloc(4096, 2 * 4096);
  if (!block) return 1;
  fill();
  gather(block);
  free((void *)block);
  return 0;
}
