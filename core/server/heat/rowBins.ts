/** What is said of bins of page rows rather than of epochs: the tier that serves them, and a tracker's hits and misses. */
import type { Profile } from '../../model/profile.js';
import { FALSE, FOUND, MISSED } from './agreement.js';

export interface RowGrid {
  /** A multiple of the step. */
  readonly fromPage: number;
  /** A power of two. */
  readonly stepPages: number;
  readonly rows: number;
}

/** Pages that are summed once and for all: a bin of many is then made of few numbers. */
const cellPages = 64;

/** Several sums of every page, for bins of any size: `width` numbers a row of bins. */
class RowSums {
  readonly #pages: number;
  readonly #width: number;
  readonly #add: (page: number, sums: Float64Array, at: number) => void;
  #cells: Float64Array | null = null;

  constructor(pages: number, width: number, add: (page: number, sums: Float64Array, at: number) => void) {
    this.#pages = pages;
    this.#width = width;
    this.#add = add;
  }

  over({ fromPage, stepPages, rows }: RowGrid): Float64Array {
    if (stepPages <= cellPages) return this.#ofPages(fromPage, stepPages, rows);
    this.#cells ??= this.#ofPages(0, cellPages, Math.ceil(this.#pages / cellPages));
    const sums = new Float64Array(rows * this.#width);
    const perRow = (stepPages / cellPages) * this.#width;
    const from = (fromPage / cellPages) * this.#width;
    const to = Math.min(from + rows * perRow, this.#cells.length);
    for (let i = from; i < to; i++) {
      sums[Math.floor((i - from) / perRow) * this.#width + (i % this.#width)] += this.#cells[i];
    }
    return sums;
  }

  #ofPages(fromPage: number, stepPages: number, rows: number): Float64Array {
    const sums = new Float64Array(rows * this.#width);
    const to = Math.min(fromPage + rows * stepPages, this.#pages);
    for (let page = fromPage; page < to; page++) {
      this.#add(page, sums, Math.floor((page - fromPage) / stepPages) * this.#width);
    }
    return sums;
  }
}

/** A bin belongs to a tier when this share of its traffic does, as a line does (design, section 2). */
const tierShare = 0.8;

/** In `tierOfRows`: nothing that a policy decides. */
export const NO_TIER = 255;

const tierSums = new WeakMap<Uint8Array, { readonly pages: Profile['pages']; readonly sums: RowSums }>();

/** Tier of each bin's traffic (of its accesses where caches served all); `mixed` where no tier has 80 % of it. */
export function tierOfRows({ pages }: Profile, tierOfObject: Uint8Array, tiers: number, grid: RowGrid): Uint8Array {
  const mixed = tiers;
  const kinds = tiers + 1;
  let known = tierSums.get(tierOfObject);
  if (known?.pages !== pages) {
    const sums = new RowSums(pages.count, 2 * kinds, (page, out, at) => {
      const tier = tierOfObject[pages.object[page]];
      if (tier === undefined) return;
      // 255: an object that the policy splits.
      const column = at + Math.min(tier, mixed);
      out[column] += pages.trafficReads[page] + pages.trafficWrites[page];
      out[column + kinds] += pages.reads[page] + pages.writes[page];
    });
    tierSums.set(tierOfObject, (known = { pages, sums }));
  }
  const sums = known.sums.over(grid);
  return Uint8Array.from({ length: grid.rows }, (_, row) => {
    const at = row * 2 * kinds;
    return mostly(sums.subarray(at, at + kinds)) ?? mostly(sums.subarray(at + kinds, at + 2 * kinds)) ?? NO_TIER;
  });
}

/** The column with the needed share, the last one (mixed) where none has it; null where there is nothing to share. */
function mostly(weights: Float64Array): number | null {
  let total = 0;
  for (const weight of weights) total += weight;
  if (total === 0) return null;
  const main = weights.findIndex(weight => weight >= tierShare * total);
  return main < 0 ? weights.length - 1 : main;
}

export interface AgreementRows {
  readonly found: Uint32Array;
  readonly missed: Uint32Array;
  readonly falsely: Uint32Array;
}

const agreementSums = new WeakMap<Uint8Array, RowSums>();

/** Pages of each status in each bin. */
export function agreementOfRows(status: Uint8Array, grid: RowGrid): AgreementRows {
  let sums = agreementSums.get(status);
  if (!sums) {
    sums = new RowSums(status.length, 4, (page, out, at) => {
      out[at + status[page]]++;
    });
    agreementSums.set(status, sums);
  }
  const counts = sums.over(grid);
  const column = (wanted: number) => Uint32Array.from({ length: grid.rows }, (_, row) => counts[row * 4 + wanted]);
  return { found: column(FOUND), missed: column(MISSED), falsely: column(FALSE) };
}
