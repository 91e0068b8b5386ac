/**
 * Epochs and heat of one half of the kernel (kernel/heat.ts): two counters a page and epoch, which are reads and writes
 * in the counting half, fills and write-backs in the machine half.
 */
import type { HeatTable, TrackerHeat } from '../model/profile.js';

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

/** Of a half that counted nothing. */
export const noHeatRows: HeatRows = {
  epochsPerBin: 1,
  start: new Float64Array(1),
  page: new Uint32Array(),
  first: new Uint32Array(),
  second: new Uint32Array(),
};

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
  const start = count > 0 ? exports.epochRecord(0) >>> 0 : 0;
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
    start[bin] = wide(new Uint32Array(buffer, exports.epochRecord(bin * epochsPerBin) >>> 0, EPOCH_WORDS), EPOCH_ROW);
  }
  start[bins] = count;
  const page = new Uint32Array(count);
  const first = new Uint32Array(count);
  const second = new Uint32Array(count);
  for (let chunk = 0; chunk < count; chunk += ROWS_PER_CHUNK) {
    const rows = Math.min(ROWS_PER_CHUNK, count - chunk);
    const words = new Uint32Array(buffer, exports.heatRow(chunk) >>> 0, rows * ROW_WORDS);
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
  const words = new Uint32Array(exports.memory.buffer, exports.pageCounts() >>> 0, pages * PAGE_WORDS);
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
export function mergedHeat(
  counted: HeatRows,
  traffic: HeatRows,
  rowOfPage: Uint32Array,
  epochs: number,
): HeatTable & TrackerHeat {
  const merge = new Merge(counted, traffic, rowOfPage);
  let epochsPerBin = Math.max(counted.epochsPerBin, traffic.epochsPerBin);
  for (;;) {
    const bins = Math.ceil(epochs / epochsPerBin);
    const rows = merge.countRows(bins, epochsPerBin);
    if (rows <= HEAT_ROWS_MAX || epochsPerBin >= epochs) return merge.table(bins, epochsPerBin, rows);
    epochsPerBin *= 2;
  }
}

/** Bin by bin, so that what is read and written lies together; a bin's pages are put in order by marks on all pages. */
class Merge {
  readonly #parts: readonly [HeatRows, HeatRows];
  readonly #rowOfPage: Uint32Array;
  /** Number (from 1) of the bin that touched each page last. */
  readonly #mark: Uint32Array;
  /** The bin's pages, in no order. */
  readonly #pages: Uint32Array;
  /** By page: the four counters of the bin. */
  readonly #sums: readonly [Float64Array, Float64Array, Float64Array, Float64Array];

  constructor(counted: HeatRows, traffic: HeatRows, rowOfPage: Uint32Array) {
    this.#parts = [counted, traffic];
    this.#rowOfPage = rowOfPage;
    this.#mark = new Uint32Array(rowOfPage.length);
    this.#pages = new Uint32Array(rowOfPage.length);
    const sums = () => new Float64Array(rowOfPage.length);
    this.#sums = [sums(), sums(), sums(), sums()];
  }

  /** Rows that bins of this width have in all. */
  countRows(bins: number, epochsPerBin: number): number {
    const mark = this.#mark.fill(0);
    let rows = 0;
    for (let bin = 0; bin < bins; bin++) {
      for (const part of this.#parts) {
        const { page } = part;
        const end = endOfBin(part, bin, epochsPerBin);
        for (let row = endOfBin(part, bin - 1, epochsPerBin); row < end; row++) {
          const at = this.#rowOfPage[page[row]];
          if (mark[at] === bin + 1) continue;
          mark[at] = bin + 1;
          rows++;
        }
      }
    }
    return rows;
  }

  table(bins: number, epochsPerBin: number, rows: number): HeatTable & TrackerHeat {
    this.#mark.fill(0);
    const column = () => new Uint32Array(rows);
    const columns = [column(), column(), column(), column()];
    const start = new Float64Array(bins + 1);
    const page = column();
    let next = 0;
    for (let bin = 0; bin < bins; bin++) {
      const count = this.#sum(bin, epochsPerBin);
      const pages = this.#inOrder(bin, count);
      for (let i = 0; i < count; i++) {
        page[next] = pages[i];
        for (let c = 0; c < 4; c++) columns[c][next] = Math.min(this.#sums[c][pages[i]], 0xffff_ffff);
        next++;
      }
      start[bin + 1] = next;
    }
    const [reads, writes, trafficReads, trafficWrites] = columns;
    return { epochsPerBin, start, page, reads, writes, trafficReads, trafficWrites };
  }

  /** Sums a bin's rows by page. Returns how many pages it has. */
  #sum(bin: number, epochsPerBin: number): number {
    const mark = this.#mark;
    const pages = this.#pages;
    const rowOfPage = this.#rowOfPage;
    let count = 0;
    for (const [p, part] of this.#parts.entries()) {
      const { page, first, second } = part;
      const sumFirst = this.#sums[2 * p];
      const sumSecond = this.#sums[2 * p + 1];
      const end = endOfBin(part, bin, epochsPerBin);
      for (let row = endOfBin(part, bin - 1, epochsPerBin); row < end; row++) {
        const at = rowOfPage[page[row]];
        if (mark[at] !== bin + 1) {
          mark[at] = bin + 1;
          pages[count++] = at;
          for (const sums of this.#sums) sums[at] = 0;
        }
        sumFirst[at] += first[row];
        sumSecond[at] += second[row];
      }
    }
    return count;
  }

  /** The bin's pages, ascending: by sorting few, by looking through all where they are many. */
  #inOrder(bin: number, count: number): Uint32Array {
    const pages = this.#pages;
    const mark = this.#mark;
    if (count * 8 < mark.length) return pages.subarray(0, count).sort();
    for (let at = 0, next = 0; next < count; at++) if (mark[at] === bin + 1) pages[next++] = at;
    return pages;
  }
}

/** First row behind a bin of `epochsPerBin` epochs, a multiple of the part's own; bin -1 ends where all begin. */
function endOfBin({ start, epochsPerBin: own }: HeatRows, bin: number, epochsPerBin: number): number {
  return start[Math.min((bin + 1) * (epochsPerBin / own), start.length - 1)];
}

/** A u64 of two words; counts stay below 2^53. */
export function wide(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 0x1_0000_0000;
}
