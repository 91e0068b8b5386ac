/**
 * The heat of a replay that goes on, in few rows: equal blocks of addresses by equal stretches of time, for a map that
 * grows while the program runs. It only reads the kernel, and each of its rows once (again after epochs merged), so that
 * it costs next to nothing and disturbs nothing.
 *
 * Blocks begin as single pages. Where there are more than fit, all blocks double, as epochs do in the kernel.
 */
import type { Kernel } from './kernel.js';

/** What a map of the dashboard shows in one piece. */
const mostRows = 128;
const mostColumns = 256;

// Record layouts of the kernel, in 32-bit words; see heatRows.ts and results.ts.
const PAGE_WORDS = 4;
const PAGES_PER_CHUNK = 1024;
const EPOCH_WORDS = 16;
const E_ROW = 14;
const ROW_WORDS = 3;
const ROWS_PER_CHUNK = 16384;

/** Columns as they are; the server gives them their form on the wire. */
export interface HeatSoFar {
  readonly columns: number;
  readonly rows: number;
  readonly bytesPerRow: number;
  readonly accessesPerColumn: number;
  /** By row: process, and address in units of `bytesPerRow`. */
  readonly process: Uint32Array;
  readonly block: Float64Array;
  /** Row-major: y * columns + x. */
  readonly reads: Float32Array;
  readonly writes: Float32Array;
  /** Of the run so far. */
  readonly accesses: number;
  readonly pages: number;
}

/** What pages of one block did in each column. */
interface Block {
  readonly process: number;
  /** Address in units of blocks. */
  readonly number: number;
  /** By column; null before its first row: most blocks of new pages join others before that. */
  counts: { readonly reads: Float64Array; readonly writes: Float64Array } | null;
}

/** Between two tellings, ms. */
const leastPause = 500;
/** Reading takes at most this share of the replay's time. */
const mostShare = 1 / 50;

/** Tells of a replay's heat now and then. */
export class HeatTeller {
  readonly #heat: LiveHeat;
  readonly #tell: (heat: HeatSoFar) => void;
  #next = performance.now() + leastPause;

  constructor(kernel: Kernel, tell: (heat: HeatSoFar) => void) {
    this.#heat = new LiveHeat(kernel);
    this.#tell = tell;
  }

  /** To be called often; `now` as `performance.now()` gives it. */
  slice(now: number): void {
    if (now < this.#next) return;
    const heat = this.#heat.read();
    if (heat) this.#tell(heat);
    const end = performance.now();
    this.#next = end + Math.max(leastPause, (end - now) / mostShare);
  }
}

export class LiveHeat {
  readonly #kernel: Kernel;
  /** Pages of a block: 2 to this power. */
  #shift = 0;
  readonly #blocks = new Blocks();
  /** Block of each page by its kernel number. */
  #blockOfPage: Block[] = [];
  /** What the columns are made of: another epoch length, and all rows are other ones. */
  #made = '';
  /** Bins of the heat that are summed already, and bins in a column. */
  #bins = 0;
  #binsPerColumn = 1;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Everything up to the last whole epoch; null before it. */
  read(): HeatSoFar | null {
    const { epochCount, epochsPerBin, epochLength } = this.#kernel.exports;
    const perBin = epochsPerBin.value;
    // A bin that still grows is left for later.
    const bins = Math.floor(epochCount.value / perBin);
    if (bins === 0) return null;
    const binsPerColumn = 2 ** Math.max(0, Math.ceil(Math.log2(bins / mostColumns)));
    const made = `${epochLength.value} ${perBin} ${binsPerColumn}`;
    if (made !== this.#made) this.#begin(made, binsPerColumn);
    this.#addPages();
    this.#addRows(bins, perBin);
    return this.#columns(bins, perBin);
  }

  #begin(made: string, binsPerColumn: number): void {
    this.#made = made;
    this.#binsPerColumn = binsPerColumn;
    this.#bins = 0;
    for (const block of this.#blocks.all()) block.counts = null;
  }

  /** Blocks of pages that were touched since. */
  #addPages(): void {
    const { exports } = this.#kernel;
    const count = exports.pageCount.value;
    while (this.#blockOfPage.length < count) {
      const first = this.#blockOfPage.length;
      const length = Math.min(count - first, PAGES_PER_CHUNK - (first % PAGES_PER_CHUNK));
      const words = this.#kernel.u32(exports.pageRecord(first), length * PAGE_WORDS);
      for (let i = 0; i < length; i++) {
        const at = i * PAGE_WORDS;
        const number = words[at] + words[at + 1] * 2 ** 32;
        this.#blockOfPage.push(this.#blocks.at(words[at + 2], Math.floor(number / 2 ** this.#shift)));
      }
      if (this.#blocks.size > mostRows) this.#widen();
    }
  }

  /** Doubles the blocks until they fit. */
  #widen(): void {
    const old = this.#blocks.all();
    let shift = 0;
    while (shift < 64 && countOf(old, shift) > mostRows) shift++;
    this.#shift += shift;
    this.#blocks.clear();
    const now = new Map<Block, Block>();
    for (const block of old) {
      const held = this.#blocks.at(block.process, Math.floor(block.number / 2 ** shift));
      if (block.counts) add(countsOf(held), block.counts);
      now.set(block, held);
    }
    this.#blockOfPage = this.#blockOfPage.map(block => now.get(block)!);
  }

  /** The kernel's heat rows of bins that were closed since. */
  #addRows(bins: number, perBin: number): void {
    const { exports } = this.#kernel;
    const epochs = this.#kernel.u32(exports.epochRecord(0), exports.epochCount.value * EPOCH_WORDS);
    const firstRow = (bin: number) =>
      bin * perBin < exports.epochCount.value ? epochs[bin * perBin * EPOCH_WORDS + E_ROW] : exports.rowCount.value;
    for (; this.#bins < bins; this.#bins++) {
      const column = Math.floor(this.#bins / this.#binsPerColumn);
      const end = firstRow(this.#bins + 1);
      for (let row = firstRow(this.#bins); row < end; ) {
        const length = Math.min(end - row, ROWS_PER_CHUNK - (row % ROWS_PER_CHUNK));
        const words = this.#kernel.u32(exports.heatRow(row), length * ROW_WORDS);
        for (let at = 0; at < words.length; at += ROW_WORDS) {
          const counts = countsOf(this.#blockOfPage[words[at]]);
          counts.reads[column] += words[at + 1];
          counts.writes[column] += words[at + 2];
        }
        row += length;
      }
    }
  }

  #columns(bins: number, perBin: number): HeatSoFar {
    const { exports, pageSize, progress } = this.#kernel;
    const columns = Math.ceil(bins / this.#binsPerColumn);
    const blocks = this.#blocks.all().sort((a, b) => a.process - b.process || a.number - b.number);
    const rows = blocks.length;
    const reads = new Float32Array(rows * columns);
    const writes = new Float32Array(rows * columns);
    for (const [row, { counts }] of blocks.entries()) {
      if (!counts) continue;
      reads.set(counts.reads.subarray(0, columns), row * columns);
      writes.set(counts.writes.subarray(0, columns), row * columns);
    }
    return {
      columns,
      rows,
      bytesPerRow: pageSize * 2 ** this.#shift,
      accessesPerColumn: Number(exports.epochLength.value) * perBin * this.#binsPerColumn,
      process: Uint32Array.from(blocks, ({ process }) => process),
      block: Float64Array.from(blocks, ({ number }) => number),
      reads,
      writes,
      accesses: progress.accesses,
      pages: progress.pages,
    };
  }
}

type Counts = NonNullable<Block['counts']>;

function countsOf(block: Block): Counts {
  block.counts ??= { reads: new Float64Array(mostColumns), writes: new Float64Array(mostColumns) };
  return block.counts;
}

function add(to: Counts, from: Counts): void {
  for (let column = 0; column < mostColumns; column++) {
    to.reads[column] += from.reads[column];
    to.writes[column] += from.writes[column];
  }
}

/** Blocks by process and number, made at first mention. */
class Blocks {
  readonly #ofProcess = new Map<number, Map<number, Block>>();
  size = 0;

  at(process: number, number: number): Block {
    let blocks = this.#ofProcess.get(process);
    if (!blocks) this.#ofProcess.set(process, (blocks = new Map()));
    let block = blocks.get(number);
    if (!block) {
      block = { process, number, counts: null };
      blocks.set(number, block);
      this.size++;
    }
    return block;
  }

  all(): Block[] {
    return [...this.#ofProcess.values()].flatMap(blocks => [...blocks.values()]);
  }

  clear(): void {
    this.#ofProcess.clear();
    this.size = 0;
  }
}

/** Blocks that are left when they are 2^shift as large; a program of more processes than rows has one each at least. */
function countOf(blocks: readonly Block[], shift: number): number {
  return new Set(blocks.map(({ process, number }) => `${process}:${Math.floor(number / 2 ** shift)}`)).size;
}
