/*
 * System calls of the guest: numbers are those of its architecture. Its structures may have other sizes than ours, so of
 * what the kernel writes only buffers are known whose length is the result. See qemu.h for the licence.
 */
#include <elf.h>

#include "plugin.h"

enum effect { OTHER, MAP, UNMAP, REMAP, BREAK, FILL_FIRST, FILL_SECOND, MOVE, EXEC, FORK, QUICK };

struct numbered {
  int16_t x86_64, generic; /* asm-generic/unistd.h: AArch64, RISC-V, LoongArch */
  uint8_t effect;
};

static const struct numbered numbers[] = {
    {9, 222, MAP},         {11, 215, UNMAP},      {25, 216, REMAP},    {12, 214, BREAK},
    {0, 63, FILL_SECOND},  {17, 67, FILL_SECOND}, {45, 207, FILL_SECOND}, {318, 278, FILL_FIRST},
    {217, 61, FILL_SECOND}, {79, 17, FILL_FIRST},  {1, 64, MOVE},       {18, 68, MOVE},
    {20, 66, MOVE},        {296, 70, MOVE},       {44, 206, MOVE},     {46, 211, MOVE},
    {40, 71, MOVE},        {59, 221, EXEC},       {322, 281, EXEC},    {56, 220, FORK},
    {435, 435, FORK},      {57, -1, FORK},        {58, -1, FORK},      {10, 226, QUICK},
    {28, 233, QUICK},      {13, 134, QUICK},      {14, 135, QUICK},    {262, 79, QUICK},
    {5, 80, QUICK},        {8, 62, QUICK},        {39, 172, QUICK},    {228, 113, QUICK},
};

static enum effect effect_of(int64_t number) {
  bool generic = plq_guest_machine() != EM_X86_64;
  for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if ((generic ? numbers[i].generic : numbers[i].x86_64) == number) return (enum effect)numbers[i].effect;
  return OTHER;
}

/* The call that this thread makes. */
static PL_PER_THREAD struct {
  uint64_t arguments[6];
  struct pl_context *waiting;
} call;

void plq_call_begins(int64_t number, const uint64_t *arguments) {
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  for (int i = 0; i < 6; i++) call.arguments[i] = arguments[i];
  call.waiting = NULL;
  enum effect effect = effect_of(number);
  if (effect == UNMAP) pl_unmapping(c, arguments[0], arguments[1]);
  if (effect == EXEC) plq_executes();
  bool waits = effect == OTHER || effect == FILL_FIRST || effect == FILL_SECOND || effect == MOVE;
  if (waits) call.waiting = pl_block_in(c);
}

/* PROT_NONE, MAP_ANONYMOUS: the same on all of these architectures. */
#define NO_ACCESS 0
#define ANONYMOUS 0x20

static bool in_module(uint64_t at) {
  struct pl_guard guard = pl_lock();
  bool found = pl_module_find_locked(at) != UINT32_MAX;
  pl_unlock(guard);
  return found;
}

static void module_unmapped(uint64_t at, uint64_t length) {
  struct pl_guard guard = pl_lock();
  pl_modules_unmapped_locked(at, length);
  pl_unlock(guard);
}

static void map_changed(struct pl_context *c, enum effect effect, uint64_t result) {
  const uint64_t *a = call.arguments;
  if (effect == MAP) {
    if (!(a[3] & ANONYMOUS)) plq_guest_mapped(result);
    /* Libraries are announced as such, with their segments; address space that is only reserved is nobody's. */
    if (a[2] != NO_ACCESS && !in_module(result)) pl_mapped(c, result, a[1], (int)a[3], (int)a[4], 0);
  }
  if (effect == REMAP) pl_remapped(c, a[0], a[1], result, a[2]);
  /* A question for the break tells where it is, too. */
  if (effect == BREAK && (a[0] == 0 || result == a[0])) pl_broke(c, result);
}

void plq_call_ends(int64_t number, int64_t result) {
  struct pl_context *c = pl_context_peek();
  if (!c) return;
  if (call.waiting) pl_unblock(call.waiting);
  if (pl_context_peek() != c) return;
  enum effect effect = effect_of(number);
  bool done = (uint64_t)result < -4095ull;
  bool moves = effect == FILL_FIRST || effect == FILL_SECOND || effect == MOVE;
  pl_called(c, number, result, done && moves ? (uint64_t)result : 0);
  if (!done) return;
  if (effect == FILL_FIRST || effect == FILL_SECOND)
    pl_filled(c, (const void *)(uintptr_t)call.arguments[effect == FILL_SECOND], (uint64_t)result);
  if (effect == UNMAP) module_unmapped(call.arguments[0], call.arguments[1]);
  map_changed(c, effect, (uint64_t)result);
}
