/* Sites by number. See tool.h for the licence. */
#include "pub_tool_basics.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_mallocfree.h"

#include "tool.h"

/* What each number stands for. `tag`: see tag_of. */
static struct known {
  ULong pc, tag;
  UInt kind;
} * known;
static UInt known_count, known_room;

/* Tells apart sites of one pc and kind: those of one instruction, and those of modules that lay there in turn. */
static ULong tag_of(Addr pc, UInt ordinal) { return (ULong)(pl_module_find_locked(pc) + 1) << 8 | ordinal; }

static UInt numbered(ULong pc, UInt kind, ULong tag, UInt *lost) {
  UInt number = pl_site_number(pc, kind, tag, lost);
  if (number == UINT32_MAX) return number;
  if (number + 1 >= PL_SITES_MAX) {
    *lost = PL_LOST_MEMORY;
    return UINT32_MAX;
  }
  if (number == known_count) {
    if (known_count == known_room) {
      known_room = known_room ? known_room * 2 : 1 << 14;
      known = VG_(realloc)("pagelens.sites", known, known_room * sizeof *known);
    }
    known[known_count++] = (struct known){pc, tag, kind};
  }
  return number;
}

UInt plt_site(Addr pc, UInt kind, UInt ordinal) {
  UInt lost = PL_LOST_MEMORY;
  UInt number = numbered(pc, kind, tag_of(pc, ordinal), &lost);
  struct pl_context *c = pl_context_peek();
  if (number == UINT32_MAX && c) pl_lost(c, lost);
  return number;
}

/* Fills in the state of a site in one stream, at its first step there. */
struct pl_site *plt_site_in(struct pl_context *c, UInt number) {
  struct pl_site *s = &c->sites[number + 1];
  if (s->key) return s;
  const struct known *site = &known[number];
  s->key = site->pc << 8 | site->kind;
  s->number = number;
  s->base = s->alternate_base = &s->last;
  for (Int i = 0; i < PL_EARLIER; i++) s->earlier[i] = &s->last;
  if (site->kind == PL_ENTRY) {
    /* Translation numbers the site of the call before that of the entry. */
    struct pl_site *call = pl_site_find(c, site->pc, PL_CALL, 0);
    s->length = (ULong)(UWord)call;
  }
  return s;
}

struct pl_site *pl_site_find(struct pl_context *c, uint64_t pc, uint32_t kind, uint64_t function) {
  UInt lost = PL_LOST_MEMORY;
  UInt number = numbered(pc, kind, tag_of(pc, function), &lost);
  if (number == UINT32_MAX) {
    pl_lost(c, lost);
    return NULL;
  }
  return plt_site_in(c, number);
}

uint32_t pl_site_module_locked(uint64_t pc) { return pl_module_find_locked(pc); }

void pl_site_announced_locked(uint64_t pc, uint32_t kind, uint64_t function) { (void)pc, (void)kind, (void)function; }

void plt_sites_again(void) {
  for (UInt i = 0; i < known_count; i++) {
    UInt lost;
    if (pl_site_number(known[i].pc, known[i].kind, known[i].tag, &lost) == UINT32_MAX) break;
  }
}
