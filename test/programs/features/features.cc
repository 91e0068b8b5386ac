/*
 * What C++ programs do, each on an array of its own, whose accesses are the same at every level of optimisation. By hand,
 * reads and writes:
 *
 *   thrown     400,  400   100 exceptions through three frames: an increment before, one in a destructor, two in catch
 *   called    1000, 1000   a virtual function
 *   counted   4000, 4000   fetch_add on references to plain elements (std::atomic_ref), by four threads
 *   waited       0,    4   stores of four threads that another waits for; its loads depend on the order of the threads
 *   pair         1,    2   one 16-byte atomic: store, exchange
 *   unrolled   256,  256   a template, instantiated for 16 lengths
 */
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

volatile int thrown[4];
volatile int called[10];
int counted[4];
std::atomic<int> waited[4];
volatile int unrolled[16];

struct alignas(16) Pair {
  long a, b;
};
std::atomic<Pair> pair;

struct Guard {
  ~Guard() { thrown[1] = thrown[1] + 1; }
};

__attribute__((noinline)) static void deepest(int i) {
  thrown[0] = thrown[0] + 1;
  if (i >= 0) throw std::runtime_error("thrown");
}
__attribute__((noinline)) static void deep(int i) {
  Guard guard;
  deepest(i);
}

static void exceptions() {
  for (int i = 0; i < 100; i++) {
    try {
      try {
        deep(i);
      } catch (const std::logic_error &) {
        abort();
      } catch (...) {
        thrown[2] = thrown[2] + 1;
        throw;
      }
    } catch (const std::exception &error) {
      thrown[3] = thrown[3] + 1;
    }
  }
}

/* The stack of this allocation tells whether the exceptions took their frames with them. */
__attribute__((noinline)) static std::unique_ptr<char[]> allocate_behind() { return std::make_unique<char[]>(4321); }

struct Shape {
  virtual ~Shape() = default;
  virtual void touch(int i) = 0;
};
struct Circle : Shape {
  void touch(int i) override { called[i] = called[i] + 1; }
};

template <int n> static void unroll() {
  for (int i = 0; i < 16; i++) unrolled[i] = unrolled[i] + n;
  if constexpr (n > 1) unroll<n - 1>();
}

static void threads() {
  std::vector<std::thread> all;
  for (int i = 0; i < 4; i++)
    all.emplace_back([i] {
      for (int k = 0; k < 1000; k++) std::atomic_ref<int>(counted[(i + k) % 4]).fetch_add(1);
      waited[i].store(1);
      waited[i].notify_one();
    });
  for (auto &flag : waited) flag.wait(0);
  for (auto &thread : all) thread.join();
}

int main() {
  exceptions();
  auto block = allocate_behind();
  std::unique_ptr<Shape> shape = std::make_unique<Circle>();
  for (int k = 0; k < 100; k++)
    for (int i = 0; i < 10; i++) shape->touch(i);
  threads();
  pair.store(Pair{1, 2});
  Pair before = pair.exchange(Pair{3, 4});
  unroll<16>();
  puts(before.a == 1 && before.b == 2 && block ? "done" : "wrong");
  return 0;
}
