/* Bulk and string functions of odd lengths and alignments; realloc, calloc, aligned and mapped memory. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
  (void)argv;
  size_t n = 1000 + (size_t)argc;
  char *a = malloc(n), *b = malloc(n);
  for (size_t i = 0; i < 120; i++) {
    memset(a + i, 'a', i * 7 + 1);
    memcpy(b, a + i, i * 3);
    memmove(a + 5, a, i + 9);
    a[i + 20] = 0;
    if (strlen(a) > n || memcmp(a, b, 30) > 255) return 1;
    strcpy(b + 64, a);
    strncat(b + 64, "tail", 3);
    if (strchr(b + 64, 'l')) return 2;
  }
  char *copy = strdup(b + 64);
  for (int i = 0; i < 50; i++) {
    copy = realloc(copy, 100 + (size_t)i * 100);
    copy[i] = 'x';
  }
  free(copy);
  int *zero = calloc(100, sizeof *zero);
  for (int i = 0; i < 100; i++) zero[i] += i;
  free(zero);
  void *aligned;
  if (posix_memalign(&aligned, 256, 512) != 0) return 3;
  memset(aligned, 1, 512);
  free(aligned);
  char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[4095] = 1;
  page = mremap(page, 8192, 65536, MREMAP_MAYMOVE);
  page[60000] = 2;
  munmap(page, 65536);
  printf("%s\n", b + 900);
  free(a);
  free(b);
  return 0;
}
