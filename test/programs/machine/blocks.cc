/*
 * Every way to get a block, each written 10 times 8 bytes: 10 writes, but those that the allocator itself makes on the
 * block. The realloc moves its block (its 10 words are copied), grows it again in place or moves it, and one fails.
 */
#include <cstdint>
#include <cstdlib>
#include <new>

static void fill(void *block) {
  volatile uint64_t *words = static_cast<volatile uint64_t *>(block);
  for (int i = 0; i < 10; i++) words[i] = i;
}

int main() {
  void *a = malloc(80); // @malloc
  fill(a);
  void *b = aligned_alloc(64, 128); // @aligned_alloc
  fill(b);
  void *c = nullptr;
  if (posix_memalign(&c, 4096, 96) != 0) return 1; // @posix_memalign
  fill(c);
  uint64_t *d = new uint64_t[11]; // @array
  fill(d);
  struct alignas(64) Wide { uint64_t words[10]; };
  Wide *e = new Wide; // @aligned_new
  fill(e);
  void *f = operator new(104, std::nothrow); // @nothrow
  fill(f);
  volatile size_t huge = SIZE_MAX / 2;
  void *none = realloc(a, huge); // @refused
  if (none) return 1;
  fill(a);
  void *g = realloc(a, 100000); // @realloc
  fill(g);
  free(g);
  free(b);
  free(c);
  delete[] d;
  delete e;
  operator delete(f);
  return 0;
}
