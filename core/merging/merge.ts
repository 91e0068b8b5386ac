/**
 * Profiles of several runs (shards, ranks, processes) as one: counts add up, since no two runs share a page; times stand
 * side by side. The order in which they are given does not matter.
 */
import { createHash } from 'node:crypto';
import type { ProfileWithoutPlacement } from '../attribution/attribute.js';
import { UsageError } from '../errors.js';
import { classify } from '../hotness/classes.js';
import type {
  Distribution,
  PageTable,
  Profile,
  ProgramInfo,
  ReplayOptions,
  Temperature,
  Totals,
  TranslationRow,
} from '../model/profile.js';
import { HOT } from '../model/profile.js';
import { mergedRegions } from './regions.js';
import { mergedRows } from './rows.js';
import { alignedTimelines, mergedHeat, mergedSiteTimes, sideBySide } from './time.js';

/** Options that decide what is counted; the others only how it is shown or placed. */
const COMPARED = [
  ...(['machine', 'modes', 'modeOptions', 'pageSize', 'timeScale', 'hotShare', 'coldShare'] as const),
  ...(['pmlEntries', 'kernelIntegration', 'tiers', 'capacity', 'policies'] as const),
];

/**
 * The placement is to be made anew.
 * @throws UsageError for fewer than two profiles, for profiles of different levels, recorders or options, and for
 *   epochs that do not fit each other
 */
export function mergeProfiles(given: readonly Profile[]): ProfileWithoutPlacement {
  if (given.length < 2) throw new UsageError('merge takes two profiles or more');
  const profiles = inOrder(given);
  const first = profiles[0]!;
  checkAlike(profiles);
  const rows = mergedRows(profiles);
  const timelines = alignedTimelines(profiles);
  const pages = mergedPages(profiles, rows.objectOf);
  const epochs = sideBySide(timelines);
  const siteTimes = mergedSiteTimes(timelines, rows.siteOf);
  const totals = mergedTotals(profiles);
  const { calls } = rows;
  const regions = mergedRegions(profiles);
  return {
    schema: first.schema,
    tool: first.tool,
    program: mergedProgram(profiles),
    options: { ...first.options, trackers: [], trackerOptions: {}, epochAccesses: epochs.accesses },
    totals,
    files: rows.files,
    modules: rows.modules,
    functions: rows.functions,
    lines: rows.lines,
    sites: rows.sites,
    objects: rows.objects,
    pairs: rows.pairs,
    ...(calls && { calls }),
    ...(siteTimes && { siteTimes }),
    ...(regions && { regions }),
    pages: pages.table,
    epochs,
    heat: mergedHeat(timelines, pages.rowOf),
    temperature: mergedTemperature(profiles, pages.table, totals),
    distribution: mergedDistribution(profiles, totals),
    missRatio: mergedMissRatio(profiles),
    translation: first.translation.map(({ mode }) => mergedTranslation(profiles, mode)),
    trackers: [],
    unattributed: {
      reads: sum(profiles, profile => profile.unattributed.reads),
      writes: sum(profiles, profile => profile.unattributed.writes),
      why: distinct(profiles.flatMap(profile => profile.unattributed.why)),
    },
    warnings: warningsOf(profiles, rows.changedFiles),
  };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

/** By program and arguments, then by what was counted: whatever order they are given in. */
function inOrder(profiles: readonly Profile[]): Profile[] {
  const keyed = profiles.map(profile => ({ profile, key: contentKey(profile) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ profile }) => profile);
}

function contentKey({ program, totals, pages, epochs, objects }: Profile): string {
  const hash = createHash('sha256').update(JSON.stringify(totals));
  for (const column of [pages.number, pages.reads, pages.writes, epochs.reads, epochs.writes, objects.reads])
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  return [program.path, ...program.arguments, program.workingDirectory, hash.digest('hex')].join('\0');
}

function checkAlike(profiles: readonly Profile[]): void {
  const [first, ...others] = profiles as [Profile, ...Profile[]];
  const name = ({ program }: Profile) => [program.path, ...program.arguments].join(' ');
  for (const other of others) {
    const pair = `${name(first)} and ${name(other)}`;
    if (first.program.level !== other.program.level)
      throw new UsageError(
        `${pair} were counted at ${first.program.level} and ${other.program.level} level: they have no total`,
      );
    if (first.program.recorder !== other.program.recorder)
      throw new UsageError(
        `${pair} come from ${first.program.recorder} and ${other.program.recorder}: they have no total`,
      );
    if (first.program.sampling || other.program.sampling)
      throw new UsageError(`${pair}: sampled counts have intervals of their own and are not merged`);
    const different = COMPARED.find(option => text(first.options, option) !== text(other.options, option));
    if (different)
      throw new UsageError(
        `${pair} were replayed with different options (${different}: ${text(first.options, different)} and ` +
          `${text(other.options, different)}): replay the traces with the same`,
      );
  }
}

function text(options: ReplayOptions, name: keyof ReplayOptions): string {
  return JSON.stringify(options[name]);
}

function mergedProgram(profiles: readonly Profile[]): ProgramInfo {
  const programs = profiles.map(profile => profile.program);
  const first = programs[0]!;
  const same = (value: (program: ProgramInfo) => string) => new Set(programs.map(value)).size === 1;
  const failed = programs.find(({ exit }) => exit === null || 'signal' in exit || exit.status !== 0);
  const cut = programs.find(program => program.cut)?.cut;
  return {
    path: first.path,
    arguments: same(program => JSON.stringify(program.arguments)) ? first.arguments : [],
    workingDirectory: first.workingDirectory,
    recorder: first.recorder,
    level: first.level,
    compiler: distinct(programs.map(program => program.compiler).filter(Boolean)).join(', '),
    flags: distinct(programs.map(program => program.flags).filter(Boolean)).join('; '),
    exit: (failed ?? first).exit,
    complete: programs.every(program => program.complete),
    ...(cut && { cut }),
    ...(programs.some(({ window }) => window) && {
      window: {
        windows: sum(programs, ({ window }) => window?.windows ?? 1),
        outside: sum(programs, ({ window }) => window?.outside ?? 0),
      },
    }),
    ...(first.imported !== undefined && same(program => program.imported ?? '') && { imported: first.imported }),
    processes: sum(programs, program => program.processes),
    threads: sum(programs, program => program.threads),
  };
}

/** Times are those of all processors together. */
function mergedTotals(profiles: readonly Profile[]): Totals {
  const of = (value: (totals: Totals) => number) => sum(profiles, profile => value(profile.totals));
  return {
    reads: of(totals => totals.reads),
    writes: of(totals => totals.writes),
    trafficReads: of(totals => totals.trafficReads),
    trafficWrites: of(totals => totals.trafficWrites),
    pagesTouched: of(totals => totals.pagesTouched),
    pagesRead: of(totals => totals.pagesRead),
    pagesWritten: of(totals => totals.pagesWritten),
    modelledNs: of(totals => totals.modelledNs),
    systemCalls: of(totals => totals.systemCalls),
  };
}

/** Behind each other: the processes of each run are numbered behind those of the runs before it. */
function mergedPages(profiles: readonly Profile[], objectOf: readonly Uint32Array[]) {
  const count = sum(profiles, profile => profile.pages.count);
  const rowOf: Uint32Array[] = [];
  let row = 0;
  let processes = 0;
  const process = new Uint32Array(count);
  const object = new Uint32Array(count);
  for (const [run, { pages, program }] of profiles.entries()) {
    let last = -1;
    rowOf.push(Uint32Array.from({ length: pages.count }, (_, page) => row + page));
    for (let page = 0; page < pages.count; page++, row++) {
      last = Math.max(last, pages.process[page]!);
      process[row] = processes + pages.process[page]!;
      object[row] = objectOf[run]![pages.object[page]!]!;
    }
    processes += Math.max(program.processes, last + 1);
  }
  const joined = (column: (pages: PageTable) => Float64Array) => {
    const all = new Float64Array(count);
    let at = 0;
    for (const { pages } of profiles) {
      all.set(column(pages), at);
      at += pages.count;
    }
    return all;
  };
  const reads = joined(pages => pages.reads);
  const writes = joined(pages => pages.writes);
  const { hotShare, coldShare } = profiles[0]!.options;
  const table: PageTable = {
    count,
    process,
    number: joined(pages => pages.number),
    reads,
    writes,
    trafficReads: joined(pages => pages.trafficReads),
    trafficWrites: joined(pages => pages.trafficWrites),
    linesUsed: Uint32Array.from(profiles.flatMap(({ pages }) => [...pages.linesUsed])),
    object,
    hotness: classify(
      reads.map((value, i) => value + writes[i]!),
      hotShare,
      coldShare,
    ),
  };
  return { table, rowOf };
}

function mergedTemperature(profiles: readonly Profile[], pages: PageTable, totals: Totals): Temperature {
  const events = sum(profiles, profile => profile.temperature.pmlEventsPerSecond * profile.totals.modelledNs);
  return {
    totalPages: pages.count,
    frequentlyAccessedPages: pages.hotness.reduce((count, hotness) => count + (hotness === HOT ? 1 : 0), 0),
    pmlEventsPerSecond: totals.modelledNs > 0 ? events / totals.modelledNs : 0,
  };
}

/** Means of the runs, by the pages, runs of pages, gaps or epochs that each of them is a mean over. */
function mergedDistribution(profiles: readonly Profile[], totals: Totals): Distribution {
  const mean = (value: (distribution: Distribution) => number, weight: (profile: Profile) => number) => {
    const weights = sum(profiles, weight);
    return weights > 0 ? sum(profiles, profile => value(profile.distribution) * weight(profile)) / weights : 0;
  };
  const accesses = totals.reads + totals.writes;
  return {
    readShare: accesses > 0 ? totals.reads / accesses : 0,
    writeShare: accesses > 0 ? totals.writes / accesses : 0,
    workingSetAlteration: mean(
      of => of.workingSetAlteration,
      profile => Math.max(0, profile.epochs.count - 1),
    ),
    density: mean(
      of => of.density,
      profile => profile.pages.count,
    ),
    runs: sum(profiles, profile => profile.distribution.runs),
    meanRunPages: mean(
      of => of.meanRunPages,
      profile => profile.distribution.runs,
    ),
    gaps: sum(profiles, profile => profile.distribution.gaps),
    meanGapPages: mean(
      of => of.meanGapPages,
      profile => profile.distribution.gaps,
    ),
  };
}

/** Each run with a memory of its own of that size: the mean of the runs' shares, by their accesses. */
function mergedMissRatio(profiles: readonly Profile[]): Profile['missRatio'] {
  const sizes = [...new Set(profiles.flatMap(({ missRatio }) => [...missRatio.pages]))].sort((a, b) => a - b);
  const accesses = profiles.map(({ totals }) => totals.reads + totals.writes);
  const all = accesses.reduce((total, count) => total + count, 0);
  const misses = new Float64Array(sizes.length);
  for (const [run, { missRatio }] of profiles.entries()) {
    // A share holds from its size on; below the first all accesses miss.
    let at = -1;
    for (const [i, size] of sizes.entries()) {
      while (at + 1 < missRatio.pages.length && missRatio.pages[at + 1]! <= size) at++;
      misses[i]! += (at < 0 ? 1 : missRatio.missRatio[at]!) * accesses[run]!;
    }
  }
  return {
    metric: 'LRU stack distance, pages',
    pages: Float64Array.from(sizes),
    missRatio: misses.map(count => (all > 0 ? count / all : 0)),
  };
}

function mergedTranslation(profiles: readonly Profile[], mode: string): TranslationRow {
  const rows = profiles.map(({ translation }) => translation.find(row => row.mode === mode)!);
  const of = (value: (row: TranslationRow) => number) => sum(rows, value);
  const vmExits: Record<string, number> = {};
  for (const row of rows)
    for (const [reason, count] of Object.entries(row.vmExits)) vmExits[reason] = (vmExits[reason] ?? 0) + count;
  const ns = profiles.map(profile => profile.totals.modelledNs);
  const allNs = ns.reduce((total, value) => total + value, 0);
  return {
    mode,
    tlbMisses: of(row => row.tlbMisses),
    l1TlbMisses: of(row => row.l1TlbMisses),
    walkReferences: of(row => row.walkReferences),
    vmExits,
    cycles: of(row => row.cycles),
    relayCycles: of(row => row.relayCycles),
    overheadPercent: allNs > 0 ? rows.reduce((total, row, i) => total + row.overheadPercent * ns[i]!, 0) / allNs : 0,
    // Some of these add up, others do not; who wants them finds them in the runs' own profiles.
    own: {},
  };
}

function warningsOf(profiles: readonly Profile[], changedFiles: readonly string[]): string[] {
  const trackers = distinct(profiles.flatMap(profile => profile.trackers.map(tracker => tracker.id)));
  return distinct([
    `merged: ${profiles.length} runs side by side; modelled times are those of all of them together`,
    ...(trackers.length > 0 ? ['merged: what trackers saw is not merged; see the runs one by one'] : []),
    ...changedFiles.map(file => `merged: ${file} was not the same in all runs`),
    ...profiles.flatMap(profile => profile.warnings.filter(warning => !warning.startsWith('tracker '))),
  ]);
}
