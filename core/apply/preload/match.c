/* Which object allocates: the call stack of the program is compared with those of the plan.
 *
 * A return address stands for one frame or several (inlined functions); core has looked up in the debug information
 * which ones. The frames of a stack must occur in an object's stack in the same order. Some of the object's may be
 * missing: a call in tail position leaves no frame. Not the innermost one where a library allocates that the plan does
 * not know (a buffer of printf's is not what is allocated in its arguments). Of the objects that fit, those with the fewest missing frames count;
 * when they belong into different tiers, nothing is decided. Frames in libraries that the plan does not know are passed
 * over. What a stack was decided to be is remembered by its addresses. */
#define _GNU_SOURCE
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "state.h"

#define DEPTH_MAX 64
#define FRAMES_MAX 256
#define MODULES_MAX 64
#define UNDECIDED (-2)

/* A module of the plan as it is loaded. */
struct loaded {
  uintptr_t base, end;
  const struct plan_module *module;
};
static struct loaded loaded[MODULES_MAX];
static unsigned loaded_count;
static bool modules_known;
/* Counts what makes decisions void. */
static unsigned generation = 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Decisions by hash of the addresses; hash 0: none yet. */
#define MEMORY_SLOTS (1u << 16)
static struct {
  uint64_t hash;
  int64_t decision;
} memory[MEMORY_SLOTS];

static int find_module(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  char path[PATH_MAX];
  const char *name = info->dlpi_name && *info->dlpi_name ? info->dlpi_name : "/proc/self/exe";
  if (!realpath(name, path)) return 0;
  const struct plan_module *modules = plan_at(plan->modules_at);
  for (uint32_t m = 0; m < plan->modules && loaded_count < MODULES_MAX; m++) {
    if (strcmp(path, plan_at(modules[m].path_at)) != 0) continue;
    uintptr_t end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
      const ElfW(Phdr) *header = &info->dlpi_phdr[i];
      if (header->p_type == PT_LOAD && header->p_vaddr + header->p_memsz > end) end = header->p_vaddr + header->p_memsz;
    }
    loaded[loaded_count++] = (struct loaded){info->dlpi_addr, info->dlpi_addr + end, &modules[m]};
  }
  return 0;
}

static int count_loads(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  *(unsigned long long *)data = info->dlpi_adds;
  return 1;
}

/* Looks where the plan's modules are. Again while some are missing, when something was loaded since. */
static void learn_modules(void) {
  static unsigned long long loads_seen;
  bool known = __atomic_load_n(&modules_known, __ATOMIC_ACQUIRE);
  if (known && loaded_count == plan->modules) return;
  unsigned long long loads = 0;
  dl_iterate_phdr(count_loads, &loads);
  if (known && loads == __atomic_load_n(&loads_seen, __ATOMIC_RELAXED)) return;
  pthread_mutex_lock(&lock);
  loaded_count = 0;
  dl_iterate_phdr(find_module, NULL);
  memset(memory, 0, sizeof memory);
  generation++;
  __atomic_store_n(&loads_seen, loads, __ATOMIC_RELAXED);
  __atomic_store_n(&modules_known, true, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&lock);
}

/* A library went: its addresses may mean something else later. */
void forget_modules(void) { __atomic_store_n(&modules_known, false, __ATOMIC_RELEASE); }

static const struct loaded *module_of(uintptr_t pc) {
  for (unsigned i = 0; i < loaded_count; i++)
    if (pc > loaded[i].base && pc <= loaded[i].end) return &loaded[i];
  return NULL;
}

static const struct plan_site *site_of(const struct loaded *in, uintptr_t pc) {
  const struct plan_site *sites = plan_at(in->module->sites_at);
  uintptr_t offset = pc - in->base;
  uint32_t low = 0, high = in->module->sites;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (sites[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low < in->module->sites && sites[low].offset == offset ? &sites[low] : NULL;
}

struct stack {
  unsigned depth;
  uintptr_t pcs[DEPTH_MAX];
  /* Where on the stack they stand. */
  uintptr_t slots[DEPTH_MAX];
  struct call call;
};

/* From the frame that called the allocation function on. */
static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *data) {
  struct stack *stack = data;
  uintptr_t pc = _Unwind_GetIP(context);
  if (pc == 0) return _URC_END_OF_STACK;
  if (stack->depth == 0 && pc != stack->call.pc) return _URC_NO_REASON;
  stack->slots[stack->depth] = _Unwind_GetCFA(context) - sizeof(uintptr_t);
  stack->pcs[stack->depth++] = pc;
  return stack->depth == DEPTH_MAX ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static uint64_t hash_of(const struct stack *stack) {
  uint64_t hash = 0x9e3779b97f4a7c15ull;
  for (unsigned i = 0; i < stack->depth; i++) {
    hash = (hash ^ stack->pcs[i]) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 32;
  }
  return hash | 1;
}

/* The plan's frames of a stack. False: one is none of the plan's. */
static bool frames_of(const struct stack *stack, uint32_t frames[FRAMES_MAX], unsigned *count) {
  *count = 0;
  for (unsigned i = 0; i < stack->depth; i++) {
    const struct loaded *in = module_of(stack->pcs[i]);
    if (!in) continue;
    const struct plan_site *site = site_of(in, stack->pcs[i]);
    if (!site) return false;
    const uint32_t *own = plan_at(site->frames_at);
    for (uint32_t f = 0; f < site->frames && *count < FRAMES_MAX; f++)
      if (own[f] != FRAME_OUTSIDE) frames[(*count)++] = own[f];
  }
  return *count > 0;
}

/* Frames of the object that the stack lacks; -1: the stack has one that the object lacks, or another order. */
static int missing(const struct plan_object *object, const uint32_t *frames, unsigned count, bool library) {
  const uint32_t *own = plan_at(object->frames_at);
  if (library && object->frames && own[0] != frames[0]) return -1;
  unsigned at = 0;
  for (uint32_t f = 0; f < object->frames && at < count; f++) at += own[f] == frames[at];
  return at == count ? (int)(object->frames - count) : -1;
}

static int decide(const struct stack *stack) {
  uint32_t frames[FRAMES_MAX];
  unsigned count;
  if (!frames_of(stack, frames, &count)) return NO_OBJECT;
  const struct plan_object *objects = plan_at(plan->objects_at);
  bool library = !module_of(stack->pcs[0]);
  int best = NO_OBJECT, fewest = INT_MAX;
  for (uint32_t o = 0; o < plan->objects; o++) {
    int lacks = missing(&objects[o], frames, count, library);
    if (lacks < 0 || lacks > fewest) continue;
    if (lacks < fewest) best = (int)o;
    else if (best >= 0 && objects[o].tier != objects[best].tier) best = UNDECIDED;
    fewest = lacks;
  }
  return best;
}

static int remembered(const struct stack *stack) {
  uint64_t hash = hash_of(stack);
  unsigned slot = (unsigned)(hash >> 40) % MEMORY_SLOTS;
  if (__atomic_load_n(&memory[slot].hash, __ATOMIC_ACQUIRE) == hash) {
    int64_t decision = __atomic_load_n(&memory[slot].decision, __ATOMIC_ACQUIRE);
    /* The high half repeats a part of the hash: another thread may have written another stack's decision meanwhile. */
    if ((uint32_t)(decision >> 32) == (uint32_t)hash) return (int32_t)decision;
  }
  int decision = decide(stack);
  __atomic_store_n(&memory[slot].decision, (int64_t)((uint64_t)(uint32_t)hash << 32 | (uint32_t)decision), __ATOMIC_RELEASE);
  __atomic_store_n(&memory[slot].hash, hash, __ATOMIC_RELEASE);
  return decision;
}

/* Unwinding takes microseconds. A call from the same place with the stack as deep as before, where the same return
 * addresses stand where they stood, has the same stack: each of them says where the next one is. Kept by thread, since
 * each has a stack of its own. x86-64 alone: elsewhere return addresses have no fixed place in a frame. */
#define RECENT 32
#define RECENT_DEPTH 24
#ifdef __x86_64__
static __thread struct recent {
  struct call call;
  unsigned depth, generation;
  int decision;
  uintptr_t slots[RECENT_DEPTH], pcs[RECENT_DEPTH];
} recents[RECENT] __attribute__((tls_model("initial-exec")));

static struct recent *recent_of(struct call call) { return &recents[(call.pc ^ call.cfa >> 4) * 0x9e3779b1u >> 8 & (RECENT - 1)]; }

static bool is_recent(const struct recent *r, struct call call) {
  if (r->call.pc != call.pc || r->call.cfa != call.cfa || r->generation != generation) return false;
  for (unsigned i = 0; i < r->depth; i++)
    if (*(const uintptr_t *)r->slots[i] != r->pcs[i]) return false;
  return true;
}

static void keep_recent(struct recent *r, const struct stack *stack, int decision) {
  r->call.pc = 0;
  if (stack->depth == 0 || stack->depth > RECENT_DEPTH) return;
  for (unsigned i = 0; i < stack->depth; i++) {
    r->slots[i] = stack->slots[i];
    r->pcs[i] = stack->pcs[i];
    if (*(const uintptr_t *)r->slots[i] != r->pcs[i]) return;
  }
  r->depth = stack->depth;
  r->generation = generation;
  r->decision = decision;
  r->call = stack->call;
}
#endif

static int decision_of(struct call call) {
#ifdef __x86_64__
  struct recent *r = recent_of(call);
  if (is_recent(r, call)) return r->decision;
#endif
  struct stack stack = {.depth = 0, .call = call};
  _Unwind_Backtrace(step, &stack);
  int decision = remembered(&stack);
#ifdef __x86_64__
  keep_recent(r, &stack, decision);
#endif
  return decision;
}

int object_of_call(struct call call, size_t bytes) {
  learn_modules();
  const struct loaded *in = module_of(call.pc);
  /* Most allocations are told from the caller alone: the plan does not know it. */
  int object = !in || site_of(in, call.pc) ? decision_of(call) : NO_OBJECT;
  if (object >= 0) {
    uint64_t *own = counts_of((unsigned)object);
    __atomic_fetch_add(&own[0], 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&own[1], bytes, __ATOMIC_RELAXED);
    return object;
  }
  bool undecided = object == UNDECIDED;
  count_up(undecided ? COUNT_UNDECIDED_BLOCKS : COUNT_OTHER_BLOCKS, 1);
  count_up(undecided ? COUNT_UNDECIDED_BYTES : COUNT_OTHER_BYTES, bytes);
  return NO_OBJECT;
}

static void lock_modules(void) { pthread_mutex_lock(&lock); }
static void unlock_modules(void) { pthread_mutex_unlock(&lock); }

/* A child of fork finds no lock held by a thread that it does not have. */
void match_start(void) { pthread_atfork(lock_modules, unlock_modules, unlock_modules); }

/* Pages that lie wholly in a global are bound; those at its ends hold others as well. */
void place_globals(void) {
  learn_modules();
  for (unsigned i = 0; i < loaded_count; i++) {
    const struct plan_module *module = loaded[i].module;
    const struct plan_global *globals = plan_at(module->globals_at);
    for (uint32_t g = 0; g < module->globals; g++) {
      uintptr_t start = loaded[i].base + globals[g].offset;
      uintptr_t first = (start + PAGE - 1) & ~(PAGE - 1);
      uintptr_t end = (start + globals[g].size) & ~(PAGE - 1);
      size_t whole = end > first ? end - first : 0;
      count_up(COUNT_GLOBAL_SHARED_BYTES, globals[g].size - whole);
      if (!whole) continue;
      bind_pages((void *)first, whole, globals[g].tier, true);
      counts_of(globals[g].object)[0] += 1;
      counts_of(globals[g].object)[1] += whole;
    }
  }
}
