/* A window that one thread opens and closes holds what another does meanwhile, and nothing else of it. */
#include <pagelens.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int stage;
static volatile long mine[1024], others[1024];

static void work(volatile long *at, long count) {
  for (long i = 0; i < count; i++) at[i & 1023] = i;
}
static void await(int wanted) {
  while (atomic_load(&stage) != wanted) {
  }
}

static void *other(void *argument) {
  work(others, 100000);
  atomic_store(&stage, 1);
  await(2);
  work(others, 5000); /* inside */
  atomic_store(&stage, 3);
  await(4);
  work(others, 7000);
  return argument;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, other, 0);
  await(1);
  pagelens_start();
  atomic_store(&stage, 2);
  work(mine, 3000); /* inside */
  await(3);
  pagelens_stop();
  atomic_store(&stage, 4);
  work(mine, 50000);
  pthread_join(thread, 0);
  return 0;
}
