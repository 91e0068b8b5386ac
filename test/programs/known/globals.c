/*
 * Globals, statics and a function's static are objects with names of their own.
 *   table_global  512 words: @write-global 512 writes.   table_static  1,024 words: @read-static 3 x 1,024 = 3,072 reads.
 *   table_zero    2,048 words that start as zeros: @write-zero 2,048 writes, @read-zero 2,048 reads.
 *   calls, static in a function (named calls, calls.0 or count_calls.calls): @calls 250 reads, 250 writes.
 */
#include "known.h"

volatile uint64_t table_global[512] = {1};
static volatile uint64_t table_static[1024] = {1, 2, 3};
static volatile uint64_t table_zero[2048];

NOINLINE static uint64_t count_calls(void) {
  static volatile uint64_t calls = 5;
  return calls++; // @calls
}

int main(void) {
  SHOW("table_global", table_global, sizeof table_global);
  SHOW("table_static", table_static, sizeof table_static);
  SHOW("table_zero", table_zero, sizeof table_zero);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < 512; i++) {
    table_global[i] = i; // @write-global
  }
  for (uint64_t i = 0; i < 3 * 1024; i++) {
    sum += table_static[i % 1024]; // @read-static
  }
  for (uint64_t i = 0; i < 2048; i++) {
    table_zero[i] = i; // @write-zero
  }
  for (uint64_t i = 0; i < 2048; i++) {
    sum += table_zero[i]; // @read-zero
  }
  for (int i = 0; i < 250; i++) sum += count_calls();
  HIDE(sum);
  return 0;
}
