/*
 * What writes streams, and what that asks of who records.
 *
 * Three recorders share it: the runtime that programs are linked with (this folder), the Valgrind tool and the QEMU
 * plug-in (their own folders). Nothing here is seen by the program.
 */
#ifndef PAGELENS_STREAMS_H
#define PAGELENS_STREAMS_H

#include <stdbool.h>

#include "state.h"

#pragma GCC visibility push(hidden)

/* ---- encode.c: records ---- */

/* Prepares the predictor of a new stream: the root site, no frames. */
void pl_predictor_start(struct pl_context *c);
/* One event record. seq is 0 or larger than every one before in the stream. c is a pc for ALLOC and MAP. */
void pl_event(struct pl_context *c, uint32_t kind, uint64_t seq, uint64_t a, uint64_t b, uint64_t c_, uint64_t d);
/* What follows in the stream happened after `seq`. */
void pl_stamp(struct pl_context *c, uint64_t seq);
/* Drops the frames whose stack pointer lies below `sp`: they were left by a longjmp or an exception. */
void pl_unwind(struct pl_context *c, uint64_t sp);

/* A function entry or exit at a site of the stream, whether predicted or not. */
void pl_enter(struct pl_context *c, struct pl_site *s, uint64_t sp);
void pl_leave(struct pl_context *c, struct pl_site *s, uint64_t pc, uint64_t sp);

/* ---- streams.c: the run directory ---- */

/* Joins the run of this directory as a new process. False when there is none, or it is over. */
bool pl_join(const char *run_directory);
/* Path of the run directory. */
const char *pl_directory(void);
/* Takes a process number, or a sequence number of the run. */
uint32_t pl_process_take(void);
uint64_t pl_seq_take(void);
/* True when the driver asked to stop, or is gone. */
bool pl_stop_asked(void);
/* In the child of a fork: process `number` of the run, with nothing announced. */
void pl_become(uint32_t number);

extern struct pl_run *pl_run;
extern uint32_t pl_process;
extern int pl_meta_fd;

/* Makes room for one record. False when that fails: the stream is over and the record must be dropped. */
bool pl_room(struct pl_context *c);
/* Ends a stream for this PL_LOST_*. */
void pl_lost(struct pl_context *c, uint32_t reason);
/* A stream of this thread, of its signal handlers when `of` is what they interrupt; null when that fails. */
struct pl_context *pl_context_make(uint32_t signal, struct pl_context *of);
/* Ends a stream and gives its memory back. */
void pl_context_close(struct pl_context *c);
/* Gives a context private pages where it shared files: an interrupted hook may yet write to them, to no effect. */
void pl_context_make_private(struct pl_context *c);

/* The process's number of a site, announced in the meta file when new. `function` tells apart what else has this pc and
 * kind. UINT32_MAX when that fails, for the reason `lost`. */
uint32_t pl_site_number(uint64_t pc, uint32_t kind, uint64_t function, uint32_t *lost);
/* Number of a mapped file's name, announced when new. */
uint32_t pl_filename(const char *path);
/* Number of a name that marks refer to, likewise; what is behind PL_MARK_NAME_MAX bytes of it does not count. */
uint32_t pl_mark_name(const char *name);
#define PL_MARK_NAME_MAX 1000

/* Appends a record to the meta file: parts are concatenated. Lock held. */
struct pl_part {
  const void *bytes;
  uint64_t length;
};
/* 0, or why there was no room for the record: PL_LOST_*. */
uint32_t pl_meta(uint32_t type, const struct pl_part *parts, int count);
/* `parent`: the process that this one was forked from, or UINT32_MAX. Lock held. */
void pl_announce_process(uint32_t parent, uint64_t fork_seq, uint32_t flags, const char *path);

/* ---- marks.c: what the program says of itself ---- */

/* A mark of include/pagelens.h, said by the thread of `c`. */
void pl_mark(struct pl_context *c, uint32_t mark, const char *name, uint64_t address);

/* ---- window.c: when accesses are recorded ---- */

/* Reads which functions to watch; by joining the run. */
void pl_watch_start(void);
/* Looks for them in a module that is new. Lock held. */
void pl_watch_module_locked(uint64_t base, const char *path);
/* Which of PL_WATCH_* the function with this address is, 0 for none. */
enum { PL_WATCH_START = 1, PL_WATCH_STOP = 2 };
uint32_t pl_watched(uint64_t pc);
/* The same by its name; and by its first address. */
uint32_t pl_watched_name(const char *name);
uint32_t pl_watched_entry(uint64_t address);
/* A bit of a watched function's address that no other has, and the kind of its exits: its steps so never are what hooks
 * predict, and always come to where windows are looked after. */
#define PL_WATCHED (1ull << 63)
#define PL_WATCHED_EXIT (PL_EXIT | PL_UNALIGNED)

/* Opens or closes the window of the whole run. */
void pl_window(bool open);
/* Such a function begins, with this stack pointer; the one that holds the window open was left. */
void pl_window_enter(struct pl_context *c, uint32_t watched, uint64_t sp);
void pl_window_leave(struct pl_context *c);
/* Makes the thread do as the run's window says, and all others of the process. */
void pl_window_follow(struct pl_context *c);
/* Ends the burst that the thread is in when it is long enough. */
void pl_burst_end(struct pl_context *c);
/* A context of this process begins, or ends. Lock held. */
void pl_window_add_locked(struct pl_context *c);
void pl_window_remove_locked(struct pl_context *c);
/* In the child of a fork, which has none. */
void pl_window_forget(void);

/* ---- modules.c ---- */

/* Announces a module in memory, unless it is known. Lock held. */
struct pl_image {
  uint64_t base; /* what is added to the file's virtual addresses */
  uint64_t memory; /* the same, where they are to be read by us */
  const void *headers; /* Elf64_Phdr */
  uint32_t header_count;
};
void pl_module_announce_locked(const struct pl_image *image, const char *path);
/* Number of the module that holds pc, or UINT32_MAX. Lock held. */
uint32_t pl_module_find_locked(uint64_t pc);
/* Addresses of a module. Lock held. */
void pl_module_bounds_locked(uint32_t module, uint64_t *low, uint64_t *high);
/* The modules that begin in these addresses are gone. Lock held. */
void pl_modules_unmapped_locked(uint64_t at, uint64_t length);
/* Announces all again for a new process. Lock held. */
void pl_modules_forget(void);

/* ---- what the files above ask of the recorder ---- */

/* The current thread's context, made when there is none yet; null when nothing is to be recorded. */
struct pl_context *pl_context_get(void);
/* The same without making one. */
struct pl_context *pl_context_peek(void);
/* Nothing more is recorded of the thread with this context, whose stream was lost. */
void pl_silence(struct pl_context *c);
/* This stream's state of a site; makes it on first use. `function` tells entries of one return address apart, else 0.
 * Null when the tables are full: the stream is lost then. */
struct pl_site *pl_site_find(struct pl_context *c, uint64_t pc, uint32_t kind, uint64_t function);
/* The module of a new site, as pl_module_find_locked says; and the site is announced. Lock held. */
uint32_t pl_site_module_locked(uint64_t pc);
void pl_site_announced_locked(uint64_t pc, uint32_t kind, uint64_t function);
/* Sets stack_low and stack_high of a context of this thread. */
void pl_stack_bounds(struct pl_context *c);
/* Program counter that names an allocation or mapping which code at `pc` makes. */
uint64_t pl_caller(uint64_t pc);
/* Memory for reading and writing, of a file from its start when `fd` is one; null when there is none. MAP_* flags. */
void *pl_map(void *at, uint64_t bytes, int flags, int fd);
void pl_unmap(void *at, uint64_t bytes);
/* The lock over the tables and the meta file, with signals blocked; nothing may be interrupted by a handler meanwhile. */
struct pl_guard {
  uint64_t signals;
  uint8_t native;
};
struct pl_guard pl_lock(void);
void pl_unlock(struct pl_guard guard);

#pragma GCC visibility pop

#endif
