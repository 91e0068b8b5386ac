/*
 * What C programs do with control flow, processes and atomics, each on an array of its own, whose accesses are the same
 * at every level of optimisation: they are volatile, or atomic. By hand, reads and writes:
 *
 *   jumped    1000, 1000   100 longjmp over three frames, 10 increments before each
 *   handled    100,  100   handlers of a signal, the second half on an alternate stack
 *   forked     310,  310   10 in the parent, 100 each in three children of fork
 *   vforked     20,   20   10 before a vfork, whose child executes this program again, and 10 behind it
 *   executed   600,  600   100 in each of six processes made by exec: of vfork, posix_spawn, system, popen, fork and execv,
 *                          and a shell that starts a shell that starts it
 *   parallel  4000, 4000   OpenMP, one increment an element
 *   counted   2000, 2000   fetch_add by OpenMP's threads
 *   swapped   1000,    1   compare-and-swap: the first succeeds, 999 fail
 */
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int jumped[10], handled[100], forked[100], vforked[10], executed[100], parallel[4000];
_Atomic int counted[4], swapped;

static jmp_buf back;

static void increment(volatile int *numbers, int count) {
  for (int i = 0; i < count; i++) numbers[i]++;
}

__attribute__((noinline)) static void fall(int depth) {
  if (depth > 0) fall(depth - 1);
  longjmp(back, 1);
}

static void jump(void) {
  for (volatile int i = 0; i < 100; i++) {
    if (setjmp(back)) continue;
    increment(jumped, 10);
    fall(3);
  }
}

static volatile sig_atomic_t next;

static void handle(int number) {
  (void)number;
  int at = next;
  next = at + 1;
  handled[at]++;
}

static void signals(void) {
  struct sigaction action = {.sa_handler = handle};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 50; i++) raise(SIGUSR1);
  stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
  sigaltstack(&stack, NULL);
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 50; i++) raise(SIGUSR1);
}

static void wait_for(pid_t pid) {
  int status;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) abort();
}

static void processes(char *self) {
  increment(forked, 10);
  for (int i = 0; i < 3; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      increment(forked, 100);
      _exit(0);
    }
    wait_for(pid);
  }

  char *again[] = {self, "executed", NULL};
  increment(vforked, 10);
  pid_t pid = vfork();
  if (pid == 0) {
    execv(self, again);
    _exit(1);
  }
  wait_for(pid);
  increment(vforked, 10);

  extern char **environ;
  if (posix_spawn(&pid, self, NULL, NULL, again, environ) != 0) abort();
  wait_for(pid);

  char line[4096];
  snprintf(line, sizeof line, "'%s' executed", self);
  if (system(line) != 0) abort();
  FILE *pipe = popen(line, "r");
  if (!pipe || pclose(pipe) != 0) abort();
  pid = fork();
  if (pid == 0) {
    execv(self, again);
    _exit(1);
  }
  wait_for(pid);
  snprintf(line, sizeof line, "sh -c \"'%s' executed && true\" && true", self);
  if (system(line) != 0) abort();
}

static void threads(void) {
#pragma omp parallel for num_threads(4)
  for (int i = 0; i < 4000; i++) parallel[i]++;
#pragma omp parallel for num_threads(4) schedule(dynamic, 7)
  for (int i = 0; i < 2000; i++) atomic_fetch_add(&counted[i % 4], 1);
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "executed") == 0) {
    increment(executed, 100);
    return 0;
  }
  jump();
  signals();
  processes(arguments[0]);
  threads();
  for (int i = 0; i < 1000; i++) {
    int expected = 0;
    atomic_compare_exchange_strong(&swapped, &expected, 1);
  }
  puts("done");
  return 0;
}
