/* Runs until it is stopped, so that a test can cancel it. */
#include <stdio.h>

static volatile unsigned counters[4096];

int main(void) {
  puts("running");
  fflush(stdout);
  for (unsigned i = 0;; i++) counters[i % 4096]++;
}
