/**
 * What a placement policy is: a pure function from what the run did to a tier for every object or every page. One file
 * a policy, one line in the table (policies.ts). A policy never computes its own slowdown: `place` judges all by the
 * same cost model, so that a comparison compares placements alone.
 */
import type { Items } from './assign.js';
import type { LineCosts } from './cost.js';

/** Everything that a policy may look at. Tiers are numbered as the tier set lists them. */
export interface PlacementProblem {
  readonly objects: Items;
  /** Every page's `bytes` is the page size. */
  readonly pages: Items;
  readonly pageSize: number;
  /** Rows of `pages` in the order in which the run first touched them. */
  readonly firstTouch: Uint32Array;
  /** Virtual page number of each page row. */
  readonly pageNumber: Float64Array;
  /** Costs in the middle of the parallelism range, ns per line. */
  readonly costs: LineCosts;
  /** Bytes of each tier. */
  readonly capacity: readonly number[];
  /** The tier that takes what the others do not: the last. */
  readonly rest: number;
  /** For this run's traffic as a whole. */
  readonly fastest: number;
  readonly slowest: number;
}

export interface PolicyDecision {
  /** What `tier` has a row for. */
  readonly unit: 'object' | 'page';
  readonly tier: Uint8Array;
  /** For policies that know it: no placement of the kind waits less than this, ns. */
  readonly boundNs?: number;
}

export interface PolicyKind {
  readonly label: string;
  /** One sentence: what it decides by. */
  readonly summary: string;
  /** A yardstick rather than something that one can have: it ignores capacity or knows the future. Never recommended. */
  readonly yardstick: boolean;
  decide(problem: PlacementProblem): PolicyDecision;
}
