/*
 * A Valgrind tool that records every load and store of an unmodified program. See tool.h for the licence.
 *
 * It writes the same streams into the same run directory as the runtime that instrumented programs are linked with, by
 * the same code (../runtime/). An option names that directory; valgrind hands it on to the programs that are executed.
 */
#include "pub_tool_basics.h"
#include "pub_tool_aspacemgr.h"
#include "pub_tool_libcassert.h"
#include "pub_tool_libcbase.h"
#include "pub_tool_libcprint.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_options.h"
#include "pub_tool_tooliface.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "sys.h"
#include "tool.h"

static const HChar *run_directory, *tally_file;
Bool plt_tallies;

/* ---- what streams.h asks of a recorder ---- */

/* One thread runs at a time, and no signal interrupts the tool. */
struct pl_guard pl_lock(void) { return (struct pl_guard){0, 0}; }
void pl_unlock(struct pl_guard guard) { (void)guard; }

/* Valgrind chooses where, so that the program is never given the same addresses. */
void *pl_map(void *at, uint64_t bytes, int flags, int fd) {
  if (!at) at = VG_(am_shadow_alloc)(bytes);
  if (!at) return NULL;
  long result = PL_SYS6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
  return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

void pl_unmap(void *at, uint64_t bytes) { VG_(am_munmap_valgrind)((Addr)at, bytes); }

/* Shadow stacks begin where the program does: code without hooks of ours is no reason to look further out. */
uint64_t pl_caller(uint64_t pc) { return pc; }

/* ---- the process ---- */

void plt_announce_process(UInt parent, ULong fork_seq) {
  pl_announce_process(parent, fork_seq, PL_PROCESS_TRAPS, plt_executable());
}

static void mapped_at_start(Addr at, SizeT length, Bool readable, Bool writable, Bool executes, ULong debug_info) {
  (void)length, (void)writable, (void)executes, (void)debug_info;
  if (readable) plt_image_mapped(at);
}

static Bool option(const HChar *text) {
  return VG_STR_CLO(text, "--run-directory", run_directory) || VG_STR_CLO(text, "--tally", tally_file);
}
static void usage(void) {
  VG_(printf)("    --run-directory=DIR       the run to join, or\n    --tally=FILE              count only, into this file\n");
}
static void debug_usage(void) {}

static void started(void) {
  if (tally_file) {
    plt_tallies = True;
    plt_tally_start(tally_file);
    return;
  }
  if (!run_directory) VG_(fmsg_bad_option)("--run-directory", "is missing: pagelens gives it\n");
  if (!pl_join(run_directory)) VG_(exit)(1);
  plt_announce_process(UINT32_MAX, 0);
  plt_threads_start();
}

static void ended(Int status) {
  (void)status;
  if (plt_tallies)
    plt_tally_write();
  else
    plt_threads_end();
}

static void before_options(void) {
  VG_(details_name)("Pagelens");
  VG_(details_version)(NULL);
  VG_(details_description)("a recorder of memory accesses");
  VG_(details_copyright_author)("The Pagelens authors; GNU GPL, version 2 or later");
  VG_(details_bug_reports_to)("the Pagelens authors");
  /* Code grows by a call for each access. */
  VG_(details_avg_translation_sizeB)(600);
  VG_(basic_tool_funcs)(started, plt_instrument, ended);
  VG_(needs_command_line_options)(option, usage, debug_usage);
  VG_(track_new_mem_startup)(mapped_at_start);
  plt_requests_start();
  /* Every call and return must end a block, to be seen. */
  VG_(clo_vex_control).guest_chase = False;
}

VG_DETERMINE_INTERFACE_VERSION(before_options)
