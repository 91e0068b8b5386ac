/*
 * A crash at the ten-millionth access: 9,999,999 writes to one word (@store), then one to address 8 (@crash), which
 * the processor refuses. The recorder has seen that access before it was tried: 10,000,000 writes in all. The program
 * ends with signal SIGSEGV. The refused write belongs to no object.
 */
#include "known.h"

int main(void) {
  volatile uint64_t *cell = aligned_alloc(4096, 4096); // @block
  volatile uint64_t *nowhere = (volatile uint64_t *)8;
  if (!cell) return 1;
  HIDE(cell);
  HIDE(nowhere);
  for (uint64_t i = 0; i < 9999999; i++) {
    cell[0] = i; // @store
  }
  nowhere[0] = 1; // @crash
  return 0;
}
