/*
 * Four threads with contention: 10,000 times each, a counter under a mutex, then 5,000 words of the thread's own.
 *   @count  `++` is a read and a write: 40,000 of each, on one page, however the threads interleave.
 *   @own    4 x 5,000 = 20,000 writes; each thread's 40,000 bytes lie in its own ten pages (5,000 x 8 / 4,096 = 9.8):
 *           40 pages.
 *   @clear, @check  main writes the counter once before the threads start and reads it once after the joins.
 * The blocks: `shared` 40,001 reads and 40,001 writes; `own` 20,000 writes.
 */
#include "known.h"
#include <pthread.h>

enum { THREADS = 4, ROUNDS = 10000, WORDS = 5000, OWN_PAGES = 10 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct Work {
  volatile uint64_t *shared, *own;
};

static void *work(void *argument) {
  struct Work *work = argument;
  volatile uint64_t *shared = work->shared, *own = work->own;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(&lock);
    shared[0]++; // @count
    pthread_mutex_unlock(&lock);
  }
  for (uint64_t i = 0; i < WORDS; i++) {
    own[i] = i; // @own
  }
  return NULL;
}

int main(void) {
  volatile uint64_t *shared = aligned_alloc(4096, 4096);                          // @shared-block
  volatile uint64_t *own = aligned_alloc(4096, (size_t)THREADS * OWN_PAGES * 4096); // @own-block
  if (!shared || !own) return 1;
  SHOW("shared", shared, 4096);
  SHOW("own", own, (size_t)THREADS * OWN_PAGES * 4096);
  HIDE(shared);
  pthread_t threads[THREADS];
  struct Work works[THREADS];
  shared[0] = 0; // @clear
  for (int i = 0; i < THREADS; i++) {
    works[i] = (struct Work){shared, own + (size_t)i * OWN_PAGES * 512};
    if (pthread_create(&threads[i], NULL, work, &works[i]) != 0) return 1;
  }
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  uint64_t total = shared[0]; // @check
  printf("total %llu\n", (unsigned long long)total); // 40000
  return total == (uint64_t)THREADS * ROUNDS ? 0 : 1;
}
