/** Hotness classes by share of accesses (design, section 2, "hotness"). */
import { COLD, HOT, WARM } from '../model/profile.js';

export interface ClassShares {
  /** Hot is the smallest set that receives this share of all accesses, 0 to 1. */
  readonly hot: number;
  /** Cold is what receives the last of this share, and all that received none, 0 to 1. */
  readonly cold: number;
}

/**
 * HOT, WARM or COLD for each count. Sorted descending; of equal counts the lower row comes first, so that the classes
 * do not hang on the sort. Where the shares overlap, hot wins; a count of 0 is always cold.
 */
export function classify(counts: Float64Array, { hot, cold }: ClassShares): Uint8Array {
  const rows = Uint32Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
  let total = 0;
  for (const count of counts) total += count;
  const classes = new Uint8Array(counts.length).fill(COLD);
  let before = 0;
  for (const row of rows) {
    const count = counts[row]!;
    if (count <= 0) break;
    if (before < hot * total) classes[row] = HOT;
    else if (total - before > cold * total) classes[row] = WARM;
    before += count;
  }
  return classes;
}
