/*
 * Who calls whom, and what happens under each call. `leaf` reads 8 words a call: 3 calls from `a` and 2 * 5 from `b`.
 * `down` calls itself: what it does at first stands under `main`, what it does below itself in one more frame.
 * `leave` jumps out over a frame.
 */
#include <setjmp.h>

static volatile long data[8];
static volatile long count;
static jmp_buf back;

__attribute__((noinline)) static long leaf(void) {
  long sum = 0;
  for (int i = 0; i < 8; i++) sum += data[i]; /* @leaf */
  return sum;
}

__attribute__((noinline)) static long a(void) { return leaf() + 1; }
__attribute__((noinline)) static long b(void) { return leaf() + leaf(); }

__attribute__((noinline)) static void down(int n) {
  count = n; /* @down */
  if (n > 0) down(n - 1);
  count = n; /* @up */
}

__attribute__((noinline)) static void leave(void) {
  count = 1; /* @leave */
  longjmp(back, 1);
}

int main(void) {
  for (int i = 0; i < 3; i++) a();
  for (int i = 0; i < 5; i++) b();
  down(4);
  if (!setjmp(back)) leave();
  for (int i = 0; i < 6; i++) count = i; /* @behind */
  return 0;
}
