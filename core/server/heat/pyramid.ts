/**
 * The heat at several resolutions, so that any part of the map is answered from about as many rows as it has bins.
 *
 * A level sums cells of 4^i bins of the heat by 4^j pages, in the heat's own shape: sparse rows, ascending by page
 * within a column of cells. It is kept only when it has at most a third of the rows of the quickest level that could
 * stand in for it: so levels cost little memory, and where one is missing the one below is hardly longer.
 *
 * Building walks the heat several times, which takes longer than a request may: `build` yields now and then, and until
 * a level is there the finer ones answer, with the same sums.
 */
import type { HeatTable } from '../../model/profile.js';

/** Rows `start[c] .. start[c + 1]` belong to column c, in ascending order of `page` (in units of `pagesPerCell`). */
export interface HeatLevel {
  readonly binsPerCell: number;
  readonly pagesPerCell: number;
  readonly start: Float64Array;
  readonly page: Uint32Array;
  readonly reads: Uint32Array | Float64Array;
  readonly writes: Uint32Array | Float64Array;
  readonly trafficReads: Uint32Array | Float32Array | Float64Array;
  readonly trafficWrites: Uint32Array | Float32Array | Float64Array;
}

const factor = 4;
const keptShare = 1 / 3;
/** Rows of all levels together. A row takes 36 bytes: 110 MB beside the largest heat that a replay makes (120 MB). */
const maxRows = (heatRows: number) => Math.max(3_000_000, heatRows / 4);
/** Coarser than this and a map of a few hundred bins could not use it. */
const leastColumns = 256;
const leastRows = 64;
/** Rows between two chances for others. */
const rowsPerStep = 50_000;

export class HeatPyramid {
  readonly #levels: HeatLevel[];
  readonly #pages: number;

  /** @param pages rows of the page table */
  constructor(heat: HeatTable, pages: number) {
    this.#levels = [{ ...heat, binsPerCell: 1, pagesPerCell: 1 }];
    this.#pages = pages;
  }

  get levels(): readonly HeatLevel[] {
    return this.#levels;
  }

  /** The quickest level whose cells make up bins of this size exactly. Both sizes are powers of two. */
  levelFor(bins: number, pages: number): HeatLevel {
    return this.#levels
      .filter(level => bins % level.binsPerCell === 0 && pages % level.pagesPerCell === 0)
      .reduce((best, level) => (cost(level) < cost(best) ? level : best));
  }

  /** Makes the levels, the ones for the closest looks first; stop between two steps whenever others wait. */
  *build(): Generator<void, void> {
    const bins = this.#levels[0].start.length - 1;
    let left = maxRows(this.#levels[0].page.length);
    for (let across = 1; across === 1 || bins / across >= leastColumns; across *= factor) {
      for (let down = 1; down === 1 || this.#pages / down >= leastRows; down *= factor) {
        if (across === 1 && down === 1) continue;
        const source = this.levelFor(across, down);
        const limit = Math.floor(Math.min(left, source.page.length * keptShare));
        const level = yield* coarser(source, across, down, this.#pages, limit);
        if (!level || cost(level) > cost(source) * keptShare) continue;
        this.#levels.push(level);
        left -= level.page.length;
      }
    }
  }
}

/** Rows to add up and columns to visit for the whole map. */
function cost({ page, start }: HeatLevel): number {
  return page.length + start.length;
}

/** Sums the cells of a finer level; null when there would be more than `limit` of them. */
function* coarser(
  source: HeatLevel,
  binsPerCell: number,
  pagesPerCell: number,
  pages: number,
  limit: number,
): Generator<void, HeatLevel | null> {
  const across = binsPerCell / source.binsPerCell;
  const down = pagesPerCell / source.pagesPerCell;
  const columns = Math.ceil((source.start.length - 1) / across);
  const start = new Float64Array(columns + 1);
  const page = new Uint32Array(limit);
  const sums = [0, 1, 2, 3].map(() => new Float64Array(limit));
  const sources = [source.reads, source.writes, source.trafficReads, source.trafficWrites];
  /** Where a cell of the running column is, from 1; 0: nowhere yet. */
  const place = new Uint32Array(Math.ceil(pages / pagesPerCell));
  let count = 0;
  let walked = 0;
  for (let column = 0; column < columns; column++) {
    start[column] = count;
    const from = source.start[column * across];
    const to = source.start[Math.min(source.start.length - 1, (column + 1) * across)];

    // 1. Which cells there are, in order.
    for (let row = from; row < to; row++) {
      const cell = Math.floor(source.page[row] / down);
      if (place[cell] !== 0) continue;
      if (count === limit) return null;
      place[cell] = 1;
      page[count++] = cell;
    }
    const cells = page.subarray(start[column], count);
    if (across > 1) cells.sort();
    for (let i = 0; i < cells.length; i++) place[cells[i]] = start[column] + i + 1;

    // 2. What is in them.
    for (const [measure, values] of sources.entries()) {
      const sum = sums[measure];
      for (let row = from; row < to; row++) sum[place[Math.floor(source.page[row] / down)] - 1] += values[row];
    }
    for (let i = 0; i < cells.length; i++) place[cells[i]] = 0;

    walked += to - from;
    if (walked >= rowsPerStep) {
      walked = 0;
      yield;
    }
  }
  start[columns] = count;
  const [reads, writes, trafficReads, trafficWrites] = sums.map(sum => sum.slice(0, count));
  return { binsPerCell, pagesPerCell, start, page: page.slice(0, count), reads, writes, trafficReads, trafficWrites };
}
