/**
 * Epochs and heat of one half of the kernel (kernel/heat.ts): two counters a page and epoch, which are reads and writes
 * in the counting half, fills and write-backs in the machine half.
 */
import type { HeatTable } from '../model/profile.js';

export interface HeatExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly epochCount: { readonly value: number };
  readonly epochsPerBin: { readonly value: number };
  epochRecord(epoch: number): number;
  readonly rowCount: { readonly value: number };
  heatRow(row: number): number;
  pageCounts(): number;
}

/** Sums of the two counters in each epoch, and the working sets of whoever touches pages. */
export interface EpochColumns {
  readonly count: number;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly endNs: Float64Array;
  readonly pages: Float64Array;
  readonly pagesFirst: Float64Array;
  readonly pagesSecond: Float64Array;
  readonly entered: Float64Array;
}

/** Rows `start[b] .. start[b + 1]` are of bin b; pages by kernel number, each once a bin, in no order. */
export interface HeatRows {
  readonly epochsPerBin: number;
  readonly start: Float64Array;
  readonly page: Uint32Array;
  readonly first: Uint32Array;
  readonly second: Uint32Array;
}

// Layouts of kernel/heat.ts, in words.
const EPOCH_WORDS = 16;
const EPOCH_ROW = 14;
const ROW_WORDS = 3;
const ROWS_PER_CHUNK = 16384;
const PAGE_WORDS = 8;
const PAGE_TOTALS = 4;

/** Rows of a profile's heat at most, unless its epochs are all in one bin. */
const HEAT_ROWS_MAX = 6_000_000;

export function readEpochColumns(exports: HeatExports): EpochColumns {
  const count = exports.epochCount.value;
  const start = count > 0 ? exports.epochRecord(0) : 0;
  const words = new Uint32Array(exports.memory.buffer, start, count * EPOCH_WORDS);
  const times = new Float64Array(exports.memory.buffer, start, (count * EPOCH_WORDS) / 2);
  const column = (word: number) => Float64Array.from({ length: count }, (_, i) => wide(words, i * EPOCH_WORDS + word));
  return {
    count,
    first: column(0),
    second: column(2),
    endNs: Float64Array.from({ length: count }, (_, i) => times[(i * EPOCH_WORDS) / 2 + 2]),
    pages: column(6),
    pagesFirst: column(8),
    pagesSecond: column(10),
    entered: column(12),
  };
}

export function readHeatRows(exports: HeatExports): HeatRows {
  const count = exports.rowCount.value;
  const epochsPerBin = exports.epochsPerBin.value;
  const bins = Math.ceil(exports.epochCount.value / epochsPerBin);
  const { buffer } = exports.memory;
  const start = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    start[bin] = wide(new Uint32Array(buffer, exports.epochRecord(bin * epochsPerBin), EPOCH_WORDS), EPOCH_ROW);
  }
  start[bins] = count;
  const page = new Uint32Array(count);
  const first = new Uint32Array(count);
  const second = new Uint32Array(count);
  for (let chunk = 0; chunk < count; chunk += ROWS_PER_CHUNK) {
    const rows = Math.min(ROWS_PER_CHUNK, count - chunk);
    const words = new Uint32Array(buffer, exports.heatRow(chunk), rows * ROW_WORDS);
    for (let i = 0, at = 0; i < rows; i++, at += ROW_WORDS) {
      page[chunk + i] = words[at];
      first[chunk + i] = words[at + 1];
      second[chunk + i] = words[at + 2];
    }
  }
  return { epochsPerBin, start, page, first, second };
}

/** The two counters of each of the first `pages` pages, over the whole run. */
export function readPageCounts(exports: HeatExports, pages: number): { first: Float64Array; second: Float64Array } {
  const words = new Uint32Array(exports.memory.buffer, exports.pageCounts(), pages * PAGE_WORDS);
  const first = new Float64Array(pages);
  const second = new Float64Array(pages);
  for (let page = 0, at = PAGE_TOTALS; page < pages; page++, at += PAGE_WORDS) {
    first[page] = wide(words, at);
    second[page] = wide(words, at + 2);
  }
  return { first, second };
}

/**
 * The heat of a profile from that of both halves. A row without accesses is a page that only straddles, the kernel, or
 * a write-back of an earlier epoch's line reached.
 *
 * @param rowOfPage row of the page table for each kernel page number
 */
export function mergedHeat(counted: HeatRows, traffic: HeatRows, rowOfPage: Uint32Array, epochs: number): HeatTable {
  let epochsPerBin = Math.max(counted.epochsPerBin, traffic.epochsPerBin);
  const parts = [counted, traffic];
  const order = byPage(parts, rowOfPage);
  for (;;) {
    const bins = parts.map(part => binOfRow(part, epochsPerBin));
    const start = countRows(parts, bins, order, rowOfPage, Math.ceil(epochs / epochsPerBin));
    const rows = start[start.length - 1];
    if (rows <= HEAT_ROWS_MAX || epochsPerBin >= epochs)
      return deal(parts, bins, order, rowOfPage, start, epochsPerBin);
    epochsPerBin *= 2;
  }
}

/** Rows of both parts in ascending order of page, those of a page in order of time; the second part's begin at `count`. */
function byPage(parts: readonly HeatRows[], rowOfPage: Uint32Array): Uint32Array {
  const next = new Uint32Array(rowOfPage.length + 1);
  for (const { page } of parts) for (let row = 0; row < page.length; row++) next[rowOfPage[page[row]] + 1]++;
  for (let page = 0; page < rowOfPage.length; page++) next[page + 1] += next[page];
  const order = new Uint32Array(parts[0].page.length + parts[1].page.length);
  let index = 0;
  for (const { page } of parts)
    for (let row = 0; row < page.length; row++) order[next[rowOfPage[page[row]]]++] = index++;
  return order;
}

/** The bin of `epochsPerBin` epochs, a multiple of the part's own, in which each row lies. */
function binOfRow(part: HeatRows, epochsPerBin: number): Uint32Array {
  const ratio = epochsPerBin / part.epochsPerBin;
  const bins = new Uint32Array(part.page.length);
  for (let bin = 0; bin + 1 < part.start.length; bin++) {
    bins.fill(Math.floor(bin / ratio), part.start[bin], part.start[bin + 1]);
  }
  return bins;
}

/** Where each bin's rows start once rows of one page and bin are one. */
function countRows(
  [a, b]: readonly HeatRows[],
  [binsA, binsB]: readonly Uint32Array[],
  order: Uint32Array,
  rowOfPage: Uint32Array,
  bins: number,
): Float64Array {
  const split = a.page.length;
  const start = new Float64Array(bins + 1);
  const last = new Float64Array(bins).fill(-1);
  for (const index of order) {
    const bin = index < split ? binsA[index] : binsB[index - split];
    const page = rowOfPage[index < split ? a.page[index] : b.page[index - split]];
    if (last[bin] === page) continue;
    last[bin] = page;
    start[bin + 1]++;
  }
  for (let bin = 0; bin < bins; bin++) start[bin + 1] += start[bin];
  return start;
}

function deal(
  [a, b]: readonly HeatRows[],
  [binsA, binsB]: readonly Uint32Array[],
  order: Uint32Array,
  rowOfPage: Uint32Array,
  start: Float64Array,
  epochsPerBin: number,
): HeatTable {
  const split = a.page.length;
  const count = start[start.length - 1];
  const heat = {
    epochsPerBin,
    start,
    page: new Uint32Array(count),
    reads: new Uint32Array(count),
    writes: new Uint32Array(count),
    trafficReads: new Uint32Array(count),
    trafficWrites: new Uint32Array(count),
  };
  const next = start.slice();
  for (const index of order) {
    const own = index < split;
    const row = own ? index : index - split;
    const bin = own ? binsA[row] : binsB[row];
    const page = rowOfPage[own ? a.page[row] : b.page[row]];
    let at = next[bin] - 1;
    if (at < start[bin] || heat.page[at] !== page) {
      at = next[bin]++;
      heat.page[at] = page;
    }
    if (own) {
      heat.reads[at] = saturated(heat.reads[at] + a.first[row]);
      heat.writes[at] = saturated(heat.writes[at] + a.second[row]);
    } else {
      heat.trafficReads[at] = saturated(heat.trafficReads[at] + b.first[row]);
      heat.trafficWrites[at] = saturated(heat.trafficWrites[at] + b.second[row]);
    }
  }
  return heat;
}

function saturated(count: number): number {
  return Math.min(count, 0xffff_ffff);
}

/** A u64 of two words; counts stay below 2^53. */
function wide(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 0x1_0000_0000;
}
