/* Marks of pagelens.h, with counts by hand in test/pipeline/marks.test.ts. */
#include <pagelens.h>
#include <stdlib.h>

#define PAGE 4096
#define LONGS (PAGE / sizeof(long))

/* Accesses that no compiler merges or leaves out. */
static void fill(volatile long *at, long count) {
  for (long i = 0; i < count; i++) at[i] = i;
}
static long sum(volatile long *at, long count) {
  long total = 0;
  for (long i = 0; i < count; i++) total += at[i];
  return total;
}

int main(void) {
  long *a = aligned_alloc(PAGE, 4 * PAGE);
  long *b = aligned_alloc(PAGE, 2 * PAGE);
  pagelens_tag(a, "grid");
  pagelens_phase("set-up");
  fill(a, 4 * LONGS);
  fill(b, 2 * LONGS);
  pagelens_phase("work");
  long total = 0;
  for (int turn = 0; turn < 3; turn++) {
    pagelens_region_begin("outer");
    total += sum(a, 2 * LONGS);
    pagelens_region_begin("inner");
    total += sum(b, LONGS);
    /* Ends nothing: no such region is open. */
    pagelens_region_end("nobody's");
    pagelens_region_end("inner");
    fill(a, LONGS);
    pagelens_region_end("outer");
  }
  /* Never ended: it lasts to the end of the run. */
  pagelens_region_begin("left open");
  total += sum(b, LONGS);
  return total == 0;
}
