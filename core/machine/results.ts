/**
 * What the kernel counted, as tables of the data model: everything of `RawReplay` that rests on counts alone.
 *
 * The kernel numbers pages in order of first touch; the tables are in order of process, then address. `rowOfPage`
 * leads from one to the other, for trackers, which know pages by their kernel numbers.
 */
import type { EpochTable, HeatTable, ObjectKind, PageTable, Totals } from '../model/profile.js';
import type { PageSets, RawObjects, RawPairs, RawReplay, RawSites } from '../model/raw.js';
import { jointPeaks } from './jointPeaks.js';
import type { Kernel } from './kernel.js';

export type CountedReplay = Pick<
  RawReplay,
  'totals' | 'sites' | 'objects' | 'pairs' | 'pages' | 'epochs' | 'heat' | 'missRatio' | 'pageSets' | 'jointPeaks'
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
const PAGE_WORDS = 16;
const ENTRY_WORDS = 16;
const RECORDS_PER_CHUNK = 1024;
/** kernel/pairs.ts */
const PAIR_WORDS = 8;
const PAIRS_PER_CHUNK = 4096;
/** kernel/objects.ts */
const OBJECT_WORDS = 16;
/** kernel/heat.ts */
const EPOCH_WORDS = 20;
const ROW_WORDS = 5;
const ROWS_PER_CHUNK = 16384;
const TRAFFIC_ONLY = 0x8000_0000;

/** The tables of a finished replay. Call after `kernel.finish()`; `pageSets` goes on using the kernel. */
export function countedReplay(kernel: Kernel): CountedReplay {
  const { pages, rowOfPage } = readPages(kernel);
  const pairs = readPairs(kernel);
  const sites = sumPairs(pairs, pairs.site, kernel.exports.siteCount.value);
  const byObject = sumPairs(pairs, pairs.object, kernel.exports.objectCount.value);
  const entries = readEntries(kernel, rowOfPage, pages, byObject.count);
  const epochs = readEpochs(kernel);
  const totals: Totals = {
    reads: sum(pairs.reads),
    writes: sum(pairs.writes),
    trafficReads: sum(pairs.trafficReads),
    trafficWrites: sum(pairs.trafficWrites),
    pagesTouched: pages.count,
    pagesRead: pages.reads.reduce((n, reads) => n + (reads > 0 ? 1 : 0), 0),
    pagesWritten: pages.writes.reduce((n, writes) => n + (writes > 0 ? 1 : 0), 0),
    modelledNs: kernel.exports.modelledNs(),
    systemCalls: Number(kernel.exports.systemCalls.value),
  };
  return {
    totals,
    sites,
    objects: readObjects(kernel, byObject, entries),
    pairs,
    pages,
    epochs,
    heat: readHeat(kernel, rowOfPage),
    missRatio: missRatioCurve(distances(kernel), CURVE_POINTS),
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

/** A u64 of two words; counts stay below 2^53. */
function wide(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 0x1_0000_0000;
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

function readPages(kernel: Kernel): { pages: PageTable; rowOfPage: Uint32Array } {
  const { exports } = kernel;
  const count = exports.pageCount.value;
  const process = new Uint32Array(count);
  const number = new Float64Array(count);
  const columns = [0, 1, 2, 3].map(() => new Float64Array(count));
  eachRecord(kernel, count, RECORDS_PER_CHUNK, PAGE_WORDS, exports.pageRecord, (memory, at, page) => {
    number[page] = wide(memory, at);
    process[page] = memory[at + 2];
    for (let c = 0; c < 4; c++) columns[c][page] = wide(memory, at + 8 + c * 2);
  });
  const order = Uint32Array.from({ length: count }, (_, page) => page);
  order.sort((a, b) => process[a] - process[b] || number[a] - number[b]);
  const rowOfPage = new Uint32Array(count);
  for (let row = 0; row < count; row++) rowOfPage[order[row]] = row;
  const sorted = (column: Float64Array): Float64Array => Float64Array.from(order, page => column[page]);
  const pages: PageTable = {
    count,
    process: Uint32Array.from(order, page => process[page]),
    number: sorted(number),
    reads: sorted(columns[0]),
    writes: sorted(columns[1]),
    trafficReads: sorted(columns[2]),
    trafficWrites: sorted(columns[3]),
    linesUsed: new Uint32Array(count),
    object: new Uint32Array(count),
    hotness: new Uint8Array(count),
  };
  return { pages, rowOfPage };
}

function readPairs(kernel: Kernel): RawPairs {
  const { exports } = kernel;
  const count = exports.pairCount.value;
  const pairs = {
    count,
    site: new Uint32Array(count),
    object: new Uint32Array(count),
    reads: new Float64Array(count),
    writes: new Float64Array(count),
    trafficReads: new Float64Array(count),
    trafficWrites: new Float64Array(count),
  };
  eachRecord(kernel, count, PAIRS_PER_CHUNK, PAIR_WORDS, exports.pairRecord, (memory, at, pair) => {
    const column = exports.siteWrites(memory[at + 6]) ? pairs.writes : pairs.reads;
    column[pair] = wide(memory, at);
    pairs.trafficReads[pair] = wide(memory, at + 2);
    pairs.trafficWrites[pair] = wide(memory, at + 4);
    pairs.site[pair] = memory[at + 6];
    pairs.object[pair] = memory[at + 7];
  });
  return pairs;
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

function readEpochs(kernel: Kernel): EpochTable {
  const { exports } = kernel;
  const count = exports.epochCount.value;
  const columns = Array.from({ length: 8 }, () => new Float64Array(count));
  const endNs = new Float64Array(count);
  const left = new Float64Array(count);
  const words = count > 0 ? kernel.u32(exports.epochRecord(0), count * EPOCH_WORDS) : new Uint32Array();
  const times = count > 0 ? kernel.f64(exports.epochRecord(0), (count * EPOCH_WORDS) / 2) : new Float64Array();
  // Words 8 and 9 hold the time.
  const fields = [0, 2, 4, 6, 10, 12, 14, 16];
  for (let epoch = 0; epoch < count; epoch++) {
    for (const [c, field] of fields.entries()) columns[c][epoch] = wide(words, epoch * EPOCH_WORDS + field);
    endNs[epoch] = times[(epoch * EPOCH_WORDS + 8) / 2];
  }
  const [reads, writes, trafficReads, trafficWrites, pages, pagesRead, pagesWritten, entered] = columns;
  // What was there and did not stay: stayed = pages - entered.
  for (let epoch = 1; epoch < count; epoch++) left[epoch] = pages[epoch - 1] - (pages[epoch] - entered[epoch]);
  return {
    count,
    accesses: Number(exports.epochLength.value),
    reads,
    writes,
    trafficReads,
    trafficWrites,
    endNs,
    pages,
    pagesRead,
    pagesWritten,
    entered,
    left,
  };
}

/**
 * Rows by bin, then page. A row without accesses is a page that only straddles, the kernel or a write-back of an
 * earlier epoch's line reached. Counts saturate at 2^32 - 1.
 */
function readHeat(kernel: Kernel, rowOfPage: Uint32Array): HeatTable {
  const { exports } = kernel;
  const count = exports.rowCount.value;
  const epochs = exports.epochCount.value;
  const epochsPerBin = exports.epochsPerBin.value;
  const bins = Math.ceil(epochs / epochsPerBin);
  const start = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++)
    start[bin] = wide(kernel.u32(exports.epochRecord(bin * epochsPerBin), EPOCH_WORDS), 18);
  start[bins] = count;

  // 1. Rows by page (counting sort, keeps the order of bins).
  const pages = rowOfPage.length;
  const next = new Uint32Array(pages + 1);
  const eachRow = (visit: (memory: Uint32Array, at: number, row: number) => void): void =>
    eachRecord(kernel, count, ROWS_PER_CHUNK, ROW_WORDS, exports.heatRow, visit);
  eachRow((memory, at) => {
    next[rowOfPage[(memory[at] & ~TRAFFIC_ONLY) >>> 0] + 1]++;
  });
  for (let p = 0; p < pages; p++) next[p + 1] += next[p];
  const byPage = new Uint32Array(count);
  const binOf = new Uint32Array(count);
  let bin = 0;
  eachRow((memory, at, row) => {
    while (row >= start[bin + 1]) bin++;
    binOf[row] = bin;
    byPage[next[rowOfPage[(memory[at] & ~TRAFFIC_ONLY) >>> 0]]++] = row;
  });
  // 2. Dealt out to their bins in that order. `to` says where each row goes.
  const cursor = Float64Array.from(start);
  const to = binOf;
  for (const row of byPage) to[row] = cursor[binOf[row]]++;
  const heat = {
    epochsPerBin,
    start,
    page: new Uint32Array(count),
    reads: new Uint32Array(count),
    writes: new Uint32Array(count),
    trafficReads: new Uint32Array(count),
    trafficWrites: new Uint32Array(count),
  };
  eachRow((memory, at, row) => {
    const place = to[row];
    heat.page[place] = rowOfPage[(memory[at] & ~TRAFFIC_ONLY) >>> 0];
    heat.reads[place] = memory[at + 1];
    heat.writes[place] = memory[at + 2];
    heat.trafficReads[place] = memory[at + 3];
    heat.trafficWrites[place] = memory[at + 4];
  });
  return heat;
}

/** Accesses by LRU stack distance in pages, 1-based; index 0: first accesses of a page, whose distance is infinite. */
export function distances(kernel: Kernel): Float64Array {
  const { exports } = kernel;
  const length = exports.histogram.value ? exports.distinct.value + 1 : 1;
  const words = exports.histogram.value ? kernel.u32(exports.histogram.value, length * 2) : new Uint32Array(2);
  return Float64Array.from({ length }, (_, distance) => wide(words, distance * 2));
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
