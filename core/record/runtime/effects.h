/* What a program asks of the kernel, as events: shared by all recorders, like streams.h. */
#ifndef PAGELENS_EFFECTS_H
#define PAGELENS_EFFECTS_H

#include <sys/uio.h>

#include "streams.h"

#pragma GCC visibility push(hidden)

/* ---- effects.c ---- */

/* A system call that was made; `result` is the kernel's. And what the kernel wrote for it. */
void pl_called(struct pl_context *c, long number, long result, uint64_t bytes);
void pl_filled(struct pl_context *c, const void *p, uint64_t bytes);
void pl_filled_vector(struct pl_context *c, const struct iovec *parts, int count, long bytes);

/* Changes of the address space. `pc`: whose they are (pl_caller finds the program's own code). An unmapping is told
 * before the call, the others after it. */
void pl_mapped(struct pl_context *c, uint64_t at, uint64_t length, int flags, int fd, uint64_t pc);
void pl_unmapping(struct pl_context *c, uint64_t at, uint64_t length);
void pl_remapped(struct pl_context *c, uint64_t old, uint64_t old_length, uint64_t at, uint64_t length);
void pl_broke(struct pl_context *c, uint64_t end);

/* ---- waiting.c ---- */

/* Around a call of this thread that may block: the merge does not wait for it meanwhile. Calls nest. */
struct pl_context *pl_block_in(struct pl_context *c);
void pl_unblock(struct pl_context *c);
/* Around events of a thread that is declared blocked. `pl_wake`: whether it was. */
bool pl_wake(struct pl_context *c);
void pl_sleep(struct pl_context *c);

#pragma GCC visibility pop

#endif
