/* Blocks of several allocation sites, each made by a wrapper. Prints of each whether the kernel was asked to keep its
 * pages on a node: `NAME bound` or `NAME free`, or a line that begins with `wrong`. */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MPOL_F_ADDR 2
#define BYTES (300 * 1024)

char hot_table[64 * 4096];
char small_table[100];

static void say(const char *name, void *block) {
  int mode = -1;
  unsigned long nodes[16] = {0};
  *(volatile char *)block += 1;
  long status = syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, block, MPOL_F_ADDR);
  if (status != 0) printf("wrong: get_mempolicy\n");
  else printf("%s %s\n", name, mode == 0 ? "free" : "bound");
}

__attribute__((noinline)) static void *xmalloc(size_t bytes) {
  void *block = malloc(bytes);
  if (!block) abort();
  memset(block, 7, bytes);
  return block;
}

__attribute__((noinline)) static char *make_hot(size_t bytes) {
  char *hot = xmalloc(bytes); /* hot */
  hot[1]++;
  return hot;
}

__attribute__((noinline)) static char *make_cold(size_t bytes) {
  char *cold = xmalloc(bytes); /* cold */
  cold[2]--;
  return cold;
}

__attribute__((noinline)) static char *make_other(size_t bytes) {
  char *other = xmalloc(bytes); /* other */
  other[3] ^= 5;
  return other;
}

__attribute__((noinline)) static char *grow(char *block, size_t bytes) {
  char *larger = realloc(block, bytes); /* grown */
  larger[1]++;
  return larger;
}

static void *work(void *unused) {
  (void)unused;
  for (int i = 0; i < 20000; i++) {
    size_t bytes = 16 + (size_t)i * 37 % 5000;
    char *hot = make_hot(bytes), *cold = make_cold(bytes);
    if (hot[0] != 7 || cold[bytes - 1] != 7) printf("wrong: contents\n");
    memset(hot, 1, bytes);
    memset(cold, 2, bytes);
    if (i & 1) hot = grow(hot, bytes * 2);
    if (hot[bytes - 1] != 1) printf("wrong: a block that was made larger lost its bytes\n");
    free(hot);
    free(cold);
  }
  return NULL;
}

int main(int count, char **arguments) {
  if (count > 1 && !strcmp(arguments[1], "crash")) {
    make_hot(BYTES);
    abort();
  }
  char *hot = make_hot(BYTES), *cold = make_cold(BYTES), *other = make_other(BYTES);
  say("hot", hot + 8192);
  say("cold", cold + 8192);
  say("other", other + 8192);
  hot = grow(hot, 2 * BYTES);
  if (hot[BYTES - 1] != 7) printf("wrong: a block that was made larger lost its bytes\n");
  say("grown hot", hot + 8192);
  say("hot_table", hot_table + 8192);
  char *mapped = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); /* mapped */
  say("mapped", mapped);
  for (size_t alignment = 32; alignment <= 8192; alignment *= 2) {
    void *block = NULL;
    if (posix_memalign(&block, alignment, 100)) printf("wrong: posix_memalign\n"); /* aligned */
    if ((uintptr_t)block % alignment) printf("wrong: alignment %zu\n", alignment);
    free(block);
  }
  char *zeroed = calloc(1000, 300); /* zeroed */
  for (size_t i = 0; i < 300000; i++)
    if (zeroed[i]) printf("wrong: calloc\n"), i = 300000;
  say("zeroed", zeroed + 8192);
  if (malloc_usable_size(zeroed) < 300000) printf("wrong: malloc_usable_size\n");
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, work, NULL);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    work(NULL);
    fflush(stdout);
    _exit(0);
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  int status = 1;
  waitpid(child, &status, 0);
  printf("child %d\n", status);
  free(hot), free(cold), free(other), free(zeroed);
  return small_table[0];
}
