/* Templates, an inlined function, a macro, and two allocations on a line: each must show on what was written. */
#include <cstdio>
#include <cstdlib>
#include "table.h"

enum { COUNT = 4096 };

__attribute__((noinline)) static long forward(const int *ints) { /* @forward */
  long total = 0;
  for (int i = 0; i < COUNT; i++) total = total * 3 + at(ints, i); /* 4,096 reads of @at-line */
  return total;
}

__attribute__((noinline)) static long backward(const int *ints) {
  long total = 0;
  for (int i = COUNT - 1; i >= 0; i -= 2) total = total * 3 + at(ints, i); /* 2,048 reads of @at-line */
  return total;
}

__attribute__((noinline)) static void bump(int *ints) {
  for (int i = 0; i < COUNT; i += 4) BUMP(ints[i]); /* @expansion */
}

/* Four marked lines in a row; each turn needs the one before, so that no compiler does two at once. */
__attribute__((noinline)) static void mix(double *table) {
  double carry = 0;
  for (int i = 0; i < COUNT / 4; i++) {
    carry = carry * 0.5 + table[i];
    double other = carry + table[COUNT / 4 + i];
    table[COUNT / 2 + i] = other;
    table[COUNT / 2 + COUNT / 4 + i] = carry * carry - other;
  }
}

int main() {
  int *ints = (int *)calloc(COUNT, sizeof(int)); double *doubles = (double *)calloc(COUNT, 8); /* @allocations */
  long total = forward(ints) + backward(ints);
  bump(ints);
  mix(doubles);
  total += sum(ints, COUNT) + sum(doubles, COUNT / 4);
  std::printf("%ld\n", total);
  return total == 0;
}
