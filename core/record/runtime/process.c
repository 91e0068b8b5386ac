/*
 * Signals, jumps, fork and exec: where control leaves the ordinary path of a thread.
 *
 * A handler may interrupt the thread in the middle of a hook, so handlers record on a stream of their own. A handler
 * that is left by a jump abandons the interrupted stream for a fresh one, because the interrupted hook will never finish.
 */
#include "real.h"
#include "sys.h"

#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- signals ---- */

static struct {
  void *handler;
  uint32_t info; /* it takes three arguments */
} handlers[NSIG];

static void on_signal(int number, siginfo_t *info, void *data) {
  struct pl_context *before = pl_context_peek();
  uint32_t inside = pl_inside, generation = pl_generation;
  uint8_t selector = pl_dispatch.selector;
  struct pl_context *c = NULL;
  int saved = errno;
  if (before) c = pl_context_for_handler(before);
  if (c) {
    pl_current = c;
    pl_inside = 0;
    c->handler_sp = SP;
    c->blocked = 0;
    __atomic_store_n(&c->ctl.state, PL_STATE_RUNNING, __ATOMIC_SEQ_CST);
    pl_stamp(c, pl_seq_take());
  }
  pl_dispatch_in_handler();
  errno = saved;
  void *handler = __atomic_load_n(&handlers[number].handler, __ATOMIC_ACQUIRE);
  if (handlers[number].info)
    ((void (*)(int, siginfo_t *, void *))handler)(number, info, data);
  else
    ((void (*)(int))handler)(number);
  pl_dispatch.selector = selector;
  pl_trappable_frame(data);
  if (c && generation == pl_generation && pl_context_peek() == c) {
    /* Nothing comes of this stream until the next signal, which may be never: the merge must not wait for it. */
    saved = errno;
    pl_unwind(c, UINT64_MAX);
    if (pl_dispatch.on) pl_called(c, SYS_rt_sigreturn, 0, 0);
    pl_stamp(c, pl_seq_take());
    if (pl_context_peek() == c) __atomic_store_n(&c->ctl.state, PL_STATE_IDLE, __ATOMIC_SEQ_CST);
    errno = saved;
  }
  pl_inside = inside;
  /* In a child that the handler forked, the interrupted stream is the parent's. */
  if (before && generation == pl_generation) pl_current = before;
}

static bool is_function(const void *handler) { return handler != (void *)SIG_DFL && handler != (void *)SIG_IGN; }

PL_EXPORT int sigaction(int number, const struct sigaction *restrict action, struct sigaction *restrict old) {
  if (number <= 0 || number >= NSIG || !pl_start()) return REAL(sigaction)(number, action, old);
  void *handler = handlers[number].handler;
  uint32_t info = handlers[number].info;
  struct sigaction ours, before;
  if (action) {
    ours = *action;
    if (is_function((void *)action->sa_handler)) {
      handlers[number].info = (action->sa_flags & SA_SIGINFO) != 0;
      __atomic_store_n(&handlers[number].handler, (void *)action->sa_handler, __ATOMIC_RELEASE);
      ours.sa_sigaction = on_signal;
      ours.sa_flags |= SA_SIGINFO;
    }
  }
  int result = REAL(sigaction)(number, action ? &ours : NULL, &before);
  if (result == 0 && old) {
    *old = before;
    if (before.sa_sigaction == on_signal) {
      old->sa_handler = (void (*)(int))handler;
      if (!info) old->sa_flags &= ~SA_SIGINFO;
    }
  }
  return result;
}

PL_EXPORT sighandler_t signal(int number, sighandler_t handler) {
  struct sigaction action = {.sa_flags = SA_RESTART}, before;
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

/* ---- jumps ---- */

/* Stack pointer that the jump will restore. glibc keeps it mangled with the thread's pointer guard (sysdeps/unix/sysv/
 * linux/x86_64: rotated left by 17 after an exclusive or); elsewhere unknown, and frames are dropped as found dead. */
static uint64_t jump_target(jmp_buf buffer) {
#if defined(__x86_64__) && defined(__GLIBC__)
  uint64_t guard, value = ((uint64_t *)buffer)[6];
  __asm__("mov %%fs:0x30, %0" : "=r"(guard));
  return (value >> 17 | value << 47) ^ guard;
#else
  (void)buffer;
  return 0;
#endif
}

static void jumping(jmp_buf buffer) {
  /* The jump may leave a handler that interrupted a real call. */
  if (pl_dispatch.on) pl_dispatch.selector = PL_TRAPPED_CALLS;
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  uint64_t sp = jump_target(buffer);
  if (sp == 0) return;
  struct pl_context *left = NULL;
  while (c->interrupted) {
    /* A handler on an alternate stack is left by any jump to the thread's own. */
    bool own = c->handler_sp >= c->stack_low && c->handler_sp < c->stack_high;
    bool target_own = sp >= c->stack_low && sp < c->stack_high;
    if (own == target_own ? sp <= c->handler_sp : !target_own) break;
    left = c = c->interrupted;
  }
  if (left) {
    struct pl_context *interrupted = left->interrupted;
    uint64_t handler_sp = left->handler_sp;
    pl_context_abandon(left);
    if (interrupted) {
      /* From a handler into the one that it interrupted. */
      interrupted->handler = NULL;
      struct pl_context *fresh = pl_context_for_handler(interrupted);
      if (fresh) {
        fresh->handler_sp = handler_sp;
        pl_current = fresh;
      }
    }
    pl_inside = 0;
    return;
  }
  pl_unwind(c, sp);
}

#define JUMP(name) \
  PL_EXPORT __attribute__((noreturn)) void name(jmp_buf buffer, int value); \
  PL_EXPORT __attribute__((noreturn)) void name(jmp_buf buffer, int value) { \
    jumping(buffer); \
    REAL(name)(buffer, value); \
    __builtin_unreachable(); \
  }
#undef longjmp
#undef siglongjmp
JUMP(longjmp)
JUMP(_longjmp)
JUMP(__longjmp_chk)
PL_EXPORT __attribute__((noreturn)) void siglongjmp(sigjmp_buf buffer, int value) {
  jumping(buffer);
  REAL(siglongjmp)(buffer, value);
  __builtin_unreachable();
}

/* ---- fork ---- */

/* Set while our own fork() runs: forks that libc makes itself (daemon, forkpty) are seen only by the handler below. */
static __thread struct {
  bool ours;
  uint32_t number;
  uint64_t seq;
} forking __attribute__((tls_model("initial-exec")));
static struct pl_guard fork_guard;

static void fork_prepare(void) { fork_guard = pl_lock(); }
static void fork_parent(void) { pl_unlock(fork_guard); }
static void fork_child(void) {
  struct pl_guard guard = fork_guard;
  /* First of all child handlers, for none may run hooks on the parent's stream. */
  if (forking.ours)
    pl_forked(forking.number, forking.seq);
  else
    pl_forked(pl_process_take(), pl_seq_take());
  forking.ours = false;
  pl_unlock(guard);
  pl_dispatch_forked();
}

void pl_process_start(void) {
  pthread_atfork(fork_prepare, fork_parent, fork_child);
  /* From here the heap grows. */
  struct pl_context *c = pl_context_get();
  if (c) pl_broke(c, (uint64_t)PL_SYS1(SYS_brk, 0));
}

/* Announced before the call: the child starts from all that its parent had done. Where the call fails, no process with
 * this number appears. */
static void announce_fork(struct pl_context *c) {
  forking.number = pl_process_take();
  forking.seq = pl_seq_take();
  pl_event(c, PL_EVENT_FORK, forking.seq, forking.number, 0, 0, 0);
}

PL_EXPORT pid_t fork(void) {
  struct pl_context *c = pl_recording();
  if (!c) return REAL(fork)();
  announce_fork(c);
  forking.ours = true;
  pid_t pid = REAL(fork)();
  forking.ours = false;
  /* It is made under the lock, where nothing traps. */
  if (pid != 0 && pl_context_peek() == c) pl_called(c, SYS_clone, pid > 0 ? pid : -(long)errno, 0);
  return pid;
}

long pl_fork_by(long number, const long *arguments) {
  struct pl_context *c = pl_context_get();
  if (c) announce_fork(c);
  forking.ours = c != NULL;
  fork_prepare();
  long pid = PL_SYS6(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  if (pid == 0)
    fork_child();
  else
    fork_parent();
  forking.ours = false;
  return pid;
}

/* A child that shares its parent's memory would write the parent's streams: it gets its own memory instead. */
PL_EXPORT pid_t vfork(void) { return fork(); }

PL_EXPORT __attribute__((noreturn)) void _exit(int status) {
  pl_release();
  REAL(_exit)(status);
  __builtin_unreachable();
}
PL_EXPORT __attribute__((noreturn)) void _Exit(int status) { _exit(status); }

/* ---- exec: the new image joins the run through its environment ---- */

extern char **environ;

static uint64_t strings(char *const *list) {
  uint64_t count = 0;
  while (list && list[count]) count++;
  return count;
}

#define RUN_VARIABLE "PAGELENS_RUN="

static bool has_run(char *const *environment) {
  for (; environment && *environment; environment++)
    if (pl_starts_with(*environment, RUN_VARIABLE)) return true;
  return false;
}

/* `environment`, with the run added when the program gave one without. `room` takes 1100 + 8 * (strings + 2) bytes. */
static char *const *with_run(char *const *environment, char *room) {
  if (!pl_start() || has_run(environment)) return environment;
  char *variable = room;
  pl_copy(variable, RUN_VARIABLE, sizeof RUN_VARIABLE - 1);
  pl_copy(variable + sizeof RUN_VARIABLE - 1, pl_directory(), pl_length(pl_directory()) + 1);
  char **list = (char **)(room + 1104);
  uint64_t count = strings(environment);
  for (uint64_t i = 0; i < count; i++) list[i] = environment[i];
  list[count] = variable;
  list[count + 1] = NULL;
  return list;
}
#define WITH_RUN(environment) with_run(environment, alloca(1104 + 8 * (strings(environment) + 2)))

static struct pl_context *leaving(void) {
  struct pl_context *c = pl_recording();
  if (!c) return NULL;
  pl_called(c, SYS_execve, 0, 0);
  pl_event(c, PL_EVENT_EXEC, pl_seq_take(), 0, 0, 0, 0);
  c = pl_context_peek();
  if (c) __atomic_store_n(&c->ctl.state, PL_STATE_ENDED, __ATOMIC_SEQ_CST);
  return c;
}

/* Exec returned: it failed, and the stream goes on. */
static int stayed(struct pl_context *c, int result) {
  if (c) {
    __atomic_store_n(&c->ctl.state, PL_STATE_RUNNING, __ATOMIC_SEQ_CST);
    pl_stamp(c, pl_seq_take());
  }
  return result;
}

PL_EXPORT int execve(const char *path, char *const *arguments, char *const *environment) {
  char *const *with = WITH_RUN(environment);
  PL_NATIVE();
  struct pl_context *c = leaving();
  return stayed(c, REAL(execve)(path, arguments, with));
}
PL_EXPORT int execvpe(const char *file, char *const *arguments, char *const *environment) {
  char *const *with = WITH_RUN(environment);
  PL_NATIVE();
  struct pl_context *c = leaving();
  return stayed(c, REAL(execvpe)(file, arguments, with));
}
PL_EXPORT int fexecve(int fd, char *const *arguments, char *const *environment) {
  char *const *with = WITH_RUN(environment);
  PL_NATIVE();
  struct pl_context *c = leaving();
  return stayed(c, REAL(fexecve)(fd, arguments, with));
}
PL_EXPORT int execv(const char *path, char *const *arguments) { return execve(path, arguments, environ); }
PL_EXPORT int execvp(const char *file, char *const *arguments) { return execvpe(file, arguments, environ); }

/* The list forms: arguments up to NULL, then the environment for execle. */
#define COLLECT(first) \
  uint64_t count = 1; \
  va_list list; \
  va_start(list, first); \
  while (va_arg(list, char *)) count++; \
  va_end(list); \
  char **arguments = alloca((count + 1) * sizeof *arguments); \
  va_start(list, first); \
  arguments[0] = (char *)first; \
  for (uint64_t i = 1; i <= count; i++) arguments[i] = va_arg(list, char *);

PL_EXPORT int execl(const char *path, const char *first, ...) {
  COLLECT(first)
  va_end(list);
  return execve(path, arguments, environ);
}
PL_EXPORT int execlp(const char *file, const char *first, ...) {
  COLLECT(first)
  va_end(list);
  return execvpe(file, arguments, environ);
}
PL_EXPORT int execle(const char *path, const char *first, ...) {
  COLLECT(first)
  char *const *environment = va_arg(list, char *const *);
  va_end(list);
  return execve(path, arguments, environment);
}

/* ---- spawning: libc's child shares memory but runs none of the program's code, so that no fork is recorded ---- */

#define SPAWN(name) \
  PL_EXPORT int name(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, \
                     const posix_spawnattr_t *attributes, char *const *arguments, char *const *environment) { \
    char *const *with = WITH_RUN(environment); \
    pl_release(); \
    return REAL(name)(pid, file, actions, attributes, arguments, with); \
  }
SPAWN(posix_spawn)
SPAWN(posix_spawnp)

/* These wait for the child inside libc. */
PL_EXPORT int system(const char *command) {
  struct pl_context *waiting = pl_block();
  int result = REAL(system)(command);
  int saved = errno;
  pl_unblock(waiting);
  errno = saved;
  return result;
}
PL_EXPORT int pclose(FILE *file) {
  struct pl_context *waiting = pl_block();
  int result = REAL(pclose)(file);
  int saved = errno;
  pl_unblock(waiting);
  errno = saved;
  return result;
}

/* ---- loading: code stays, so that its program counters keep their meaning ---- */

/* A jump, not a call: libc searches by the RUNPATH of the module that its return address lies in. What was loaded is
 * announced when it is next looked for (pl_modules_refresh). */
PL_EXPORT void *dlopen(const char *path, int flags) {
  pl_modules_dynamic();
  return REAL(dlopen)(path, flags | (path ? RTLD_NODELETE : 0));
}
