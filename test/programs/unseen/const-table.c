/*
 * 1000 reads of a constant table, of a string literal by its own text, of one through a pointer, and of a table that
 * is not constant. The index comes from a volatile, so that no compiler can fold, vectorise or leave out a read.
 */
#include "marked.h"

static const int constant[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
static int variable[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
static volatile int step = 7;

/* The compiler keeps equal literals of a file once. */
#define LITERAL "a literal of 31 characters here"

int main(void) {
  const char *pointed = "a pointed literal of 35 characters";
  mark("constant", constant, sizeof constant);
  mark("literal", LITERAL, sizeof LITERAL);
  mark("pointed", pointed, 32);
  mark("variable", variable, sizeof variable);
  int sum = 0;
  for (int i = 0; i < ROUNDS; i++) {
    int at = i * step;
    sum += constant[at & 15];
    sum += LITERAL[at & 31];
    sum += pointed[at & 31];
    sum += variable[at & 15];
  }
  printf("sum %d\n", sum);
  return 0;
}
