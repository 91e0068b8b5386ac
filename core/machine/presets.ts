/**
 * The machines that can be emulated: one table, each field with its source.
 *
 * Sources are those of the project's reference on mechanisms, section A.4, with its tags: [P] the paper or manual was
 * read, [S] somebody's summary, [U] unverified common knowledge. Where nothing is sourced for a machine, the Skylake
 * value stands in and says so.
 */

/** One value, or one structure, and where it comes from. */
export type Sourced<T> = T & { readonly source: string };

/** `entries` 0: the structure does not exist for this page size. Entries are a multiple of ways. */
export interface TlbLevel {
  readonly entries: number;
  readonly ways: number;
  /** The structure is that of the 4 KiB pages: their translations share its entries. */
  readonly unified?: true;
}

export interface CacheLevel {
  readonly bytes: number;
  readonly ways: number;
  /** Load-to-use, core cycles. */
  readonly latencyCycles: number;
}

export interface WalkCaches {
  /** Used with 5 levels. */
  readonly pml5: number;
  readonly pml4: number;
  readonly pdpte: number;
  readonly pde: number;
  /** One look-up in them, core cycles. */
  readonly latencyCycles: number;
}

export interface MachinePreset {
  readonly label: string;
  readonly frequencyGHz: { readonly value: number; readonly source: string };
  readonly l1Tlb4k: Sourced<TlbLevel>;
  readonly l1Tlb2m: Sourced<TlbLevel>;
  readonly l1Tlb1g: Sourced<TlbLevel>;
  readonly l2Tlb4k: Sourced<TlbLevel>;
  readonly l2Tlb2m: Sourced<TlbLevel>;
  readonly l2Tlb1g: Sourced<TlbLevel>;
  /** Cycles added by an access that hits the second level, and by one that misses it (the walk comes on top). */
  readonly tlbPenalty: Sourced<{ readonly l1MissCycles: number; readonly l2MissCycles: number }>;
  readonly walkCaches: Sourced<WalkCaches>;
  /** The same for the EPT's dimension, and complete guest-physical translations that the walker remembers. */
  readonly nestedWalkCaches: Sourced<WalkCaches & { readonly translations: number }>;
  readonly l1d: Sourced<CacheLevel>;
  readonly l2: Sourced<CacheLevel>;
  /** Shared by all vCPUs. */
  readonly llc: Sourced<CacheLevel>;
}

const KiB = 1024;
const MiB = 1024 * KiB;

const SKYLAKE = 'A.4 [P Ryoo ISCA 2017, CSALT MICRO 2017, parameter tables]';
const STAND_IN = 'Skylake value as a stand-in [U]';
const GEOMETRY = 'vendor data sheet as commonly known [U]';

/** The entries for a fifth level are ChampSim's (A.4 [C]): no paper says more. */
const walkCaches = { pml5: 2, pml4: 2, pdpte: 4, pde: 32, latencyCycles: 2 } as const;
const nestedWalkCaches = {
  ...walkCaches,
  translations: 32,
  source: 'A.4: Intel documents no sizes; a second instance of the paging-structure caches [U]',
} as const;
/** Pages of 1 GiB in Intel's processors. */
const l1Tlb1g = { entries: 4, ways: 4, source: 'A.4 [P Gandhi MICRO 2014, Sandy Bridge; C HeMem memsim]' } as const;
const l2Tlb1g = { entries: 16, ways: 4, source: 'A.4 [S], 16 entries 4-way for 1G' } as const;
const tlbPenalty = { l1MissCycles: 9, l2MissCycles: 17 } as const;

export const defaultMachine = 'skylake';

export const machines: Readonly<Record<string, MachinePreset>> = {
  skylake: {
    label: 'Intel Skylake (i7-6700)',
    frequencyGHz: { value: 4, source: SKYLAKE },
    l1Tlb4k: { entries: 64, ways: 4, source: SKYLAKE },
    l1Tlb2m: { entries: 32, ways: 4, source: SKYLAKE },
    l1Tlb1g,
    l2Tlb4k: { entries: 1536, ways: 12, source: `${SKYLAKE}, unified 4K + 2M` },
    l2Tlb2m: { entries: 1536, ways: 12, unified: true, source: `${SKYLAKE}, unified 4K + 2M` },
    l2Tlb1g,
    tlbPenalty: { ...tlbPenalty, source: SKYLAKE },
    walkCaches: { ...walkCaches, source: SKYLAKE },
    nestedWalkCaches,
    l1d: { bytes: 32 * KiB, ways: 8, latencyCycles: 4, source: `size and latency ${SKYLAKE}; ways ${GEOMETRY}` },
    l2: { bytes: 256 * KiB, ways: 4, latencyCycles: 12, source: `size and latency ${SKYLAKE}; ways ${GEOMETRY}` },
    llc: { bytes: 8 * MiB, ways: 16, latencyCycles: 42, source: `size and latency ${SKYLAKE}; ways ${GEOMETRY}` },
  },
  'sandy-bridge': {
    label: 'Intel Sandy Bridge (E5-2430)',
    frequencyGHz: { value: 2.2, source: GEOMETRY },
    l1Tlb4k: { entries: 64, ways: 4, source: 'A.4 [P Gandhi MICRO 2014]' },
    l1Tlb2m: { entries: 32, ways: 4, source: 'A.4 [P Gandhi MICRO 2014]' },
    l1Tlb1g,
    l2Tlb4k: { entries: 512, ways: 4, source: 'A.4 [P Gandhi MICRO 2014]' },
    l2Tlb2m: { entries: 0, ways: 0, source: 'A.4 [P Gandhi MICRO 2014]: 4K pages only' },
    l2Tlb1g: { entries: 0, ways: 0, source: 'A.4 [P Gandhi MICRO 2014]: 4K pages only' },
    tlbPenalty: { ...tlbPenalty, source: STAND_IN },
    walkCaches: { ...walkCaches, source: STAND_IN },
    nestedWalkCaches,
    l1d: { bytes: 32 * KiB, ways: 8, latencyCycles: 4, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
    l2: { bytes: 256 * KiB, ways: 8, latencyCycles: 12, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
    llc: { bytes: 15 * MiB, ways: 20, latencyCycles: 42, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
  },
  'cascade-lake': {
    label: 'Intel Cascade Lake (20 cores)',
    frequencyGHz: { value: 2.5, source: GEOMETRY },
    l1Tlb4k: { entries: 64, ways: 4, source: `entries A.4 [S]; ways ${STAND_IN}` },
    l1Tlb2m: { entries: 32, ways: 4, source: STAND_IN },
    l1Tlb1g,
    l2Tlb4k: { entries: 1536, ways: 12, source: `entries A.4 [S]; ways ${STAND_IN}` },
    l2Tlb2m: { entries: 1536, ways: 12, unified: true, source: `entries A.4 [S]; ways ${STAND_IN}` },
    l2Tlb1g,
    tlbPenalty: { ...tlbPenalty, source: STAND_IN },
    walkCaches: { ...walkCaches, source: STAND_IN },
    nestedWalkCaches,
    l1d: { bytes: 32 * KiB, ways: 8, latencyCycles: 4, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
    l2: { bytes: 1 * MiB, ways: 16, latencyCycles: 14, source: GEOMETRY },
    llc: { bytes: 27.5 * MiB, ways: 11, latencyCycles: 42, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
  },
  'ice-lake': {
    label: 'Intel Ice Lake (Sunny Cove, Xeon 8360Y)',
    frequencyGHz: { value: 2.4, source: GEOMETRY },
    l1Tlb4k: { entries: 64, ways: 4, source: 'A.4 [U], the load TLB; the 16 store entries are not modelled' },
    l1Tlb2m: { entries: 32, ways: 4, source: `entries A.4 [U]; ways ${STAND_IN}` },
    l1Tlb1g: { entries: 8, ways: 8, source: 'A.4 [U], fully associative [U]' },
    l2Tlb4k: { entries: 2048, ways: 16, source: 'A.4 [U]' },
    l2Tlb2m: { entries: 2048, ways: 16, unified: true, source: 'A.4 [U]' },
    l2Tlb1g,
    tlbPenalty: { ...tlbPenalty, source: STAND_IN },
    walkCaches: { ...walkCaches, source: STAND_IN },
    nestedWalkCaches,
    l1d: { bytes: 48 * KiB, ways: 12, latencyCycles: 5, source: GEOMETRY },
    l2: { bytes: 1.25 * MiB, ways: 20, latencyCycles: 14, source: GEOMETRY },
    llc: { bytes: 54 * MiB, ways: 12, latencyCycles: 42, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
  },
  'golden-cove': {
    label: 'Intel Golden Cove (Sapphire Rapids)',
    frequencyGHz: { value: 2, source: GEOMETRY },
    l1Tlb4k: { entries: 96, ways: 6, source: 'A.4 [S], the load TLB; the 16 store entries are not modelled' },
    l1Tlb2m: { entries: 32, ways: 4, source: `entries A.4 [S]; ways ${STAND_IN}` },
    l1Tlb1g: { entries: 8, ways: 8, source: 'A.4 [S], fully associative [U]' },
    l2Tlb4k: {
      entries: 2048,
      ways: 16,
      source: 'entries A.4 [S]; ways [U]; its share for instructions is not modelled',
    },
    l2Tlb2m: {
      entries: 2048,
      ways: 16,
      unified: true,
      source: 'entries A.4 [S]; ways [U]; its share for instructions is not modelled',
    },
    l2Tlb1g,
    tlbPenalty: { l1MissCycles: 7, l2MissCycles: 17, source: `L1 miss A.4 [S]; L2 miss ${STAND_IN}` },
    walkCaches: { ...walkCaches, source: STAND_IN },
    nestedWalkCaches,
    l1d: { bytes: 48 * KiB, ways: 12, latencyCycles: 5, source: GEOMETRY },
    l2: { bytes: 2 * MiB, ways: 16, latencyCycles: 15, source: GEOMETRY },
    llc: { bytes: 105 * MiB, ways: 15, latencyCycles: 42, source: `size and ways ${GEOMETRY}; latency ${STAND_IN}` },
  },
  zen4: {
    label: 'AMD Zen 4 (one core complex)',
    frequencyGHz: { value: 3.7, source: 'I.1, Nomad D (Genoa) [P]' },
    l1Tlb4k: { entries: 72, ways: 72, source: 'A.4 [S], fully associative' },
    l1Tlb2m: { entries: 72, ways: 72, unified: true, source: 'A.4 [S], fully associative, all page sizes [U]' },
    l1Tlb1g: { entries: 72, ways: 72, unified: true, source: 'A.4 [S], fully associative, all page sizes [U]' },
    l2Tlb4k: { entries: 3072, ways: 24, source: 'A.4 [S]' },
    l2Tlb2m: { entries: 3072, ways: 24, unified: true, source: 'A.4 [S]; 2M pages in it [U]' },
    l2Tlb1g: { entries: 0, ways: 0, source: '1G pages not in it [U]' },
    tlbPenalty: { ...tlbPenalty, source: STAND_IN },
    walkCaches: { ...walkCaches, source: STAND_IN },
    nestedWalkCaches,
    l1d: { bytes: 32 * KiB, ways: 8, latencyCycles: 4, source: GEOMETRY },
    l2: { bytes: 1 * MiB, ways: 8, latencyCycles: 14, source: GEOMETRY },
    llc: { bytes: 32 * MiB, ways: 16, latencyCycles: 50, source: GEOMETRY },
  },
};

/** @throws Error naming the machines that exist. */
export function machinePreset(id: string): MachinePreset {
  if (!Object.hasOwn(machines, id))
    throw new Error(`machine ${id}: unknown; known: ${Object.keys(machines).join(', ')}`);
  return machines[id];
}
