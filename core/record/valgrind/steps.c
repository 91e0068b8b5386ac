/* What translated code calls at each step. See tool.h for the licence. */
#include "pub_tool_basics.h"

#include "tool.h"

VG_REGPARM(2) void plt_access(UWord offset, Addr address) { pl_numbered_access(offset, address); }

/* The state of a site whose step was not predicted; NULL where nothing is recorded. */
static __attribute__((noinline)) struct pl_site *missed(struct pl_context *c, UWord offset) {
  return c == &pl_inert ? NULL : pl_numbered_in(c, pl_number_at(offset));
}

VG_REGPARM(3) void plt_range(UWord offset, Addr address, UWord length) {
  struct pl_context *c = pl_current;
  if (PL_UNLIKELY(c->ctl.off != 0)) {
    pl_skip(c, pl_lines(address, length));
    return;
  }
  struct pl_site *s = missed(c, offset);
  if (s) pl_miss_range(c, s, s->key >> 8, address, s->key & 0xff, length);
}

VG_REGPARM(2) void plt_call(UWord offset, Addr sp) {
  struct pl_context *c = pl_current;
  struct pl_site *s = pl_site_at(c, offset);
  struct pl_frame *top = c->top;
  if (PL_LIKELY(*c->slot == s) && PL_LIKELY(sp < top->sp) && PL_LIKELY(top < c->frames + PL_DEPTH_MAX)) {
    top[1].sp = sp;
    top[1].site = (struct pl_site *)(UWord)s->length;
    c->top = top + 1;
    c->ctl.adjust--;
    c->slot = &s->next;
    pl_count(c);
    return;
  }
  s = missed(c, offset);
  if (s) pl_enter(c, s, sp);
}

VG_REGPARM(3) void plt_return(UWord offset, Addr sp, UWord result) {
  struct pl_context *c = pl_current;
  struct pl_site *s = pl_site_at(c, offset);
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
    if (c->top == c->frames) plt_stack_is_at(sp);
  }
  if (PL_UNLIKELY(sp > c->window_sp) && c->window_sp != 0) pl_window_leave(c);
  if (PL_UNLIKELY(sp >= c->allocating.sp) && c->allocating.sp != 0) {
    /* Beyond: it was left by an exception. */
    if (sp == c->allocating.sp) plt_allocation_ends(c, result);
    c->allocating.sp = 0;
  }
}

VG_REGPARM(2) void plt_watched(UWord watched, Addr sp) {
  struct pl_context *c = pl_current;
  if (c != &pl_inert) pl_window_enter(c, (UInt)watched, sp);
}
