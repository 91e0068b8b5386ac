/* 1000 gathers of eight 4-byte elements (-mavx2). */
#include <immintrin.h>
#include "marked.h"

static int from[256];
static volatile int step = 5;

int main(void) {
  mark("from", from, sizeof from);
  __m256i index = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(step));
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < ROUNDS; i++) sum = _mm256_add_epi32(sum, _mm256_i32gather_epi32(from + (i * step & 63), index, 4));
  printf("sum %d\n", _mm256_extract_epi32(sum, 0));
  return 0;
}
