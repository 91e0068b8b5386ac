/*
 * System calls without libc: the runtime interposes libc's functions, must keep errno, and may run before libc is ready.
 */
#ifndef PAGELENS_SYS_H
#define PAGELENS_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

/* The kernel's result: -errno on failure. */
static inline long pl_sys6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
#else
#error "Pagelens records on x86-64 and AArch64 Linux only."
#endif
}

#define PL_SYS6(n, a, b, c, d, e, f) pl_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define PL_SYS4(n, a, b, c, d) PL_SYS6(n, a, b, c, d, 0, 0)
#define PL_SYS3(n, a, b, c) PL_SYS6(n, a, b, c, 0, 0, 0)
#define PL_SYS2(n, a, b) PL_SYS6(n, a, b, 0, 0, 0, 0)
#define PL_SYS1(n, a) PL_SYS6(n, a, 0, 0, 0, 0, 0)
#define PL_SYS0(n) PL_SYS6(n, 0, 0, 0, 0, 0, 0)

/* The few bytes and names that the runtime handles itself: libc's functions would come back to it. */

static inline uint64_t pl_length(const char *text) {
  uint64_t length = 0;
  while (text[length]) length++;
  return length;
}

static inline void pl_copy(void *to, const void *from, uint64_t bytes) {
  const char *in = (const char *)from;
  for (char *out = (char *)to; bytes > 0; bytes--) {
    *out++ = *in++;
    __asm__ volatile("" ::: "memory"); /* else the compiler makes it a call of memcpy */
  }
}

static inline int pl_starts_with(const char *text, const char *start) {
  while (*start)
    if (*text++ != *start++) return 0;
  return 1;
}

#endif
