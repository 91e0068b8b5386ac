/**
 * The cost model: every constant that turns counts into modelled cycles and nanoseconds, in one table with its source
 * (sections of the mechanisms reference; tags as in presets.ts), and the formulas that use them.
 *
 * Run time (mode native) = accesses * accessCycles
 *   + (L2 hits * (L2 - L1D latency) + LLC hits * (LLC - L1D latency) + fills * memory latency) / memory-level parallelism
 *   + L1 TLB misses that hit L2 * penalty + L2 TLB misses * penalty + walk cycles + system calls * systemCallCycles.
 */

export interface Cost {
  readonly value: number;
  readonly unit: string;
  readonly source: string;
  /** What was measured on one of the machines (ids of presets.ts), in place of the value above. */
  readonly calibrated?: Readonly<Record<string, { readonly value: number; readonly source: string }>>;
}

export const costs = {
  accessCycles: {
    value: 4,
    unit: 'cycles per access, with the instructions around it',
    source:
      'assumption; the ray tracer of the speed notes, section 5: 1.23 s for 1.0e9 source-level accesses, mostly cache hits',
  },
  memoryLatencyNs: {
    value: 111,
    unit: 'ns',
    source: 'I.2, local DDR5 [P Melody, ASPLOS 2025]',
    calibrated: {
      'cascade-lake': { value: 90, source: 'I.1, SKX 2-socket: its core and memory [P Melody, ASPLOS 2025]' },
      'ice-lake': { value: 68.7, source: 'I.1, local DRAM of a Xeon 8360Y [P Demeter, SOSP 2025, table 2]' },
      'golden-cove': { value: 114, source: 'I.1, SPR local [P Melody, ASPLOS 2025]' },
      zen4: { value: 106, source: 'I.1, Nomad D (Genoa): 391 cycles at 3.7 GHz [D of P Nomad, OSDI 2024]' },
    },
  },
  memoryLevelParallelism: {
    value: 4,
    unit: 'misses in flight on average',
    source: 'assumption: between pointer chasing (1) and streaming (10 fill buffers)',
  },
  systemCallCycles: {
    value: 400,
    unit: 'cycles per native system call, entry and exit alone',
    source: 'assumption [U]',
  },
  exitEntryCycles: {
    value: 1700,
    unit: 'cycles, VM exit and entry together (Tx + Te)',
    source: 'B.2: 1600-1700 cycles, KVM, Sandy Bridge-E [P Shalabi 2014]',
    calibrated: {
      zen4: {
        value: 1350,
        source: 'B.2: vmrun to exit, KVM on SVM [P kernel mailing list, December 2020]; an earlier AMD core',
      },
    },
  },
  eptViolationHandlerCycles: {
    value: 1000,
    unit: 'cycles to back a frame, besides exit and entry',
    source: 'B.2: a trap with its handler takes "1000s of cycles" [P Agile Paging, ISCA 2016]',
  },
  shadowFaultNs: {
    value: 10_000,
    unit: 'ns for a guest page fault under shadow paging: three exits with their handlers',
    source: 'B.2, F.2: about 10 us a fault over nested paging, i7-860 [P Wang VEE 2011]',
  },
  validationCycles: {
    value: 300,
    unit: 'cycles to validate an entry of a paravirtual guest: type and reference count of its frame',
    source: 'assumption: a few misses of the caches [U]',
  },
  boundCheckCycles: {
    value: 1,
    unit: 'cycles per base-bound check of a direct segment',
    source: 'F.3 [P Gandhi MICRO 2014]',
  },
  pmlDrainNsPerEntry: { value: 4, unit: 'ns per entry', source: 'B.2, suggested default: 512 * 4 ns a full log [D]' },
  dirtyCheckCycles: {
    value: 1,
    unit: 'cycles to check the D flag (Tv)',
    source: 'assumption [U]: within a walk (B.3)',
  },
  logDecrementCycles: { value: 1, unit: 'cycles to decrement the index (Td)', source: 'assumption [U] (B.3)' },
  logCompareCycles: { value: 1, unit: 'cycles to compare the index (Tc)', source: 'assumption [U] (B.3)' },
  logWriteCycles: {
    value: 4,
    unit: 'cycles to write an entry (Tl)',
    source: 'assumption [U]: L1D latency of A.4 (B.3)',
  },
  hypercallNs: { value: 4490, unit: 'ns per empty hypercall', source: 'B.2, Xen 4.10 [P OoH slides, SC 2022]' },
  reverseMapNsPerPage: {
    value: 60_040,
    unit: 'ns to find the virtual address of a logged guest-physical page',
    source: 'B.6: 15.739 s for 1 GiB of 4 KiB pages [D of P OoH slides, SC 2022]',
  },
  ringCopyNsPerEntry: {
    value: 24.5,
    unit: 'ns to copy a log entry to the ring buffer of the tracking process',
    source: 'B.6: 0.49 ms for 39 full logs of 512 entries [D of P OoH slides, SC 2022]',
  },
  relayCycles: {
    value: 2880,
    unit: 'cycles per relayed system call',
    source:
      'B.2: exit and entry 1700 + way to the user-level VMM and back 2530 - 1350 (whole KVM ioctl less vmrun and exit) [D of P]',
    calibrated: {
      zen4: {
        value: 2530,
        source: 'B.2: whole KVM ioctl on SVM [P kernel mailing list, December 2020]; an earlier AMD core',
      },
    },
  },
  kernelIntegrationFactor: {
    value: 0.25,
    unit: 'share of relayCycles',
    source: 'C, vmmload slides: about a quarter [seed]',
  },
  scanNsPerPage: {
    value: 8.5,
    unit: 'ns per page-table entry read, cleared and flushed',
    source: 'B.6: 2.234 ms for 1 GiB of 4 KiB pages [D of P OoH slides, SC 2022]',
  },
  refillCycles: {
    value: 288,
    unit: 'cycles to walk again for a translation that a flush dropped',
    source: 'A.2: 24 references at 12 cycles (L2 hit, A.4) [D]',
  },
  hintFaultNs: { value: 2000, unit: 'ns per hint fault', source: 'H.0, simulator default [C HeMem memsim]' },
  shootdownNs: {
    value: 4000,
    unit: 'ns to flush the TLBs of all vCPUs, from within the guest',
    source: 'H.0, simulator default [C HeMem memsim]',
  },
  idlePageNs: {
    value: 46,
    unit: 'ns to read and set the idle flag of a page through the reverse map',
    source: 'E.8: 100 GiB of 4 KiB pages in a minute, 50 times faster by snapshots [D of C brendangregg/wss]',
  },
  damonCheckNs: {
    value: 150,
    unit: 'ns to check a region and to prepare its next check',
    source:
      'H.2: 72.85 % and 3.18 % of a CPU for 20,000 regions every 5 ms and 500 ms, aggregated every 100 ms or check [D of P Memtis, SOSP 2023]',
  },
  damonAggregationNs: {
    value: 645,
    unit: 'ns a region to merge, report and split it at the end of an aggregation',
    source: 'H.2: the same two figures; that both aggregate every 100 ms at most is an assumption [D of P]',
  },
  pebsRecordNs: {
    value: 250,
    unit: 'ns of CPU time per PEBS record',
    source: 'B.2, J: 200-300 ns [A Akiyama and Hirofuchi, ROSS 2017]',
  },
  ibsSampleNs: {
    value: 2000,
    unit: 'ns per IBS sample: interrupt, handler, reads of its registers',
    source: 'stand-in: a fault of H.0 [U]',
  },
  deviceReadNs: {
    value: 214,
    unit: 'ns per entry that the host reads from a memory device',
    source: 'I.1: one load from CXL-A [P Melody, ASPLOS 2025]',
  },
} as const satisfies Record<string, Cost>;

type CostName = keyof typeof costs;

/** The constants as numbers, in the units of the table. */
export type CostValues = { readonly [Name in CostName]: number };

/** The table of a machine (id of presets.ts): calibrated where that was measured. */
export function costTable(machine: string): Readonly<Record<CostName, Cost>> {
  const all: readonly (readonly [string, Cost])[] = Object.entries(costs);
  const rows = all.map(([name, { calibrated, ...common }]) => [name, { ...common, ...calibrated?.[machine] }]);
  return Object.fromEntries(rows) as Record<CostName, Cost>;
}

/** The cost model of a machine. */
export function costsOf(machine: string): CostValues {
  return Object.fromEntries(Object.entries(costTable(machine)).map(([name, { value }]) => [name, value])) as CostValues;
}

export interface SlideForm {
  /** Cycles spent in page walks, T_PTW. */
  readonly walkCycles: number;
  /** Log-full events, N. */
  readonly fullEvents: number;
  readonly exit: number;
  readonly entry: number;
  readonly handler: number;
}

/** T = T_PTW + N (Tx + Te + Th), in cycles (mechanisms B.3, slide form). */
export function slideForm(t: SlideForm): number {
  return t.walkCycles + t.fullEvents * (t.exit + t.entry + t.handler);
}

export interface RefinedForm {
  /** TLB misses in all, those that logged an address, and those that found the log full. */
  readonly misses: number;
  readonly logged: number;
  readonly full: number;
  /** Cycles: walk, check of D, index decrement, index comparison, writing the entry. */
  readonly walk: number;
  readonly check: number;
  readonly decrement: number;
  readonly compare: number;
  readonly log: number;
  readonly exit: number;
  readonly entry: number;
  readonly handler: number;
}

/**
 * T = (To+Tv) N1 + (To+Tv+Td+Tc+Tl) N2 + (To+Tv+Td+Tc+Tl + Texit+Tenter+Thandler) N3 with N1 = No - (N2 + N3), in
 * cycles (mechanisms B.3, the authors' refined form).
 */
export function refinedForm(t: RefinedForm): number {
  const silent = t.misses - (t.logged + t.full);
  if (silent < 0)
    throw new RangeError(`${t.logged} logging and ${t.full} full events do not fit in ${t.misses} misses`);
  const plain = t.walk + t.check;
  const logging = plain + t.decrement + t.compare + t.log;
  return plain * silent + logging * t.logged + (logging + t.exit + t.entry + t.handler) * t.full;
}

/**
 * What a log costs the logged program by the refined form, besides the walks that it makes anyway (To = 0), in cycles:
 * `updates` translations that check the log, of which `logged` wrote an entry and `full` found it full. A full log costs
 * exit and entry; draining is counted by entry.
 */
export function loggingCycles(
  costs: CostValues,
  { updates, logged, full }: { readonly updates: number; readonly logged: number; readonly full: number },
): number {
  return (
    refinedForm({
      misses: updates,
      logged,
      full: 0,
      walk: 0,
      check: costs.dirtyCheckCycles,
      decrement: costs.logDecrementCycles,
      compare: costs.logCompareCycles,
      log: costs.logWriteCycles,
      exit: 0,
      entry: 0,
      handler: 0,
    }) +
    full * costs.exitEntryCycles
  );
}
