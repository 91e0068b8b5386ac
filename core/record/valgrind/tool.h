/*
 * Pagelens: what the files of the Valgrind tool know of each other.
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public
 * License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later
 * version (see COPYING). It is linked with Valgrind's libraries.
 */
#ifndef PAGELENS_TOOL_H
#define PAGELENS_TOOL_H

#include <stddef.h>

#include "pub_tool_basics.h"
#include "pub_tool_tooliface.h"

#include "effects.h"
#include "numbered.h"

/* ---- steps.c: what translated code calls ---- */

VG_REGPARM(2) void plt_access(UWord offset, Addr address);
VG_REGPARM(3) void plt_range(UWord offset, Addr address, UWord length);
VG_REGPARM(2) void plt_call(UWord offset, Addr sp);
/* A function that opens or closes a window (PL_WATCH_*) begins. */
VG_REGPARM(2) void plt_watched(UWord watched, Addr sp);
VG_REGPARM(3) void plt_return(UWord offset, Addr sp, UWord result);

/* ---- allocations.c: functions known by name ---- */

/* Index of an allocation function, or -1. */
Int plt_allocation_function(const HChar *name);
/* At its first instruction: its first three arguments and the stack pointer. */
VG_REGPARM(3) void plt_allocation_begins(UWord function, Addr sp, UWord first, UWord second, UWord third);
/* It returned. */
void plt_allocation_ends(struct pl_context *c, UWord result);

/* ---- images.c: what is mapped ---- */

/* Announces the executable image that begins at this address, if one does. */
void plt_image_mapped(Addr at);
/* Path of the program that was started. */
const HChar *plt_executable(void);
/* Announces all again, in the child of a fork. */
void plt_images_again(void);
/* Whether this code is the dynamic loader's. */
Bool plt_is_loader(Addr pc);

/* ---- instrument.c ---- */

IRSB *plt_instrument(VgCallbackClosure *closure, IRSB *block, const VexGuestLayout *layout,
                     const VexGuestExtents *extents, const VexArchInfo *arch, IRType guest_word, IRType host_word);

/* ---- threads.c: whose code runs ---- */

void plt_threads_start(void);
/* While options are not known yet. */
void plt_requests_start(void);
/* Ends the streams of the threads that are left. */
void plt_threads_end(void);
/* The stack pointer, by which it shows that signal handlers were left by a jump. */
void plt_stack_is_at(Addr sp);

/* ---- tally.c: counts instead of a trace ---- */

void plt_tally_start(const HChar *file);
/* A module, and what of it is never written. */
void plt_tally_image(Addr low, Addr high, const HChar *path);
void plt_tally_constant(Addr low, Addr high);
void plt_tally_access(IRSB *out, Addr pc, Bool write, IRExpr *address, IRExpr *guard);
/* Appends what was counted since the last time to the file. */
void plt_tally_write(void);

/* ---- tool.c ---- */

/* Counts are wanted, no trace. */
extern Bool plt_tallies;

/* `parent`: the process that this one was forked from, or UINT32_MAX. */
void plt_announce_process(UInt parent, ULong fork_seq);

#endif
