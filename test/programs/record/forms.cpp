// Every form of allocation and every size of atomic, once each, with sizes that name the form. Prints where atomics lie.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <new>
#include <sys/mman.h>
#include <unistd.h>

struct alignas(64) Wide {
  char bytes[64];
};
static char volatile *volatile sink;
static void keep(void *p) { sink = static_cast<char *>(p); }

static unsigned char a1;
static unsigned short a2;
static unsigned a4;
static unsigned long a8;
alignas(16) static unsigned __int128 a16;

// One load, one store, one exchange, one addition and one compare-and-swap that succeeds: 4 reads and 4 writes.
template <class T> __attribute__((noinline)) static void atomics(T *p) {
  T value = __atomic_load_n(p, __ATOMIC_ACQUIRE);
  __atomic_store_n(p, static_cast<T>(value + 1), __ATOMIC_RELEASE);
  value = __atomic_exchange_n(p, static_cast<T>(7), __ATOMIC_ACQ_REL);
  __atomic_fetch_add(p, static_cast<T>(1), __ATOMIC_RELAXED);
  T expected = 8;
  if (!__atomic_compare_exchange_n(p, &expected, static_cast<T>(9), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) abort();
}

int main() {
  char *one = new char;
  keep(one);
  delete one;
  char *many = new char[1001];
  keep(many);
  delete[] many;
  void *plain = ::operator new(1002);
  ::operator delete(plain, static_cast<size_t>(1002));
  void *nothrow = ::operator new(1003, std::nothrow);
  ::operator delete(nothrow, std::nothrow);
  void *array = ::operator new[](1004, std::nothrow);
  ::operator delete[](array, std::nothrow);
  Wide *wide = new Wide;
  keep(wide);
  delete wide;
  Wide *wides = new Wide[3];
  keep(wides);
  delete[] wides;
  void *aligned = ::operator new(1005, std::align_val_t(256), std::nothrow);
  ::operator delete(aligned, std::align_val_t(256), std::nothrow);

  keep(malloc(1006));
  free(const_cast<char *>(sink));
  keep(calloc(19, 53)); // 1007
  keep(realloc(const_cast<char *>(sink), 1008));
  keep(reallocarray(const_cast<char *>(sink), 1009, 1));
  free(const_cast<char *>(sink));
  keep(aligned_alloc(128, 1152));
  free(const_cast<char *>(sink));
  keep(memalign(128, 1010));
  free(const_cast<char *>(sink));
  void *posix = nullptr;
  if (posix_memalign(&posix, 128, 1011) != 0) return 1;
  free(posix);
  keep(strdup("seven c")); // 8
  free(const_cast<char *>(sink));

  char *map = static_cast<char *>(mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char *moved = static_cast<char *>(mremap(map, 8192, 20480, MREMAP_MAYMOVE));
  moved[16384] = 1;
  munmap(moved, 20480);
  char *end = static_cast<char *>(sbrk(4096));
  if (end == reinterpret_cast<char *>(-1)) return 2;
  end[0] = 1;
  if (brk(end + 8192) != 0) return 3;

  atomics(&a1);
  atomics(&a2);
  atomics(&a4);
  atomics(&a8);
  atomics(&a16);
  std::printf("map %p %p\nbreak %p\natomics %p %p %p %p %p\n", static_cast<void *>(map), static_cast<void *>(moved),
              static_cast<void *>(end), static_cast<void *>(&a1), static_cast<void *>(&a2), static_cast<void *>(&a4),
              static_cast<void *>(&a8), static_cast<void *>(&a16));
  return 0;
}
