/*
 * The threads of the program: whose context is current, and what happens to them. See tool.h for the licence.
 *
 * Valgrind runs one thread at a time. Each change stamps the stream that stops and the one that goes on, so that the
 * order of all accesses is the one that they happened in. Signals are delivered between translated blocks: a handler's
 * stream never interrupts a record.
 */
#include "pub_tool_basics.h"
#include "pub_tool_clientstate.h"
#include "pub_tool_libcproc.h"
#include "pub_tool_machine.h"
#include "pub_tool_mallocfree.h"
#include "pub_tool_threadstate.h"
#include "pub_tool_tooliface.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "calls.h"
#include "sys.h"
#include "tool.h"

struct pl_context *pl_current = &pl_inert;

static struct thread {
  struct pl_context *context; /* null: nothing is recorded of it */
  struct pl_call call; /* the one that it makes */
  Bool leaving; /* that executes another program */
} * threads;
static ThreadId current = VG_INVALID_THREADID;

static void set_context(struct pl_context *c) {
  threads[current].context = c;
  pl_current = c ? c : &pl_inert;
}

struct pl_context *pl_context_peek(void) { return pl_current == &pl_inert ? NULL : pl_current; }
struct pl_context *pl_context_get(void) { return pl_context_peek(); }

void pl_silence(struct pl_context *c) {
  (void)c;
  set_context(NULL);
}

static void pause_current(void) {
  struct pl_context *c = pl_context_peek();
  if (c) pl_block_in(c);
}

/* A context that is new was never paused. */
static void resume_current(void) {
  struct pl_context *c = pl_context_peek();
  if (c && c->blocked > 0) pl_unblock(c);
}

/* What happens until the next call happens in this thread. */
static void switch_to(ThreadId tid) {
  if (PL_LIKELY(tid == current)) return;
  pause_current();
  current = tid;
  set_context(threads[tid].context);
  resume_current();
}

static void client_code_starts(ThreadId tid, ULong blocks) {
  (void)blocks;
  switch_to(tid);
}

/* ---- start and end ---- */

void pl_stack_bounds(struct pl_context *c) {
  c->stack_high = VG_(thread_get_stack_max)(current) + 1;
  c->stack_low = c->stack_high - VG_(thread_get_stack_size)(current);
}

static void thread_starts(ThreadId tid) {
  switch_to(tid);
  struct pl_context *c = pl_context_make(0, NULL);
  set_context(c);
  if (c) pl_event(c, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
}

/* Closes a context with those of the handlers that interrupt it. */
static void close_all(struct pl_context *c) {
  for (struct pl_context *next; c; c = next) {
    next = c->handler;
    pl_context_close(c);
  }
}

static struct pl_context *outermost(struct pl_context *c) {
  while (c && c->interrupted) c = c->interrupted;
  return c;
}

/* The handler that runs in the current thread is over. */
static void handler_over(void) {
  struct pl_context *c = pl_context_peek();
  if (!c || !c->interrupted) return;
  pl_unwind(c, UINT64_MAX);
  pause_current();
  set_context(c->interrupted);
  resume_current();
}

static void thread_ends(ThreadId tid) {
  switch_to(tid);
  /* From a handler that did not return. */
  while (pl_context_peek() && pl_context_peek()->interrupted) handler_over();
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  pl_event(c, PL_EVENT_THREAD_EXIT, pl_seq_take(), 0, 0, 0, 0);
  if (pl_context_peek()) close_all(c);
  set_context(NULL);
}

void plt_threads_end(void) {
  for (ThreadId tid = 1; tid < VG_N_THREADS; tid++)
    if (threads[tid].context) thread_ends(tid);
}

/* ---- signals ---- */

void plt_stack_is_at(Addr sp) {
  for (struct pl_context *c = pl_context_peek(); c && c->interrupted; c = pl_context_peek()) {
    /* A handler on an alternate stack is left by any jump to the thread's own. */
    Bool own = c->handler_sp >= c->stack_low && c->handler_sp < c->stack_high;
    Bool at_own = sp >= c->stack_low && sp < c->stack_high;
    if (own == at_own ? sp < c->handler_sp : !at_own) break;
    handler_over();
  }
}

static void handler_begins(ThreadId tid, Int signal, Bool alternate_stack) {
  (void)signal, (void)alternate_stack;
  switch_to(tid);
  plt_stack_is_at(VG_(get_SP)(tid));
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  Bool made = c->handler == NULL;
  if (made) c->handler = pl_context_make(c->signal + 1, c);
  struct pl_context *handler = c->handler;
  if (!handler) return;
  pause_current();
  set_context(handler);
  if (made)
    pl_event(handler, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
  else
    resume_current();
  handler->handler_sp = VG_(get_SP)(tid);
}

static void handler_ends(ThreadId tid, Int signal) {
  (void)signal;
  switch_to(tid);
  handler_over();
}

/* ---- system calls ---- */

static void leave_by_exec(struct pl_context *c) {
  pl_called(c, SYS_execve, 0, 0);
  pl_event(c, PL_EVENT_EXEC, pl_seq_take(), 0, 0, 0, 0);
  if (pl_context_peek() == c) __atomic_store_n(&c->ctl.state, PL_STATE_ENDED, __ATOMIC_SEQ_CST);
}

static void exec_failed(struct pl_context *c) {
  __atomic_store_n(&c->ctl.state, PL_STATE_RUNNING, __ATOMIC_SEQ_CST);
  pl_stamp(c, pl_seq_take());
}

static Bool is_exec(UInt number) { return number == SYS_execve || number == SYS_execveat; }

/* A search along PATH tries what is not there; only what can be executed ends the process. */
static Bool may_succeed(const struct pl_call *call) {
  const long *a = call->arguments;
  Bool at = call->number == SYS_execveat;
  long result = PL_SYS4(SYS_faccessat, at ? a[0] : AT_FDCWD, at ? a[1] : a[0], 1 /* X_OK */, 0);
  return result == 0 || at;
}

static void call_begins(ThreadId tid, UInt number, UWord *arguments, UInt count) {
  switch_to(tid);
  struct pl_context *c = pl_context_peek();
  struct pl_call *call = &threads[tid].call;
  call->context = c;
  if (!c) return;
  call->number = number;
  call->waiting = NULL;
  for (UInt i = 0; i < 6; i++) call->arguments[i] = i < count ? (long)arguments[i] : 0;
  call->pc = VG_(get_IP)(tid);
  call->loader = plt_is_loader(call->pc);
  threads[tid].leaving = is_exec(number) && may_succeed(call);
  if (threads[tid].leaving)
    leave_by_exec(c);
  else
    pl_call_before(call);
}

/* Modules come and go with the mappings of the loader. */
static void image_changed(const struct pl_call *call) {
  const long *a = call->arguments;
  if (call->number == SYS_mmap && call->loader && !(a[3] & MAP_ANONYMOUS)) plt_image_mapped((Addr)call->result);
  if (call->number == SYS_munmap) pl_modules_unmapped_locked((ULong)a[0], (ULong)a[1]);
}

static void call_ends(ThreadId tid, UInt number, UWord *arguments, UInt count, SysRes result) {
  (void)arguments, (void)count;
  switch_to(tid);
  struct pl_call *call = &threads[tid].call;
  struct pl_context *c = pl_context_peek();
  if (!c || call->context != c) return;
  if (threads[tid].leaving) {
    exec_failed(c);
    return;
  }
  call->result = sr_isError(result) ? -(long)sr_Err(result) : (long)sr_Res(result);
  if (!sr_isError(result)) image_changed(call);
  pl_call_after(call);
  /* A question for the break tells where the heap begins, before it first grows. */
  if (number == SYS_brk && call->arguments[0] == 0 && pl_context_peek() == c) pl_broke(c, (ULong)call->result);
}

/* ---- what the program says of itself: client requests of include/pagelens.h ---- */

#define REQUESTS ((UWord)'P' << 24 | (UWord)'L' << 16)

static Bool requested(ThreadId tid, UWord *request, UWord *result) {
  UWord mark = request[0] - REQUESTS;
  if (mark > 0xffff) return False;
  switch_to(tid);
  struct pl_context *c = pl_context_peek();
  if (c) pl_mark(c, (UInt)mark, (const HChar *)request[1], request[2]);
  *result = c != NULL;
  return True;
}

/* ---- fork ---- */

static struct {
  UInt number;
  ULong seq;
} forking;

static void fork_begins(ThreadId tid) {
  switch_to(tid);
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  forking.number = pl_process_take();
  forking.seq = pl_seq_take();
  pl_event(c, PL_EVENT_FORK, forking.seq, forking.number, 0, 0, 0);
}

/* The child has its parent's memory: what that shares with files becomes its own before it is given back. */
static void drop(struct pl_context *c) {
  for (struct pl_context *each = c; each; each = each->handler) pl_context_make_private(each);
  close_all(c);
}

static void forked(ThreadId tid) {
  Bool recorded = threads[tid].context != NULL;
  for (ThreadId other = 1; other < VG_N_THREADS; other++) {
    drop(outermost(threads[other].context));
    threads[other].context = NULL;
    threads[other].call.context = NULL;
  }
  current = tid;
  set_context(NULL);
  if (!recorded) return;
  UInt parent = pl_process;
  pl_become(forking.number);
  plt_announce_process(parent, forking.seq);
  plt_images_again();
  pl_numbered_again();
  thread_starts(tid);
}

void plt_threads_start(void) {
  threads = VG_(calloc)("pagelens.threads", VG_N_THREADS, sizeof *threads);
  VG_(track_start_client_code)(client_code_starts);
  VG_(track_pre_thread_first_insn)(thread_starts);
  VG_(track_pre_thread_ll_exit)(thread_ends);
  VG_(track_pre_deliver_signal)(handler_begins);
  VG_(track_post_deliver_signal)(handler_ends);
  VG_(needs_syscall_wrapper)(call_begins, call_ends);
  VG_(atfork)(fork_begins, NULL, forked);
}

void plt_requests_start(void) { VG_(needs_client_requests)(requested); }
