/*
 * Atomic hooks: they perform the operation, then record it. One read-modify-write is one read and one write, a failed
 * compare-and-swap one read. Operations run sequentially consistent whatever order the program asked for, which only
 * strengthens it and costs nothing on x86-64 but for plain stores (an exchange instead of a move).
 *
 * A release stamps before the operation, an acquire after it, so that the segments of two threads that synchronise
 * through the variable are numbered in that order.
 */
#include "runtime.h"

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0))

enum { RELAXED = 0, CONSUME = 1, ACQUIRE = 2, RELEASE = 3, ACQ_REL = 4, SEQ_CST = 5 };

typedef uint8_t a8;
typedef uint16_t a16;
typedef uint32_t a32;
typedef uint64_t a64;
__extension__ typedef unsigned __int128 a128;

static inline bool releases(int order) { return (order & 7) >= RELEASE; }
static inline bool acquires(int order) { return (order & 7) != RELAXED && (order & 7) != RELEASE; }

static void stamp_release(void) {
  struct pl_context *c = pl_context_get();
  if (c) pl_stamp(c, pl_seq_take());
}

/* Nothing is taken: what this thread does next comes after all that was numbered until now. */
static void stamp_acquire(void) {
  struct pl_context *c = pl_context_get();
  if (c) pl_stamp(c, __atomic_load_n(&pl_run->next_seq, __ATOMIC_RELAXED) - 1);
}

static inline void read_of(uint64_t pc, const volatile void *p, uint32_t size) {
  pl_access(pc, (uint64_t)(uintptr_t)p, PL_READ | PL_ATOMIC | size);
}
static inline void write_of(uint64_t pc, const volatile void *p, uint32_t size) {
  pl_access(pc, (uint64_t)(uintptr_t)p, PL_WRITE | PL_ATOMIC | size);
}

#define RMW(bits, log2, name, compute) \
  PL_EXPORT a##bits __tsan_atomic##bits##_##name(volatile a##bits *p, a##bits value, int order) { \
    if (releases(order)) stamp_release(); \
    a##bits old = compute; \
    if (acquires(order)) stamp_acquire(); \
    read_of(PC, p, PL_SIZE(log2)); \
    write_of(PC, p, PL_SIZE(log2)); \
    return old; \
  }

/* The C interface takes the expected value in memory, that of _val by value. */
#define COMPARE_EXCHANGE(bits, log2, name) \
  PL_EXPORT int __tsan_atomic##bits##_compare_exchange_##name(volatile a##bits *p, a##bits *expected, a##bits value, \
                                                             int order, int failure) { \
    (void)failure; \
    if (releases(order)) stamp_release(); \
    bool done = SWAP##bits(p, expected, value); \
    if (acquires(order)) stamp_acquire(); \
    read_of(PC, p, PL_SIZE(log2)); \
    if (done) write_of(PC, p, PL_SIZE(log2)); \
    return done; \
  }

#define OPERATIONS(bits, log2) \
  PL_EXPORT a##bits __tsan_atomic##bits##_load(const volatile a##bits *p, int order) { \
    a##bits value = LOAD##bits(p); \
    if (acquires(order)) stamp_acquire(); \
    read_of(PC, p, PL_SIZE(log2)); \
    return value; \
  } \
  PL_EXPORT void __tsan_atomic##bits##_store(volatile a##bits *p, a##bits value, int order) { \
    write_of(PC, p, PL_SIZE(log2)); \
    if (releases(order)) stamp_release(); \
    STORE##bits(p, value); \
  } \
  RMW(bits, log2, exchange, EXCHANGE##bits(p, value)) \
  RMW(bits, log2, fetch_add, FETCH##bits(p, old + value, add)) \
  RMW(bits, log2, fetch_sub, FETCH##bits(p, old - value, sub)) \
  RMW(bits, log2, fetch_and, FETCH##bits(p, old & value, and)) \
  RMW(bits, log2, fetch_or, FETCH##bits(p, old | value, or)) \
  RMW(bits, log2, fetch_xor, FETCH##bits(p, old ^ value, xor)) \
  RMW(bits, log2, fetch_nand, FETCH##bits(p, ~(old & value), nand)) \
  COMPARE_EXCHANGE(bits, log2, strong) \
  COMPARE_EXCHANGE(bits, log2, weak) \
  PL_EXPORT a##bits __tsan_atomic##bits##_compare_exchange_val(volatile a##bits *p, a##bits expected, a##bits value, \
                                                              int order, int failure) { \
    (void)failure; \
    if (releases(order)) stamp_release(); \
    bool done = SWAP##bits(p, &expected, value); \
    if (acquires(order)) stamp_acquire(); \
    read_of(PC, p, PL_SIZE(log2)); \
    if (done) write_of(PC, p, PL_SIZE(log2)); \
    return expected; \
  }

#define LOAD_BUILTIN(p) __atomic_load_n(p, __ATOMIC_SEQ_CST)
#define STORE_BUILTIN(p, value) __atomic_store_n(p, value, __ATOMIC_SEQ_CST)
#define EXCHANGE_BUILTIN(p, value) __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST)
#define FETCH_BUILTIN(p, expression, name) __atomic_fetch_##name(p, value, __ATOMIC_SEQ_CST)
#define SWAP_BUILTIN(p, expected, value) \
  __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

#define LOAD8 LOAD_BUILTIN
#define LOAD16 LOAD_BUILTIN
#define LOAD32 LOAD_BUILTIN
#define LOAD64 LOAD_BUILTIN
#define STORE8 STORE_BUILTIN
#define STORE16 STORE_BUILTIN
#define STORE32 STORE_BUILTIN
#define STORE64 STORE_BUILTIN
#define EXCHANGE8 EXCHANGE_BUILTIN
#define EXCHANGE16 EXCHANGE_BUILTIN
#define EXCHANGE32 EXCHANGE_BUILTIN
#define EXCHANGE64 EXCHANGE_BUILTIN
#define FETCH8 FETCH_BUILTIN
#define FETCH16 FETCH_BUILTIN
#define FETCH32 FETCH_BUILTIN
#define FETCH64 FETCH_BUILTIN
#define SWAP8 SWAP_BUILTIN
#define SWAP16 SWAP_BUILTIN
#define SWAP32 SWAP_BUILTIN
#define SWAP64 SWAP_BUILTIN

OPERATIONS(8, 0)
OPERATIONS(16, 1)
OPERATIONS(32, 2)
OPERATIONS(64, 3)

/* 128 bits: cmpxchg16b where the machine has it (every x86-64 since 2006), written out because compilers would call
 * libatomic, which a user's machine may lack. */
#if defined(__x86_64__)
static inline bool swap128(volatile a128 *p, a128 *expected, a128 value) {
  uint64_t low = (uint64_t)*expected, high = (uint64_t)(*expected >> 64);
  bool done;
  __asm__ volatile("lock cmpxchg16b %1"
                   : "=@ccz"(done), "+m"(*p), "+a"(low), "+d"(high)
                   : "b"((uint64_t)value), "c"((uint64_t)(value >> 64))
                   : "memory");
  if (!done) *expected = (a128)high << 64 | low;
  return done;
}
#else
static uint32_t lock128;
static inline bool swap128(volatile a128 *p, a128 *expected, a128 value) {
  while (__atomic_exchange_n(&lock128, 1, __ATOMIC_ACQUIRE)) {
  }
  a128 old = *p;
  bool done = old == *expected;
  if (done)
    *p = value;
  else
    *expected = old;
  __atomic_store_n(&lock128, 0, __ATOMIC_RELEASE);
  return done;
}
#endif

static inline a128 load128(const volatile a128 *p) {
  a128 value = 0;
  swap128((volatile a128 *)p, &value, value);
  return value;
}

/* Replaces *p by what the expression makes of `old`, and gives `old`. */
#define FETCH128(p, expression, name) \
  __extension__({ \
    a128 old = *p; \
    while (!swap128(p, &old, expression)) { \
    } \
    old; \
  })
#define LOAD128(p) load128(p)
#define EXCHANGE128(p, value) FETCH128(p, value, exchange)
#define STORE128(p, value) (void)FETCH128(p, value, store)
#define SWAP128 swap128

OPERATIONS(128, 4)

/* A fence is both: what came before is numbered before, what follows comes after all numbered until now. */
PL_EXPORT void __tsan_atomic_thread_fence(int order) {
  if (releases(order)) stamp_release();
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  if (acquires(order)) stamp_acquire();
}

PL_EXPORT void __tsan_atomic_signal_fence(int order) {
  (void)order;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
