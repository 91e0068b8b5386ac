#include "parts.h"

long sum(const int *table, int count) {
  long total = 0;
  for (int i = 0; i < count; i++) total += table[i];
  return total;
}
