/* What the runtime must report beside accesses; the test knows the lines by their functions. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic int value;
static char buffer[4096];

__attribute__((noipa)) static char *duplicate(const char *text) { return strdup(text); }

__attribute__((noinline)) static void compare(void) {
  int expected = 5;
  atomic_compare_exchange_strong(&value, &expected, 6);
  expected = 0;
  atomic_compare_exchange_strong(&value, &expected, 6);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "again") == 0) {
    value = 9;
    return 0;
  }
  char *copy = duplicate("some text of the user");
  printf("duplicate %p %p\n", (void *)copy, (void *)duplicate);
  free(copy);
  compare();
  printf("value %p\n", (void *)&value);
  /* 200 bytes from 8 bytes before a line's end: 5 lines. */
  char *at = (char *)(((unsigned long)buffer + 127) & ~63ul) - 8;
  memset(at, 1, 200);
  printf("memset %p\n", (void *)at);
  char *map = mmap(NULL, 10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("mmap %p\n", (void *)map);
  munmap(map, 10000);
  int fds[2];
  if (pipe(fds) != 0 || write(fds[1], "hello", 5) != 5 || read(fds[0], buffer, 100) != 5) return 1;
  printf("read %p\n", (void *)buffer);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    char *const arguments[] = {argv[0], "again", NULL}, *const none[] = {NULL};
    execve("/proc/self/exe", arguments, none);
    _exit(1);
  }
  int status;
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}
