/*
 * Sites for recorders that translate code: a site's number is known where its steps are, so that its state is found by an
 * offset from the context, and no program counter is looked up or compared (state.h does that for hooks).
 */
#ifndef PAGELENS_NUMBERED_H
#define PAGELENS_NUMBERED_H

#include "streams.h"

#pragma GCC visibility push(hidden)

/* Number of a site; UINT32_MAX, and the current thread's stream is lost, when there are too many. `ordinal` (0 to 255)
 * tells apart what one instruction does several times. */
uint32_t pl_numbered(uint64_t pc, uint32_t kind, uint32_t ordinal);
/* The state of a site in one stream. */
struct pl_site *pl_numbered_in(struct pl_context *c, uint32_t number);
/* Numbers in translated code stay valid in the child of a fork: announces all again. */
void pl_numbered_again(void);
/* An access that was not predicted, or not by a site that has state. */
void pl_numbered_miss(struct pl_context *c, uint64_t offset, uint64_t address);

#pragma GCC visibility pop

/* A site's state lies at this offset of every context. */
PL_INLINE uint64_t pl_offset_of(uint32_t number) { return PL_SITES_OFFSET + ((uint64_t)number + 1) * sizeof(struct pl_site); }
PL_INLINE uint32_t pl_number_at(uint64_t offset) {
  return (uint32_t)((offset - PL_SITES_OFFSET) / sizeof(struct pl_site) - 1);
}
PL_INLINE struct pl_site *pl_site_at(struct pl_context *c, uint64_t offset) {
  return (struct pl_site *)((char *)c + offset);
}

/* Records an access at the site with this offset. Behind the inert context nothing is predicted. */
PL_INLINE void pl_numbered_access(uint64_t offset, uint64_t address) {
  struct pl_context *c = pl_current;
  if (PL_UNLIKELY(c->ctl.off != 0)) {
    pl_skip(c, 1);
    return;
  }
  struct pl_site *s = pl_site_at(c, offset);
  /* Only a site that has had a step is anybody's successor, and has a base. */
  if (PL_LIKELY(*c->slot == s && *s->base + (uint64_t)s->delta == address)) {
    s->last = address;
    c->slot = &s->next;
    pl_count(c);
    return;
  }
  pl_numbered_miss(c, offset, address);
}

#endif
