/**
 * A run small enough to count by hand: which site touches which object on which page, how often. Everything that the
 * kernel would count follows by adding up.
 */

import type { AttributionTrace } from '../../core/attribution/attribute.js';
import { SITE_CALL, SITE_READ, SITE_WRITE } from '../../core/kernel/abi.js';
import { NONE } from '../../core/model/columns.js';
import type { ReplayOptions } from '../../core/model/profile.js';
import type { RawReplay } from '../../core/model/raw.js';
import type { SymbolFrame, SymbolsBlock } from '../../core/trace/blocks.js';

export const options: ReplayOptions = {
  machine: 'skylake',
  modes: ['native'],
  trackers: ['exact'],
  policies: ['first-touch'],
  tiers: 'dram-cxl',
  capacity: [{ percent: 20 }],
  pageSize: 4096,
  epochAccesses: 0,
  timeScale: 1,
  modeOptions: {},
  trackerOptions: {},
  hotShare: 0.8,
  coldShare: 0.01,
  pmlEntries: 512,
  kernelIntegration: false,
};

export function frame(name: string, file: string, line: number, startLine = 0, column = 0): SymbolFrame {
  return { function: name, file, line, column, startLine };
}

interface SiteSpec {
  readonly module: number;
  readonly offset: number;
  readonly kind: number;
  readonly chain: readonly SymbolFrame[];
}

const app = 0;
const library = 1;
const dot = frame('dot', '/w/vec.h', 5, 4, 12);

export const sites: readonly SiteSpec[] = [
  { module: app, offset: 0x100, kind: SITE_WRITE, chain: [frame('main', '/w/main.c', 10, 8)] },
  { module: app, offset: 0x110, kind: SITE_READ, chain: [dot, frame('shade', '/w/main.c', 20, 18)] },
  { module: app, offset: 0x120, kind: SITE_READ, chain: [dot, frame('trace', '/w/main.c', 30, 28)] },
  { module: library, offset: 0x40, kind: SITE_READ, chain: [] },
  { module: app, offset: 0x200, kind: SITE_CALL, chain: [frame('xmalloc', '/w/util.c', 7, 5)] },
  { module: app, offset: 0x210, kind: SITE_CALL, chain: [frame('parse_scene', '/w/scene.c', 42, 40)] },
  { module: app, offset: 0x214, kind: SITE_CALL, chain: [frame('parse_scene', '/w/scene.c', 42, 40)] },
  // The compiler merged code here: only the function that it was inlined into has a line.
  {
    module: app,
    offset: 0x130,
    kind: SITE_READ,
    chain: [frame('merged', '/w/main.c', 0), frame('outer', '/w/main.c', 50, 48)],
  },
  { module: NONE, offset: 0xffff, kind: SITE_WRITE, chain: [] },
  { module: app, offset: 0x220, kind: SITE_CALL, chain: [frame('main', '/w/main.c', 12, 8)] },
  {
    module: app,
    offset: 0x230,
    kind: SITE_CALL,
    chain: [frame('sample', '/w/vec.h', 9, 7), frame('render', '/w/main.c', 61, 60)],
  },
  // The same call, in another copy of the loop that it is in.
  { module: app, offset: 0x224, kind: SITE_CALL, chain: [frame('main', '/w/main.c', 12, 8)] },
  { module: library, offset: 0x10, kind: SITE_CALL, chain: [frame('__libc_start_main', '', 0)] },
];

/** Raw contexts: [parent, call site]. 1 what starts the program, 2 and 4 its calls in main, 3 a call made below. */
const contexts = [
  [0, 0],
  [0, 12],
  [1, 9],
  [2, 10],
  [1, 11],
] as const;

/** Raw objects: 0 unattributed, 1 and 2 one allocation by two pcs of a line, 3 a global, 4 the main stack, 5 untouched. */
const objects = [
  { kind: 'unattributed', stack: [], bytes: 0, blocks: 0, lines: 1 },
  { kind: 'heap', stack: [4, 5], bytes: 5000, blocks: 2, lines: 20 },
  // Freed before the last of object 1's blocks came: 5,800 bytes together at most.
  { kind: 'heap', stack: [4, 6], bytes: 1000, blocks: 1, lines: 12 },
  { kind: 'global', stack: [], bytes: 4000, blocks: 1, lines: 4, module: app, global: 0 },
  { kind: 'stack', stack: [], bytes: 8192, blocks: 1, lines: 2, thread: 0 },
  { kind: 'global', stack: [], bytes: 16, blocks: 1, lines: 0, module: app, global: 1 },
] as const;

/** [site, object, page, accesses, cache lines of traffic, context]; the site's kind says whether it reads or writes. */
export type Touch = readonly [
  site: number,
  object: number,
  page: number,
  accesses: number,
  traffic: number,
  context?: number,
];

export const touches: readonly Touch[] = [
  [0, 1, 0, 100, 3, 1],
  [0, 2, 1, 50, 1],
  [1, 1, 0, 350, 5, 2],
  [1, 1, 0, 200, 2, 3],
  [1, 1, 0, 50, 1, 4],
  [1, 3, 2, 100, 0],
  [2, 1, 0, 30, 2],
  [2, 1, 1, 20, 0],
  [3, 4, 3, 70, 1],
  [7, 3, 2, 25, 5],
  [8, 0, 3, 5, 0],
];

const PAGES = 4;

/** [object, bytes that came alive or died], in order. */
const allocations = [
  [1, 4800],
  [2, 1000],
  [2, -1000],
  [1, 200],
] as const;

function jointPeaks(groupOf: Uint32Array, groups: number): Float64Array {
  return Float64Array.from({ length: groups }, (_, group) => {
    const alive = allocations.map((_, last) =>
      allocations.slice(0, last + 1).reduce((sum, [object, bytes]) => sum + (groupOf[object] === group ? bytes : 0), 0),
    );
    return Math.max(...alive);
  });
}

export function rawReplay(list: readonly Touch[] = touches): RawReplay {
  const reads = (touch: Touch): boolean => sites[touch[0]]!.kind === SITE_READ;
  const columns = (count: number, row: (touch: Touch) => number) => {
    const table = {
      count,
      reads: new Float64Array(count),
      writes: new Float64Array(count),
      trafficReads: new Float64Array(count),
      trafficWrites: new Float64Array(count),
    };
    for (const touch of list) {
      table[reads(touch) ? 'reads' : 'writes'][row(touch)]! += touch[3];
      table[reads(touch) ? 'trafficReads' : 'trafficWrites'][row(touch)]! += touch[4];
    }
    return table;
  };
  const distinct = (touched: readonly Touch[]): number => new Set(touched.map(touch => touch[2])).size;
  const keyOf = ([site, object, , , , context = 0]: Touch) => (site * 16 + object) * 16 + context;
  const pairs = [...new Set(list.map(keyOf))];
  const whole = columns(1, () => 0);
  const pages = columns(PAGES, touch => touch[2]);
  const stacks = objects.map(object => [...object.stack]);
  return {
    totals: {
      reads: whole.reads[0]!,
      writes: whole.writes[0]!,
      trafficReads: whole.trafficReads[0]!,
      trafficWrites: whole.trafficWrites[0]!,
      pagesTouched: PAGES,
      pagesRead: distinct(list.filter(reads)),
      pagesWritten: distinct(list.filter(touch => !reads(touch))),
      modelledNs: 2e6,
      systemCalls: 3,
    },
    sites: columns(sites.length, touch => touch[0]),
    objects: {
      ...columns(objects.length, touch => touch[1]),
      kind: objects.map(object => object.kind),
      stackStart: Uint32Array.from([0, ...stacks].map((_, i) => stacks.slice(0, i).flat().length)),
      stackSites: Uint32Array.from(stacks.flat()),
      module: Uint32Array.from(objects, object => ('module' in object ? object.module : NONE)),
      global: Uint32Array.from(objects, object => ('global' in object ? object.global : NONE)),
      thread: Uint32Array.from(objects, object => ('thread' in object ? object.thread : NONE)),
      tag: objects.map(() => ''),
      name: objects.map(() => ''),
      bytes: Float64Array.from(objects, object => object.bytes),
      blocks: Float64Array.from(objects, object => object.blocks),
      pages: Float64Array.from(objects, (_, object) => distinct(list.filter(touch => touch[1] === object))),
      linesUsed: Float64Array.from(objects, object => object.lines),
    },
    pairs: {
      ...columns(pairs.length, touch => pairs.indexOf(keyOf(touch))),
      site: Uint32Array.from(pairs, pair => pair >> 8),
      object: Uint32Array.from(pairs, pair => (pair >> 4) & 15),
      context: Uint32Array.from(pairs, pair => pair & 15),
    },
    siteTimes: {
      epochsPerBin: 1,
      start: Uint32Array.of(0, 6),
      site: Uint32Array.of(0, 1, 2, 3, 7, 8),
      accesses: Float64Array.of(150, 700, 50, 70, 25, 5),
      trafficReads: Float64Array.of(0, 8, 2, 1, 5, 0),
      trafficWrites: Float64Array.of(4, 0, 0, 0, 0, 0),
    },
    regions: null,
    contexts: {
      count: contexts.length,
      parent: Uint32Array.from(contexts, ([parent]) => parent),
      site: Uint32Array.from(contexts, ([, site]) => site),
    },
    pages: {
      ...pages,
      process: new Uint32Array(PAGES),
      number: Float64Array.of(0x600, 0x601, 0x404, 0x7ff),
      linesUsed: Uint32Array.of(20, 12, 4, 3),
      object: Uint32Array.of(1, 2, 3, 4),
      hotness: new Uint8Array(PAGES),
    },
    epochs: {
      ...whole,
      accesses: 2000,
      endNs: Float64Array.of(2e6),
      pages: Float64Array.of(PAGES),
      pagesRead: Float64Array.of(4),
      pagesWritten: Float64Array.of(3),
      entered: Float64Array.of(PAGES),
      left: Float64Array.of(0),
    },
    heat: {
      epochsPerBin: 1,
      start: Float64Array.of(0, PAGES),
      page: Uint32Array.of(0, 1, 2, 3),
      reads: Uint32Array.from(pages.reads),
      writes: Uint32Array.from(pages.writes),
      trafficReads: Uint32Array.from(pages.trafficReads),
      trafficWrites: Uint32Array.from(pages.trafficWrites),
    },
    temperature: { totalPages: PAGES, frequentlyAccessedPages: 1, pmlEventsPerSecond: 1500 },
    distribution: {
      readShare: 0.845,
      writeShare: 0.155,
      workingSetAlteration: 0,
      density: 39 / 256,
      runs: 3,
      meanRunPages: 4 / 3,
      gaps: 2,
      meanGapPages: 500,
    },
    missRatio: { pages: Float64Array.of(1, 2, 4), missRatio: Float64Array.of(0.5, 0.2, 0.004) },
    translation: [
      {
        mode: 'native',
        tlbMisses: 4,
        l1TlbMisses: 9,
        walkReferences: 16,
        vmExits: { 'pml-full': 0 },
        cycles: 400,
        relayCycles: 1234.5678,
        own: {},
        overheadPercent: 1.25,
      },
    ],
    trackers: [
      {
        id: 'pml',
        pagesReported: 3,
        memoryBytes: 4096,
        precision: 1,
        recall: 0.5,
        f1: 2 / 3,
        rankCorrelation: null,
        workingSetError: 0.25,
        vmExits: 2,
        overheadPercent: 0.5,
        periods: 4,
        own: { logEntries: 17, precision: 99 },
        pageReads: null,
        pageWrites: Float64Array.of(2, 1, 0, 1),
        heat: {
          epochsPerBin: 1,
          start: Float64Array.of(0, 3),
          page: Uint32Array.of(0, 1, 3),
          reads: new Uint32Array(3),
          writes: Uint32Array.of(2, 1, 1),
        },
        warnings: [],
      },
    ],
    pageSets: {
      ofSites: wanted => distinct(list.filter(touch => wanted.includes(touch[0]))),
      ofObjects: wanted => distinct(list.filter(touch => wanted.includes(touch[1]))),
    },
    jointPeaks: (groupOf, groups) => ({ bytes: jointPeaks(groupOf, groups), exact: true }),
    warnings: ['The last-level cache still held 3 dirty lines.'],
  };
}

export const symbols: SymbolsBlock = {
  type: 'symbols',
  module: sites.filter(site => site.chain.length > 0).map(site => site.module),
  offset: sites.filter(site => site.chain.length > 0).map(site => site.offset),
  frames: sites.filter(site => site.chain.length > 0).map(site => site.chain),
  sources: [{ path: '/w/main.c', sha256: 'ab'.repeat(32) }],
};

export const trace: AttributionTrace = {
  header: {
    type: 'header',
    version: 1,
    tool: '0.1.0',
    program: '/w/raytracer',
    arguments: ['320', '240'],
    workingDirectory: '/w',
    recorder: 'instrument',
    level: 'source',
    compiler: 'gcc (Debian 12.2.0-14) 12.2.0',
    flags: '-O2 -g',
  },
  processes: [{ process: 0 }],
  threads: [
    { type: 'thread', process: 0, stream: 0, tid: 10, signal: false },
    { type: 'thread', process: 0, stream: 1, tid: 10, signal: true },
    { type: 'thread', process: 0, stream: 2, tid: 11, signal: false },
  ],
  modules: [
    {
      type: 'module',
      process: 0,
      module: app,
      path: '/w/raytracer',
      buildId: 'aa11',
      base: '4096',
      segments: [],
      globals: [
        { name: 'palette', offset: 0x4000, size: 4000, file: '/w/main.c', line: 3 },
        { name: 'unused', offset: 0x5000, size: 16, file: '/w/main.c', line: 4 },
      ],
    },
    {
      type: 'module',
      process: 0,
      module: library,
      path: '/usr/lib/libnoise.so',
      buildId: '',
      base: '8192',
      segments: [],
      globals: [],
    },
  ],
  sites: {
    count: sites.length,
    module: Uint32Array.from(sites, site => site.module),
    offset: Float64Array.from(sites, site => site.offset),
    kind: Uint16Array.from(sites, site => site.kind),
  },
  symbols,
  end: {
    type: 'end',
    exit: { status: 0 },
    complete: true,
    warnings: ['Reads of constant tables are not seen.'],
    accesses: [1000],
  },
  tool: '0.1.0',
};
