/*
 * What translated code calls at each step. See tool.h for the licence.
 *
 * A site's number is part of the code, so its state is found by adding an offset to the context: unlike the hooks'
 * (state.h) no program counter is looked up or compared.
 */
#include "pub_tool_basics.h"

#include "tool.h"

static inline struct pl_site *site_at(struct pl_context *c, UWord offset) {
  return (struct pl_site *)((char *)c + offset);
}

/* Nothing is predicted behind the inert context, so that whatever is not recorded comes here. */
static __attribute__((noinline)) struct pl_site *missed(struct pl_context *c, UWord offset) {
  if (c == &pl_inert) return NULL;
  return plt_site_in(c, (UInt)((offset - PL_SITES_OFFSET) / sizeof(struct pl_site) - 1));
}

static inline Bool predicted(struct pl_context *c, const struct pl_site *s, Addr address) {
  /* Only a site that has had a step is anybody's successor, and has a base. */
  return *c->slot == s && *s->base + (ULong)s->delta == address;
}

static inline void hit(struct pl_context *c, struct pl_site *s) {
  c->slot = &s->next;
  pl_count(c);
}

VG_REGPARM(2) void plt_access(UWord offset, Addr address) {
  struct pl_context *c = pl_current;
  struct pl_site *s = site_at(c, offset);
  if (PL_LIKELY(predicted(c, s, address))) {
    s->last = address;
    hit(c, s);
    return;
  }
  s = missed(c, offset);
  if (s) pl_miss(c, s, s->key >> 8, address, s->key & 0xff);
}

VG_REGPARM(3) void plt_range(UWord offset, Addr address, UWord length) {
  struct pl_context *c = pl_current;
  struct pl_site *s = missed(c, offset);
  if (s) pl_miss_range(c, s, s->key >> 8, address, s->key & 0xff, length);
}

VG_REGPARM(2) void plt_call(UWord offset, Addr sp) {
  struct pl_context *c = pl_current;
  struct pl_site *s = site_at(c, offset);
  struct pl_frame *top = c->top;
  if (PL_LIKELY(*c->slot == s) && PL_LIKELY(sp < top->sp) && PL_LIKELY(top < c->frames + PL_DEPTH_MAX)) {
    top[1].sp = sp;
    top[1].site = (struct pl_site *)(UWord)s->length;
    c->top = top + 1;
    c->ctl.adjust--;
    hit(c, s);
    return;
  }
  s = missed(c, offset);
  if (s) pl_enter(c, s, sp);
}

/* Back in the code that a signal handler interrupted, which it left by a jump. */
static void jumped_out(struct pl_context *c, Addr sp) {
  Bool own_stack = c->handler_sp >= c->stack_low && c->handler_sp < c->stack_high;
  Bool on_stack = sp >= c->stack_low && sp < c->stack_high;
  if (own_stack == on_stack ? sp > c->handler_sp : on_stack) plt_handler_over();
}

VG_REGPARM(3) void plt_return(UWord offset, Addr sp, UWord result) {
  struct pl_context *c = pl_current;
  struct pl_site *s = site_at(c, offset);
  struct pl_frame *top = c->top;
  if (PL_LIKELY(*c->slot == s) && PL_LIKELY(top->sp == sp)) {
    c->top = top - 1;
    c->slot = &top->site->next;
    c->ctl.adjust--;
    pl_count(c);
  } else {
    s = missed(c, offset);
    if (!s) return;
    /* A return to where no call came from (a signal's frame, `push; ret`) leaves no function. */
    Bool leaves = False;
    if (c->overflow != 0 || sp >= top->sp) {
      /* Frames below were left by a jump. */
      if (top->sp < sp) pl_unwind(c, sp);
      leaves = c->overflow != 0 || (c->top->sp == sp && c->top != c->frames);
    }
    if (leaves) pl_leave(c, s, s->key >> 8, sp);
    if (c->interrupted && c->top == c->frames) jumped_out(c, sp);
  }
  if (PL_UNLIKELY(sp >= c->allocating.sp) && c->allocating.sp != 0) {
    /* Beyond: it was left by an exception. */
    if (sp == c->allocating.sp) plt_allocation_ends(c, result);
    c->allocating.sp = 0;
  }
}
