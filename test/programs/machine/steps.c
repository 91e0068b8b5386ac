/*
 * Accesses of all kinds and sizes that an instruction makes, for a count beside another tool: 1 to 32 bytes, masked,
 * x87's 10 bytes, string instructions, calls and returns. Statically linked, it does the same in every run.
 */
#include <immintrin.h>
#include <stdint.h>
#include <stdlib.h>

static volatile uint8_t bytes[64];
static volatile uint16_t halves[64];
static volatile uint64_t words[64];
static double reals[64] __attribute__((aligned(32)));
static long double extended[16];

__attribute__((noinline)) static uint64_t depth(uint64_t n) { return n == 0 ? 0 : words[n & 63] + depth(n - 1); }

__attribute__((target("avx2"), noinline)) static void vectors(void) {
  __m256i mask = _mm256_set_epi64x(-1, 0, -1, 0);
  for (int i = 0; i < 64; i += 4) {
    __m256d loaded = _mm256_load_pd(reals + i);
    _mm256_maskstore_pd(reals + i, mask, _mm256_add_pd(loaded, _mm256_maskload_pd(reals + (i ^ 4), mask)));
  }
}

int main(void) {
  for (int i = 0; i < 64; i++) {
    bytes[i] = (uint8_t)i;
    halves[i] = (uint16_t)(bytes[i] + 1);
    words[i] += halves[i];
  }
  for (int i = 1; i < 16; i++) extended[i] = extended[i - 1] + reals[i];
  if (__builtin_cpu_supports("avx2")) vectors();
  void *to = (void *)bytes, *from = (void *)words;
  uint64_t count = 37;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
  uint64_t *block = calloc(100, 8);
  for (int i = 0; block && i < 100; i++) block[i] = depth((uint64_t)i & 7);
  free(block);
  return 0;
}
