#include "parts.h"

void scale(int *table, int count, int factor) {
  for (int i = 0; i < count; i++) table[i] *= factor;
}
