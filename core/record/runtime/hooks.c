/*
 * The hooks that compilers call under -fsanitize=thread: gcc's sanitizer.def (BUILT_IN_TSAN_*) and LLVM's
 * ThreadSanitizer.cpp. A hook's return address is the program counter of its access.
 */
#include "runtime.h"

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0))
/* Stack pointer of the caller, before it called. */
#define SP ((uint64_t)(uintptr_t)__builtin_dwarf_cfa())
#define HOOK PL_EXPORT void

#define ACCESS(name, kind) \
  HOOK name(void *address) { pl_access(PC, (uint64_t)(uintptr_t)address, kind); }
#define ACCESSES(bytes, log2) \
  ACCESS(__tsan_read##bytes, PL_READ | PL_SIZE(log2)) \
  ACCESS(__tsan_write##bytes, PL_WRITE | PL_SIZE(log2)) \
  ACCESS(__tsan_unaligned_read##bytes, PL_READ | PL_SIZE(log2) | PL_UNALIGNED) \
  ACCESS(__tsan_unaligned_write##bytes, PL_WRITE | PL_SIZE(log2) | PL_UNALIGNED) \
  ACCESS(__tsan_volatile_read##bytes, PL_READ | PL_SIZE(log2)) \
  ACCESS(__tsan_volatile_write##bytes, PL_WRITE | PL_SIZE(log2)) \
  ACCESS(__tsan_unaligned_volatile_read##bytes, PL_READ | PL_SIZE(log2) | PL_UNALIGNED) \
  ACCESS(__tsan_unaligned_volatile_write##bytes, PL_WRITE | PL_SIZE(log2) | PL_UNALIGNED) \
  HOOK __tsan_read_write##bytes(void *address) { \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_READ | PL_SIZE(log2)); \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_WRITE | PL_SIZE(log2)); \
  } \
  HOOK __tsan_unaligned_read_write##bytes(void *address) { \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_READ | PL_SIZE(log2) | PL_UNALIGNED); \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_WRITE | PL_SIZE(log2) | PL_UNALIGNED); \
  }

ACCESSES(1, 0)
ACCESSES(2, 1)
ACCESSES(4, 2)
ACCESSES(8, 3)
ACCESSES(16, 4)

/* The write of an object's virtual table pointer; its read before a virtual call. */
HOOK __tsan_vptr_update(void *address, void *value) {
  (void)value;
  pl_access(PC, (uint64_t)(uintptr_t)address, PL_WRITE | PL_SIZE(3));
}
ACCESS(__tsan_vptr_read, PL_READ | PL_SIZE(3))

/*
 * gcc calls the range hooks for copied structures, and also for a plain load or store of a field that may be unaligned
 * (of a packed structure): lengths that one instruction accesses are one access, even where it straddles a line.
 */
PL_INLINE void range(uint64_t pc, void *address, uint32_t direction, unsigned long length) {
  if (PL_LIKELY(length <= 16 && (length & (length - 1)) == 0)) {
    if (length == 0) return;
    uint32_t log2 = (uint32_t)__builtin_ctzl(length);
    pl_access(pc, (uint64_t)(uintptr_t)address, direction | PL_SIZE(log2) | PL_UNALIGNED);
  } else {
    pl_range(pc, (uint64_t)(uintptr_t)address, PL_RANGE_READ + direction, length);
  }
}
HOOK __tsan_read_range(void *address, unsigned long length) { range(PC, address, PL_READ, length); }
HOOK __tsan_write_range(void *address, unsigned long length) { range(PC, address, PL_WRITE, length); }

HOOK __tsan_func_entry(void *return_address) { pl_entry(PC, (uint64_t)(uintptr_t)return_address, SP); }
HOOK __tsan_func_exit(void) { pl_exit(PC, SP); }

HOOK __tsan_init(void) { pl_start(); }

/* Calls that only the race detector needs. */
HOOK __tsan_ignore_thread_begin(void) {}
HOOK __tsan_ignore_thread_end(void) {}
HOOK __tsan_switch_to_fiber(void *fiber, unsigned flags) { (void)fiber, (void)flags; }

/* ---- include/pagelens.h ---- */

PL_EXPORT int pagelens_mark(int mark, const char *name, const void *address) {
  struct pl_context *c = pl_context_get();
  if (!c) return 0;
  pl_mark(c, (uint32_t)mark, name, (uint64_t)(uintptr_t)address);
  return 1;
}
