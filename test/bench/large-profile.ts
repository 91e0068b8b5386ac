/**
 * A large profile for measuring the editor: 5,000 source files and 10,000 allocations of a program that does not exist,
 * written with its sources. Every table is summed up from one list of who did how much to what, so that all totals
 * agree, as in a replayed one; the same numbers come out each time.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkConservation } from '../../core/attribution/conservation.js';
import { classify, perPagePerSecond } from '../../core/hotness/classes.js';
import { distribution, temperature } from '../../core/hotness/pattern.js';
import type { Profile, SourceColumns, TrackerResult } from '../../core/model/profile.js';
import { place } from '../../core/placement/place.js';
import { sizedTiers, tierSet } from '../../core/placement/tiers.js';
import { save } from '../../core/profile/file.js';

const shape = {
  files: 5_000,
  functionsPerFile: 8,
  linesPerFunction: 5,
  objects: 10_000,
  /** The last of a file's functions allocates: two allocations a file. */
  allocationsPerFile: 2,
  objectsPerSite: 2,
  maxPagesPerObject: 48,
  epochs: 512,
  /** Epochs in which an object is in use. */
  maxEpochsInUse: 16,
} as const;

const pageSize = 4096;
/** First line of a function within its file; lines of a function follow each other. */
const startLine = (fn: number) => 3 + fn * (shape.linesPerFunction + 3);

export interface LargeProfile {
  /** The `.pagelens` file. */
  readonly file: string;
  /** Sources of the program, hottest file first. */
  readonly sources: readonly string[];
  readonly rows: Readonly<Record<'files' | 'functions' | 'lines' | 'pairs' | 'objects' | 'pages' | 'heat', number>>;
}

/** Writes sources and profile below `folder`. */
export async function writeLargeProfile(folder: string): Promise<LargeProfile> {
  const files = sourceFiles(folder);
  const profile = largeProfile(folder, files);
  const violations = checkConservation(profile);
  if (violations.length > 0) throw new Error(violations.join('; '));
  const file = path.join(folder, 'large.pagelens');
  await save(profile, file);
  const { functions, lines, pairs, objects, pages, heat } = profile;
  const byHeat = [...new Set(functions.file.subarray(0, functions.count))].map(row => files[row]!.path);
  return {
    file,
    sources: byHeat,
    rows: {
      ...{ files: files.length, functions: functions.count, lines: lines.count, pairs: pairs.count },
      ...{ objects: objects.count, pages: pages.count, heat: heat.page.length },
    },
  };
}

function sourceFiles(folder: string): { path: string; sha256: string }[] {
  return Array.from({ length: shape.files }, (_, i) => {
    const name = path.join(folder, 'src', `part${Math.floor(i / 100)}`, `unit${i}.c`);
    const text = sourceText(i);
    mkdirSync(path.dirname(name), { recursive: true });
    writeFileSync(name, text);
    return { path: name, sha256: createHash('sha256').update(text).digest('hex') };
  });
}

function sourceText(file: number): string {
  const lines = [`// Unit ${file} of a program for measuring the editor.`, ''];
  for (let fn = 0; fn < shape.functionsPerFile; fn++) {
    lines.push(`void unit${file}_step${fn}(double *a, const double *b, int i) {`);
    for (let line = 0; line < shape.linesPerFunction; line++)
      lines.push(`  a[i + ${line}] += b[${line + 1} * i] * ${fn}.5;`);
    lines.push('}', '');
  }
  return `${lines.join('\n')}\n`;
}

/** Mulberry32: small, seeded, good enough to make numbers uneven. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const keys = ['reads', 'writes', 'trafficReads', 'trafficWrites'] as const;
type Counts = Record<(typeof keys)[number], Float64Array>;

function counts(rows: number): Counts {
  const column = () => new Float64Array(rows);
  return { reads: column(), writes: column(), trafficReads: column(), trafficWrites: column() };
}

/** Sums of the rows that `groupOf` puts together. */
function summed(of: Counts, groupOf: Uint32Array, groups: number): Counts {
  const sums = counts(groups);
  for (const key of keys) for (let row = 0; row < groupOf.length; row++) sums[key][groupOf[row]!]! += of[key][row]!;
  return sums;
}

/** Row numbers, most accesses first; and the place of each row in that order. */
function ranked({ reads, writes }: Counts): { order: Uint32Array; rank: Uint32Array } {
  const order = Uint32Array.from(reads.keys()).sort((a, b) => reads[b]! + writes[b]! - reads[a]! - writes[a]! || a - b);
  const rank = new Uint32Array(order.length);
  order.forEach((row, at) => {
    rank[row] = at;
  });
  return { order, rank };
}

function picked<T extends Float64Array | Uint32Array>(column: T, order: Uint32Array): T {
  return column.map((_: number, at: number) => column[order[at]!]!) as T;
}

function largeProfile(folder: string, files: Profile['files']): Profile {
  const random = generator(20_25);
  const functionCount = shape.files * shape.functionsPerFile;
  const siteCount = functionCount * shape.linesPerFunction;
  const pairCount = siteCount * shape.objectsPerSite;

  // 1. Who did how much to what: a few sites do nearly everything (Zipf), in no order of the files.
  const pairSite = Uint32Array.from({ length: pairCount }, (_, pair) => Math.floor(pair / shape.objectsPerSite));
  const pairObject = Uint32Array.from({ length: pairCount }, (_, pair) =>
    // The first objects are each some site's own, so that none is without accesses.
    pair < shape.objects ? pair : Math.floor(random() ** 2 * shape.objects),
  );
  const pair = counts(pairCount);
  for (let row = 0; row < pairCount; row++) {
    const accesses = Math.ceil(2e8 / (1 + random() * siteCount) ** 1.1);
    pair.reads[row] = Math.ceil(accesses * random());
    pair.writes[row] = accesses - pair.reads[row]!;
    pair.trafficReads[row] = Math.floor(accesses / 40);
    pair.trafficWrites[row] = Math.floor(pair.writes[row]! / 60);
  }

  // 2. The tables of source, from the pairs; sites stay in the order of the code.
  const site = summed(pair, pairSite, siteCount);
  const functionOfSite = Uint32Array.from({ length: siteCount }, (_, row) => Math.floor(row / shape.linesPerFunction));
  const ofFunction = summed(site, functionOfSite, functionCount);
  const functions = ranked(ofFunction);
  const lines = ranked(site);
  const ofObject = summed(pair, pairObject, shape.objects);
  const objects = ranked(ofObject);

  // 3. Pages: each object's accesses evenly over its pages, each page's over the epochs in which the object is in use.
  const pagesOf = Uint32Array.from(
    { length: shape.objects },
    () => 4 + Math.floor(random() * (shape.maxPagesPerObject - 4)),
  );
  const from = Uint32Array.from({ length: shape.objects }, () =>
    Math.floor(random() * (shape.epochs - shape.maxEpochsInUse)),
  );
  const inUse = Uint32Array.from({ length: shape.objects }, () => 1 + Math.floor(random() * shape.maxEpochsInUse));
  const objectOfPage = Uint32Array.from(
    Array.from({ length: shape.objects }, (_, object) => Array<number>(pagesOf[object]!).fill(object)).flat(),
  );
  const pageCount = objectOfPage.length;
  const page = counts(pageCount);
  for (let row = 0, i = 0; row < pageCount; row++) {
    const object = objectOfPage[row]!;
    i = row > 0 && objectOfPage[row - 1] === object ? i + 1 : 0;
    for (const key of keys) page[key][row] = part(ofObject[key][object]!, pagesOf[object]!, i);
  }
  const heat = heatOf(page, objectOfPage, from, inUse);
  const epochs = epochsOf(heat);

  const total = (column: Float64Array) => column.reduce((sum, value) => sum + value, 0);
  const totals = {
    ...{ reads: total(page.reads), writes: total(page.writes) },
    ...{ trafficReads: total(page.trafficReads), trafficWrites: total(page.trafficWrites) },
    ...{ pagesTouched: pageCount, pagesRead: pageCount, pagesWritten: page.writes.filter(Boolean).length },
    ...{ modelledNs: epochs.endNs.at(-1)!, systemCalls: 0 },
  };
  const pageHotness = classify(page.reads.map((reads, row) => reads + page.writes[row]!));
  const pageNumber = Float64Array.from({ length: pageCount }, (_, row) => 0x55500 + row + objectOfPage[row]!);
  const linesUsed = new Uint32Array(pageCount).fill(48);
  const touchedBytes = Float64Array.from(objects.order, row => pagesOf[row]! * pageSize);

  // 4. Sorted tables, hottest first, and what names them.
  const sorted = (of: Counts, order: Uint32Array, pages: Float64Array): SourceColumns => ({
    ...{ count: order.length, reads: picked(of.reads, order), writes: picked(of.writes, order), pages },
    ...{ trafficReads: picked(of.trafficReads, order), trafficWrites: picked(of.trafficWrites, order) },
  });
  const hotness = ({ reads, writes, pages, count }: SourceColumns) => ({
    hotness: classify(reads.map((value, row) => value + writes[row]!)),
    perPagePerSecond: Float64Array.from({ length: count }, (_, row) =>
      perPagePerSecond(reads[row]! + writes[row]!, pages[row]!, totals.modelledNs),
    ),
  });
  const pagesOfSite = new Float64Array(siteCount);
  for (let row = 0; row < pairCount; row++) pagesOfSite[pairSite[row]!]! += pagesOf[pairObject[row]!]!;
  const pagesOfFunction = new Float64Array(functionCount);
  pagesOfSite.forEach((pages, row) => {
    pagesOfFunction[functionOfSite[row]!]! += pages;
  });
  const functionColumns = sorted(ofFunction, functions.order, picked(pagesOfFunction, functions.order));
  const lineColumns = sorted(site, lines.order, picked(pagesOfSite, lines.order));
  const objectColumns = sorted(
    ofObject,
    objects.order,
    Float64Array.from(objects.order, row => pagesOf[row]!),
  );
  const fileOfFunction = (row: number) => Math.floor(row / shape.functionsPerFile);
  const lineOfSite = (row: number) =>
    startLine(functionOfSite[row]! % shape.functionsPerFile) + 1 + (row % shape.linesPerFunction);
  const allocationLine = (object: number) => startLine(object % shape.allocationsPerFile) + 1;
  const fileOfObject = (object: number) => Math.floor(object / shape.allocationsPerFile) % shape.files;

  const objectTable = {
    ...objectColumns,
    ...hotness(objectColumns),
    kind: Array.from(objects.order, () => 'heap' as const),
    name: Array.from(objects.order, row => `block${row}`),
    file: Uint32Array.from(objects.order, fileOfObject),
    line: Uint32Array.from(objects.order, allocationLine),
    stack: Array.from(objects.order, row => {
      const file = fileOfObject(row);
      return [`unit${file}_step0 unit${file}.c:${allocationLine(row)}`, 'main main.c:40'];
    }),
    bytes: touchedBytes,
    blocks: new Float64Array(shape.objects).fill(1),
    density: new Float64Array(shape.objects).fill(0.75),
    touchedBytes,
  };
  const pages = {
    ...{ count: pageCount, process: new Uint32Array(pageCount), number: pageNumber, ...page, linesUsed },
    object: objectOfPage.map(row => objects.rank[row]!),
    hotness: pageHotness,
  };
  const placement = place(
    { objects: objectTable, pages, totals, pageSize, memoryStallNs: totals.modelledNs / 4, heat },
    sizedTiers(tierSet('hbm-dram-cxl'), [{ percent: 10 }, { percent: 40 }], pageCount * pageSize),
    ['first-touch', 'static-optimal', 'interleave', 'all-fast', 'all-slow'],
  );
  const recommended = placement.policies.find(policy => policy.id === placement.recommended)!;

  return {
    schema: 'pagelens-profile/1',
    tool: { version: '0.0.0-bench' },
    program: {
      ...{ path: path.join(folder, 'large'), arguments: [], workingDirectory: folder, recorder: 'instrument' },
      ...{ level: 'source', compiler: 'none: generated', flags: '', exit: { status: 0 }, complete: true },
      ...{ processes: 1, threads: 1 },
    },
    options: {
      ...{ machine: 'skylake', modes: ['native'], trackers: ['pml'], policies: placement.policies.map(({ id }) => id) },
      ...{ tiers: 'hbm-dram-cxl', capacity: [{ percent: 10 }, { percent: 40 }], pageSize, epochAccesses: 0 },
      ...{
        timeScale: 1,
        modeOptions: {},
        trackerOptions: {},
        hotShare: 0.8,
        coldShare: 0.01,
        pmlEntries: 512,
        kernelIntegration: false,
      },
    },
    totals,
    files,
    modules: [{ path: path.join(folder, 'large'), buildId: '00' }],
    functions: {
      ...functionColumns,
      ...hotness(functionColumns),
      name: Array.from(functions.order, row => `unit${fileOfFunction(row)}_step${row % shape.functionsPerFile}`),
      file: Uint32Array.from(functions.order, fileOfFunction),
      startLine: Uint32Array.from(functions.order, row => startLine(row % shape.functionsPerFile)),
    },
    lines: {
      ...lineColumns,
      ...hotness(lineColumns),
      file: Uint32Array.from(lines.order, row => fileOfFunction(functionOfSite[row]!)),
      line: Uint32Array.from(lines.order, lineOfSite),
      function: Uint32Array.from(lines.order, row => functions.rank[functionOfSite[row]!]!),
    },
    sites: {
      ...{ count: siteCount, ...site, pages: pagesOfSite, module: new Uint32Array(siteCount) },
      offset: Float64Array.from({ length: siteCount }, (_, row) => 0x1000 + 4 * row),
      line: lines.rank,
      column: new Uint32Array(siteCount).fill(3),
      // Nothing is inlined: each chain is the function itself.
      inlineStart: Uint32Array.from({ length: siteCount + 1 }, (_, row) => row),
      inlineFunction: functionOfSite.map(row => functions.rank[row]!),
      inlineLine: Uint32Array.from({ length: siteCount }, (_, row) => lineOfSite(row)),
      inlineFile: functionOfSite.map(fileOfFunction),
    },
    objects: { ...objectTable, tier: recommended.tierOfObject },
    pairs: { count: pairCount, site: pairSite, object: pairObject.map(row => objects.rank[row]!), ...pair },
    pages,
    epochs,
    heat,
    temperature: temperature(pageHotness, 0, totals.modelledNs),
    distribution: distribution({ ...totals, pages, pageSize, epochs, mappings: [] }),
    missRatio: {
      metric: 'LRU stack distance, pages',
      pages: Float64Array.from({ length: 18 }, (_, i) => 2 ** i),
      missRatio: Float64Array.from({ length: 18 }, (_, i) => 0.9 ** i),
    },
    translation: [],
    trackers: [seenByLog(page)],
    placement,
    unattributed: { reads: 0, writes: 0, why: [] },
    warnings: [],
  };
}

/** A tracker that sees one of a thousand accesses. Its scores are those of nobody: nothing here looks at them. */
function seenByLog({ reads, writes }: Counts): TrackerResult {
  return {
    ...{ id: 'pml', pagesReported: null, precision: null, recall: null, f1: null, rankCorrelation: null },
    ...{ workingSetError: null, vmExits: 0, overheadPercent: 0, periods: null, own: {}, warnings: [] },
    pageReads: reads.map(count => Math.floor(count / 1000)),
    pageWrites: writes.map(count => Math.floor(count / 1000)),
  };
}

/** Whole accesses, evenly: the first take one more where it does not divide. */
function part(total: number, parts: number, i: number): number {
  return Math.floor(total / parts) + (i < total % parts ? 1 : 0);
}

function heatOf(page: Counts, objectOfPage: Uint32Array, from: Uint32Array, inUse: Uint32Array): Profile['heat'] {
  const start = new Float64Array(shape.epochs + 1);
  for (const object of objectOfPage) for (let i = 0; i < inUse[object]!; i++) start[from[object]! + i + 1]!++;
  for (let epoch = 0; epoch < shape.epochs; epoch++) start[epoch + 1]! += start[epoch]!;
  const next = start.slice();
  const rows = start[shape.epochs]!;
  const column = () => new Uint32Array(rows);
  const heat = {
    epochsPerBin: 1,
    start,
    page: column(),
    reads: column(),
    writes: column(),
    trafficReads: column(),
    trafficWrites: column(),
  };
  for (let row = 0; row < objectOfPage.length; row++) {
    const object = objectOfPage[row]!;
    for (let i = 0; i < inUse[object]!; i++) {
      const at = next[from[object]! + i]!++;
      heat.page[at] = row;
      for (const key of keys) heat[key][at] = part(page[key][row]!, inUse[object]!, i);
    }
  }
  return heat;
}

/** Working sets and sums of each epoch, counted from the heat. */
function epochsOf(heat: Profile['heat']): Profile['epochs'] {
  const { epochs } = shape;
  const column = () => new Float64Array(epochs);
  const table = {
    ...counts(epochs),
    endNs: column(),
    pages: column(),
    pagesRead: column(),
    pagesWritten: column(),
    entered: column(),
    left: column(),
  };
  let before = new Set<number>();
  let time = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const now = new Set<number>();
    for (let row = heat.start[epoch]!; row < heat.start[epoch + 1]!; row++) {
      for (const key of keys) table[key][epoch]! += heat[key][row]!;
      if (heat.reads[row]! > 0) table.pagesRead[epoch]!++;
      if (heat.writes[row]! > 0) table.pagesWritten[epoch]!++;
      now.add(heat.page[row]!);
    }
    time += table.reads[epoch]! + table.writes[epoch]!;
    table.endNs[epoch] = time;
    table.pages[epoch] = now.size;
    table.entered[epoch] = [...now].filter(page => !before.has(page)).length;
    table.left[epoch] = [...before].filter(page => !now.has(page)).length;
    before = now;
  }
  return { count: epochs, accesses: Math.ceil(time / epochs), ...table };
}
