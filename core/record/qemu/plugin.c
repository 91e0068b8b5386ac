/*
 * A TCG plug-in for QEMU's user mode that records every load and store of the guest program. See qemu.h for the licence.
 *
 * It writes the same streams into the same run directory as the runtime that instrumented programs are linked with, by
 * the same code (../runtime/). Plug-ins of version 1 cannot read registers: there are no call stacks and no arguments of
 * functions, so that objects are globals, stacks and mappings. Threads run side by side: each atomic instruction and each
 * system call stamps, by which replay respects what happened before what.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "plugin.h"
#include "lock.h"
#include "sys.h"

PL_EXPORT int qemu_plugin_version = 1;

PL_PER_THREAD struct pl_context *pl_current = &pl_inert;
/* Nothing more is recorded of this thread. */
static PL_PER_THREAD bool silent;

/* ---- what streams.h asks of a recorder ---- */

static uint32_t lock_word;

struct pl_guard pl_lock(void) {
  struct pl_guard guard = {0, 0};
  guard.signals = pl_word_lock(&lock_word);
  return guard;
}

void pl_unlock(struct pl_guard guard) { pl_word_unlock(&lock_word, guard.signals); }

void *pl_map(void *at, uint64_t bytes, int flags, int fd) {
  long result = PL_SYS6(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
  return (unsigned long)result > -4096ul ? NULL : (void *)result;
}

void pl_unmap(void *at, uint64_t bytes) { PL_SYS2(SYS_munmap, at, bytes); }

uint64_t pl_caller(uint64_t pc) { return pc; }

struct pl_context *pl_context_peek(void) { return pl_current == &pl_inert ? NULL : pl_current; }
struct pl_context *pl_context_get(void) { return pl_context_peek(); }

void pl_silence(struct pl_context *c) {
  (void)c;
  pl_current = &pl_inert;
  silent = true;
}

/* ---- threads ---- */

static pthread_key_t at_end;

static void thread_ends(void *data) {
  (void)data;
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  pl_event(c, PL_EVENT_THREAD_EXIT, pl_seq_take(), 0, 0, 0, 0);
  if (!pl_context_peek()) return;
  pl_silence(c);
  pl_context_close(c);
}

/* Where the first access of a thread goes. */
static PL_PER_THREAD uint64_t first_access;

/* Known when a thread makes its first access: that is to its stack, since nothing else is in its registers. */
void pl_stack_bounds(struct pl_context *c) {
  if (!plq_guest_range(first_access, &c->stack_low, &c->stack_high)) c->stack_low = c->stack_high = 0;
}

static void thread_starts(uint64_t access) {
  if (silent) return;
  silent = true;
  first_access = access;
  struct pl_context *c = pl_context_make(0, NULL);
  if (!c) return;
  pl_current = c;
  silent = false;
  pthread_setspecific(at_end, c);
  pl_event(c, PL_EVENT_THREAD_START, pl_seq_take(), c->stack_low, c->stack_high, c->tid, 0);
}

/* ---- steps ---- */

/* An instruction that accesses memory: where its sites lie in a context, by write and log2 of the size; 0 for none yet. */
struct instruction {
  uint64_t end;
  uint32_t flags;
  uint64_t offsets[2][8];
};

static __attribute__((noinline)) uint64_t new_site(struct instruction *in, bool store, unsigned size) {
  uint32_t number = pl_numbered(in->end, (store ? PL_WRITE : PL_READ) | PL_SIZE(size) | in->flags, 0);
  return number == UINT32_MAX ? 0 : (in->offsets[store][size] = pl_offset_of(number));
}

PL_INLINE void access_at(struct instruction *in, bool store, unsigned size, uint64_t address) {
  uint64_t offset = in->offsets[store][size];
  if (PL_UNLIKELY(offset == 0) && (offset = new_site(in, store, size)) == 0) return;
  pl_numbered_access(offset, address);
}

static void accessed(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
  (void)vcpu;
  if (PL_UNLIKELY(pl_current == &pl_inert)) thread_starts(address);
  unsigned size = qemu_plugin_mem_size_shift(info) & 7;
  access_at(data, qemu_plugin_mem_is_store(info), size, address);
}

static void stamp(void) {
  struct pl_context *c = pl_context_peek();
  if (c) pl_stamp(c, pl_seq_take());
}

/* A release takes its number before the instruction, an acquire after its access. */
static void synchronises(unsigned vcpu, void *data) {
  (void)vcpu, (void)data;
  stamp();
}
static void accessed_atomically(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
  /* While there are several threads, a read-modify-write calls back once, as both. */
  if ((info >> PLQ_DIRECTION_SHIFT & QEMU_PLUGIN_MEM_RW) == QEMU_PLUGIN_MEM_RW) {
    if (PL_UNLIKELY(pl_current == &pl_inert)) thread_starts(address);
    access_at(data, false, qemu_plugin_mem_size_shift(info) & 7, address);
  }
  accessed(vcpu, info, address, data);
  stamp();
}

/* A function that opens or closes a window begins. */
static void enters(unsigned vcpu, void *watched) {
  (void)vcpu;
  struct pl_context *c = pl_context_peek();
  if (c) pl_window_enter(c, (uint32_t)(uintptr_t)watched, 0);
}

/* The load behind a request of include/pagelens.h: it goes to the request. */
static void requested(unsigned vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
  accessed(vcpu, info, address, data);
  struct pl_context *c = pl_context_peek();
  const uint64_t *request = plq_guest_memory(address);
  uint64_t mark = request[0] - ((uint64_t)'P' << 24 | (uint64_t)'L' << 16);
  if (c && mark <= 0xffff) pl_mark(c, (uint32_t)mark, plq_guest_memory(request[1]), request[2]);
}

/* ---- translation ---- */

/* Whether this instruction is the load behind a request: that one and what precedes it, byte by byte. */
static bool is_request(uint64_t at, const void *code, size_t length) {
  static const uint8_t x86_64[] = {
      /* rolq $3, $13, $61, $51, %rdi; xchgq %rbx, %rbx; cmpq $0, (%rax) */
      0x48, 0xc1, 0xc7, 3, 0x48, 0xc1, 0xc7, 13, 0x48, 0xc1, 0xc7, 61, 0x48, 0xc1, 0xc7, 51,
      0x48, 0x87, 0xdb, 0x48, 0x83, 0x38, 0};
  static const uint32_t aarch64[] = {
      /* ror x12, x12, #3, #13, #51, #61; orr x10, x10, x10; ldr xzr, [x4] */
      0x93cc0d8c, 0x93cc358c, 0x93cccd8c, 0x93ccf58c, 0xaa0a014a, 0xf940009f};
  bool x86 = plq_guest_machine() == EM_X86_64;
  if (!x86 && plq_guest_machine() != EM_AARCH64) return false;
  const uint8_t *all = x86 ? x86_64 : (const uint8_t *)aarch64;
  size_t size = x86 ? sizeof x86_64 : sizeof aarch64;
  if (length != 4 || memcmp(code, all + size - 4, 4) != 0) return false;
  /* What precedes may lie on a page that is not mapped. */
  uint64_t before = at - (size - 4), low, high;
  return plq_guest_range(before, &low, &high) && memcmp(plq_guest_memory(before), all, size - 4) == 0;
}


static bool is_atomic(const uint8_t *code, size_t length) {
  if (plq_guest_machine() == EM_X86_64) {
    /* A LOCK prefix, or an exchange with memory, behind other prefixes. */
    for (size_t i = 0; i < length; i++) {
      bool prefix = code[i] == 0x66 || code[i] == 0x67 || code[i] == 0xf2 || code[i] == 0xf3 || (code[i] & 0xf0) == 0x40;
      if (prefix) continue;
      return code[i] == 0xf0 || ((code[i] == 0x86 || code[i] == 0x87) && i + 1 < length && code[i + 1] >> 6 != 3);
    }
    return false;
  }
  uint32_t word;
  if (length < 4) return false;
  memcpy(&word, code, 4);
  /* AArch64: load and store exclusive and ordered, compare and swap; atomic memory operations (Arm ARM, C4.1). */
  if (plq_guest_machine() == EM_AARCH64)
    return (word & 0x3f000000) == 0x08000000 || (word & 0x3b200c00) == 0x38200000;
  /* RISC-V: opcode AMO. */
  if (plq_guest_machine() == EM_RISCV) return (word & 0x7f) == 0x2f;
  return false;
}

/* Kept for good: blocks that are translated again, which is rare, get instructions of their own. */
static struct instruction *new_instruction(void) {
  static struct instruction *next, *end;
  struct pl_guard guard = pl_lock();
  if (next == end) {
    enum { BYTES = 1 << 20 };
    next = pl_map(NULL, BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    end = next ? next + BYTES / sizeof *next : NULL;
  }
  struct instruction *in = next ? next++ : NULL;
  pl_unlock(guard);
  return in;
}

static pthread_once_t guest_once = PTHREAD_ONCE_INIT;
static void guest_starts(void) {
  plq_guest_find();
  struct pl_guard guard = pl_lock();
  pl_announce_process(UINT32_MAX, 0, PL_PROCESS_TRAPS, plq_guest_path());
  pl_unlock(guard);
  plq_guest_announce();
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  pthread_once(&guest_once, guest_starts);
  size_t count = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < count; i++) {
    struct qemu_plugin_insn *each = qemu_plugin_tb_get_insn(block, i);
    struct instruction *in = new_instruction();
    if (!in) return;
    in->end = qemu_plugin_insn_vaddr(each) + qemu_plugin_insn_size(each);
    if (is_request(qemu_plugin_insn_vaddr(each), qemu_plugin_insn_data(each), qemu_plugin_insn_size(each))) {
      qemu_plugin_register_vcpu_mem_cb(each, requested, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, in);
      continue;
    }
    uint32_t watched = pl_watched_entry(qemu_plugin_insn_vaddr(each));
    if (watched)
      qemu_plugin_register_vcpu_insn_exec_cb(each, enters, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)watched);
    bool atomic = is_atomic(qemu_plugin_insn_data(each), qemu_plugin_insn_size(each));
    if (atomic) {
      in->flags = PL_ATOMIC;
      qemu_plugin_register_vcpu_insn_exec_cb(each, synchronises, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
    qemu_plugin_register_vcpu_mem_cb(each, atomic ? accessed_atomically : accessed, QEMU_PLUGIN_CB_NO_REGS,
                                     QEMU_PLUGIN_MEM_RW, in);
  }
}

/* ---- system calls, fork, end ---- */

static void call_begins(qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                        uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
  (void)id, (void)vcpu, (void)g, (void)h;
  stamp();
  plq_call_begins(number, (uint64_t[]){a, b, c, d, e, f});
}

static void call_ends(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result) {
  (void)id, (void)vcpu;
  plq_call_ends(number, result);
  stamp();
}

void plq_executes(void) {
  /* What is executed runs without QEMU, or in one of its own: it is not recorded. */
  static const char text[] = "what the program executed in its place was not recorded: QEMU records one program";
  struct pl_guard guard = pl_lock();
  struct pl_part part = {text, sizeof text - 1};
  pl_meta(PL_META_WARNING, &part, 1);
  pl_unlock(guard);
}

static struct {
  uint32_t number;
  uint64_t seq;
} forking;

static void fork_begins(void) {
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  forking.number = pl_process_take();
  forking.seq = pl_seq_take();
  pl_event(c, PL_EVENT_FORK, forking.seq, forking.number, 0, 0, 0);
}

static void forked(void) {
  struct pl_context *c = pl_context_peek();
  lock_word = 0;
  if (!c) return;
  uint64_t stack = c->stack_low;
  pl_current = &pl_inert;
  pl_context_make_private(c);
  pl_context_close(c);
  uint32_t parent = pl_process;
  pl_become(forking.number);
  struct pl_guard guard = pl_lock();
  pl_announce_process(parent, forking.seq, PL_PROCESS_TRAPS, plq_guest_path());
  pl_modules_forget();
  pl_unlock(guard);
  plq_guest_announce();
  pl_numbered_again();
  thread_starts(stack);
}

static void ended(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  thread_ends(NULL);
}

PL_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments) {
  static const char option[] = "run=";
  if (info->system_emulation || count != 1 || strncmp(arguments[0], option, sizeof option - 1) != 0) return -1;
  if (!pl_join(arguments[0] + sizeof option - 1)) return -1;
  plq_guest_before();
  pthread_key_create(&at_end, thread_ends);
  pthread_atfork(fork_begins, NULL, forked);
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_vcpu_syscall_cb(id, call_begins);
  qemu_plugin_register_vcpu_syscall_ret_cb(id, call_ends);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
