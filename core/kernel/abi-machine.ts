/**
 * How the host configures the emulated machine, and what it reads back: slot numbers in two blocks of linear memory.
 * Plain constants, so that both compilers read this one file. Slots are f64 each; `machine/machine.ts` fills them.
 */

// Parameter slots. Geometry: log2 of the page size; highest and leaf level of both dimensions (leaf 1 = 4 KiB, 2 = 2 MiB).
export const P_PAGE_SHIFT = 0;
export const P_GUEST_ROOT = 1;
export const P_GUEST_LEAF = 2;
export const P_EPT_ROOT = 3;
export const P_EPT_LEAF = 4;
/** The modes that are walked besides native: sum of 1 << MODE_*. */
export const P_MODES = 5;
export const P_L1_TLB_SETS = 6;
export const P_L1_TLB_WAYS = 7;
export const P_L2_TLB_SETS = 8;
export const P_L2_TLB_WAYS = 9;
/** Four slots: entries of the paging-structure cache for levels 2 (PDE), 3 (PDPTE), 4 (PML4E), 5 (PML5E); 0 = none. */
export const P_PSC_ENTRIES = 10;
/** Four slots: the same for the EPT dimension (guest-physical mappings). */
export const P_EPT_PSC_ENTRIES = 14;
/** Complete guest-physical translations that the walker remembers; 0 = none. */
export const P_NESTED_TLB_ENTRIES = 18;
export const P_PML_ENTRIES = 19;
/** 1: keep what is drained from the log, for tests and inspection. */
export const P_PML_KEEP = 20;
export const P_L1D_SETS = 21;
export const P_L1D_WAYS = 22;
export const P_L2_SETS = 23;
export const P_L2_WAYS = 24;
export const P_LLC_SETS = 25;
export const P_LLC_WAYS = 26;
// Costs in core cycles; the meaning of each is told in machine/costs.ts.
export const P_ACCESS_CYCLES = 27;
export const P_L2_STALL = 28;
export const P_LLC_STALL = 29;
export const P_MEMORY_STALL = 30;
export const P_L1_TLB_MISS_CYCLES = 31;
export const P_L2_TLB_MISS_CYCLES = 32;
export const P_WALK_NEAR_CYCLES = 33;
export const P_WALK_FAR_CYCLES = 34;
export const P_PSC_CYCLES = 35;
export const P_SYSTEM_CALL_CYCLES = 36;
export const P_CYCLES_PER_NS = 37;
/** Direct segments: host pages that the escape filter sends to paging. */
export const P_BAD_PAGES = 38;
/** Agile paging: writes to a guest table within an interval that turn it nested. */
export const P_AGILE_WRITES = 39;
/** Cores that the threads share: thread n runs on core n modulo this. 0: one each. */
export const P_CORES = 40;
/** Pages of several sizes in one dimension: per cent of its ranges of 2 MiB, and of 1 GiB, that one page maps. */
export const P_GUEST_SHARE_2M = 41;
export const P_GUEST_SHARE_1G = 42;
export const P_EPT_SHARE_2M = 43;
export const P_EPT_SHARE_1G = 44;
/**
 * Eight slots: the TLBs of pages above the smallest, sets and ways of L1, then of L2; first for 2 MiB, then for 1 GiB. No
 * sets: such pages are in the structure of the smallest ones.
 */
export const P_LARGE_TLBS = 45;
export const PARAMETERS = 53;

// Modes of address translation.
export const MODE_NATIVE = 0;
export const MODE_SHADOW = 1;
export const MODE_DIRECT = 2;
/** With EPT accessed and dirty flags and the Page Modification Log; in the other modes these flags are off. */
export const MODE_NESTED = 3;
export const MODE_DSP = 4;
export const MODE_DUAL_DIRECT = 5;
export const MODE_VMM_DIRECT = 6;
export const MODE_GUEST_DIRECT = 7;
export const MODE_AGILE = 8;
export const MODES = 9;

// Counter slots, run-wide sums over vCPUs.
/** Accesses translated and cached; a straddling access counts twice here, once on each page or line. */
export const C_TRANSLATIONS = 0;
export const C_L1_TLB_MISSES = 1;
/** Missed both levels: page walks. */
export const C_TLB_MISSES = 2;
/** Walks made again because a write hit an entry whose dirty flag was not cached. Not misses. */
export const C_DIRTY_WALKS = 3;
export const C_NATIVE_REFERENCES = 4;
export const C_NESTED_REFERENCES = 5;
export const C_NATIVE_WALK_CYCLES = 6;
export const C_NESTED_WALK_CYCLES = 7;
export const C_EPT_VIOLATIONS = 8;
export const C_PML_FULL = 9;
export const C_PML_LOGGED = 10;
/** Translations that had to set an EPT accessed or dirty flag (each checks the log's index). */
export const C_FLAG_UPDATES = 11;
export const C_SYSTEM_CALLS = 12;
export const C_CACHE_ACCESSES = 13;
export const C_L2_HITS = 14;
export const C_LLC_HITS = 15;
export const C_FILLS = 16;
export const C_WRITE_BACKS = 17;
/** Modelled cycles that all vCPUs were busy, mode native. */
export const C_BUSY_CYCLES = 18;
/** SWEEP_SIZES slots: log-full exits if the log had SWEEP_SMALLEST << i entries. */
export const C_SWEEP_EXITS = 19;
export const SWEEP_SMALLEST = 64;
export const SWEEP_SIZES = 8;
/** The guest's own events, the same in every mode: page faults (first touches of unmapped pages), entries cleared. */
export const C_GUEST_FAULTS = 27;
export const C_UNMAPPED = 28;
/** Interprocessor interrupts that make other vCPUs drop translations. */
export const C_SHOOTDOWNS = 29;
/** Times that a core went on with a thread of another process. */
export const C_CONTEXT_SWITCHES = 30;
/** MODE_SLOTS slots a mode: slot C_MODES + mode * MODE_SLOTS + S_*. What a mode does not have stays 0. */
export const C_MODES = 31;
export const S_REFERENCES = 0;
/** Cycles of walks. */
export const S_CYCLES = 1;
// VM exits by reason.
export const S_GUEST_FAULTS = 2;
export const S_TABLE_WRITES = 3;
export const S_HIDDEN_FAULTS = 4;
export const S_INVLPG = 5;
export const S_CR3_LOADS = 6;
export const S_EPT_VIOLATIONS = 7;
export const S_HYPERCALLS = 8;
/** Direct paging: entries that the hypervisor validated. */
export const S_VALIDATED = 9;
/** Direct segments: base-bound checks; translations by segment alone; walks of pages that the filter holds. */
export const S_CHECKS = 10;
export const S_SEGMENT = 11;
export const S_ESCAPED = 12;
/** Dual Direct: misses of its own second-level TLB. */
export const S_MISSES = 13;
/** DSP: switches, and translations in the TLBs that they dropped. */
export const S_SWITCHES = 14;
export const S_DROPPED = 15;
/** Agile paging: tables that turned nested, and shadow again; tables whose host dirty flag was checked. */
export const S_TO_NESTED = 16;
export const S_TO_SHADOW = 17;
export const S_CHECKED = 18;
/** Agile paging, 6 slots: walks by the level of the highest nested table; 0: all shadow. */
export const S_WALKS_AT = 19;
export const MODE_SLOTS = 25;
export const COUNTERS = 256;

// Arms: what a tracker waits for on a page, one bit a tracker in each of four words. Calls name the words by these bits.
export const ARM_TRACKERS = 32;
/** The next access fires: the mechanism cleared the accessed flag and flushed the cached translations. */
export const ARM_ACCESS = 1;
/** The next write fires: the same for the dirty flag. */
export const ARM_WRITE = 2;
/** The next page walk fires: the accessed flag was cleared, cached translations were left alone. */
export const ARM_WALK = 4;
/** The next write that walks, or the first write behind a walk, fires: the same for the dirty flag. */
export const ARM_WALK_WRITE = 8;
/**
 * Bytes of one event, u32 words: page, vCPU, low 32 bits of the number of the leaf page table, EVENT_* flags; then the
 * fired arms, a word for each of ARM_ACCESS, ARM_WRITE, ARM_WALK, ARM_WALK_WRITE.
 */
export const EVENT_BYTES = 32;
/** The access that fired was a write. */
export const EVENT_WRITE = 1;

// Streams: what trackers subscribe to, records of u32 words (kernel/streams.ts).
/** Page walks, 2 words: page; vCPU << 2 | WALK_DIRTY | WALK_WRITE. */
export const STREAM_WALKS = 0;
export const WALK_WRITE = 1;
/** Walked again to set the dirty flag: not a TLB miss. */
export const WALK_DIRTY = 2;
/** Lines that memory served, 2 words: line (PageIndex << (page shift - 6) | line in the page); 1 for a write-back. */
export const STREAM_LINES = 1;
/**
 * Mappings, 8 words: MAPPING_*, process, first page number (low, high), pages (low, high); how many arms had fired before,
 * 0.
 */
export const STREAM_MAPPINGS = 2;
/** The first of SAMPLERS streams of samples, 2 words: line; vCPU << 3 | SERVED_* << 1 | write. */
export const STREAM_SAMPLES = 3;
export const SAMPLERS = 16;
export const STREAMS = STREAM_SAMPLES + SAMPLERS;
/** What served a sampled access. */
export const SERVED_L1 = 0;
export const SERVED_L2 = 1;
export const SERVED_LLC = 2;
export const SERVED_MEMORY = 3;
