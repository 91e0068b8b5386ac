/*
 * A stream's predictor and the hot path of recording.
 *
 * Every step (an access, a function entry or exit) is predicted twice: which site comes next, from the site before; and
 * its address, as the last address of a base site plus a delta. A hit costs three compares, two stores and a count and
 * leaves no bytes. The idea of predicting per instruction is that of value-prediction trace compression (Burtscher et
 * al., "The VPC Trace-Compression Algorithms", IEEE Trans. Computers 54(11), 2005); the base-site predictor is ours.
 *
 * The encoder below finds a site's state by hashing its program counter, so that consecutive steps do not wait for each
 * other; the decoder follows `next` instead. Both keep the same state, changed only as encode.c says.
 */
#ifndef PAGELENS_STATE_H
#define PAGELENS_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "encoding.h"
#include "layout.h"

#define PL_LIKELY(x) __builtin_expect(!!(x), 1)
#define PL_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define PL_INLINE static inline __attribute__((always_inline))
#define PL_EXPORT __attribute__((visibility("default")))

/* One site in one stream. The first 64 bytes are what a hit needs. */
struct pl_site {
  uint64_t key; /* pc << 8 | kind: unique but for entries, which also need `last` (the entered function) */
  uint64_t last; /* its last address */
  int64_t delta; /* primary address prediction: *base + delta */
  uint64_t *base;
  struct pl_site *next; /* predicted successor; `slot` pointers point here */
  uint64_t length; /* of the last range; for an entry the site (struct pl_site *) of its return address */
  uint32_t number; /* the process's number of the site */
  uint32_t seen; /* 0 until its first step */
  uint32_t doubt; /* times that the alternate successor was right since the two were last swapped */
  uint32_t pad0;
  /* Touched by misses only. */
  struct pl_site *alternate; /* the other remembered successor */
  uint64_t *alternate_base;
  int64_t alternate_delta;
  uint64_t miss_last; /* `last` after its latest address miss: equal now means that it has not moved since */
  uint64_t *earlier[PL_EARLIER]; /* `last` of the accesses before it, latest first, as of when its successor link was trained */
  uint64_t pad1;
};
_Static_assert(sizeof(struct pl_site) == 128, "two cache lines");

struct pl_frame {
  uint64_t sp; /* stack pointer of the function; the caller's is higher */
  struct pl_site *site; /* CALL site of the return address */
};

/* Covers 16 MiB of code without two places for one entry. Sparse: only what lies beside executed code takes memory. */
#define PL_INDEX_BITS 22
#define PL_INDEX_ENTRIES (1u << PL_INDEX_BITS)

/* A stream's memory: one reservation, ctl page shared with the drain, the rest private to the thread. */
struct pl_context {
  struct pl_ctl ctl;
  char pad0[PL_PAGE - sizeof(struct pl_ctl)];

  struct pl_site **slot; /* &before->next */
  struct pl_frame *top; /* innermost frame */
  uint8_t *out; /* next byte of the chunk */
  uint8_t *limit; /* a record may start up to here */
  uint64_t held_steps; /* steps in records so far */
  uint64_t event_seq; /* latest sequence number in a record */
  uint64_t event_a, event_b, event_c; /* fields of the latest event, that the next is relative to */
  uint64_t overflow; /* frames beyond PL_DEPTH_MAX */
  struct pl_site *sites; /* sites[1..site_count-1] in order of first use; 0 is the root, before the first step */
  uint32_t site_count, site_limit;
  struct pl_frame *frames;
  uint8_t *chunk;
  uint64_t chunk_number;
  struct {
    uint8_t *at;
    uint64_t number;
  } kept[PL_KEPT_CHUNKS]; /* full chunks that are still mapped, oldest first */
  uint32_t kept_count;
  uint64_t stream;
  struct pl_context *other; /* of the process: the next in the list of all */
  uint64_t *raw, *raw_end; /* PAGELENS_VERIFY only */
  uint64_t raw_bytes;
  struct pl_context *handler; /* the context that signal handlers interrupting this one use */
  struct pl_context *interrupted;
  void *trap_stack; /* end of the stack that traps record on */
  uint64_t stack_low, stack_high, tid;
  uint64_t handler_sp; /* of the handler that runs on this context */
  uint32_t signal; /* nesting depth of signal handlers */
  uint32_t blocked; /* nesting depth of blocking calls */
  /* Bursts: when the next begins, in skipped accesses; steps and accesses when it began; what is left to skip of its
   * own stretch behind it, a share of 2^32; and the generator of these shares. */
  uint64_t burst_at, burst_count, burst_accesses, burst_rest, burst_random;
  uint64_t window_sp; /* stack pointer of the function that holds the window open, 0 for none */
  /* The allocation function that runs, where functions are known by their names alone: else `sp` is 0. */
  struct {
    uint64_t sp; /* stack pointer that it returns to */
    uint64_t kind, size, block, old_size, caller;
  } allocating;

  uint64_t followers[PL_FOLLOWERS]; /* by site and its last address: the address that came then (pl_follower) */
  uint32_t index[PL_INDEX_ENTRIES]; /* hash of pc -> offset of its pl_site from this context; 0 for none */
};

/* Valgrind runs one thread of the program at a time, and its tools have no thread-local storage. */
#ifdef PAGELENS_ONE_AT_A_TIME
#define PL_PER_THREAD
#else
#define PL_PER_THREAD __thread __attribute__((tls_model("initial-exec")))
#endif

/* Behind the context lie its frames, then its sites. */
#ifndef PL_SITES_MAX
#define PL_SITES_MAX 196608u
#endif
#define PL_FRAMES_BYTES ((PL_DEPTH_MAX + 2) * sizeof(struct pl_frame))
#define PL_SITES_OFFSET (sizeof(struct pl_context) + PL_FRAMES_BYTES)

/* The current thread's context; the inert one where nothing is recorded. Never null. */
extern PL_PER_THREAD struct pl_context *pl_current __attribute__((visibility("hidden")));
extern struct pl_context pl_inert __attribute__((visibility("hidden")));

PL_INLINE uint32_t pl_hash(uint64_t pc, uint32_t kind) {
  /* Calls lie 5 bytes or more apart, so pc >> 2 separates neighbours and keeps one loop's entries together. A hook that
   * reads and writes has one pc for both. */
  return ((uint32_t)(pc >> 2) + (kind & 1)) & (PL_INDEX_ENTRIES - 1);
}

PL_INLINE struct pl_site *pl_owner(struct pl_site **slot) {
  return (struct pl_site *)((char *)slot - offsetof(struct pl_site, next));
}

/* encode.c: everything but a hit. `s` is what the index of `c` holds for the step, right or not. */
void pl_miss(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t address, uint32_t kind)
    __attribute__((visibility("hidden")));
void pl_miss_range(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t address, uint32_t kind,
                   uint64_t length) __attribute__((visibility("hidden")));
void pl_miss_entry(uint64_t pc, uint64_t return_address, uint64_t sp) __attribute__((visibility("hidden")));
void pl_miss_exit(uint64_t pc, uint64_t sp) __attribute__((visibility("hidden")));
void pl_tick(struct pl_context *c) __attribute__((visibility("hidden")));
/* window.c: now and then while accesses are skipped. */
void pl_look(struct pl_context *c) __attribute__((visibility("hidden")));

#ifdef PAGELENS_VERIFY
/* The verifying build writes every step, unpredicted, before the hot path sees it. */
struct pl_context *pl_context_get(void) __attribute__((visibility("hidden")));
void pl_raw(struct pl_context *c, uint64_t word, uint64_t a, uint64_t b, uint64_t c_, uint64_t d, uint64_t e)
    __attribute__((visibility("hidden")));
#define PL_RAW_STEP(pc, address, kind, length) \
  pl_raw(pl_context_get(), (uint64_t)(kind) << 1 | 1, pc, address, length, 0, 0)
#else
#define PL_RAW_STEP(pc, address, kind, length) ((void)0)
#endif

PL_INLINE void pl_count(struct pl_context *c) {
  uint64_t count = c->ctl.count + 1;
  c->ctl.count = count;
  if (PL_UNLIKELY((uint16_t)count == 0)) pl_tick(c);
}

/* Accesses that no window of recording holds. */
PL_INLINE void pl_skip(struct pl_context *c, uint64_t accesses) {
  uint64_t skipped = c->ctl.skipped + accesses;
  c->ctl.skipped = skipped;
  if (PL_UNLIKELY(skipped >= c->ctl.skip_until)) pl_look(c);
}

/* Accesses that a range of `length` > 0 bytes stands for. */
PL_INLINE uint64_t pl_lines(uint64_t address, uint64_t length) { return (address + length - 1) / 64 - address / 64 + 1; }

/* An access of 1 to 64 bytes. */
PL_INLINE void pl_access(uint64_t pc, uint64_t address, uint32_t kind) {
  struct pl_context *c = pl_current;
  if (PL_UNLIKELY(c->ctl.off != 0)) {
    pl_skip(c, 1);
    return;
  }
  PL_RAW_STEP(pc, address, kind, 0);
  struct pl_site *s = (struct pl_site *)((char *)c + c->index[pl_hash(pc, kind)]);
  /* Successor and address in one branch: whichever misses, a single branch is foretold wrong. */
  if (PL_LIKELY(s->key == (pc << 8 | kind)) &&
      PL_LIKELY((((uintptr_t)*c->slot ^ (uintptr_t)s) | ((*s->base + (uint64_t)s->delta) ^ address)) == 0)) {
    s->last = address;
    c->slot = &s->next;
    pl_count(c);
    return;
  }
  pl_miss(c, s, pc, address, kind);
}

/* A bulk operation of `length` > 0 bytes. The decoder makes one access of every started 64-byte line. */
PL_INLINE void pl_range(uint64_t pc, uint64_t address, uint32_t kind, uint64_t length) {
  struct pl_context *c = pl_current;
  if (PL_UNLIKELY(c->ctl.off != 0)) {
    pl_skip(c, pl_lines(address, length));
    return;
  }
  PL_RAW_STEP(pc, address, kind, length);
  struct pl_site *s = (struct pl_site *)((char *)c + c->index[pl_hash(pc, kind)]);
  if (PL_LIKELY(s->key == (pc << 8 | kind)) && PL_LIKELY(*c->slot == s) &&
      PL_LIKELY(*s->base + (uint64_t)s->delta == address) && PL_LIKELY(s->length == length)) {
    s->last = address;
    c->slot = &s->next;
    c->ctl.adjust += (int64_t)pl_lines(address, length) - 1;
    pl_count(c);
    return;
  }
  pl_miss_range(c, s, pc, address, kind, length);
}

/* Function entry. Its site is the pair of return address and function; the site of the call names the caller. */
PL_INLINE void pl_entry(uint64_t pc, uint64_t return_address, uint64_t sp) {
  PL_RAW_STEP(return_address, pc, PL_ENTRY, 0);
  struct pl_context *c = pl_current;
  struct pl_site *s = (struct pl_site *)((char *)c + c->index[pl_hash(return_address + pc, PL_ENTRY)]);
  if (PL_LIKELY(s->key == (return_address << 8 | PL_ENTRY)) && PL_LIKELY(s->last == pc) && PL_LIKELY(*c->slot == s)) {
    struct pl_frame *top = c->top;
    if (PL_LIKELY(sp < top->sp) && PL_LIKELY(top < c->frames + PL_DEPTH_MAX)) {
      top[1].sp = sp;
      top[1].site = (struct pl_site *)s->length;
      c->top = top + 1;
      c->slot = &s->next;
      c->ctl.adjust--;
      pl_count(c);
      return;
    }
  }
  pl_miss_entry(pc, return_address, sp);
}

/*
 * Function exit: the step behind it is predicted by the call site that it returns to. A function that jumps to the hook
 * instead of calling it has its own return address as pc and no frame of its own left.
 */
PL_INLINE void pl_exit(uint64_t pc, uint64_t sp) {
  PL_RAW_STEP(pc, 0, PL_EXIT, 0);
  struct pl_context *c = pl_current;
  struct pl_site *s = (struct pl_site *)((char *)c + c->index[pl_hash(pc, PL_EXIT)]);
  if (PL_LIKELY(s->key == (pc << 8 | PL_EXIT)) && PL_LIKELY(*c->slot == s)) {
    struct pl_frame *top = c->top;
    if (PL_LIKELY(top->sp == sp || top->site->key == (pc << 8 | PL_CALL))) {
      c->top = top - 1;
      c->slot = &top->site->next;
      c->ctl.adjust--;
      pl_count(c);
      return;
    }
  }
  pl_miss_exit(pc, sp);
}

#endif
