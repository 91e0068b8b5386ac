/**
 * What the kernel counted, as tables of the data model: everything of `RawReplay` that rests on counts alone.
 *
 * The kernel numbers pages in order of first touch; the tables are in order of process, then address. `rowOfPage`
 * leads from one to the other, for trackers, which know pages by their kernel numbers.
 */
import type { EpochTable, ObjectKind, PageTable, Totals } from '../model/profile.js';
import type { PageSets, RawContexts, RawObjects, RawPairs, RawReplay, RawSites } from '../model/raw.js';
import { mergedHeat, readEpochColumns, readHeatRows, readPageCounts, wide } from './heatRows.js';
import { jointPeaks } from './jointPeaks.js';
import type { Kernel } from './kernel.js';
import type { MachineCountsOfRun } from './machineHalf.js';
import { splitRegions } from './regionRows.js';
import { mergedSiteTimes, readSiteTimes } from './siteTimes.js';

export type CountedReplay = Pick<
  RawReplay,
  | 'totals'
  | 'sites'
  | 'objects'
  | 'pairs'
  | 'contexts'
  | 'siteTimes'
  | 'regions'
  | 'pages'
  | 'epochs'
  | 'heat'
  | 'missRatio'
  | 'pageSets'
  | 'jointPeaks'
> & {
  /** Row of `pages` of each page by its kernel number (order of first touch). */
  readonly rowOfPage: Uint32Array;
};

/** Most points of the miss-ratio curve. */
const CURVE_POINTS = 512;
const KINDS: readonly ObjectKind[] = ['unattributed', 'heap', 'global', 'stack', 'file', 'anonymous'];
const GLOBAL = KINDS.indexOf('global');
const STACK = KINDS.indexOf('stack');
const FILE = KINDS.indexOf('file');
const HEAP = KINDS.indexOf('heap');
const ANONYMOUS = KINDS.indexOf('anonymous');
/** By ALLOC_*: what a programmer calls it. */
const VERBS = ['malloc', 'calloc', 'realloc', 'aligned_alloc', 'new', 'mmap', 'brk'];
const NONE = 0xffff_ffff;

// Record layouts of the kernel, in 32-bit words: see the constants of the files named.
/** kernel/pages.ts */
const PAGE_WORDS = 4;
const ENTRY_WORDS = 16;
const RECORDS_PER_CHUNK = 1024;
/** kernel/pairs.ts */
const PAIR_WORDS = 8;
const PAIRS_PER_CHUNK = 4096;
/** kernel/objects.ts */
const OBJECT_WORDS = 16;

/** The tables of a finished replay. Call after `kernel.finish()`; `pageSets` goes on using the kernel. */
export function countedReplay(kernel: Kernel, machine: MachineCountsOfRun): CountedReplay {
  const { pages, rowOfPage } = readPages(kernel, machine);
  const { contexts, pairs, regions } = splitRegions(kernel, readContexts(kernel), readPairs(kernel, machine));
  const sites = sumPairs(pairs, pairs.site, kernel.exports.siteCount.value);
  const byObject = sumPairs(pairs, pairs.object, kernel.exports.objectCount.value);
  const entries = readEntries(kernel, rowOfPage, pages, byObject.count);
  const epochs = readEpochs(kernel, machine);
  const totals: Totals = {
    reads: sum(pairs.reads),
    writes: sum(pairs.writes),
    trafficReads: sum(pairs.trafficReads),
    trafficWrites: sum(pairs.trafficWrites),
    pagesTouched: pages.count,
    pagesRead: pages.reads.reduce((n, reads) => n + (reads > 0 ? 1 : 0), 0),
    pagesWritten: pages.writes.reduce((n, writes) => n + (writes > 0 ? 1 : 0), 0),
    modelledNs: machine.modelledNs,
    systemCalls: Number(kernel.exports.systemCalls.value),
  };
  return {
    totals,
    sites,
    objects: readObjects(kernel, byObject, entries),
    pairs,
    contexts,
    regions,
    siteTimes: mergedSiteTimes(readSiteTimes(kernel.exports), machine.siteTimes),
    pages,
    epochs,
    heat: mergedHeat(readHeatRows(kernel.exports), machine.heat, rowOfPage, epochs.count),
    missRatio: missRatioCurve(machine.distances, CURVE_POINTS),
    pageSets: pageSets(kernel, entries, pages.count),
    jointPeaks: jointPeaks(kernel),
    rowOfPage,
  };
}

function sum(column: Float64Array): number {
  let total = 0;
  for (const value of column) total += value;
  return total;
}

/** Calls `visit` with the words of each record, chunk by chunk; `address` gives a record's place. */
function eachRecord(
  kernel: Kernel,
  count: number,
  perChunk: number,
  words: number,
  address: (index: number) => number,
  visit: (memory: Uint32Array, at: number, index: number) => void,
): void {
  for (let first = 0; first < count; first += perChunk) {
    const length = Math.min(perChunk, count - first);
    const start = address(first);
    const memory = kernel.u32(start, length * words);
    for (let i = 0; i < length; i++) visit(memory, i * words, first + i);
  }
}

function readPages(kernel: Kernel, machine: MachineCountsOfRun): { pages: PageTable; rowOfPage: Uint32Array } {
  const { exports } = kernel;
  const count = exports.pageCount.value;
  const process = new Uint32Array(count);
  const number = new Float64Array(count);
  eachRecord(kernel, count, RECORDS_PER_CHUNK, PAGE_WORDS, exports.pageRecord, (memory, at, page) => {
    number[page] = wide(memory, at);
    process[page] = memory[at + 2];
  });
  const { first, second } = readPageCounts(exports, count);
  const order = Uint32Array.from({ length: count }, (_, page) => page);
  order.sort((a, b) => process[a] - process[b] || number[a] - number[b]);
  const rowOfPage = new Uint32Array(count);
  for (let row = 0; row < count; row++) rowOfPage[order[row]] = row;
  const sorted = (column: Float64Array): Float64Array => Float64Array.from(order, page => column[page] ?? 0);
  const pages: PageTable = {
    count,
    process: Uint32Array.from(order, page => process[page]),
    number: sorted(number),
    reads: sorted(first),
    writes: sorted(second),
    trafficReads: sorted(machine.pageFills),
    trafficWrites: sorted(machine.pageWriteBacks),
    linesUsed: new Uint32Array(count),
    object: new Uint32Array(count),
    hotness: new Uint8Array(count),
  };
  return { pages, rowOfPage };
}

function readPairs(kernel: Kernel, { pairFills, pairWriteBacks }: MachineCountsOfRun): RawPairs {
  const { exports } = kernel;
  const count = exports.pairCount.value;
  const pairs = {
    count,
    site: new Uint32Array(count),
    object: new Uint32Array(count),
    context: new Uint32Array(count),
    reads: new Float64Array(count),
    writes: new Float64Array(count),
    trafficReads: new Float64Array(count),
    trafficWrites: new Float64Array(count),
  };
  eachRecord(kernel, count, PAIRS_PER_CHUNK, PAIR_WORDS, exports.pairRecord, (memory, at, pair) => {
    const column = exports.siteWrites(memory[at + 2]) ? pairs.writes : pairs.reads;
    column[pair] = wide(memory, at);
    pairs.site[pair] = memory[at + 2];
    pairs.object[pair] = memory[at + 3];
    pairs.context[pair] = memory[at + 4];
    pairs.trafficReads[pair] = pairFills[pair] ?? 0;
    pairs.trafficWrites[pair] = pairWriteBacks[pair] ?? 0;
  });
  return pairs;
}

function readContexts(kernel: Kernel): RawContexts {
  const count = kernel.exports.contextCount.value;
  // Two words each; the empty path has none.
  const words = kernel.u32(kernel.exports.contextRecord(0), count > 1 ? 2 * count : 0);
  return {
    count,
    parent: Uint32Array.from({ length: count }, (_, context) => words[2 * context] ?? 0),
    site: Uint32Array.from({ length: count }, (_, context) => words[2 * context + 1] ?? 0),
  };
}

/** Pair counts by site or by object. */
function sumPairs(pairs: RawPairs, key: Uint32Array, count: number): RawSites {
  const of = (column: Float64Array): Float64Array => {
    const totals = new Float64Array(count);
    for (let pair = 0; pair < pairs.count; pair++) totals[key[pair]] += column[pair];
    return totals;
  };
  return {
    count,
    reads: of(pairs.reads),
    writes: of(pairs.writes),
    trafficReads: of(pairs.trafficReads),
    trafficWrites: of(pairs.trafficWrites),
  };
}

/** Which pages each object was accessed on, as rows `start[o] .. start[o + 1]` of `page`; and lines used in all. */
interface ObjectPages {
  readonly start: Uint32Array;
  /** Rows of the page table, each once an object. */
  readonly page: Uint32Array;
  readonly pages: Float64Array;
  readonly linesUsed: Float64Array;
}

/** Reads the kernel's entries (an object on 4 KiB of a page); fills `linesUsed` and `object` of the page table. */
function readEntries(kernel: Kernel, rowOfPage: Uint32Array, pages: PageTable, objects: number): ObjectPages {
  const { exports } = kernel;
  const total = exports.entryCount.value;
  const object = new Uint32Array(total);
  const row = new Uint32Array(total);
  const accesses = new Float64Array(total);
  const linesUsed = new Float64Array(objects);
  const perObject = new Uint32Array(objects + 1);
  const tile = new Uint32Array(total);
  const masks = new Uint32Array(total * 2);
  let count = 0;
  const words = new Uint32Array(exports.memory.buffer);
  eachRecord(kernel, total, RECORDS_PER_CHUNK, ENTRY_WORDS, exports.entryRecord, (memory, at) => {
    const low = memory[at + 2];
    const high = memory[at + 3];
    if (low === 0 && high === 0) return;
    object[count] = memory[at + 4];
    tile[count] = memory[at + 5];
    row[count] = rowOfPage[words[(tile[count] >>> 2) + 5] - 1];
    accesses[count] = wide(memory, at + 8) + wide(memory, at + 10);
    masks[count * 2] = low;
    masks[count * 2 + 1] = high;
    linesUsed[object[count]] += bits(low) + bits(high);
    perObject[object[count] + 1]++;
    count++;
  });

  // Lines of a page: the union over the objects of each tile. Sorting by tile brings those together.
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => row[a] - row[b] || tile[a] - tile[b] || object[a] - object[b]);
  for (let i = 0; i < count; ) {
    let low = 0;
    let high = 0;
    const at = tile[order[i]];
    const page = row[order[i]];
    for (; i < count && tile[order[i]] === at; i++) {
      low |= masks[order[i] * 2];
      high |= masks[order[i] * 2 + 1];
    }
    pages.linesUsed[page] += bits(low) + bits(high);
  }

  // Pages of an object, and the object with most of a page's accesses (the lowest number of equals).
  for (let o = 0; o < objects; o++) perObject[o + 1] += perObject[o];
  const next = perObject.slice();
  const place = new Uint32Array(count);
  const weight = new Float64Array(count);
  // In order of page, so that an object's tiles of one page follow each other.
  for (const i of order) {
    const slot = next[object[i]];
    const first = perObject[object[i]];
    if (slot > first && place[slot - 1] === row[i]) weight[slot - 1] += accesses[i];
    else {
      place[slot] = row[i];
      weight[slot] = accesses[i];
      next[object[i]]++;
    }
  }
  const most = new Float64Array(pages.count).fill(-1);
  const start = new Uint32Array(objects + 1);
  const page = new Uint32Array(count);
  const distinct = new Float64Array(objects);
  let filled = 0;
  for (let o = 0; o < objects; o++) {
    start[o] = filled;
    for (let slot = perObject[o]; slot < next[o]; slot++) {
      page[filled++] = place[slot];
      if (weight[slot] > most[place[slot]]) {
        most[place[slot]] = weight[slot];
        pages.object[place[slot]] = o;
      }
    }
    distinct[o] = filled - start[o];
  }
  start[objects] = filled;
  return { start, page: page.slice(0, filled), pages: distinct, linesUsed };
}

function bits(word: number): number {
  let v = word - ((word >>> 1) & 0x5555_5555);
  v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

function readObjects(kernel: Kernel, counts: RawSites, entries: ObjectPages): RawObjects {
  const { exports } = kernel;
  const { count } = counts;
  const memory = new Uint32Array(exports.memory.buffer);
  const kind: ObjectKind[] = [];
  const stackStart = new Uint32Array(count + 1);
  const stackSites: number[] = [];
  const module = new Uint32Array(count).fill(NONE);
  const global = new Uint32Array(count).fill(NONE);
  const thread = new Uint32Array(count).fill(NONE);
  const name: string[] = [];
  const tag: string[] = [];
  const bytes = new Float64Array(count);
  const blocks = new Float64Array(count);
  const first = exports.objectRecord(0) >>> 2;
  /** Bytes of the globals that have rows of their own, by module. */
  const named = new Map<number, number>();
  for (let o = 0; o < count; o++) {
    const at = first + o * OBJECT_WORDS;
    const [code, a, b, length, stack] = memory.subarray(at, at + 5);
    kind.push(KINDS[code]);
    for (let i = 0; i < length; i++) stackSites.push(memory[(stack >>> 2) + i]);
    stackStart[o + 1] = stackSites.length;
    bytes[o] = wide(memory, at + 8);
    blocks[o] = wide(memory, at + 10);
    if (code === GLOBAL) {
      module[o] = a;
      global[o] = b;
      if (b !== NONE) named.set(a, (named.get(a) ?? 0) + bytes[o]);
    } else if (code === STACK) thread[o] = a;
    const names = code === FILE ? kernel.fileNames : code === HEAP || code === ANONYMOUS ? VERBS : [];
    name.push(names[a] ?? '');
    // Of these the second key is a tag's name.
    tag.push((code === HEAP || code === ANONYMOUS || code === FILE ? kernel.markNames[b] : undefined) ?? '');
  }
  // A module's own row is what its named globals leave of the image.
  for (let o = 0; o < count; o++)
    if (kind[o] === 'global' && global[o] === NONE) bytes[o] = Math.max(0, bytes[o] - (named.get(module[o]) ?? 0));
  return {
    count,
    kind,
    stackStart,
    stackSites: Uint32Array.from(stackSites),
    module,
    global,
    thread,
    name,
    tag,
    bytes,
    blocks,
    reads: counts.reads,
    writes: counts.writes,
    trafficReads: counts.trafficReads,
    trafficWrites: counts.trafficWrites,
    pages: entries.pages,
    linesUsed: entries.linesUsed,
  };
}

function readEpochs({ exports }: Kernel, machine: MachineCountsOfRun): EpochTable {
  const { count, first, second, pages, pagesFirst, pagesSecond, entered } = readEpochColumns(exports);
  // What was there and did not stay: stayed = pages - entered.
  const left = pages.map((_, epoch) => (epoch > 0 ? pages[epoch - 1] - (pages[epoch] - entered[epoch]) : 0));
  return {
    count,
    accesses: Number(exports.epochLength.value),
    reads: first,
    writes: second,
    trafficReads: machine.epochs.first,
    trafficWrites: machine.epochs.second,
    endNs: machine.epochs.endNs,
    pages,
    pagesRead: pagesFirst,
    pagesWritten: pagesSecond,
    entered,
    left,
  };
}

/**
 * Miss ratio of a fully associative LRU memory of c pages, MR(c) = (first accesses + those with distance > c) / all
 * (mechanisms.md E.5), exact at each of at most `points` sizes: all small ones, then in geometric steps, to the size
 * from which only first accesses miss.
 */
export function missRatioCurve(
  histogram: Float64Array,
  points: number,
): { pages: Float64Array; missRatio: Float64Array } {
  const all = sum(histogram);
  if (all === 0) return { pages: new Float64Array(), missRatio: new Float64Array() };
  const largest = Math.max(1, histogram.length - 1);
  const sizes: number[] = [];
  for (let size = 1; size < largest; ) {
    sizes.push(size);
    // The rest of the way in equal ratios over the points that are left, at least one page a step.
    const left = points - 1 - sizes.length;
    const step = left > 0 ? size * (largest / size) ** (1 / (left + 1)) : largest;
    size = Math.max(size + 1, Math.floor(step));
  }
  sizes.push(largest);
  const missRatio = new Float64Array(sizes.length);
  let hits = 0;
  let distance = 0;
  for (const [i, size] of sizes.entries()) {
    while (distance < size) hits += histogram[++distance] ?? 0;
    missRatio[i] = (all - hits) / all;
  }
  return { pages: Float64Array.from(sizes), missRatio };
}

function pageSets(kernel: Kernel, entries: ObjectPages, pages: number): PageSets {
  const seen = new Uint32Array(pages);
  let query = 0;
  return {
    ofSites(sites) {
      for (const site of sites) kernel.exports.unionAdd(site);
      return kernel.exports.unionTake();
    },
    ofObjects(objects) {
      query++;
      let distinct = 0;
      for (const object of objects) {
        for (let i = entries.start[object]; i < entries.start[object + 1]; i++) {
          if (seen[entries.page[i]] === query) continue;
          seen[entries.page[i]] = query;
          distinct++;
        }
      }
      return distinct;
    },
  };
}
