/*
 * Atomic instructions. `added` has 300 read-modify-writes: 300 reads, 300 writes. `kept` has 200 compare-and-swaps that
 * fail: 200 reads. `taken` 100 that succeed: 100 reads, 100 writes. `pair` 50 of 16 bytes that succeed: as many of both.
 */
#include <stdint.h>

uint64_t added, kept, taken;
uint64_t pair[2] __attribute__((aligned(16)));

int main(void) {
  for (int i = 0; i < 300; i++) __atomic_fetch_add(&added, 3, __ATOMIC_SEQ_CST);
  for (int i = 0; i < 200; i++) {
    uint64_t expected = 1;
    __atomic_compare_exchange_n(&kept, &expected, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
  for (uint64_t i = 0; i < 100; i++) {
    uint64_t expected = i;
    __atomic_compare_exchange_n(&taken, &expected, i + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
  for (uint64_t i = 0; i < 50; i++) {
    uint64_t low = i, high = 0;
    __asm__ volatile("lock cmpxchg16b %0" : "+m"(pair), "+a"(low), "+d"(high) : "b"(i + 1), "c"(0ul) : "cc");
  }
  return 0;
}
