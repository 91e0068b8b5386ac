/* Pages to memory nodes. The policy is "preferred": when the node is full, the kernel takes another one, and the program
 * goes on (mbind(2)). The system call is made directly, so that libnuma is not needed. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

#define MPOL_PREFERRED 1
#define MPOL_MF_MOVE (1 << 1)
#define NODES_MAX 1024

void bind_pages(void *start, size_t bytes, unsigned tier, bool move) {
  const struct plan_tier *tiers = plan_at(plan->tiers_at);
  int node = tiers[tier].node;
  unsigned long mask[NODES_MAX / (8 * sizeof(unsigned long))] = {0};
  if (node < 0 || node >= NODES_MAX) return;
  mask[(unsigned)node / (8 * sizeof *mask)] = 1ul << ((unsigned)node % (8 * sizeof *mask));
  int before = errno;
  /* The kernel counts one bit less than it is told. */
  if (syscall(SYS_mbind, start, bytes, MPOL_PREFERRED, mask, NODES_MAX + 1, move ? MPOL_MF_MOVE : 0) == 0) {
    count_up(COUNT_BOUND_BYTES, bytes);
  } else {
    count_up(COUNT_BIND_FAILURES, 1);
    __atomic_store_n(&counts[COUNT_BIND_ERROR], (uint64_t)errno, __ATOMIC_RELAXED);
  }
  errno = before;
}
