/** Confidence intervals of what is sampled. */

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

/**
 * Interval of 95 % for the mean of a Poisson count: Byar's approximation of the exact limits (Breslow and Day,
 * "Statistical Methods in Cancer Research II", IARC 1987, section 2.3), within 1 % of them from two events on. Parts of an
 * event, as where a sample is spread over what it met, have 0 for a lower limit that would be negative.
 */
export function poisson(events: number): { readonly low: number; readonly high: number } {
  const limit = (n: number, z: number) => n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;
  return { low: events > 0 ? Math.max(0, limit(events, -Z95)) : 0, high: limit(events + 1, Z95) };
}
