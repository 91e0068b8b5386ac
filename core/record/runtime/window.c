/*
 * Windows of recording: outside of them accesses are counted, not recorded. Calls, allocations, mappings and threads are
 * recorded all the same, so that whatever is alive when a window opens has its name.
 *
 * One word of the run says whether the window is open. Who changes it tells the threads of its own process at once; those
 * of other processes, and all when the driver does, look at it now and then.
 */
#include "streams.h"
#include "sys.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>

/* ---- bursts ----
 *
 * Burst tracing (Hirzel and Chilimbi, "Bursty Tracing: A Framework for Low-Overhead Temporal Profiling", FDDO-4, 2001):
 * stretches of accesses are recorded whole. Ours is stratified: a burst lies at a random place of a stretch that is
 * `burst_skip` + 1 times as long as itself, so that no rhythm of the program can fall in with it. The places are the same
 * in every run.
 */

#define WHOLE (1ull << 32)

/* 0 to below WHOLE (xorshift64*). */
static uint64_t random_share(struct pl_context *c) {
  c->burst_random ^= c->burst_random >> 12;
  c->burst_random ^= c->burst_random << 25;
  c->burst_random ^= c->burst_random >> 27;
  return (c->burst_random * 0x2545f4914f6cdd1dull) >> 32;
}

static uint64_t share_of(uint64_t share, uint64_t value) { return (uint64_t)((unsigned __int128)value * share >> 32); }

static void burst_begin(struct pl_context *c) {
  c->ctl.off &= ~(uint64_t)PL_OFF_BURST;
  c->ctl.bursts++;
  c->burst_count = c->ctl.count;
  c->burst_accesses = c->ctl.count + (uint64_t)c->ctl.adjust;
}

void pl_burst_end(struct pl_context *c) {
  if (PL_LIKELY(pl_run->burst_steps == 0) || c->ctl.off != 0) return;
  /* Looked at every PL_STAMP_STEPS: at the time that is nearest. */
  if (c->ctl.count - c->burst_count + PL_STAMP_STEPS / 2 < pl_run->burst_steps) return;
  /* The next stretch is taken to be as long as this one. */
  uint64_t skip = (c->ctl.count + (uint64_t)c->ctl.adjust - c->burst_accesses) * pl_run->burst_skip;
  uint64_t share = random_share(c);
  c->burst_at = c->ctl.skipped + share_of(c->burst_rest, skip) + share_of(share, skip);
  c->burst_rest = WHOLE - share;
  c->ctl.skip_until = c->ctl.skipped;
  c->ctl.off |= PL_OFF_BURST;
}

/* ---- the window ---- */

/* Skipped accesses between two looks; at every 16th the thread says that it is alive. */
#define LOOK 4096

static struct pl_context *contexts;

void pl_window_add_locked(struct pl_context *c) {
  c->other = contexts;
  contexts = c;
  c->ctl.off = pl_run->closed ? PL_OFF_WINDOW : 0;
  if (pl_run->burst_steps == 0) return;
  c->ctl.off |= PL_OFF_BURST;
  c->burst_random = (c->stream + 1) * 0x9e3779b97f4a7c15ull;
  c->burst_rest = random_share(c);
  c->burst_at = share_of(c->burst_rest, pl_run->burst_steps * pl_run->burst_skip);
  c->burst_rest = WHOLE - c->burst_rest;
}

void pl_window_remove_locked(struct pl_context *c) {
  for (struct pl_context **at = &contexts; *at; at = &(*at)->other) {
    if (*at != c) continue;
    *at = c->other;
    return;
  }
}

void pl_window_forget(void) { contexts = NULL; }

static void follow(void) {
  struct pl_guard guard = pl_lock();
  bool closed = __atomic_load_n(&pl_run->closed, __ATOMIC_RELAXED) != 0;
  for (struct pl_context *c = contexts; c; c = c->other) {
    uint64_t rest = __atomic_load_n(&c->ctl.off, __ATOMIC_RELAXED) & ~(uint64_t)PL_OFF_WINDOW;
    __atomic_store_n(&c->ctl.off, rest | (closed ? PL_OFF_WINDOW : 0), __ATOMIC_RELAXED);
  }
  pl_unlock(guard);
}

void pl_window_follow(struct pl_context *c) {
  bool closed = __atomic_load_n(&pl_run->closed, __ATOMIC_RELAXED) != 0;
  if (closed != ((c->ctl.off & PL_OFF_WINDOW) != 0)) follow();
}

void pl_window(bool open) {
  /* Bursts stand for the whole run. */
  if (pl_run->burst_steps != 0) return;
  if (__atomic_exchange_n(&pl_run->closed, !open, __ATOMIC_SEQ_CST) == !open) return;
  if (open) __atomic_fetch_add(&pl_run->windows, 1, __ATOMIC_RELAXED);
  follow();
}

void pl_look(struct pl_context *c) {
  uint64_t before = c->ctl.skip_until;
  c->ctl.skip_until = c->ctl.skipped + LOOK;
  if (c->ctl.off & PL_OFF_BURST) {
    if (c->ctl.skipped >= c->burst_at)
      burst_begin(c);
    else if (c->burst_at < c->ctl.skip_until)
      c->ctl.skip_until = c->burst_at;
  }
  pl_window_follow(c);
  if (before / (16 * LOOK) != c->ctl.skip_until / (16 * LOOK)) pl_tick(c);
}

void pl_window_enter(struct pl_context *c, uint32_t watched, uint64_t sp) {
  if (watched == PL_WATCH_STOP) {
    pl_window(false);
  } else if (watched == PL_WATCH_START) {
    pl_window(true);
  } else if (c->window_sp == 0) {
    /* Both: the outermost call of a recursion holds it open. */
    c->window_sp = sp;
    pl_window(true);
  }
}

void pl_window_leave(struct pl_context *c) {
  c->window_sp = 0;
  pl_window(false);
}

/* ---- the functions ---- */

/* Names as in the file `watch`, ended by zeros. */
static char text[8192];
static struct {
  const char *name;
  uint32_t watch;
} names[64];
static uint32_t name_count;

static struct {
  uint64_t low, high;
  uint32_t watch;
} functions[256];
static uint32_t function_count;

static bool same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static void add_name(char *name, uint32_t watch) {
  for (uint32_t i = 0; i < name_count; i++) {
    if (!same(names[i].name, name)) continue;
    names[i].watch |= watch;
    return;
  }
  if (name_count == sizeof names / sizeof names[0]) return;
  names[name_count].name = name;
  names[name_count++].watch = watch;
}

void pl_watch_start(void) {
  char path[1100];
  uint64_t length = pl_length(pl_directory());
  pl_copy(path, pl_directory(), length);
  pl_copy(path + length, "/watch", 7);
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  long bytes = PL_SYS3(SYS_read, fd, text, sizeof text - 1);
  PL_SYS1(SYS_close, fd);
  for (char *line = text; bytes > 0 && line < text + bytes;) {
    char *end = line;
    while (end < text + bytes && *end != '\n') end++;
    *end = 0;
    if (pl_starts_with(line, "start ")) add_name(line + 6, PL_WATCH_START);
    if (pl_starts_with(line, "stop ")) add_name(line + 5, PL_WATCH_STOP);
    line = end + 1;
  }
}

uint32_t pl_watched_name(const char *name) {
  for (uint32_t i = 0; i < name_count; i++)
    if (same(names[i].name, name)) return names[i].watch;
  return 0;
}

uint32_t pl_watched(uint64_t pc) {
  uint32_t count = __atomic_load_n(&function_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (pc - functions[i].low < functions[i].high - functions[i].low) return functions[i].watch;
  return 0;
}

uint32_t pl_watched_entry(uint64_t address) {
  uint32_t count = __atomic_load_n(&function_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (address == functions[i].low) return functions[i].watch;
  return 0;
}

static void add_function(uint64_t low, uint64_t size, uint32_t watch) {
  uint32_t count = function_count;
  for (uint32_t i = 0; i < count; i++)
    if (functions[i].low == low) return;
  if (count == sizeof functions / sizeof functions[0]) return;
  functions[count].low = low;
  functions[count].high = low + (size ? size : 1);
  functions[count].watch = watch;
  __atomic_store_n(&function_count, count + 1, __ATOMIC_RELEASE);
}

/* The part [offset, offset + size) of a file of `length` bytes; NULL when it is none. */
static const void *part(const uint8_t *file, uint64_t length, uint64_t offset, uint64_t size) {
  return offset <= length && size <= length - offset ? file + offset : NULL;
}

static void search(uint64_t base, const uint8_t *file, uint64_t length) {
  const Elf64_Ehdr *head = part(file, length, 0, sizeof *head);
  if (!head || !pl_starts_with((const char *)file, ELFMAG) || head->e_shentsize != sizeof(Elf64_Shdr)) return;
  const Elf64_Shdr *sections = part(file, length, head->e_shoff, (uint64_t)head->e_shnum * sizeof *sections);
  if (!sections) return;
  for (uint32_t i = 0; i < head->e_shnum; i++) {
    const Elf64_Shdr *table = &sections[i];
    if ((table->sh_type != SHT_SYMTAB && table->sh_type != SHT_DYNSYM) || table->sh_link >= head->e_shnum) continue;
    const Elf64_Shdr *strings = &sections[table->sh_link];
    const Elf64_Sym *symbols = part(file, length, table->sh_offset, table->sh_size);
    const char *texts = part(file, length, strings->sh_offset, strings->sh_size);
    if (!symbols || !texts || strings->sh_size == 0 || texts[strings->sh_size - 1] != 0) continue;
    for (uint64_t s = 0; s < table->sh_size / sizeof *symbols; s++) {
      if (ELF64_ST_TYPE(symbols[s].st_info) != STT_FUNC || symbols[s].st_shndx == SHN_UNDEF) continue;
      if (symbols[s].st_name >= strings->sh_size) continue;
      uint32_t watch = pl_watched_name(texts + symbols[s].st_name);
      if (watch) add_function(base + symbols[s].st_value, symbols[s].st_size, watch);
    }
  }
}

void pl_watch_module_locked(uint64_t base, const char *path) {
  if (name_count == 0) return;
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  long length = PL_SYS3(SYS_lseek, fd, 0, SEEK_END);
  const uint8_t *file = length > 0 ? pl_map(NULL, (uint64_t)length, MAP_PRIVATE, (int)fd) : NULL;
  PL_SYS1(SYS_close, fd);
  if (!file) return;
  search(base, file, (uint64_t)length);
  pl_unmap((void *)(uintptr_t)file, (uint64_t)length);
}
