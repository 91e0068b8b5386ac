/* What the files know of each other that live in the program's own process. Nothing here is seen by the program. */
#ifndef PAGELENS_RUNTIME_H
#define PAGELENS_RUNTIME_H

#include "streams.h"

#pragma GCC visibility push(hidden)

/* ---- run.c ---- */

/* Joins the run that PAGELENS_RUN names, once; cheap when done. Returns true while this process is recorded. */
bool pl_start(void);
/* Ends the current thread's stream. */
void pl_context_end(void);
/* A stream for the handlers that interrupt `c`; null when that fails. */
struct pl_context *pl_context_for_handler(struct pl_context *c);
/* In the child after fork: process `number` of the run, new streams. `seq` is that of the FORK event. */
void pl_forked(uint32_t number, uint64_t seq);
/* Counts forks, so that who returns from a handler notices to be in a child. */
extern uint32_t pl_generation;
/* Leaves the stream of `c` for a new one: its predictor may have been interrupted half way and will not be resumed. */
void pl_context_abandon(struct pl_context *c);
void pl_warn(const char *text);
/* Calls that libc makes inside itself trap in this process (dispatch.h). */
extern bool pl_traps;

/* ---- loaded.c ---- */

/* Announces modules that are new since the last call. Lock held. */
void pl_modules_scan_locked(void);
/* The program loads modules itself from now on: the refreshing functions look for new ones. */
void pl_modules_dynamic(void);
void pl_modules_refresh(void);
bool pl_is_instrumented(uint64_t pc);

#pragma GCC visibility pop

#endif
