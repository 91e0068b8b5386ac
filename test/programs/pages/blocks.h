/*
 * Included before a program's own text (-include): its blocks and their sizes are told on standard error, so that two
 * builds of it can be laid over each other wherever their memory lies.
 */
#include <stdio.h>
#include <stdlib.h>

static void *told(void *block, size_t bytes) {
  fprintf(stderr, "block %zx %zu\n", (size_t)block, bytes);
  return block;
}
#define malloc(bytes) told(malloc(bytes), bytes)
#define calloc(count, size) told(calloc(count, size), (count) * (size))
