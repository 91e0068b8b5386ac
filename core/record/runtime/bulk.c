/*
 * Bulk and string functions: the program's own calls of them, recorded as ranges on the caller's line, with exactly the
 * bytes that a scan must look at. Calls from libraries without hooks pass through.
 *
 * A program may call these before the real ones are known (relocation processing, early constructors); the runtime's
 * own calls come here too. So the fallbacks must not be turned into calls of themselves by the compiler.
 */
#include "real.h"

#include <string.h>
#include <strings.h>

#if defined(__x86_64__)
static void *copy_forward(void *to, const void *from, size_t n) {
  void *result = to;
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
  return result;
}
static void *fill(void *to, int value, size_t n) {
  void *result = to;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
  return result;
}
#else
static void *copy_forward(void *to, const void *from, size_t n) {
  volatile char *out = to;
  for (const volatile char *in = from; n > 0; n--) *out++ = *in++;
  return to;
}
static void *fill(void *to, int value, size_t n) {
  for (volatile char *out = to; n > 0; n--) *out++ = (char)value;
  return to;
}
#endif

static void *copy(void *to, const void *from, size_t n) {
  if ((uintptr_t)to - (uintptr_t)from >= n) return copy_forward(to, from, n);
  volatile char *out = (char *)to + n;
  const volatile char *in = (const char *)from + n;
  while (n-- > 0) *--out = *--in;
  return to;
}

/* Resolved by a constructor: looking them up in the middle of relocation processing would not be safe. */
static void *(*real_memcpy)(void *, const void *, size_t);
static void *(*real_memmove)(void *, const void *, size_t);
static void *(*real_memset)(void *, int, size_t);

static void __attribute__((constructor(102))) resolve(void) {
  real_memcpy = pl_real("memcpy");
  real_memmove = pl_real("memmove");
  real_memset = pl_real("memset");
}

static inline void *do_memcpy(void *to, const void *from, size_t n) {
  return PL_LIKELY(real_memcpy) ? real_memcpy(to, from, n) : copy_forward(to, from, n);
}
static inline void *do_memmove(void *to, const void *from, size_t n) {
  return PL_LIKELY(real_memmove) ? real_memmove(to, from, n) : copy(to, from, n);
}
static inline void *do_memset(void *to, int value, size_t n) {
  return PL_LIKELY(real_memset) ? real_memset(to, value, n) : fill(to, value, n);
}

static inline void reads(uint64_t pc, const void *p, size_t n) {
  if (n && pl_is_instrumented(pc)) pl_range(pc, (uint64_t)(uintptr_t)p, PL_RANGE_READ, n);
}
static inline void writes(uint64_t pc, const void *p, size_t n) {
  if (n && pl_is_instrumented(pc)) pl_range(pc, (uint64_t)(uintptr_t)p, PL_RANGE_WRITE, n);
}
static inline void copies(uint64_t pc, const void *to, const void *from, size_t n) {
  reads(pc, from, n);
  writes(pc, to, n);
}

/* Bytes up to the terminator and with it, at most n: plain loops, for they run before libc is ready too. */
static size_t scanned(const char *s, size_t n) {
  size_t length = 0;
  while (length < n && s[length]) length++;
  return length < n ? length + 1 : n;
}

#define LENGTH(s) (REAL(strlen)(s))

PL_EXPORT void *memcpy(void *restrict to, const void *restrict from, size_t n) {
  copies(PC, to, from, n);
  return do_memcpy(to, from, n);
}
PL_EXPORT void *memmove(void *to, const void *from, size_t n) {
  copies(PC, to, from, n);
  return do_memmove(to, from, n);
}
PL_EXPORT void *memset(void *to, int value, size_t n) {
  writes(PC, to, n);
  return do_memset(to, value, n);
}
PL_EXPORT void *mempcpy(void *restrict to, const void *restrict from, size_t n) {
  copies(PC, to, from, n);
  return (char *)do_memcpy(to, from, n) + n;
}
PL_EXPORT void bcopy(const void *from, void *to, size_t n) {
  copies(PC, to, from, n);
  do_memmove(to, from, n);
}
PL_EXPORT void bzero(void *to, size_t n) {
  writes(PC, to, n);
  do_memset(to, 0, n);
}

/* What newer clang calls instead, always from instrumented code. */
PL_EXPORT void *__tsan_memcpy(void *to, const void *from, size_t n);
PL_EXPORT void *__tsan_memmove(void *to, const void *from, size_t n);
PL_EXPORT void *__tsan_memset(void *to, int value, size_t n);
PL_EXPORT void *__tsan_memcpy(void *to, const void *from, size_t n) {
  copies(PC, to, from, n);
  return do_memcpy(to, from, n);
}
PL_EXPORT void *__tsan_memmove(void *to, const void *from, size_t n) {
  copies(PC, to, from, n);
  return do_memmove(to, from, n);
}
PL_EXPORT void *__tsan_memset(void *to, int value, size_t n) {
  writes(PC, to, n);
  return do_memset(to, value, n);
}

/* _FORTIFY_SOURCE's variants: the real ones check. */
#define CHECKED(name, parameters, arguments, record) \
  PL_EXPORT void *__##name##_chk parameters; \
  PL_EXPORT void *__##name##_chk parameters { \
    record; \
    return REAL(__##name##_chk) arguments; \
  }
CHECKED(memcpy, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), copies(PC, to, from, n))
CHECKED(memmove, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), copies(PC, to, from, n))
CHECKED(mempcpy, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), copies(PC, to, from, n))
CHECKED(memset, (void *to, int value, size_t n, size_t room), (to, value, n, room), writes(PC, to, n))
CHECKED(strcpy, (char *to, const char *from, size_t room), (to, from, room), copies(PC, to, from, LENGTH(from) + 1))
CHECKED(stpcpy, (char *to, const char *from, size_t room), (to, from, room), copies(PC, to, from, LENGTH(from) + 1))
CHECKED(strncpy, (char *to, const char *from, size_t n, size_t room), (to, from, n, room),
        (reads(PC, from, scanned(from, n)), writes(PC, to, n)))

/* ---- comparing and searching: up to the byte that decides ---- */

/* Bytes that a comparison of n (text: up to a terminator) looks at. Eight at a time where all n may be read. */
static size_t common(const unsigned char *a, const unsigned char *b, size_t n, bool text) {
  size_t i = 0;
  while (!text && n - i >= 8) {
    uint64_t x, y;
    __builtin_memcpy(&x, a + i, 8);
    __builtin_memcpy(&y, b + i, 8);
    if (x != y) break;
    i += 8;
  }
  while (i < n && a[i] == b[i] && !(text && a[i] == 0)) i++;
  return i < n ? i + 1 : n;
}

#define COMPARES(a, b, n, text) \
  do { \
    if (pl_is_instrumented(PC)) { \
      size_t length = common((const unsigned char *)(a), (const unsigned char *)(b), n, text); \
      reads(PC, a, length); \
      reads(PC, b, length); \
    } \
  } while (0)

PL_EXPORT int memcmp(const void *a, const void *b, size_t n) {
  COMPARES(a, b, n, false);
  return REAL(memcmp)(a, b, n);
}
PL_EXPORT int bcmp(const void *a, const void *b, size_t n) {
  COMPARES(a, b, n, false);
  return REAL(memcmp)(a, b, n);
}
PL_EXPORT int strcmp(const char *a, const char *b) {
  COMPARES(a, b, SIZE_MAX, true);
  return REAL(strcmp)(a, b);
}
PL_EXPORT int strncmp(const char *a, const char *b, size_t n) {
  COMPARES(a, b, n, true);
  return REAL(strncmp)(a, b, n);
}
PL_EXPORT void *memchr(const void *p, int value, size_t n) {
  void *found = REAL(memchr)(p, value, n);
  reads(PC, p, found ? (size_t)((char *)found - (const char *)p) + 1 : n);
  return found;
}
PL_EXPORT void *memrchr(const void *p, int value, size_t n) {
  void *found = REAL(memrchr)(p, value, n);
  size_t skipped = found ? (size_t)((char *)found - (const char *)p) : 0;
  reads(PC, (const char *)p + skipped, n - skipped);
  return found;
}
PL_EXPORT size_t strlen(const char *s) {
  size_t length = PL_LIKELY(real_memcpy) ? REAL(strlen)(s) : scanned(s, SIZE_MAX) - 1;
  reads(PC, s, length + 1);
  return length;
}
PL_EXPORT size_t strnlen(const char *s, size_t n) {
  size_t length = REAL(strnlen)(s, n);
  reads(PC, s, length < n ? length + 1 : n);
  return length;
}
PL_EXPORT char *strchr(const char *s, int value) {
  char *found = REAL(strchr)(s, value);
  if (pl_is_instrumented(PC)) reads(PC, s, found ? (size_t)(found - s) + 1 : LENGTH(s) + 1);
  return found;
}
PL_EXPORT char *strchrnul(const char *s, int value) {
  char *found = REAL(strchrnul)(s, value);
  reads(PC, s, (size_t)(found - s) + 1);
  return found;
}
PL_EXPORT char *strrchr(const char *s, int value) {
  if (pl_is_instrumented(PC)) reads(PC, s, LENGTH(s) + 1);
  return REAL(strrchr)(s, value);
}
PL_EXPORT char *strstr(const char *s, const char *part) {
  char *found = REAL(strstr)(s, part);
  if (pl_is_instrumented(PC)) {
    size_t length = LENGTH(part);
    reads(PC, s, found ? (size_t)(found - s) + length : LENGTH(s) + 1);
    reads(PC, part, length + 1);
  }
  return found;
}
PL_EXPORT size_t strspn(const char *s, const char *set) {
  size_t length = REAL(strspn)(s, set);
  reads(PC, s, length + 1);
  return length;
}
PL_EXPORT size_t strcspn(const char *s, const char *set) {
  size_t length = REAL(strcspn)(s, set);
  reads(PC, s, length + 1);
  return length;
}

/* ---- copying text ---- */

PL_EXPORT char *strcpy(char *restrict to, const char *restrict from) {
  size_t n = LENGTH(from) + 1;
  copies(PC, to, from, n);
  return do_memcpy(to, from, n);
}
PL_EXPORT char *stpcpy(char *restrict to, const char *restrict from) {
  size_t n = LENGTH(from) + 1;
  copies(PC, to, from, n);
  return (char *)do_memcpy(to, from, n) + n - 1;
}
PL_EXPORT char *strncpy(char *restrict to, const char *restrict from, size_t n) {
  reads(PC, from, scanned(from, n));
  writes(PC, to, n);
  return REAL(strncpy)(to, from, n);
}
PL_EXPORT char *strcat(char *restrict to, const char *restrict from) {
  size_t before = LENGTH(to), n = LENGTH(from) + 1;
  reads(PC, to, before + 1);
  copies(PC, to + before, from, n);
  do_memcpy(to + before, from, n);
  return to;
}
PL_EXPORT char *strncat(char *restrict to, const char *restrict from, size_t n) {
  size_t before = LENGTH(to), length = REAL(strnlen)(from, n);
  reads(PC, to, before + 1);
  reads(PC, from, scanned(from, n));
  writes(PC, to + before, length + 1);
  do_memcpy(to + before, from, length);
  to[before + length] = 0;
  return to;
}
PL_EXPORT char *strdup(const char *s) {
  char *copy = REAL(strdup)(s);
  if (copy) copies(PC, copy, s, LENGTH(s) + 1);
  return copy;
}
PL_EXPORT char *strndup(const char *s, size_t n) {
  char *copy = REAL(strndup)(s, n);
  if (copy) {
    reads(PC, s, scanned(s, n));
    writes(PC, copy, LENGTH(copy) + 1);
  }
  return copy;
}
