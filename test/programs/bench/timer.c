/*
 * Linked into every benchmark program, native and recorded alike, and compiled without hooks: writes the wall time from
 * the start of the program's constructors to its end, in seconds, to the file named by BENCH_TIME. So the time of a
 * recorded program is its own, without that of the recorder's start and finish around it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct timespec start;

__attribute__((constructor)) static void begin(void) { clock_gettime(CLOCK_MONOTONIC, &start); }

__attribute__((destructor)) static void finish(void) {
  const char *path = getenv("BENCH_TIME");
  struct timespec end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  FILE *file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%.9f\n", (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9);
  fclose(file);
}
