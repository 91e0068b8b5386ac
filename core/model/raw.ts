/**
 * What the kernel counted, before it is resolved to source: the hand-over from `machine/` to `attribution/`.
 *
 * Site and object numbers are the run's own (`SiteTable` and `ObjectTable` rows come from them by attribution). Tables
 * that need no symbols are in their final form already. Units as in profile.ts.
 */
import type {
  Distribution,
  EpochTable,
  HeatTable,
  ObjectKind,
  PageTable,
  RegionKind,
  Temperature,
  Totals,
  TrackerResult,
  TranslationRow,
} from './profile.js';

export interface RawReplay {
  readonly totals: Totals;
  readonly sites: RawSites;
  readonly objects: RawObjects;
  readonly pairs: RawPairs;
  readonly contexts: RawContexts;
  readonly siteTimes: RawSiteTimes;
  /** What the program called parts of its run; null: nothing. */
  readonly regions: RawRegions | null;
  /** Final but for `object` (holds raw object numbers) and `hotness` (zero). */
  readonly pages: PageTable;
  readonly epochs: EpochTable;
  readonly heat: HeatTable;
  readonly temperature: Temperature;
  readonly distribution: Distribution;
  readonly missRatio: { readonly pages: Float64Array; readonly missRatio: Float64Array };
  readonly translation: readonly TranslationRow[];
  readonly trackers: readonly TrackerResult[];
  /** Distinct pages touched by any of these sites, or by any access to any of these objects. */
  readonly pageSets: PageSets;
  readonly jointPeaks: JointPeaks;
  readonly warnings: readonly string[];
}

export interface PageSets {
  /** Number of distinct pages that at least one of the sites touched. */
  ofSites(sites: Uint32Array): number;
  ofObjects(objects: Uint32Array): number;
}

/**
 * Most bytes that each group of objects had alive at once. `groupOf` gives each raw object's group, NONE for none.
 * Heap, anonymous and file objects only: others are in no group. Not exact: the log of allocations was full, and what
 * was found is only what the run reached until then.
 */
export type JointPeaks = (
  groupOf: Uint32Array,
  groups: number,
) => { readonly bytes: Float64Array; readonly exact: boolean };

export interface RawSites {
  readonly count: number;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/** Unique by site, object and context. */
export interface RawPairs {
  readonly count: number;
  readonly site: Uint32Array;
  readonly object: Uint32Array;
  /** Row of `contexts`. */
  readonly context: Uint32Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/**
 * Sites through time: rows `start[b] .. start[b + 1]` are of bin b, which spans `epochsPerBin` epochs (the last maybe
 * fewer); each site at most once a bin, ascending.
 */
export interface RawSiteTimes {
  readonly epochsPerBin: number;
  readonly start: Uint32Array;
  readonly site: Uint32Array;
  readonly accesses: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
}

/**
 * Call paths: a call site below the path that led there. Number 0 is the empty path; a parent has the lesser number. A
 * call site stands once in a path.
 */
export interface RawContexts {
  readonly count: number;
  readonly parent: Uint32Array;
  readonly site: Uint32Array;
}

/** One row a name and kind, in order of first sight; counts hold those of the regions inside. */
export interface RawRegions {
  readonly count: number;
  readonly kind: readonly RegionKind[];
  readonly name: readonly string[];
  /** How often it was entered. */
  readonly times: Float64Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
  /** Distinct pages touched. */
  readonly pages: Float64Array;
  /** When it lasted, in accesses of the run; of many, the longer ones. */
  readonly stretches: readonly { readonly row: number; readonly from: number; readonly to: number }[];
  readonly stretchesFull: boolean;
}

/**
 * Objects in order of first sight; number 0 is always the `unattributed` one. How an object is named depends on its
 * kind: heap and anonymous by the stack of sites, `name` being what allocated (`calloc`); globals by `module` and `global` (row of the module's globals, or
 * NONE for the module's own image); files by `name`; stacks by `thread`.
 */
export interface RawObjects {
  readonly count: number;
  readonly kind: readonly ObjectKind[];
  /** Allocation stack as site numbers, innermost first: `stackSites[stackStart[o] .. stackStart[o + 1]]`. */
  readonly stackStart: Uint32Array;
  readonly stackSites: Uint32Array;
  readonly module: Uint32Array;
  readonly global: Uint32Array;
  readonly thread: Uint32Array;
  readonly name: readonly string[];
  /** What the program called it (`pagelens_tag`); '' where it did not. */
  readonly tag: readonly string[];
  /** Peak bytes alive at once; blocks allocated in all. */
  readonly bytes: Float64Array;
  readonly blocks: Float64Array;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly trafficReads: Float64Array;
  readonly trafficWrites: Float64Array;
  readonly pages: Float64Array;
  /** 64-byte lines of the object that were used at least once (a line shared by two objects counts for both). */
  readonly linesUsed: Float64Array;
}
