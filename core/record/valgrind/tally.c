/*
 * Counting alone, for what the hooks of instrumented programs do not see: accesses by the module that makes them and the
 * kind of memory that they go to, without a trace. See tool.h for the licence.
 */
#include "pub_tool_basics.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_libcprint.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_mallocfree.h"
#include "pub_tool_machine.h"
#include "pub_tool_threadstate.h"
#include "pub_tool_tooliface.h"

#include <fcntl.h>

#include "sys.h"
#include "tool.h"

static const HChar *file;

/* Of one module: by direction, and by memory. */
enum { STACK, CONSTANT, DATA, MEMORIES };
struct plt_counts {
  ULong of[2][MEMORIES];
};

#define MODULES 1024
static struct {
  Addr low, high;
  HChar *path;
  struct plt_counts counts;
} modules[MODULES];
static UInt module_count;

/* What no program writes: code, literals, constant tables. */
#define RANGES 4096
static struct {
  Addr low, high;
} constant[RANGES];
static UInt constant_count, constant_last;

static Addr stack_low, stack_high;

void plt_tally_image(Addr low, Addr high, const HChar *path) {
  if (module_count == MODULES) return;
  modules[module_count].low = low;
  modules[module_count].high = high;
  modules[module_count++].path = VG_(strdup)("pagelens.path", path);
}

void plt_tally_constant(Addr low, Addr high) {
  if (constant_count == RANGES) return;
  constant[constant_count].low = low;
  constant[constant_count++].high = high;
}

static Bool is_constant(Addr address) {
  for (UInt i = 0; i < constant_count; i++) {
    UInt at = (constant_last + i) % constant_count;
    if (address - constant[at].low >= constant[at].high - constant[at].low) continue;
    constant_last = at;
    return True;
  }
  return False;
}

static UInt memory_of(Addr address) {
  if (address - stack_low < stack_high - stack_low) return STACK;
  return is_constant(address) ? CONSTANT : DATA;
}

static VG_REGPARM(3) void count(struct plt_counts *counts, UWord write, Addr address) {
  counts->of[write][memory_of(address)]++;
}

void plt_tally_access(IRSB *out, Addr pc, Bool write, IRExpr *address, IRExpr *guard) {
  UInt i = 0;
  while (i < module_count && pc - modules[i].low >= modules[i].high - modules[i].low) i++;
  if (i == module_count) return;
  IRDirty *call = unsafeIRDirty_0_N(3, "count", VG_(fnptr_to_fnentry)(count),
                                    mkIRExprVec_3(mkIRExpr_HWord((UWord)&modules[i].counts), mkIRExpr_HWord(write), address));
  if (guard) call->guard = guard;
  addStmtToIRSB(out, IRStmt_Dirty(call));
}

static void runs(ThreadId tid, ULong blocks) {
  (void)blocks;
  stack_high = VG_(thread_get_stack_max)(tid) + 1;
  stack_low = stack_high - VG_(thread_get_stack_size)(tid);
}

/* A line for each module: its reads of stack, constants and data, its writes of them, its path. */
void plt_tally_write(void) {
  long fd = PL_SYS4(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  for (UInt i = 0; i < module_count; i++) {
    const ULong *reads = modules[i].counts.of[0], *writes = modules[i].counts.of[1];
    HChar line[4300];
    UInt length = VG_(snprintf)(line, sizeof line, "%llu %llu %llu %llu %llu %llu %s\n", reads[STACK], reads[CONSTANT],
                                reads[DATA], writes[STACK], writes[CONSTANT], writes[DATA], modules[i].path);
    PL_SYS3(SYS_write, fd, line, length);
    VG_(memset)(&modules[i].counts, 0, sizeof modules[i].counts);
  }
  PL_SYS1(SYS_close, fd);
}

static void before_call(ThreadId tid, UInt number, UWord *arguments, UInt count) {
  (void)tid, (void)arguments, (void)count;
  if (number == SYS_execve || number == SYS_execveat) plt_tally_write();
}

static void after_call(ThreadId tid, UInt number, UWord *arguments, UInt count, SysRes result) {
  (void)tid, (void)count;
  /* What the loader maps is announced when its code is there to be run. */
  if (number == SYS_mmap && !sr_isError(result) && (Int)arguments[4] >= 0) plt_image_mapped(sr_Res(result));
}

static void forked(ThreadId tid) {
  (void)tid;
  for (UInt i = 0; i < module_count; i++) VG_(memset)(&modules[i].counts, 0, sizeof modules[i].counts);
}

void plt_tally_start(const HChar *path) {
  file = path;
  VG_(track_start_client_code)(runs);
  VG_(needs_syscall_wrapper)(before_call, after_call);
  VG_(atfork)(NULL, NULL, forked);
}
