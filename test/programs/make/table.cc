#include <vector>
#include "parts.h"

static std::vector<int> table;

int *make_table(int count) {
  table.reserve(count);
  int *data = table.data();
  for (int i = 0; i < count; i++) data[i] = i;
  return data;
}
