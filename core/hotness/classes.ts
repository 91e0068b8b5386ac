/**
 * Hotness classes (design, section 2). Rows (pages; or lines, functions, objects, judged alike) sorted by accesses:
 * *hot* is the smallest set that receives `hotShare` of all accesses, *cold* are those that receive the last `coldShare`
 * and those never accessed, *warm* lies between. Ties go to the lower row. A row that fits both is hot.
 */
import { COLD, HOT, WARM } from '../model/profile.js';

/** Shares by default: hot 80 %, cold the last 1 %. */
export const HOT_SHARE = 0.8;
export const COLD_SHARE = 0.01;

/** @returns HOT, WARM or COLD for each row. Shares are 0 to 1. */
export function classify(accesses: Float64Array, hotShare = HOT_SHARE, coldShare = COLD_SHARE): Uint8Array {
  const classes = new Uint8Array(accesses.length).fill(COLD);
  let total = 0;
  for (let row = 0; row < accesses.length; row++) total += accesses[row];
  if (total === 0) return classes;

  const order = Uint32Array.from(accesses, (_, row) => row).sort((a, b) => accesses[b] - accesses[a] || a - b);
  // Shares are decimal fractions: what rounding takes from the product must not cost a row.
  const hotTarget = hotShare * total * (1 - 1e-12);
  const coldTarget = coldShare * total * (1 + 1e-12);
  let before = 0;
  for (const row of order) {
    if (accesses[row] === 0) break;
    if (before < hotTarget) classes[row] = HOT;
    else if (total - before > coldTarget) classes[row] = WARM;
    before += accesses[row];
  }
  return classes;
}

/** Mean accesses per touched page per modelled second; 0 where nothing was touched or no time passed. */
export function perPagePerSecond(accesses: number, pages: number, modelledNs: number): number {
  return pages > 0 && modelledNs > 0 ? accesses / pages / (modelledNs / 1e9) : 0;
}
