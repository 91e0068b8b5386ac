/* 1000 each: a load and a store intrinsic of 16 bytes, a streaming store, a masked load and a masked store (-mavx2). */
#include <immintrin.h>
#include "marked.h"

static __m128i from[16], to[16], streamed[16];
static int maskedFrom[64] __attribute__((aligned(32))), maskedTo[64] __attribute__((aligned(32)));
static volatile int step = 1;

int main(void) {
  mark("from", from, sizeof from);
  mark("to", to, sizeof to);
  mark("streamed", streamed, sizeof streamed);
  mark("maskedFrom", maskedFrom, sizeof maskedFrom);
  mark("maskedTo", maskedTo, sizeof maskedTo);
  __m256i mask = _mm256_set1_epi32(-step);
  for (int i = 0; i < ROUNDS; i++) {
    int at = i * step & 15;
    __m128i value = _mm_loadu_si128(&from[at]);
    _mm_storeu_si128(&to[at], value);
    _mm_stream_si128(&streamed[at], value);
    __m256i part = _mm256_maskload_epi32(&maskedFrom[at & 7], mask);
    _mm256_maskstore_epi32(&maskedTo[at & 7], mask, part);
  }
  _mm_sfence();
  printf("done\n");
  return 0;
}
