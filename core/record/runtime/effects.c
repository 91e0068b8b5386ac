/* System calls, what the kernel wrote for them, and how they changed the address space. */
#include "effects.h"
#include "sys.h"

#include <fcntl.h>
#include <sys/mman.h>

/* Outside of a window, system calls and what they write are in no count; how they change the address space is. */

void pl_called(struct pl_context *c, long number, long result, uint64_t bytes) {
  if (c->ctl.off & PL_OFF_WINDOW) return;
  pl_event(c, PL_EVENT_SYSCALL, 0, (uint64_t)number, (uint64_t)result, bytes, 0);
}

void pl_filled(struct pl_context *c, const void *p, uint64_t bytes) {
  if (p && bytes && !(c->ctl.off & PL_OFF_WINDOW)) pl_event(c, PL_EVENT_KERNEL_WRITE, 0, (uint64_t)(uintptr_t)p, bytes, 0, 0);
}

void pl_filled_vector(struct pl_context *c, const struct iovec *parts, int count, long bytes) {
  for (int i = 0; i < count && bytes > 0; i++) {
    uint64_t part = parts[i].iov_len < (uint64_t)bytes ? parts[i].iov_len : (uint64_t)bytes;
    pl_filled(c, parts[i].iov_base, part);
    bytes -= (long)part;
  }
}

static uint64_t mapped_name(int flags, int fd) {
  if (flags & MAP_ANONYMOUS || fd < 0) return 0;
  char link[32] = "/proc/self/fd/", path[4096];
  char digits[12];
  int count = 0, at = 14;
  do digits[count++] = (char)('0' + fd % 10);
  while (fd /= 10);
  while (count > 0) link[at++] = digits[--count];
  link[at] = 0;
  long length = PL_SYS4(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return (uint64_t)pl_filename(path) + 1;
}

static uint64_t pages(uint64_t bytes) { return (bytes + 4095) & ~4095ul; }

/* ---- changes of the address space, by a wrapper or a trapped call ---- */

void pl_mapped(struct pl_context *c, uint64_t at, uint64_t length, int flags, int fd, uint64_t pc) {
  uint64_t name = mapped_name(flags, fd);
  pl_event(c, PL_EVENT_MAP, pl_seq_take(), at, pages(length), pl_caller(pc), name);
}

void pl_unmapping(struct pl_context *c, uint64_t at, uint64_t length) {
  pl_event(c, PL_EVENT_UNMAP, pl_seq_take(), at, pages(length), 0, 0);
}

void pl_remapped(struct pl_context *c, uint64_t old, uint64_t old_length, uint64_t at, uint64_t length) {
  pl_event(c, PL_EVENT_REMAP, pl_seq_take(), old, pages(old_length), at, pages(length));
}

void pl_broke(struct pl_context *c, uint64_t end) { pl_event(c, PL_EVENT_BRK, pl_seq_take(), end, 0, 0, 0); }
