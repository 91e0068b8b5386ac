/**
 * The report (`--json`): an export of a profile whose names are fixed (design, section 5; report.schema.json).
 *
 * It depends on nothing but the profile, so that equal profiles give equal bytes: every object is built here, name by
 * name, since one taken over has its members in whatever order it was made. Derived figures are rounded to six
 * significant digits; counts are exact. What is unknown is null.
 */
import { NONE } from '../model/columns.js';
import { tierOfFunction, tierOfLine, tierOfObject } from '../model/lineTiers.js';
import {
  CLASS_NAMES,
  type Distribution,
  type DspDecision,
  type ObjectKind,
  type PmlSweepRow,
  type PolicyResult,
  type Profile,
  type RegionKind,
  type ReplayOptions,
  type SourceColumns,
  type Temperature,
  type Tier,
  type TrackerHeat,
  type TrackerResult,
} from '../model/profile.js';
import { countInterval, type Sampling } from '../model/sampling.js';
import type { RunWindow } from '../model/window.js';
import { type PhaseRow, phaseRows } from './phaseRows.js';

export interface ReadsWrites {
  readonly reads: number;
  readonly writes: number;
}

export interface ReportHotness {
  readonly class: (typeof CLASS_NAMES)[number];
  /** Mean accesses per touched page per modelled second, over the whole run. */
  readonly perPagePerSecond: number;
}

interface Region extends ReadsWrites {
  /** Distinct pages touched. */
  readonly pages: number;
  /** 64-byte lines between the modelled last-level cache and memory. */
  readonly traffic: ReadsWrites;
  readonly hotness: ReportHotness;
  /** Of a sampled run: interval of 95 % of the reads and of the writes. */
  readonly interval95?: { readonly reads: readonly [number, number]; readonly writes: readonly [number, number] };
  /** Id of a tier, or `mixed`; null while nothing is placed or nothing was touched. */
  readonly tier: string | null;
}

export interface ReportLine extends Region {
  /** Absolute. */
  readonly file: string | null;
  readonly line: number | null;
  readonly function: string;
}

export interface ReportFunction extends ReportLine {
  readonly startLine: number | null;
}

export interface ReportObject extends Region {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly stack: readonly string[];
  /** Peak alive at once. */
  readonly bytes: number;
  /** True: `bytes` is only an upper bound. */
  readonly bytesAtMost: boolean;
  readonly blocks: number;
  readonly density: number;
}

/** What the program called a part of its run, by `pagelens.h`. Rows overlap. */
export interface ReportRegion extends ReadsWrites {
  readonly kind: RegionKind;
  readonly name: string;
  /** How often it was entered. */
  readonly times: number;
  /** Distinct pages touched. */
  readonly pages: number;
  readonly traffic: ReadsWrites;
  /** Of the run's accesses. */
  readonly share: number;
  readonly interval95?: Region['interval95'];
}

/** A stretch of the run in which the same code uses the same data. */
export interface ReportPhase extends PhaseRow {
  /** Of the run's accesses. */
  readonly share: number;
  readonly interval95?: Region['interval95'];
}

export interface ReportPage extends ReadsWrites {
  readonly process: number;
  /** Page number: address / page size. */
  readonly page: number;
  /** Name of the object with most of the page's accesses, and its row in `objects`. */
  readonly object: string;
  readonly objectRow: number;
  readonly hotness: ReportHotness;
}

export interface ReportPolicy {
  readonly id: string;
  readonly modelledSlowdown: number;
  readonly modelledSlowdownRange: readonly [number, number];
  /** null: no bound is known for placements of the policy's kind. */
  readonly modelledSlowdownBound: number | null;
  readonly fastTierHitRatio: number;
  readonly migratedPages: number;
  readonly bytesInTier: readonly number[];
}

export interface ReportCapacityCurve {
  /** Id of the tier whose capacity changes. */
  readonly tier: string;
  readonly points: readonly { readonly capacityBytes: number; readonly modelledSlowdown: number }[];
  /** The point from which on more capacity is worth clearly less. */
  readonly knee: { readonly capacityBytes: number; readonly modelledSlowdown: number } | null;
  /** At the tier's own capacity, and with so many bytes less and more. */
  readonly stepBytes: number;
  readonly modelledSlowdown: number;
  readonly modelledSlowdownLess: number;
  readonly modelledSlowdownMore: number;
}

export interface Report {
  readonly schema: 'pagelens-report/1';
  readonly tool: { readonly version: string };
  readonly machine: string;
  readonly epochAccesses: number;
  readonly options: ReplayOptions;
  /** Modelled run time, ns: the window and denominator of every rate. */
  readonly modelledNs: number;
  readonly systemCalls: number;
  readonly program: Profile['program'];
  readonly pageSize: number;
  readonly accesses: ReadsWrites;
  readonly traffic: ReadsWrites;
  readonly pages: ReadsWrites & { readonly touched: number; readonly read: number; readonly written: number };
  readonly lines: readonly ReportLine[];
  readonly functions: readonly ReportFunction[];
  readonly objects: readonly ReportObject[];
  readonly regions: readonly ReportRegion[];
  readonly phases: readonly ReportPhase[];
  readonly pageRows?: readonly ReportPage[];
  readonly temperature: Temperature;
  readonly distribution: Distribution;
  readonly workingSet: readonly {
    readonly epoch: number;
    readonly pages: number;
    readonly read: number;
    readonly written: number;
    readonly entered: number;
    readonly left: number;
  }[];
  readonly missRatio: {
    readonly metric: 'LRU stack distance, pages';
    readonly points: readonly { readonly pages: number; readonly missRatio: number }[];
  };
  readonly translation: readonly {
    readonly mode: string;
    readonly tlbMisses: number;
    readonly l1TlbMisses: number;
    readonly walkReferences: number;
    readonly vmExits: Readonly<Record<string, number>>;
    readonly cycles: number;
    readonly relayCycles: number;
    readonly overheadPercent: number;
    /** Mode nested alone. */
    readonly pmlSweep?: readonly PmlSweepRow[];
    /** Mode dsp alone. */
    readonly decisions?: readonly DspDecision[];
    /** Figures of the mode's own. */
    readonly [figure: string]: unknown;
  }[];
  readonly trackers: readonly ReportTracker[];
  readonly placement: {
    readonly tiers: readonly Tier[];
    readonly policies: readonly ReportPolicy[];
    readonly oracle: ReportPolicy;
    readonly recommended: string;
    /** Id of the tier that `fastTierHitRatio` speaks of. */
    readonly fastestTier: string | null;
    /** null: the fastest tier has no limit, or the profile is of a version that did not know it. */
    readonly capacityCurve: ReportCapacityCurve | null;
    readonly assumptions: readonly string[];
  };
  readonly unattributed: ReadsWrites & { readonly why: readonly string[] };
  readonly warnings: readonly string[];
}

/** Further members are the mechanism's own figures. */
export interface ReportTracker {
  readonly id: string;
  readonly pagesReported: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly rankCorrelation: number | null;
  readonly workingSetError: number | null;
  readonly vmExits: number;
  readonly overheadPercent: number;
  /** Bytes that the mechanism needs at most; null: the profile is of a version that did not say. */
  readonly memoryBytes: number | null;
  readonly periods: number | null;
  readonly warnings: readonly string[];
  /** With `--page-rows`: what it told of pages, in the epochs in which it came to know it. */
  readonly readings?: readonly ReportReading[];
  readonly [own: string]: number | string | null | undefined | readonly string[] | readonly ReportReading[];
}

export interface ReportReading {
  /** The first of `epochs`, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  readonly process: number;
  /** Page number: address / page size. */
  readonly page: number;
  /** In the mechanism's own unit; null: it does not tell these apart. */
  readonly reads: number | null;
  readonly writes: number | null;
}

export interface ReportOptions {
  /** Lists every touched page, and what trackers told of it: `--page-rows`. */
  readonly pageRows?: boolean;
}

export function toReport(profile: Profile, options: ReportOptions = {}): Report {
  const { totals, epochs, missRatio, placement } = profile;
  return {
    schema: 'pagelens-report/1',
    tool: { version: profile.tool.version },
    machine: profile.options.machine,
    epochAccesses: epochs.accesses,
    options: replayOptions(profile.options),
    modelledNs: figure(totals.modelledNs),
    systemCalls: totals.systemCalls,
    program: programInfo(profile.program),
    pageSize: profile.options.pageSize,
    accesses: { reads: totals.reads, writes: totals.writes },
    traffic: { reads: totals.trafficReads, writes: totals.trafficWrites },
    pages: {
      touched: totals.pagesTouched,
      read: totals.pagesRead,
      written: totals.pagesWritten,
      reads: sum(profile.pages.reads),
      writes: sum(profile.pages.writes),
    },
    lines: lineRows(profile),
    functions: functionRows(profile),
    objects: objectRows(profile),
    regions: regionRows(profile),
    phases: phases(profile),
    ...(options.pageRows ? { pageRows: pageRows(profile) } : {}),
    temperature: temperature(profile.temperature),
    distribution: distribution(profile.distribution),
    workingSet: Array.from({ length: epochs.count }, (_, epoch) => ({
      epoch,
      pages: epochs.pages[epoch]!,
      read: epochs.pagesRead[epoch]!,
      written: epochs.pagesWritten[epoch]!,
      entered: epochs.entered[epoch]!,
      left: epochs.left[epoch]!,
    })),
    missRatio: {
      metric: missRatio.metric,
      points: Array.from(missRatio.pages, (pages, i) => ({ pages, missRatio: figure(missRatio.missRatio[i]!) })),
    },
    translation: profile.translation.map(row => ({
      // A figure of its own never hides one of the fixed names.
      ...own(row.own),
      mode: row.mode,
      tlbMisses: row.tlbMisses,
      l1TlbMisses: row.l1TlbMisses,
      walkReferences: row.walkReferences,
      vmExits: own(row.vmExits),
      cycles: figure(row.cycles),
      relayCycles: figure(row.relayCycles),
      overheadPercent: figure(row.overheadPercent),
      ...(row.pmlSweep && { pmlSweep: row.pmlSweep.map(sweepRow) }),
      ...(row.decisions && { decisions: row.decisions.map(decisionRow) }),
    })),
    trackers: profile.trackers.map(tracker => ({
      ...trackerRow(tracker),
      ...(options.pageRows && tracker.heat ? { readings: readings(profile, tracker, tracker.heat) } : {}),
    })),
    placement: {
      tiers: placement.tiers.map(tierRow),
      policies: placement.policies.map(policyRow),
      oracle: policyRow(placement.oracle),
      recommended: placement.recommended,
      fastestTier: placement.tiers[placement.fastestTier ?? 0]?.id ?? null,
      capacityCurve: capacityCurve(placement),
      assumptions: placement.assumptions,
    },
    unattributed: {
      reads: profile.unattributed.reads,
      writes: profile.unattributed.writes,
      why: profile.unattributed.why,
    },
    warnings: profile.warnings,
  };
}

function capacityCurve({ capacityCurve: curve, tiers }: Profile['placement']): ReportCapacityCurve | null {
  if (!curve) return null;
  const points = curve.capacityBytes.map((capacityBytes, i) => ({
    capacityBytes,
    modelledSlowdown: figure(curve.modelledSlowdown[i]!),
  }));
  return {
    tier: tiers[curve.tier]!.id,
    points,
    knee: curve.knee === null ? null : points[curve.knee]!,
    stepBytes: curve.stepBytes,
    modelledSlowdown: figure(curve.at),
    modelledSlowdownLess: figure(curve.atLess),
    modelledSlowdownMore: figure(curve.atMore),
  };
}

/** The report as the bytes that `--json` writes. */
export function reportText(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

function programInfo(program: Profile['program']): Profile['program'] {
  const { exit } = program;
  return {
    path: program.path,
    arguments: program.arguments,
    workingDirectory: program.workingDirectory,
    recorder: program.recorder,
    level: program.level,
    compiler: program.compiler,
    flags: program.flags,
    exit: exit === null ? null : 'signal' in exit ? { signal: exit.signal } : { status: exit.status },
    complete: program.complete,
    ...(program.imported !== undefined && { imported: program.imported }),
    ...(program.sampling && { sampling: samplingOf(program.sampling) }),
    ...(program.window && { window: windowOf(program.window) }),
    processes: program.processes,
    threads: program.threads,
  };
}

function samplingOf({ event, samples, period, least, most, factor, unit }: Sampling): Sampling {
  return { event, samples, period, least, most, factor, unit };
}

function windowOf({ startAt, stopAt, startAfter, stopAfter, windows, outside }: RunWindow): RunWindow {
  return {
    ...(startAt !== undefined && { startAt }),
    ...(stopAt !== undefined && { stopAt }),
    ...(startAfter !== undefined && { startAfter }),
    ...(stopAfter !== undefined && { stopAfter }),
    windows,
    outside,
  };
}

function replayOptions(options: ReplayOptions): ReplayOptions {
  return {
    machine: options.machine,
    modes: options.modes,
    trackers: options.trackers,
    policies: options.policies,
    tiers: options.tiers,
    capacity: options.capacity.map(size => ('bytes' in size ? { bytes: size.bytes } : { percent: size.percent })),
    pageSize: options.pageSize,
    epochAccesses: options.epochAccesses,
    timeScale: options.timeScale,
    modeOptions: options.modeOptions,
    trackerOptions: options.trackerOptions,
    hotShare: options.hotShare,
    coldShare: options.coldShare,
    pmlEntries: options.pmlEntries,
    kernelIntegration: options.kernelIntegration,
  };
}

function temperature(values: Temperature): Temperature {
  return {
    totalPages: values.totalPages,
    frequentlyAccessedPages: values.frequentlyAccessedPages,
    pmlEventsPerSecond: figure(values.pmlEventsPerSecond),
  };
}

function distribution(values: Distribution): Distribution {
  return {
    readShare: figure(values.readShare),
    writeShare: figure(values.writeShare),
    workingSetAlteration: figure(values.workingSetAlteration),
    density: figure(values.density),
    runs: values.runs,
    meanRunPages: figure(values.meanRunPages),
    gaps: values.gaps,
    meanGapPages: figure(values.meanGapPages),
  };
}

function sweepRow({ entries, exits, overheadPercent }: PmlSweepRow): PmlSweepRow {
  return { entries, exits, overheadPercent: figure(overheadPercent) };
}

function tierRow(tier: Tier): Tier {
  return {
    id: tier.id,
    name: tier.name,
    capacityBytes: tier.capacityBytes,
    readLatencyNs: tier.readLatencyNs,
    writeLatencyNs: tier.writeLatencyNs,
    readBandwidthGBps: tier.readBandwidthGBps,
    writeBandwidthGBps: tier.writeBandwidthGBps,
    relativeCostPerGB: tier.relativeCostPerGB,
  };
}

function lineRows(profile: Profile): ReportLine[] {
  const { lines, functions } = profile;
  return Array.from({ length: lines.count }, (_, row) => ({
    file: filePath(profile, lines.file[row]!),
    line: lines.line[row]!,
    function: functions.name[lines.function[row]!]!,
    ...region(profile, lines, row, tierOfLine(profile, row)),
  }));
}

/** Functions that did something; the others are only there because code was inlined into them. */
function functionRows(profile: Profile): ReportFunction[] {
  const { functions } = profile;
  const rows: ReportFunction[] = [];
  for (let row = 0; row < functions.count; row++) {
    const { reads, writes, trafficReads, trafficWrites } = functions;
    if (reads[row]! + writes[row]! + trafficReads[row]! + trafficWrites[row]! === 0) continue;
    const startLine = functions.startLine[row]! || null;
    rows.push({
      file: filePath(profile, functions.file[row]!),
      line: startLine,
      startLine,
      function: functions.name[row]!,
      ...region(profile, functions, row, tierOfFunction(profile, row)),
    });
  }
  return rows;
}

function shareOfRun({ reads, writes }: Profile['totals'], part: ReadsWrites): number {
  const accesses = reads + writes;
  return figure(accesses > 0 ? (part.reads + part.writes) / accesses : 0);
}

/** Of counts that are estimates. */
function intervals({ sampling }: Profile['program'], { reads, writes }: ReadsWrites): Pick<Region, 'interval95'> {
  return sampling
    ? {
        interval95: {
          reads: figures(countInterval(reads, sampling)),
          writes: figures(countInterval(writes, sampling)),
        },
      }
    : {};
}

function regionRows({ regions, totals, program }: Profile): ReportRegion[] {
  if (!regions) return [];
  return regions.name.map((name, row) => {
    const reads = regions.reads[row]!;
    const writes = regions.writes[row]!;
    return {
      kind: regions.kind[row]!,
      name,
      times: regions.times[row]!,
      reads,
      writes,
      pages: regions.pages[row]!,
      traffic: { reads: regions.trafficReads[row]!, writes: regions.trafficWrites[row]! },
      share: shareOfRun(totals, { reads, writes }),
      ...intervals(program, { reads, writes }),
    };
  });
}

function phases(profile: Profile): ReportPhase[] {
  const { totals, program } = profile;
  return phaseRows(profile).map(row => ({
    ...row,
    startNs: figure(row.startNs),
    endNs: figure(row.endNs),
    share: shareOfRun(totals, row),
    ...intervals(program, row),
  }));
}

function objectRows(profile: Profile): ReportObject[] {
  const { objects } = profile;
  return Array.from({ length: objects.count }, (_, row) => ({
    kind: objects.kind[row]!,
    name: objects.name[row]!,
    file: filePath(profile, objects.file[row]!),
    line: objects.line[row]! || null,
    stack: objects.stack[row]!,
    bytes: objects.bytes[row]!,
    bytesAtMost: objects.bytesAtMost?.[row] === 1,
    blocks: objects.blocks[row]!,
    density: figure(objects.density[row]!),
    ...region(profile, objects, row, tierOfObject(profile, row)),
  }));
}

function pageRows(profile: Profile): ReportPage[] {
  const { pages, objects } = profile;
  const seconds = profile.totals.modelledNs / 1e9;
  return Array.from({ length: pages.count }, (_, row) => {
    const reads = pages.reads[row]!;
    const writes = pages.writes[row]!;
    const objectRow = pages.object[row]!;
    return {
      process: pages.process[row]!,
      page: pages.number[row]!,
      reads,
      writes,
      object: objects.name[objectRow]!,
      objectRow,
      hotness: {
        class: CLASS_NAMES[pages.hotness[row]!]!,
        perPagePerSecond: seconds > 0 ? figure((reads + writes) / seconds) : 0,
      },
    };
  });
}

type RegionColumns = SourceColumns & { readonly hotness: Uint8Array; readonly perPagePerSecond: Float64Array };

function region({ program }: Profile, table: RegionColumns, row: number, tier: string): Region {
  const [reads, writes] = [table.reads[row]!, table.writes[row]!];
  return {
    reads,
    writes,
    ...intervals(program, { reads, writes }),
    pages: table.pages[row]!,
    traffic: { reads: table.trafficReads[row]!, writes: table.trafficWrites[row]! },
    hotness: {
      class: CLASS_NAMES[table.hotness[row]!]!,
      perPagePerSecond: figure(table.perPagePerSecond[row]!),
    },
    tier: tier || null,
  };
}

function figures([low, high]: readonly [number, number]): readonly [number, number] {
  return [figure(low), figure(high)];
}

function decisionRow(decision: DspDecision): DspDecision {
  return {
    ...decision,
    seconds: figure(decision.seconds),
    faultsPerThousand: figure(decision.faultsPerThousand),
    missesPerThousand: figure(decision.missesPerThousand),
    ratio: figureOrNull(decision.ratio),
    historicRatio: figureOrNull(decision.historicRatio),
  };
}

function trackerRow(tracker: Profile['trackers'][number]): ReportTracker {
  return {
    // A figure of its own never hides one of the fixed names.
    ...own(tracker.own),
    id: tracker.id,
    pagesReported: tracker.pagesReported,
    precision: figureOrNull(tracker.precision),
    recall: figureOrNull(tracker.recall),
    f1: figureOrNull(tracker.f1),
    rankCorrelation: figureOrNull(tracker.rankCorrelation),
    workingSetError: figureOrNull(tracker.workingSetError),
    vmExits: tracker.vmExits,
    overheadPercent: figure(tracker.overheadPercent),
    memoryBytes: tracker.memoryBytes ?? null,
    periods: tracker.periods,
    warnings: tracker.warnings,
  };
}

function readings(
  { pages, epochs }: Profile,
  { pageReads, pageWrites }: TrackerResult,
  { epochsPerBin, start, page, reads, writes }: TrackerHeat,
): ReportReading[] {
  let bin = 0;
  return Array.from(page, (row, at) => {
    while (start[bin + 1]! <= at) bin++;
    const epoch = bin * epochsPerBin;
    return {
      epoch,
      epochs: Math.min(epochsPerBin, epochs.count - epoch),
      process: pages.process[row]!,
      page: pages.number[row]!,
      reads: pageReads ? reads[at]! : null,
      writes: pageWrites ? writes[at]! : null,
    };
  });
}

function policyRow(policy: PolicyResult): ReportPolicy {
  const [low, high] = policy.modelledSlowdownRange;
  return {
    id: policy.id,
    modelledSlowdown: figure(policy.modelledSlowdown),
    modelledSlowdownRange: [figure(low), figure(high)],
    modelledSlowdownBound: figureOrNull(policy.modelledSlowdownBound ?? null),
    fastTierHitRatio: figure(policy.fastTierHitRatio),
    migratedPages: policy.migratedPages,
    bytesInTier: [...policy.bytesInTier],
  };
}

function filePath(profile: Profile, row: number): string | null {
  return row === NONE ? null : profile.files[row]!.path;
}

/** Figures under names of a mechanism's own, in the order in which it gives them. */
function own(record: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, figure(value)]));
}

/** Six significant digits; whole numbers as they are. */
function figure(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(6));
}

function figureOrNull(value: number | null): number | null {
  return value === null ? null : figure(value);
}

function sum(column: Float64Array): number {
  return column.reduce((total, count) => total + count, 0);
}
