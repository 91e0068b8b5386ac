/* What the dynamic loader has loaded, and which of it carries hooks. */
#define _GNU_SOURCE
#include "runtime.h"
#include "sys.h"

#include <fcntl.h>
#include <link.h>

#define INSTRUMENTED 256
/* Address ranges of instrumented modules, read without the lock by the bulk wrappers. */
static struct {
  uint64_t low, high;
} instrumented[INSTRUMENTED];
static uint32_t instrumented_count;

static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  char exe[4096];
  const char *path = info->dlpi_name;
  if (!*path) {
    long length = PL_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe - 1);
    exe[length > 0 ? length : 0] = 0;
    path = exe;
  }
  struct pl_image image = {info->dlpi_addr, info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum};
  pl_module_announce_locked(&image, path);
  return 0;
}

void pl_modules_scan_locked(void) { dl_iterate_phdr(visit, NULL); }

/* The program has called dlopen: modules may appear at any time. */
static bool dynamic;
/* libc's count of loaded modules at the latest scan. */
static unsigned long long loads;

void pl_modules_dynamic(void) { __atomic_store_n(&dynamic, true, __ATOMIC_RELAXED); }

static int count_loads(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  *(unsigned long long *)data = info->dlpi_adds;
  return 1;
}

static void refresh_locked(void) {
  if (PL_LIKELY(!__atomic_load_n(&dynamic, __ATOMIC_RELAXED))) return;
  unsigned long long now = loads;
  dl_iterate_phdr(count_loads, &now);
  if (now == loads) return;
  loads = now;
  pl_modules_scan_locked();
}

void pl_modules_refresh(void) {
  struct pl_guard guard = pl_lock();
  refresh_locked();
  pl_unlock(guard);
}

static uint32_t module_of(uint64_t pc) {
  uint32_t module = pl_module_find_locked(pc);
  if (module != UINT32_MAX) return module;
  /* Loaded behind our back, or code made at run time. */
  pl_modules_scan_locked();
  return pl_module_find_locked(pc);
}

uint32_t pl_site_module_locked(uint64_t pc) {
  /* The code that runs after loading a module is new as a rule. */
  refresh_locked();
  return module_of(pc);
}

bool pl_is_instrumented(uint64_t pc) {
  uint32_t count = __atomic_load_n(&instrumented_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (pc - instrumented[i].low < instrumented[i].high - instrumented[i].low) return true;
  return false;
}

static void module_instrumented(uint64_t pc) {
  if (pl_is_instrumented(pc)) return;
  uint32_t module = module_of(pc);
  uint32_t count = instrumented_count;
  if (module == UINT32_MAX || count == INSTRUMENTED) return;
  pl_module_bounds_locked(module, &instrumented[count].low, &instrumented[count].high);
  __atomic_store_n(&instrumented_count, count + 1, __ATOMIC_RELEASE);
}

void pl_site_announced_locked(uint64_t pc, uint32_t kind, uint64_t function) {
  /* An access hook is always called, never jumped to, so its pc lies in the code that it is about. */
  uint32_t site_class = kind & PL_CLASS_MASK;
  if (site_class <= PL_WRITE)
    module_instrumented(pc);
  else if (site_class == PL_ENTRY)
    module_instrumented(function & ~PL_WATCHED);
}
