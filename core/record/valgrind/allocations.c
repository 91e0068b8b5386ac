/*
 * Allocation functions, which are known by their names: nothing of the program is replaced, so that its addresses and
 * what its allocator does are those of the unrecorded run. See tool.h for the licence.
 *
 * One that calls another (calloc malloc, new malloc) stands for both. A free takes its sequence number before it runs and
 * an allocation when it has, so that a block which another thread gets at once is seen freed first.
 */
#include "pub_tool_basics.h"
#include "pub_tool_hashtable.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_mallocfree.h"
#include "pub_tool_vki.h"

#include "tool.h"

/* Where a function has its size and its block among its arguments. */
enum { MALLOC, CALLOC, REALLOC, REALLOCARRAY, ALIGNED, PAGES, POSIX, NEW, FREE };

static const struct {
  const HChar *name;
  UChar form, kind;
} functions[] = {
    {"malloc", MALLOC, PL_ALLOC_MALLOC},
    {"calloc", CALLOC, PL_ALLOC_CALLOC},
    {"realloc", REALLOC, PL_ALLOC_REALLOC},
    {"reallocarray", REALLOCARRAY, PL_ALLOC_REALLOC},
    {"aligned_alloc", ALIGNED, PL_ALLOC_ALIGNED},
    {"memalign", ALIGNED, PL_ALLOC_ALIGNED},
    {"valloc", MALLOC, PL_ALLOC_ALIGNED},
    {"pvalloc", PAGES, PL_ALLOC_ALIGNED},
    {"posix_memalign", POSIX, PL_ALLOC_ALIGNED},
    {"free", FREE, 0},
    {"cfree", FREE, 0},
    /* operator new and new[], plain, nothrow and with an alignment */
    {"_Znwm", NEW, PL_ALLOC_NEW},
    {"_ZnwmRKSt9nothrow_t", NEW, PL_ALLOC_NEW},
    {"_ZnwmSt11align_val_t", NEW, PL_ALLOC_NEW},
    {"_ZnwmSt11align_val_tRKSt9nothrow_t", NEW, PL_ALLOC_NEW},
    {"_Znam", NEW, PL_ALLOC_NEW},
    {"_ZnamRKSt9nothrow_t", NEW, PL_ALLOC_NEW},
    {"_ZnamSt11align_val_t", NEW, PL_ALLOC_NEW},
    {"_ZnamSt11align_val_tRKSt9nothrow_t", NEW, PL_ALLOC_NEW},
};

/* glibc has several names for one function; which of them a symbol table leads to is chance. */
static const HChar *const prefixes[] = {"", "__libc_", "__"};

Int plt_allocation_function(const HChar *name) {
  for (UInt i = 0; i < sizeof functions / sizeof functions[0]; i++)
    for (UInt p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
      SizeT length = VG_(strlen)(prefixes[p]);
      if (VG_(strncmp)(name, prefixes[p], length) == 0 && VG_(strcmp)(name + length, functions[i].name) == 0) return i;
    }
  /* operator delete: all its forms have the block first. */
  if (VG_(strncmp)(name, "_ZdlPv", 6) == 0 || VG_(strncmp)(name, "_ZdaPv", 6) == 0)
    return plt_allocation_function("free");
  return -1;
}

/* The blocks that are allocated, for a realloc that fails. */
struct block {
  struct block *next;
  UWord at;
  SizeT size;
};
static VgHashTable *blocks;

static void allocated(struct pl_context *c, Addr at, SizeT size, Addr caller, UInt kind) {
  if (!blocks) blocks = VG_(HT_construct)("pagelens.blocks");
  struct block *block = VG_(HT_lookup)(blocks, at);
  if (!block) {
    block = VG_(malloc)("pagelens.block", sizeof *block);
    block->at = at;
    VG_(HT_add_node)(blocks, block);
  }
  block->size = size;
  pl_event(c, PL_EVENT_ALLOC, pl_seq_take(), at, size, caller, kind);
}

/* Its size; 0 for what is no block. */
static SizeT freed(struct pl_context *c, Addr at) {
  struct block *block = blocks ? VG_(HT_remove)(blocks, at) : NULL;
  if (!block) return 0;
  SizeT size = block->size;
  VG_(free)(block);
  pl_event(c, PL_EVENT_FREE, pl_seq_take(), at, 0, 0, 0);
  return size;
}

VG_REGPARM(3) void plt_allocation_begins(UWord function, Addr sp, UWord first, UWord second, UWord third) {
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  /* A function that another one called, or jumped to in its last act; what was left by an exception is over. */
  if (c->allocating.sp >= sp + sizeof(Addr)) return;
  UInt form = functions[function].form;
  SizeT size = first;
  if (form == CALLOC) size = first * second;
  if (form == REALLOC || form == ALIGNED) size = second;
  if (form == REALLOCARRAY) size = second * third;
  if (form == POSIX) size = third;
  if (form == PAGES) size = (first + VKI_PAGE_SIZE - 1) & ~(SizeT)(VKI_PAGE_SIZE - 1);
  c->allocating.sp = sp + sizeof(Addr);
  c->allocating.kind = function;
  c->allocating.size = size;
  c->allocating.caller = *(Addr *)sp;
  c->allocating.block = first;
  c->allocating.old_size = 0;
  if (form == FREE) freed(c, first);
  /* When it fails the old block lives on. */
  if (form == REALLOC || form == REALLOCARRAY) c->allocating.old_size = freed(c, first);
}

void plt_allocation_ends(struct pl_context *c, UWord result) {
  UInt form = functions[c->allocating.kind].form, kind = functions[c->allocating.kind].kind;
  Addr caller = c->allocating.caller;
  if (form == FREE) return;
  if (form == POSIX) result = (Int)result == 0 ? *(Addr *)c->allocating.block : 0;
  if (result != 0)
    allocated(c, result, c->allocating.size, caller, kind);
  else if (c->allocating.size != 0 && c->allocating.old_size != 0)
    allocated(c, c->allocating.block, c->allocating.old_size, caller, kind);
}
