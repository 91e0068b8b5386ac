/**
 * Numbers that the WebAssembly kernel (AssemblyScript, this folder) and its TypeScript host share.
 * Plain constants, so that both compilers read this one file.
 */

/** Accesses in one decoded batch: the capacity of the batch columns. Divides the quantum. */
export const BATCH = 16384;

/**
 * The machine stops for its host (trackers' deadlines) only at multiples of this many accesses of the whole run, so that
 * what a tracker sees never depends on how the trace was cut into blocks.
 */
export const QUANTUM = 16384;
/** Counting stops for its host (live progress, cancellation) at multiples of this many accesses. */
export const SLICE = 1 << 20;

/** Bins at most in which sites are counted through time. Even. */
export const TIME_BINS = 512;
/** Call paths that a run tells apart. */
export const CONTEXTS_MAX = 1 << 16;
/** In place of a call site: the context is the part of its parent that lies in a region, whose number the rest is. */
export const REGION_CONTEXT = 0x8000_0000;

// What a site does: bits 0-2 class, bits 3-5 log2 of its size in bytes (0..6), then flags.
export const SITE_READ = 0;
export const SITE_WRITE = 1;
/** A bulk operation; the length is in the stream. Expands to one access per started 64-byte line. */
export const SITE_RANGE_READ = 2;
export const SITE_RANGE_WRITE = 3;
/** Function entry: its pc is the return address into the caller, the same as that of the CALL site before it. */
export const SITE_ENTRY = 4;
export const SITE_EXIT = 5;
/** A program counter that is only named by others: a call, an allocation. */
export const SITE_CALL = 6;
export const SITE_CLASS_MASK = 7;
export const SITE_SIZE_SHIFT = 3;
export const SITE_ATOMIC = 64;
export const SITE_UNALIGNED = 128;

// Why `decode` returned.
/** The batch is full, or the limit that the caller set is reached. */
export const STOP_LIMIT = 0;
/** The input of this stream is used up; feed the next block or finish. */
export const STOP_INPUT = 1;
/** An event is in the event record; call again to go on behind it. */
export const STOP_EVENT = 2;
/** The stream is damaged; `decodeErrorOffset` says where. */
export const STOP_ERROR = 3;

// Events. seq is the run-wide sequence number (0: the event has none).
/** A synchronisation stamp: what follows in this stream happened after `seq`. */
export const EVENT_STAMP = 1;
/** a = address, b = size in bytes, c = pc of the caller (site of class CALL), d = ALLOC_*. */
export const EVENT_ALLOC = 2;
/** a = address. */
export const EVENT_FREE = 3;
/** a = address, b = length, c = caller's pc, d = index of the mapped file's name + 1, or 0 for anonymous. */
export const EVENT_MAP = 4;
/** a = address, b = length. */
export const EVENT_UNMAP = 5;
/** a = old address, b = old length, c = new address, d = new length. */
export const EVENT_REMAP = 6;
/** a = new end of the heap. */
export const EVENT_BRK = 7;
/** a = lowest address of the thread's stack, b = one past its highest, c = tid. First event of a stream. */
export const EVENT_THREAD_START = 8;
export const EVENT_THREAD_EXIT = 9;
/** a = number, b = result (two's complement), c = relayed bytes. */
export const EVENT_SYSCALL = 10;
/** The kernel wrote memory for the program: a = address, b = length. Touches pages, is no access. */
export const EVENT_KERNEL_WRITE = 11;
/** a = index of the child process in the run. */
export const EVENT_FORK = 12;
export const EVENT_EXEC = 13;
/** What the program says of itself (pagelens.h): a = MARK_*, b = index of its name, c = address. */
export const EVENT_MARK = 14;

/** A region of this name begins or ends on this thread. */
export const MARK_REGION_BEGIN = 1;
export const MARK_REGION_END = 2;
/** The process enters the phase of this name. */
export const MARK_PHASE = 3;
/** The block or mapping that begins at the address has this name. */
export const MARK_TAG = 4;

export const ALLOC_MALLOC = 0;
export const ALLOC_CALLOC = 1;
/** A realloc is FREE of the old block then ALLOC of the new one, with one sequence number apart. */
export const ALLOC_REALLOC = 2;
export const ALLOC_ALIGNED = 3;
export const ALLOC_NEW = 4;
// Not in a trace: how mapped memory without a file came about.
export const ALLOC_MMAP = 5;
export const ALLOC_BRK = 6;

// Messages of the counting half to the machine half (outbox.ts): u32 words, all a multiple of 8 bytes long. Word 0 is the
// kind, word 1 the vCPU where there is one.
/**
 * Words 2..7: accesses, touches, pages named, crosses, straddles, samples; then the touches, page numbers, crosses,
 * straddles, samples.
 */
export const MESSAGE_BATCH = 1;
/** Word 1: pages named; then their numbers. */
export const MESSAGE_PAGES = 2;
/** Bit number in a page's number when it is named: it holds a stack, a mapped file or part of a module. */
export const OUTSIDE_PRIMARY = 63;
export const MESSAGE_EPOCH = 3;
/** Neighbouring epochs merge in pairs. */
export const MESSAGE_DOUBLE = 4;
/** Word 1: process of the next vCPU. */
export const MESSAGE_VCPU = 5;
export const MESSAGE_VCPU_END = 6;
export const MESSAGE_SYNCHRONISE = 7;
export const MESSAGE_SYSTEM_CALL = 8;
/** Word 1: process; word 2: MAPPING_*; words 4..7: first page number and pages, u64 each. */
export const MESSAGE_MAPPING = 9;
/** Word 1: pairs named; then the site of each. */
export const MESSAGE_PAIRS = 10;
/** Neighbouring bins of sites through time merge in pairs. */
export const MESSAGE_WIDEN = 11;
/** Most bytes that are handed over at once. */
export const OUTBOX_BYTES = 1 << 20;

// What a program, or the kernel for it, does to its mappings, in units of the run's page.
/** The pages were mapped anew: nothing of them is present yet. */
export const MAPPING_MAP = 1;
export const MAPPING_UNMAP = 2;
/** The process begins as a copy of the process whose number stands for the first page. */
export const MAPPING_FORK = 3;
/** All mappings of the process are gone: exec. */
export const MAPPING_END = 4;

/** Accesses between two samples of one sampler in the counting half, at least. */
export const SAMPLE_PERIOD_MIN = 16;
// Directions that a sampler counts.
export const SAMPLE_READS = 1;
export const SAMPLE_WRITES = 2;
