/*
 * Bulk operations count one access per started 64-byte line and direction: from offset o (of a line's start) n bytes
 * start (o + n - 1) / 64 - o / 64 + 1 lines, in whole numbers; none for n = 0.
 *   @set-1      memset o 0,  n 1     1 write       @set-64     o 0,  n 64    1 write
 *   @set-65     o 0,  n 65           2 writes      @set-edge   o 63, n 2     2 writes
 *   @set-odd    o 10, n 1000         1009/64 - 0 + 1 = 16 writes
 *   @set-none   n 0                  0
 *   @copy       memcpy to o 5 from o 60, 200 bytes: writes 204/64 + 1 = 4, reads 259/64 - 0 + 1 = 5
 *   @copy-page  memcpy to o 0 from o 1, 4096 bytes: writes 64, reads 4096/64 + 1 = 65
 *   @move       memmove to o 32 from o 0, 300 bytes: writes 331/64 + 1 = 6, reads 299/64 + 1 = 5
 * Sums: writes 1 + 1 + 2 + 2 + 16 + 4 + 64 = 90 on `to` and 6 on `both`; reads 5 + 65 = 70 on `from` and 5 on `both`.
 */
#include "known.h"
#include <string.h>

int main(void) {
  char *to = aligned_alloc(4096, 2 * 4096);   // @to-block
  char *from = aligned_alloc(4096, 2 * 4096); // @from-block
  char *both = aligned_alloc(4096, 4096);     // @both-block
  if (!to || !from || !both) return 1;
  SHOW("to", to, 2 * 4096);
  SHOW("from", from, 2 * 4096);
  SHOW("both", both, 4096);
  HIDE(to);
  HIDE(from);
  HIDE(both);
  size_t n = 1;
  HIDE(n);
  memset(to, 1, n); // @set-1
  n = 64;
  HIDE(n);
  memset(to, 2, n); // @set-64
  n = 65;
  HIDE(n);
  memset(to, 3, n); // @set-65
  n = 2;
  HIDE(n);
  memset(to + 63, 4, n); // @set-edge
  n = 1000;
  HIDE(n);
  memset(to + 10, 5, n); // @set-odd
  n = 0;
  HIDE(n);
  memset(to, 6, n); // @set-none
  n = 200;
  HIDE(n);
  memcpy(to + 5, from + 60, n); // @copy
  n = 4096;
  HIDE(n);
  memcpy(to, from + 1, n); // @copy-page
  n = 300;
  HIDE(n);
  memmove(both + 32, both, n); // @move
  HIDE(to);
  HIDE(both);
  return 0;
}
