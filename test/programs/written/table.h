/* What is written once and compiled several times. Counts in the markers' comments are for one call. */
#pragma once

/* @template */
template <typename T>
__attribute__((noinline)) long sum(const T *table, int n) { /* @sum */
  long total = 0;
  /* Each turn needs the one before, so that no compiler reads two elements at once. */
  for (int i = 0; i < n; i++) total = total * 3 + (long)table[i]; /* @sum-line */
  return total;
}

/* Goes into every caller, and has code nowhere else. */
static inline __attribute__((always_inline)) int at(const int *table, int i) { /* @at */
  return table[i]; /* @at-line */
}

#define BUMP(place) ((place) = (place) + 1) /* @macro */
