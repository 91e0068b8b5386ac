/**
 * A profile: the result of replaying one recorded run; what `.pagelens` files hold and every view reads.
 *
 * Units, everywhere: counts are accesses unless the name says otherwise, `traffic*` are 64-byte cache lines that
 * missed the modelled last-level cache, times are modelled nanoseconds, sizes bytes, addresses guest-virtual bytes.
 * Counts are held in Float64Array (exact up to 2^53). Every table is a set of columns of equal length.
 *
 * Conservation (design, section 3.1): for reads and for writes apart,
 *   sum(sites) = sum(pairs) = sum(calls) = sum(objects) = sum(pages) = sum(epochs) = totals,
 *   sum(lines) + unattributed = totals.
 */

import type { Row } from './columns.js';
import type { CutReason } from './cut.js';
import type { Sampling } from './sampling.js';
import type { RunWindow } from './window.js';

export interface Profile {
  readonly schema: 'pagelens-profile/1';
  readonly tool: { readonly version: string };
  readonly program: ProgramInfo;
  readonly options: ReplayOptions;
  readonly totals: Totals;

  readonly files: readonly SourceFile[];
  readonly modules: readonly ModuleInfo[];
  readonly functions: FunctionTable;
  readonly lines: LineTable;
  readonly sites: SiteTable;
  readonly objects: ObjectTable;
  /** Which site touched which object: the cross table that lines, tiers and "who uses this allocation" come from. */
  readonly pairs: PairTable;
  /** The same by call path. Left out where the recording knows no calls, and by older versions. */
  readonly calls?: CallTable;
  /** Sites through time. Left out by older versions. */
  readonly siteTimes?: SiteTimeTable;
  /** Left out where the program names none, and by older versions. */
  readonly regions?: RegionTable;
  readonly pages: PageTable;
  readonly epochs: EpochTable;
  /** Address by time, sparse: the pages touched in each epoch. */
  readonly heat: HeatTable;

  readonly temperature: Temperature;
  readonly distribution: Distribution;
  readonly missRatio: {
    readonly metric: 'LRU stack distance, pages';
    readonly pages: Float64Array;
    readonly missRatio: Float64Array;
  };
  readonly translation: readonly TranslationRow[];
  readonly trackers: readonly TrackerResult[];
  readonly placement: Placement;
  readonly unattributed: { readonly reads: number; readonly writes: number; readonly why: readonly string[] };
  readonly warnings: readonly string[];
}

/** What the marks in the source are made of: a profile without its largest tables. */
export type SourceProfile = Omit<Profile, keyof RestOfProfile>;

/** The largest tables: as large as all that the program touched, or as the paths that led there. */
export type RestOfProfile = Pick<Profile, 'calls' | 'siteTimes' | 'pages' | 'heat' | 'trackers'>;

export interface ProgramInfo {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly recorder: 'instrument' | 'valgrind' | 'qemu' | 'wasm' | 'import';
  readonly level: 'source' | 'machine';
  /** As the compiler prints it, such as `gcc (Debian 12.2.0-14) 12.2.0`; empty when unknown. */
  readonly compiler: string;
  readonly flags: string;
  readonly exit: { readonly status: number } | { readonly signal: string } | null;
  /** False when the recording or the trace was cut short. */
  readonly complete: boolean;
  /** Why, where the disk was the reason: the first warning says more. Else the warnings alone tell. */
  readonly cut?: CutReason;
  /** Recorder `import`: the format that it came in, as `pagelens list formats` calls it. */
  readonly imported?: string;
  /** Only where the counts are estimates from samples: left out where they are exact. */
  readonly sampling?: Sampling;
  /** Only where parts of the run were recorded: what is outside of its windows is in no count. */
  readonly window?: RunWindow;
  readonly processes: number;
  readonly threads: number;
}

export interface ReplayOptions {
  readonly machine: string;
  readonly modes: readonly string[];
  /** Parameters of modes that differ from their defaults, by `mode.parameter`. */
  readonly modeOptions: Readonly<Record<string, number>>;
  readonly trackers: readonly string[];
  readonly policies: readonly string[];
  /** Id of a preset or the path of a JSON file. */
  readonly tiers: string;
  /** Capacity of each tier but the last, fastest first: bytes, or a share of the run's touched bytes. */
  readonly capacity: readonly ({ readonly bytes: number } | { readonly percent: number })[];
  readonly pageSize: 4096 | 2097152;
  /** Length of an epoch in accesses; 0 lets it double with the run, so that there are at most 512 (decided by the trace alone). */
  readonly epochAccesses: number;
  readonly timeScale: number;
  /** Parameters of trackers that differ from their defaults, by `tracker.parameter`. */
  readonly trackerOptions: Readonly<Record<string, number>>;
  /** Shares that bound the hotness classes: hot receives `hot` of the accesses, cold the last `cold`. */
  readonly hotShare: number;
  readonly coldShare: number;
  /** Entries of the Page Modification Log. */
  readonly pmlEntries: number;
  /** Relayed system calls cost a quarter when the VMM is integrated in the kernel. */
  readonly kernelIntegration: boolean;
}

export interface Totals {
  readonly reads: number;
  readonly writes: number;
  readonly trafficReads: number;
  readonly trafficWrites: number;
  /** Pages touched, read and written at least once (touched also counts straddles and what the kernel wrote). */
  readonly pagesTouched: number;
  readonly pagesRead: number;
  readonly pagesWritten: number;
  /** Modelled run time in ns on the machine preset, mode native, without the recorder's slowdown. */
  readonly modelledNs: number;
  readonly systemCalls: number;
}

export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** SHA-256 of the content at build time, lower-case hex; empty when the file was not readable then. */
  readonly sha256: string;
}

export interface ModuleInfo {
  readonly path: string;
  readonly buildId: string;
}

/** Hotness classes, as stored in `Uint8Array` columns. */
export const HOT = 0;
export const WARM = 1;
export const COLD = 2;
export const CLASS_NAMES = ['hot', 'warm', 'cold'] as const;

/** Columns that lines, functions and sites share. Traffic is charged to the line that missed or last wrote. */
export interface SourceColumns {
  readonly count: number;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  /** Distinct pages touched. */
  readonly pages: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/** Sorted by reads + writes, descending; ties by file, then line. */
export interface LineTable extends SourceColumns {
  /** Row of `files`. */
  readonly file: Uint32Array;
  /** 1-based. */
  readonly line: Uint32Array;
  /** Row of `functions`: the innermost (possibly inlined) function that holds the line. */
  readonly function: Uint32Array;
  readonly hotness: Uint8Array;
  /** Mean accesses per touched page per modelled second, over the whole run. */
  readonly perPagePerSecond: Float64Array;
}

/** Sorted like lines. A function's row holds what its own source lines did, wherever they were inlined. */
export interface FunctionTable extends SourceColumns {
  readonly name: readonly string[];
  readonly file: Uint32Array;
  readonly startLine: Uint32Array;
  readonly hotness: Uint8Array;
  readonly perPagePerSecond: Float64Array;
}

/** One row per access site: a module offset and what it does. */
export interface SiteTable extends SourceColumns {
  readonly module: Uint32Array;
  readonly offset: Float64Array;
  /** Row of `lines`; NONE where the module has no line information. */
  readonly line: Uint32Array;
  readonly column: Uint32Array;
  /** Inline chain, innermost first: rows of `functions`; `inlineStart[site] .. inlineStart[site + 1]`. */
  readonly inlineStart: Uint32Array;
  readonly inlineFunction: Uint32Array;
  /** Line in the caller at which the chain's next function was inlined; the innermost frame's own line first. */
  readonly inlineLine: Uint32Array;
  readonly inlineFile: Uint32Array;
}

/**
 * Rows `start[b] .. start[b + 1]` are what sites did in bin b, which spans `epochsPerBin` epochs (the last maybe fewer);
 * each site at most once a bin, ascending. A site reads or writes, so one column counts its accesses.
 */
export interface SiteTimeTable {
  readonly epochsPerBin: number;
  readonly start: Uint32Array;
  /** Row of `sites`. */
  readonly site: Uint32Array;
  readonly accesses: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

export type ObjectKind = 'heap' | 'global' | 'stack' | 'file' | 'anonymous' | 'unattributed';

/** Sorted by reads + writes, descending. Heap rows are allocation sites: all blocks allocated with one call stack. */
export interface ObjectTable extends SourceColumns {
  readonly kind: readonly ObjectKind[];
  readonly name: readonly string[];
  /** Rows of `files` (NONE when unknown) and 1-based lines (0) of the allocation or declaration. */
  readonly file: Uint32Array;
  readonly line: Uint32Array;
  /** Allocation stacks, innermost first, one text a frame (`function file:line`). */
  readonly stack: readonly (readonly string[])[];
  /** Peak of the bytes alive at once. */
  readonly bytes: Float64Array;
  /** 1 where `bytes` is only an upper bound; left out where every row is exact. */
  readonly bytesAtMost?: Uint8Array;
  /** Blocks allocated in all. */
  readonly blocks: Float64Array;
  /** Share of the 64-byte lines of its touched pages that were used, 0 to 1. */
  readonly density: Float64Array;
  readonly hotness: Uint8Array;
  readonly perPagePerSecond: Float64Array;
  /** Rows of `placement.tiers`: where the recommended policy puts the object. */
  readonly tier: Uint8Array;
  /** Bytes the object occupies in pages that it touched. */
  readonly touchedBytes: Float64Array;
}

export type RegionKind = 'phase' | 'region';

/**
 * What the program called parts of its run (pagelens.h), the most accesses first. A row counts what happened while a
 * region of its name was open on the thread, or its process was in the phase: rows overlap and have no total.
 */
export interface RegionTable extends SourceColumns {
  readonly kind: readonly RegionKind[];
  readonly name: readonly string[];
  /** How often it was entered. */
  readonly times: Float64Array;
  /** When it lasted, of many the longer ones: its row, and epochs from (inclusive) and to (exclusive) that hold it. */
  readonly stretches: readonly RegionStretch[];
}

export interface RegionStretch {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  /** Accesses of the run meanwhile, by all threads. */
  readonly accesses: number;
}

export interface PairTable {
  readonly count: number;
  readonly site: Uint32Array;
  readonly object: Uint32Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/**
 * Which pair did how much under which calls. Paths are a tree of frames, the outermost caller first: path 0 is the
 * empty one, and a path's parent stands before it. A frame that recursion comes back to stands once in a path.
 */
export interface CallTable {
  /** Functions that call: `file` is a row of `files` or NONE, `line` where the function begins (0: unknown). */
  readonly frames: { readonly name: readonly string[]; readonly file: Uint32Array; readonly line: Uint32Array };
  /** Of each path: its parent and its innermost frame, NONE for path 0. */
  readonly parent: Uint32Array;
  readonly frame: Uint32Array;
  /** Rows, ascending by pair, then path. */
  readonly count: number;
  readonly pair: Uint32Array;
  readonly path: Uint32Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/** One row per touched page, in ascending order of process, then address. `PageIndex` is the row number. */
export interface PageTable {
  readonly count: number;
  readonly process: Uint32Array;
  /** Guest-virtual page number (address / page size); below 2^45. */
  readonly number: Float64Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
  /** 64-byte lines of the page used at least once: a count. */
  readonly linesUsed: Uint32Array;
  /** Row of `objects`: the one with most of the page's accesses. */
  readonly object: Uint32Array;
  readonly hotness: Uint8Array;
}

export interface EpochTable {
  readonly count: number;
  /** Length in accesses; the last may be shorter. */
  readonly accesses: number;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
  /** Modelled time at which the epoch ended, ns since the start. */
  readonly endNs: Float64Array;
  /** Working set: distinct pages touched, read, written; touched now and not in the epoch before; and the reverse. */
  readonly pages: Float64Array;
  readonly pagesRead: Float64Array;
  readonly pagesWritten: Float64Array;
  readonly entered: Float64Array;
  readonly left: Float64Array;
}

/** Rows `start[b] .. start[b + 1]` belong to bin b, in ascending order of page. */
export interface HeatTable {
  /** Epochs that one bin of the heat spans: 1, or more where a row an epoch and page would not fit in memory. */
  readonly epochsPerBin: number;
  readonly start: Float64Array;
  /** PageIndex. */
  readonly page: Uint32Array;
  readonly reads: HeatCounts;
  readonly writes: HeatCounts;
  readonly trafficReads: HeatCounts;
  readonly trafficWrites: HeatCounts;
}

/** Doubles only where the counts of a sampled run, samples times what each stands for, pass 2^32. */
export type HeatCounts = Uint32Array | Float64Array;

/** After the vmmload authors (mechanisms.md, section C). */
export interface Temperature {
  readonly totalPages: number;
  /** Pages of class hot. */
  readonly frequentlyAccessedPages: number;
  /** Page Modification Log entries per modelled second. */
  readonly pmlEventsPerSecond: number;
}

export interface Distribution {
  readonly readShare: number;
  readonly writeShare: number;
  /** Mean over epochs of (entered + left) / (pages now + pages before), 0 to 1. */
  readonly workingSetAlteration: number;
  /** Share of the 64-byte lines of the touched pages that were used, 0 to 1. */
  readonly density: number;
  /** Runs of adjacent touched pages and the gaps between them within a mapping. */
  readonly runs: number;
  readonly meanRunPages: number;
  readonly gaps: number;
  readonly meanGapPages: number;
}

export interface TranslationRow {
  readonly mode: string;
  readonly tlbMisses: number;
  readonly l1TlbMisses: number;
  readonly walkReferences: number;
  readonly vmExits: Readonly<Record<string, number>>;
  /** Modelled cycles spent on translation, and on relayed system calls. */
  readonly cycles: number;
  readonly relayCycles: number;
  /** Of the modelled native run time. */
  readonly overheadPercent: number;
  /** Further figures of the mode, with units in the names. */
  readonly own: Readonly<Record<string, number>>;
  /** Mode nested: what a log of each size would have cost; ascending. */
  readonly pmlSweep?: readonly PmlSweepRow[];
  /** Mode dsp: what was decided at the end of each interval, in order; of a long run the first thousand. */
  readonly decisions?: readonly DspDecision[];
}

/** One decision of DSP for one virtual machine. */
export interface DspDecision {
  readonly process: number;
  /** Modelled time of the run, s. */
  readonly seconds: number;
  /** Guest page faults and TLB misses per 1,000 instructions of the interval. */
  readonly faultsPerThousand: number;
  readonly missesPerThousand: number;
  /** Faults per TLB miss, in the interval and over the last three; null: no miss. */
  readonly ratio: number | null;
  readonly historicRatio: number | null;
  /** The rule that decided, 1 to 8. */
  readonly rule: number;
  /** How the machine is paged from then on, and whether that changed. */
  readonly paging: 'nested' | 'shadow';
  readonly switched: boolean;
}

/** The Page Modification Log at one size. */
export interface PmlSweepRow {
  readonly entries: number;
  /** VM exits because the log was full. */
  readonly exits: number;
  /** Exits and draining, of the modelled native run time. */
  readonly overheadPercent: number;
}

export interface TrackerResult {
  readonly id: string;
  /** null: the mechanism gives no page identity, or reported nothing. */
  readonly pagesReported: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly rankCorrelation: number | null;
  readonly workingSetError: number | null;
  readonly vmExits: number;
  readonly overheadPercent: number;
  /** Modelled: bytes that the mechanism needs at most, besides page tables. Left out by older versions. */
  readonly memoryBytes?: number;
  /** Completed periods; null for mechanisms without one. Fewer than 10 reads "too short". */
  readonly periods: number | null;
  /** Further figures of its own, with units in the names (`logEntries`, `scannedPages`). */
  readonly own: Readonly<Record<string, number>>;
  /** What it saw of each page, in the mechanism's own unit; rows are PageIndex. null: no page identity. */
  readonly pageReads: Float64Array | null;
  readonly pageWrites: Float64Array | null;
  /** The same through time. null: no page identity, and for `exact`, whose heat is the profile's. Left out by older versions. */
  readonly heat?: TrackerHeat | null;
  readonly warnings: readonly string[];
}

/**
 * A tracker's readings where it came to know them: rows `start[b] .. start[b + 1]` are of bin b, which spans
 * `epochsPerBin` epochs (the last maybe fewer), in ascending order of page. What it does not tell apart is 0 in one column.
 */
export interface TrackerHeat extends Pick<HeatTable, 'epochsPerBin' | 'start' | 'page'> {
  readonly reads: Uint32Array;
  readonly writes: Uint32Array;
}

export interface Tier {
  readonly id: string;
  readonly name: string;
  readonly capacityBytes: number;
  readonly readLatencyNs: number;
  readonly writeLatencyNs: number;
  readonly readBandwidthGBps: number;
  readonly writeBandwidthGBps: number;
  readonly relativeCostPerGB: number;
}

/** What if a tier were another: for a placement that is thrown away again. */
export interface TierChange {
  /** Id of one of the tiers. */
  readonly tier: string;
  /** Left out: the tier's own. The last tier takes the rest, whatever it has. */
  readonly capacityBytes?: number;
  /** What its load and store latencies are multiplied by; left out: 1. */
  readonly latencyFactor?: number;
}

/** What a capacity of the fastest tier is worth; objects are cut anywhere. */
export interface CapacityCurve {
  /** Row of `tiers`. */
  readonly tier: number;
  /** From 0 to all that was touched, and the modelled slowdown at each. */
  readonly capacityBytes: readonly number[];
  readonly modelledSlowdown: readonly number[];
  /** Index of the point from which on more capacity is worth clearly less; null where the curve has no knee. */
  readonly knee: number | null;
  /** The modelled slowdown at the tier's own capacity, and with so many bytes less and more. */
  readonly stepBytes: number;
  readonly atLess: number;
  readonly at: number;
  readonly atMore: number;
}

export interface Placement {
  readonly tiers: readonly Tier[];
  readonly policies: readonly PolicyResult[];
  readonly oracle: PolicyResult;
  readonly recommended: string;
  /** Row of `tiers`: the one that serves this run fastest, which `fastTierHitRatio` speaks of; 0 when left out. */
  readonly fastestTier?: number;
  /** Left out where the fastest tier has no limit, and in profiles of versions that did not know it. */
  readonly capacityCurve?: CapacityCurve;
  /** The assumptions of the cost model, one sentence each. */
  readonly assumptions: readonly string[];
}

export interface PolicyResult {
  readonly id: string;
  /** Modelled run time over that with everything in the fastest tier, 1 or more; and its range. */
  readonly modelledSlowdown: number;
  readonly modelledSlowdownRange: readonly [number, number];
  /** Where known: a proved bound that no placement of the policy's kind is below (objects cut anywhere). */
  readonly modelledSlowdownBound?: number;
  /** Share of the traffic that the fastest tier served, 0 to 1. */
  readonly fastTierHitRatio: number;
  readonly migratedPages: number;
  /** Row of `tiers` for each object; 255 where an object is split over tiers. */
  readonly tierOfObject: Uint8Array;
  readonly bytesInTier: Float64Array;
}

export type { Row };
