/* 40 million accesses, for bursts to stand for: three of four read, turn by turn. Shares are by hand. */
#include <stdlib.h>

#define TURNS 2000
#define LONGS 5000
#define ALONE __attribute__((noinline))

ALONE static long reads(volatile long *at) {
  long total = 0;
  for (long i = 0; i < 3 * LONGS; i++) total += at[i % LONGS]; /* @reads */
  return total;
}
ALONE static void writes(volatile long *at) {
  for (long i = 0; i < LONGS; i++) at[i] = i; /* @writes */
}

int main(void) {
  long *at = malloc(LONGS * sizeof *at), total = 0;
  for (int turn = 0; turn < TURNS; turn++) {
    writes(at);
    total += reads(at);
  }
  return total == 0;
}
