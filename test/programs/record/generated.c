/*
 * Steps that no compiler would emit in this order: calls the hooks directly from 64 call sites each, with addresses,
 * lengths, successors and frames drawn from a seed. Not instrumented itself.
 *   generated SEED STEPS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void __tsan_init(void);
void __tsan_read1(void *);
void __tsan_write8(void *);
void __tsan_unaligned_read4(void *);
void __tsan_read_write4(void *);
void __tsan_read_range(void *, unsigned long);
void __tsan_write_range(void *, unsigned long);
void __tsan_func_entry(void *);
void __tsan_func_exit(void);

static uint64_t state;
static uint64_t draw(uint64_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 11) % below;
}

/* 64 call sites of one statement. */
#define CASE(n, call) case n: call; break;
#define EIGHT(n, call) CASE(n, call) CASE(n + 1, call) CASE(n + 2, call) CASE(n + 3, call) \
  CASE(n + 4, call) CASE(n + 5, call) CASE(n + 6, call) CASE(n + 7, call)
#define SITES(call) EIGHT(0, call) EIGHT(8, call) EIGHT(16, call) EIGHT(24, call) \
  EIGHT(32, call) EIGHT(40, call) EIGHT(48, call) EIGHT(56, call)
#define HOOK(name, parameters, call) \
  static __attribute__((noinline)) void name parameters { \
    switch (site) { SITES(call; __asm__ volatile("")) } \
  }
HOOK(reads, (unsigned site, void *p), __tsan_read1(p))
HOOK(writes, (unsigned site, void *p), __tsan_write8(p))
HOOK(unaligned, (unsigned site, void *p), __tsan_unaligned_read4(p))
HOOK(both, (unsigned site, void *p), __tsan_read_write4(p))
HOOK(range_reads, (unsigned site, void *p, unsigned long n), __tsan_read_range(p, n))
HOOK(range_writes, (unsigned site, void *p, unsigned long n), __tsan_write_range(p, n))

static long left;
static unsigned sites, chaos;

static uint64_t address(unsigned site) {
  static uint64_t last[64], stride[64];
  if (draw(100) < chaos) {
    switch (draw(6)) {
      case 0: last[site] = draw(1 << 20); break;
      case 1: last[site] = draw(1ull << 47); break;
      case 2: last[site] = -draw(1 << 12); break; /* the top of the address space: deltas wrap */
      case 3: last[site] = last[draw(64)] + draw(64); break;
      case 4: stride[site] = draw(5000) - 2500; break;
      default: stride[site] = 0; break;
    }
  }
  return last[site] += stride[site];
}

static uint64_t low(uint64_t a) { return a & ((1ull << 46) - 1); }

static __attribute__((noinline)) void level(int depth) {
  __tsan_func_entry((void *)(0x400000 + draw(sites) * 16));
  unsigned at = 0, loop = 1 + (unsigned)draw(sites);
  while (left > 0) {
    left--;
    at = draw(100) < chaos ? (unsigned)draw(sites) : (at + 1) % loop;
    void *p = (void *)address(at);
    unsigned kind = (at + (draw(1000) < chaos)) % 8;
    if (kind < 3) reads(at, p);
    else if (kind == 3) writes(at, p);
    else if (kind == 4) unaligned(at, p);
    else if (kind == 5) both(at, p);
    else if (kind == 6) range_reads(at, (void *)low((uint64_t)p), 1 + draw(3) * draw(chaos + 1) * 50);
    else range_writes(at, (void *)low((uint64_t)p), 1 + draw(200));
    if (draw(100) < chaos) {
      if (depth < 200 && draw(2)) level(depth + 1);
      else if (depth > 0) break;
    }
  }
  /* Sometimes as if left by a longjmp: the frame is found dead later. */
  if (draw(100) >= chaos / 4) __tsan_func_exit();
  __asm__ volatile("");
}

int main(int argc, char **argv) {
  __tsan_init();
  state = 88172645463325252ull + strtoull(argv[argc - 2], NULL, 10) * 2654435761u;
  left = strtol(argv[argc - 1], NULL, 10);
  sites = 1 + (unsigned)draw(64);
  chaos = (unsigned)(draw(3) ? draw(12) : draw(100));
  while (left > 0) level(0);
  return 0;
}
