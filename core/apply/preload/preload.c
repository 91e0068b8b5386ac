/* The functions that the program calls instead of its allocator's: a block of an object of the plan comes from the
 * arena of its tier, everything else from where it would have come without us.
 *
 * The real functions are found by dlsym, which may allocate; until they are known, blocks come from a small buffer that
 * is never freed. While the library is at work on a thread, what it calls allocates as if the library were not there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

#define EXPORT __attribute__((visibility("default")))
/* The library is built with frame pointers: above the one pushed last stands the return address. */
#define CALL ((struct call){(uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0) + 16})

const struct plan_header *plan;
uint64_t *counts;

/* > 0: the library is at work. `decided`: the next allocation of the thread belongs to one that was looked at. */
static __thread int inside __attribute__((tls_model("initial-exec")));
static __thread bool decided __attribute__((tls_model("initial-exec")));

static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void *(*realloc)(void *, size_t);
  void (*free)(void *);
  void *(*memalign)(size_t, size_t);
  size_t (*usable)(void *);
} real;
static int resolving;

static char early[1 << 16] __attribute__((aligned(16)));
static size_t early_used;

static void *early_alloc(size_t bytes) {
  size_t at = __atomic_fetch_add(&early_used, (bytes + 31) & ~15ul, __ATOMIC_RELAXED);
  if (at + bytes + 16 > sizeof early) return NULL;
  *(size_t *)(early + at) = bytes;
  return early + at + 16;
}
static bool is_early(const void *block) { return (const char *)block >= early && (const char *)block < early + sizeof early; }

/* False while they are being looked up. */
static bool resolve(void) {
  if (likely(__atomic_load_n(&real.usable, __ATOMIC_ACQUIRE) != NULL)) return true;
  if (resolving) return false;
  resolving = 1;
  real.malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
  real.calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
  real.realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  real.free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  real.memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
  __atomic_store_n(&real.usable, (size_t(*)(void *))dlsym(RTLD_NEXT, "malloc_usable_size"), __ATOMIC_RELEASE);
  resolving = 0;
  return true;
}

static void *map_file(const char *name, int flags, int protection, int sharing) {
  const char *path = getenv(name);
  if (!path) return NULL;
  int file = open(path, flags | O_CLOEXEC);
  if (file < 0) return NULL;
  struct stat status;
  void *at = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size >= (off_t)sizeof(struct plan_header))
    at = (void *)syscall(SYS_mmap, NULL, (size_t)status.st_size, protection, sharing, file, 0);
  close(file);
  return at == MAP_FAILED ? NULL : at;
}

__attribute__((constructor)) static void start(void) {
  resolve();
  inside++;
  const struct plan_header *read = map_file("PAGELENS_PLAN", O_RDONLY, PROT_READ, MAP_PRIVATE);
  counts = map_file("PAGELENS_PLAN_COUNTS", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED);
  if (read && counts && read->magic == PLAN_MAGIC) {
    arena_start();
    match_start();
    plan = read;
    count_up(COUNT_PROCESSES, 1);
    place_globals();
  }
  inside--;
}

/* A block in the tier of the object that allocates; NULL: the plan knows of none. */
static void *placed(struct call call, size_t bytes, size_t alignment) {
  if (!plan || inside) return NULL;
  if (decided) {
    decided = false;
    return NULL;
  }
  inside++;
  int object = object_of_call(call, bytes);
  void *block = NULL;
  if (object >= 0) {
    const struct plan_object *objects = plan_at(plan->objects_at);
    block = arena_alloc(objects[object].tier, bytes, alignment);
    if (!block) count_up(COUNT_REFUSED_BYTES, bytes);
  }
  inside--;
  return block;
}

static void *allocate(struct call call, size_t bytes) {
  if (!resolve()) return early_alloc(bytes);
  void *block = placed(call, bytes, 16);
  return block ? block : real.malloc(bytes);
}

EXPORT void *malloc(size_t bytes) { return allocate(CALL, bytes); }

EXPORT void *calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  if (!resolve()) return early_alloc(bytes);
  void *block = placed(CALL, bytes, 16);
  return block ? memset(block, 0, bytes) : real.calloc(count, size);
}

EXPORT void free(void *block) {
  if (!block || is_early(block)) return;
  if (arena_owns(block)) arena_free(block);
  else if (resolve()) real.free(block);
}

static size_t usable(void *block) {
  if (is_early(block)) return *(size_t *)((char *)block - 16);
  return arena_owns(block) ? arena_size(block) : real.usable(block);
}

/* To a new block; the old one is freed once the bytes are copied. */
static void *moved(void *old, void *block, size_t bytes) {
  if (!block) return NULL;
  size_t had = usable(old);
  memcpy(block, old, had < bytes ? had : bytes);
  free(old);
  return block;
}

static void *reallocate(struct call call, void *old, size_t bytes) {
  if (!old) return allocate(call, bytes);
  if (!resolve() || is_early(old)) return moved(old, allocate(call, bytes), bytes);
  if (arena_owns(old)) {
    if (bytes == 0) {
      arena_free(old);
      return NULL;
    }
    size_t had = arena_size(old);
    if (bytes <= had && bytes > had / 2) return old;
    /* It stays in its tier: the block is the same object, whoever makes it larger. */
    void *block = arena_alloc(arena_tier(old), bytes, 16);
    return moved(old, block ? block : real.malloc(bytes), bytes);
  }
  if (bytes == 0) return real.realloc(old, 0);
  void *block = placed(call, bytes, 16);
  return block ? moved(old, block, bytes) : real.realloc(old, bytes);
}

EXPORT void *realloc(void *old, size_t bytes) { return reallocate(CALL, old, bytes); }

EXPORT void *reallocarray(void *old, size_t count, size_t size) {
  size_t bytes;
  if (!__builtin_mul_overflow(count, size, &bytes)) return reallocate(CALL, old, bytes);
  errno = ENOMEM;
  return NULL;
}

static void *aligned(struct call call, size_t alignment, size_t bytes) {
  if (!resolve()) return NULL;
  void *block = placed(call, bytes, alignment < 16 ? 16 : alignment);
  return block ? block : real.memalign(alignment, bytes);
}

static bool is_power(size_t alignment) { return alignment && !(alignment & (alignment - 1)); }

static void *aligned_checked(struct call call, size_t alignment, size_t bytes) {
  if (is_power(alignment)) return aligned(call, alignment, bytes);
  return resolve() ? real.memalign(alignment, bytes) : NULL;
}

EXPORT void *memalign(size_t alignment, size_t bytes) { return aligned_checked(CALL, alignment, bytes); }
EXPORT void *aligned_alloc(size_t alignment, size_t bytes) { return aligned_checked(CALL, alignment, bytes); }
EXPORT void *valloc(size_t bytes) { return aligned(CALL, PAGE, bytes); }
EXPORT void *pvalloc(size_t bytes) { return aligned(CALL, PAGE, (bytes + PAGE - 1) & ~(PAGE - 1)); }

EXPORT int posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (!is_power(alignment) || alignment % sizeof(void *)) return EINVAL;
  int before = errno;
  void *made = aligned(CALL, alignment, bytes);
  errno = before;
  if (!made) return ENOMEM;
  *block = made;
  return 0;
}

EXPORT size_t malloc_usable_size(void *block) { return block && resolve() ? usable(block) : 0; }

/* What the program maps itself stays where the kernel puts it; its pages go to the tier's node. */
EXPORT void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset) {
  long at = syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
  if (at == -1) return MAP_FAILED;
  if (plan && !inside && bytes) {
    inside++;
    int object = object_of_call(CALL, bytes);
    const struct plan_object *objects = plan_at(plan->objects_at);
    if (object >= 0) bind_pages((void *)at, (bytes + PAGE - 1) & ~(PAGE - 1), objects[object].tier, false);
    inside--;
  }
  return (void *)at;
}
EXPORT void *mmap64(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
    __attribute__((alias("mmap")));

/* dlopen stays as it is: it looks where its caller is. */
EXPORT int dlclose(void *handle) {
  static int (*next)(void *);
  if (!next) next = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
  int status = next(handle);
  if (plan) forget_modules();
  return status;
}

/* operator new and its kin, by their names in the Itanium C++ ABI: so the caller is the program. What is not placed is
 * the C++ library's, which knows what to throw; the malloc that it calls is decided already. */
typedef const void *nothrow;
#define OPERATOR_NEW(name, declared, passed, alignment)                                  \
  EXPORT void *name declared {                                                           \
    static void *(*next) declared;                                                       \
    void *block = placed(CALL, bytes, alignment);                                      \
    if (block) return block;                                                             \
    if (!next) __atomic_store_n(&next, (void *(*) declared)dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED); \
    decided = plan && !inside;                                                           \
    return next passed;                                                                  \
  }
OPERATOR_NEW(_Znwm, (size_t bytes), (bytes), 16)
OPERATOR_NEW(_Znam, (size_t bytes), (bytes), 16)
OPERATOR_NEW(_ZnwmRKSt9nothrow_t, (size_t bytes, nothrow tag), (bytes, tag), 16)
OPERATOR_NEW(_ZnamRKSt9nothrow_t, (size_t bytes, nothrow tag), (bytes, tag), 16)
OPERATOR_NEW(_ZnwmSt11align_val_t, (size_t bytes, size_t to), (bytes, to), to < 16 ? 16 : to)
OPERATOR_NEW(_ZnamSt11align_val_t, (size_t bytes, size_t to), (bytes, to), to < 16 ? 16 : to)
OPERATOR_NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t to, nothrow tag), (bytes, to, tag), to < 16 ? 16 : to)
OPERATOR_NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t bytes, size_t to, nothrow tag), (bytes, to, tag), to < 16 ? 16 : to)
