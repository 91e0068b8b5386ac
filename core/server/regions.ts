/**
 * What a lens speaks about: the functions of one file and the memory allocated or declared in it.
 *
 * What the user wrote once is one region: the instantiations of a template and the functions of one line are summed,
 * and so are the call paths and the calls of one allocating line. `parts` keeps what was summed apart.
 */
import { NONE } from '../model/columns.js';
import * as l10n from '../model/l10n.js';
import { shortFunctionName } from '../model/names.js';
import { CLASS_NAMES, COLD, type FunctionTable, type ObjectTable, type SourceProfile } from '../model/profile.js';
import { type Part, partsOfSites } from './parts.js';
import { pagesOfCode } from './seen.js';
import { type Counts, countsOf, type FileRows, type ObjectShare, type SourceIndex } from './sourceIndex.js';

export type Hotness = (typeof CLASS_NAMES)[number];

export interface Region extends Omit<Counts, 'pages'> {
  readonly kind: 'function' | 'allocation';
  /** Rows of `functions` or of `objects` that it sums. */
  readonly rows: readonly number[];
  readonly name: string;
  /** What one lens sums when the line holds more than one thing of its kind: `3 instantiations`, `2 allocations`; else ''. */
  readonly several: string;
  /** Distinct pages; null: not known (`pagesOfCode`). */
  readonly pages: number | null;
  /** 1-based, as built. */
  readonly line: number;
  readonly hotness: Hotness;
  readonly tier: string;
  /** The summed rows may have touched the same page, so that `pages` is an upper bound. */
  readonly pagesAtMost: boolean;
  /**
   * Mean accesses per touched page per modelled second, over the whole run; with `pagesAtMost` a lower bound.
   * Says nothing where the pages are not known.
   */
  readonly perPagePerSecond: number;
  /** Share of the regions of its kind in the whole profile that have fewer accesses, 0 to 100. */
  readonly percentile: number;
  readonly objects: readonly ObjectShare[];
  /** Instantiations and where they were inlined, or allocations by call path; one part says nothing new. */
  readonly parts: readonly Part[];
}

/** Functions that start in the file and heap, file or anonymous memory that is allocated in it, and its globals. */
export function regionsOf(index: SourceIndex, rows: FileRows, policy: string): Region[] {
  const { functions, objects } = index.profile;
  const named = rows.objects.filter(row => objects.kind[row] !== 'stack' && objects.kind[row] !== 'unattributed');
  return [
    ...byLine(active(functions, rows.functions), functions.startLine).map(group =>
      functionRegion(index, group, policy),
    ),
    ...byLine(named, objects.line).map(group => allocationRegion(index, group, policy)),
  ].sort((a, b) => a.line - b.line || accessesOf(b) - accessesOf(a));
}

/** The hottest regions of one file or of the whole profile; also those whose place is unknown, and stacks. */
export function hottestRegions(
  index: SourceIndex,
  limit: number,
  rows: FileRows | null,
  policy: string,
): { readonly file: number; readonly region: Region }[] {
  const { functions, objects } = index.profile;
  const all = (table: Table) => Array.from({ length: table.count }, (_, row) => row);
  const named = (rows?.objects ?? all(objects)).filter(row => objects.kind[row] !== 'unattributed');
  const groups = [
    ...hottest(functions, functions.startLine, rows?.functions ?? all(functions), limit).map(group => ({
      file: functions.file[group[0]],
      region: functionRegion(index, group, policy),
    })),
    ...hottest(objects, objects.line, named, limit).map(group => ({
      file: objects.file[group[0]],
      region: allocationRegion(index, group, policy),
    })),
  ];
  return groups
    .sort((a, b) => accessesOf(b.region) - accessesOf(a.region) || (a.region.name < b.region.name ? -1 : 1))
    .slice(0, limit);
}

/** Groups of rows that are at one place, the hottest of them; a row without a place is a group of its own. */
function hottest(table: Table, line: Uint32Array, rows: readonly number[], limit: number): number[][] {
  const groups = new Map<string, { rows: number[]; accesses: number }>();
  for (const row of active(table, rows)) {
    const known = table.file[row] !== NONE && line[row] > 0;
    const key = known ? `${table.file[row]}:${line[row]}` : `row ${row}`;
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { rows: [], accesses: 0 }));
    group.rows.push(row);
    group.accesses += table.reads[row] + table.writes[row];
  }
  return [...groups.values()]
    .sort((a, b) => b.accesses - a.accesses)
    .slice(0, limit)
    .map(group => group.rows.toSorted((a, b) => a - b));
}

export function accessesOf({ reads, writes }: { readonly reads: number; readonly writes: number }): number {
  return reads + writes;
}

/** Functions are in the table also when all their code went into others and did nothing there. */
function active(table: Table, rows: readonly number[]): number[] {
  return rows.filter(row => table.reads[row] + table.writes[row] > 0);
}

/** Groups of rows with one line, each in the table's order; a row without a line is in none. */
function byLine(rows: readonly number[], line: Uint32Array): number[][] {
  const groups = new Map<number, number[]>();
  for (const row of rows) {
    if (line[row] === 0) continue;
    const group = groups.get(line[row]);
    if (group) group.push(row);
    else groups.set(line[row], [row]);
  }
  return [...groups.values()].map(group => group.toSorted((a, b) => a - b));
}

function functionRegion(index: SourceIndex, rows: readonly number[], policy: string): Region {
  const { functions } = index.profile;
  const objects = index.objectsOfFunctions(rows);
  const names = rows.map(row => functions.name[row]);
  const counts = summed(index, functions, rows);
  const pages = pagesOfCode(index, counts.pages);
  const families = new Set(names.map(name => shortFunctionName(name, true)));
  return {
    kind: 'function',
    rows,
    name: rows.length > 1 && families.size === 1 ? [...families][0] : names.join(', '),
    several: rows.length === 1 ? '' : severalFunctions(rows.length, families.size === 1),
    line: functions.startLine[rows[0]],
    ...counts,
    pages,
    pagesAtMost: counts.pagesAtMost && pages !== null,
    tier: index.tierOfShares(objects, policy),
    objects,
    parts: partsOfSites(index, index.sitesOfFunctions(rows)),
  };
}

/** One allocating line may serve several call paths and hold several calls, each an object of its own. */
function allocationRegion(index: SourceIndex, rows: readonly number[], policy: string): Region {
  const { objects, files } = index.profile;
  const shares: ObjectShare[] = rows.map(object => ({
    object,
    reads: objects.reads[object],
    writes: objects.writes[object],
    traffic: objects.trafficReads[object] + objects.trafficWrites[object],
  }));
  const line = objects.line[rows[0]];
  const stacks = rows.map(row => splitStack(objects.stack[row], `${files[objects.file[row]]?.path}:${line}`));
  const calls = new Set(rows.map((row, i) => `${objects.name[row]}\0${stacks[i].call}`)).size;
  const globals = rows.every(row => objects.kind[row] === 'global');
  const names = [...new Set(rows.map(row => objects.name[row]))];
  return {
    kind: 'allocation',
    rows,
    name: names.join(', '),
    several: calls === 1 ? '' : severalObjects(calls, globals),
    line,
    ...summed(index, objects, rows),
    tier: index.tierOfShares(shares, policy),
    objects: shares,
    parts: rows.map((row, i) => ({
      label: names.length > 1 ? objects.name[row] : stacks[i].caller,
      reads: objects.reads[row],
      writes: objects.writes[row],
    })),
  };
}

/**
 * A stack, innermost first, cut at the frame of the allocating line: what was called there, and who called.
 *
 * @param place `file:line` of the allocating line
 */
function splitStack(stack: readonly string[], place: string): { call: string; caller: string } {
  const at = stack.findIndex(frame => frame.endsWith(place));
  const caller = stack[at + 1] ?? '';
  // `function /long/path/file.c:12` reads as `function file.c:12`.
  return { call: stack.slice(0, at + 1).join('\0'), caller: caller.replace(/ \/.*\/(?=[^/]+:\d+$)/, ' ') };
}

type Table = FunctionTable | ObjectTable;

/** The table that regions of a kind are rows of, and its column of lines. */
export function regionTable(
  { functions, objects }: SourceProfile,
  kind: Region['kind'],
): { table: Table; line: Uint32Array } {
  return kind === 'function' ? { table: functions, line: functions.startLine } : { table: objects, line: objects.line };
}

/** The sum of some rows of a table that is sorted by accesses, and the class and rank that the sum would have in it. */
function summed(index: SourceIndex, table: Table, rows: readonly number[]) {
  const { totals } = index.profile;
  const sum = { reads: 0, writes: 0, pages: 0, trafficReads: 0, trafficWrites: 0 };
  for (const row of rows) {
    const counts = countsOf(table, row);
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
  }
  const pages = rows.length === 1 ? sum.pages : Math.min(sum.pages, totals.pagesTouched);
  const accesses = accessesOf(sum);
  const { rank, hotness } = standingOf(index, table, rows, accesses);
  const seconds = totals.modelledNs / 1e9;
  return {
    ...sum,
    pages,
    pagesAtMost: rows.filter(row => table.pages[row] > 0).length > 1,
    hotness: CLASS_NAMES[Math.min(hotness, ...rows.map(row => table.hotness[row]))],
    percentile: percentileOf(rank, table.count),
    perPagePerSecond:
      rows.length === 1 ? table.perPagePerSecond[rows[0]] : pages > 0 && seconds > 0 ? accesses / pages / seconds : 0,
  };
}

/** Rank and class that so many accesses have in a table: rows with more stand above, the class is that of the next. */
function standingOf({ window }: SourceIndex, table: Table, rows: readonly number[], accesses: number) {
  // Objects keep their rows in a window, so there a row number is no rank.
  if (rows.length === 1 && !window) return { rank: rows[0], hotness: table.hotness[rows[0]] };
  let rank = 0;
  let hotness = COLD;
  for (let row = 0; row < table.count; row++) {
    if (table.reads[row] + table.writes[row] > accesses) rank++;
    else hotness = Math.min(hotness, table.hotness[row]);
  }
  return { rank: Math.min(rank, table.count - 1), hotness };
}

/** Tables are sorted by accesses, descending, so a row number is a rank. */
export function percentileOf(rank: number, count: number): number {
  return (1 - rank / count) * 100;
}

function severalFunctions(count: number, ofOneTemplate: boolean): string {
  return ofOneTemplate
    ? l10n.plural(count, '{0} instantiation', '{0} instantiations')
    : l10n.plural(count, '{0} function', '{0} functions');
}

function severalObjects(count: number, globals: boolean): string {
  return globals
    ? l10n.plural(count, '{0} global', '{0} globals')
    : l10n.plural(count, '{0} allocation', '{0} allocations');
}
