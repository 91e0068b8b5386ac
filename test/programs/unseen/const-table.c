/*
 * 1000 reads of a constant table, 1000 of a string literal, and 1000 of a table that is not constant. The index comes
 * from a volatile, so that no compiler can fold, vectorise or leave out a read.
 */
#include "marked.h"

static const int constant[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
static int variable[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
static volatile int step = 7;

int main(void) {
  const char *literal = "a literal of 31 characters here";
  mark("constant", constant, sizeof constant);
  mark("literal", literal, 32);
  mark("variable", variable, sizeof variable);
  int sum = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int at = i * step;
    sum += constant[at & 15];
    sum += literal[at & 31];
    sum += variable[at & 15];
  }
  printf("sum %d\n", sum);
  return 0;
}
