/*
 * Allocations and mappings. A free takes its sequence number before the real call and an allocation after it, so that
 * a block which another thread gets at once is seen freed first.
 *
 * Each is named by the program counter of the program's own code: where malloc is called from a library without hooks
 * (strdup, fopen, libstdc++), that is found by unwinding.
 */
#include "real.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <unwind.h>

__thread uint32_t pl_inside __attribute__((tls_model("initial-exec")));

/* ---- before the real functions are known: dlsym itself may allocate ---- */

static char early[65536] __attribute__((aligned(16)));
static size_t early_used;
static __thread bool resolving __attribute__((tls_model("initial-exec")));

static void *early_alloc(size_t size) {
  size_t at = __atomic_fetch_add(&early_used, (size + 31) & ~(size_t)15, __ATOMIC_RELAXED) + 16;
  if (at + size > sizeof early) return NULL;
  *(size_t *)(early + at - 16) = size;
  return early + at;
}

static bool is_early(const void *p) { return (const char *)p >= early && (const char *)p < early + sizeof early; }

void *pl_real(const char *name) {
  PL_NATIVE();
  resolving = true;
  /* Condition variables have an old incompatible version that an unversioned look-up may give. */
  void *found = pl_starts_with(name, "pthread_cond") ? dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2") : NULL;
  if (!found) found = dlsym(RTLD_NEXT, name);
  resolving = false;
  return found;
}

/* ---- who allocates ---- */

static _Unwind_Reason_Code frame_visit(struct _Unwind_Context *context, void *data) {
  uint64_t pc = _Unwind_GetIP(context);
  if (!pl_is_instrumented(pc)) return _URC_NO_REASON;
  *(uint64_t *)data = pc;
  return _URC_END_OF_STACK;
}

uint64_t pl_caller(uint64_t pc) {
  if (pl_is_instrumented(pc)) return pc;
  uint64_t found = pc;
  PL_INSIDE();
  PL_NATIVE();
  _Unwind_Backtrace(frame_visit, &found);
  return found;
}

static void allocated(const void *p, size_t size, uint64_t pc, uint32_t kind) {
  if (!p) return;
  struct pl_context *c = pl_recording();
  if (!c) return;
  int saved = errno;
  pc = pl_caller(pc);
  pl_event(c, PL_EVENT_ALLOC, pl_seq_take(), (uint64_t)(uintptr_t)p, size, pc, kind);
  errno = saved;
}

static void freeing(const void *p) {
  if (!p) return;
  struct pl_context *c = pl_recording();
  if (c) pl_event(c, PL_EVENT_FREE, pl_seq_take(), (uint64_t)(uintptr_t)p, 0, 0, 0);
}

/* ---- malloc and friends ---- */

PL_EXPORT void *malloc(size_t size) {
  if (PL_UNLIKELY(resolving)) return early_alloc(size);
  void *p = REAL(malloc)(size);
  allocated(p, size, PC, PL_ALLOC_MALLOC);
  return p;
}

PL_EXPORT void *calloc(size_t count, size_t size) {
  if (PL_UNLIKELY(resolving)) return early_alloc(count * size); /* static memory is zero */
  void *p = REAL(calloc)(count, size);
  allocated(p, count * size, PC, PL_ALLOC_CALLOC);
  return p;
}

PL_EXPORT void free(void *p) {
  if (PL_UNLIKELY(is_early(p))) return;
  if (PL_UNLIKELY(resolving)) return;
  freeing(p);
  REAL(free)(p);
}

static void *resize(void *old, size_t size, uint64_t pc) {
  if (PL_UNLIKELY(resolving || is_early(old))) {
    void *p = resolving ? early_alloc(size) : REAL(malloc)(size);
    if (old && p) {
      size_t before = is_early(old) ? *(size_t *)((char *)old - 16) : size;
      pl_copy(p, old, before < size ? before : size);
    }
    allocated(p, size, pc, PL_ALLOC_REALLOC);
    return p;
  }
  freeing(old);
  void *p = REAL(realloc)(old, size);
  if (p)
    allocated(p, size, pc, PL_ALLOC_REALLOC);
  else if (size != 0 && old)
    /* Refused: the old block lives on. */
    allocated(old, malloc_usable_size(old), pc, PL_ALLOC_REALLOC);
  return p;
}

PL_EXPORT void *realloc(void *old, size_t size) { return resize(old, size, PC); }

PL_EXPORT void *reallocarray(void *old, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return resize(old, bytes, PC);
}

#define ALIGNED(name, alignment, size, parameters, arguments) \
  PL_EXPORT void *name parameters { \
    void *p; \
    { \
      PL_INSIDE(); \
      p = REAL(name) arguments; \
    } \
    allocated(p, size, PC, PL_ALLOC_ALIGNED); \
    return p; \
  }
ALIGNED(aligned_alloc, alignment, size, (size_t alignment, size_t size), (alignment, size))
ALIGNED(memalign, alignment, size, (size_t alignment, size_t size), (alignment, size))
ALIGNED(valloc, 4096, size, (size_t size), (size))
ALIGNED(pvalloc, 4096, (size + 4095) & ~(size_t)4095, (size_t size), (size))

PL_EXPORT int posix_memalign(void **p, size_t alignment, size_t size) {
  int result;
  {
    PL_INSIDE();
    result = REAL(posix_memalign)(p, alignment, size);
  }
  if (result == 0) allocated(*p, size, PC, PL_ALLOC_ALIGNED);
  return result;
}

/* ---- C++: the real operators, so that new_handler and bad_alloc work (this file is built with -fexceptions) ---- */

/*
 * A program that needs nothing else of the C++ library may be linked without it, since these definitions are found
 * first. Nothing in it could catch an exception then.
 */
static bool without_library(void) {
  static int without; /* 0: not asked yet, 1: no, 2: yes */
  int known = __atomic_load_n(&without, __ATOMIC_RELAXED);
  if (PL_LIKELY(known)) return known == 2;
  known = pl_real("_Znwm") ? 1 : 2;
  __atomic_store_n(&without, known, __ATOMIC_RELAXED);
  return known == 2;
}

static void *plain_new(size_t size, size_t alignment, bool nothrow) {
  void *p = alignment ? REAL(memalign)(alignment, size) : REAL(malloc)(size);
  if (!p && !nothrow) abort();
  return p;
}

#define NEW(symbol, parameters, arguments, alignment, nothrow) \
  PL_EXPORT void *symbol parameters; \
  PL_EXPORT void *symbol parameters { \
    void *p; \
    { \
      PL_INSIDE(); \
      p = without_library() ? plain_new(size, alignment, nothrow) : REAL(symbol) arguments; \
    } \
    allocated(p, size, PC, PL_ALLOC_NEW); \
    return p; \
  }
#define DELETE(symbol, parameters, arguments) \
  PL_EXPORT void symbol parameters; \
  PL_EXPORT void symbol parameters { \
    freeing(p); \
    PL_INSIDE(); \
    if (without_library()) \
      REAL(free)(p); \
    else \
      REAL(symbol) arguments; \
  }
#define OPERATORS(new_name, delete_name) \
  NEW(new_name##m, (size_t size), (size), 0, false) \
  NEW(new_name##mRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow), 0, true) \
  NEW(new_name##mSt11align_val_t, (size_t size, size_t alignment), (size, alignment), alignment, false) \
  NEW(new_name##mSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow), \
      (size, alignment, nothrow), alignment, true) \
  DELETE(delete_name##Pv, (void *p), (p)) \
  DELETE(delete_name##PvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow)) \
  DELETE(delete_name##Pvm, (void *p, size_t size), (p, size)) \
  DELETE(delete_name##PvSt11align_val_t, (void *p, size_t alignment), (p, alignment)) \
  DELETE(delete_name##PvSt11align_val_tRKSt9nothrow_t, (void *p, size_t alignment, const void *nothrow), \
         (p, alignment, nothrow)) \
  DELETE(delete_name##PvmSt11align_val_t, (void *p, size_t size, size_t alignment), (p, size, alignment))
OPERATORS(_Znw, _Zdl)
OPERATORS(_Zna, _Zda)

/* ---- mappings ---- */

static inline bool refused(long result) {
  if ((unsigned long)result < -4095ul) return false;
  errno = (int)-result;
  return true;
}

static void *map(void *at, size_t length, int protection, int flags, int fd, off_t offset, uint64_t pc) {
  long result = PL_SYS6(SYS_mmap, at, length, protection, flags, fd, offset);
  struct pl_context *c = pl_recording();
  if (c) pl_called(c, SYS_mmap, result, 0);
  if (refused(result)) return MAP_FAILED;
  if (c) pl_mapped(c, (uint64_t)result, length, flags, fd, pc);
  return (void *)result;
}

PL_EXPORT void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  return map(at, length, protection, flags, fd, offset, PC);
}
PL_EXPORT void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
  return map(at, length, protection, flags, fd, offset, PC);
}

PL_EXPORT int munmap(void *at, size_t length) {
  struct pl_context *c = pl_recording();
  if (c) pl_unmapping(c, (uint64_t)(uintptr_t)at, length);
  long result = PL_SYS2(SYS_munmap, at, length);
  if (c) pl_called(c, SYS_munmap, result, 0);
  return refused(result) ? -1 : 0;
}

PL_EXPORT void *mremap(void *old, size_t old_length, size_t length, int flags, ...) {
  va_list more;
  va_start(more, flags);
  void *fixed = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
  va_end(more);
  long result = PL_SYS6(SYS_mremap, old, old_length, length, flags, fixed, 0);
  struct pl_context *c = pl_recording();
  if (c) pl_called(c, SYS_mremap, result, 0);
  if (refused(result)) return MAP_FAILED;
  if (c) pl_remapped(c, (uint64_t)(uintptr_t)old, old_length, (uint64_t)result, length);
  return (void *)result;
}

/* libc's own call inside these traps; only where nothing traps it is recorded here. */
static void moved_break(void) {
  struct pl_context *c = pl_dispatch.on ? NULL : pl_recording();
  if (!c) return;
  long end = PL_SYS1(SYS_brk, 0);
  pl_called(c, SYS_brk, end, 0);
  pl_broke(c, (uint64_t)end);
}

PL_EXPORT int brk(void *end) {
  int result = REAL(brk)(end);
  if (result == 0) moved_break();
  return result;
}

PL_EXPORT void *sbrk(intptr_t change) {
  void *before = REAL(sbrk)(change);
  if (change != 0 && before != (void *)-1) moved_break();
  return before;
}
