/**
 * What changed between two profiles: totals, and the functions, allocations and lines that did more or less than
 * before. Pure, and the same for the same two profiles; `pagelens diff` prints it, the editor shows it.
 */

import { NONE } from '../model/columns.js';
import * as l10n from '../model/l10n.js';
import type { Profile, SourceColumns } from '../model/profile.js';
import { type Matching, matchProfiles } from './matching.js';
import { type Metric, type MetricId, metrics, type Unit } from './metrics.js';

export interface ProfileDiff {
  readonly schema: 'pagelens-diff/1';
  readonly before: DiffedRun;
  readonly now: DiffedRun;
  readonly totals: readonly DiffedTotal[];
  /** Rows that changed, the greatest change of accesses first. */
  readonly functions: readonly DiffedRow[];
  readonly objects: readonly DiffedObject[];
  readonly lines: readonly DiffedRow[];
  /** Files whose lines are not compared: edited, and the texts of both builds are not at hand. */
  readonly unfollowed: readonly string[];
  /** Why the two runs may differ in more than the program. */
  readonly cautions: readonly string[];
}

export interface DiffedRun {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly accesses: number;
  readonly complete: boolean;
}

export interface DiffedTotal {
  readonly metric: MetricId;
  readonly label: string;
  readonly unit: Unit;
  readonly before: number | null;
  readonly now: number | null;
}

export interface Counts {
  readonly reads: number;
  readonly writes: number;
  /** Cache lines that missed the modelled last-level cache, both ways. */
  readonly traffic: number;
}

export interface DiffedRow {
  readonly name: string;
  /** Absolute; '' when unknown. */
  readonly file: string;
  /** Now; of what is gone, before. */
  readonly line: number;
  /** null: it did nothing, or was not there. */
  readonly before: Counts | null;
  readonly now: Counts | null;
}

export interface DiffedObject extends DiffedRow {
  readonly kind: string;
  /** Peak of the bytes alive at once. */
  readonly bytesBefore: number;
  readonly bytesNow: number;
}

export function diffProfiles(before: Profile, now: Profile, matching = matchProfiles(before, now)): ProfileDiff {
  return {
    schema: 'pagelens-diff/1',
    before: runOf(before),
    now: runOf(now),
    totals: Object.entries(metrics).map(([metric, { label, unit, of }]: [string, Metric]) => ({
      metric: metric as MetricId,
      label,
      unit,
      before: of(before),
      now: of(now),
    })),
    functions: changed(both(before, now, matching.functions, 'functions').map(functionRow)),
    objects: changed(
      both(before, now, matching.objects, 'objects').map(objectRow),
      ({ bytesBefore, bytesNow }) => bytesBefore !== bytesNow,
    ),
    lines: changed(
      both(before, now, matching.lines, 'lines')
        .filter(pair => isFollowed(pair, matching))
        .map(lineRow),
    ),
    unfollowed: [...matching.unfollowed].map(file => now.files[file]!.path),
    cautions: cautions(before, now),
  };
}

function runOf({ program, totals }: Profile): DiffedRun {
  return {
    program: program.path,
    arguments: program.arguments,
    accesses: totals.reads + totals.writes,
    complete: program.complete,
  };
}

/** One row of either profile, or the same of both. */
interface Pair {
  readonly before: Profile;
  readonly now: Profile;
  /** NONE: only in the other. */
  readonly rowBefore: number;
  readonly rowNow: number;
}

function both(before: Profile, now: Profile, matched: Uint32Array, table: 'functions' | 'objects' | 'lines'): Pair[] {
  const pairs = Array.from(matched, (rowBefore, rowNow): Pair => ({ before, now, rowBefore, rowNow }));
  const known = new Set(matched);
  for (let rowBefore = 0; rowBefore < before[table].count; rowBefore++) {
    if (!known.has(rowBefore)) pairs.push({ before, now, rowBefore, rowNow: NONE });
  }
  return pairs;
}

function countsOf(table: SourceColumns, row: number): Counts | null {
  if (row === NONE) return null;
  return {
    reads: table.reads[row]!,
    writes: table.writes[row]!,
    traffic: table.trafficReads[row]! + table.trafficWrites[row]!,
  };
}

function functionRow({ before, now, rowBefore, rowNow }: Pair): DiffedRow {
  const [{ functions, files }, row] = rowNow === NONE ? [before, rowBefore] : [now, rowNow];
  return {
    name: functions.name[row]!,
    file: files[functions.file[row]!]?.path ?? '',
    line: functions.startLine[row]!,
    before: countsOf(before.functions, rowBefore),
    now: countsOf(now.functions, rowNow),
  };
}

function objectRow({ before, now, rowBefore, rowNow }: Pair): DiffedObject {
  const [{ objects, files }, row] = rowNow === NONE ? [before, rowBefore] : [now, rowNow];
  return {
    kind: objects.kind[row]!,
    name: objects.name[row]!,
    file: files[objects.file[row]!]?.path ?? '',
    line: objects.line[row]!,
    before: countsOf(before.objects, rowBefore),
    now: countsOf(now.objects, rowNow),
    bytesBefore: rowBefore === NONE ? 0 : before.objects.bytes[rowBefore]!,
    bytesNow: rowNow === NONE ? 0 : now.objects.bytes[rowNow]!,
  };
}

function lineRow({ before, now, rowBefore, rowNow }: Pair): DiffedRow {
  const [{ lines, files, functions }, row] = rowNow === NONE ? [before, rowBefore] : [now, rowNow];
  return {
    name: functions.name[lines.function[row]!] ?? '',
    file: files[lines.file[row]!]!.path,
    line: lines.line[row]!,
    before: countsOf(before.lines, rowBefore),
    now: countsOf(now.lines, rowNow),
  };
}

/** A line of a file whose texts are not at hand is neither new nor gone: it is not known. */
function isFollowed({ before, now, rowBefore, rowNow }: Pair, { files, unfollowed }: Matching): boolean {
  if (rowNow !== NONE) return !unfollowed.has(now.lines.file[rowNow]!);
  const file = files.indexOf(before.lines.file[rowBefore]!);
  return file < 0 || !unfollowed.has(file);
}

function changed<T extends DiffedRow>(rows: readonly T[], alsoIf: (row: T) => boolean = () => false): T[] {
  const text = ({ file, line, name }: T) => `${file}:${String(line).padStart(9)} ${name}`;
  return rows
    .filter(row => differs(row.before, row.now) || alsoIf(row))
    .sort((a, b) => Math.abs(changeOf(b)) - Math.abs(changeOf(a)) || (text(a) < text(b) ? -1 : 1));
}

function differs(before: Counts | null, now: Counts | null): boolean {
  return (['reads', 'writes', 'traffic'] as const).some(key => (before?.[key] ?? 0) !== (now?.[key] ?? 0));
}

/** Accesses now less those before. */
export function changeOf({ before, now }: DiffedRow): number {
  return (now ? now.reads + now.writes : 0) - (before ? before.reads + before.writes : 0);
}

function cautions(before: Profile, now: Profile): string[] {
  const list: string[] = [];
  const differ = (what: string, ofBefore: string | number, ofNow: string | number) => {
    if (ofBefore === ofNow) return;
    list.push(l10n.kept('{0}: {1} before, {2} now; figures that depend on it differ too', what, ofBefore, ofNow));
  };
  const [old, anew] = [before.options, now.options];
  differ(l10n.kept('The emulated machine is not the same'), old.machine, anew.machine);
  differ(l10n.kept('The page size is not the same'), `${old.pageSize} B`, `${anew.pageSize} B`);
  differ(
    l10n.kept('The epochs are not of one length'),
    l10n.kept('{0} accesses', before.epochs.accesses),
    l10n.kept('{0} accesses', now.epochs.accesses),
  );
  differ(l10n.kept('The tiers are not the same'), old.tiers, anew.tiers);
  differ(l10n.kept('The level of counting is not the same'), before.program.level, now.program.level);
  differ(l10n.kept('The compiler is not the same'), before.program.compiler, now.program.compiler);
  differ(l10n.kept('The compiler flags are not the same'), before.program.flags, now.program.flags);
  differ(
    l10n.kept('The arguments are not the same'),
    before.program.arguments.join(' '),
    now.program.arguments.join(' '),
  );
  const cut = [
    [before, l10n.kept('The run before was cut short: less was recorded than it would have done.')],
    [now, l10n.kept('The run now was cut short: less was recorded than it would have done.')],
  ] as const;
  for (const [{ program }, caution] of cut) if (!program.complete) list.push(caution);
  return list;
}
