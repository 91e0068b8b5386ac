/* An allocator for the blocks that are placed: chunks of 1 MiB, each of one tier and one size of block, and mappings of
 * their own for what is larger than an eighth of that. The pages of one chunk are all in one tier, so objects of
 * different tiers never share a page. Where blocks lie depends on the order of calls alone, never on the machine's nodes.
 *
 * A chunk begins at a multiple of 1 MiB with a page that describes it; a bitmap over the address space knows which are
 * ours, so that any pointer is told from the program's own allocator's in one load. Freed memory is used again for
 * blocks of the same tier and size; mappings of their own go back to the system. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"

#define CHUNK_SHIFT 20
#define CHUNK (1ul << CHUNK_SHIFT)
#define SMALL_MAX (CHUNK / 8)
#define ADDRESS_BITS 47
#define SIZES 64

struct chunk {
  uint32_t tier;
  uint32_t size;  /* of a block; 0: one block */
  size_t bytes;   /* of the mapping */
  void *block;    /* of one block: where it starts */
  struct chunk *next; /* of the same tier and size, with room */
  void *freed;    /* list through the blocks */
  char *unused;   /* behind it no block was handed out yet */
  bool listed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct chunk *rooms[PLAN_TIERS_MAX][SIZES];
/* A bit for each multiple of CHUNK. */
static uint64_t *owned;

static void lock_all(void) { pthread_mutex_lock(&lock); }
static void unlock_all(void) { pthread_mutex_unlock(&lock); }

void arena_start(void) {
  size_t bytes = (1ul << (ADDRESS_BITS - CHUNK_SHIFT)) / 8;
  void *bits = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (bits != MAP_FAILED) owned = bits;
  pthread_atfork(lock_all, unlock_all, unlock_all);
}

static void own(const void *start, size_t bytes, bool ours) {
  uintptr_t first = (uintptr_t)start >> CHUNK_SHIFT;
  uintptr_t last = ((uintptr_t)start + bytes - 1) >> CHUNK_SHIFT;
  for (uintptr_t c = first; c <= last; c++) {
    uint64_t bit = 1ull << (c & 63);
    if (ours) __atomic_fetch_or(&owned[c >> 6], bit, __ATOMIC_RELAXED);
    else __atomic_fetch_and(&owned[c >> 6], ~bit, __ATOMIC_RELAXED);
  }
}

bool arena_owns(const void *block) {
  uintptr_t c = (uintptr_t)block >> CHUNK_SHIFT;
  if (!owned || c >> (ADDRESS_BITS - CHUNK_SHIFT)) return false;
  return __atomic_load_n(&owned[c >> 6], __ATOMIC_RELAXED) >> (c & 63) & 1;
}

static struct chunk *chunk_of(const void *block) { return (struct chunk *)((uintptr_t)block & ~(CHUNK - 1)); }

/* Maps `wanted` bytes at a multiple of CHUNK, and what is left of the last one, so that nobody else's block lies there:
 * pages that are never touched cost nothing. */
static struct chunk *map_chunk(size_t wanted, unsigned tier) {
  size_t bytes = (wanted + CHUNK - 1) & ~(CHUNK - 1);
  size_t room = bytes + CHUNK;
  if (bytes < wanted || room < bytes) return NULL;
  char *start = (char *)syscall(SYS_mmap, NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return NULL;
  char *aligned = (char *)(((uintptr_t)start + CHUNK - 1) & ~(CHUNK - 1));
  if (aligned > start) syscall(SYS_munmap, start, aligned - start);
  char *behind = aligned + bytes;
  if (start + room > behind) syscall(SYS_munmap, behind, start + room - behind);
  bind_pages(aligned, bytes, tier, false);
  struct chunk *chunk = (struct chunk *)aligned;
  chunk->tier = tier;
  chunk->bytes = bytes;
  own(chunk, bytes, true);
  return chunk;
}

/* Sizes of blocks: steps of 16 to 256, then four steps to each doubling. */
static unsigned class_of(size_t bytes) {
  if (bytes <= 256) return bytes ? (unsigned)((bytes - 1) >> 4) : 0;
  unsigned shift = 63 - (unsigned)__builtin_clzl(bytes - 1);
  return 16 + (shift - 8) * 4 + (unsigned)(((bytes - 1) >> (shift - 2)) & 3);
}
static uint32_t size_of_class(unsigned class) {
  if (class < 16) return (class + 1) << 4;
  unsigned shift = 8 + (class - 16) / 4;
  return (1u << shift) + (((class - 16) % 4 + 1) << (shift - 2));
}

static void *small(unsigned tier, unsigned class) {
  struct chunk **room = &rooms[tier][class];
  struct chunk *chunk = *room;
  if (!chunk) {
    chunk = map_chunk(CHUNK, tier);
    if (!chunk) return NULL;
    chunk->size = size_of_class(class);
    chunk->unused = (char *)chunk + PAGE;
    chunk->listed = true;
    *room = chunk;
  }
  void *block = chunk->freed;
  if (block) chunk->freed = *(void **)block;
  else {
    block = chunk->unused;
    chunk->unused += chunk->size;
  }
  if (!chunk->freed && chunk->unused + chunk->size > (char *)chunk + CHUNK) {
    *room = chunk->next;
    chunk->next = NULL;
    chunk->listed = false;
  }
  return block;
}

static void *large(unsigned tier, size_t bytes, size_t alignment) {
  size_t before = alignment > PAGE ? alignment : PAGE;
  if (before + bytes < bytes) return NULL;
  struct chunk *chunk = map_chunk(before + bytes, tier);
  if (!chunk) return NULL;
  chunk->block = (char *)chunk + before;
  return chunk->block;
}

void *arena_alloc(unsigned tier, size_t bytes, size_t alignment) {
  /* The description must be found from the block. */
  if (!owned || tier >= PLAN_TIERS_MAX || alignment >= CHUNK) return NULL;
  /* Blocks of a power of two from their alignment on are aligned to their size, as their chunk's first one is. */
  size_t wanted = alignment > 16 && bytes < alignment ? alignment : bytes;
  unsigned class = wanted <= SMALL_MAX ? class_of(wanted) : SIZES;
  bool is_small = class < SIZES && (alignment <= 16 || (alignment <= PAGE && size_of_class(class) % alignment == 0));
  pthread_mutex_lock(&lock);
  void *block = is_small ? small(tier, class) : large(tier, bytes, alignment);
  pthread_mutex_unlock(&lock);
  return block;
}

void arena_free(void *block) {
  struct chunk *chunk = chunk_of(block);
  pthread_mutex_lock(&lock);
  if (chunk->size) {
    *(void **)block = chunk->freed;
    chunk->freed = block;
    if (!chunk->listed) {
      struct chunk **room = &rooms[chunk->tier][class_of(chunk->size)];
      chunk->next = *room;
      chunk->listed = true;
      *room = chunk;
    }
  } else {
    size_t bytes = chunk->bytes;
    own(chunk, bytes, false);
    syscall(SYS_munmap, chunk, bytes);
  }
  pthread_mutex_unlock(&lock);
}

size_t arena_size(const void *block) {
  struct chunk *chunk = chunk_of(block);
  if (chunk->size) return chunk->size;
  return (size_t)((char *)chunk + chunk->bytes - (char *)chunk->block);
}

unsigned arena_tier(const void *block) { return chunk_of(block)->tier; }
