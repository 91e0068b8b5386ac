/*
 * Accesses that straddle pages: the field `value` has 4 bytes at the end of one page and 4 at the start of the next.
 *   @write: 10 writes, @read: 20 reads. An access counts once, on the page of its first byte, and touches both:
 *   the first page has 20 reads and 10 writes, the second none, yet two pages are touched.
 *   @inside: 5 writes of an unaligned field within the second page. It then has 5 writes.
 */
#include "known.h"

struct __attribute__((packed)) Record {
  char before[4092];
  uint64_t value;
  char between[7];
  uint32_t inside;
};

int main(void) {
  volatile struct Record *record = aligned_alloc(4096, 2 * 4096); // @block
  if (!record) return 1;
  SHOW("record", record, 2 * 4096);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 10; i++) {
    record->value = i; // @write
  }
  for (int i = 0; i < 20; i++) {
    sum += record->value; // @read
  }
  for (uint32_t i = 0; i < 5; i++) {
    record->inside = i; // @inside
  }
  HIDE(sum);
  return 0;
}
