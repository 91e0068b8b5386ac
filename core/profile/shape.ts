/**
 * The profile as a codec: every name and type of `model/profile.ts`, once more, for files. In two parts, since the marks
 * in the source are wanted long before the largest tables are read.
 */
import { type CutReason, cutReasons } from '../model/cut.js';
import type {
  CallTable,
  CapacityCurve,
  Distribution,
  DspDecision,
  EpochTable,
  FunctionTable,
  HeatCounts,
  HeatTable,
  LineTable,
  ModuleInfo,
  ObjectTable,
  PageTable,
  PairTable,
  Placement,
  PmlSweepRow,
  PolicyResult,
  Profile,
  ProgramInfo,
  RegionStretch,
  RegionTable,
  ReplayOptions,
  RestOfProfile,
  SiteTable,
  SiteTimeTable,
  SourceFile,
  SourceProfile,
  Temperature,
  Tier,
  Totals,
  TrackerHeat,
  TrackerResult,
  TranslationRow,
} from '../model/profile.js';
import type { Sampling } from '../model/sampling.js';
import type { RunWindow } from '../model/window.js';
import {
  type Codec,
  column,
  either,
  figures,
  flag,
  list,
  natural,
  nullable,
  number,
  oneOf,
  optional,
  orElse,
  pair,
  record,
  text,
} from './codec.js';

const f64 = column('f64');
const u32 = column('u32');
const u8 = column('u8');

const programInfo = record<ProgramInfo>({
  path: text,
  arguments: list(text),
  workingDirectory: text,
  recorder: oneOf('instrument', 'valgrind', 'qemu', 'wasm', 'import'),
  level: oneOf('source', 'machine'),
  compiler: text,
  flags: text,
  exit: nullable(
    either(
      (exit: { readonly status: number } | { readonly signal: string }): exit is { readonly status: number } =>
        'status' in exit,
      record<{ readonly status: number }>({ status: number }),
      record<{ readonly signal: string }>({ signal: text }),
    ),
  ),
  complete: flag,
  cut: optional(oneOf<CutReason>(...(Object.keys(cutReasons) as CutReason[]))),
  imported: optional(text),
  sampling: optional(
    record<Sampling>({
      event: text,
      samples: natural,
      period: natural,
      least: natural,
      most: natural,
      factor: natural,
      unit: text,
    }),
  ),
  window: optional(
    record<RunWindow>({
      startAt: optional(text),
      stopAt: optional(text),
      startAfter: optional(number),
      stopAfter: optional(number),
      windows: natural,
      outside: natural,
    }),
  ),
  processes: natural,
  threads: natural,
});

const replayOptions = record<ReplayOptions>({
  machine: text,
  modes: list(text),
  trackers: list(text),
  policies: list(text),
  tiers: text,
  capacity: list(
    either(
      (size: { readonly bytes: number } | { readonly percent: number }): size is { readonly bytes: number } =>
        'bytes' in size,
      record<{ readonly bytes: number }>({ bytes: number }),
      record<{ readonly percent: number }>({ percent: number }),
    ),
  ),
  pageSize: oneOf(4096, 2097152),
  epochAccesses: natural,
  timeScale: number,
  modeOptions: orElse(figures, {}),
  trackerOptions: orElse(figures, {}),
  hotShare: number,
  coldShare: number,
  pmlEntries: natural,
  kernelIntegration: flag,
});

const totals = record<Totals>({
  reads: natural,
  writes: natural,
  trafficReads: natural,
  trafficWrites: natural,
  pagesTouched: natural,
  pagesRead: natural,
  pagesWritten: natural,
  modelledNs: number,
  systemCalls: natural,
});

const sourceColumns = {
  count: natural,
  reads: f64,
  writes: f64,
  pages: f64,
  trafficReads: f64,
  trafficWrites: f64,
} as const;

const functions = record<FunctionTable>({
  ...sourceColumns,
  name: list(text),
  file: u32,
  startLine: u32,
  hotness: u8,
  perPagePerSecond: f64,
});

const lines = record<LineTable>({
  ...sourceColumns,
  file: u32,
  line: u32,
  function: u32,
  hotness: u8,
  perPagePerSecond: f64,
});

const sites = record<SiteTable>({
  ...sourceColumns,
  module: u32,
  offset: f64,
  line: u32,
  column: u32,
  inlineStart: u32,
  inlineFunction: u32,
  inlineLine: u32,
  inlineFile: u32,
});

const objects = record<ObjectTable>({
  ...sourceColumns,
  kind: list(oneOf('heap', 'global', 'stack', 'file', 'anonymous', 'unattributed')),
  name: list(text),
  file: u32,
  line: u32,
  stack: list(list(text)),
  bytes: f64,
  bytesAtMost: optional(u8),
  blocks: f64,
  density: f64,
  hotness: u8,
  perPagePerSecond: f64,
  tier: u8,
  touchedBytes: f64,
});

const pairs = record<PairTable>({
  count: natural,
  site: u32,
  object: u32,
  reads: f64,
  writes: f64,
  trafficReads: f64,
  trafficWrites: f64,
});

const calls = record<CallTable>({
  frames: record<CallTable['frames']>({ name: list(text), file: u32, line: u32 }),
  parent: u32,
  frame: u32,
  count: natural,
  pair: u32,
  path: u32,
  reads: f64,
  writes: f64,
  trafficReads: f64,
  trafficWrites: f64,
});

const regions = record<RegionTable>({
  ...sourceColumns,
  kind: list(oneOf('phase', 'region')),
  name: list(text),
  times: f64,
  stretches: list(record<RegionStretch>({ row: natural, from: natural, to: natural, accesses: natural })),
});

const siteTimes = record<SiteTimeTable>({
  epochsPerBin: natural,
  start: u32,
  site: u32,
  accesses: f64,
  trafficReads: f64,
  trafficWrites: f64,
});

const pages = record<PageTable>({
  count: natural,
  process: u32,
  number: f64,
  reads: f64,
  writes: f64,
  trafficReads: f64,
  trafficWrites: f64,
  linesUsed: u32,
  object: u32,
  hotness: u8,
});

const epochs = record<EpochTable>({
  count: natural,
  accesses: natural,
  reads: f64,
  writes: f64,
  trafficReads: f64,
  trafficWrites: f64,
  endNs: f64,
  pages: f64,
  pagesRead: f64,
  pagesWritten: f64,
  entered: f64,
  left: f64,
});

/** Columns of either type: see `HeatCounts`. */
const heatCounts: Codec<HeatCounts> = {
  write: (value, columns) => columns.put(value),
  read(json, columns, where) {
    try {
      return u32.read(json, columns, where);
    } catch {
      return f64.read(json, columns, where);
    }
  },
};

const heat = record<HeatTable>({
  epochsPerBin: natural,
  start: f64,
  page: u32,
  reads: heatCounts,
  writes: heatCounts,
  trafficReads: heatCounts,
  trafficWrites: heatCounts,
});

const trackerHeat = record<TrackerHeat>({ epochsPerBin: natural, start: f64, page: u32, reads: u32, writes: u32 });

const policy = record<PolicyResult>({
  id: text,
  modelledSlowdown: number,
  modelledSlowdownRange: pair(number),
  modelledSlowdownBound: optional(number),
  fastTierHitRatio: number,
  migratedPages: number,
  tierOfObject: u8,
  bytesInTier: f64,
});

const placement = record<Placement>({
  tiers: list(
    record<Tier>({
      id: text,
      name: text,
      capacityBytes: number,
      readLatencyNs: number,
      writeLatencyNs: number,
      readBandwidthGBps: number,
      writeBandwidthGBps: number,
      relativeCostPerGB: number,
    }),
  ),
  policies: list(policy),
  oracle: policy,
  recommended: text,
  fastestTier: optional(natural),
  capacityCurve: optional(
    record<CapacityCurve>({
      tier: natural,
      capacityBytes: list(number),
      modelledSlowdown: list(number),
      knee: nullable(natural),
      stepBytes: number,
      atLess: number,
      at: number,
      atMore: number,
    }),
  ),
  assumptions: list(text),
});

const sourceMembers = {
  schema: oneOf('pagelens-profile/1'),
  tool: record<{ readonly version: string }>({ version: text }),
  program: programInfo,
  options: replayOptions,
  totals,
  files: list(record<SourceFile>({ path: text, sha256: text })),
  modules: list(record<ModuleInfo>({ path: text, buildId: text })),
  functions,
  lines,
  sites,
  objects,
  pairs,
  epochs,
  regions: optional(regions),
  temperature: record<Temperature>({
    totalPages: number,
    frequentlyAccessedPages: number,
    pmlEventsPerSecond: number,
  }),
  distribution: record<Distribution>({
    readShare: number,
    writeShare: number,
    workingSetAlteration: number,
    density: number,
    runs: number,
    meanRunPages: number,
    gaps: number,
    meanGapPages: number,
  }),
  missRatio: record<Profile['missRatio']>({
    metric: oneOf('LRU stack distance, pages'),
    pages: f64,
    missRatio: f64,
  }),
  translation: list(
    record<TranslationRow>({
      mode: text,
      tlbMisses: number,
      l1TlbMisses: number,
      walkReferences: number,
      vmExits: figures,
      cycles: number,
      relayCycles: number,
      overheadPercent: number,
      own: orElse(figures, {}),
      pmlSweep: optional(list(record<PmlSweepRow>({ entries: natural, exits: natural, overheadPercent: number }))),
      decisions: optional(
        list(
          record<DspDecision>({
            process: natural,
            seconds: number,
            faultsPerThousand: number,
            missesPerThousand: number,
            ratio: nullable(number),
            historicRatio: nullable(number),
            rule: natural,
            paging: oneOf('nested', 'shadow'),
            switched: flag,
          }),
        ),
      ),
    }),
  ),
  placement,
  unattributed: record<Profile['unattributed']>({ reads: natural, writes: natural, why: list(text) }),
  warnings: list(text),
} as const;

const restMembers = {
  calls: optional(calls),
  siteTimes: optional(siteTimes),
  pages,
  heat,
  trackers: list(
    record<TrackerResult>({
      id: text,
      pagesReported: nullable(number),
      precision: nullable(number),
      recall: nullable(number),
      f1: nullable(number),
      rankCorrelation: nullable(number),
      workingSetError: nullable(number),
      vmExits: number,
      overheadPercent: number,
      memoryBytes: optional(number),
      periods: nullable(number),
      own: figures,
      pageReads: nullable(f64),
      pageWrites: nullable(f64),
      heat: optional(nullable(trackerHeat)),
      warnings: list(text),
    }),
  ),
} as const;

export const sourceCodec = record<SourceProfile>(sourceMembers);
export const restCodec = record<RestOfProfile>(restMembers);
export const profileCodec = record<Profile>({ ...sourceMembers, ...restMembers });
