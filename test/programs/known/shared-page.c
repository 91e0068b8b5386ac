/*
 * Two objects in one page: blocks of 64 bytes from two allocation sites, allocated in pairs until a pair shares a page.
 *   @left: 300 writes to the first block; @right: 500 reads of the second. The page has both: 500 reads, 300 writes.
 *   Each object touches one page; pages are counted per object, so the sum over objects is 2 where the run has 1.
 */
#include "known.h"

int main(void) {
  volatile uint64_t *left, *right;
  do {
    left = malloc(64);  // @left-block
    right = malloc(64); // @right-block
    if (!left || !right) return 1;
  } while ((uintptr_t)left / 4096 != (uintptr_t)right / 4096);
  SHOW("left", left, 64);
  SHOW("right", right, 64);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 300; i++) {
    left[i % 8] = i; // @left
  }
  for (uint64_t i = 0; i < 500; i++) {
    sum += right[i % 8]; // @right
  }
  HIDE(sum);
  return 0;
}
