/* The arrays of these programs: the test counts only accesses to them, by the ranges that the program prints. */
#ifndef MARKED_H
#define MARKED_H

#include <stdio.h>

#ifndef ROUNDS
#define ROUNDS 1000
#endif

static void mark(const char *name, const volatile void *start, unsigned long size) {
  unsigned long from = (unsigned long)start;
  printf("%s %lx %lx\n", name, from, from + size);
  fflush(stdout);
}

#endif
