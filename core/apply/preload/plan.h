/* The plan that core/apply/planFile.ts writes, and the counters that core/apply/counters.ts reads. Little-endian words
 * of 32 bits; an offset is in words from the file's start. */
#ifndef PAGELENS_PLAN_H
#define PAGELENS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC 0x504c5031u /* "1PLP" */
#define PLAN_TIERS_MAX 8

struct plan_header {
  uint32_t magic;
  uint32_t words; /* of the whole file */
  uint32_t tiers, tiers_at;
  uint32_t objects, objects_at;
  uint32_t modules, modules_at;
};

/* Memory node of a tier. */
struct plan_tier {
  int32_t node;
};

/* An allocation site: numbers of its frames, innermost first. */
struct plan_object {
  uint32_t tier;
  uint32_t frames, frames_at;
};

struct plan_module {
  uint32_t path_at;       /* NUL-terminated; absolute, without symbolic links */
  uint32_t sites, sites_at;     /* ascending by offset */
  uint32_t globals, globals_at;
};

/* The return address of a call, from the load base, and the frames that it stands for (inlined ones too). */
struct plan_site {
  uint32_t offset;
  uint32_t frames, frames_at;
};

struct plan_global {
  uint32_t offset, size;
  uint32_t object, tier;
};

/* Frame that is outside the user's program (`_start`). */
#define FRAME_OUTSIDE 0xfffffffeu

/* Counters, u64 each, in a file that all processes of the run share: what concerns all, then two for each object. */
enum {
  COUNT_PROCESSES,
  COUNT_OTHER_BLOCKS, /* allocated by stacks that the plan does not know */
  COUNT_OTHER_BYTES,
  COUNT_UNDECIDED_BLOCKS, /* several objects fit equally well, in different tiers */
  COUNT_UNDECIDED_BYTES,
  COUNT_REFUSED_BYTES, /* no memory, or an alignment beyond that of a chunk: left to the program's own allocator */
  COUNT_BOUND_BYTES,   /* of address space, whose pages were bound to a node */
  COUNT_BIND_FAILURES,
  COUNT_BIND_ERROR, /* errno of the last failure */
  COUNT_GLOBAL_SHARED_BYTES, /* of globals, in pages that they share with others: not placed */
  COUNTS
};
#define COUNTS_OF_OBJECT 2 /* blocks, bytes */

#endif
