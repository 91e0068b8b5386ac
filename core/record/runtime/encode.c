/*
 * The slow half of the predicted encoding: what happens on a miss, and events.
 *
 * core/kernel/decode.ts mirrors every change of predictor state made here; docs/trace-records.md states the rules. A
 * record is written whole before `committed` moves past it, so that a killed program loses at most that record.
 */
#include "streams.h"

static inline uint64_t zigzag(int64_t value) { return (uint64_t)value << 1 ^ (uint64_t)(value >> 63); }

static inline uint8_t *varint(uint8_t *out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *out++ = (uint8_t)value;
  return out;
}

static inline bool is_access(const struct pl_site *s) { return (s->key & PL_CLASS_MASK) <= PL_RANGE_WRITE; }

#define BARRIER() __asm__ volatile("" ::: "memory")

/* Reads and writes of 8 bytes, always: `committed` and `count` lie side by side, and a vector load of both would wait
 * for the two stores before it to leave the store buffer, since it can be forwarded from neither alone. */
#define ALONE(field) (*(volatile uint64_t *)&(field))

/* Makes the bytes up to `out` part of the stream; they hold all steps up to `steps`. */
static inline void commit(struct pl_context *c, uint8_t *out, uint64_t steps) {
  uint64_t before = ALONE(c->ctl.committed);
  uint64_t committed = before + (uint64_t)(out - c->out);
  int other = ALONE(c->ctl.held[0].bytes) == before;
  ALONE(c->ctl.held[other].bytes) = committed;
  ALONE(c->ctl.held[other].steps) = steps;
  BARRIER();
  ALONE(c->ctl.committed) = committed;
  BARRIER();
  c->out = out;
  c->held_steps = steps;
}

/* A tag for a missed step, with the hits before it. */
static inline uint8_t *tag(struct pl_context *c, uint8_t *out, uint32_t miss) {
  uint64_t run = ALONE(c->ctl.count) - c->held_steps;
  if (PL_LIKELY(run < PL_RUN_DIRECT)) {
    *out++ = (uint8_t)(run << PL_RUN_SHIFT | miss);
  } else if (run < PL_RUN_DIRECT + 256) {
    *out++ = PL_RUN_BYTE << PL_RUN_SHIFT | miss;
    *out++ = (uint8_t)(run - PL_RUN_DIRECT);
  } else {
    *out++ = (uint8_t)(PL_RUN_VARINT << PL_RUN_SHIFT | miss);
    out = varint(out, run);
  }
  return out;
}

static inline uint8_t *special(struct pl_context *c, uint8_t *out, uint32_t kind) {
  *out++ = (uint8_t)PL_SPECIAL(kind);
  return varint(out, c->ctl.count - c->held_steps);
}

/* ---- the start ---- */

void pl_predictor_start(struct pl_context *c) {
  struct pl_site *root = &c->sites[0];
  root->key = PL_CALL;
  root->base = root->alternate_base = &root->last;
  for (int i = 0; i < PL_EARLIER; i++) root->earlier[i] = &root->last;
  root->seen = 1;
  c->site_count = 1;
  c->slot = &root->next;
  c->frames[0].sp = UINT64_MAX;
  c->frames[0].site = root;
  c->top = c->frames;
}

/* ---- a missed step ---- */

/* Which prediction is right: of the successor NEXT, ALTERNATE or EXPLICIT, of the address any. */
enum { NEXT, ALTERNATE, EXPLICIT, FOLLOWER };
#define PRIMARY NEXT

static inline uint32_t successor(const struct pl_site *before, const struct pl_site *s) {
  return before->next == s ? NEXT : before->alternate == s ? ALTERNATE : EXPLICIT;
}

/* Learns that s came behind `before`. */
static inline void train_successor(struct pl_site *before, struct pl_site *s, uint32_t outcome) {
  uint64_t *first = before->earlier[0], *second = before->earlier[1], *third = before->earlier[2];
  bool access = is_access(before);
  s->earlier[0] = access ? &before->last : first;
  s->earlier[1] = access ? first : second;
  s->earlier[2] = access ? second : third;
  if (outcome == ALTERNATE) {
    /* Two alternate hits swap the two: one may be a loop's last turn, which is no reason to change. */
    if (++before->doubt & 1) return;
    before->alternate = before->next;
    before->next = s;
  } else if (!before->next) {
    before->next = s;
  } else {
    before->alternate = s;
  }
}

static inline uint8_t *explicit_site(uint8_t *out, const struct pl_site *before, const struct pl_site *s) {
  return varint(out, zigzag((int64_t)s->number - (int64_t)before->number));
}

/* Stores address as a delta to the nearest of up to four bases; trains the alternate predictor with it. */
static inline uint8_t *explicit_address(uint8_t *out, struct pl_site *s, uint64_t address) {
  uint64_t *base = &s->last;
  int64_t delta = (int64_t)(address - s->last);
  uint64_t size = zigzag(delta);
  uint32_t best = PL_BASE_SELF;
  for (uint32_t i = 0; i < PL_EARLIER; i++) {
    /* Those that are not known yet stand for the site itself and are no better. */
    uint64_t *other = s->earlier[i];
    int64_t other_delta = (int64_t)(address - *other);
    uint64_t other_size = zigzag(other_delta);
    bool better = other_size < size;
    base = better ? other : base;
    delta = better ? other_delta : delta;
    best = better ? i + 1 : best;
    size = better ? other_size : size;
  }
  uint32_t shift = (delta & 7) == 0 && delta != 0;
  uint64_t value = zigzag(delta >> (shift ? PL_ADDRESS_SHIFT : 0));
  uint64_t rest = value >> 2;
  uint32_t bytes = (uint32_t)(71 - __builtin_clzll(rest << 1 | 1) - 1) / 8;
  if (PL_UNLIKELY(bytes == 7)) bytes = 8;
  *out++ = (uint8_t)(best | shift << 2 | (bytes == 8 ? 7 : bytes) << 3 | (value & 3) << 6);
  __builtin_memcpy(out, &rest, 8);
  out += bytes;

  s->alternate_base = base;
  s->alternate_delta = delta;
  if (PL_UNLIKELY(!s->seen)) {
    /* A new site's own last address says nothing yet. */
    s->base = base;
    s->delta = best == PL_BASE_SELF ? 0 : delta;
    s->alternate_base = &s->last;
    s->alternate_delta = 0;
  }
  return out;
}

/* PL_MISS_* by successor and address; successor and address right is no miss. */
static const uint8_t miss_of[3][4] = {
    [NEXT] = {[ALTERNATE] = PL_MISS_NEXT_ALTERNATE, [EXPLICIT] = PL_MISS_NEXT_EXPLICIT, [FOLLOWER] = PL_MISS_NEXT_FOLLOWER},
    [ALTERNATE] = {[PRIMARY] = PL_MISS_ALTERNATE_PRIMARY, [ALTERNATE] = PL_MISS_ALTERNATE_ALTERNATE,
                   [EXPLICIT] = PL_MISS_ALTERNATE_EXPLICIT, [FOLLOWER] = PL_MISS_ALTERNATE_EXPLICIT},
    [EXPLICIT] = {[PRIMARY] = PL_MISS_SITE_PRIMARY, [ALTERNATE] = PL_MISS_SITE_EXPLICIT,
                  [EXPLICIT] = PL_MISS_SITE_EXPLICIT, [FOLLOWER] = PL_MISS_SITE_EXPLICIT},
};

/* An access or range step that the hot path did not take; length is 0 for an access. */
static inline void miss_access(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t address, uint32_t kind,
                               uint64_t length) {
  if (PL_UNLIKELY(s->key != (pc << 8 | kind))) {
    /* Also where this thread has no stream yet: the index of the inert context is empty. */
    if (!(c = pl_context_get()) || !(s = pl_site_find(c, pc, kind, 0))) return;
  }
  if (PL_UNLIKELY(c->out > c->limit) && !pl_room(c)) return;

  struct pl_site *before = pl_owner(c->slot);
  uint32_t site = successor(before, s);
  uint64_t *follower = &c->followers[PL_FOLLOWER_HASH(s->number, s->last)];
  uint32_t where;
  if (PL_UNLIKELY(!s->seen) || (length != 0 && length != s->length))
    where = EXPLICIT;
  else if (*s->base + (uint64_t)s->delta == address)
    where = PRIMARY;
  else if (*s->alternate_base + (uint64_t)s->alternate_delta == address)
    where = ALTERNATE;
  else
    where = *follower == address ? FOLLOWER : EXPLICIT;
  if (length != 0) c->ctl.adjust += (int64_t)pl_lines(address, length) - 1;
  c->slot = &s->next;
  if (site == NEXT && where == PRIMARY) {
    /* Predicted, but another site has its place in the index. */
    s->last = address;
    pl_count(c);
    return;
  }

  uint8_t *out = tag(c, c->out, miss_of[site][where]);
  if (site != NEXT) {
    if (site == EXPLICIT) out = explicit_site(out, before, s);
    train_successor(before, s, site);
  }
  if (where == EXPLICIT) {
    out = explicit_address(out, s, address);
    *follower = address;
    if (length != 0) {
      out = varint(out, zigzag((int64_t)(length - s->length)));
      s->length = length;
    }
  } else if (where == ALTERNATE) {
    if (site == EXPLICIT) *out++ = PL_ADDRESS_ALTERNATE;
    if (s->miss_last == s->last) {
      /* Missed twice in a row (`last` did not move between): the alternate is the better one. */
      uint64_t *base = s->base;
      int64_t delta = s->delta;
      s->base = s->alternate_base;
      s->delta = s->alternate_delta;
      s->alternate_base = base;
      s->alternate_delta = delta;
    }
  } else if (where == FOLLOWER && site != NEXT) {
    *out++ = PL_ADDRESS_FOLLOWER;
  }
  s->last = address;
  if (where != PRIMARY) s->miss_last = address;
  s->seen = 1;
  commit(c, out, ALONE(c->ctl.count) + 1);
  pl_count(c);
}

void pl_miss(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t address, uint32_t kind) {
  /* A miss takes as long as a fetch from memory hides behind: the program is about to access this address. */
  __builtin_prefetch((const void *)(uintptr_t)address);
  miss_access(c, s, pc, address, kind, 0);
}

void pl_miss_range(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t address, uint32_t kind,
                   uint64_t length) {
  miss_access(c, s, pc, address, kind, length);
}

/* Writes the successor part of an entry or exit, which have no address: nothing when it was predicted. */
static inline uint8_t *step_without_address(struct pl_context *c, struct pl_site *s) {
  struct pl_site *before = pl_owner(c->slot);
  uint32_t site = successor(before, s);
  if (site == NEXT) return c->out;
  uint8_t *out = tag(c, c->out, miss_of[site][PRIMARY]);
  if (site == EXPLICIT) out = explicit_site(out, before, s);
  train_successor(before, s, site);
  return out;
}

static void finish_without_address(struct pl_context *c, uint8_t *out) {
  if (out != c->out) commit(c, out, c->ctl.count + 1);
  c->ctl.adjust--;
  pl_count(c);
}

void pl_unwind(struct pl_context *c, uint64_t sp) {
  if (PL_UNLIKELY(c->window_sp != 0 && c->window_sp < sp)) pl_window_leave(c);
  if (c->out > c->limit && !pl_room(c)) return;
  uint64_t dropped = 0;
  if (c->overflow != 0 && c->top[-1].sp < sp) {
    /* The frame above the limit stands for all deeper ones. */
    dropped = c->overflow;
    c->overflow = 0;
    c->top--;
  }
  while (c->overflow == 0 && c->top->sp < sp) {
    c->top--;
    dropped++;
  }
  if (dropped == 0) return;
  uint8_t *out = special(c, c->out, PL_SPECIAL_UNWIND);
  commit(c, varint(out, dropped), c->ctl.count);
}

void pl_enter(struct pl_context *c, struct pl_site *s, uint64_t sp) {
  if (c->top->sp <= sp) pl_unwind(c, sp + 1);
  if (PL_UNLIKELY(c->out > c->limit) && !pl_room(c)) return;
  uint8_t *out = step_without_address(c, s);
  struct pl_site *call = (struct pl_site *)(uintptr_t)s->length;
  if (!s->seen) {
    s->seen = 1;
    for (int i = 0; i < PL_EARLIER; i++) call->earlier[i] = s->earlier[i];
  }
  if (c->overflow == 0 && c->top < c->frames + PL_DEPTH_MAX) {
    c->top++;
    c->top->sp = sp;
    c->top->site = call;
  } else {
    /* Only counted, below a frame that no stack pointer and no return address equals. */
    if (c->overflow++ == 0) c->top++;
    c->top->sp = 0;
    c->top->site = &c->sites[0];
  }
  c->slot = &s->next;
  finish_without_address(c, out);
}

void pl_miss_entry(uint64_t pc, uint64_t return_address, uint64_t sp) {
  struct pl_context *c = pl_context_get();
  if (!c) return;
  uint32_t watched = pl_watched(pc);
  struct pl_site *s = pl_site_find(c, return_address, PL_ENTRY, watched ? pc | PL_WATCHED : pc);
  if (!s) return;
  pl_enter(c, s, sp);
  if (PL_UNLIKELY(watched)) pl_window_enter(c, watched, sp);
}

void pl_leave(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t sp) {
  /* Left frames lie deeper than the one that exits, unless it jumped here and has given up its own. */
  if (c->overflow != 0 || (c->top->sp < sp && c->top->site->key != (pc << 8 | PL_CALL))) pl_unwind(c, sp);
  if (PL_UNLIKELY(c->out > c->limit) && !pl_room(c)) return;
  uint8_t *out = step_without_address(c, s);
  s->seen = 1;
  if (c->overflow != 0) {
    if (--c->overflow == 0) c->top--;
    c->slot = &s->next;
  } else if (c->top == c->frames) {
    c->slot = &s->next;
  } else {
    c->slot = &c->top->site->next;
    c->top--;
  }
  finish_without_address(c, out);
}

void pl_miss_exit(uint64_t pc, uint64_t sp) {
  struct pl_context *c = pl_context_get();
  if (!c) return;
  struct pl_site *s = pl_site_find(c, pc, pl_watched(pc) ? PL_WATCHED_EXIT : PL_EXIT, 0);
  if (!s) return;
  /* Of a function that holds a window open. */
  if (PL_UNLIKELY(c->window_sp != 0 && c->window_sp <= sp)) pl_window_leave(c);
  pl_leave(c, s, pc, sp);
}

/* ---- events ---- */

/* Fields of each event beside the sequence number. */
static const uint8_t event_fields[PL_EVENTS] = {
    [PL_EVENT_ALLOC] = 4, [PL_EVENT_FREE] = 1,    [PL_EVENT_MAP] = 4,          [PL_EVENT_UNMAP] = 2,
    [PL_EVENT_REMAP] = 4, [PL_EVENT_BRK] = 1,     [PL_EVENT_THREAD_START] = 3, [PL_EVENT_THREAD_EXIT] = 0,
    [PL_EVENT_SYSCALL] = 3, [PL_EVENT_KERNEL_WRITE] = 2, [PL_EVENT_FORK] = 1,  [PL_EVENT_EXEC] = 0,
    [PL_EVENT_MARK] = 3,
};

void pl_stamp(struct pl_context *c, uint64_t seq) {
  if (seq <= c->event_seq) return;
  if (c->out > c->limit && !pl_room(c)) return;
#ifdef PAGELENS_VERIFY
  pl_raw(c, (uint64_t)PL_EVENT_STAMP << 1 | 1ull << 32, seq, 0, 0, 0, 0);
#endif
  uint8_t *out = special(c, c->out, PL_SPECIAL_STAMP);
  out = varint(out, seq - c->event_seq);
  commit(c, out, c->ctl.count);
  c->event_seq = c->ctl.last_seq = seq;
}

void pl_tick(struct pl_context *c) {
  pl_window_follow(c);
  pl_burst_end(c);
  if (pl_stop_asked()) {
    pl_lost(c, PL_LOST_STOPPED);
    return;
  }
  pl_stamp(c, pl_seq_take());
}

void pl_event(struct pl_context *c, uint32_t kind, uint64_t seq, uint64_t a, uint64_t b, uint64_t c_, uint64_t d) {
  uint32_t fields = event_fields[kind];
  struct pl_site *call = NULL;
  if ((kind == PL_EVENT_ALLOC || kind == PL_EVENT_MAP) && c_ != 0) {
    call = pl_site_find(c, c_, PL_CALL, 0);
    if (!call) return;
  }
  if (c->out > c->limit && !pl_room(c)) return;
#ifdef PAGELENS_VERIFY
  pl_raw(c, (uint64_t)kind << 1 | 1ull << 32, seq, a, b, c_, d);
#endif
  uint8_t *out = special(c, c->out, PL_SPECIAL_EVENT);
  *out++ = (uint8_t)kind;
  out = varint(out, seq == 0 ? 0 : seq - c->event_seq);
  if (fields > 0) {
    out = varint(out, zigzag((int64_t)(a - c->event_a)));
    c->event_a = a;
  }
  if (fields > 1) {
    out = varint(out, zigzag((int64_t)(b - c->event_b)));
    c->event_b = b;
  }
  if (kind == PL_EVENT_ALLOC || kind == PL_EVENT_MAP) {
    out = varint(out, call ? (uint64_t)call->number + 1 : 0);
  } else if (fields > 2) {
    out = varint(out, zigzag((int64_t)(c_ - c->event_c)));
    c->event_c = c_;
  }
  if (fields > 3) out = varint(out, d);
  commit(c, out, c->ctl.count);
  if (seq != 0) c->event_seq = c->ctl.last_seq = seq;
}
