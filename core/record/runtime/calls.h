/* What is recorded of a system call that trapped. */
#ifndef PAGELENS_CALLS_H
#define PAGELENS_CALLS_H

#include "effects.h"

#pragma GCC visibility push(hidden)

struct pl_call {
  long number;
  long arguments[6];
  long result; /* the kernel's: -errno on failure */
  uint64_t pc; /* behind the instruction */
  bool loader; /* made by the dynamic loader */
  struct pl_context *context; /* of this thread */
  struct pl_context *waiting; /* of pl_block */
};

/* It may wait, or be ended by a signal. Others run with signals blocked. */
bool pl_call_waits(long number);
/* Before and after the call; both may use up to PL_TRAP_STACK bytes of stack. */
void pl_call_before(struct pl_call *call);
void pl_call_after(struct pl_call *call);

#pragma GCC visibility pop

#endif
