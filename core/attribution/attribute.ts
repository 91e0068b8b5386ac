/**
 * From counts to source: turns what the kernel counted by site and object number into lines, functions and named
 * objects. Pure: the same input gives the same tables, whatever order things were seen in.
 *
 * A site's accesses belong to the innermost frame of its inline chain that has a line, and so does its traffic; the
 * whole chain stays in the site table. Nothing is dropped: what reaches no line is counted in `unattributed` with the
 * reason, what belongs to no object in the `unattributed` object.
 */

import { classify, perPagePerSecond } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import * as l10n from '../model/l10n.js';
import type {
  FunctionTable,
  LineTable,
  PageTable,
  PairTable,
  Profile,
  ProgramInfo,
  ReplayOptions,
  SiteTable,
  SiteTimeTable,
  SourceColumns,
  SourceFile,
} from '../model/profile.js';
import type { RawReplay } from '../model/raw.js';
import { windowText } from '../model/window.js';
import type { EndBlock, HeaderBlock, ModuleBlock, SymbolsBlock, ThreadBlock } from '../trace/blocks.js';
import { callTable, filesOfCalls } from './calls.js';
import type { RankedProcess } from './naming.js';
import { mergeObjects, objectTable } from './objects.js';
import { regionTable } from './regions.js';
import { baseName, type RunSites, Source, UNKNOWN_CODE } from './source.js';

export type { RunSites } from './source.js';

/** What attribution needs of the trace. */
export interface AttributionTrace {
  readonly header: HeaderBlock;
  /** The recorded processes. */
  readonly processes: readonly RankedProcess[];
  readonly threads: readonly ThreadBlock[];
  readonly modules: readonly ModuleBlock[];
  readonly sites: RunSites;
  /**
   * null, or without any frame in a trace without an end: it was cut before them, and no binary with a recorded build id
   * was found.
   */
  readonly symbols: SymbolsBlock | null;
  /** null: the trace was cut. */
  readonly end: EndBlock | null;
  /** Version of Pagelens that replays. */
  readonly tool: string;
}

export type ProfileWithoutPlacement = Omit<Profile, 'placement'>;

export function attribute(raw: RawReplay, trace: AttributionTrace, options: ReplayOptions): ProfileWithoutPlacement {
  const source = new Source(trace.modules, trace.sites, trace.symbols);

  // 1. The sites that did something, and the functions and lines that they name.
  const used = usedSites(raw, source);
  const chains = used.map(site => chainOf(source, site));
  const merged = mergeObjects(raw, source, trace);

  // 2. Files, in the alphabet's order.
  const paths = filesOfCalls(raw, source);
  for (const { file } of source.functions) if (file !== '') paths.add(file);
  for (const chain of chains) for (const frame of chain) if (frame.file !== '') paths.add(frame.file);
  for (const { file } of merged) if (file !== '') paths.add(file);
  const files = fileTable([...paths].sort(), trace.symbols);
  const fileRows = new Map(files.map((file, row) => [file.path, row]));
  const fileRow = (path: string): number => fileRows.get(path) ?? NONE;

  // 3. Functions and lines: groups of sites.
  const functions = functionTable(raw, options, source, used, chains, fileRow);
  const lines = lineTable(raw, options, source, used, functions.rowOfNumber, fileRow);
  const sites = siteTable(raw, trace.sites, used, chains, lines.rowOfSite, functions.rowOfNumber, fileRow, source);

  // 4. Objects, and what refers to them.
  const objects = objectTable(merged, raw, options, fileRow);
  const pairs = pairTable(raw, used, objects.rowOfRaw);
  const calls = callTable(raw, source, pairs.rowOfRaw, fileRow);
  const pages = pageTable(raw.pages, objects.rowOfRaw, options);

  const remainder = unattributed(raw, used, lines.rowOfSite, source, trace);
  return {
    schema: 'pagelens-profile/1',
    tool: { version: trace.tool },
    program: programInfo(trace),
    options,
    totals: raw.totals,
    files,
    modules: moduleTable(trace.modules),
    functions: functions.table,
    lines: lines.table,
    sites,
    objects: objects.table,
    pairs: pairs.table,
    ...(calls && { calls }),
    siteTimes: siteTimes(raw, used),
    ...(raw.regions && { regions: regionTable(raw.regions, raw.epochs) }),
    pages,
    epochs: raw.epochs,
    heat: raw.heat,
    temperature: raw.temperature,
    distribution: raw.distribution,
    missRatio: { metric: 'LRU stack distance, pages', ...raw.missRatio },
    translation: raw.translation,
    trackers: raw.trackers,
    unattributed: remainder,
    warnings: warnings(raw, trace),
  };
}

/** A frame as the site table keeps it. */
interface ChainFrame {
  /** Provisional number of the function. */
  readonly function: number;
  readonly file: string;
  readonly line: number;
}

function usedSites(raw: RawReplay, source: Source): number[] {
  const { sites } = raw;
  const used: number[] = [];
  for (let site = 0; site < sites.count; site++) {
    const did = sites.reads[site]! + sites.writes[site]! + sites.trafficReads[site]! + sites.trafficWrites[site]! > 0;
    if (did && source.isAccess(site)) used.push(site);
  }
  return used;
}

/**
 * Inline chain from the frame that is charged outwards: frames further in have no line, and would leave the chain's
 * first function without its accesses.
 */
function chainOf(source: Source, site: number): ChainFrame[] {
  const charged = source.lineFrame(site);
  const chain = source.chain(site);
  if (chain.length === 0) return [{ function: source.functionOfPlace(site), file: '', line: 0 }];
  const module = source.sites.module[site]!;
  return chain.slice(charged ? chain.indexOf(charged) : 0).map(frame => ({
    function: source.functionOfFrame(frame, module),
    file: frame.file,
    line: frame.line,
  }));
}

function fileTable(paths: readonly string[], symbols: SymbolsBlock | null): SourceFile[] {
  const hashes = new Map(symbols?.sources.map(source => [source.path, source.sha256]));
  return paths.map(path => ({ path, sha256: hashes.get(path) ?? '' }));
}

function moduleTable(modules: readonly ModuleBlock[]): { path: string; buildId: string }[] {
  const table: { path: string; buildId: string }[] = [];
  for (const { module, path, buildId } of modules) table[module] ??= { path, buildId };
  return Array.from(table, row => row ?? { path: '', buildId: '' });
}

/** Sums of the groups' sites; each group is a list of run-wide site numbers. */
function sums(raw: RawReplay, groups: readonly (readonly number[])[]): SourceColumns {
  const total = (column: Float64Array): Float64Array =>
    Float64Array.from(groups, group => group.reduce((sum, site) => sum + column[site]!, 0));
  return {
    count: groups.length,
    reads: total(raw.sites.reads),
    writes: total(raw.sites.writes),
    pages: Float64Array.from(groups, group => (group.length > 0 ? raw.pageSets.ofSites(Uint32Array.from(group)) : 0)),
    trafficReads: total(raw.sites.trafficReads),
    trafficWrites: total(raw.sites.trafficWrites),
  };
}

function accessesOf(raw: RawReplay, group: readonly number[]): number {
  return group.reduce((sum, site) => sum + raw.sites.reads[site]! + raw.sites.writes[site]!, 0);
}

function hotnessOf(raw: RawReplay, columns: SourceColumns, options: ReplayOptions) {
  const accesses = columns.reads.map((reads, row) => reads + columns.writes[row]!);
  return {
    hotness: classify(accesses, options.hotShare, options.coldShare),
    perPagePerSecond: accesses.map((count, row) => perPagePerSecond(count, columns.pages[row]!, raw.totals.modelledNs)),
  };
}

function functionTable(
  raw: RawReplay,
  options: ReplayOptions,
  source: Source,
  used: readonly number[],
  chains: readonly (readonly ChainFrame[])[],
  fileRow: (path: string) => number,
): { table: FunctionTable; rowOfNumber: Uint32Array } {
  const groups: number[][] = source.functions.map(() => []);
  for (const [i, site] of used.entries()) groups[chains[i]![0]!.function]!.push(site);
  const accesses = groups.map(group => accessesOf(raw, group));
  const order = [...groups.keys()].sort((a, b) => {
    const first = source.functions[a]!;
    const second = source.functions[b]!;
    return (
      accesses[b]! - accesses[a]! ||
      compare(first.file, second.file) ||
      first.startLine - second.startLine ||
      compare(first.name, second.name) ||
      a - b
    );
  });
  const rowOfNumber = new Uint32Array(groups.length);
  for (const [row, number] of order.entries()) rowOfNumber[number] = row;
  const columns = sums(
    raw,
    order.map(number => groups[number]!),
  );
  const rows = order.map(number => source.functions[number]!);
  const table: FunctionTable = {
    ...columns,
    ...hotnessOf(raw, columns, options),
    name: rows.map(row => row.name),
    file: Uint32Array.from(rows, row => (row.file === '' ? NONE : fileRow(row.file))),
    startLine: Uint32Array.from(rows, row => row.startLine),
  };
  return { table, rowOfNumber };
}

function lineTable(
  raw: RawReplay,
  options: ReplayOptions,
  source: Source,
  used: readonly number[],
  rowOfFunction: Uint32Array,
  fileRow: (path: string) => number,
): { table: LineTable; rowOfSite: Map<number, number> } {
  interface Line {
    readonly file: number;
    readonly line: number;
    readonly sites: number[];
    /** Accesses of each function that has code on the line (template instances, lambdas): the most wins. */
    readonly functions: Map<number, number>;
  }
  const lines = new Map<string, Line>();
  for (const site of used) {
    const frame = source.lineFrame(site);
    if (!frame) continue;
    const file = fileRow(frame.file);
    const key = `${file}:${frame.line}`;
    let line = lines.get(key);
    if (!line) lines.set(key, (line = { file, line: frame.line, sites: [], functions: new Map() }));
    line.sites.push(site);
    const row = rowOfFunction[source.functionOfFrame(frame, source.sites.module[site]!)]!;
    line.functions.set(row, (line.functions.get(row) ?? 0) + accessesOf(raw, [site]));
  }
  const accesses = new Map([...lines.values()].map(line => [line, accessesOf(raw, line.sites)]));
  const rows = [...lines.values()].sort(
    (a, b) => accesses.get(b)! - accesses.get(a)! || a.file - b.file || a.line - b.line,
  );
  const rowOfSite = new Map<number, number>();
  for (const [row, { sites }] of rows.entries()) for (const site of sites) rowOfSite.set(site, row);
  const columns = sums(
    raw,
    rows.map(row => row.sites),
  );
  const table: LineTable = {
    ...columns,
    ...hotnessOf(raw, columns, options),
    file: Uint32Array.from(rows, row => row.file),
    line: Uint32Array.from(rows, row => row.line),
    function: Uint32Array.from(rows, row => {
      const ranked = [...row.functions].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
      return ranked[0]![0];
    }),
  };
  return { table, rowOfSite };
}

function siteTable(
  raw: RawReplay,
  sites: RunSites,
  used: readonly number[],
  chains: readonly (readonly ChainFrame[])[],
  lineOfSite: ReadonlyMap<number, number>,
  rowOfFunction: Uint32Array,
  fileRow: (path: string) => number,
  source: Source,
): SiteTable {
  const frames = chains.flat();
  const inlineStart = new Uint32Array(used.length + 1);
  for (const [i, chain] of chains.entries()) inlineStart[i + 1] = inlineStart[i]! + chain.length;
  return {
    ...sums(
      raw,
      used.map(site => [site]),
    ),
    module: Uint32Array.from(used, site => sites.module[site]!),
    offset: Float64Array.from(used, site => sites.offset[site]!),
    line: Uint32Array.from(used, site => lineOfSite.get(site) ?? NONE),
    column: Uint32Array.from(used, site => source.lineFrame(site)?.column ?? 0),
    inlineStart,
    inlineFunction: Uint32Array.from(frames, frame => rowOfFunction[frame.function]!),
    inlineLine: Uint32Array.from(frames, frame => frame.line),
    inlineFile: Uint32Array.from(frames, frame => (frame.file === '' ? NONE : fileRow(frame.file))),
  };
}

/** A site that is not in the table did nothing in any bin. */
function siteTimes({ siteTimes }: RawReplay, used: readonly number[]): SiteTimeTable {
  const rowOfSite = new Map(used.map((site, row) => [site, row]));
  return { ...siteTimes, site: siteTimes.site.map(site => rowOfSite.get(site)!) };
}

/** Pairs of merged objects, and of different contexts, become one row; ascending by site, then object. */
function pairTable(
  raw: RawReplay,
  used: readonly number[],
  rowOfObject: Uint32Array,
): { table: PairTable; rowOfRaw: Uint32Array } {
  const rowOfSite = new Map(used.map((site, row) => [site, row]));
  const { pairs } = raw;
  const objectRows = rowOfObject.length + 1;
  const groups = new Map<number, number[]>();
  for (let pair = 0; pair < pairs.count; pair++) {
    const site = rowOfSite.get(pairs.site[pair]!);
    const object = rowOfObject[pairs.object[pair]!]!;
    // A pair without a count or traffic names sites and objects that no table has.
    if (site === undefined || object === NONE) continue;
    const key = site * objectRows + object;
    const group = groups.get(key);
    if (group) group.push(pair);
    else groups.set(key, [pair]);
  }
  const keys = Float64Array.from(groups.keys()).sort();
  const total = (column: Float64Array): Float64Array =>
    keys.map(key => groups.get(key)!.reduce((sum, pair) => sum + column[pair]!, 0));
  const rowOfRaw = new Uint32Array(pairs.count).fill(NONE);
  for (const [row, key] of keys.entries()) for (const pair of groups.get(key)!) rowOfRaw[pair] = row;
  const table: PairTable = {
    count: keys.length,
    site: Uint32Array.from(keys, key => Math.floor(key / objectRows)),
    object: Uint32Array.from(keys, key => key % objectRows),
    reads: total(pairs.reads),
    writes: total(pairs.writes),
    trafficReads: total(pairs.trafficReads),
    trafficWrites: total(pairs.trafficWrites),
  };
  return { table, rowOfRaw };
}

function pageTable(pages: PageTable, rowOfObject: Uint32Array, options: ReplayOptions): PageTable {
  const accesses = pages.reads.map((reads, page) => reads + pages.writes[page]!);
  return {
    ...pages,
    object: pages.object.map(object => rowOfObject[object]!),
    hotness: classify(accesses, options.hotShare, options.coldShare),
  };
}

/** What reached no line, by module, the largest first. */
function unattributed(
  raw: RawReplay,
  used: readonly number[],
  lineOfSite: ReadonlyMap<number, number>,
  source: Source,
  trace: AttributionTrace,
): Profile['unattributed'] {
  let reads = 0;
  let writes = 0;
  const byReason = new Map<string, number>();
  for (const site of used) {
    if (lineOfSite.has(site)) continue;
    reads += raw.sites.reads[site]!;
    writes += raw.sites.writes[site]!;
    const module = source.module(source.sites.module[site]!);
    const where = module ? baseName(module.path) : 'code outside all modules';
    const why = lacksSymbols(trace) ? 'the trace was cut before its symbols' : 'no line information';
    const reason =
      source.place(site) === UNKNOWN_CODE ? 'the trace does not say what code made them' : `${where}: ${why}`;
    byReason.set(reason, (byReason.get(reason) ?? 0) + accessesOf(raw, [site]));
  }
  const ranked = [...byReason].filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  return { reads, writes, why: ranked.map(([reason, count]) => `${reason} (${grouped(count)} accesses)`) };
}

function lacksSymbols({ symbols, end }: AttributionTrace): boolean {
  return symbols === null || (end === null && symbols.frames.every(chain => chain.length === 0));
}

function programInfo({ header, end, processes, threads }: AttributionTrace): ProgramInfo {
  return {
    path: header.program,
    arguments: header.arguments,
    workingDirectory: header.workingDirectory,
    recorder: header.recorder,
    level: header.level,
    compiler: header.compiler,
    flags: header.flags,
    exit: end?.exit ?? null,
    complete: end?.complete ?? false,
    ...(end?.cut && { cut: end.cut }),
    ...(end?.window && { window: end.window }),
    ...(header.imported !== undefined && { imported: header.imported }),
    processes: processes.length,
    threads: threads.filter(thread => !thread.signal).length,
  };
}

function warnings(raw: RawReplay, trace: AttributionTrace): string[] {
  const { end } = trace;
  const { reads, writes } = raw.totals;
  const windows = end?.window ? [windowText(end.window, reads + writes)] : [];
  const list = [...windows, ...(end?.warnings ?? []), ...raw.warnings];
  if (!end) list.push(l10n.kept('The trace was cut short: only what was recorded before the cut is counted.'));
  if (lacksSymbols(trace)) {
    list.push(
      l10n.kept(
        'The trace has no symbols and no program with the recorded build id was found: places are module and offset.',
      ),
    );
  }
  return [...new Set(list)];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 1234567 -> 1,234,567. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}
