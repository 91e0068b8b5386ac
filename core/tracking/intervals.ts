/** Confidence intervals of what trackers sample. */

/** Quantile of the normal distribution for an interval of 95 %. */
const Z95 = 1.959964;

/** Wilson's interval of 95 % for the share of successes, each 0 to 1. */
export function wilson(successes: number, n: number): { readonly low: number; readonly high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const f = successes / n;
  const zz = Z95 * Z95;
  const middle = f + zz / (2 * n);
  const half = Z95 * Math.sqrt((f * (1 - f)) / n + zz / (4 * n * n));
  return { low: Math.max(0, (middle - half) / (1 + zz / n)), high: Math.min(1, (middle + half) / (1 + zz / n)) };
}

/** A share and its interval of 95 % as three figures of a tracker: `name`, `nameLow95`, `nameHigh95`. */
export function shareFigures(name: string, successes: number, n: number): Record<string, number> {
  if (n === 0) return {};
  const { low, high } = wilson(successes, n);
  return { [name]: successes / n, [`${name}Low95`]: low, [`${name}High95`]: high };
}
