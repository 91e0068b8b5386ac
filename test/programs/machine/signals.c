/*
 * Handlers: 40 that return, ten of them on an alternate stack, and 20 that jump out. Each adds to `handled` (one read,
 * one write); `done` counts the laps.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>

volatile long handled, done;
static sigjmp_buf out;

static void returns(int number) {
  (void)number;
  handled++;
}
static void jumps(int number) {
  (void)number;
  handled++;
  siglongjmp(out, 1);
}

__attribute__((noinline)) static void raised(int number) { raise(number); }

int main(void) {
  stack_t alternate = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  sigaltstack(&alternate, NULL);
  signal(SIGUSR1, returns);
  struct sigaction action = {.sa_flags = SA_ONSTACK};
  action.sa_handler = returns;
  sigaction(SIGWINCH, &action, NULL);
  signal(SIGUSR2, jumps);
  for (int i = 0; i < 30; i++) {
    raised(SIGUSR1);
    if (i % 3 == 0) raised(SIGWINCH);
    if (i < 20 && sigsetjmp(out, 1) == 0) raised(SIGUSR2);
    done++;
  }
  return handled == 60 ? 0 : 1;
}
