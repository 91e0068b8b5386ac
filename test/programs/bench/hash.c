/*
 * hash BITS: an open-addressing table of 2^BITS entries of 16 bytes (22: 64 MiB), half filled, then probed twice as
 * often, half of the probes in vain. Every operation goes to a random page.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct Entry {
  uint64_t key, value;
};

static uint64_t mix(uint64_t x) {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccdULL;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

int main(int argc, char **argv) {
  unsigned bits = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 22;
  if (bits < 4 || bits > 32) return 1;
  uint64_t mask = (1ULL << bits) - 1, found = 0;
  struct Entry *table = calloc(mask + 1, sizeof *table);
  if (!table) return 1;
  for (uint64_t i = 1; i <= (mask + 1) / 2; i++) {
    uint64_t slot = mix(i) & mask;
    while (table[slot].key) slot = (slot + 1) & mask;
    table[slot].key = i;
    table[slot].value = i * 3;
  }
  for (uint64_t i = 1; i <= mask + 1; i++) {
    for (uint64_t slot = mix(i) & mask; table[slot].key; slot = (slot + 1) & mask) {
      if (table[slot].key != i) continue;
      found += table[slot].value;
      break;
    }
  }
  printf("%llu\n", (unsigned long long)found);
  return 0;
}
