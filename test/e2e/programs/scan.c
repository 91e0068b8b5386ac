/* Fills 8 MiB once and reads it three times: a quarter of the accesses are writes, three quarters reads. */
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 1 << 20, ROUNDS = 3 };

static void fill(volatile double *table) {
  for (int i = 0; i < COUNT; i++) table[i] = i;
}

static double sum(volatile double *table) {
  double total = 0;
  for (int i = 0; i < COUNT; i++) total += table[i];
  return total;
}

int main(void) {
  volatile double *table = malloc(COUNT * sizeof *table);
  fill(table);
  double total = 0;
  for (int round = 0; round < ROUNDS; round++) total += sum(table);
  printf("total %.0f\n", total);
  return 0;
}
