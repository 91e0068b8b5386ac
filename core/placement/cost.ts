/**
 * The cost model: what a placement does to the modelled run time (mechanisms.md I.3, first formula).
 *
 *   run time = compute + sum over tiers of (line reads x read cost + line writes x write cost)
 *   cost of a line in a tier = max(latency / parallelism, 64 bytes / bandwidth)
 *
 * `compute` is everything but waiting for memory behind the last-level cache. Parallelism (memory-level parallelism,
 * MLP) is how many misses the core overlaps: 1 when every load waits for the one before (a list walk), about 10 when
 * the line-fill buffers of a core are full (a stream). The trace does not tell, so results are a range over it. The
 * transfer time is a floor under each line: no overlap makes a line arrive faster than the tier can send it.
 *
 * The sum has one term a line, so the cost of a placement is the sum of the costs of its objects or pages: that is
 * what makes an exact optimum and a proved bound possible (assign.ts).
 */
import { costsOf, costs as machineCosts } from '../machine/costs.js';
import * as l10n from '../model/l10n.js';
import type { Tier } from '../model/profile.js';

const LINE_BYTES = 64;

/** Misses in flight on average. */
export interface Parallelism {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/**
 * A choice, not a measurement: from a chain of dependent loads to about the line-fill buffers of an x86 core. The
 * middle is the machine model's own, so that a tier equal to its memory changes nothing.
 */
export const defaultParallelism: Parallelism = { low: 1, middle: machineCosts.memoryLevelParallelism.value, high: 10 };

/** The part of the modelled run time that a machine (id of its preset) waits for its own memory, ns. */
export function machineStallNs(machine: string, trafficReads: number): number {
  const { memoryLatencyNs, memoryLevelParallelism } = costsOf(machine);
  return (trafficReads * memoryLatencyNs) / memoryLevelParallelism;
}

/** ns per line that a tier serves, one entry a tier. */
export interface LineCosts {
  readonly read: readonly number[];
  readonly write: readonly number[];
}

/** @param parallelism misses in flight, 1 or more. */
export function lineCosts(tiers: readonly Tier[], parallelism: number): LineCosts {
  // 1 GB/s is 1 byte per ns.
  return {
    read: tiers.map(tier => Math.max(tier.readLatencyNs / parallelism, LINE_BYTES / tier.readBandwidthGBps)),
    write: tiers.map(tier => Math.max(tier.writeLatencyNs / parallelism, LINE_BYTES / tier.writeBandwidthGBps)),
  };
}

/** Lines that each tier served, one entry a tier. */
export interface TierTraffic {
  readonly reads: Float64Array;
  readonly writes: Float64Array;
}

/** Time waited for memory, ns. */
export function stallNs(traffic: TierTraffic, costs: LineCosts): number {
  let sum = 0;
  for (let tier = 0; tier < traffic.reads.length; tier++) {
    sum += traffic.reads[tier] * costs.read[tier] + traffic.writes[tier] * costs.write[tier];
  }
  return sum;
}

/** The tier that serves this mix of lines fastest when it holds all of them; the first of equals. */
export function fastestTier(reads: number, writes: number, costs: LineCosts): number {
  return extremeTier(reads, writes, costs, (cost, best) => cost < best);
}

/** The tier that serves this mix of lines slowest; the last of equals. */
export function slowestTier(reads: number, writes: number, costs: LineCosts): number {
  return extremeTier(reads, writes, costs, (cost, worst) => cost >= worst);
}

function extremeTier(
  reads: number,
  writes: number,
  costs: LineCosts,
  better: (cost: number, best: number) => boolean,
): number {
  // A run without traffic is judged by its loads: some tier must still be called the fastest.
  const lines = reads + writes > 0 ? { reads, writes } : { reads: 1, writes: 0 };
  let found = 0;
  let best = lines.reads * costs.read[0] + lines.writes * costs.write[0];
  for (let tier = 1; tier < costs.read.length; tier++) {
    const cost = lines.reads * costs.read[tier] + lines.writes * costs.write[tier];
    if (better(cost, best)) {
      found = tier;
      best = cost;
    }
  }
  return found;
}

/**
 * What every slowdown is relative to, ns: each line served by the tier that serves it fastest, capacities ignored. Where one
 * tier is the fastest for loads and stores alike, as in all presets, that is everything in the fastest tier. No
 * placement is below it, so a slowdown is never below 1.
 */
export function referenceStallNs(reads: number, writes: number, costs: LineCosts): number {
  return reads * Math.min(...costs.read) + writes * Math.min(...costs.write);
}

/** The model's assumptions for a report, one sentence each. */
export function assumptionsOf(tiers: readonly Tier[], parallelism: Parallelism, fastest: number): string[] {
  const sentences = [
    l10n.kept(
      'Run time is compute plus one wait for each 64-byte line that misses the modelled last-level cache; traffic, not accesses, is placed.',
    ),
    l10n.kept(
      'A line waits for the latency of its tier divided by the misses in flight: {0} in the middle, {1} to {2} for the range.',
      parallelism.middle,
      parallelism.low,
      parallelism.high,
    ),
    l10n.kept(
      'No line arrives faster than 64 bytes over the bandwidth of its tier; latencies are idle ones and do not rise with load.',
    ),
    l10n.kept(
      'Write-backs wait like loads, at the store latency of their tier; a processor that hides them is at the lower end of the range.',
    ),
    l10n.kept('Every slowdown is relative to the same run with unlimited capacity in the fastest tier.'),
    l10n.kept(
      'Objects are placed whole and for the whole run; first-touch, interleave and the oracle place pages. Nothing migrates.',
    ),
  ];
  if (fastest !== 0) {
    sentences.push(
      l10n.kept(
        'For this run {0} is faster than {1}: it waits for latency ({2} against {3} ns a load), not for bandwidth.',
        tiers[fastest].name,
        tiers[0].name,
        tiers[fastest].readLatencyNs,
        tiers[0].readLatencyNs,
      ),
    );
  }
  return sentences;
}
