/* What the runtime's files know of each other. Nothing here is seen by the program. */
#ifndef PAGELENS_RUNTIME_H
#define PAGELENS_RUNTIME_H

#include <stdbool.h>

#include "state.h"

#pragma GCC visibility push(hidden)

/* ---- encode.c: records ---- */

/* Prepares the predictor of a new stream: the root site, no frames. */
void pl_predictor_start(struct pl_context *c);
/* This stream's state of a site; makes it on first use. `function` tells entries of one return address apart, else 0.
 * Null when the tables are full: the stream is lost then. */
struct pl_site *pl_site_find(struct pl_context *c, uint64_t pc, uint32_t kind, uint64_t function);
/* One event record. seq is 0 or larger than every one before in the stream. c is a pc for ALLOC and MAP. */
void pl_event(struct pl_context *c, uint32_t kind, uint64_t seq, uint64_t a, uint64_t b, uint64_t c_, uint64_t d);
/* What follows in the stream happened after `seq`. */
void pl_stamp(struct pl_context *c, uint64_t seq);
/* Drops the frames whose stack pointer lies below `sp`: they were left by a longjmp or an exception. */
void pl_unwind(struct pl_context *c, uint64_t sp);

/* ---- what encode.c asks of the runtime (run.c; a test driver has its own) ---- */

/* The current thread's context, made when there is none yet; null when nothing is to be recorded. */
struct pl_context *pl_context_get(void);
/* Makes room for one record. False when that fails: the stream is over and the record must be dropped. */
bool pl_room(struct pl_context *c);
/* The process's number of a site, announced in the meta file when new. UINT32_MAX when that fails, for the reason `lost`. */
uint32_t pl_site_number(uint64_t pc, uint32_t kind, uint64_t function, uint32_t *lost);
void pl_lost(struct pl_context *c, uint32_t reason);
/* Takes a sequence number of the run. */
uint64_t pl_seq_take(void);
/* True when the driver asked to stop, or is gone. */
bool pl_stop_asked(void);

/* ---- run.c: the run directory ---- */

/* Joins the run that PAGELENS_RUN names, once; cheap when done. Returns true while this process is recorded. */
bool pl_start(void);
/* The context of this thread without making one: null when it has none, or records nothing. */
struct pl_context *pl_context_peek(void);
/* Ends the current thread's stream. */
void pl_context_end(void);
/* A stream for the handlers that interrupt `c`; null when that fails. */
struct pl_context *pl_context_for_handler(struct pl_context *c);
/* In the child after fork: process `number` of the run, new streams. `seq` is that of the FORK event. */
void pl_forked(uint32_t number, uint64_t seq);
/* Takes a process number. */
uint32_t pl_process_take(void);
/* Counts forks, so that who returns from a handler notices to be in a child. */
extern uint32_t pl_generation;
/* Leaves the stream of `c` for a new one: its predictor may have been interrupted half way and will not be resumed. */
void pl_context_abandon(struct pl_context *c);
/* Path of the run directory. */
const char *pl_directory(void);
void pl_warn(const char *text);
/* Number of a mapped file's name, announced when new. */
uint32_t pl_filename(const char *path);
/* Takes the lock over the tables and meta file with signals blocked; nothing below may be interrupted by a handler. */
struct pl_guard {
  uint64_t signals;
  uint8_t native;
};
struct pl_guard pl_lock(void);
void pl_unlock(struct pl_guard guard);

extern struct pl_run *pl_run;
extern uint32_t pl_process;
/* Calls that libc makes inside itself trap in this process (dispatch.h). */
extern bool pl_traps;
extern int pl_meta_fd;

/* ---- modules.c ---- */

/* Announces modules that are new since the last call. Lock held. */
void pl_modules_scan_locked(void);
/* The program loads modules itself from now on: the refreshing functions look for new ones. */
void pl_modules_dynamic(void);
void pl_modules_refresh(void);
void pl_modules_refresh_locked(void);
/* Number of the module that holds pc, or UINT32_MAX. Lock held. */
uint32_t pl_module_of_locked(uint64_t pc);
/* The module of this pc has hooks: its calls of bulk functions are recorded. Lock held. */
void pl_module_instrumented_locked(uint64_t pc);
bool pl_is_instrumented(uint64_t pc);
/* Forgets which modules were announced, for a new process. */
void pl_modules_forget(void);
/* Appends a record to the meta file: parts are concatenated. Lock held. */
struct pl_part {
  const void *bytes;
  uint64_t length;
};
/* 0, or why there was no room for the record: PL_LOST_*. */
uint32_t pl_meta(uint32_t type, const struct pl_part *parts, int count);

#pragma GCC visibility pop

#endif
