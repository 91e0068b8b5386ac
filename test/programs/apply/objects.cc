// Blocks of operator new, one that is too large to be had, and a library that is loaded late.
#include <dlfcn.h>

#include <cstdio>
#include <memory>
#include <new>
#include <vector>

struct Node {
  long values[512];
};

__attribute__((noinline)) std::unique_ptr<Node> make_node(long value) {
  auto node = std::make_unique<Node>();
  node->values[511] = value;
  return node;
}

int main(int count, char **arguments) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (long i = 0; i < 1000; i++) nodes.push_back(make_node(i));
  long sum = 0;
  for (const auto &node : nodes) sum += node->values[511];
  try {
    volatile unsigned long bytes = 1ul << 60;
    operator delete(operator new(bytes));
    std::puts("wrong: no exception");
  } catch (const std::bad_alloc &) {
    sum += make_node(1)->values[511];
  }
  if (count > 1) {
    void *library = dlopen(arguments[1], RTLD_NOW);
    auto make = library ? reinterpret_cast<char *(*)()>(dlsym(library, "plugin_block")) : nullptr;
    std::printf("plug-in %d\n", make ? make()[5] : -1);
  }
  std::printf("sum %ld\n", sum);
}
