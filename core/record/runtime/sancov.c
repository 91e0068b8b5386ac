/*
 * The hooks that LLVM's coverage pass calls for loads and stores (SanitizerCoverage.cpp, -sanitizer-coverage-trace-loads
 * and -stores): what is recorded of Rust. It knows sizes of 1 to 16 bytes, and nothing of alignment.
 */
#include "runtime.h"

#define PC ((uint64_t)(uintptr_t)__builtin_return_address(0))

#define HOOKS(bytes, log2) \
  PL_EXPORT void __sanitizer_cov_load##bytes(void *address) { \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_READ | PL_SIZE(log2) | PL_UNALIGNED); \
  } \
  PL_EXPORT void __sanitizer_cov_store##bytes(void *address) { \
    pl_access(PC, (uint64_t)(uintptr_t)address, PL_WRITE | PL_SIZE(log2) | PL_UNALIGNED); \
  }

HOOKS(1, 0)
HOOKS(2, 1)
HOOKS(4, 2)
HOOKS(8, 3)
HOOKS(16, 4)
