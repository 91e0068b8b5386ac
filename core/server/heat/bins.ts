/** Sums of the heat over a grid of equal bins, from whichever level of the pyramid is quickest. */
import type { HeatPyramid } from './pyramid.js';

/** A part of the map that is cut into bins; all sizes are in bins of the heat and rows of the page table. */
export interface BinGrid {
  /** Multiples of the steps. */
  readonly fromBin: number;
  readonly fromPage: number;
  /** Powers of two: every bin spans as many, but for the last ones, which the map's end may cut. */
  readonly stepBins: number;
  readonly stepPages: number;
  readonly columns: number;
  readonly rows: number;
}

/** Row-major: row * columns + column. */
export interface BinSums {
  readonly reads: Float32Array;
  readonly writes: Float32Array;
  readonly traffic: Float32Array;
}

export function sumBins(pyramid: HeatPyramid, grid: BinGrid): BinSums {
  const { columns, rows } = grid;
  const level = pyramid.levelFor(grid.stepBins, grid.stepPages);
  const { start, page } = level;
  // Summed in doubles: f32 stops counting at 2^24.
  const reads = new Float64Array(columns * rows);
  const writes = new Float64Array(columns * rows);
  const traffic = new Float64Array(columns * rows);
  const across = grid.stepBins / level.binsPerCell;
  const down = grid.stepPages / level.pagesPerCell;
  const fromCell = grid.fromBin / level.binsPerCell;
  const fromRow = grid.fromPage / level.pagesPerCell;
  const toRow = fromRow + rows * down;
  for (let column = 0; column < columns; column++) {
    const first = fromCell + column * across;
    const last = Math.min(first + across, start.length - 1);
    for (let cell = first; cell < last; cell++) {
      const end = start[cell + 1];
      // Pages ascend within a column of cells: skip to the first visible one.
      for (let i = firstAtLeast(page, fromRow, start[cell], end); i < end && page[i] < toRow; i++) {
        const at = Math.floor((page[i] - fromRow) / down) * columns + column;
        reads[at] += level.reads[i];
        writes[at] += level.writes[i];
        traffic[at] += level.trafficReads[i] + level.trafficWrites[i];
      }
    }
  }
  return { reads: Float32Array.from(reads), writes: Float32Array.from(writes), traffic: Float32Array.from(traffic) };
}

/** Index of the first value of at least `value` in [from, to); `to` where there is none. */
export function firstAtLeast(sorted: ArrayLike<number>, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
