/* Writes 1 MiB once and reads it as often as it is told; without a number, or with 0, that is an error. */
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 1 << 17 };

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  volatile double *values = malloc(COUNT * sizeof *values);
  for (int i = 0; i < COUNT; i++) values[i] = i;
  double sum = 0;
  int rounds = atoi(argv[1]);
  for (int round = 0; round < rounds; round++)
    for (int i = 0; i < COUNT; i++) sum += values[i];
  printf("sum %.0f\n", sum);
  return sum == 0;
}
