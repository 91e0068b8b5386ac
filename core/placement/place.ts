/**
 * Placement: which object belongs in which tier, and what each policy would cost. Pure functions over the profile's
 * columns; the same input gives the same result on any machine.
 */
import type { HeatTable, ObjectTable, PageTable, Placement, PolicyResult, Tier, Totals } from '../model/profile.js';
import type { Items } from './assign.js';
import { capacityCurve } from './capacityCurve.js';
import {
  assumptionsOf,
  defaultParallelism,
  fastestTier,
  type LineCosts,
  lineCosts,
  type Parallelism,
  referenceStallNs,
  slowestTier,
  stallNs,
  type TierTraffic,
} from './cost.js';
import { oracleBoundNs } from './oracle.js';
import { type PolicyId, policies } from './policies.js';
import type { PlacementProblem, PolicyDecision, PolicyKind } from './policy.js';

/** In `PolicyResult.tierOfObject`: the object is in several tiers, or its pages are all shared with others. */
export const SPLIT = 255;

export interface PlacementInput {
  readonly objects: Pick<ObjectTable, 'count' | 'trafficReads' | 'trafficWrites' | 'touchedBytes'>;
  readonly pages: Pick<PageTable, 'count' | 'number' | 'trafficReads' | 'trafficWrites' | 'object'>;
  readonly totals: Pick<Totals, 'modelledNs' | 'trafficReads' | 'trafficWrites'>;
  readonly pageSize: number;
  /** Part of `modelledNs` that the modelled machine waited for its own memory behind the last-level cache. */
  readonly memoryStallNs: number;
  /** Gives the order of first touch, to the bin; within a bin pages count as touched in ascending order. */
  readonly heat: Pick<HeatTable, 'start' | 'page'>;
  readonly parallelism?: Parallelism;
}

/**
 * @param tiers with capacities in bytes (`sizedTiers`); the last takes the rest.
 * @param ids policies to show, any order; the oracle is always computed, and where none of the others can be
 *   recommended, so is static-optimal.
 * @throws RangeError for fewer than two tiers or an unknown policy: callers check what users type.
 */
export function place(input: PlacementInput, tiers: readonly Tier[], ids: readonly string[]): Placement {
  if (tiers.length < 2) throw new RangeError(`expected at least 2 tiers, got ${tiers.length}`);
  const unknown = ids.find(id => !Object.hasOwn(policies, id));
  if (unknown !== undefined) throw new RangeError(`unknown policy ${unknown}`);

  const parallelism = input.parallelism ?? defaultParallelism;
  const problem = problemOf(input, tiers, lineCosts(tiers, parallelism.middle));
  const shown = (Object.keys(policies) as PolicyId[]).filter(id => id !== 'oracle' && ids.includes(id));
  if (!shown.some(id => !policies[id].yardstick)) shown.unshift('static-optimal');

  const judge = (id: PolicyId): PolicyResult => resultOf(id, policies[id], input, problem, parallelism, tiers);
  const results = shown.map(judge);
  const curve = capacityCurve(problem, waitNs => slowdown(waitNs, input, problem.costs));
  return {
    tiers,
    policies: results,
    oracle: oracleOf(judge('oracle'), input, problem, parallelism, tiers),
    recommended: recommend(results),
    ...(curve && { capacityCurve: curve }),
    fastestTier: problem.fastest,
    assumptions: assumptionsOf(tiers, parallelism, problem.fastest),
  };
}

function problemOf(input: PlacementInput, tiers: readonly Tier[], costs: LineCosts): PlacementProblem {
  const { objects, pages, totals, pageSize } = input;
  const objectItems: Items = {
    count: objects.count,
    bytes: objects.touchedBytes,
    reads: objects.trafficReads,
    writes: objects.trafficWrites,
  };
  const pageItems: Items = {
    count: pages.count,
    bytes: new Float64Array(pages.count).fill(pageSize),
    reads: pages.trafficReads,
    writes: pages.trafficWrites,
  };
  return {
    objects: objectItems,
    pages: pageItems,
    pageSize,
    firstTouch: firstTouchOrder(input.heat, pages.count),
    pageNumber: pages.number,
    costs,
    capacity: tiers.map(tier => tier.capacityBytes),
    rest: tiers.length - 1,
    fastest: fastestTier(totals.trafficReads, totals.trafficWrites, costs),
    slowest: slowestTier(totals.trafficReads, totals.trafficWrites, costs),
  };
}

/** Of each heat that was placed: it does not depend on the tiers. */
const firstTouches = new WeakMap<Uint32Array, Uint32Array>();

/** Page rows by the bin in which they first occur, then by row; pages without a row in the heat come last. */
function firstTouchOrder(heat: PlacementInput['heat'], count: number): Uint32Array {
  const known = firstTouches.get(heat.page);
  if (known?.length === count) return known;
  const order = new Uint32Array(count);
  const seen = new Uint8Array(count);
  let filled = 0;
  // Bins follow each other in time and hold ascending pages, so the first occurrence in the table is the first touch.
  for (const page of heat.page) {
    if (seen[page]) continue;
    seen[page] = 1;
    order[filled++] = page;
  }
  for (let page = 0; page < count; page++) if (!seen[page]) order[filled++] = page;
  firstTouches.set(heat.page, order);
  return order;
}

function resultOf(
  id: PolicyId,
  policy: PolicyKind,
  input: PlacementInput,
  problem: PlacementProblem,
  parallelism: Parallelism,
  tiers: readonly Tier[],
): PolicyResult {
  const decision = policy.decide(problem);
  const items = decision.unit === 'object' ? problem.objects : problem.pages;
  const traffic = trafficOf(items, decision.tier, tiers.length);
  const bytesInTier = new Float64Array(tiers.length);
  for (let item = 0; item < items.count; item++) bytesInTier[decision.tier[item]] += items.bytes[item];
  const slowdowns = [parallelism.low, parallelism.middle, parallelism.high].map(overlap => {
    const costs = lineCosts(tiers, overlap);
    return slowdown(stallNs(traffic, costs), input, costs);
  });
  const lines = input.totals.trafficReads + input.totals.trafficWrites;
  const fast = traffic.reads[problem.fastest] + traffic.writes[problem.fastest];
  return {
    id,
    modelledSlowdown: slowdowns[1],
    modelledSlowdownRange: [Math.min(...slowdowns), Math.max(...slowdowns)],
    ...(decision.boundNs === undefined
      ? {}
      : { modelledSlowdownBound: slowdown(decision.boundNs, input, problem.costs) }),
    fastTierHitRatio: lines === 0 ? 1 : fast / lines,
    migratedPages: 0,
    tierOfObject: decision.unit === 'object' ? decision.tier : tiersOfObjects(input, decision, problem.rest),
    bytesInTier,
  };
}

/** The oracle's figures are its bounds: each end of the range has its own, since a placement suits one parallelism. */
function oracleOf(
  result: PolicyResult,
  input: PlacementInput,
  problem: PlacementProblem,
  parallelism: Parallelism,
  tiers: readonly Tier[],
): PolicyResult {
  const ends = [parallelism.low, parallelism.high].map(overlap => {
    const costs = lineCosts(tiers, overlap);
    return slowdown(oracleBoundNs({ ...problem, costs }), input, costs);
  });
  const middle = result.modelledSlowdownBound!;
  return {
    ...result,
    modelledSlowdown: middle,
    modelledSlowdownRange: [Math.min(middle, ...ends), Math.max(middle, ...ends)],
  };
}

function slowdown(waitNs: number, input: PlacementInput, costs: LineCosts): number {
  const compute = Math.max(0, input.totals.modelledNs - input.memoryStallNs);
  const reference = compute + referenceStallNs(input.totals.trafficReads, input.totals.trafficWrites, costs);
  // Summed in another order, equal times may differ in their last bits: nothing is faster than the reference.
  return reference === 0 ? 1 : Math.max(1, (compute + waitNs) / reference);
}

function trafficOf(items: Items, tier: Uint8Array, tiers: number): TierTraffic {
  const reads = new Float64Array(tiers);
  const writes = new Float64Array(tiers);
  for (let item = 0; item < items.count; item++) {
    reads[tier[item]] += items.reads[item];
    writes[tier[item]] += items.writes[item];
  }
  return { reads, writes };
}

/** An object's tier under a policy for pages: that of all pages it has most of the accesses of, else `SPLIT`. */
function tiersOfObjects(input: PlacementInput, decision: PolicyDecision, rest: number): Uint8Array {
  const { objects, pages } = input;
  const tier = new Uint8Array(objects.count).fill(SPLIT);
  const seen = new Uint8Array(objects.count);
  for (let page = 0; page < pages.count; page++) {
    const object = pages.object[page];
    if (object >= objects.count) continue;
    tier[object] = !seen[object] || tier[object] === decision.tier[page] ? decision.tier[page] : SPLIT;
    seen[object] = 1;
  }
  // What was never touched takes no room anywhere.
  for (let object = 0; object < objects.count; object++) {
    if (!seen[object] && objects.touchedBytes[object] === 0) tier[object] = rest;
  }
  return tier;
}

/** Slowdowns that differ by less are equal: the assumptions of the model leave ranges several times as wide. */
const SAME_SLOWDOWN = 0.01;

/** The policy of least slowdown that one can have; the first in the table of equals. */
function recommend(results: readonly PolicyResult[]): string {
  const real = results.filter(result => !policies[result.id as PolicyId].yardstick);
  const least = Math.min(...real.map(result => result.modelledSlowdown));
  return real.find(result => result.modelledSlowdown <= least * (1 + SAME_SLOWDOWN))!.id;
}
