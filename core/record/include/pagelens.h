/*
 * Pagelens: what a program can say of itself while it is recorded.
 *
 *   pagelens_region_begin("solve") ... pagelens_region_end("solve")
 *       what happens in between on this thread. Regions nest; one that is not open is not ended.
 *   pagelens_phase("set-up")
 *       the whole process is in this phase, until the next.
 *   pagelens_tag(grid, "grid")
 *       the block or mapping that begins at this address is an object of this name from now on.
 *   pagelens_start(), pagelens_stop()
 *       the accesses of the whole run are recorded from now on, or not. Allocations always are.
 *
 * For C11 and C++11, on Linux; nothing is to be linked. Where nobody records, a call is a handful of instructions
 * without effect; with PAGELENS_DISABLE defined it is none. Names are read while the call lasts: at most 1,000 bytes count.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef PAGELENS_H
#define PAGELENS_H

/* Numbers that recorders know: MARK_* of core/kernel/abi.ts, and two that open and close windows. */
enum pagelens_mark {
  PAGELENS_REGION_BEGIN = 1,
  PAGELENS_REGION_END = 2,
  PAGELENS_PHASE = 3,
  PAGELENS_TAG = 4,
  PAGELENS_START = 5,
  PAGELENS_STOP = 6
};

#if !defined(PAGELENS_DISABLE) && defined(__GNUC__) && defined(__linux__) && defined(__LP64__)

#ifdef __cplusplus
extern "C" {
#endif
/* In the runtime that instrumented programs are linked with; nowhere else. Not 0: it was recorded. */
__attribute__((weak)) int pagelens_mark(int mark, const char *name, const void *address);
#ifdef __cplusplus
}
#endif

/*
 * Recorders of unmodified programs know the mark by these instructions, which do nothing by themselves: Valgrind's
 * client request (valgrind.h, VALGRIND_DO_CLIENT_REQUEST), then a load of the request, by which QEMU's plug-in finds it.
 */
__attribute__((unused)) static inline void pagelens_request(int mark, const char *name, const void *address) {
  volatile unsigned long request[6];
  request[0] = ((unsigned long)'P' << 24 | (unsigned long)'L' << 16) + (unsigned long)mark;
  request[1] = (unsigned long)name;
  request[2] = (unsigned long)address;
  request[3] = request[4] = request[5] = 0;
#if defined(__x86_64__)
  unsigned long result = 0;
  __asm__ volatile(
      "rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx\n\t"
      "cmpq $0, (%%rax)"
      : "+d"(result)
      : "a"(&request[0])
      : "cc", "memory", "rdi");
#elif defined(__aarch64__)
  register volatile unsigned long *at __asm__("x4") = request;
  register unsigned long result __asm__("x3") = 0;
  __asm__ volatile(
      "ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\tror x12, x12, #61\n\torr x10, x10, x10\n\t"
      "ldr xzr, [x4]"
      : "+r"(result)
      : "r"(at)
      : "cc", "memory", "x12");
#endif
}

__attribute__((unused)) static inline void pagelens_say(int mark, const char *name, const void *address) {
  if (!pagelens_mark || !pagelens_mark(mark, name, address)) pagelens_request(mark, name, address);
}
#define PAGELENS_SAY(mark, name, address) pagelens_say(mark, name, address)

#else
#define PAGELENS_SAY(mark, name, address) ((void)(name), (void)(address))
#endif

__attribute__((unused)) static inline void pagelens_region_begin(const char *name) {
  PAGELENS_SAY(PAGELENS_REGION_BEGIN, name, (const void *)0);
}
__attribute__((unused)) static inline void pagelens_region_end(const char *name) {
  PAGELENS_SAY(PAGELENS_REGION_END, name, (const void *)0);
}
__attribute__((unused)) static inline void pagelens_phase(const char *name) {
  PAGELENS_SAY(PAGELENS_PHASE, name, (const void *)0);
}
__attribute__((unused)) static inline void pagelens_start(void) {
  PAGELENS_SAY(PAGELENS_START, (const char *)0, (const void *)0);
}
__attribute__((unused)) static inline void pagelens_stop(void) {
  PAGELENS_SAY(PAGELENS_STOP, (const char *)0, (const void *)0);
}
__attribute__((unused)) static inline void pagelens_tag(const void *address, const char *name) {
  PAGELENS_SAY(PAGELENS_TAG, name, address);
}

#endif
