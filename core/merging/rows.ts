/** Files, functions, lines, sites, objects and what refers to them: the rows of several profiles as those of one. */
import { classify } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import type {
  CallTable,
  FunctionTable,
  LineTable,
  ModuleInfo,
  ObjectTable,
  PairTable,
  Profile,
  SiteTable,
  SourceColumns,
  SourceFile,
} from '../model/profile.js';
import { reordered, summed, type Union, unite } from './union.js';

type Columns = SourceColumns & { readonly reads: Float64Array };

export interface Rows {
  readonly files: readonly SourceFile[];
  /** Paths whose text was not the same in all runs. */
  readonly changedFiles: readonly string[];
  readonly modules: readonly ModuleInfo[];
  readonly functions: FunctionTable;
  readonly lines: LineTable;
  readonly sites: SiteTable;
  readonly objects: ObjectTable;
  readonly pairs: PairTable;
  readonly calls: CallTable | undefined;
  /** Rows of the merged tables, by run and row there. */
  readonly siteOf: readonly Uint32Array[];
  readonly objectOf: readonly Uint32Array[];
}

export function mergedRows(profiles: readonly Profile[]): Rows {
  const files = unite(
    profiles.map(profile => profile.files.length),
    (run, row) => profiles[run]!.files[row]!.path,
  );
  const hashes = hashesOf(profiles, files);
  const modules = unite(
    profiles.map(profile => profile.modules.length),
    (run, row) => `${profiles[run]!.modules[row]!.path}\0${profiles[run]!.modules[row]!.buildId}`,
  );
  const fileOf = rowMap(files);
  const functions = mergedFunctions(profiles, fileOf);
  const functionOf = rowMap(functions.union);
  const lines = mergedLines(profiles, fileOf, functionOf);
  const sites = mergedSites(profiles, { fileOf, functionOf, lineOf: rowMap(lines.union), moduleOf: rowMap(modules) });
  const objects = mergedObjects(profiles, fileOf);
  const pairs = mergedPairs(profiles, rowMap(sites.union), rowMap(objects.union));
  return {
    files: files.first.map(([run, row], i) => ({ ...profiles[run]!.files[row]!, sha256: hashes[i]! })),
    changedFiles: files.first.flatMap(([run, row], i) => {
      const { path, sha256 } = profiles[run]!.files[row]!;
      return sha256 !== hashes[i] ? [path] : [];
    }),
    modules: modules.first.map(([run, row]) => profiles[run]!.modules[row]!),
    functions: functions.table,
    lines: lines.table,
    sites: sites.table,
    objects: objects.table,
    pairs: pairs.table,
    calls: mergedCalls(profiles, fileOf, rowMap(pairs.union)),
    siteOf: sites.union.rowOf,
    objectOf: objects.union.rowOf,
  };
}

/** The merged row of a run's row; NONE stays NONE. */
type RowMap = (run: number, row: number) => number;

function rowMap(union: Union): RowMap {
  return (run, row) => (row === NONE ? NONE : union.rowOf[run]![row]!);
}

/** A text that was not the same in all runs is no longer known: '' is what marks go grey by. */
function hashesOf(profiles: readonly Profile[], files: Union): string[] {
  const hashes = files.first.map(([run, row]) => profiles[run]!.files[row]!.sha256);
  for (const [run, rows] of files.rowOf.entries())
    for (const [row, merged] of rows.entries())
      if (profiles[run]!.files[row]!.sha256 !== hashes[merged]) hashes[merged] = '';
  return hashes;
}

/** The columns that source and objects share. Runs share no page, so numbers of pages add up. */
function sums(union: Union, tables: readonly Columns[]): Omit<SourceColumns, 'count'> {
  const of = (column: (table: Columns) => Float64Array) => summed(union, tables.map(column));
  return {
    reads: of(table => table.reads),
    writes: of(table => table.writes),
    pages: of(table => table.pages),
    trafficReads: of(table => table.trafficReads),
    trafficWrites: of(table => table.trafficWrites),
  };
}

/** Accesses descending, then in the order of the keys. */
function byAccesses(union: Union, tables: readonly Columns[]): Union {
  const { reads, writes } = sums(union, tables);
  const order = Array.from({ length: union.count }, (_, row) => row);
  return reordered(
    union,
    order.sort((a, b) => reads[b]! + writes[b]! - reads[a]! - writes[a]! || a - b),
  );
}

/** Classes anew; rates are accesses by the pages of each run and that run's time. */
function hotnessOf(union: Union, tables: readonly Columns[], profiles: readonly Profile[]) {
  const { reads, writes } = sums(union, tables);
  const accesses = reads.map((count, row) => count + writes[row]!);
  const pageNs = summed(
    union,
    tables.map(table => table.pages),
    run => profiles[run]!.totals.modelledNs,
  );
  const { hotShare, coldShare } = profiles[0]!.options;
  return {
    hotness: classify(accesses, hotShare, coldShare),
    perPagePerSecond: accesses.map((count, row) => (pageNs[row]! > 0 ? count / (pageNs[row]! / 1e9) : 0)),
  };
}

function mergedFunctions(profiles: readonly Profile[], fileOf: RowMap) {
  const tables = profiles.map(profile => profile.functions);
  const found = unite(
    tables.map(table => table.count),
    (run, row) => {
      const { name, file, startLine } = tables[run]!;
      return `${name[row]}\0${fileOf(run, file[row]!)}\0${startLine[row]}`;
    },
  );
  const union = byAccesses(found, tables);
  const table: FunctionTable = {
    count: union.count,
    name: union.first.map(([run, row]) => tables[run]!.name[row]!),
    file: Uint32Array.from(union.first, ([run, row]) => fileOf(run, tables[run]!.file[row]!)),
    startLine: Uint32Array.from(union.first, ([run, row]) => tables[run]!.startLine[row]!),
    ...sums(union, tables),
    ...hotnessOf(union, tables, profiles),
  };
  return { union, table };
}

function mergedLines(profiles: readonly Profile[], fileOf: RowMap, functionOf: RowMap) {
  const tables = profiles.map(profile => profile.lines);
  const found = unite(
    tables.map(table => table.count),
    (run, row) => `${fileOf(run, tables[run]!.file[row]!)}:${tables[run]!.line[row]}`,
  );
  const union = byAccesses(found, tables);
  const table: LineTable = {
    count: union.count,
    file: Uint32Array.from(union.first, ([run, row]) => fileOf(run, tables[run]!.file[row]!)),
    line: Uint32Array.from(union.first, ([run, row]) => tables[run]!.line[row]!),
    function: Uint32Array.from(union.first, ([run, row]) => functionOf(run, tables[run]!.function[row]!)),
    ...sums(union, tables),
    ...hotnessOf(union, tables, profiles),
  };
  return { union, table };
}

interface RowMaps {
  readonly fileOf: RowMap;
  readonly functionOf: RowMap;
  readonly lineOf: RowMap;
  readonly moduleOf: RowMap;
}

function mergedSites(profiles: readonly Profile[], { fileOf, functionOf, lineOf, moduleOf }: RowMaps) {
  const tables = profiles.map(profile => profile.sites);
  const union = unite(
    tables.map(table => table.count),
    (run, row) => {
      const table = tables[run]!;
      // One hook may read and write: two sites of one place.
      const direction = table.reads[row]! > 0 ? 'r' : table.writes[row]! > 0 ? 'w' : '-';
      // Fixed width, so that the order of the keys is that of the numbers.
      const place = [moduleOf(run, table.module[row]!), table.offset[row]!].map(n => n.toString(16).padStart(14, '0'));
      return `${place.join(':')}:${direction}:${lineOf(run, table.line[row]!)}:${table.column[row]}`;
    },
  );
  const chains = union.first.map(([run, row]) => {
    const { inlineStart, inlineFunction, inlineLine, inlineFile } = tables[run]!;
    const rows = Array.from({ length: inlineStart[row + 1]! - inlineStart[row]! }, (_, i) => inlineStart[row]! + i);
    return rows.map(
      at => [functionOf(run, inlineFunction[at]!), inlineLine[at]!, fileOf(run, inlineFile[at]!)] as const,
    );
  });
  const inlineStart = new Uint32Array(union.count + 1);
  for (const [row, chain] of chains.entries()) inlineStart[row + 1] = inlineStart[row]! + chain.length;
  const links = chains.flat();
  const table: SiteTable = {
    count: union.count,
    module: Uint32Array.from(union.first, ([run, row]) => moduleOf(run, tables[run]!.module[row]!)),
    offset: Float64Array.from(union.first, ([run, row]) => tables[run]!.offset[row]!),
    line: Uint32Array.from(union.first, ([run, row]) => lineOf(run, tables[run]!.line[row]!)),
    column: Uint32Array.from(union.first, ([run, row]) => tables[run]!.column[row]!),
    inlineStart,
    inlineFunction: Uint32Array.from(links, link => link[0]),
    inlineLine: Uint32Array.from(links, link => link[1]),
    inlineFile: Uint32Array.from(links, link => link[2]),
    ...sums(union, tables),
  };
  return { union, table };
}

function mergedObjects(profiles: readonly Profile[], fileOf: RowMap) {
  const tables = profiles.map(profile => profile.objects);
  const found = unite(
    tables.map(table => table.count),
    (run, row) => {
      const { kind, name, file, line, stack } = tables[run]!;
      return [kind[row], name[row], fileOf(run, file[row]!), line[row], ...stack[row]!].join('\0');
    },
  );
  const union = byAccesses(found, tables);
  const runs = new Uint32Array(union.count);
  for (const rows of union.rowOf) for (const row of rows) runs[row]!++;
  const kind = union.first.map(([run, row]) => tables[run]!.kind[row]!);
  // Peaks of several runs need not have been at the same time. Globals and stacks have their size all the time.
  const atMost = Uint8Array.from(kind, (what, row) =>
    runs[row]! > 1 && what !== 'global' && what !== 'stack' ? 1 : 0,
  );
  for (const [run, rows] of union.rowOf.entries())
    for (const [row, merged] of rows.entries()) if (tables[run]!.bytesAtMost?.[row]) atMost[merged] = 1;
  const common = sums(union, tables);
  const used = summed(
    union,
    tables.map(table => table.density),
    (run, row) => tables[run]!.pages[row]!,
  );
  const sum = (column: (table: ObjectTable) => Float64Array) => summed(union, tables.map(column));
  const table: ObjectTable = {
    count: union.count,
    kind,
    name: union.first.map(([run, row]) => tables[run]!.name[row]!),
    file: Uint32Array.from(union.first, ([run, row]) => fileOf(run, tables[run]!.file[row]!)),
    line: Uint32Array.from(union.first, ([run, row]) => tables[run]!.line[row]!),
    stack: union.first.map(([run, row]) => tables[run]!.stack[row]!),
    bytes: sum(table => table.bytes),
    ...(atMost.includes(1) && { bytesAtMost: atMost }),
    blocks: sum(table => table.blocks),
    ...common,
    density: used.map((lines, row) => (common.pages[row]! > 0 ? lines / common.pages[row]! : 0)),
    ...hotnessOf(union, tables, profiles),
    tier: new Uint8Array(union.count),
    touchedBytes: sum(table => table.touchedBytes),
  };
  return { union, table };
}

const HEXADECIMAL_DIGITS = 8;

/** Keys of two row numbers whose alphabetical order is that of the numbers. */
function pairKey(a: number, b: number): string {
  return a.toString(16).padStart(HEXADECIMAL_DIGITS, '0') + b.toString(16).padStart(HEXADECIMAL_DIGITS, '0');
}

function counts(
  union: Union,
  tables: readonly Pick<PairTable, 'reads' | 'writes' | 'trafficReads' | 'trafficWrites'>[],
) {
  const of = (column: 'reads' | 'writes' | 'trafficReads' | 'trafficWrites') =>
    summed(
      union,
      tables.map(table => table[column]),
    );
  return {
    reads: of('reads'),
    writes: of('writes'),
    trafficReads: of('trafficReads'),
    trafficWrites: of('trafficWrites'),
  };
}

function mergedPairs(profiles: readonly Profile[], siteOf: RowMap, objectOf: RowMap) {
  const tables = profiles.map(profile => profile.pairs);
  const union = unite(
    tables.map(table => table.count),
    (run, row) => pairKey(siteOf(run, tables[run]!.site[row]!), objectOf(run, tables[run]!.object[row]!)),
  );
  const table: PairTable = {
    count: union.count,
    site: Uint32Array.from(union.first, ([run, row]) => siteOf(run, tables[run]!.site[row]!)),
    object: Uint32Array.from(union.first, ([run, row]) => objectOf(run, tables[run]!.object[row]!)),
    ...counts(union, tables),
  };
  return { union, table };
}

/** Left out where a run has none. */
function mergedCalls(profiles: readonly Profile[], fileOf: RowMap, pairOf: RowMap): CallTable | undefined {
  const tables = profiles.flatMap(profile => profile.calls ?? []);
  if (tables.length < profiles.length) return undefined;
  const frames = unite(
    tables.map(table => table.frames.name.length),
    (run, row) => {
      const { name, file, line } = tables[run]!.frames;
      return `${name[row]}\0${fileOf(run, file[row]!)}\0${line[row]}`;
    },
  );
  const frameOf = rowMap(frames);
  const paths = mergedPaths(tables, frameOf);
  const rows = unite(
    tables.map(table => table.count),
    (run, row) => pairKey(pairOf(run, tables[run]!.pair[row]!), paths.pathOf[run]![tables[run]!.path[row]!]!),
  );
  return {
    frames: {
      name: frames.first.map(([run, row]) => tables[run]!.frames.name[row]!),
      file: Uint32Array.from(frames.first, ([run, row]) => fileOf(run, tables[run]!.frames.file[row]!)),
      line: Uint32Array.from(frames.first, ([run, row]) => tables[run]!.frames.line[row]!),
    },
    parent: Uint32Array.from(paths.parent),
    frame: Uint32Array.from(paths.frame),
    count: rows.count,
    pair: Uint32Array.from(rows.first, ([run, row]) => pairOf(run, tables[run]!.pair[row]!)),
    path: Uint32Array.from(rows.first, ([run, row]) => paths.pathOf[run]![tables[run]!.path[row]!]!),
    ...counts(rows, tables),
  };
}

/** Paths are numbered in the order of the runs; a parent stands before its children in each of them. */
function mergedPaths(tables: readonly CallTable[], frameOf: RowMap) {
  const parent = [NONE];
  const frame = [NONE];
  const known = new Map<string, number>();
  const pathOf = tables.map((table, run) => {
    const numbers = new Uint32Array(table.parent.length);
    for (let path = 1; path < numbers.length; path++) {
      const above = numbers[table.parent[path]!]!;
      const own = frameOf(run, table.frame[path]!);
      const key = `${above}:${own}`;
      let number = known.get(key);
      if (number === undefined) {
        number = parent.length;
        known.set(key, number);
        parent.push(above);
        frame.push(own);
      }
      numbers[path] = number;
    }
    return numbers;
  });
  return { parent, frame, pathOf };
}
