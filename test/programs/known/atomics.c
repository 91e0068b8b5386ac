/*
 * Atomics: a read-modify-write is one read and one write, a failed compare-and-swap one read.
 *   @add       1000 fetch-and-add: 1000 reads, 1000 writes       @swap    200 exchanges: 200 reads, 200 writes
 *   @store     300 stores: 300 writes                            @load    400 loads: 400 reads
 *   @cas       100 compare-and-swap that succeed: 100 reads, 100 writes
 *   @cas-fail  50 that fail: 50 reads
 *   @or        60 fetch-and-or on a byte: 60 reads, 60 writes
 * The object: 1000 + 200 + 400 + 100 + 50 + 60 = 1810 reads, 1000 + 200 + 300 + 100 + 60 = 1660 writes, one page.
 */
#include "known.h"
#include <stdatomic.h>
#include <stdbool.h>

struct Cells {
  _Atomic uint64_t number;
  _Atomic uint32_t half;
  _Atomic uint8_t flags;
};

int main(void) {
  struct Cells *cells = aligned_alloc(4096, 4096); // @block
  if (!cells) return 1;
  SHOW("cells", cells, 4096);
  HIDE(cells);
  uint64_t sum = 0, failed = 0;
  for (int i = 0; i < 300; i++) {
    atomic_store(&cells->number, 0); // @store
  }
  for (int i = 0; i < 1000; i++) {
    atomic_fetch_add_explicit(&cells->number, 1, memory_order_relaxed); // @add
  }
  for (int i = 0; i < 200; i++) {
    sum += atomic_exchange(&cells->half, 7); // @swap
  }
  for (int i = 0; i < 400; i++) {
    sum += atomic_load_explicit(&cells->half, memory_order_acquire); // @load
  }
  for (uint64_t i = 1000; i < 1100; i++) {
    uint64_t expected = i;
    failed += !atomic_compare_exchange_strong(&cells->number, &expected, i + 1); // @cas
  }
  for (uint64_t i = 0; i < 50; i++) {
    uint64_t expected = i;
    failed += !atomic_compare_exchange_strong(&cells->number, &expected, i + 1); // @cas-fail
  }
  for (int i = 0; i < 60; i++) {
    atomic_fetch_or(&cells->flags, 4); // @or
  }
  HIDE(sum);
  printf("failed %llu\n", (unsigned long long)failed); // 50
  return failed == 50 ? 0 : 1;
}
