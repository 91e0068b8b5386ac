/* Accesses by file: table.cc 1000 writes, scale.c (the shared library) 1000 reads and writes, sum.c (the archive) 1000 reads. */
#include <stdio.h>
#include "parts.h"

int main(void) {
  int *table = make_table(1000);
  scale(table, 1000, 3);
  printf("%ld\n", sum(table, 1000));
  return 0;
}
