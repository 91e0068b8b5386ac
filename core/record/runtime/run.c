/*
 * Joining the run, and the stream of each thread: what streams.c asks of a runtime that lives in the program's process.
 *
 * Like everything there this allocates nothing through the program's malloc, leaves errno alone, and works in a signal
 * handler, in a new thread and before libc's constructors.
 */
#include "real.h"
#include "lock.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct pl_context pl_inert;
__thread struct pl_context *pl_current __attribute__((tls_model("initial-exec"))) = &pl_inert;
/* This thread records nothing any more: its stream ended or was lost, or it is being made. */
static __thread bool silent __attribute__((tls_model("initial-exec")));

bool pl_traps;

static enum { FRESH, STARTING, READY, OFF } phase;

extern char **environ;

static inline bool failed(long result) { return (unsigned long)result > -4096ul; }

/* ---- memory ---- */

void *pl_map(void *at, uint64_t bytes, int flags, int fd) {
  long result = PL_SYS6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return failed(result) ? NULL : (void *)result;
}

void pl_unmap(void *at, uint64_t bytes) { PL_SYS2(SYS_munmap, at, bytes); }

/* ---- the lock ---- */

static uint32_t lock_word;

struct pl_guard pl_lock(void) {
  /* With signals blocked none may trap: dl_iterate_phdr and fork are called under the lock. */
  struct pl_guard guard = {.native = pl_native_begin()};
  guard.signals = pl_word_lock(&lock_word);
  return guard;
}

void pl_unlock(struct pl_guard guard) {
  pl_word_unlock(&lock_word, guard.signals);
  pl_native_end(&guard.native);
}

/* ---- joining the run ---- */

/* Value of an environment variable; `assignment` is its name and `=`. */
static const char *variable(const char *assignment) {
  for (char **entry = environ; *entry; entry++)
    if (pl_starts_with(*entry, assignment)) return *entry + pl_length(assignment);
  return NULL;
}

/* By the variables of Open MPI, PMIx, PMI (MPICH and others) and Slurm. */
static uint32_t rank_flags(void) {
  static const char *const names[] = {"OMPI_COMM_WORLD_RANK=", "PMIX_RANK=", "PMI_RANK=", "SLURM_PROCID="};
  for (uint32_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = variable(names[i]);
    if (!value) continue;
    uint32_t rank = 0, digits = 0;
    for (; value[digits] >= '0' && value[digits] <= '9' && digits < 7; digits++) rank = rank * 10 + (uint32_t)(value[digits] - '0');
    if (digits > 0 && value[digits] == 0) return PL_PROCESS_RANK | rank << PL_RANK_SHIFT;
  }
  return 0;
}

static void announce_process(uint32_t parent, uint64_t fork_seq) {
  char exe[4096];
  long length = PL_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
  exe[length > 0 ? length : 0] = 0;
  pl_announce_process(parent, fork_seq, (pl_traps ? PL_PROCESS_TRAPS : 0) | rank_flags(), exe);
}

static bool join(void) {
  const char *name = variable("PAGELENS_RUN=");
  if (!name || !pl_join(name)) return false;
  pl_traps = pl_dispatch_possible();
  struct pl_guard guard = pl_lock();
  announce_process(UINT32_MAX, 0);
  pl_modules_scan_locked();
  pl_unlock(guard);
  return true;
}

bool pl_start(void) {
  if (PL_LIKELY(phase == READY)) return true;
  /* Before libc has set it there is no environment to look in: not yet is not never. */
  if (phase != FRESH || !environ) return false;
  phase = STARTING;
  phase = join() ? READY : OFF;
  return phase == READY;
}

static void __attribute__((constructor(101))) start(void) {
  if (!pl_start()) return;
  pl_context_get();
  pl_process_start();
}

static void __attribute__((destructor)) finish(void) {
  if (phase == READY) pl_modules_refresh();
}

void pl_warn(const char *text) {
  if (!pl_start()) return;
  struct pl_guard guard = pl_lock();
  struct pl_part part = {text, pl_length(text)};
  pl_meta(PL_META_WARNING, &part, 1);
  pl_unlock(guard);
}

/* Bounds of the stack that this frame lies on: its mapping, down to the limit to which the kernel would grow it. */
void pl_stack_bounds(struct pl_context *c) {
  uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
  c->stack_low = here & -4096ul;
  c->stack_high = (here & -4096ul) + 4096;
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (failed(fd)) return;
  char buffer[1024];
  uint64_t bounds[2] = {0, 0};
  int field = 0;
  bool initial = false, found = false, ended = false;
  long length;
  while (!ended && (length = PL_SYS3(SYS_read, fd, buffer, sizeof buffer)) > 0) {
    for (long i = 0; i < length && !ended; i++) {
      char ch = buffer[i];
      if (field < 2) {
        int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
        if (digit >= 0)
          bounds[field] = bounds[field] << 4 | (unsigned)digit;
        else
          found = ++field == 2 && bounds[0] <= here && here < bounds[1];
      }
      if (ch == '[' && found) initial = true;
      if (ch == '\n') {
        ended = found;
        if (!ended) bounds[0] = bounds[1] = 0, field = 0;
      }
    }
  }
  PL_SYS1(SYS_close, fd);
  if (!found) return;
  c->stack_low = bounds[0];
  c->stack_high = bounds[1];
  if (initial) {
    struct rlimit limit;
    uint64_t size = 8ull << 20;
    if (PL_SYS4(SYS_prlimit64, 0, RLIMIT_STACK, 0, &limit) == 0 && limit.rlim_cur < 1ull << 30) size = limit.rlim_cur;
    if (c->stack_high - size < c->stack_low) c->stack_low = (c->stack_high - size) & -4096ul;
  } else {
    /* The thread's control block ends its stack; a neighbouring mapping may have merged with it. */
    uint64_t top = ((uint64_t)(uintptr_t)pthread_self() + 2 * 4096) & -4096ul;
    if (here < top && top < c->stack_high) c->stack_high = top;
  }
}

struct pl_context *pl_context_get(void) {
  struct pl_context *c = pl_current;
  if (PL_LIKELY(c != &pl_inert)) return c;
  if (silent || !pl_start()) return NULL;
  silent = true;
  c = pl_context_make(0, NULL);
  if (!c) return NULL;
  pl_current = c;
  silent = false;
  pl_dispatch_start();
  pl_event(c, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
  return pl_current == &pl_inert ? NULL : c;
}

struct pl_context *pl_context_peek(void) { return pl_current == &pl_inert ? NULL : pl_current; }

struct pl_context *pl_context_for_handler(struct pl_context *c) {
  if (!c->handler) {
    struct pl_context *handler = pl_context_make(c->signal + 1, c);
    if (!handler) return NULL;
    c->handler = handler;
    pl_event(handler, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
  }
  return c->handler;
}

void pl_context_end(void) {
  struct pl_context *c = pl_current;
  if (c == &pl_inert) return;
  pl_event(c, PL_EVENT_THREAD_EXIT, pl_seq_take(), 0, 0, 0, 0);
  if (pl_current == &pl_inert) return;
  pl_dispatch_stop();
  pl_current = &pl_inert;
  silent = true;
  for (struct pl_context *next; c; c = next) {
    next = c->handler;
    pl_context_close(c);
  }
}

void pl_silence(struct pl_context *c) {
  (void)c;
  pl_dispatch_stop();
  pl_current = &pl_inert;
  silent = true;
}

uint32_t pl_generation;

void pl_context_abandon(struct pl_context *c) {
  *(volatile uint64_t *)&c->ctl.state = PL_STATE_ENDED;
  for (struct pl_context *next; c; c = next) {
    next = c->handler;
    pl_context_close(c);
  }
  pl_current = &pl_inert;
}

void pl_forked(uint32_t number, uint64_t seq) {
  uint32_t parent = pl_process;
  struct pl_context *c = pl_current;
  lock_word = 0;
  pl_generation++;
  pl_current = &pl_inert;
  silent = false;
  if (c != &pl_inert) {
    for (struct pl_context *h = c->handler; h; h = h->handler) pl_context_make_private(h);
    for (; c; c = c->interrupted) pl_context_make_private(c);
  }
  pl_become(number);
  struct pl_guard guard = pl_lock();
  announce_process(parent, seq);
  pl_modules_forget();
  pl_modules_scan_locked();
  pl_unlock(guard);
}
