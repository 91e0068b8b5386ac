/**
 * The heat of some objects by relative place and relative time: how two runs are laid over each other.
 *
 * Addresses and lengths of two runs differ, so a page is placed by its order among its object's pages, and an epoch by
 * the share of the run's accesses before it. An object's pages are cut into equally many parts in both runs, and either
 * run into equally many stretches. What straddles two parts, or two stretches, is shared out by how much of it lies in
 * each: nothing is counted twice or lost.
 */
import type { Profile } from '../../model/profile.js';

/** Pages of one object, and the rows that they are spread over. */
export interface Spread {
  /** Row of the profile's objects. */
  readonly object: number;
  /** Its pages in this run: those on which it has most of the accesses. */
  readonly pages: number;
  /** Rows of the map: `rows` from `from` on, no more than pages; those outside of the map's part are not counted. */
  readonly from: number;
  readonly rows: number;
}

/** What is counted of a map: rows from 0 on, and columns of either run's equal stretches. */
export interface Part {
  readonly rows: number;
  readonly firstColumn: number;
  readonly columns: number;
  /** Stretches that the whole run is cut into: at most `mostColumns`. */
  readonly allColumns: number;
}

/** Sums a row and column, row-major: row * columns + column. */
export interface RelativeSums {
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly traffic: Float64Array;
}

/** Columns that a run can be cut into so that no bin of its heat straddles more than two; at least 1. */
export function mostColumns({ heat, epochs }: Profile): number {
  return Math.max(1, Math.floor(epochs.count / heat.epochsPerBin));
}

export function relativeSums(profile: Profile, spreads: readonly Spread[], part: Part): RelativeSums {
  const { heat, epochs } = profile;
  const { rows, firstColumn, columns, allColumns } = part;
  const { firstRow, firstShare } = placesOfPages(profile, spreads);
  const { start, page, reads, writes, trafficReads, trafficWrites } = heat;
  const cells = rows * columns;
  const sums = { reads: new Float64Array(cells), writes: new Float64Array(cells), traffic: new Float64Array(cells) };
  for (let bin = 0; bin + 1 < start.length; bin++) {
    const from = bin * heat.epochsPerBin;
    const to = Math.min(from + heat.epochsPerBin, epochs.count);
    const [place, share] = placed(from, to, epochs.count, allColumns);
    const column = place - firstColumn;
    if (column < -1 || column >= columns) continue;
    for (let i = start[bin]; i < start[bin + 1]; i++) {
      const row = firstRow[page[i]];
      if (row < -1 || row >= rows) continue;
      const ofRow = firstShare[page[i]];
      const traffic = trafficReads[i] + trafficWrites[i];
      // The part in the first row and column, and what is left for the next ones.
      for (let down = 0; down < 2; down++) {
        const ofPage = down === 0 ? ofRow : 1 - ofRow;
        if (ofPage === 0 || row + down < 0 || row + down >= rows) continue;
        for (let across = 0; across < 2; across++) {
          const weight = ofPage * (across === 0 ? share : 1 - share);
          if (weight === 0 || column + across < 0 || column + across >= columns) continue;
          const at = (row + down) * columns + column + across;
          sums.reads[at] += reads[i] * weight;
          sums.writes[at] += writes[i] * weight;
          sums.traffic[at] += traffic * weight;
        }
      }
    }
  }
  return sums;
}

/** A row before all that a page could straddle into. */
const nowhere = -2;

/** For each page its first row (`nowhere`: of no object here), and the share of it that lies there and not in the next. */
function placesOfPages({ pages, objects }: Profile, spreads: readonly Spread[]) {
  const spreadOf = new Int32Array(objects.count).fill(-1);
  spreads.forEach(({ object }, i) => {
    spreadOf[object] = i;
  });
  const seen = new Uint32Array(spreads.length);
  const firstRow = new Int32Array(pages.count).fill(nowhere);
  const firstShare = new Float64Array(pages.count);
  for (let page = 0; page < pages.count; page++) {
    // No object has a row beyond the table's end.
    const spread = spreadOf[pages.object[page]] ?? -1;
    if (spread < 0) continue;
    const { from, rows, pages: all } = spreads[spread];
    const i = seen[spread]++;
    const [row, share] = placed(i, i + 1, all, rows);
    firstRow[page] = Math.max(nowhere, from + row);
    firstShare[page] = share;
  }
  return { firstRow, firstShare };
}

/** The first of `parts` equal parts of `whole` that holds some of [from, to), and the share of it that lies there. */
function placed(from: number, to: number, whole: number, parts: number): readonly [number, number] {
  const part = Math.floor((from * parts) / whole);
  // In integers: rounding must not leave a crumb in a part that does not exist.
  const within = (part + 1) * whole - from * parts;
  return [part, Math.min(1, within / ((to - from) * parts))];
}

/** Pages of each object: those on which it has most of the accesses. */
export function pagesOfObjects({ pages, objects }: Profile): Uint32Array {
  const counts = new Uint32Array(objects.count);
  for (let page = 0; page < pages.count; page++) {
    const object = pages.object[page];
    if (object < counts.length) counts[object]++;
  }
  return counts;
}

/** Accesses to each object's pages in the whole run, whatever window is shown. */
export function accessesOfObjects({ heat, pages, objects }: Profile): Float64Array {
  const accesses = new Float64Array(objects.count);
  for (let i = 0; i < heat.page.length; i++) {
    const object = pages.object[heat.page[i]];
    if (object < accesses.length) accesses[object] += heat.reads[i] + heat.writes[i];
  }
  return accesses;
}
