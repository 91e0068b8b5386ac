/** The optimiser against every assignment there is. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assign, type Items, relax } from '../../core/placement/assign.js';
import type { LineCosts } from '../../core/placement/cost.js';

interface Item {
  readonly bytes: number;
  readonly reads: number;
  readonly writes: number;
}

function items(rows: readonly Item[]): Items {
  return {
    count: rows.length,
    bytes: Float64Array.from(rows, row => row.bytes),
    reads: Float64Array.from(rows, row => row.reads),
    writes: Float64Array.from(rows, row => row.writes),
  };
}

/** Least wait over all assignments of whole items that fit, by trying every one. */
function bruteForce(rows: readonly Item[], costs: LineCosts, capacity: readonly number[]): number {
  const rest = capacity.length - 1;
  const room = [...capacity];
  let best = Number.POSITIVE_INFINITY;
  const visit = (index: number, wait: number): void => {
    if (index === rows.length) {
      best = Math.min(best, wait);
      return;
    }
    for (let tier = 0; tier < capacity.length; tier++) {
      if (tier !== rest && rows[index].bytes > room[tier]) continue;
      room[tier] -= rows[index].bytes;
      visit(index + 1, wait + rows[index].reads * costs.read[tier] + rows[index].writes * costs.write[tier]);
      room[tier] += rows[index].bytes;
    }
  };
  visit(0, 0);
  return best;
}

function check(rows: readonly Item[], costs: LineCosts, capacity: readonly number[]): void {
  const { tier, stallNs, boundNs, optimal } = assign(items(rows), costs, capacity, capacity.length - 1);
  const used = capacity.map(() => 0);
  let wait = 0;
  rows.forEach((row, index) => {
    used[tier[index]] += row.bytes;
    wait += row.reads * costs.read[tier[index]] + row.writes * costs.write[tier[index]];
  });
  for (let t = 0; t < capacity.length - 1; t++) expect(used[t]).toBeLessThanOrEqual(capacity[t]);
  const best = bruteForce(rows, costs, capacity);
  expect(wait).toBeCloseTo(stallNs, 6);
  expect(optimal).toBe(true);
  expect(stallNs).toBeCloseTo(best, 6);
  expect(boundNs).toBeLessThanOrEqual(best + 1e-6);
  const relaxed = relax(items(rows), costs, capacity, capacity.length - 1);
  expect(relaxed.boundNs).toBeLessThanOrEqual(best * (1 + 1e-12) + 1e-9);
}

const row = fc.record({
  bytes: fc.integer({ min: 0, max: 40 }),
  reads: fc.integer({ min: 0, max: 1000 }),
  writes: fc.integer({ min: 0, max: 1000 }),
});
const cost = fc.integer({ min: 1, max: 400 });

describe('assign', () => {
  test('a hand-worked knapsack: two smaller items beat the one that is best per byte', () => {
    // Capacity 10. Saved per line: 1 ns. 6 bytes saving 60 is best per byte, but 5 + 5 bytes save 45 + 45.
    const rows = [
      { bytes: 6, reads: 60, writes: 0 },
      { bytes: 5, reads: 45, writes: 0 },
      { bytes: 5, reads: 45, writes: 0 },
    ];
    const costs = { read: [1, 2], write: [1, 2] };
    const { tier, stallNs, optimal } = assign(items(rows), costs, [10, 0], 1);
    expect([...tier]).toEqual([1, 0, 0]);
    expect(stallNs).toBe(60 * 2 + 45 + 45);
    expect(optimal).toBe(true);
    // With cutting allowed: all of the first, 4/5 of a second; saved 60 + 36, of 300 in the slow tier.
    expect(relax(items(rows), costs, [10, 0], 1).boundNs).toBeCloseTo(300 - 96, 9);
  });

  test('writes are worth their own latency: the written item gets the tier that stores fast', () => {
    const rows = [
      { bytes: 10, reads: 100, writes: 0 },
      { bytes: 10, reads: 0, writes: 90 },
    ];
    // Loads save 1 ns a line, stores 5.
    const { tier } = assign(items(rows), { read: [1, 2], write: [1, 6] }, [10, 0], 1);
    expect([...tier]).toEqual([1, 0]);
  });

  test('what has no traffic goes to the tier that takes the rest, even where there is room', () => {
    const rows = [{ bytes: 1, reads: 0, writes: 0 }];
    expect([...assign(items(rows), { read: [1, 2], write: [1, 2] }, [10, 0], 1).tier]).toEqual([1]);
  });

  test('a limited first tier that is slower than the last stays empty', () => {
    const rows = [{ bytes: 1, reads: 5, writes: 5 }];
    expect([...assign(items(rows), { read: [130, 111], write: [130, 111] }, [10, 0], 1).tier]).toEqual([1]);
  });

  test('two tiers: no assignment of whole items waits less, and the bound holds', () => {
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 11 }),
        fc.tuple(cost, cost, cost, cost),
        fc.integer({ min: 0, max: 150 }),
        (rows, [a, b, c, d], capacity) => check(rows, { read: [a, b], write: [c, d] }, [capacity, 0]),
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  test('three and four tiers, in any order of speed: the same', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 3, max: 4 })
          .chain(tiers =>
            fc.tuple(
              fc.array(row, { maxLength: 6 }),
              fc.array(cost, { minLength: tiers, maxLength: tiers }),
              fc.array(cost, { minLength: tiers, maxLength: tiers }),
              fc.array(fc.integer({ min: 0, max: 60 }), { minLength: tiers, maxLength: tiers }),
            ),
          ),
        ([rows, read, write, capacity]) => check(rows, { read, write }, capacity),
      ),
      { numRuns: 200, seed: 2 },
    );
  });

  test('a thousand items: fits, says whether it is proved, and is within 1 % of the bound', () => {
    // A fixed linear congruential sequence, so that the case is the same everywhere.
    let state = 12345;
    const next = (limit: number) => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return 1 + (state % limit);
    };
    const rows = Array.from({ length: 1000 }, () => ({ bytes: next(1e6), reads: next(1e5), writes: next(1e4) }));
    const { tier, stallNs, boundNs } = assign(
      items(rows),
      { read: [30, 28, 54], write: [30, 28, 54] },
      [5e7, 2e8, 0],
      2,
    );
    const used = [0, 0, 0];
    rows.forEach((r, index) => {
      used[tier[index]] += r.bytes;
    });
    expect(used[0]).toBeLessThanOrEqual(5e7);
    expect(used[1]).toBeLessThanOrEqual(2e8);
    expect(stallNs).toBeGreaterThanOrEqual(boundNs);
    expect(stallNs).toBeLessThanOrEqual(boundNs * 1.01);
  });

  test('columns of different length are refused with both numbers', () => {
    const bad = { count: 2, bytes: new Float64Array(2), reads: new Float64Array(1), writes: new Float64Array(2) };
    expect(() => assign(bad, { read: [1, 2], write: [1, 2] }, [1, 1], 1)).toThrow('expected 2 items, got 1');
  });
});
