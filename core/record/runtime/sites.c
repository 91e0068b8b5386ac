/* A stream's sites where hooks know no more of one than its program counter: found by hashing that. */
#include "streams.h"

struct pl_site *pl_site_find(struct pl_context *c, uint64_t pc, uint32_t kind, uint64_t function) {
  uint64_t key = pc << 8 | kind;
  uint32_t at = pl_hash(pc + function, kind);
  for (;; at = (at + 1) & (PL_INDEX_ENTRIES - 1)) {
    uint32_t offset = c->index[at];
    if (offset == 0) break;
    struct pl_site *s = (struct pl_site *)((char *)c + offset);
    if (s->key == key && (kind != PL_ENTRY || s->last == function)) return s;
  }
  struct pl_site *call = NULL;
  if (kind == PL_ENTRY) {
    /* The site of the call comes first, so that the decoder can find it when it meets the entry. */
    call = pl_site_find(c, pc, PL_CALL, 0);
    if (!call) return NULL;
    while (c->index[at] != 0) at = (at + 1) & (PL_INDEX_ENTRIES - 1);
  }
  uint32_t lost = PL_LOST_MEMORY;
  uint32_t number = pl_site_number(pc, kind, function, &lost);
  if (number == UINT32_MAX || c->site_count == c->site_limit) {
    pl_lost(c, lost);
    return NULL;
  }
  struct pl_site *s = &c->sites[c->site_count++];
  s->key = key;
  s->number = number;
  s->base = s->alternate_base = &s->last;
  for (int i = 0; i < PL_EARLIER; i++) s->earlier[i] = &s->last;
  if (kind == PL_ENTRY) {
    s->last = function;
    s->length = (uint64_t)(uintptr_t)call;
  }
  c->index[at] = (uint32_t)((char *)s - (char *)c);
  return s;
}
