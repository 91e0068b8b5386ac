/**
 * The optimiser: items (objects or pages) into tiers of limited capacity, so that the time waited for memory is least.
 * A generalised assignment problem: with two tiers it is the knapsack, whose greedy order (stall saved per byte) is
 * exact once one item may be cut.
 *
 * Three steps:
 *  1. `relax`: prices per byte of each limited tier. For any prices the Lagrangian dual is a lower bound on every
 *     assignment, cut items included, whatever the prices' quality: the bound is proved, not estimated.
 *  2. `assign` starts from the greedy order and from the prices, and moves single items as long as that helps.
 *  3. `assign` then searches by branch and bound under the same prices, up to a fixed number of nodes (never a time,
 *     so that every machine finds the same). If the search ends, the assignment is optimal; if not, its distance from
 *     the bound is known.
 */
import { orderBy } from '../model/order.js';
import type { LineCosts } from './cost.js';

export interface Items {
  readonly count: number;
  /** What the item takes of a capacity. */
  readonly bytes: Float64Array;
  /** Traffic in lines. */
  readonly reads: Float64Array;
  readonly writes: Float64Array;
}

export interface Relaxation {
  /** ns per byte of each tier, 0 where capacity does not bind. */
  readonly prices: Float64Array;
  /** No assignment waits less than this, ns; exact for cut items where all tiers have one order of speed. */
  readonly boundNs: number;
}

export interface Assignment {
  /** Tier of each item. */
  readonly tier: Uint8Array;
  readonly stallNs: number;
  /** A proved lower bound, equal to `stallNs` when `optimal`. */
  readonly boundNs: number;
  /** True when no other assignment of whole items waits less. */
  readonly optimal: boolean;
}

/** Nodes that the search may visit: some 50 ms. A dozen items and three tiers need fewer. */
const SEARCH_NODES = 400_000;

/** Relative difference below which two times are the same. */
const SAME = 1e-12;

/**
 * @param capacity bytes of each tier; the one of `rest` is not looked at: it takes everything.
 * @param rest the tier that takes what the others do not.
 */
export function relax(items: Items, costs: LineCosts, capacity: readonly number[], rest: number): Relaxation {
  const tiers = capacity.length;
  const speed = tierOrder(items, costs);
  const prices = new Float64Array(tiers);
  const fastest = speed[0];
  const slowest = speed[tiers - 1];

  // Fill in the order of ns saved per byte, cutting items at the borders. At each border the item on it is worth the
  // same on both sides: that is the price of a byte.
  const order = byDensity(items, costs, fastest, slowest);
  const border: number[] = [];
  let at = 0;
  let used = 0;
  for (const tier of speed) {
    if (tier === rest) break;
    let left = capacity[tier];
    while (at < order.length && items.bytes[order[at]] - used <= left) {
      left -= items.bytes[order[at]] - used;
      used = 0;
      at++;
    }
    used += left;
    border.push(at < order.length ? order[at] : -1);
  }
  for (let rank = border.length - 1; rank >= 0; rank--) {
    const item = border[rank];
    if (item < 0) continue;
    const here = costOf(items, costs, item, speed[rank]);
    const next = costOf(items, costs, item, speed[rank + 1]);
    prices[speed[rank]] = prices[speed[rank + 1]] + Math.max(0, next - here) / items.bytes[item];
  }
  return { prices, boundNs: Math.max(0, dual(items, costs, capacity, prices, rest)) };
}

/**
 * The tiers from the fastest to the slowest for the items' whole traffic.
 * Equally fast ones stay in the order given.
 */
export function tierOrder(items: Items, costs: LineCosts): number[] {
  const reads = sum(items.reads);
  const writes = sum(items.writes);
  const total = costs.read.map((read, tier) => (reads + writes > 0 ? reads * read + writes * costs.write[tier] : read));
  return total.map((_, tier) => tier).sort((a, b) => total[a] - total[b] || a - b);
}

/**
 * The last orders of the items with this column of reads: capacities, and many changes of costs, leave one of them as it
 * is. To see that takes a tenth of sorting anew.
 */
const lastOrders = new WeakMap<Float64Array, readonly Uint32Array[]>();
/** One for each parallelism, and one of the tiers before. */
const ORDERS_KEPT = 4;

/** Items with traffic and bytes, by ns saved per byte between the two tiers, best first; ties by number. */
export function byDensity(items: Items, costs: LineCosts, fast: number, slow: number): Uint32Array {
  const used = new Uint32Array(items.count);
  // What is not used is of no order: no comparison with it holds.
  const density = new Float64Array(items.count).fill(Number.NaN);
  let count = 0;
  for (let item = 0; item < items.count; item++) {
    if (items.bytes[item] === 0 || items.reads[item] + items.writes[item] === 0) continue;
    density[item] = (costOf(items, costs, item, slow) - costOf(items, costs, item, fast)) / items.bytes[item];
    used[count++] = item;
  }
  const last = lastOrders.get(items.reads) ?? [];
  const known = last.find(order => order.length === count && inOrder(order, density));
  if (known) return known;
  const keys = Float64Array.from(used.subarray(0, count), item => density[item]);
  const order = orderBy(keys, true).map(row => used[row]);
  lastOrders.set(items.reads, [order, ...last.slice(0, ORDERS_KEPT - 1)]);
  return order;
}

function inOrder(order: Uint32Array, density: Float64Array): boolean {
  for (let i = 0; i < order.length; i++) {
    const here = density[order[i]];
    const before = i === 0 ? Number.POSITIVE_INFINITY : density[order[i - 1]];
    if (!(here < before || (here === before && order[i - 1] < order[i]))) return false;
  }
  return true;
}

/** @throws RangeError when the columns disagree in length. */
export function assign(items: Items, costs: LineCosts, capacity: readonly number[], rest: number): Assignment {
  for (const column of [items.bytes, items.reads, items.writes]) {
    if (column.length !== items.count) throw new RangeError(`expected ${items.count} items, got ${column.length}`);
  }
  const { prices, boundNs } = relax(items, costs, capacity, rest);
  const speed = tierOrder(items, costs);
  const order = byDensity(items, costs, speed[0], speed[speed.length - 1]);

  // What has no traffic loses nothing in the tier that takes the rest; what takes no bytes fits anywhere.
  const base = new Uint8Array(items.count).fill(rest);
  for (let item = 0; item < items.count; item++) {
    if (items.bytes[item] === 0 && items.reads[item] + items.writes[item] > 0) {
      base[item] = cheapest(items, costs, item, null);
    }
  }
  const candidates = [null, prices].map(price => {
    const tier = fill(items, costs, capacity, rest, order, base, price);
    improve(items, costs, capacity, rest, order, tier);
    return tier;
  });
  const stalls = candidates.map(tier => stallOf(items, costs, tier));
  const start = stalls[1] < stalls[0] ? 1 : 0;
  return search(items, costs, capacity, rest, order, candidates[start], stalls[start], prices, boundNs);
}

/** ns that an item waits in a tier. */
function costOf(items: Items, costs: LineCosts, item: number, tier: number): number {
  return items.reads[item] * costs.read[tier] + items.writes[item] * costs.write[tier];
}

function sum(column: Float64Array): number {
  let total = 0;
  for (let row = 0; row < column.length; row++) total += column[row];
  return total;
}

function stallOf(items: Items, costs: LineCosts, tier: Uint8Array): number {
  let total = 0;
  for (let item = 0; item < items.count; item++) total += costOf(items, costs, item, tier[item]);
  return total;
}

/** Sum over items of the least priced cost, less what the capacities are worth. */
function dual(items: Items, costs: LineCosts, capacity: readonly number[], prices: Float64Array, rest: number): number {
  let total = 0;
  for (let item = 0; item < items.count; item++) {
    let least = Number.POSITIVE_INFINITY;
    for (let tier = 0; tier < capacity.length; tier++) {
      least = Math.min(least, costOf(items, costs, item, tier) + prices[tier] * items.bytes[item]);
    }
    total += least;
  }
  for (let tier = 0; tier < capacity.length; tier++) {
    if (tier !== rest) total -= prices[tier] * capacity[tier];
  }
  return total;
}

/** The tier of least cost, priced when prices are given; the first of equals. */
function cheapest(items: Items, costs: LineCosts, item: number, prices: Float64Array | null): number {
  let found = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let tier = 0; tier < costs.read.length; tier++) {
    const cost = costOf(items, costs, item, tier) + (prices ? prices[tier] * items.bytes[item] : 0);
    if (cost < least) {
      found = tier;
      least = cost;
    }
  }
  return found;
}

/** Each item, in order, into the tier of least (priced) cost among those with room. */
function fill(
  items: Items,
  costs: LineCosts,
  capacity: readonly number[],
  rest: number,
  order: Uint32Array,
  base: Uint8Array,
  prices: Float64Array | null,
): Uint8Array {
  const tier = base.slice();
  const room = Float64Array.from(capacity);
  for (const item of order) {
    let found = rest;
    let least = costOf(items, costs, item, rest) + (prices ? prices[rest] * items.bytes[item] : 0);
    for (let t = 0; t < capacity.length; t++) {
      if (t === rest || items.bytes[item] > room[t]) continue;
      const cost = costOf(items, costs, item, t) + (prices ? prices[t] * items.bytes[item] : 0);
      if (cost < least) {
        found = t;
        least = cost;
      }
    }
    tier[item] = found;
    if (found !== rest) room[found] -= items.bytes[item];
  }
  return tier;
}

/** Moves single items to a faster tier with room until none gains: at most a few passes, since each pass only gains. */
function improve(
  items: Items,
  costs: LineCosts,
  capacity: readonly number[],
  rest: number,
  order: Uint32Array,
  tier: Uint8Array,
): void {
  const room = Float64Array.from(capacity);
  for (const item of order) if (tier[item] !== rest) room[tier[item]] -= items.bytes[item];
  for (let moved = true; moved; ) {
    moved = false;
    for (const item of order) {
      let found = tier[item];
      let least = costOf(items, costs, item, found);
      for (let t = 0; t < capacity.length; t++) {
        if (t !== rest && items.bytes[item] > room[t]) continue;
        const cost = costOf(items, costs, item, t);
        if (cost < least) {
          found = t;
          least = cost;
        }
      }
      if (found === tier[item]) continue;
      if (tier[item] !== rest) room[tier[item]] += items.bytes[item];
      if (found !== rest) room[found] -= items.bytes[item];
      tier[item] = found;
      moved = true;
    }
  }
}

/**
 * Depth first over the items, those whose tier the prices leave least in doubt first, so that a search that does not
 * end has at least tried the close calls. A branch is cut when its fixed items' priced costs plus the least of the
 * others cannot beat the best assignment known.
 */
function search(
  items: Items,
  costs: LineCosts,
  capacity: readonly number[],
  rest: number,
  order: Uint32Array,
  start: Uint8Array,
  startStallNs: number,
  prices: Float64Array,
  boundNs: number,
): Assignment {
  const tiers = capacity.length;
  const count = order.length;

  // Priced cost of each item in each tier, and the tiers in that order.
  const priced = new Float64Array(count * tiers);
  const doubt = new Float64Array(count);
  const choices = new Uint8Array(count * tiers);
  const rank = Array.from({ length: tiers }, (_, tier) => tier);
  for (let i = 0; i < count; i++) {
    const item = order[i];
    for (let t = 0; t < tiers; t++) {
      priced[i * tiers + t] = costOf(items, costs, item, t) + prices[t] * items.bytes[item];
    }
    rank.sort((a, b) => priced[i * tiers + a] - priced[i * tiers + b] || a - b);
    choices.set(rank, i * tiers);
    doubt[i] = priced[i * tiers + rank[1]] - priced[i * tiers + rank[0]];
  }
  const sequence = Uint32Array.from(order.keys()).sort((a, b) => doubt[b] - doubt[a] || a - b);

  // rest of the bound below depth d, and what the capacities are worth.
  const below = new Float64Array(count + 1);
  for (let d = count - 1; d >= 0; d--) {
    const i = sequence[d];
    below[d] = below[d + 1] + priced[i * tiers + choices[i * tiers]];
  }
  let worth = 0;
  for (let t = 0; t < tiers; t++) if (t !== rest) worth += prices[t] * capacity[t];

  const best = start.slice();
  // Items outside the order (no bytes) cost the same in every branch.
  let fixedNs = 0;
  const inOrder = new Uint8Array(items.count);
  for (const item of order) inOrder[item] = 1;
  for (let item = 0; item < items.count; item++) if (!inOrder[item]) fixedNs += costOf(items, costs, item, start[item]);
  let bestNs = startStallNs - fixedNs;
  const tolerance = SAME * Math.max(1, startStallNs);

  const room = Float64Array.from(capacity);
  room[rest] = Number.POSITIVE_INFINITY;
  const next = new Uint8Array(count + 1);
  const chosen = new Uint8Array(count);
  const spent = new Float64Array(count + 1); // priced cost of the fixed items
  const actual = new Float64Array(count + 1); // their cost without prices
  let nodes = 0;
  let depth = 0;
  let ended = true;
  while (depth >= 0) {
    if (depth === count || next[depth] === tiers) {
      if (depth === count && actual[count] < bestNs - tolerance) {
        bestNs = actual[count];
        for (let d = 0; d < count; d++) best[order[sequence[d]]] = chosen[d];
      }
      next[depth] = 0;
      depth--;
      if (depth >= 0) room[chosen[depth]] += items.bytes[order[sequence[depth]]];
      continue;
    }
    const i = sequence[depth];
    const item = order[i];
    const tier = choices[i * tiers + next[depth]++];
    if (items.bytes[item] > room[tier]) continue;
    const cost = spent[depth] + priced[i * tiers + tier];
    // Choices come in ascending priced cost: what cannot win here cannot win further on.
    if (cost + below[depth + 1] - worth >= bestNs - tolerance) {
      next[depth] = tiers;
      continue;
    }
    if (++nodes > SEARCH_NODES) {
      ended = false;
      break;
    }
    chosen[depth] = tier;
    room[tier] -= items.bytes[item];
    spent[depth + 1] = cost;
    actual[depth + 1] = actual[depth] + costOf(items, costs, item, tier);
    depth++;
  }
  const stallNs = bestNs + fixedNs;
  return { tier: best, stallNs, boundNs: ended ? stallNs : Math.min(boundNs, stallNs), optimal: ended };
}
