/* The modules of the process, as they are announced to the drain. */
#include "streams.h"
#include "sys.h"

#include <elf.h>

#define MODULES 1024
static struct module {
  uint64_t base, low, high;
  bool announced;
} modules[MODULES];
static uint32_t module_count;

#define SEGMENTS 32
struct segment {
  uint64_t offset, size, writable;
};

/* The build id note of the module, in memory. */
static struct pl_part build_id(const struct pl_image *image) {
  const Elf64_Phdr *headers = (const Elf64_Phdr *)image->headers;
  for (uint32_t i = 0; i < image->header_count; i++) {
    if (headers[i].p_type != PT_NOTE) continue;
    const char *at = (const char *)(image->memory + headers[i].p_vaddr);
    const char *end = at + headers[i].p_memsz;
    while (at + sizeof(Elf64_Nhdr) <= end) {
      const Elf64_Nhdr *note = (const Elf64_Nhdr *)at;
      const char *name = at + sizeof *note;
      const char *bytes = name + ((note->n_namesz + 3) & ~3u);
      if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && pl_starts_with(name, "GNU"))
        return (struct pl_part){bytes, note->n_descsz};
      at = bytes + ((note->n_descsz + 3) & ~3u);
    }
  }
  return (struct pl_part){"", 0};
}

void pl_module_announce_locked(const struct pl_image *image, const char *path) {
  struct segment segments[SEGMENTS];
  uint32_t count = 0;
  uint64_t low = UINT64_MAX, high = 0;
  const Elf64_Phdr *headers = (const Elf64_Phdr *)image->headers;
  for (uint32_t i = 0; i < image->header_count && count < SEGMENTS; i++) {
    const Elf64_Phdr *header = &headers[i];
    if (header->p_type != PT_LOAD) continue;
    segments[count++] = (struct segment){header->p_vaddr, header->p_memsz, (header->p_flags & PF_W) != 0};
    if (image->base + header->p_vaddr < low) low = image->base + header->p_vaddr;
    if (image->base + header->p_vaddr + header->p_memsz > high) high = image->base + header->p_vaddr + header->p_memsz;
  }
  if (count == 0) return;
  uint32_t index = 0;
  while (index < module_count && (modules[index].base != image->base || modules[index].low != low)) index++;
  if (index == MODULES) return;
  if (index == module_count) modules[module_count++] = (struct module){image->base, low, high, false};
  if (modules[index].announced) return;
  modules[index].announced = true;

  struct pl_part id = build_id(image);
  struct {
    uint32_t module, segments;
    uint64_t base;
  } head = {index, count, image->base};
  uint32_t lengths[2] = {(uint32_t)id.length, (uint32_t)pl_length(path)};
  struct pl_part parts[] = {
      {&head, sizeof head}, {segments, count * sizeof segments[0]}, {lengths, sizeof lengths}, id, {path, lengths[1]}};
  pl_meta(PL_META_MODULE, parts, 5);
  pl_watch_module_locked(image->base, path);
}

uint32_t pl_module_find_locked(uint64_t pc) {
  for (uint32_t i = 0; i < module_count; i++)
    if (pc - modules[i].low < modules[i].high - modules[i].low) return i;
  return UINT32_MAX;
}

void pl_module_bounds_locked(uint32_t module, uint64_t *low, uint64_t *high) {
  *low = modules[module].low;
  *high = modules[module].high;
}

void pl_modules_unmapped_locked(uint64_t at, uint64_t length) {
  /* Their numbers are not given again: another module may come to lie there. */
  for (uint32_t i = 0; i < module_count; i++)
    if (modules[i].low - at < length) modules[i] = (struct module){UINT64_MAX, 0, 0, true};
}

void pl_modules_forget(void) {
  for (uint32_t i = 0; i < module_count; i++) modules[i].announced = false;
}
