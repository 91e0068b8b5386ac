/*
 * Whether the system calls of this thread trap (dispatch.c).
 *
 * Where the kernel can, every system call from outside the runtime's own code raises SIGSYS, so that those which libc
 * makes inside itself are recorded too. A trap costs two microseconds, so the wrappers of libc's public functions switch
 * it off around their real calls and record these themselves, as they do where the kernel cannot.
 */
#ifndef PAGELENS_DISPATCH_H
#define PAGELENS_DISPATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { PL_NATIVE_CALLS = 0, PL_TRAPPED_CALLS = 1 }; /* SYSCALL_DISPATCH_FILTER_ALLOW and _BLOCK */

extern __thread struct pl_dispatch {
  /* Read by the kernel at each system call. */
  volatile uint8_t selector;
  bool on;
} pl_dispatch __attribute__((tls_model("initial-exec")));

/* True where the kernel has system call user dispatch (Linux 5.11), and neither a sandbox nor valgrind forbids it. */
bool pl_dispatch_possible(void);
/* This thread's calls trap from here on; nothing where that is not possible. */
void pl_dispatch_start(void);
void pl_dispatch_stop(void);
/* In the child of a fork, where the kernel has switched it off. */
void pl_dispatch_forked(void);

/* `mask` without SIGSYS, which would end the program if a call trapped while it is blocked. */
const sigset_t *pl_trappable(const sigset_t *mask, sigset_t *room);
/* The mask that a signal frame restores may have been changed by the program's handler. */
void pl_trappable_frame(void *context);
/* For a handler that has just begun: its calls trap, unless its alternate stack has no room for a second frame. */
void pl_dispatch_in_handler(void);

/* The state that PL_NATIVE leaves, with what to return to. */
static inline uint8_t pl_native_begin(void) {
  uint8_t before = pl_dispatch.on ? pl_dispatch.selector : PL_TRAPPED_CALLS;
  pl_dispatch.selector = PL_NATIVE_CALLS;
  return before;
}
/* Dispatch may have begun or ended in between: without it the selector says nothing. */
static inline void pl_native_end(uint8_t *before) { pl_dispatch.selector = *before; }
/* The calls in the rest of the block do not trap; also undone when an exception or a cancellation passes. */
#define PL_NATIVE() uint8_t pl_before __attribute__((cleanup(pl_native_end), unused)) = pl_native_begin()

#pragma GCC visibility pop

#endif
