/* 1000 copies of 32 bytes through vector types of 256 bits (build with -mavx2), and 1000 of 16 through such of 128. */
#include "marked.h"

typedef long wide __attribute__((vector_size(32)));
typedef long narrow __attribute__((vector_size(16)));

static wide wideFrom[16], wideTo[16];
static narrow narrowFrom[16], narrowTo[16];
static volatile int step = 1;

int main(void) {
  mark("wideFrom", wideFrom, sizeof wideFrom);
  mark("wideTo", wideTo, sizeof wideTo);
  mark("narrowFrom", narrowFrom, sizeof narrowFrom);
  mark("narrowTo", narrowTo, sizeof narrowTo);
  for (int i = 0; i < ROUNDS; i++) {
    int at = i * step & 15;
    wideTo[at] = wideFrom[at] + wideFrom[at];
    narrowTo[at] = narrowFrom[at] + narrowFrom[at];
  }
  printf("sum %ld\n", wideTo[3][1] + narrowTo[3][1]);
  return 0;
}
