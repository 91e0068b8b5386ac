/** Raw objects -> the object table: named, allocation sites with equal resolved stacks merged, sorted, classed. */
import { classify, perPagePerSecond } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import type { ObjectKind, ObjectTable, ReplayOptions } from '../model/profile.js';
import type { RawReplay } from '../model/raw.js';
import { allocationName, decidingFrame, frameText, type Owners, plainName, stackFrames } from './naming.js';
import type { Source } from './source.js';

/** Bytes of a cache line. */
const LINE = 64;

interface Merged {
  readonly kind: ObjectKind;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly stack: readonly string[];
  readonly raw: number[];
}

export interface ResolvedObjects {
  /** `file` still holds rows given by `fileRow`; `tier` is zero until placement. */
  readonly table: ObjectTable;
  /** Row of the table for each raw object; NONE for those that were left out because nothing ever touched them. */
  readonly rowOfRaw: Uint32Array;
}

/** Files that the object table will name, so that the file table can be made first. */
export function mergeObjects(raw: RawReplay, source: Source, owners: Owners): Merged[] {
  const { objects, pages } = raw;
  const onPage = new Uint8Array(objects.count);
  for (let page = 0; page < pages.count; page++) onPage[pages.object[page]!] = 1;

  const merged = new Map<string, Description & Omit<Merged, 'name'>>();
  for (let object = 0; object < objects.count; object++) {
    const kind = objects.kind[object]!;
    const touched =
      objects.reads[object]! + objects.writes[object]! + objects.pages[object]! > 0 || onPage[object] === 1;
    // Untouched allocations matter (why allocate?), untouched globals of every library do not.
    if (!touched && (kind !== 'heap' || objects.blocks[object] === 0) && kind !== 'unattributed') continue;
    const description = describe(raw, object, kind, source, owners);
    const key = `${kind}\0${description.key}`;
    const same = merged.get(key);
    if (same) same.raw.push(object);
    else merged.set(key, { ...description, kind, raw: [object] });
  }
  return [...merged.values()].map(({ nameWith, ...row }) => ({ ...row, name: nameWith(verb(raw, row.raw)) }));
}

/**
 * What allocated most of the objects' blocks, the first of equals: a call may show as two, as when the compiler makes
 * `malloc(n)` of the first turn of a loop around `realloc(p, n)`.
 */
function verb({ objects }: RawReplay, members: readonly number[]): string {
  const blocks = new Map<string, number>();
  for (const object of members)
    blocks.set(objects.name[object]!, (blocks.get(objects.name[object]!) ?? 0) + objects.blocks[object]!);
  return [...blocks].reduce((most, next) => (next[1] > most[1] ? next : most))[0];
}

interface Description extends Omit<Merged, 'kind' | 'raw' | 'name'> {
  /** Objects of one kind with equal keys are one row. */
  readonly key: string;
  /** The row's name, given what allocated it ('' where that is unknown). */
  readonly nameWith: (verb: string) => string;
}

function describe(
  { objects }: RawReplay,
  object: number,
  kind: ObjectKind,
  source: Source,
  owners: Owners,
): Description {
  const sites = objects.stackSites.subarray(objects.stackStart[object]!, objects.stackStart[object + 1]!);
  const frames = stackFrames(source, sites);
  const stack = frames.map(frameText);
  const tag = objects.tag[object]!;
  if (tag !== '') {
    const frame = decidingFrame(frames);
    return { key: `\0${tag}`, nameWith: () => tag, file: frame?.file ?? '', line: frame?.line ?? 0, stack };
  }
  if (kind === 'heap' || kind === 'anonymous') {
    // Memory that no call was seen to map: the loader's, or what was mapped before the recording began.
    if (frames.length === 0 && kind === 'anonymous')
      return { key: '', nameWith: () => 'anonymous memory', file: '', line: 0, stack };
    const frame = decidingFrame(frames);
    return {
      key: stack.join('\0'),
      nameWith: verb =>
        allocationName(source.allocateStatement(frame) ?? (verb || (kind === 'heap' ? 'malloc' : 'mmap')), frame),
      file: frame?.file ?? '',
      line: frame?.line ?? 0,
      stack,
    };
  }
  const symbol =
    kind === 'global' ? source.module(objects.module[object]!)?.globals[objects.global[object]!] : undefined;
  return {
    key: `${objects.module[object]}\0${objects.global[object]}\0${objects.thread[object]}\0${objects.name[object]}`,
    nameWith: () => plainName(objects, object, source, owners),
    file: symbol?.file ?? '',
    line: symbol?.line ?? 0,
    stack,
  };
}

/** Sums the merged rows and puts them in order: accesses descending, then name, then first sight. */
export function objectTable(
  merged: readonly Merged[],
  raw: RawReplay,
  options: ReplayOptions,
  fileRow: (path: string) => number,
): ResolvedObjects {
  const { objects } = raw;
  const sum = (column: Float64Array, rows: readonly number[]): number =>
    rows.reduce((total, object) => total + column[object]!, 0);
  const accessesOf = new Map(merged.map(row => [row, sum(objects.reads, row.raw) + sum(objects.writes, row.raw)]));
  const rows = merged.toSorted(
    (a, b) =>
      accessesOf.get(b)! - accessesOf.get(a)! || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.raw[0]! - b.raw[0]!),
  );

  const rowOfRaw = new Uint32Array(objects.count).fill(NONE);
  for (const [row, { raw: members }] of rows.entries()) for (const object of members) rowOfRaw[object] = row;

  const total = (column: Float64Array): Float64Array => Float64Array.from(rows, row => sum(column, row.raw));
  const reads = total(objects.reads);
  const writes = total(objects.writes);
  const { bytes, atMost } = peakBytes(rows, raw);
  const pages = Float64Array.from(rows, row =>
    row.raw.length === 1 ? objects.pages[row.raw[0]!]! : raw.pageSets.ofObjects(Uint32Array.from(row.raw)),
  );
  const linesInPages = pages.map(count => (count * options.pageSize) / LINE);
  // A line shared by two merged objects counted for both; a page has no more lines than it has.
  const linesUsed = total(objects.linesUsed).map((lines, row) => Math.min(lines, linesInPages[row]!));
  const accesses = reads.map((count, row) => count + writes[row]!);
  const table: ObjectTable = {
    count: rows.length,
    kind: rows.map(row => row.kind),
    name: rows.map(row => row.name),
    file: Uint32Array.from(rows, row => (row.file === '' ? NONE : fileRow(row.file))),
    line: Uint32Array.from(rows, row => row.line),
    stack: rows.map(row => row.stack),
    bytes,
    ...(atMost.includes(1) && { bytesAtMost: atMost }),
    blocks: total(objects.blocks),
    reads,
    writes,
    pages,
    trafficReads: total(objects.trafficReads),
    trafficWrites: total(objects.trafficWrites),
    density: linesUsed.map((lines, row) => (linesInPages[row]! > 0 ? lines / linesInPages[row]! : 0)),
    hotness: classify(accesses, options.hotShare, options.coldShare),
    perPagePerSecond: accesses.map((count, row) => perPagePerSecond(count, pages[row]!, raw.totals.modelledNs)),
    tier: new Uint8Array(rows.length),
    touchedBytes: pages.map((count, row) => {
      const mapped = count * options.pageSize;
      return bytes[row]! > 0 ? Math.min(bytes[row]!, mapped) : mapped;
    }),
  };
  return { table, rowOfRaw };
}

/**
 * Peak bytes of each row. Where a row stands for several objects, their peaks need not have been at the same time: the
 * joint peak, or, when the run allocated too often for its log to be kept, the sum of the peaks as a bound.
 */
function peakBytes(rows: readonly Merged[], raw: RawReplay): { bytes: Float64Array; atMost: Uint8Array } {
  const joined = rows.filter(row => row.raw.length > 1);
  const groupOf = new Uint32Array(raw.objects.count).fill(NONE);
  for (const [group, { raw: members }] of joined.entries()) for (const object of members) groupOf[object] = group;
  const joint = joined.length > 0 ? raw.jointPeaks(groupOf, joined.length) : null;
  const atMost = new Uint8Array(rows.length);
  const bytes = Float64Array.from(rows, (row, i) => {
    if (joint?.exact && row.raw.length > 1) return joint.bytes[groupOf[row.raw[0]!]!]!;
    atMost[i] = row.raw.length > 1 ? 1 : 0;
    return row.raw.reduce((sum, object) => sum + raw.objects.bytes[object]!, 0);
  });
  return { bytes, atMost };
}
