/*
 * What a trap at libc's system calls could disturb: masks, handlers, small stacks, jumps, cancellation, registers. Each
 * case prints what it saw; recorded and unrecorded it must be the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Calls inside libc that allocate, open, read and close. */
static int lines(void) {
  FILE *file = fopen("/etc/passwd", "r");
  int count = 0;
  for (int c; (c = fgetc(file)) != EOF;) count += c == '\n';
  fclose(file);
  return count > 0;
}

static volatile sig_atomic_t caught;
static void handler(int number) {
  caught++;
  if (lines() != 1) _exit(50 + number);
}

static void set(int number, void (*function)(int), int flags) {
  struct sigaction action = {.sa_handler = function, .sa_flags = flags};
  sigfillset(&action.sa_mask);
  sigaction(number, &action, NULL);
}

/* Every way to block SIGSYS with the rest; the calls behind it still work. */
static void masks(void) {
  set(SIGUSR1, handler, 0);
  raise(SIGUSR1);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &all, NULL);
  printf("%d %d", lines(), caught);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  raise(SIGUSR1);
  printf(" %d %d", lines(), caught);
  struct timespec moment = {0, 1000};
  ppoll(NULL, 0, &moment, &all);
  pselect(0, NULL, NULL, NULL, &moment, &all);
  printf(" %d", caught);
  ppoll(NULL, 0, &moment, &none); /* the pending signal comes here */
  printf(" %d %d", caught, errno == EINTR);
  raise(SIGUSR1);
  sigdelset(&all, SIGUSR1);
  sigsuspend(&all);
  printf(" %d\n", caught);
  sigset_t now;
  sigprocmask(SIG_SETMASK, NULL, &now);
  printf("%d %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGKILL));
}

static void own_handler(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("SIGSYS %d from %d, %d\n", number == SIGSYS, info->si_pid == getpid(), lines());
}

/* The program's own use of SIGSYS. */
static void sigsys(void) {
  struct sigaction action = {.sa_sigaction = own_handler, .sa_flags = SA_SIGINFO}, before;
  sigaction(SIGSYS, &action, &before);
  printf("%d\n", before.sa_handler == SIG_DFL);
  raise(SIGSYS);
  sigaction(SIGSYS, NULL, &before);
  printf("%d %d\n", before.sa_sigaction == own_handler, lines());
  signal(SIGSYS, SIG_IGN);
  raise(SIGSYS);
  printf("ignored\n");
  fflush(stdout);
  signal(SIGSYS, SIG_DFL);
  raise(SIGSYS);
  printf("not reached\n");
}

static void *little(void *data) {
  *(int *)data = lines();
  char text[100];
  snprintf(text, sizeof text, "%s %.3f", "text", 1.5);
  printf("%s\n", text);
  return NULL;
}

/* Threads on the smallest stack, and one that the program made itself. */
static void small(void) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  int done[2] = {0, 0};
  pthread_t thread;
  if (pthread_create(&thread, &attributes, little, &done[0]) == 0) pthread_join(thread, NULL);
  void *stack = aligned_alloc(4096, PTHREAD_STACK_MIN);
  pthread_attr_setstack(&attributes, stack, PTHREAD_STACK_MIN);
  if (pthread_create(&thread, &attributes, little, &done[1]) == 0) pthread_join(thread, NULL);
  printf("%d %d\n", done[0], done[1]);
}

static void on_alternate(int number) {
  (void)number;
  stack_t now;
  sigaltstack(NULL, &now);
  int change = sigaltstack(&now, NULL);
  char text[200];
  snprintf(text, sizeof text, "%d %d %d %d", lines(), (now.ss_flags & SS_ONSTACK) != 0, change == -1, errno == EPERM);
  puts(text);
}

/* Handlers on an alternate stack, of the usual size and a large one; its settings stay. */
static void alternate(void) {
  for (int i = 0; i < 2; i++) {
    size_t size = i == 0 ? SIGSTKSZ : 1 << 20;
    stack_t stack = {.ss_sp = malloc(size), .ss_size = size}, found;
    sigaltstack(&stack, NULL);
    set(SIGUSR1, on_alternate, SA_ONSTACK);
    raise(SIGUSR1);
    sigaltstack(NULL, &found);
    printf("%d %d\n", found.ss_sp == stack.ss_sp, found.ss_size == size);
  }
}

static void after(int microseconds) {
  struct itimerval timer = {{0, 0}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static sigjmp_buf out;
static void jump(int number) { siglongjmp(out, number); }

/* A signal during a read inside libc: it ends, goes on, or is left by a jump. */
static void interrupted(void) {
  int ends[2];
  if (pipe(ends) != 0) return;
  FILE *file = fdopen(ends[0], "r");
  set(SIGALRM, handler, 0);
  after(20000);
  int c = fgetc(file);
  printf("%d %d %d\n", c == EOF, errno == EINTR, caught);
  clearerr(file);
  set(SIGALRM, handler, SA_RESTART);
  after(20000);
  if (fork() == 0) {
    usleep(60000);
    (void)!write(ends[1], "x", 1);
    _exit(0);
  }
  c = fgetc(file);
  printf("%c %d\n", c, caught);
  wait(NULL);
  for (volatile int i = 0; i < 3; i++) {
    FILE *again = fdopen(dup(ends[0]), "r"); /* the lock of the one left stays taken */
    set(SIGALRM, jump, 0);
    if (sigsetjmp(out, 1) == 0) {
      after(10000);
      fgetc(again);
    } else {
      printf("jumped %d\n", lines());
    }
  }
}

static void cleaned(void *text) { printf("%s %d\n", (char *)text, lines()); }

static void *waits(void *file) {
  pthread_cleanup_push(cleaned, "cancelled");
  fgetc(file);
  pthread_cleanup_pop(0);
  return NULL;
}

static void *sleeps(void *data) {
  (void)data;
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
  pthread_cleanup_push(cleaned, "cancelled asleep");
  for (;;) usleep(1000);
  pthread_cleanup_pop(0);
  return NULL;
}

static void *waits_in_read(void *data) {
  pthread_cleanup_push(cleaned, "cancelled in read");
  char c;
  (void)!read(*(int *)data, &c, 1);
  pthread_cleanup_pop(0);
  return NULL;
}

static void cancellation(void) {
  int ends[2];
  if (pipe(ends) != 0) return;
  void *(*const bodies[])(void *) = {waits, sleeps, waits_in_read};
  void *const arguments[] = {fdopen(dup(ends[0]), "r"), NULL, &ends[0]};
  for (int i = 0; i < 3; i++) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, bodies[i], arguments[i]);
    usleep(30000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("%d\n", result == PTHREAD_CANCELED);
  }
}

static int cloned(void *data) {
  *(volatile int *)data = 5;
  return 7;
}

static void children(void) {
  static char stack[65536];
  volatile int shared = 0;
  int status;
  pid_t child = clone(cloned, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)&shared);
  waitpid(child, &status, 0);
  printf("clone %d %d\n", shared, WEXITSTATUS(status));
  fflush(stdout);
  child = (pid_t)syscall(SYS_fork);
  if (child == 0) {
    printf("child %d\n", lines());
    fflush(stdout);
    _exit(lines() + 2);
  }
  waitpid(child, &status, 0);
  printf("fork %d\n", WEXITSTATUS(status));
  printf("probe %d\n", syscall(SYS_clone3, NULL, 0) == -1 && errno == EINVAL);
  fflush(stdout);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR2);
  sigprocmask(SIG_SETMASK, &one, NULL);
  /* The masks and dispositions that the new image is given. */
  if (fork() == 0) {
    char *const grep[] = {"grep", "Sig[BI]", "/proc/self/status", NULL};
    syscall(SYS_execve, "/bin/grep", grep, (char *[]){NULL});
    _exit(1);
  }
  wait(&status);
  printf("exec %d\n", WEXITSTATUS(status));
}

static ucontext_t home, there;
static void coroutine(void) {
  printf("there %d\n", lines());
  swapcontext(&there, &home);
  printf("again %d\n", lines());
}

static void contexts(void) {
  static char stack[65536];
  getcontext(&there);
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = sizeof stack;
  there.uc_link = &home;
  makecontext(&there, coroutine, 0);
  swapcontext(&home, &there);
  printf("back %d\n", lines());
  swapcontext(&home, &there);
  printf("end\n");
}

/* A call that is made by the program's own instruction keeps the red zone and all registers that the kernel keeps. */
__attribute__((noinline)) static long registers(void) {
  long sum = 0, result;
  __asm__ volatile(
      "movq $0x4000, -96(%%rsp)\n movq $0x500, %%rbx\n movq %%rbx, %%xmm9\n movq $0x60, %%r8\n movq $7, %%r9\n"
      "movq $39, %%rax\n syscall\n"
      "addq -96(%%rsp), %[sum]\n addq %%rbx, %[sum]\n addq %%r8, %[sum]\n addq %%r9, %[sum]\n"
      "movq %%xmm9, %%rbx\n addq %%rbx, %[sum]\n"
      : "=a"(result), [sum] "+r"(sum)
      :
      : "rbx", "rcx", "r8", "r9", "r11", "xmm9", "memory");
  return result == getpid() ? sum : -1;
}

static void instruction(void) {
  printf("%lx\n", registers()); /* 4000 + 500 + 60 + 7 + 500 */
}

/* A storm of signals while libc reads and writes: nothing is lost. */
static void tick(int number) {
  (void)number;
  caught++;
}
static void storm(void) {
  set(SIGALRM, tick, SA_RESTART);
  struct itimerval timer = {{0, 200}, {0, 200}};
  setitimer(ITIMER_REAL, &timer, NULL);
  FILE *file = tmpfile();
  long sum = 0, seen = 0;
  for (long i = 0; i < 200000; i++) fprintf(file, "%ld\n", i), sum += i;
  rewind(file);
  for (long i; fscanf(file, "%ld", &i) == 1;) seen += i;
  for (int i = 0; i < 300; i++) free(malloc(1 << 20));
  timer = (struct itimerval){{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &timer, NULL);
  printf("%d %d\n", seen == sum, caught > 20);
}

static void *dispatches(void *data) {
  (void)data;
  printf("%d\n", lines());
  return NULL;
}
/* Many threads that begin and end side by side. */
static void crowd(void) {
  for (int lap = 0; lap < 4; lap++) {
    pthread_t all[16];
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    for (int i = 0; i < 16; i++) pthread_create(&all[i], &detached, dispatches, NULL);
    for (int i = 0; i < 16; i++) pthread_join(all[i], NULL);
  }
}

/* Calls that the kernel refuses say so. */
static void errors(void) {
  printf("%d", fopen("/nonexistent", "r") == NULL && errno == ENOENT);
  printf(" %d\n", syscall(9999) == -1 && errno == ENOSYS);
}

/* A thread has only one dispatch: the program is told that there is none, and what libc does is still seen. */
static void refused(void) {
  printf("%d\n", prctl(59, 1, 0, 0, &caught) == -1 && errno == EINVAL);
}

static const struct {
  const char *name;
  void (*run)(void);
} all[] = {{"masks", masks},
           {"sigsys", sigsys},
           {"small", small},
           {"alternate", alternate},
           {"interrupted", interrupted},
           {"cancellation", cancellation},
           {"children", children},
           {"contexts", contexts},
           {"instruction", instruction},
           {"storm", storm},
           {"crowd", crowd},
           {"errors", errors},
           {"refused", refused}};

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(argv[1], all[i].name) == 0) {
      all[i].run();
      printf("done %d\n", lines());
      return 0;
    }
  return 2;
}
