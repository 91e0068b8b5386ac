/* Work in and outside of windows of recording; counts by hand in test/pipeline/windows.test.ts. */
#include <pagelens.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define LONGS (PAGE / sizeof(long))
#define ALONE __attribute__((noinline))

static void fill(volatile long *at, long count) {
  for (long i = 0; i < count; i++) at[i] = i;
}
static long sum(volatile long *at, long count) {
  long total = 0;
  for (long i = 0; i < count; i++) total += at[i];
  return total;
}

ALONE void prepare(long *at) { fill(at, 4 * LONGS); }
/* Twice itself: 512 reads in each of three turns. */
ALONE long solve(long *at, int depth) {
  long total = sum(at, LONGS);
  return depth ? total + solve(at, depth - 1) : total;
}
ALONE void finish(long *at) { fill(at, 2 * LONGS); }

int main(int count, char **arguments) {
  const char *mode = count > 1 ? arguments[1] : "";
  long *a = aligned_alloc(PAGE, 4 * PAGE);
  prepare(a);
  long total = solve(a, 2);
  finish(a);
  total += solve(a, 0);
  if (strcmp(mode, "marks") == 0) {
    pagelens_start();
    total += sum(a, 100);
    pagelens_stop();
    total += sum(a, 200);
    pagelens_start();
    total += sum(a, 300);
    pagelens_stop();
  }
  prepare(a);
  return total == 0;
}
