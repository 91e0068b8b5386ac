/**
 * What a capacity is worth: the modelled slowdown of the best placement as a function of the fastest tier's capacity, the
 * knee of that curve, and what one step more or less changes at the capacity that was asked for.
 *
 * The placement is that of objects cut anywhere (`relax`), so the curve has no steps and no capacity is worth less than a
 * smaller one. With two tiers it is exact for such placements, with more a lower bound. All other tiers stay as they are.
 *
 * The knee is Kneedle's (Satopää, Albrecht, Irwin, Raghavan, "Finding a 'Kneedle' in a Haystack", ICDCS 2011 workshops):
 * with both axes scaled to 0 .. 1, where the curve is furthest from the straight line between its ends.
 */
import type { CapacityCurve } from '../model/profile.js';
import { relax } from './assign.js';
import type { PlacementProblem } from './policy.js';

/** Intervals of the curve. */
const STEPS = 32;
/** Distance from the straight line, of the axes' length, below which a curve has no knee. Ours. */
const LEAST_BEND = 0.2;
/** Difference of slowdowns below which capacity makes none. */
const LEAST_SLOWDOWN = 0.001;
const GIB = 2 ** 30;

/**
 * @param slowdownOf modelled slowdown of a time waited for memory, ns
 * @returns null where the fastest tier has no limit to its capacity, or nothing was touched.
 */
export function capacityCurve(
  { objects, costs, capacity, rest, fastest }: PlacementProblem,
  slowdownOf: (waitNs: number) => number,
): CapacityCurve | null {
  const touched = objects.bytes.reduce((sum, bytes) => sum + bytes, 0);
  if (fastest === rest || touched === 0) return null;
  const at = (bytes: number): number => {
    const given = capacity.map((own, tier) => (tier === fastest ? Math.max(0, bytes) : own));
    return slowdownOf(relax(objects, costs, given, rest).boundNs);
  };
  const capacityBytes = Array.from({ length: STEPS + 1 }, (_, i) => Math.round((touched * i) / STEPS));
  const modelledSlowdown = capacityBytes.map(at);
  const stepBytes = stepOf(touched);
  return {
    tier: fastest,
    capacityBytes,
    modelledSlowdown,
    knee: kneeOf(modelledSlowdown),
    stepBytes,
    atLess: at(capacity[fastest] - stepBytes),
    at: at(capacity[fastest]),
    atMore: at(capacity[fastest] + stepBytes),
  };
}

/** A GiB, or for less memory a power of two that is at least a 64th of it. */
function stepOf(touched: number): number {
  return Math.min(GIB, 2 ** Math.ceil(Math.log2(touched / 64)));
}

/** Index of the knee of a curve that falls, at equal distances; null where it has none. */
export function kneeOf(curve: readonly number[]): number | null {
  const last = curve.length - 1;
  const height = curve[0] - curve[last];
  if (height < LEAST_SLOWDOWN) return null;
  let best = 0;
  let furthest = 0;
  for (let i = 1; i < last; i++) {
    const below = 1 - i / last - (curve[i] - curve[last]) / height;
    if (below > furthest) {
      best = i;
      furthest = below;
    }
  }
  return furthest < LEAST_BEND ? null : best;
}
