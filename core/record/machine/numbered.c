/* Sites by number, for recorders that translate code. */
#include "numbered.h"

#include <sys/mman.h>

/* What each number stands for. */
struct known {
  uint64_t pc, tag;
  uint32_t kind;
};
static struct known *known;
static uint32_t known_count;

/* Nothing before the first step, and no step, is at this place: an empty slot for the inert context. */
static struct pl_site *nothing;
struct pl_context pl_inert = {.slot = &nothing};

/* Tells apart sites of one pc and kind: those of one instruction, and those of modules that lay there in turn. */
static uint64_t tag_of(uint64_t pc, uint32_t ordinal) {
  struct pl_guard guard = pl_lock();
  uint64_t module = pl_module_find_locked(pc);
  pl_unlock(guard);
  return (uint32_t)(module + 1) << 8 | ordinal;
}

/* Several threads may number one site at a time: they write the same. */
static bool note(uint32_t number, uint64_t pc, uint32_t kind, uint64_t tag) {
  if (number + 1 >= PL_SITES_MAX) return false;
  if (!known) {
    struct pl_guard guard = pl_lock();
    if (!known) known = pl_map(NULL, PL_SITES_MAX * sizeof *known, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    pl_unlock(guard);
    if (!known) return false;
  }
  known[number] = (struct known){pc, tag, kind};
  uint32_t count = __atomic_load_n(&known_count, __ATOMIC_RELAXED);
  while (count <= number && !__atomic_compare_exchange_n(&known_count, &count, number + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
  }
  return true;
}

uint32_t pl_numbered(uint64_t pc, uint32_t kind, uint32_t ordinal) {
  uint64_t tag = tag_of(pc, ordinal);
  uint32_t lost = PL_LOST_MEMORY;
  uint32_t number = pl_site_number(pc, kind, tag, &lost);
  if (number != UINT32_MAX && note(number, pc, kind, tag)) return number;
  struct pl_context *c = pl_context_peek();
  if (c) pl_lost(c, lost);
  return UINT32_MAX;
}

struct pl_site *pl_numbered_in(struct pl_context *c, uint32_t number) {
  struct pl_site *s = &c->sites[number + 1];
  if (s->key) return s;
  const struct known *site = &known[number];
  s->key = site->pc << 8 | site->kind;
  s->number = number;
  s->base = s->alternate_base = &s->last;
  for (int i = 0; i < PL_EARLIER; i++) s->earlier[i] = &s->last;
  /* The site of the call is numbered before that of the entry. */
  if (site->kind == PL_ENTRY) s->length = (uint64_t)(uintptr_t)pl_site_find(c, site->pc, PL_CALL, 0);
  return s;
}

struct pl_site *pl_site_find(struct pl_context *c, uint64_t pc, uint32_t kind, uint64_t function) {
  uint32_t number = pl_numbered(pc, kind, (uint32_t)function);
  return number == UINT32_MAX ? NULL : pl_numbered_in(c, number);
}

void pl_numbered_again(void) {
  for (uint32_t i = 0; i < known_count; i++) {
    uint32_t lost;
    if (pl_site_number(known[i].pc, known[i].kind, known[i].tag, &lost) == UINT32_MAX) break;
  }
}

void pl_numbered_miss(struct pl_context *c, uint64_t offset, uint64_t address) {
  if (c == &pl_inert) return;
  struct pl_site *s = pl_numbered_in(c, pl_number_at(offset));
  pl_miss(c, s, s->key >> 8, address, s->key & 0xff);
}

uint32_t pl_site_module_locked(uint64_t pc) { return pl_module_find_locked(pc); }

void pl_site_announced_locked(uint64_t pc, uint32_t kind, uint64_t function) { (void)pc, (void)kind, (void)function; }
