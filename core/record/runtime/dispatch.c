/*
 * System calls that libc makes inside itself (stdio's read and write, malloc's mmap, thread stacks), by system call user
 * dispatch: the kernel sends SIGSYS instead of executing a call from outside this library's code while the thread's
 * selector says so (Documentation/admin-guide/syscall-user-dispatch.rst). The handler makes the call itself and records
 * it (calls.c).
 *
 * The handler runs with all signals blocked, on the program's stack but for the recording, which has one of its own. A
 * call that may wait is made with the program's own signals, so that handlers interrupt it as they would without us.
 * SIGSYS itself must never be blocked: a blocked one ends the process. So it is taken out of every mask that is set.
 */
#include "real.h"
#include "calls.h"
#include "sys.h"

#if defined(__x86_64__)

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* Of Linux 5.11: older headers lack them. */
#define SET_SYSCALL_USER_DISPATCH 59
#define SYS_USER_DISPATCH_CODE 2

__thread struct pl_dispatch pl_dispatch __attribute__((tls_model("initial-exec")));

typedef uint64_t mask_t;
#define SIGSYS_BIT (1ull << (SIGSYS - 1))
/* SA_RESTORER of the kernel; the headers of libc hide it. */
#define WITH_RESTORER 0x04000000ul

/* The kernel's struct, not libc's. */
struct action {
  void *handler;
  unsigned long flags;
  void *restorer;
  mask_t mask;
};

/* ---- code that calls the kernel; all of it lies in this library, whose calls never trap ---- */

#define SLOTS 64

long pl_call_here(long number, const long *arguments) __attribute__((visibility("hidden")));
void pl_on_stack(void (*function)(void *), void *argument, void *stack) __attribute__((visibility("hidden")));
extern char pl_restorer[] __attribute__((visibility("hidden")));
extern char pl_slots[] __attribute__((visibility("hidden")));
uint64_t pl_slot_targets[SLOTS] __attribute__((visibility("hidden")));
#define SLOT_BYTES 16

__asm__(
    ".pushsection .text\n"
    /* A call, as a function that the compiler must expect to be left by an exception: a cancelled thread unwinds it. */
    ".globl pl_call_here\n"
    ".hidden pl_call_here\n"
    ".type pl_call_here, @function\n"
    "pl_call_here:\n"
    "  .cfi_startproc\n"
    "  mov %rdi, %rax\n"
    "  mov %rsi, %r11\n"
    "  mov (%r11), %rdi\n"
    "  mov 8(%r11), %rsi\n"
    "  mov 16(%r11), %rdx\n"
    "  mov 24(%r11), %r10\n"
    "  mov 32(%r11), %r8\n"
    "  mov 40(%r11), %r9\n"
    "  syscall\n"
    "  ret\n"
    "  .cfi_endproc\n"
    ".size pl_call_here, .-pl_call_here\n"
    ".globl pl_on_stack\n"
    ".hidden pl_on_stack\n"
    ".type pl_on_stack, @function\n"
    "pl_on_stack:\n"
    "  .cfi_startproc\n"
    "  push %rbp\n"
    "  .cfi_def_cfa_offset 16\n"
    "  .cfi_offset %rbp, -16\n"
    "  mov %rsp, %rbp\n"
    "  .cfi_def_cfa_register %rbp\n"
    "  mov %rdx, %rsp\n"
    "  mov %rdi, %rax\n"
    "  mov %rsi, %rdi\n"
    "  call *%rax\n"
    "  leave\n"
    "  .cfi_def_cfa %rsp, 8\n"
    "  ret\n"
    "  .cfi_endproc\n"
    ".size pl_on_stack, .-pl_on_stack\n"
    /* The way back from a handler. Unwinders and debuggers know a signal's frame by these very bytes; no unwind
     * information may cover them or what is before. */
    "  .balign 16\n"
    "  nop\n"
    ".globl pl_restorer\n"
    ".hidden pl_restorer\n"
    "pl_restorer:\n"
    "  mov $15, %rax\n"
    "  syscall\n"
    /* A call that must be made with the program's own registers and stack, such as clone, whose child goes on from
     * there. It is made here and goes on where the slot's target says: no register and no stack is left to keep that. */
    "  .balign 16\n"
    ".globl pl_slots\n"
    ".hidden pl_slots\n"
    "pl_slots:\n"
    "  .set pl_slot, 0\n"
    "  .rept 64\n"
    "  syscall\n"
    "  jmp *pl_slot_targets+8*pl_slot(%rip)\n"
    "  .balign 16\n"
    "  .set pl_slot, pl_slot + 1\n"
    "  .endr\n"
    ".popsection\n");

/* A slot that goes on at `target`; null when all are taken: there are but few places in a program that clone. */
static void *slot_for(uint64_t target) {
  for (int i = 0; i < SLOTS; i++) {
    uint64_t found = 0;
    if (__atomic_compare_exchange_n(&pl_slot_targets[i], &found, target, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
        found == target)
      return pl_slots + i * SLOT_BYTES;
  }
  return NULL;
}

/* ---- where code lies ---- */

struct span {
  uint64_t start, length;
};

static struct span code_of(const ElfW(Ehdr) *elf) {
  const ElfW(Phdr) *header = (const ElfW(Phdr) *)((const char *)elf + elf->e_phoff);
  for (int i = 0; i < elf->e_phnum; i++, header++)
    if (header->p_type == PT_LOAD && header->p_flags & PF_X)
      return (struct span){(uint64_t)(uintptr_t)elf + header->p_vaddr, header->p_memsz};
  return (struct span){0, 0};
}

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
static struct span loader;

static bool within(uint64_t pc, struct span span) { return pc - span.start < span.length; }

/* ---- masks ---- */

static mask_t set_mask(mask_t mask) {
  mask_t before = 0;
  PL_SYS4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, 8);
  return before;
}
#define ALL_BUT_SIGSYS (~SIGSYS_BIT)

static mask_t *mask_of(ucontext_t *context) { return (mask_t *)&context->uc_sigmask; }

const sigset_t *pl_trappable(const sigset_t *mask, sigset_t *room) {
  if (!mask || !pl_dispatch.on) return mask;
  *room = *mask;
  sigdelset(room, SIGSYS);
  return room;
}

void pl_trappable_frame(void *context) {
  if (pl_dispatch.on) *mask_of(context) &= ~SIGSYS_BIT;
}

/* Calls that set a mask for themselves or for good: which argument it is; pselect6 has a pointer to it. */
static int mask_argument(long number) {
  switch (number) {
    case SYS_rt_sigsuspend:
      return 0;
    case SYS_rt_sigprocmask:
      return 1;
    case SYS_ppoll:
      return 3;
    case SYS_epoll_pwait:
    case SYS_io_uring_enter:
#ifdef SYS_epoll_pwait2
    case SYS_epoll_pwait2:
#endif
      return 4;
    case SYS_pselect6:
    case SYS_io_pgetevents:
      return 5;
  }
  return -1;
}

struct masked {
  mask_t mask;
  struct {
    const mask_t *mask;
    uint64_t bytes;
  } pair;
};

/* Replaces the mask among the arguments by one without SIGSYS. */
static void leave_sigsys(struct pl_call *call, struct masked *room) {
  int which = mask_argument(call->number);
  if (which < 0 || !call->arguments[which]) return;
  const void *given = (const void *)call->arguments[which];
  if (which == 5) {
    room->pair = *(__typeof__(room->pair) *)given;
    if (!room->pair.mask) return;
    room->mask = *room->pair.mask & ~SIGSYS_BIT;
    room->pair.mask = &room->mask;
    call->arguments[which] = (long)&room->pair;
  } else {
    room->mask = *(const mask_t *)given & ~SIGSYS_BIT;
    call->arguments[which] = (long)&room->mask;
  }
}

/* ---- signal actions ---- */

static void on_trap(int number, siginfo_t *info, void *context);

/* What the program wants done with SIGSYS, which is ours. */
static struct action sigsys;

static long set_action(const struct pl_call *call) {
  const struct action *given = (const struct action *)call->arguments[1];
  if (call->arguments[0] == SIGSYS && call->arguments[3] == 8) {
    struct action before = sigsys;
    if (given) sigsys = *given;
    if (call->arguments[2]) *(struct action *)call->arguments[2] = before;
    return 0;
  }
  struct action ours;
  long arguments[6] = {call->arguments[0], 0, call->arguments[2], call->arguments[3], 0, 0};
  if (given) {
    ours = *given;
    ours.mask &= ~SIGSYS_BIT;
    /* The return from its handler need not trap. */
    if (ours.flags & WITH_RESTORER) ours.restorer = pl_restorer;
    arguments[1] = (long)&ours;
  }
  return pl_call_here(SYS_rt_sigaction, arguments);
}

/* A SIGSYS of another origin: kill, or a filter of the program's own (seccomp). */
static void pass_on(int number, siginfo_t *info, void *context) {
  if (sigsys.handler == (void *)SIG_IGN && info->si_code <= 0) return;
  if (sigsys.handler == (void *)SIG_DFL || sigsys.handler == (void *)SIG_IGN) {
    struct action none = {0};
    PL_SYS4(SYS_rt_sigaction, SIGSYS, &none, 0, 8);
    PL_SYS3(SYS_tgkill, PL_SYS0(SYS_getpid), PL_SYS0(SYS_gettid), SIGSYS);
    return;
  }
  set_mask((*mask_of(context) | sigsys.mask) & ~SIGSYS_BIT);
  ((void (*)(int, siginfo_t *, void *))sigsys.handler)(number, info, context);
  set_mask(ALL_BUT_SIGSYS);
}

/* ---- the trap ---- */

/* What a trap must put back however it is left: a cancelled thread goes on in its clean-up handlers. */
static void trap_left(struct pl_call *call) {
  (void)call;
  pl_dispatch.selector = pl_dispatch.on ? PL_TRAPPED_CALLS : PL_NATIVE_CALLS;
}

static void before(void *call) { pl_call_before(call); }
static void after(void *call) { pl_call_after(call); }

/* Records on the stack that comes with the context: the program's may be small. */
static void on_own_stack(void (*function)(void *), struct pl_call *call) {
  struct pl_context *c = call->context;
  if (c) pl_on_stack(function, call, c->trap_stack);
}

/* Makes the call with the program's registers when the handler has returned. Its result is not known. */
static bool make_later(struct pl_call *call, greg_t *registers) {
  void *slot = slot_for(call->pc);
  if (!slot) return false;
  on_own_stack(after, call);
  registers[REG_RIP] = (greg_t)(uintptr_t)slot;
  return true;
}

/* A process that shares nothing with its parent may be made here: it returns from a copy of this handler. */
static bool is_fork(const struct pl_call *call) {
  const long *a = call->arguments;
  switch (call->number) {
    case SYS_fork:
      return true;
    case SYS_clone:
      return !(a[0] & CLONE_VM) && a[1] == 0;
    case SYS_clone3: {
      const struct clone_args *args = (const struct clone_args *)a[0];
      return args && (unsigned long)a[1] >= CLONE_ARGS_SIZE_VER0 && !(args->flags & CLONE_VM) && args->stack == 0;
    }
  }
  return false;
}

static bool needs_program(const struct pl_call *call) {
  switch (call->number) {
    case SYS_clone:
    case SYS_clone3:
    case SYS_vfork:
    case SYS_sigaltstack:
    case SYS_arch_prctl:
      return true;
  }
  return false;
}

static long make(struct pl_call *call, ucontext_t *context) {
  if (is_fork(call)) return pl_fork_by(call->number, call->arguments);
  switch (call->number) {
    case SYS_rt_sigaction:
      return set_action(call);
    case SYS_prctl:
      /* As a kernel without it would answer: a thread has only one dispatch. */
      if (call->arguments[0] == SET_SYSCALL_USER_DISPATCH) return -EINVAL;
      break;
  }
  if (!pl_call_waits(call->number)) return pl_call_here(call->number, call->arguments);
  struct masked room;
  struct pl_call masked = *call;
  leave_sigsys(&masked, &room);
  set_mask(*mask_of(context));
  long result = pl_call_here(masked.number, masked.arguments);
  *mask_of(context) = set_mask(ALL_BUT_SIGSYS) & ~SIGSYS_BIT;
  return result;
}

static void on_trap(int number, siginfo_t *info, void *data) {
  if (info->si_code != SYS_USER_DISPATCH_CODE) {
    pass_on(number, info, data);
    return;
  }
  ucontext_t *context = data;
  greg_t *registers = context->uc_mcontext.gregs;
  if (info->si_syscall == SYS_rt_sigreturn && info->si_arch == AUDIT_ARCH_X86_64) {
    /* From a handler that was installed before dispatch began. */
    registers[REG_RIP] = (greg_t)(uintptr_t)pl_restorer;
    return;
  }
  int saved = errno;
  struct pl_call call __attribute__((cleanup(trap_left))) = {
      .number = info->si_syscall,
      .arguments = {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX], registers[REG_R10], registers[REG_R8],
                    registers[REG_R9]},
      .pc = (uint64_t)registers[REG_RIP],
  };
  call.loader = within(call.pc, loader);
  pl_dispatch.selector = PL_NATIVE_CALLS;
  call.context = pl_context_get();
  if (info->si_arch != AUDIT_ARCH_X86_64 || (needs_program(&call) && !is_fork(&call))) {
    if (info->si_arch == AUDIT_ARCH_X86_64 && make_later(&call, registers)) {
      errno = saved;
      return;
    }
    /* A call of the 32-bit interface, or no slot is left: this thread goes on without us. */
    pl_warn("a thread makes system calls in a way that cannot be followed: its calls inside libc are not recorded");
    pl_dispatch_stop();
    registers[REG_RIP] -= 2; /* syscall and int $0x80 have two bytes */
    errno = saved;
    return;
  }
  if (call.number == SYS_exit || call.number == SYS_exit_group) {
    on_own_stack(after, &call);
    pl_call_here(call.number, call.arguments);
  }
  on_own_stack(before, &call);
  call.result = make(&call, context);
  on_own_stack(after, &call);
  registers[REG_RAX] = call.result;
  errno = saved;
}

/* ---- on and off ---- */

/* Valgrind makes the program's calls from its own code, and would trap itself. It answers this request, which does
 * nothing elsewhere, with its depth (VALGRIND_DO_CLIENT_REQUEST of valgrind.h, RUNNING_ON_VALGRIND). */
static bool under_valgrind(void) {
  uint64_t request[6] = {0x1001, 0, 0, 0, 0, 0}, depth = 0;
  __asm__ volatile("rolq $3, %%rdi\n rolq $13, %%rdi\n rolq $61, %%rdi\n rolq $51, %%rdi\n xchgq %%rbx, %%rbx"
                   : "+d"(depth)
                   : "a"(request)
                   : "cc", "memory", "rdi");
  return depth != 0;
}

bool pl_dispatch_possible(void) {
  return !under_valgrind() && PL_SYS6(SYS_prctl, SET_SYSCALL_USER_DISPATCH, 0 /* off */, 0, 0, 0, 0) == 0;
}

static bool install(void) {
  static bool installed;
  if (installed) return true;
  uint64_t base = getauxval(AT_BASE);
  if (base) loader = code_of((const ElfW(Ehdr) *)base);
  struct action ours = {on_trap, SA_SIGINFO | SA_NODEFER | WITH_RESTORER, pl_restorer, ALL_BUT_SIGSYS};
  installed = PL_SYS4(SYS_rt_sigaction, SIGSYS, &ours, &sigsys, 8) == 0;
  return installed;
}

void pl_dispatch_start(void) {
  if (pl_dispatch.on || !pl_traps || !install()) return;
  mask_t only = SIGSYS_BIT;
  PL_SYS4(SYS_rt_sigprocmask, SIG_UNBLOCK, &only, 0, 8);
  struct span own = code_of(&__ehdr_start);
  pl_dispatch.selector = PL_NATIVE_CALLS;
  if (PL_SYS6(SYS_prctl, SET_SYSCALL_USER_DISPATCH, 1 /* on */, own.start, own.length, &pl_dispatch.selector, 0) != 0) return;
  pl_dispatch.on = true;
  pl_dispatch.selector = PL_TRAPPED_CALLS;
}

void pl_dispatch_stop(void) {
  if (!pl_dispatch.on) return;
  PL_SYS6(SYS_prctl, SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0, 0);
  pl_dispatch.on = false;
}

void pl_dispatch_forked(void) {
  if (!pl_dispatch.on) return;
  pl_dispatch.on = false;
  pl_dispatch_start();
}

/* A second frame, with all vector registers, and what libc and the trap take beside it. */
#define ROOM_IN_FRAMES 3

void pl_dispatch_in_handler(void) {
  if (!pl_dispatch.on) return;
  stack_t stack;
  uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
  bool alternate = PL_SYS2(SYS_sigaltstack, 0, &stack) == 0 && stack.ss_flags & SS_ONSTACK;
  uint64_t room = alternate ? here - (uint64_t)(uintptr_t)stack.ss_sp : UINT64_MAX;
  pl_dispatch.selector = room < ROOM_IN_FRAMES * getauxval(AT_MINSIGSTKSZ) ? PL_NATIVE_CALLS : PL_TRAPPED_CALLS;
}

#else

__thread struct pl_dispatch pl_dispatch __attribute__((tls_model("initial-exec")));
bool pl_dispatch_possible(void) { return false; }
void pl_dispatch_start(void) {}
void pl_dispatch_stop(void) {}
void pl_dispatch_forked(void) {}
void pl_dispatch_in_handler(void) {}
void pl_trappable_frame(void *context) { (void)context; }
const sigset_t *pl_trappable(const sigset_t *mask, sigset_t *room) {
  (void)room;
  return mask;
}

#endif
