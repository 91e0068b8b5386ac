/**
 * What could be done about what a profile shows. A rule is one file: it looks at exact counts of the whole run and at
 * the modelled placement, names its evidence, and gives its gain as a modelled range; a rule that has no ground says
 * nothing. Hot alone is no ground: hotness is not criticality.
 */

import type { PolicyResult, Profile } from '../../model/profile.js';
import {
  defaultParallelism,
  lineCosts,
  machineStallNs,
  type Parallelism,
  referenceStallNs,
} from '../../placement/cost.js';
import type { ViewId } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';

export interface Advice {
  readonly rule: string;
  /** What to do, in one short sentence. */
  readonly action: string;
  /** What it rests on: figures with unit, denominator and window. */
  readonly evidence: string;
  readonly gain: Gain;
  /** Row of the exact profile's objects. */
  readonly object: number | null;
  /** Where to look closer. */
  readonly view: ViewId;
}

export type Gain =
  /** Shares of the modelled run time that it would take off, 0 to 1. */
  | { readonly kind: 'time'; readonly low: number; readonly high: number }
  /** Bytes of memory, or of fast memory, that it would free. */
  | { readonly kind: 'memory'; readonly low: number; readonly high: number; readonly of: string };

/** What rules look at. */
export interface Facts {
  readonly index: ProfileIndex;
  readonly profile: Profile;
  /** The policy that views show the tiers of. */
  readonly policy: PolicyResult;
}

export type Rule = (facts: Facts) => Advice[];

/** Less is within what the assumptions of the model leave open anyway. */
export const leastTime = 0.01;

/** The ends of the range of misses in flight, in which every modelled time is given. */
export function atEachParallelism<T>(of: (parallelism: number) => T, { low, high }: Parallelism = defaultParallelism) {
  return [of(high), of(low)] as const;
}

/** Modelled run time under a policy, ns; its range's lower end belongs to the greatest overlap. */
export function runNs({ totals, placement, options }: Profile, policy: PolicyResult, parallelism: number): number {
  const costs = lineCosts(placement.tiers, parallelism);
  const compute = Math.max(0, totals.modelledNs - machineStallNs(options.machine, totals.trafficReads));
  const reference = compute + referenceStallNs(totals.trafficReads, totals.trafficWrites, costs);
  const [best, worst] = policy.modelledSlowdownRange;
  return reference * (parallelism === defaultParallelism.low ? worst : best);
}

/** Time that the lines of an object wait in a tier, ns. */
export function waitNs({ objects, placement }: Profile, object: number, tier: number, parallelism: number): number {
  const costs = lineCosts(placement.tiers, parallelism);
  return objects.trafficReads[object] * costs.read[tier] + objects.trafficWrites[object] * costs.write[tier];
}

export function timeGain(low: number, high: number): Gain {
  return { kind: 'time', low: Math.max(0, Math.min(low, high)), high: Math.max(low, high) };
}

/** What one can move: not the stacks, and not what belongs to nothing. */
export function isMovable({ objects }: Profile, object: number): boolean {
  return objects.kind[object] === 'heap' || objects.kind[object] === 'global' || objects.kind[object] === 'anonymous';
}

export function trafficOf({ objects }: Profile, object: number): number {
  return objects.trafficReads[object] + objects.trafficWrites[object];
}
