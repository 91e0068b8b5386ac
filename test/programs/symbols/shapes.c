#include <stdio.h>

static int marks[16];
int shared[4] = {1, 2, 3, 4};
__attribute__((noinline)) static void mark(int i) { static int calls; marks[i & 15] = ++calls; }

int main(int argc, char **argv) {
  mark(argc);
  printf("%d %d %s\n", marks[0], shared[argc & 3], argv[0]);
  return 0;
}
