// Templates, inlining, virtual calls, statics and lambdas: what the symbol readers are compared on.
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

static int table[1000];
const double weights[4] = {0.1, 0.2, 0.3, 0.4};
thread_local int perThread = 3;

namespace geometry {

struct Counter {
  static int members[64];
};
int Counter::members[64];

template <class T>
inline T sum(const std::vector<T> &values) {
  T total = 0;
  for (auto value : values)
    total += value;
  return total;
}

struct Shape {
  virtual double area(int scale) = 0;
  virtual ~Shape() {}
};

struct Square : Shape {
  double side = 3;
  double area(int scale) override {
    table[scale % 1000] += scale;
    return side * side * weights[scale & 3];
  }
};

} // namespace geometry

static inline int bump(int index) {
  static long counter;
  counter += index;
  return table[index] += (int)counter;
}

template <class F>
__attribute__((noinline)) void times(int count, F body) {
  for (int i = 0; i < count; i++)
    body(i);
}

int main(int argc, char **argv) {
  std::vector<int> numbers;
  for (int i = 0; i < argc * 100; i++)
    numbers.push_back(i);
  std::map<std::string, int> words;
  for (int i = 0; i < argc; i++)
    words[argv[i]] = i;
  std::unique_ptr<geometry::Shape> shape(new geometry::Square);
  geometry::Counter::members[argc & 63] = 4;
  int seen = 0;
  times(argc + 5, [&](int i) { seen += bump(i) + numbers[i]; });
  std::printf("%d %zu %f %d %d\n", geometry::sum(numbers), words.size(), shape->area(argc), seen, perThread);
  return 0;
}
