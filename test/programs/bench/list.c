/* list NODES LAPS: a circular list of 64-byte nodes in random order, walked LAPS times: every load waits for the last. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct Node {
  struct Node *next;
  uint64_t value, padding[6];
};

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 300000, laps = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
  struct Node *nodes = malloc(count * sizeof *nodes);
  uint32_t *order = malloc(count * sizeof *order);
  if (count < 2 || !nodes || !order) return 1;
  for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
  uint64_t state = 88172645463325252ULL;
  for (size_t i = count - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    size_t j = state % (i + 1);
    uint32_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
  for (size_t i = 0; i < count; i++) {
    nodes[order[i]].next = &nodes[order[(i + 1) % count]];
    nodes[order[i]].value = i;
  }
  free(order);
  uint64_t sum = 0;
  struct Node *node = nodes;
  for (size_t i = 0; i < count * laps; i++) {
    sum += node->value;
    node = node->next;
  }
  printf("%llu\n", (unsigned long long)sum);
  return 0;
}
