/* What the files of the library share. */
#ifndef PAGELENS_STATE_H
#define PAGELENS_STATE_H

#include <stdbool.h>

#include "plan.h"

#define PAGE 4096ul
#define likely(x) __builtin_expect(!!(x), 1)
#define INTERNAL __attribute__((visibility("hidden")))

/* The plan; NULL: the library lets everything pass. */
extern INTERNAL const struct plan_header *plan;
extern INTERNAL uint64_t *counts;

static inline void count_up(unsigned which, uint64_t by) {
  __atomic_fetch_add(&counts[which], by, __ATOMIC_RELAXED);
}
static inline uint64_t *counts_of(unsigned object) { return counts + COUNTS + COUNTS_OF_OBJECT * object; }
static inline const void *plan_at(uint32_t words) { return (const uint32_t *)plan + words; }

/* bind.c: asks the kernel to put the pages on the tier's node; `move`: also those that are there already. */
INTERNAL void bind_pages(void *start, size_t bytes, unsigned tier, bool move);

/* The call of an allocation function: where it returns to, and its canonical frame address, below which that stands. */
struct call {
  uintptr_t pc, cfa;
};

/* match.c: which object allocates, by the stack of the call. */
#define NO_OBJECT (-1)
INTERNAL int object_of_call(struct call call, size_t bytes);
INTERNAL void match_start(void);
INTERNAL void place_globals(void);
INTERNAL void forget_modules(void);

/* arena.c: blocks whose pages are bound to a tier. All are aligned to 16 bytes at least. */
INTERNAL void *arena_alloc(unsigned tier, size_t bytes, size_t alignment); /* NULL: not here */
INTERNAL bool arena_owns(const void *block);
INTERNAL void arena_free(void *block);
INTERNAL size_t arena_size(const void *block); /* usable bytes */
INTERNAL unsigned arena_tier(const void *block);
INTERNAL void arena_start(void);

#endif
