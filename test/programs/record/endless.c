/* Accesses, allocations and calls until it is killed. Says when the first of them are done. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long table[4096];
static unsigned rng = 1;

__attribute__((noinline)) static long step(unsigned n) {
  long total = 0;
  for (unsigned i = n & 1023; i < 4096; i += 1 + (n & 7)) total += table[i]++;
  return total;
}

int main(void) {
  int said = 0;
  for (long total = 0;; total++) {
    rng = rng * 1664525 + 1013904223;
    char *p = malloc(rng >> 22);
    total += step(rng >> 8);
    if (p) memset(p, (int)total, rng >> 22);
    free(p);
    if (!said && write(1, "go", 2) != 2) return 1;
    said = 1;
  }
}
