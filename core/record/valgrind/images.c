/* Executable images: the program, its loader and its libraries, found where they are mapped. See tool.h for the licence. */
#include "pub_tool_basics.h"
#include "pub_tool_aspacemgr.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_mallocfree.h"

#include <elf.h>

#include "tool.h"

static Addr loader_low, loader_high;

Bool plt_is_loader(Addr pc) { return pc >= loader_low && pc < loader_high; }

/* glibc's ld-linux-x86-64.so.2 and ld-2.31.so, musl's ld-musl-x86_64.so.1. */
static Bool names_loader(const HChar *path) {
  const HChar *name = VG_(strrchr)(path, '/');
  return VG_(strncmp)(name ? name + 1 : path, "ld-", 3) == 0;
}

void plt_image_mapped(Addr at) {
  const NSegment *segment = VG_(am_find_nsegment)(at);
  if (!segment || segment->kind != SkFileC || !segment->hasR || segment->offset != 0) return;
  const HChar *path = VG_(am_get_filename)(segment);
  const Elf64_Ehdr *head = (const Elf64_Ehdr *)at;
  SizeT size = segment->end + 1 - at;
  if (!path || size < sizeof *head || VG_(memcmp)(head->e_ident, ELFMAG, SELFMAG) != 0) return;
  if (head->e_phentsize != sizeof(Elf64_Phdr) || head->e_phoff + head->e_phnum * sizeof(Elf64_Phdr) > size) return;
  const Elf64_Phdr *headers = (const Elf64_Phdr *)(at + head->e_phoff);
  Addr low = ~(Addr)0, high = 0;
  for (UInt i = 0; i < head->e_phnum; i++) {
    if (headers[i].p_type != PT_LOAD) continue;
    if (headers[i].p_vaddr < low) low = headers[i].p_vaddr;
    if (headers[i].p_vaddr + headers[i].p_memsz > high) high = headers[i].p_vaddr + headers[i].p_memsz;
  }
  if (high == 0) return;
  Addr base = at - (low & ~(Addr)(PL_PAGE - 1));
  if (names_loader(path)) {
    loader_low = base + low;
    loader_high = base + high;
  }
  if (plt_tallies) {
    plt_tally_image(base + low, base + high, path);
    for (UInt i = 0; i < head->e_phnum; i++)
      if (headers[i].p_type == PT_LOAD && !(headers[i].p_flags & PF_W))
        plt_tally_constant(base + headers[i].p_vaddr, base + headers[i].p_vaddr + headers[i].p_memsz);
    return;
  }
  struct pl_image image = {base, base, headers, head->e_phnum};
  pl_module_announce_locked(&image, path);
}

/* Where the program's file mappings begin, in ascending order. */
static Addr starts[8192];
static Int mapped_files(void) {
  Int count = VG_(am_get_segment_starts)(SkFileC, starts, sizeof starts / sizeof starts[0]);
  return count < 0 ? 0 : count;
}

const HChar *plt_executable(void) {
  Int count = mapped_files();
  for (Int i = 0; i < count; i++) {
    /* At the start there is the executable, and the loader that it names. */
    const HChar *path = VG_(am_get_filename)(VG_(am_find_nsegment)(starts[i]));
    if (path && !names_loader(path)) return path;
  }
  return "";
}

void plt_images_again(void) {
  pl_modules_forget();
  Int count = mapped_files();
  for (Int i = 0; i < count; i++) plt_image_mapped(starts[i]);
}
