/* A thread that waits: the merge must not wait for its stream. */
#include "effects.h"

static inline void set_state(struct pl_context *c, uint64_t state) {
  __atomic_store_n(&c->ctl.state, state, __ATOMIC_SEQ_CST);
}

bool pl_wake(struct pl_context *c) {
  if (c->blocked == 0) return false;
  set_state(c, PL_STATE_RUNNING);
  /* Taken, not read: the drain may have let the merge pass every number below the next. */
  pl_stamp(c, pl_seq_take());
  return true;
}

void pl_sleep(struct pl_context *c) {
  pl_stamp(c, pl_seq_take());
  if (pl_context_peek() == c) set_state(c, PL_STATE_IDLE);
}

struct pl_context *pl_block_in(struct pl_context *c) {
  if (c->blocked == 0) pl_sleep(c);
  if (pl_context_peek() != c) return NULL;
  c->blocked++;
  return c;
}

void pl_unblock(struct pl_context *c) {
  /* A handler or a lost stream may have changed what is current, a fork the process. */
  if (!c || pl_context_peek() != c) return;
  pl_wake(c);
  if (--c->blocked > 0) pl_sleep(c);
}
