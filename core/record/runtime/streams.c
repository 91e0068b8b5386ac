/*
 * The run directory: one stream per thread, its chunks, the numbered sites, the meta file, the owner who drains.
 *
 * Shared by every recorder that writes streams: the runtime that programs are linked with, the Valgrind tool and the QEMU
 * plug-in, which supply the functions that streams.h names. So it needs no library, not even libc: nothing here
 * allocates or touches errno, and everything works in a signal handler, in a new thread and before libc's constructors.
 * Streams lie in shared file mappings, so there is nothing to flush.
 */
#include "streams.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

struct pl_run *pl_run;
uint32_t pl_process = UINT32_MAX;

static char directory[1024];
int pl_meta_fd = -1;

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
  struct numbered *table = pl_map(NULL, capacity * sizeof *table, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (!table) return false;
  for (uint64_t i = 0; i < numbered_capacity; i++)
    if (numbered[i].used) *numbered_slot(table, capacity, numbered[i].key, numbered[i].function) = numbered[i];
  if (numbered) pl_unmap(numbered, numbered_capacity * sizeof *numbered);
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
      struct {
        uint32_t number, kind;
        uint64_t pc;
        uint32_t module, zero;
      } site = {site_count, kind, pc, pl_site_module_locked(pc), 0};
      struct pl_part part = {&site, sizeof site};
      uint32_t failure = pl_meta(PL_META_SITE, &part, 1);
      if (failure) {
        *lost = failure;
        pl_unlock(guard);
        return UINT32_MAX;
      }
      *slot = (struct numbered){pc << 8 | kind, function, site_count++, 1};
      pl_site_announced_locked(pc, kind, function);
    }
    number = slot->number;
  }
  pl_unlock(guard);
  return number;
}

#define NAMES 256
/* Names of one kind, by their hashes. */
struct names {
  uint32_t meta, count;
  uint64_t hashes[NAMES];
};
static struct names filenames = {.meta = PL_META_FILENAME}, mark_names = {.meta = PL_META_MARK_NAME};

static uint32_t name_number(struct names *names, const char *text, uint64_t length) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (uint64_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3ull;
  struct pl_guard guard = pl_lock();
  uint32_t index = 0;
  uint32_t known = names->count < NAMES ? names->count : NAMES;
  while (index < known && names->hashes[index] != hash) index++;
  if (index == known) {
    /* Beyond the table every use of a name gets a new number: correct, only longer. */
    index = names->count++;
    if (index < NAMES) names->hashes[index] = hash;
    uint32_t head[2] = {index, (uint32_t)length};
    struct pl_part parts[2] = {{head, sizeof head}, {text, length}};
    pl_meta(names->meta, parts, 2);
  }
  pl_unlock(guard);
  return index;
}

uint32_t pl_filename(const char *path) { return name_number(&filenames, path, pl_length(path)); }

uint32_t pl_mark_name(const char *name) {
  uint64_t length = 0;
  while (length < PL_MARK_NAME_MAX && name[length]) length++;
  return name_number(&mark_names, name, length);
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

bool pl_join(const char *run_directory) {
  uint64_t length = pl_length(run_directory);
  if (length == 0 || length >= sizeof directory) return false;
  pl_copy(directory, run_directory, length + 1);
  char path[1100];
  pl_copy(path, run_directory, length);
  pl_copy(path + length, "/run", 5);
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (failed(fd)) return false;
  pl_run = pl_map(NULL, PL_PAGE, MAP_SHARED, (int)fd);
  PL_SYS1(SYS_close, fd);
  if (!pl_run || !pl_starts_with(pl_run->magic, "PLRUN001") || pl_run->stop) return false;
  watch_owner();
  pl_watch_start();
  pl_process = pl_process_take();
  return true;
}

void pl_announce_process(uint32_t parent, uint64_t fork_seq, uint32_t flags, const char *path) {
  struct {
    uint32_t process, pid, parent, flags;
    uint64_t fork_seq;
  } process = {pl_process, (uint32_t)PL_SYS0(SYS_getpid), parent, flags, fork_seq};
  struct pl_part parts[2] = {{&process, sizeof process}, {path, pl_length(path)}};
  pl_meta(PL_META_PROCESS, parts, 2);
}

void pl_become(uint32_t number) {
  PL_SYS1(SYS_close, pl_meta_fd);
  pl_meta_fd = -1;
  pl_process = number;
  for (uint64_t i = 0; i < numbered_capacity; i++) numbered[i].used = 0;
  site_count = 0;
  filenames.count = mark_names.count = 0;
  pl_window_forget();
}

const char *pl_directory(void) { return directory; }

uint32_t pl_process_take(void) { return (uint32_t)__atomic_fetch_add(&pl_run->next_process, 1, __ATOMIC_RELAXED); }

uint64_t pl_seq_take(void) { return __atomic_fetch_add(&pl_run->next_seq, 1, __ATOMIC_SEQ_CST); }

bool pl_stop_asked(void) {
  if (watching) look_for_owner();
  return __atomic_load_n(&pl_run->stop, __ATOMIC_RELAXED) != 0;
}

/* ---- contexts ---- */

#define SITES_BYTES (PL_SITES_MAX * sizeof(struct pl_site))
#define TRAP_STACK_BYTES (64u << 10)
#define CONTEXT_BYTES (PL_SITES_OFFSET + SITES_BYTES + TRAP_STACK_BYTES)

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
  if (c->raw) pl_unmap((char *)c->raw_end - RAW_CHUNK, RAW_CHUNK);
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
    pl_unmap(c->kept[0].at, PL_CHUNK_BYTES);
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
  uint8_t *chunk = result == 0 ? pl_map(NULL, PL_CHUNK_BYTES, MAP_SHARED | MAP_POPULATE, fd) : NULL;
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

static void forget(struct pl_context *c) {
  struct pl_guard guard = pl_lock();
  pl_window_remove_locked(c);
  pl_unlock(guard);
}

struct pl_context *pl_context_make(uint32_t signal, struct pl_context *of) {
  struct pl_context *c = pl_map(NULL, CONTEXT_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
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
              pl_map(c, PL_PAGE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd);
  if (fd >= 0) PL_SYS1(SYS_close, fd);
  c->frames = (struct pl_frame *)(c + 1);
  c->sites = (struct pl_site *)((char *)c + PL_SITES_OFFSET);
  c->site_limit = PL_SITES_MAX;
  c->trap_stack = (void *)((uintptr_t)((char *)c->sites + SITES_BYTES + TRAP_STACK_BYTES) & -64ul);
  pl_predictor_start(c);

  struct pl_guard guard = pl_lock();
  uint32_t thread[4] = {(uint32_t)c->stream, (uint32_t)c->tid, signal != 0, 0};
  struct pl_part part = {thread, sizeof thread};
  pl_meta(PL_META_THREAD, &part, 1);
  if (made) pl_window_add_locked(c);
  if (!made) {
    uint32_t lost[2] = {(uint32_t)c->stream, note_lost(lost_for(result))};
    part = (struct pl_part){lost, sizeof lost};
    pl_meta(PL_META_LOST, &part, 1);
  }
  pl_unlock(guard);
  if (!made || !next_chunk(c)) {
    forget(c);
    pl_unmap(c, CONTEXT_BYTES);
    return NULL;
  }
  if (of) {
    c->stack_low = of->stack_low;
    c->stack_high = of->stack_high;
  } else {
    pl_stack_bounds(c);
  }
  return c;
}

void pl_context_close(struct pl_context *c) {
  forget(c);
  *(volatile uint64_t *)&c->ctl.state = PL_STATE_ENDED;
  if (c->chunk) pl_unmap(c->chunk, PL_CHUNK_BYTES);
  for (uint32_t i = 0; i < c->kept_count; i++) pl_unmap(c->kept[i].at, PL_CHUNK_BYTES);
#ifdef PAGELENS_VERIFY
  if (c->raw) pl_unmap((char *)c->raw_end - RAW_CHUNK, RAW_CHUNK);
#endif
  pl_unmap(c, CONTEXT_BYTES);
}

/* Gives a context private pages where it shared files: an interrupted hook may yet write to them, to no effect. */
void pl_context_make_private(struct pl_context *c) {
  pl_map(c, PL_PAGE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
  if (c->chunk) pl_map(c->chunk, PL_CHUNK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
#ifdef PAGELENS_VERIFY
  if (c->raw) pl_map((char *)c->raw_end - RAW_CHUNK, RAW_CHUNK, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1);
#endif
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
  pl_silence(c);
}
