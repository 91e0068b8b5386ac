/* Where control leaves its path: longjmp over frames, a handler that interrupts, one that jumps out, fork, deep recursion. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static jmp_buf back;
static sigjmp_buf out;
static volatile sig_atomic_t ticks;
static long table[256];

__attribute__((noinline)) static void dive(int depth) {
  table[depth & 255]++;
  if (depth == 0) longjmp(back, 1);
  dive(depth - 1);
  table[depth & 255]--;
}

__attribute__((noinline)) static long sum(int depth) {
  volatile long here = depth;
  return depth == 0 ? here : here + sum(depth - 1);
}

static void tick(int number) {
  (void)number;
  ticks++;
  for (int i = 0; i < 5; i++) table[i] += i;
}

static void fault(int number) {
  (void)number;
  table[200]++;
  siglongjmp(out, 1);
}

int main(void) {
  for (volatile int lap = 0; lap < 20; lap++)
    if (setjmp(back) == 0) dive(lap);

  signal(SIGALRM, tick);
  struct itimerval timer = {{0, 500}, {0, 500}};
  setitimer(ITIMER_REAL, &timer, NULL);
  for (long i = 0; ticks < 20; i++) table[i & 127] += i;
  timer = (struct itimerval){{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &timer, NULL);

  struct sigaction action = {.sa_handler = fault};
  sigaction(SIGSEGV, &action, NULL);
  for (volatile int lap = 0; lap < 3; lap++)
    if (sigsetjmp(out, 1) == 0) *(volatile int *)8 = 1;

  /* gcc pushes frames below 300,000 deep only where the stack has room: 64 bytes a frame. */
  long total = sum(20000);

  int fds[2];
  if (pipe(fds) != 0) return 3;
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 100; i++) table[i] = i;
    if (write(fds[1], table, sizeof table) != sizeof table) _exit(4);
    _exit(7);
  }
  long copy[256];
  if (read(fds[0], copy, sizeof copy) != sizeof copy) return 5;
  int status;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) != 7 || copy[99] != 99) return 6;
  printf("%ld %ld\n", total, table[200]);
  return table[200] == 3 ? 0 : 1;
}
