/*
 * Threads and what they synchronise by. Releases (unlock, create, signal, post) take a sequence number before the real
 * call, acquires (lock, join, wait) read it after, so that the merge of streams respects happens-before.
 */
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <threads.h>
#include <time.h>

void pl_release(void) {
  struct pl_context *c = pl_recording();
  if (c) pl_stamp(c, pl_seq_take());
}

void pl_acquire(void) {
  struct pl_context *c = pl_recording();
  if (c) pl_stamp(c, __atomic_load_n(&pl_run->next_seq, __ATOMIC_SEQ_CST) - 1);
}

struct pl_context *pl_block(void) {
  struct pl_context *c = pl_recording();
  return c ? pl_block_in(c) : NULL;
}

/* ---- start and end ---- */

struct start {
  void *(*function)(void *);
  int (*c11)(void *);
  void *argument;
};

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;

/* Runs again until the last round of destructors, so that what other destructors do is still recorded. */
static void end(void *round) {
  uintptr_t number = (uintptr_t)round;
  if (number < PTHREAD_DESTRUCTOR_ITERATIONS - 1)
    pthread_setspecific(end_key, (void *)(number + 1));
  else
    pl_context_end();
}

static void make_key(void) { pthread_key_create(&end_key, end); }

static struct start *start_make(struct start start) {
  long at = PL_SYS6(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if ((unsigned long)at > -4096ul) return NULL;
  *(struct start *)at = start;
  return (struct start *)at;
}

static struct start begin(void *data) {
  struct start start = *(struct start *)data;
  PL_SYS2(SYS_munmap, data, 4096);
  REAL(pthread_once)(&end_once, make_key);
  pthread_setspecific(end_key, (void *)1);
  pl_context_get();
  return start;
}

static void *trampoline(void *data) {
  struct start start = begin(data);
  return start.function(start.argument);
}

static int trampoline_c11(void *data) {
  struct start start = begin(data);
  return start.c11(start.argument);
}

PL_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument) {
  if (!pl_start()) return REAL(pthread_create)(thread, attributes, function, argument);
  struct start *start = start_make((struct start){function, NULL, argument});
  if (!start) return EAGAIN;
  pl_release();
  int result = REAL(pthread_create)(thread, attributes, trampoline, start);
  if (result != 0) PL_SYS2(SYS_munmap, start, 4096);
  return result;
}

PL_EXPORT int thrd_create(thrd_t *thread, thrd_start_t function, void *argument) {
  if (!pl_start()) return REAL(thrd_create)(thread, function, argument);
  struct start *start = start_make((struct start){NULL, function, argument});
  if (!start) return thrd_nomem;
  pl_release();
  int result = REAL(thrd_create)(thread, trampoline_c11, start);
  if (result != thrd_success) PL_SYS2(SYS_munmap, start, 4096);
  return result;
}

/* ---- waiting and waking ---- */

#define WAITS(type, name, parameters, arguments) \
  PL_EXPORT type name parameters { \
    struct pl_context *pl_waiting = pl_block(); \
    type result = REAL(name) arguments; \
    pl_unblock(pl_waiting); \
    return result; \
  }
/* A lock that is free is taken without a word to the drain. */
#define LOCKS(type, name, try, busy, parameters, arguments) \
  PL_EXPORT type name parameters { \
    type result = REAL(try)(lock); \
    if (result == busy) { \
      struct pl_context *pl_waiting = pl_block(); \
      result = REAL(name) arguments; \
      pl_unblock(pl_waiting); \
    } else { \
      pl_acquire(); \
    } \
    return result; \
  }
#define ACQUIRES(type, name, parameters, arguments) \
  PL_EXPORT type name parameters { \
    type result = REAL(name) arguments; \
    pl_acquire(); \
    return result; \
  }
#define RELEASES(type, name, parameters, arguments) \
  PL_EXPORT type name parameters { \
    pl_release(); \
    return REAL(name) arguments; \
  }

typedef const struct timespec deadline;

WAITS(int, pthread_join, (pthread_t thread, void **value), (thread, value))
WAITS(int, pthread_timedjoin_np, (pthread_t thread, void **value, deadline *when), (thread, value, when))
ACQUIRES(int, pthread_tryjoin_np, (pthread_t thread, void **value), (thread, value))
WAITS(int, thrd_join, (thrd_t thread, int *value), (thread, value))

LOCKS(int, pthread_mutex_lock, pthread_mutex_trylock, EBUSY, (pthread_mutex_t * lock), (lock))
LOCKS(int, pthread_mutex_timedlock, pthread_mutex_trylock, EBUSY, (pthread_mutex_t * lock, deadline *when), (lock, when))
LOCKS(int, pthread_mutex_clocklock, pthread_mutex_trylock, EBUSY,
      (pthread_mutex_t * lock, clockid_t clock, deadline *when), (lock, clock, when))
ACQUIRES(int, pthread_mutex_trylock, (pthread_mutex_t * lock), (lock))
RELEASES(int, pthread_mutex_unlock, (pthread_mutex_t * lock), (lock))
LOCKS(int, mtx_lock, mtx_trylock, thrd_busy, (mtx_t * lock), (lock))
LOCKS(int, mtx_timedlock, mtx_trylock, thrd_busy, (mtx_t *restrict lock, deadline *restrict when), (lock, when))
ACQUIRES(int, mtx_trylock, (mtx_t * lock), (lock))
RELEASES(int, mtx_unlock, (mtx_t * lock), (lock))

LOCKS(int, pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, EBUSY, (pthread_rwlock_t * lock), (lock))
LOCKS(int, pthread_rwlock_wrlock, pthread_rwlock_trywrlock, EBUSY, (pthread_rwlock_t * lock), (lock))
LOCKS(int, pthread_rwlock_timedrdlock, pthread_rwlock_tryrdlock, EBUSY, (pthread_rwlock_t * lock, deadline *when), (lock, when))
LOCKS(int, pthread_rwlock_timedwrlock, pthread_rwlock_trywrlock, EBUSY, (pthread_rwlock_t * lock, deadline *when), (lock, when))
ACQUIRES(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t * lock), (lock))
ACQUIRES(int, pthread_rwlock_trywrlock, (pthread_rwlock_t * lock), (lock))
RELEASES(int, pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))

LOCKS(int, pthread_spin_lock, pthread_spin_trylock, EBUSY, (pthread_spinlock_t * lock), (lock))
ACQUIRES(int, pthread_spin_trylock, (pthread_spinlock_t * lock), (lock))
RELEASES(int, pthread_spin_unlock, (pthread_spinlock_t * lock), (lock))

WAITS(int, pthread_cond_wait, (pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock), (condition, lock))
WAITS(int, pthread_cond_timedwait,
      (pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock, deadline *restrict when),
      (condition, lock, when))
WAITS(int, pthread_cond_clockwait,
      (pthread_cond_t *restrict condition, pthread_mutex_t *restrict lock, clockid_t clock, deadline *restrict when),
      (condition, lock, clock, when))
RELEASES(int, pthread_cond_signal, (pthread_cond_t * condition), (condition))
RELEASES(int, pthread_cond_broadcast, (pthread_cond_t * condition), (condition))
WAITS(int, cnd_wait, (cnd_t * condition, mtx_t *lock), (condition, lock))
WAITS(int, cnd_timedwait, (cnd_t *restrict condition, mtx_t *restrict lock, deadline *restrict when), (condition, lock, when))
RELEASES(int, cnd_signal, (cnd_t * condition), (condition))
RELEASES(int, cnd_broadcast, (cnd_t * condition), (condition))

WAITS(int, pthread_barrier_wait, (pthread_barrier_t * barrier), (barrier))

LOCKS(int, sem_wait, sem_trywait, -1, (sem_t * lock), (lock))
LOCKS(int, sem_timedwait, sem_trywait, -1, (sem_t *restrict lock, deadline *restrict when), (lock, when))
ACQUIRES(int, sem_trywait, (sem_t * lock), (lock))
RELEASES(int, sem_post, (sem_t * lock), (lock))

/* The initialiser may itself lock, throw or exit: only what is around it is stamped. */
PL_EXPORT int pthread_once(pthread_once_t *once, void (*initialiser)(void)) {
  pl_release();
  int result = REAL(pthread_once)(once, initialiser);
  pl_acquire();
  return result;
}

PL_EXPORT void call_once(once_flag *once, void (*initialiser)(void)) {
  pl_release();
  REAL(call_once)(once, initialiser);
  pl_acquire();
}

/* Function-local statics of C++. */
PL_EXPORT int __cxa_guard_acquire(void *guard);
PL_EXPORT void __cxa_guard_release(void *guard);
PL_EXPORT int __cxa_guard_acquire(void *guard) {
  int result = REAL(__cxa_guard_acquire)(guard);
  pl_acquire();
  return result;
}
PL_EXPORT void __cxa_guard_release(void *guard) {
  pl_release();
  REAL(__cxa_guard_release)(guard);
}
