/* The functions that the runtime stands in front of. */
#ifndef PAGELENS_REAL_H
#define PAGELENS_REAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "dispatch.h"
#include "effects.h"
#include "runtime.h"

#include <dlfcn.h>

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0))
#define SP ((uint64_t)(uintptr_t)__builtin_dwarf_cfa())

#pragma GCC visibility push(hidden)

/* The next definition behind ours, of the version that programs are linked against today; null when there is none. */
void *pl_real(const char *name);

/* This thread is inside a real function that calls others of ours: they must not record what it stands for. */
extern __thread uint32_t pl_inside __attribute__((tls_model("initial-exec")));

/* Synchronisation: what came before is numbered; what follows comes after all numbered until now. */
void pl_release(void);
void pl_acquire(void);
/* pl_block_in of this thread's stream, if something is recorded. */
struct pl_context *pl_block(void);

/* process.c: the runtime's own handlers before the program starts. */
void pl_process_start(void);
/* A fork by the system call itself; its result, in both processes. */
long pl_fork_by(long number, const long *arguments);

#pragma GCC visibility pop

#define REAL(name) \
  __extension__({ \
    static __typeof__(&name) function; \
    __typeof__(&name) found = __atomic_load_n(&function, __ATOMIC_RELAXED); \
    if (PL_UNLIKELY(!found)) { \
      found = (__typeof__(&name))pl_real(#name); \
      __atomic_store_n(&function, found, __ATOMIC_RELAXED); \
    } \
    found; \
  })

/* The context to record an event in, or null: nothing is recorded, or it is part of what an outer wrapper records. */
static inline struct pl_context *pl_recording(void) { return pl_inside ? NULL : pl_context_get(); }

static inline void pl_outside(uint32_t *saved) { pl_inside = *saved; }
/* Marks the rest of the block as inside a real function; also undone when an exception passes. */
#define PL_INSIDE() \
  uint32_t pl_saved __attribute__((cleanup(pl_outside), unused)) = pl_inside; \
  pl_inside = 1

#endif
