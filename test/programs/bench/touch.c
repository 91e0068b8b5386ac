/*
 * touch MIB: writes every line of a block once and reads back one word of each page. 1024 touches 1 GiB: how much
 * memory the replay takes for a big program.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  size_t bytes = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1024) << 20;
  volatile uint64_t *block = malloc(bytes);
  if (!bytes || !block) return 1;
  uint64_t sum = 0;
  for (size_t i = 0; i < bytes / 8; i += 8) block[i] = i;
  for (size_t i = 0; i < bytes / 8; i += 512) sum += block[i];
  printf("%llu\n", (unsigned long long)sum);
  return 0;
}
