/* The loaded modules: announced to the drain, and which of them carry hooks. */
#define _GNU_SOURCE
#include "runtime.h"
#include "sys.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>

#define MODULES 1024
static struct module {
  uint64_t base, low, high;
  bool announced;
} modules[MODULES];
static uint32_t module_count;

#define INSTRUMENTED 256
/* Address ranges of instrumented modules, read without the lock by the bulk wrappers. */
static struct {
  uint64_t low, high;
} instrumented[INSTRUMENTED];
static uint32_t instrumented_count;

struct segment {
  uint64_t offset, size, writable;
};

/* The build id note of the module, in memory. */
static struct pl_part build_id(const struct dl_phdr_info *info) {
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_NOTE) continue;
    const char *at = (const char *)(info->dlpi_addr + header->p_vaddr);
    const char *end = at + header->p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)at;
      const char *name = at + sizeof *note;
      const char *bytes = name + ((note->n_namesz + 3) & ~3u);
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && pl_starts_with(name, "GNU"))
        return (struct pl_part){bytes, note->n_descsz};
      at = bytes + ((note->n_descsz + 3) & ~3u);
    }
  }
  return (struct pl_part){"", 0};
}

static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  struct segment segments[32];
  uint32_t count = 0;
  uint64_t low = UINT64_MAX, high = 0;
  for (int i = 0; i < info->dlpi_phnum && count < 32; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD) continue;
    segments[count++] = (struct segment){header->p_vaddr, header->p_memsz, (header->p_flags & PF_W) != 0};
    if (info->dlpi_addr + header->p_vaddr < low) low = info->dlpi_addr + header->p_vaddr;
    if (info->dlpi_addr + header->p_vaddr + header->p_memsz > high) high = info->dlpi_addr + header->p_vaddr + header->p_memsz;
  }
  if (count == 0) return 0;
  uint32_t index = 0;
  while (index < module_count && (modules[index].base != info->dlpi_addr || modules[index].low != low)) index++;
  if (index == MODULES) return 0;
  if (index == module_count) modules[module_count++] = (struct module){info->dlpi_addr, low, high, false};
  if (modules[index].announced) return 0;
  modules[index].announced = true;

  char exe[4096];
  const char *path = info->dlpi_name;
  uint64_t length = pl_length(path);
  if (length == 0) {
    long result = PL_SYS4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", exe, sizeof exe);
    path = exe;
    length = result > 0 ? (uint64_t)result : 0;
  }
  struct pl_part id = build_id(info);
  struct {
    uint32_t module, segments;
    uint64_t base;
  } head = {index, count, info->dlpi_addr};
  uint32_t lengths[2] = {(uint32_t)id.length, (uint32_t)length};
  struct pl_part parts[] = {{&head, sizeof head}, {segments, count * sizeof segments[0]}, {lengths, sizeof lengths}, id, {path, length}};
  pl_meta(PL_META_MODULE, parts, 5);
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

void pl_modules_refresh_locked(void) {
  if (PL_LIKELY(!__atomic_load_n(&dynamic, __ATOMIC_RELAXED))) return;
  unsigned long long now = loads;
  dl_iterate_phdr(count_loads, &now);
  if (now == loads) return;
  loads = now;
  pl_modules_scan_locked();
}

void pl_modules_refresh(void) {
  struct pl_guard guard = pl_lock();
  pl_modules_refresh_locked();
  pl_unlock(guard);
}

static uint32_t find(uint64_t pc) {
  for (uint32_t i = 0; i < module_count; i++)
    if (pc - modules[i].low < modules[i].high - modules[i].low) return i;
  return UINT32_MAX;
}

uint32_t pl_module_of_locked(uint64_t pc) {
  uint32_t module = find(pc);
  if (module != UINT32_MAX) return module;
  /* Loaded behind our back, or code made at run time. */
  pl_modules_scan_locked();
  return find(pc);
}

bool pl_is_instrumented(uint64_t pc) {
  uint32_t count = __atomic_load_n(&instrumented_count, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count; i++)
    if (pc - instrumented[i].low < instrumented[i].high - instrumented[i].low) return true;
  return false;
}

void pl_module_instrumented_locked(uint64_t pc) {
  if (pl_is_instrumented(pc)) return;
  uint32_t module = pl_module_of_locked(pc);
  uint32_t count = instrumented_count;
  if (module == UINT32_MAX || count == INSTRUMENTED) return;
  instrumented[count].low = modules[module].low;
  instrumented[count].high = modules[module].high;
  __atomic_store_n(&instrumented_count, count + 1, __ATOMIC_RELEASE);
}

void pl_modules_forget(void) {
  for (uint32_t i = 0; i < module_count; i++) modules[i].announced = false;
}
