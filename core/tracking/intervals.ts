/** Confidence intervals of what trackers sample. */

import { wilson } from '../model/intervals.js';

/** A share and its interval of 95 % as three figures of a tracker: `name`, `nameLow95`, `nameHigh95`. */
export function shareFigures(name: string, successes: number, n: number): Record<string, number> {
  if (n === 0) return {};
  const { low, high } = wilson(successes, n);
  return { [name]: successes / n, [`${name}Low95`]: low, [`${name}High95`]: high };
}
