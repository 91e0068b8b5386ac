/*
 * What the guest has in memory: QEMU's interface does not tell, but in user mode the guest's memory is part of this
 * process, at a constant distance. See qemu.h for the licence.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "plugin.h"

/* What is added to a guest address to find it here. */
static uint64_t distance;
static char path[4096];
static uint32_t machine;

struct mapping {
  uint64_t low, high, offset;
  bool readable;
  char path[512];
};

/* Calls back for each mapping of this process until it returns true, which is then the result. */
static bool each_mapping(bool (*f)(const struct mapping *, void *), void *data) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) return false;
  char line[1024];
  bool found = false;
  while (!found && fgets(line, sizeof line, maps)) {
    struct mapping each = {.path = ""};
    char permissions[8];
    unsigned long low, high, offset;
    if (sscanf(line, "%lx-%lx %7s %lx %*s %*s %511[^\n]", &low, &high, permissions, &offset, each.path) < 4) continue;
    each.low = low;
    each.high = high;
    each.offset = offset;
    each.readable = permissions[0] == 'r';
    found = f(&each, data);
  }
  fclose(maps);
  return found;
}

/* Where this process had files before the guest was loaded: its own code. */
#define OWN_MAX 1024
static uint64_t own[OWN_MAX];
static uint32_t own_count;

static bool note_own(const struct mapping *m, void *data) {
  (void)data;
  if (m->path[0] == '/' && own_count < OWN_MAX) own[own_count++] = m->low;
  return false;
}

void plq_guest_before(void) { each_mapping(note_own, NULL); }

static bool is_own(uint64_t low) {
  for (uint32_t i = 0; i < own_count; i++)
    if (own[i] == low) return true;
  return false;
}

/* The ELF header that a mapping begins with, of the guest's machine when that is known; else null. */
static const Elf64_Ehdr *header_of(const struct mapping *m) {
  if (m->offset != 0 || !m->readable || m->path[0] != '/' || is_own(m->low)) return NULL;
  const Elf64_Ehdr *head = (const Elf64_Ehdr *)(uintptr_t)m->low;
  if (m->high - m->low < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0) return NULL;
  if (head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_phentsize != sizeof(Elf64_Phdr)) return NULL;
  if (head->e_phoff + head->e_phnum * sizeof(Elf64_Phdr) > m->high - m->low) return NULL;
  return machine != 0 && head->e_machine != machine ? NULL : head;
}

/* The lowest virtual address of the file's segments, of a page; of those that execute when asked. */
static uint64_t lowest(const Elf64_Ehdr *head, bool executes) {
  const Elf64_Phdr *headers = (const Elf64_Phdr *)((const char *)head + head->e_phoff);
  uint64_t low = UINT64_MAX;
  for (uint32_t i = 0; i < head->e_phnum; i++)
    if (headers[i].p_type == PT_LOAD && (!executes || headers[i].p_flags & PF_X) && headers[i].p_vaddr < low)
      low = headers[i].p_vaddr;
  return low;
}

static void announce(const struct mapping *m, const Elf64_Ehdr *head) {
  uint64_t memory = m->low - (lowest(head, false) & ~(uint64_t)(PL_PAGE - 1));
  struct pl_image image = {memory - distance, memory, (const char *)head + head->e_phoff, head->e_phnum};
  struct pl_guard guard = pl_lock();
  pl_module_announce_locked(&image, m->path);
  pl_unlock(guard);
}

/* The program: the mapping of its path whose code QEMU says to begin where it does. */
static bool find_program(const struct mapping *m, void *data) {
  (void)data;
  const Elf64_Ehdr *head = header_of(m);
  if (!head || strcmp(m->path, path) != 0) return false;
  uint64_t guest = qemu_plugin_start_code() - lowest(head, true);
  distance = m->low - (lowest(head, false) & ~(uint64_t)(PL_PAGE - 1)) - guest;
  machine = head->e_machine;
  return true;
}

static bool announce_each(const struct mapping *m, void *data) {
  (void)data;
  const Elf64_Ehdr *head = header_of(m);
  if (head) announce(m, head);
  return false;
}

void plq_guest_find(void) {
  const char *given = qemu_plugin_path_to_binary();
  if (given && realpath(given, path)) each_mapping(find_program, NULL);
}

void plq_guest_announce(void) { each_mapping(announce_each, NULL); }

const char *plq_guest_path(void) { return path; }
uint32_t plq_guest_machine(void) { return machine; }

static bool holds(const struct mapping *m, void *data) {
  struct mapping *wanted = data;
  if (wanted->low < m->low || wanted->low >= m->high) return false;
  *wanted = *m;
  return true;
}

void plq_guest_mapped(uint64_t at) {
  struct mapping m = {.low = at + distance};
  if (!each_mapping(holds, &m) || m.low != at + distance) return;
  const Elf64_Ehdr *head = header_of(&m);
  if (head) announce(&m, head);
}

const void *plq_guest_memory(uint64_t at) { return (const void *)(uintptr_t)(at + distance); }

bool plq_guest_range(uint64_t at, uint64_t *low, uint64_t *high) {
  struct mapping m = {.low = at + distance};
  if (!each_mapping(holds, &m)) return false;
  *low = m.low - distance;
  *high = m.high - distance;
  return true;
}
