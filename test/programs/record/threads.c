/* Threads that contend for a mutex, a spin-wait and atomics of every width; thread-specific destructors that access. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define LAPS 400

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_key_t key;
static long shared[THREADS];
static int started;
static _Atomic int total;
static _Atomic unsigned char byte;
static _Atomic short word;
static _Atomic long wide;
static __int128 widest;
static atomic_flag flag = ATOMIC_FLAG_INIT;

static void destroy(void *p) {
  *(int *)p += 1;
  free(p);
}

static void *work(void *argument) {
  long self = (long)argument;
  int *own = malloc(sizeof *own);
  *own = 0;
  pthread_setspecific(key, own);
  pthread_mutex_lock(&lock);
  started++;
  if (started == THREADS) pthread_cond_broadcast(&ready);
  while (started < THREADS) pthread_cond_wait(&ready, &lock);
  pthread_mutex_unlock(&lock);
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < LAPS; i++) {
    pthread_mutex_lock(&lock);
    for (int j = 0; j < THREADS; j++) shared[j] += self;
    pthread_mutex_unlock(&lock);
    atomic_fetch_add(&total, 1);
    atomic_fetch_or(&byte, (unsigned char)i);
    atomic_fetch_sub(&word, 1);
    long seen = atomic_load(&wide);
    while (!atomic_compare_exchange_weak(&wide, &seen, seen + 2)) {
    }
    __int128 expected = __atomic_load_n(&widest, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&widest, &expected, expected + 3, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
    while (atomic_flag_test_and_set(&flag)) {
    }
    ++*own;
    atomic_flag_clear(&flag);
  }
  if (self % 2) pthread_exit(NULL);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  pthread_key_create(&key, destroy);
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  if (total != THREADS * LAPS || wide != 2 * THREADS * LAPS || widest != 3 * THREADS * LAPS) return 1;
  if (shared[0] != LAPS * (THREADS * (THREADS - 1) / 2)) return 2;
  printf("%d %ld\n", total, shared[0]);
  return 0;
}
