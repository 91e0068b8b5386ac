/*
 * An array of 64 KiB on the stack whose address never leaves its function: each of its 16384 elements is written once
 * and read once, in an order (a linear congruential generator of full period) that nothing vectorises.
 *
 * Its address cannot be printed, for then it would leave the function. But the function's frame is just below main's,
 * and little else; so the window from 60000 to 20000 bytes below main's frame holds 10000 of the elements, and neither
 * the dynamic loader nor printf ever reach so deep.
 */
#include "marked.h"

enum { ELEMENTS = 16384, WINDOW_LOW = 60000, WINDOW_HIGH = 20000 };

static volatile int seed = 1;

__attribute__((noinline)) static int work(void) {
  int array[ELEMENTS];
  unsigned at = (unsigned)seed;
  for (int i = 0; i < ELEMENTS; i++) {
    at = (at * 5 + 12345) % ELEMENTS;
    array[at] = i;
  }
  int sum = 0;
  for (int i = 0; i < ELEMENTS; i++) {
    at = (at * 5 + 12345) % ELEMENTS;
    sum ^= array[at] + i;
  }
  return sum;
}

int main(void) {
  /* Rounded so that the window begins and ends between elements. */
  char *frame = (char *)((unsigned long)__builtin_frame_address(0) & ~63ul);
  mark("array", frame - WINDOW_LOW, WINDOW_LOW - WINDOW_HIGH);
  printf("sum %d\n", work());
  return 0;
}
