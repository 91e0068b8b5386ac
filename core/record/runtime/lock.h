/*
 * A lock that needs no library: a word in memory, 0 free, 1 held, 2 held and waited for (Drepper, "Futexes Are Tricky",
 * section 6), with all signals blocked while it is held, so that no handler of the thread can want it again.
 */
#ifndef PAGELENS_LOCK_H
#define PAGELENS_LOCK_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "sys.h"

/* Returns the signals that were blocked before, for pl_word_unlock. */
static inline uint64_t pl_word_lock(uint32_t *word) {
  uint64_t all = ~0ull, before = 0;
  PL_SYS4(SYS_rt_sigprocmask, 0 /* SIG_BLOCK */, &all, &before, 8);
  uint32_t expected = 0;
  if (!__atomic_compare_exchange_n(word, &expected, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
    while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) PL_SYS4(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, 0);
  }
  return before;
}

static inline void pl_word_unlock(uint32_t *word, uint64_t signals) {
  if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) PL_SYS3(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
  PL_SYS4(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &signals, 0, 8);
}

#endif
