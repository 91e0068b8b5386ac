/*
 * The run directory: joining it, one stream per thread, chunks, numbered sites, the meta file.
 *
 * Nothing here allocates through the program's malloc or touches errno, and everything works in a signal handler, in a
 * new thread and before libc's constructors. Streams lie in shared file mappings, so there is nothing to flush.
 */
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct pl_context pl_inert;
__thread struct pl_context *pl_current __attribute__((tls_model("initial-exec"))) = &pl_inert;
/* This thread records nothing any more: its stream ended or was lost, or it is being made. */
static __thread bool silent __attribute__((tls_model("initial-exec")));

struct pl_run *pl_run;
uint32_t pl_process = UINT32_MAX;
bool pl_traps;
int pl_meta_fd = -1;

static char directory[1024];
static enum { FRESH, STARTING, READY, OFF } phase;

extern char **environ;

/* ---- small tools ---- */

static inline bool failed(long result) { return (unsigned long)result > -4096ul; }

static char *decimal(char *out, uint64_t number) {
  char digits[24];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count > 0) *out++ = digits[--count];
  return out;
}

/* "<directory>/<letter><number><suffix>" */
static void path_of(char *path, char letter, uint64_t number, const char *suffix) {
  char *out = path;
  for (const char *in = directory; *in; in++) *out++ = *in;
  *out++ = '/';
  *out++ = letter;
  out = decimal(out, number);
  while ((*out++ = *suffix++)) {
  }
}

static int open_new(const char *path) {
  return (int)PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
}

static void *map(void *at, uint64_t bytes, int flags, int fd) {
  long result = PL_SYS6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return failed(result) ? NULL : (void *)result;
}

/* PL_LOST_* of a system call on a file that failed. */
static uint32_t lost_for(long result) {
  return result == -ENOSPC || result == -EDQUOT ? PL_LOST_DISK : PL_LOST_FILE;
}

/* Allocates the file's blocks now, so that a full disk is an error here and not a SIGBUS later. 0, or -errno. */
static long reserve(int fd, uint64_t bytes) {
  long result;
  do result = PL_SYS4(SYS_fallocate, fd, 0, 0, bytes);
  while (result == -EINTR);
  if (result != -EOPNOTSUPP && result != -ENOSYS) return result;
  static const char zeros[PL_PAGE];
  for (uint64_t at = 0; at < bytes; at += PL_PAGE) {
    result = PL_SYS4(SYS_pwrite64, fd, zeros, PL_PAGE, at);
    if (result != PL_PAGE) return failed(result) ? result : -ENOSPC;
  }
  return 0;
}

/* ---- the lock ---- */

static uint32_t lock_word;

struct pl_guard pl_lock(void) {
  /* With signals blocked none may trap: dl_iterate_phdr and fork are called under the lock. */
  struct pl_guard guard = {.native = pl_native_begin()};
  uint64_t all = ~0ull;
  PL_SYS4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, &guard.signals, 8);
  uint32_t expected = 0;
  if (!__atomic_compare_exchange_n(&lock_word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_ACQUIRE) != 0)
      PL_SYS4(SYS_futex, &lock_word, FUTEX_WAIT_PRIVATE, 2, 0);
  }
  return guard;
}

void pl_unlock(struct pl_guard guard) {
  if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_RELEASE) == 2)
    PL_SYS3(SYS_futex, &lock_word, FUTEX_WAKE_PRIVATE, 1);
  PL_SYS4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &guard.signals, 0, 8);
  pl_native_end(&guard.native);
}

/* ---- the meta file ---- */

/* Says that something is missing, in a page that is there however full the disk is. */
static uint32_t note_lost(uint32_t reason) {
  __atomic_or_fetch(&pl_run->lost, 1ull << reason, __ATOMIC_RELAXED);
  return reason;
}

uint32_t pl_meta(uint32_t type, const struct pl_part *parts, int count) {
  /* One write, so that a record is whole or absent. Long paths and many segments fit. */
  static struct {
    uint32_t type, length;
    char payload[8192 + 8];
  } record;
  char *out = record.payload;
  uint64_t length = 0;
  for (int i = 0; i < count; i++) {
    uint64_t part = parts[i].length;
    if (length + part > 8192) part = 8192 - length;
    pl_copy(out + length, parts[i].bytes, part);
    length += part;
  }
  record.type = type;
  record.length = (uint32_t)length;
  while (length & 7) out[length++] = 0;
  for (int attempt = 0; attempt < 2; attempt++) {
    if (pl_meta_fd < 0) {
      char path[1100];
      path_of(path, 'p', pl_process, ".meta");
      long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (failed(fd)) return note_lost(lost_for(fd));
      /* Out of the way of programs that count on low numbers. */
      long high = PL_SYS3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 700);
      if (failed(high)) high = PL_SYS3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100);
      if (!failed(high)) {
        PL_SYS1(SYS_close, fd);
        fd = high;
      }
      pl_meta_fd = (int)fd;
    }
    long written;
    do written = PL_SYS3(SYS_write, pl_meta_fd, &record, length + 8);
    while (written == -EINTR);
    if (written == (long)length + 8) return 0;
    if (written != -EBADF) {
      /* What fitted of the record would spoil those behind it. */
      long end = written > 0 ? PL_SYS3(SYS_lseek, pl_meta_fd, 0, SEEK_CUR) : 0;
      if (end > 0) PL_SYS2(SYS_ftruncate, pl_meta_fd, end - written);
      return note_lost(written > 0 ? PL_LOST_DISK : lost_for(written));
    }
    pl_meta_fd = -1;
  }
  return note_lost(PL_LOST_FILE);
}

void pl_warn(const char *text) {
  if (!pl_start()) return;
  struct pl_guard guard = pl_lock();
  struct pl_part part = {text, pl_length(text)};
  pl_meta(PL_META_WARNING, &part, 1);
  pl_unlock(guard);
}

/* ---- sites and names, numbered for the process ---- */

static struct numbered {
  uint64_t key, function;
  uint32_t number, used;
} * numbered;
static uint64_t numbered_capacity;
static uint32_t site_count;

static struct numbered *numbered_slot(struct numbered *table, uint64_t capacity, uint64_t key, uint64_t function) {
  uint64_t at = ((key ^ function * 31) * 0x9e3779b97f4a7c15ull) >> 20;
  for (;; at++) {
    struct numbered *slot = &table[at & (capacity - 1)];
    if (!slot->used || (slot->key == key && slot->function == function)) return slot;
  }
}

static bool numbered_grow(void) {
  uint64_t capacity = numbered_capacity ? numbered_capacity * 2 : 1 << 14;
  struct numbered *table = map(NULL, capacity * sizeof *table, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!table) return false;
  for (uint64_t i = 0; i < numbered_capacity; i++)
    if (numbered[i].used) *numbered_slot(table, capacity, numbered[i].key, numbered[i].function) = numbered[i];
  if (numbered) PL_SYS2(SYS_munmap, numbered, numbered_capacity * sizeof *numbered);
  numbered = table;
  numbered_capacity = capacity;
  return true;
}

uint32_t pl_site_number(uint64_t pc, uint32_t kind, uint64_t function, uint32_t *lost) {
  struct pl_guard guard = pl_lock();
  uint32_t number = UINT32_MAX;
  if ((uint64_t)site_count * 2 < numbered_capacity || numbered_grow()) {
    struct numbered *slot = numbered_slot(numbered, numbered_capacity, pc << 8 | kind, function);
    if (!slot->used) {
      /* The code that runs after loading a module is new as a rule. */
      pl_modules_refresh_locked();
      struct {
        uint32_t number, kind;
        uint64_t pc;
        uint32_t module, zero;
      } site = {site_count, kind, pc, pl_module_of_locked(pc), 0};
      struct pl_part part = {&site, sizeof site};
      uint32_t failure = pl_meta(PL_META_SITE, &part, 1);
      if (failure) {
        *lost = failure;
        pl_unlock(guard);
        return UINT32_MAX;
      }
      *slot = (struct numbered){pc << 8 | kind, function, site_count++, 1};
      /* An access hook is always called, never jumped to, so its pc lies in the code that it is about. */
      uint32_t site_class = kind & PL_CLASS_MASK;
      if (site_class <= PL_WRITE)
        pl_module_instrumented_locked(pc);
      else if (site_class == PL_ENTRY)
        pl_module_instrumented_locked(function);
    }
    number = slot->number;
  }
  pl_unlock(guard);
  return number;
}

#define FILENAMES 256
static uint64_t filename_hashes[FILENAMES];
static uint32_t filename_count;

uint32_t pl_filename(const char *path) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char *p = path; *p; p++) hash = (hash ^ (uint8_t)*p) * 0x100000001b3ull;
  struct pl_guard guard = pl_lock();
  uint32_t index = 0;
  uint32_t known = filename_count < FILENAMES ? filename_count : FILENAMES;
  while (index < known && filename_hashes[index] != hash) index++;
  if (index == known) {
    /* Beyond the table every mapping gets a new number: correct, only longer. */
    index = filename_count++;
    if (index < FILENAMES) filename_hashes[index] = hash;
    uint32_t head[2] = {index, (uint32_t)pl_length(path)};
    struct pl_part parts[2] = {{head, sizeof head}, {path, head[1]}};
    pl_meta(PL_META_FILENAME, parts, 2);
  }
  pl_unlock(guard);
  return index;
}

/* ---- the owner of the run ---- */

static uint64_t number_at(const char *text) {
  uint64_t value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
  return value;
}

/* The number of the process's namespace of process ids, from a link "pid:[4026531836]". */
static uint64_t own_namespace(void) {
  char link[64];
  long length = PL_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", link, sizeof link - 1);
  if (failed(length)) return 0;
  link[length] = 0;
  return pl_starts_with(link, "pid:[") ? number_at(link + 5) : 0;
}

static bool owner_runs(void) {
  char path[48] = "/proc/", stat[512];
  pl_copy(decimal(path + 6, pl_run->owner_pid), "/stat", 6);
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (failed(fd)) return fd != -ENOENT;
  long length = PL_SYS3(SYS_read, fd, stat, sizeof stat - 1);
  PL_SYS1(SYS_close, fd);
  if (length <= 0) return false;
  stat[length] = 0;
  /* "pid (name) state ...": the name may hold anything. The start is the 20th field from the state. */
  char *at = stat + length;
  while (at > stat && *at != ')') at--;
  if (at[0] != ')' || at[1] != ' ') return true;
  at += 2;
  if (*at == 'Z' || *at == 'X') return false;
  for (int field = 0; field < 19 && *at; field++) {
    while (*at && *at != ' ') at++;
    if (*at) at++;
  }
  return number_at(at) == pl_run->owner_start;
}

/* Between two looks at the owner, in seconds. */
#define OWNER_SECONDS 1
static bool watching;
static uint64_t next_look;

static uint64_t seconds(void) {
  struct timespec now = {0, 0};
  PL_SYS2(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &now);
  return (uint64_t)now.tv_sec;
}

static void watch_owner(void) {
  watching = pl_run->owner_pid != 0 && pl_run->owner_namespace == own_namespace() && owner_runs();
}

/* A recorder that was killed cannot say that nobody drains any more. */
static void look_for_owner(void) {
  uint64_t now = seconds();
  if (now < __atomic_load_n(&next_look, __ATOMIC_RELAXED)) return;
  __atomic_store_n(&next_look, now + OWNER_SECONDS, __ATOMIC_RELAXED);
  if (!owner_runs()) __atomic_store_n(&pl_run->stop, 1, __ATOMIC_RELAXED);
}

/* ---- joining the run ---- */

static void announce_process(uint32_t parent, uint64_t fork_seq) {
  char exe[4096];
  long length = PL_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe);
  if (failed(length)) length = 0;
  struct {
    uint32_t process, pid, parent, flags;
    uint64_t fork_seq;
  } process = {pl_process, (uint32_t)PL_SYS0(SYS_getpid), parent, pl_traps ? PL_PROCESS_TRAPS : 0, fork_seq};
  struct pl_part parts[2] = {{&process, sizeof process}, {exe, (uint64_t)length}};
  pl_meta(PL_META_PROCESS, parts, 2);
}

static const char *run_variable(void) {
  for (char **entry = environ; *entry; entry++)
    if (pl_starts_with(*entry, "PAGELENS_RUN=")) return *entry + 13;
  return NULL;
}

static bool join(void) {
  const char *name = run_variable();
  if (!name || !*name || pl_length(name) >= sizeof directory) return false;
  pl_copy(directory, name, pl_length(name) + 1);
  char path[1100];
  pl_copy(path, name, pl_length(name));
  pl_copy(path + pl_length(name), "/run", 5);
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (failed(fd)) return false;
  pl_run = map(NULL, PL_PAGE, MAP_SHARED, (int)fd);
  PL_SYS1(SYS_close, fd);
  if (!pl_run || !pl_starts_with(pl_run->magic, "PLRUN001") || pl_run->stop) return false;
  watch_owner();
  pl_process = pl_process_take();
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

uint64_t pl_seq_take(void) { return __atomic_fetch_add(&pl_run->next_seq, 1, __ATOMIC_SEQ_CST); }

bool pl_stop_asked(void) {
  if (watching) look_for_owner();
  return __atomic_load_n(&pl_run->stop, __ATOMIC_RELAXED) != 0;
}

/* ---- contexts ---- */

#define SITES_MAX 196608u
#define FRAMES_BYTES ((PL_DEPTH_MAX + 2) * sizeof(struct pl_frame))
#define SITES_BYTES (SITES_MAX * sizeof(struct pl_site))
#define TRAP_STACK_BYTES (64u << 10)
#define CONTEXT_BYTES (sizeof(struct pl_context) + FRAMES_BYTES + SITES_BYTES + TRAP_STACK_BYTES)

/* Bounds of the stack that this frame lies on: its mapping, down to the limit to which the kernel would grow it. */
static void stack_bounds(struct pl_context *c) {
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

#ifdef PAGELENS_VERIFY
#define RAW_CHUNK (4u << 20)
static bool raw_grow(struct pl_context *c) {
  char path[1100];
  path_of(path, 's', c->stream, ".raw");
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (failed(fd)) return false;
  PL_SYS2(SYS_ftruncate, fd, c->raw_bytes + RAW_CHUNK);
  long at = PL_SYS6(SYS_mmap, 0, RAW_CHUNK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, c->raw_bytes);
  PL_SYS1(SYS_close, fd);
  if (failed(at)) return false;
  if (c->raw) PL_SYS2(SYS_munmap, (char *)c->raw_end - RAW_CHUNK, RAW_CHUNK);
  c->raw = (uint64_t *)at;
  c->raw_end = (uint64_t *)(at + RAW_CHUNK);
  c->raw_bytes += RAW_CHUNK;
  return true;
}

/* 64 bytes an entry, its first word last, so that a killed program leaves no half entry. */
void pl_raw(struct pl_context *c, uint64_t word, uint64_t a, uint64_t b, uint64_t c_, uint64_t d, uint64_t e) {
  if (!c || (c->raw == c->raw_end && !raw_grow(c))) return;
  uint64_t *raw = c->raw;
  raw[1] = a, raw[2] = b, raw[3] = c_, raw[4] = d, raw[5] = e;
  __asm__ volatile("" ::: "memory");
  *(volatile uint64_t *)raw = word;
  __asm__ volatile("" ::: "memory");
  c->raw = raw + 8;
}
#endif

/* The file of a chunk, which `ending` says to be free or not. */
static void chunk_path(char *path, const struct pl_context *c, uint64_t number, const char *ending) {
  char suffix[40] = ".";
  pl_copy(decimal(suffix + 1, number), ending, pl_length(ending) + 1);
  path_of(path, 's', c->stream, suffix);
}

static void keep(struct pl_context *c) {
  if (!c->chunk) return;
  if (c->kept_count == PL_KEPT_CHUNKS) {
    PL_SYS2(SYS_munmap, c->kept[0].at, PL_CHUNK_BYTES);
    c->kept_count--;
    for (uint32_t i = 0; i < c->kept_count; i++) c->kept[i] = c->kept[i + 1];
  }
  c->kept[c->kept_count].at = c->chunk;
  c->kept[c->kept_count++].number = c->chunk_number - 1;
  c->chunk = NULL;
}

/* A chunk that the drain has done with, as the one with this path; null when there is none. */
static uint8_t *reuse(struct pl_context *c, const char *path) {
  char free_path[1100];
  for (uint32_t i = 0; i < c->kept_count; i++) {
    chunk_path(free_path, c, c->kept[i].number, ".free");
    if (PL_SYS4(SYS_renameat, AT_FDCWD, free_path, AT_FDCWD, path) != 0) continue;
    uint8_t *chunk = c->kept[i].at;
    c->kept_count--;
    for (; i < c->kept_count; i++) c->kept[i] = c->kept[i + 1];
    return chunk;
  }
  return NULL;
}

/* Null when that fails, for the reason `lost`. */
static uint8_t *make_chunk(const char *path, uint32_t *lost) {
  int fd = open_new(path);
  if (fd < 0) return *lost = lost_for(fd), NULL;
  long result = reserve(fd, PL_CHUNK_BYTES);
  uint8_t *chunk = result == 0 ? map(NULL, PL_CHUNK_BYTES, MAP_SHARED | MAP_POPULATE, fd) : NULL;
  PL_SYS1(SYS_close, fd);
  if (!chunk) *lost = lost_for(result);
  if (!chunk) PL_SYS3(SYS_unlinkat, AT_FDCWD, path, 0);
  return chunk;
}

static bool next_chunk(struct pl_context *c) {
  if (pl_stop_asked()) return pl_lost(c, PL_LOST_STOPPED), false;
  uint64_t used = __atomic_add_fetch(&pl_run->used_bytes, PL_CHUNK_BYTES, __ATOMIC_RELAXED);
  if (pl_run->max_bytes != 0 && used > pl_run->max_bytes) return pl_lost(c, PL_LOST_LIMIT), false;
  char path[1100];
  chunk_path(path, c, c->chunk_number, "");
  keep(c);
  uint8_t *chunk = reuse(c, path);
  uint32_t lost;
  if (!chunk) chunk = make_chunk(path, &lost);
  if (!chunk) return pl_lost(c, lost), false;
  c->chunk = chunk;
  c->chunk_number++;
  c->out = chunk;
  c->limit = chunk + PL_CHUNK_BYTES - PL_RECORD_MAX;
  return true;
}

bool pl_room(struct pl_context *c) {
  if (c->chunk) {
    uint8_t *end = c->chunk + PL_CHUNK_BYTES;
    uint64_t pad = (uint64_t)(end - c->out);
    for (uint64_t i = 0; i < pad; i++) c->out[i] = PL_SPECIAL(PL_SPECIAL_PAD);
    int other = c->ctl.held[0].bytes == c->ctl.committed;
    c->ctl.held[other].bytes = c->ctl.committed + pad;
    c->ctl.held[other].steps = c->held_steps;
    __asm__ volatile("" ::: "memory");
    *(volatile uint64_t *)&c->ctl.committed += pad;
    c->out = end;
  }
  return next_chunk(c);
}

static struct pl_context *context_make(uint32_t signal, struct pl_context *of) {
  struct pl_context *c = map(NULL, CONTEXT_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
  if (!c) return NULL;
  c->stream = __atomic_fetch_add(&pl_run->next_stream, 1, __ATOMIC_RELAXED);
  c->tid = of ? of->tid : (uint64_t)PL_SYS0(SYS_gettid);
  c->signal = signal;
  c->interrupted = of;

  struct pl_ctl ctl = {.magic = "PLSTR001", .process = pl_process, .tid = c->tid, .chunk_bytes = PL_CHUNK_BYTES,
                       .state = PL_STATE_RUNNING, .last_seq = __atomic_load_n(&pl_run->next_seq, __ATOMIC_SEQ_CST) - 1};
  char path[1100];
  path_of(path, 's', c->stream, ".ctl");
  int fd = open_new(path);
  long result = fd < 0 ? fd : reserve(fd, PL_PAGE);
  bool made = result == 0 && PL_SYS4(SYS_pwrite64, fd, &ctl, sizeof ctl, 0) == sizeof ctl &&
              map(c, PL_PAGE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd);
  if (fd >= 0) PL_SYS1(SYS_close, fd);
  c->frames = (struct pl_frame *)(c + 1);
  c->sites = (struct pl_site *)((char *)c->frames + FRAMES_BYTES);
  c->site_limit = SITES_MAX;
  c->trap_stack = (void *)((uintptr_t)((char *)c->sites + SITES_BYTES + TRAP_STACK_BYTES) & -64ul);
  pl_predictor_start(c);

  struct pl_guard guard = pl_lock();
  uint32_t thread[4] = {(uint32_t)c->stream, (uint32_t)c->tid, signal != 0, 0};
  struct pl_part part = {thread, sizeof thread};
  pl_meta(PL_META_THREAD, &part, 1);
  if (!made) {
    uint32_t lost[2] = {(uint32_t)c->stream, note_lost(lost_for(result))};
    part = (struct pl_part){lost, sizeof lost};
    pl_meta(PL_META_LOST, &part, 1);
  }
  pl_unlock(guard);
  if (!made || !next_chunk(c)) {
    PL_SYS2(SYS_munmap, c, CONTEXT_BYTES);
    return NULL;
  }
  if (of) {
    c->stack_low = of->stack_low;
    c->stack_high = of->stack_high;
  } else {
    stack_bounds(c);
  }
  return c;
}

struct pl_context *pl_context_get(void) {
  struct pl_context *c = pl_current;
  if (PL_LIKELY(c != &pl_inert)) return c;
  if (silent || !pl_start()) return NULL;
  silent = true;
  c = context_make(0, NULL);
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
    struct pl_context *handler = context_make(c->signal + 1, c);
    if (!handler) return NULL;
    c->handler = handler;
    pl_event(handler, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
  }
  return c->handler;
}

static void context_close(struct pl_context *c) {
  *(volatile uint64_t *)&c->ctl.state = PL_STATE_ENDED;
  if (c->chunk) PL_SYS2(SYS_munmap, c->chunk, PL_CHUNK_BYTES);
  for (uint32_t i = 0; i < c->kept_count; i++) PL_SYS2(SYS_munmap, c->kept[i].at, PL_CHUNK_BYTES);
#ifdef PAGELENS_VERIFY
  if (c->raw) PL_SYS2(SYS_munmap, (char *)c->raw_end - RAW_CHUNK, RAW_CHUNK);
#endif
  PL_SYS2(SYS_munmap, c, CONTEXT_BYTES);
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
    context_close(c);
  }
}

void pl_lost(struct pl_context *c, uint32_t reason) {
  note_lost(reason);
  /* The memory stays: an interrupted hook of this thread may still hold pointers into it. */
  struct pl_guard guard = pl_lock();
  uint32_t lost[2] = {(uint32_t)c->stream, reason};
  struct pl_part part = {lost, sizeof lost};
  pl_meta(PL_META_LOST, &part, 1);
  pl_unlock(guard);
  *(volatile uint64_t *)&c->ctl.state = PL_STATE_ENDED;
  pl_dispatch_stop();
  pl_current = &pl_inert;
  silent = true;
}

uint32_t pl_generation;

const char *pl_directory(void) { return directory; }

uint32_t pl_process_take(void) { return (uint32_t)__atomic_fetch_add(&pl_run->next_process, 1, __ATOMIC_RELAXED); }

/* Gives a context private pages where it shared files: an interrupted hook may yet write to them, to no effect. */
static void make_private(struct pl_context *c) {
  map(c, PL_PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
  if (c->chunk) map(c->chunk, PL_CHUNK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
#ifdef PAGELENS_VERIFY
  if (c->raw) map((char *)c->raw_end - RAW_CHUNK, RAW_CHUNK, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
#endif
}

void pl_context_abandon(struct pl_context *c) {
  *(volatile uint64_t *)&c->ctl.state = PL_STATE_ENDED;
  for (struct pl_context *next; c; c = next) {
    next = c->handler;
    context_close(c);
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
    for (struct pl_context *h = c->handler; h; h = h->handler) make_private(h);
    for (; c; c = c->interrupted) make_private(c);
  }
  PL_SYS1(SYS_close, pl_meta_fd);
  pl_meta_fd = -1;
  pl_process = number;
  for (uint64_t i = 0; i < numbered_capacity; i++) numbered[i].used = 0;
  site_count = 0;
  filename_count = 0;
  struct pl_guard guard = pl_lock();
  announce_process(parent, seq);
  pl_modules_forget();
  pl_modules_scan_locked();
  pl_unlock(guard);
}
