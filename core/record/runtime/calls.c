/*
 * What a trapped system call leaves in the stream: its number and result, the bytes that it relayed, the buffer that the
 * kernel filled, and how it changed the address space.
 */
#include "calls.h"
#include "sys.h"

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>

enum {
  QUICK = 1, /* does not wait */
  MOVES = 2, /* its result is a number of bytes relayed */
  FILLS_RESULT = 4, /* the kernel wrote so many bytes to the buffer */
  FILLS_FIXED = 8, /* it wrote `bytes` when it succeeded */
  FILLS_VECTOR = 16, /* the buffer is a list of parts, its length the next argument */
};

#define IN(argument) {MOVES | FILLS_RESULT, argument, 0}
#define OUT {MOVES, 0, 0}
#define FIXED(argument, bytes) {QUICK | FILLS_FIXED, argument, bytes}
#define PLAIN {QUICK, 0, 0}

/* By number; those that are not here may wait and fill nothing that is known. */
static const struct effect {
  uint8_t flags;
  uint8_t buffer;
  uint16_t bytes;
} effects[] = {
    [SYS_read] = IN(1),
    [SYS_pread64] = IN(1),
    [SYS_readv] = {MOVES | FILLS_VECTOR, 1, 0},
    [SYS_preadv] = {MOVES | FILLS_VECTOR, 1, 0},
    [SYS_preadv2] = {MOVES | FILLS_VECTOR, 1, 0},
    [SYS_recvfrom] = IN(1),
    [SYS_getrandom] = IN(0),
    [SYS_getdents64] = {QUICK | MOVES | FILLS_RESULT, 1, 0},
    [SYS_readlink] = {QUICK | MOVES | FILLS_RESULT, 1, 0},
    [SYS_readlinkat] = {QUICK | MOVES | FILLS_RESULT, 2, 0},
    [SYS_getcwd] = {QUICK | FILLS_RESULT, 0, 0},
    [SYS_write] = OUT,
    [SYS_pwrite64] = OUT,
    [SYS_writev] = OUT,
    [SYS_pwritev] = OUT,
    [SYS_pwritev2] = OUT,
    [SYS_sendto] = OUT,
    [SYS_sendmsg] = OUT,
    [SYS_sendfile] = OUT,
    [SYS_splice] = OUT,
    [SYS_copy_file_range] = OUT,
    [SYS_recvmsg] = OUT,
    [SYS_stat] = FIXED(1, sizeof(struct stat)),
    [SYS_fstat] = FIXED(1, sizeof(struct stat)),
    [SYS_lstat] = FIXED(1, sizeof(struct stat)),
    [SYS_newfstatat] = FIXED(2, sizeof(struct stat)),
    [SYS_pipe] = FIXED(0, 2 * sizeof(int)),
    [SYS_pipe2] = FIXED(0, 2 * sizeof(int)),
    [SYS_getrusage] = FIXED(1, sizeof(struct rusage)),
    [SYS_getrlimit] = FIXED(1, sizeof(struct rlimit)),
    [SYS_prlimit64] = FIXED(3, sizeof(struct rlimit)),
    [SYS_uname] = FIXED(0, sizeof(struct utsname)),
    [SYS_times] = FIXED(0, sizeof(struct tms)),
    [SYS_sysinfo] = FIXED(0, sizeof(struct sysinfo)),
    [SYS_mmap] = PLAIN,
    [SYS_munmap] = PLAIN,
    [SYS_mremap] = PLAIN,
    [SYS_mprotect] = PLAIN,
    [SYS_madvise] = PLAIN,
    [SYS_brk] = PLAIN,
    [SYS_lseek] = PLAIN,
    [SYS_access] = PLAIN,
    [SYS_getpid] = PLAIN,
    [SYS_getppid] = PLAIN,
    [SYS_gettid] = PLAIN,
    [SYS_getuid] = PLAIN,
    [SYS_geteuid] = PLAIN,
    [SYS_getgid] = PLAIN,
    [SYS_getegid] = PLAIN,
    [SYS_clock_gettime] = PLAIN,
    [SYS_gettimeofday] = PLAIN,
    [SYS_sched_getaffinity] = PLAIN,
    [SYS_dup] = PLAIN,
    [SYS_dup2] = PLAIN,
    [SYS_umask] = PLAIN,
    [SYS_rt_sigaction] = PLAIN,
    [SYS_rt_sigpending] = PLAIN,
    [SYS_set_robust_list] = PLAIN,
    [SYS_fork] = PLAIN,
    [SYS_vfork] = PLAIN,
    [SYS_clone] = PLAIN,
    [SYS_clone3] = PLAIN,
};

static struct effect effect_of(long number) {
  if (number < 0 || (unsigned long)number >= sizeof effects / sizeof effects[0]) return (struct effect){0, 0, 0};
  return effects[number];
}

bool pl_call_waits(long number) { return !(effect_of(number).flags & QUICK); }

/* A futex that only wakes others does not wait for them. */
static bool waits(const struct pl_call *call) {
  if (call->number != SYS_futex) return pl_call_waits(call->number);
  long operation = call->arguments[1] & FUTEX_CMD_MASK;
  return operation != FUTEX_WAKE && operation != FUTEX_REQUEUE && operation != FUTEX_CMP_REQUEUE && operation != FUTEX_WAKE_OP;
}

void pl_call_before(struct pl_call *call) {
  struct pl_context *c = call->context;
  if (call->number == SYS_munmap && !call->loader) {
    /* Before the call, like a free: another thread may be given the pages at once. */
    bool slept = pl_wake(c);
    pl_unmapping(c, (uint64_t)call->arguments[0], (uint64_t)call->arguments[1]);
    if (slept) pl_sleep(c);
  }
  call->waiting = c->blocked == 0 && waits(call) ? pl_block_in(c) : NULL;
}

static void map_changed(struct pl_context *c, const struct pl_call *call) {
  const long *a = call->arguments;
  uint64_t at = (uint64_t)call->result;
  switch (call->number) {
    case SYS_mmap:
      /* Only reserved: an arena of malloc that may grow, a stack (which is told by its thread). */
      if (a[2] == PROT_NONE) break;
      pl_mapped(c, at, (uint64_t)a[1], (int)a[3], (int)a[4], call->pc);
      break;
    case SYS_mremap:
      pl_remapped(c, (uint64_t)a[0], (uint64_t)a[1], at, (uint64_t)a[2]);
      break;
    case SYS_brk:
      /* Refused, the kernel answers with where the break was; a question asks for 0. */
      if (call->result == a[0]) pl_broke(c, at);
      break;
  }
}

static void record(struct pl_context *c, const struct pl_call *call) {
  struct effect effect = effect_of(call->number);
  bool done = (unsigned long)call->result < -4095ul;
  uint64_t result = (uint64_t)call->result;
  pl_called(c, call->number, call->result, done && effect.flags & MOVES ? result : 0);
  if (!done) return;
  const void *buffer = (const void *)call->arguments[effect.buffer];
  if (effect.flags & FILLS_VECTOR)
    pl_filled_vector(c, buffer, (int)call->arguments[effect.buffer + 1], call->result);
  else if (effect.flags & (FILLS_FIXED | FILLS_RESULT))
    pl_filled(c, buffer, effect.flags & FILLS_FIXED ? effect.bytes : result);
  /* What the loader maps are modules, which are announced with their segments. */
  if (!call->loader) map_changed(c, call);
}

void pl_call_after(struct pl_call *call) {
  if (call->waiting) pl_unblock(call->waiting);
  /* A handler that interrupted the call may have ended the stream. */
  struct pl_context *c = call->context;
  if (pl_context_peek() != c) return;
  bool slept = pl_wake(c);
  record(c, call);
  if (slept) pl_sleep(c);
}
