/**
 * A whole profile from a short description, for tests of what reads profiles (server, views).
 *
 * The description says which line of which function does how much to which object; everything else follows from it by
 * sharing each object's accesses evenly over its pages and the run's epochs, so that all tables conserve the totals.
 */
import { NONE } from '../../core/model/columns.js';
import type { ObjectKind, Profile } from '../../core/model/profile.js';

export interface LineSpec {
  readonly line: number;
  readonly function: string;
  /** Name of one of the objects. */
  readonly object: string;
  readonly reads?: number;
  readonly writes?: number;
  readonly trafficReads?: number;
  readonly trafficWrites?: number;
  readonly hotness?: 0 | 1 | 2;
}

export interface ObjectSpec {
  readonly name: string;
  readonly kind?: ObjectKind;
  /** 1-based line of the allocation in the file; 0: unknown. */
  readonly line?: number;
  readonly pages: number;
  /** First page number. */
  readonly page: number;
  readonly process?: number;
  readonly tier?: number;
  readonly hotness?: 0 | 1 | 2;
  readonly stack?: readonly string[];
}

export interface ProfileSpec {
  readonly file: string;
  readonly sha256: string;
  /** Name and first line. */
  readonly functions: Readonly<Record<string, number>>;
  /** Any order. */
  readonly lines: readonly LineSpec[];
  readonly objects: readonly ObjectSpec[];
  readonly epochs?: number;
  readonly epochsPerBin?: number;
}

export const tierNames = ['HBM', 'DRAM', 'CXL'];

export function profileOf(spec: ProfileSpec): Profile {
  const epochs = spec.epochs ?? 4;
  const epochsPerBin = spec.epochsPerBin ?? 1;
  const sum = <T>(items: readonly T[], value: (item: T) => number) => items.reduce((s, item) => s + value(item), 0);
  const accesses = (line: LineSpec) => (line.reads ?? 0) + (line.writes ?? 0);
  const traffic = (lines: readonly LineSpec[]) => ({
    trafficReads: sum(lines, line => line.trafficReads ?? 0),
    trafficWrites: sum(lines, line => line.trafficWrites ?? 0),
  });
  const counted = (lines: readonly LineSpec[]) => ({
    reads: sum(lines, line => line.reads ?? 0),
    writes: sum(lines, line => line.writes ?? 0),
    ...traffic(lines),
  });
  const columns = (groups: readonly (readonly LineSpec[])[], pages: (row: number) => number) => ({
    count: groups.length,
    reads: Float64Array.from(groups, g => counted(g).reads),
    writes: Float64Array.from(groups, g => counted(g).writes),
    pages: Float64Array.from(groups, (_, row) => pages(row)),
    trafficReads: Float64Array.from(groups, g => counted(g).trafficReads),
    trafficWrites: Float64Array.from(groups, g => counted(g).trafficWrites),
  });
  const pagesNamed = new Map<string, number>();
  for (const { name, pages } of spec.objects) pagesNamed.set(name, (pagesNamed.get(name) ?? 0) + pages);
  const pagesOf = (lines: readonly LineSpec[]) =>
    sum([...new Set(lines.map(line => line.object))], name => pagesNamed.get(name) ?? 0);
  const hotter = (lines: readonly LineSpec[]) => Math.min(2, ...lines.map(line => line.hotness ?? 1));
  const byAccesses = <T>(items: readonly T[], lines: (item: T) => readonly LineSpec[]) =>
    items.toSorted((a, b) => sum(lines(b), accesses) - sum(lines(a), accesses));

  // A site for each described line and object; a line may stand there several times.
  const lineNumbers = [...new Set(spec.lines.map(line => line.line))];
  const linesBy = <K>(key: (line: LineSpec) => K) => {
    const groups = new Map<K, LineSpec[]>();
    for (const line of spec.lines) {
      const group = groups.get(key(line));
      if (group) group.push(line);
      else groups.set(key(line), [line]);
    }
    return (value: K): readonly LineSpec[] => groups.get(value) ?? [];
  };
  const sitesOfLine = linesBy(line => line.line);
  const ofFunction = linesBy(line => line.function);
  const ofObject = linesBy(line => line.object);
  const lines = byAccesses(lineNumbers, sitesOfLine);
  const functionNames = byAccesses(Object.keys(spec.functions), ofFunction);
  const objects = byAccesses(spec.objects, object => ofObject(object.name));
  const rowOfLine = new Map(lines.map((line, row) => [line, row]));
  // The first of several that share a name.
  const rowOfObject = new Map(objects.map(({ name }, row) => [name, row] as const).reverse());
  const all = counted(spec.lines);
  const modelledNs = 1e6 * epochs;

  const pages = objects
    .flatMap((object, row) =>
      Array.from({ length: object.pages }, (_, i) => ({ object, row, i, number: object.page + i })),
    )
    .sort((a, b) => (a.object.process ?? 0) - (b.object.process ?? 0) || a.number - b.number);
  // Whole accesses, evenly: the first pages (and epochs) take one more where it does not divide.
  const part = (total: number, parts: number, i: number) => Math.floor(total / parts) + (i < total % parts ? 1 : 0);
  const pageCounts = (key: 'reads' | 'writes' | 'trafficReads' | 'trafficWrites') =>
    Float64Array.from(pages, ({ object, i }) => part(counted(ofObject(object.name))[key], object.pages, i));
  const perPage = {
    reads: pageCounts('reads'),
    writes: pageCounts('writes'),
    trafficReads: pageCounts('trafficReads'),
    trafficWrites: pageCounts('trafficWrites'),
  };

  const bins = Math.ceil(epochs / epochsPerBin);
  const heat = Array.from({ length: bins }, (_, bin) =>
    pages.map((_, page) => ({
      page,
      reads: part(perPage.reads[page], bins, bin),
      writes: part(perPage.writes[page], bins, bin),
      trafficReads: part(perPage.trafficReads[page], bins, bin),
      trafficWrites: part(perPage.trafficWrites[page], bins, bin),
    })),
  );
  const flat = heat.flat();
  const epochSum = (key: 'reads' | 'writes' | 'trafficReads' | 'trafficWrites') =>
    Float64Array.from({ length: epochs }, (_, epoch) => part(all[key], epochs, epoch));

  return {
    schema: 'pagelens-profile/1',
    tool: { version: '0.0.0-test' },
    program: {
      path: '/test/bin/prog',
      arguments: ['64'],
      workingDirectory: '/test',
      recorder: 'instrument',
      level: 'source',
      compiler: 'gcc (test) 12.2.0',
      flags: '-O2 -g',
      exit: { status: 0 },
      complete: true,
      processes: 1,
      threads: 1,
    },
    options: {
      machine: 'test',
      modes: ['native'],
      trackers: ['exact'],
      policies: ['first-touch', 'static-optimal'],
      tiers: 'hbm-dram-cxl',
      capacity: [],
      pageSize: 4096,
      epochAccesses: 0,
      timeScale: 1,
      modeOptions: {},
      trackerOptions: {},
      hotShare: 0.8,
      coldShare: 0.01,
      pmlEntries: 512,
      kernelIntegration: false,
    },
    totals: {
      ...all,
      pagesTouched: pages.length,
      pagesRead: perPage.reads.filter(Boolean).length,
      pagesWritten: perPage.writes.filter(Boolean).length,
      modelledNs,
      systemCalls: 3,
    },
    files: [{ path: spec.file, sha256: spec.sha256 }],
    modules: [{ path: '/test/bin/prog', buildId: 'abcd' }],
    functions: {
      ...columns(functionNames.map(ofFunction), row => pagesOf(ofFunction(functionNames[row]))),
      name: functionNames,
      file: new Uint32Array(functionNames.length),
      startLine: Uint32Array.from(functionNames, name => spec.functions[name]),
      hotness: Uint8Array.from(functionNames, name => hotter(ofFunction(name))),
      perPagePerSecond: new Float64Array(functionNames.length).fill(1e6),
    },
    lines: {
      ...columns(lines.map(sitesOfLine), row => pagesOf(sitesOfLine(lines[row]))),
      file: new Uint32Array(lines.length),
      line: Uint32Array.from(lines),
      function: Uint32Array.from(lines, line => functionNames.indexOf(sitesOfLine(line)[0].function)),
      hotness: Uint8Array.from(lines, line => hotter(sitesOfLine(line))),
      perPagePerSecond: new Float64Array(lines.length).fill(2e6),
    },
    sites: {
      ...columns(
        spec.lines.map(line => [line]),
        row => pagesOf([spec.lines[row]]),
      ),
      module: new Uint32Array(spec.lines.length),
      offset: Float64Array.from(spec.lines.keys(), i => 0x1000 + 4 * i),
      line: Uint32Array.from(spec.lines, line => rowOfLine.get(line.line)!),
      column: new Uint32Array(spec.lines.length),
      // Nothing is inlined: each chain is the function itself.
      inlineStart: Uint32Array.from({ length: spec.lines.length + 1 }, (_, site) => site),
      inlineFunction: Uint32Array.from(spec.lines, line => functionNames.indexOf(line.function)),
      inlineLine: Uint32Array.from(spec.lines, line => line.line),
      inlineFile: new Uint32Array(spec.lines.length),
    },
    objects: {
      ...columns(
        objects.map(object => ofObject(object.name)),
        row => objects[row].pages,
      ),
      kind: objects.map(object => object.kind ?? 'heap'),
      name: objects.map(object => object.name),
      file: Uint32Array.from(objects, object => (object.line ? 0 : NONE)),
      line: Uint32Array.from(objects, object => object.line ?? 0),
      stack: objects.map(object => object.stack ?? []),
      bytes: Float64Array.from(objects, object => object.pages * 4096),
      blocks: new Float64Array(objects.length).fill(1),
      density: new Float64Array(objects.length).fill(0.5),
      hotness: Uint8Array.from(objects, object => object.hotness ?? 1),
      perPagePerSecond: new Float64Array(objects.length).fill(1e6),
      tier: Uint8Array.from(objects, object => object.tier ?? 0),
      touchedBytes: Float64Array.from(objects, object => object.pages * 4096),
    },
    pairs: {
      count: spec.lines.length,
      site: Uint32Array.from(spec.lines.keys()),
      object: Uint32Array.from(spec.lines, line => rowOfObject.get(line.object) ?? -1),
      reads: Float64Array.from(spec.lines, line => line.reads ?? 0),
      writes: Float64Array.from(spec.lines, line => line.writes ?? 0),
      trafficReads: Float64Array.from(spec.lines, line => line.trafficReads ?? 0),
      trafficWrites: Float64Array.from(spec.lines, line => line.trafficWrites ?? 0),
    },
    pages: {
      count: pages.length,
      process: Uint32Array.from(pages, ({ object }) => object.process ?? 0),
      number: Float64Array.from(pages, ({ number }) => number),
      ...perPage,
      linesUsed: new Uint32Array(pages.length).fill(32),
      object: Uint32Array.from(pages, ({ row }) => row),
      hotness: Uint8Array.from(pages, ({ object }) => object.hotness ?? 1),
    },
    epochs: {
      count: epochs,
      accesses: Math.ceil((all.reads + all.writes) / epochs),
      reads: epochSum('reads'),
      writes: epochSum('writes'),
      trafficReads: epochSum('trafficReads'),
      trafficWrites: epochSum('trafficWrites'),
      endNs: Float64Array.from({ length: epochs }, (_, epoch) => (epoch + 1) * 1e6),
      pages: Float64Array.from({ length: epochs }, (_, epoch) => epoch + 1),
      pagesRead: Float64Array.from({ length: epochs }, (_, epoch) => epoch),
      pagesWritten: new Float64Array(epochs).fill(1),
      entered: new Float64Array(epochs).fill(1),
      left: new Float64Array(epochs),
    },
    heat: {
      epochsPerBin,
      start: Float64Array.from({ length: bins + 1 }, (_, bin) => bin * pages.length),
      page: Uint32Array.from(flat, row => row.page),
      reads: Uint32Array.from(flat, row => row.reads),
      writes: Uint32Array.from(flat, row => row.writes),
      trafficReads: Uint32Array.from(flat, row => row.trafficReads),
      trafficWrites: Uint32Array.from(flat, row => row.trafficWrites),
    },
    temperature: { totalPages: pages.length, frequentlyAccessedPages: 1, pmlEventsPerSecond: 5 },
    distribution: {
      readShare: all.reads / (all.reads + all.writes),
      writeShare: all.writes / (all.reads + all.writes),
      workingSetAlteration: 0.1,
      density: 0.5,
      runs: objects.length,
      meanRunPages: pages.length / objects.length,
      gaps: 0,
      meanGapPages: 0,
    },
    missRatio: {
      metric: 'LRU stack distance, pages',
      pages: Float64Array.of(1, 2, 4),
      missRatio: Float64Array.of(0.5, 0.25, 0.1),
    },
    translation: [],
    trackers: [],
    placement: {
      tiers: tierNames.map((name, i) => ({
        id: name.toLowerCase(),
        name,
        capacityBytes: 2 ** (20 + i),
        readLatencyNs: 80 * (i + 1),
        writeLatencyNs: 90 * (i + 1),
        readBandwidthGBps: 100 / (i + 1),
        writeBandwidthGBps: 90 / (i + 1),
        relativeCostPerGB: 3 - i,
      })),
      policies: [
        policyOf(
          'static-optimal',
          1.2,
          objects.map(object => object.tier ?? 0),
        ),
        policyOf(
          'first-touch',
          1.7,
          objects.map(() => 1),
        ),
      ],
      oracle: policyOf(
        'oracle',
        1.1,
        objects.map(() => 255),
      ),
      recommended: 'static-optimal',
      assumptions: ['one access at a time'],
    },
    unattributed: { reads: 0, writes: 0, why: [] },
    warnings: [],
  };
}

function policyOf(id: string, slowdown: number, tiers: readonly number[]) {
  return {
    id,
    modelledSlowdown: slowdown,
    modelledSlowdownRange: [slowdown - 0.1, slowdown + 0.1] as const,
    fastTierHitRatio: 0.9,
    migratedPages: 0,
    tierOfObject: Uint8Array.from(tiers),
    bytesInTier: new Float64Array(tierNames.length),
  };
}
