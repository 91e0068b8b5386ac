/*
 * An array on the stack, handed to functions: 3,000 words of main's frame.
 *   @fill  3,000 writes, @sum  2 x 3,000 = 6,000 reads, all in the object `stack`; 24,000 bytes lie in 6 or 7 pages.
 *   @deep  a recursion 50 deep, each level writing 4 words of its own array: 200 writes, in the stack as well.
 */
#include "known.h"

NOINLINE static void fill(volatile uint64_t *array, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) {
    array[i] = i; // @fill
  }
}

NOINLINE static uint64_t sum(volatile uint64_t *array, uint64_t count) {
  uint64_t total = 0;
  for (uint64_t i = 0; i < count; i++) {
    total += array[i]; // @sum
  }
  return total;
}

NOINLINE static void write_four(volatile uint64_t *array) {
  for (int i = 0; i < 4; i++) {
    array[i] = 1; // @deep
  }
}

NOINLINE static int deeper(int levels) {
  uint64_t own[4];
  write_four(own);
  int below = levels > 1 ? deeper(levels - 1) : 0;
  HIDE(below);
  return below + 1;
}

int main(void) {
  uint64_t array[3000];
  SHOW("array", array, sizeof array);
  fill(array, 3000);
  uint64_t total = sum(array, 3000) + sum(array, 3000);
  int levels = deeper(50);
  printf("total %llu levels %d\n", (unsigned long long)total, levels); // 2 x 4498500, 50
  return 0;
}
