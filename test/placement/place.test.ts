/** Policies and slowdowns: a program of four arrays worked by hand, and properties that hold for every run. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../core/errors.js';
import type { Profile, Tier } from '../../core/model/profile.js';
import { kneeOf } from '../../core/placement/capacityCurve.js';
import { type PlacementInput, place, SPLIT } from '../../core/placement/place.js';
import { placeObjects } from '../../core/placement/place-objects.js';
import { policies } from '../../core/placement/policies.js';
import { sizedTiers, tierSet } from '../../core/placement/tiers.js';

const PAGE = 4096;

interface ArrayOf {
  readonly pages: number;
  readonly reads: number;
  readonly writes: number;
}

/** Arrays that lie one behind the other, their traffic spread evenly; touched in the order given (rows of `arrays`). */
function run(arrays: readonly ArrayOf[], touched: readonly number[], modelledNs: number, memoryStallNs: number) {
  const pages = arrays.flatMap((array, object) =>
    Array.from({ length: array.pages }, () => ({
      object,
      reads: array.reads / array.pages,
      writes: array.writes / array.pages,
    })),
  );
  const first = (object: number) => arrays.slice(0, object).reduce((sum, array) => sum + array.pages, 0);
  const bins = touched.map(object => Array.from({ length: arrays[object].pages }, (_, page) => first(object) + page));
  const start = [0];
  for (const bin of bins) start.push(start[start.length - 1] + bin.length);
  const column = (values: readonly number[]) => Float64Array.from(values);
  return {
    objects: {
      count: arrays.length,
      trafficReads: column(arrays.map(array => array.reads)),
      trafficWrites: column(arrays.map(array => array.writes)),
      touchedBytes: column(arrays.map(array => array.pages * PAGE)),
    },
    pages: {
      count: pages.length,
      number: column(pages.map((_, page) => 1000 + page)),
      trafficReads: column(pages.map(page => page.reads)),
      trafficWrites: column(pages.map(page => page.writes)),
      object: Uint32Array.from(pages, page => page.object),
    },
    totals: {
      modelledNs,
      trafficReads: arrays.reduce((sum, array) => sum + array.reads, 0),
      trafficWrites: arrays.reduce((sum, array) => sum + array.writes, 0),
    },
    pageSize: PAGE,
    memoryStallNs,
    heat: { start: column(start), page: Uint32Array.from(bins.flat()) },
  } satisfies PlacementInput;
}

/** 100 pages each: read often, written half the time, read now and then, never out of the cache. */
const fourArrays = [
  { pages: 100, reads: 100_000, writes: 0 },
  { pages: 100, reads: 50_000, writes: 49_000 },
  { pages: 100, reads: 10_000, writes: 0 },
  { pages: 100, reads: 0, writes: 0 },
];
const all = Object.keys(policies);

describe('four arrays on DRAM (111 ns) for a quarter and CXL (214 ns)', () => {
  const input = run(fourArrays, [3, 2, 1, 0], 10e6, 2e6);
  const tiers = sizedTiers(tierSet('dram-cxl'), [], 400 * PAGE);
  const placement = place(input, tiers, all);
  const policy = (id: string) => placement.policies.find(result => result.id === id)!;
  // With four misses in flight a line waits 27.75 or 53.5 ns. 209,000 lines; compute is 10 - 2 = 8 ms.
  const reference = 8e6 + 209_000 * 27.75;

  test('static-optimal puts the array of most traffic into DRAM', () => {
    const { tierOfObject, modelledSlowdown, fastTierHitRatio, bytesInTier } = policy('static-optimal');
    expect([...tierOfObject]).toEqual([0, 1, 1, 1]);
    expect(modelledSlowdown).toBeCloseTo((8e6 + 100_000 * 27.75 + 109_000 * 53.5) / reference, 12);
    expect(fastTierHitRatio).toBeCloseTo(100 / 209, 12);
    expect([...bytesInTier]).toEqual([100 * PAGE, 300 * PAGE]);
  });

  test('the range is that of one and of ten misses in flight', () => {
    const at = (fast: number, slow: number) => (8e6 + 100_000 * fast + 109_000 * slow) / (8e6 + 209_000 * fast);
    const [low, high] = policy('static-optimal').modelledSlowdownRange;
    expect(low).toBeCloseTo(at(11.1, 21.4), 12);
    expect(high).toBeCloseTo(at(111, 214), 12);
  });

  test('first-touch fills DRAM with the array that was touched first, whose lines never leave the cache', () => {
    const { tierOfObject, modelledSlowdown } = policy('first-touch');
    expect([...tierOfObject]).toEqual([1, 1, 1, 0]);
    expect(modelledSlowdown).toBeCloseTo((8e6 + 209_000 * 53.5) / reference, 12);
  });

  test('interleave gives DRAM the even pages of the first two arrays, then it is full', () => {
    const { tierOfObject, modelledSlowdown } = policy('interleave');
    expect([...tierOfObject]).toEqual([1, 1, SPLIT, SPLIT]);
    expect(modelledSlowdown).toBeCloseTo((8e6 + 5_000 * 27.75 + 204_000 * 53.5) / reference, 12);
  });

  test('all-fast is 1 and all-slow has every line at the CXL latency', () => {
    expect(policy('all-fast').modelledSlowdown).toBe(1);
    expect(policy('all-slow').modelledSlowdown).toBeCloseTo((8e6 + 209_000 * 53.5) / reference, 12);
  });

  test('the oracle has nothing to gain over whole objects here, and static-optimal is recommended', () => {
    expect(placement.oracle.modelledSlowdown).toBeCloseTo(policy('static-optimal').modelledSlowdown, 12);
    expect(placement.oracle.tierOfObject).toEqual(Uint8Array.of(0, 1, 1, 1));
    expect(placement.recommended).toBe('static-optimal');
  });

  test('the worth of capacity: 1,000 lines a page, then 990, then 100, then nothing', () => {
    const curve = placement.capacityCurve!;
    const linesAt = (count: number) =>
      1000 * Math.min(count, 100) +
      990 * Math.min(Math.max(count - 100, 0), 100) +
      100 * Math.min(Math.max(count - 200, 0), 100);
    const at = (count: number) => (8e6 + linesAt(count) * 27.75 + (209_000 - linesAt(count)) * 53.5) / reference;
    expect(curve.tier).toBe(0);
    expect(curve.capacityBytes).toEqual(Array.from({ length: 33 }, (_, i) => 12.5 * i * PAGE));
    for (const [i, slowdown] of curve.modelledSlowdown.entries()) expect(slowdown).toBeCloseTo(at(12.5 * i), 10);
    // From 200 of the 400 pages on a page is worth a tenth of what it was before.
    expect(curve.knee).toBe(16);
    // 1.56 MiB / 64 = 25,600 bytes; the next power of two are 8 pages.
    expect(curve.stepBytes).toBe(8 * PAGE);
    for (const [own, count] of [
      [curve.atLess, 92],
      [curve.at, 100],
      [curve.atMore, 108],
    ] as const)
      expect(own).toBeCloseTo(at(count), 10);
  });

  test('a straight line has no knee, nor has a run that capacity does nothing for', () => {
    expect(kneeOf([3, 2.5, 2, 1.5, 1])).toBeNull();
    expect(kneeOf([1.0005, 1, 1])).toBeNull();
    expect(kneeOf([3, 1.5, 1.25, 1.1, 1])).toBe(1);
  });

  test('the oracle is no entry of the list, which holds what was asked for in the order of the table', () => {
    expect(placement.policies.map(result => result.id)).toEqual(all.filter(id => id !== 'oracle'));
    const chosen = place(input, tiers, ['all-slow', 'first-touch']);
    expect(chosen.policies.map(result => result.id)).toEqual(['first-touch', 'all-slow']);
    expect(chosen.recommended).toBe('first-touch');
    expect(place(input, tiers, ['oracle', 'all-slow']).recommended).toBe('static-optimal');
  });
});

describe('an array larger than DRAM', () => {
  // 100 pages, DRAM for 25 of them: whole it waits 40,000 x 53.5 ns, by first touch a quarter of it 27.75 ns.
  const placed = (modelledNs: number) =>
    place(
      run([{ pages: 100, reads: 40_000, writes: 0 }], [0], modelledNs, 0),
      sizedTiers(tierSet('dram-cxl'), [], 100 * PAGE),
      ['static-optimal', 'first-touch'],
    );

  test('is split by the recommended policy where that gains', () => {
    expect(placed(1e6).recommended).toBe('first-touch');
  });

  test('stays whole where the difference is below a hundredth, which the model cannot tell', () => {
    // 10,000 lines x 25.75 ns = 0.26 ms of 100 ms.
    const { recommended, policies: results } = placed(100e6);
    const [whole, split] = results.map(result => result.modelledSlowdown);
    expect(whole / split).toBeGreaterThan(1.002);
    expect(recommended).toBe('static-optimal');
  });
});

describe('other tiers', () => {
  test('where stores are slower than loads, the written array goes to DRAM', () => {
    const tiers: Tier[] = [
      { ...sizedTiers(tierSet('dram-cxl'), [], 0)[0], capacityBytes: 100 * PAGE },
      {
        id: 'flash',
        name: 'flash',
        capacityBytes: 400 * PAGE,
        readLatencyNs: 214,
        writeLatencyNs: 2000,
        readBandwidthGBps: 10,
        writeBandwidthGBps: 10,
        relativeCostPerGB: 0.1,
      },
    ];
    const placement = place(run(fourArrays, [0, 1, 2, 3], 10e6, 0), tiers, all);
    const best = placement.policies.find(result => result.id === 'static-optimal')!;
    expect([...best.tierOfObject]).toEqual([1, 0, 1, 1]);
  });

  test('a line is never faster than its tier can send it', () => {
    const slow = { ...tierSet('dram-cxl').tiers[1], readBandwidthGBps: 0.1, writeBandwidthGBps: 0.1, capacityBytes: 0 };
    const fast = { ...tierSet('dram-cxl').tiers[0], capacityBytes: 0 };
    const placement = place(run([{ pages: 1, reads: 1000, writes: 0 }], [0], 0, 0), [fast, slow], ['all-slow']);
    // 64 bytes at 0.1 GB/s are 640 ns, whatever is in flight; DRAM needs 111, 27.75 and 11.1 ns.
    const { modelledSlowdown, modelledSlowdownRange } = placement.policies.find(p => p.id === 'all-slow')!;
    expect(modelledSlowdown).toBeCloseTo(640 / 27.75, 9);
    expect(modelledSlowdownRange[0]).toBeCloseTo(640 / 111, 9);
    expect(modelledSlowdownRange[1]).toBeCloseTo(640 / 11.1, 9);
  });

  test('HBM of higher latency than DRAM gains a run that waits for latency nothing, and the report says so', () => {
    const input = run(fourArrays, [0, 1, 2, 3], 10e6, 0);
    const placement = place(input, sizedTiers(tierSet('hbm-dram'), [], 400 * PAGE), all);
    const best = placement.policies.find(result => result.id === 'static-optimal')!;
    expect([...best.tierOfObject]).toEqual([1, 1, 1, 1]);
    expect(best.modelledSlowdown).toBe(1);
    expect(placement.fastestTier).toBe(1);
    expect(placement.assumptions.at(-1)).toContain('For this run DRAM is faster than HBM');
  });

  test('a run without traffic is as fast anywhere', () => {
    const input = run([{ pages: 3, reads: 0, writes: 0 }], [0], 5e6, 0);
    for (const result of place(input, sizedTiers(tierSet('hbm-dram-cxl'), [], 3 * PAGE), all).policies) {
      expect(result.modelledSlowdown).toBe(1);
      expect(result.fastTierHitRatio).toBe(1);
    }
  });

  test('misuse is told with the numbers', () => {
    const input = run(fourArrays, [0, 1, 2, 3], 10e6, 0);
    expect(() => place(input, sizedTiers(tierSet('dram-cxl'), [], 0).slice(0, 1), all)).toThrow(
      'expected at least 2 tiers, got 1',
    );
    expect(() => place(input, sizedTiers(tierSet('dram-cxl'), [], 0), ['hottest'])).toThrow('unknown policy hottest');
  });
});

describe('for any run', () => {
  const anArray = fc.record({
    pages: fc.integer({ min: 1, max: 12 }),
    reads: fc.integer({ min: 0, max: 5000 }),
    writes: fc.integer({ min: 0, max: 5000 }),
  });
  const anyRun = fc
    .array(anArray, { minLength: 1, maxLength: 6 })
    .chain(arrays =>
      fc.tuple(fc.constant(arrays), fc.shuffledSubarray([...arrays.keys()], { minLength: arrays.length })),
    )
    .map(([arrays, order]) => run(arrays, order, 1e6, 2e5));
  const sets = ['dram-cxl', 'dram-optane', 'hbm-dram', 'hbm-dram-cxl'];

  test('1 <= oracle <= every policy one can have <= all-slow, and every range holds its middle', () => {
    fc.assert(
      fc.property(anyRun, fc.constantFrom(...sets), fc.integer({ min: 0, max: 100 }), (input, set, percent) => {
        const tiers = sizedTiers(tierSet(set), [{ percent }], input.pages.count * PAGE);
        const placement = place(input, tiers, all);
        const slow = placement.policies.find(result => result.id === 'all-slow')!.modelledSlowdown;
        for (const result of placement.policies) {
          expect(result.modelledSlowdown).toBeGreaterThanOrEqual(1);
          expect(result.modelledSlowdown).toBeLessThanOrEqual(slow * (1 + 1e-12));
          expect(result.modelledSlowdownRange[0]).toBeLessThanOrEqual(result.modelledSlowdown);
          expect(result.modelledSlowdownRange[1]).toBeGreaterThanOrEqual(result.modelledSlowdown);
          if (policies[result.id as keyof typeof policies].yardstick) continue;
          expect(placement.oracle.modelledSlowdown).toBeLessThanOrEqual(result.modelledSlowdown * (1 + 1e-12));
          for (let tier = 0; tier < tiers.length - 1; tier++) {
            expect(result.bytesInTier[tier]).toBeLessThanOrEqual(tiers[tier].capacityBytes);
          }
        }
        const best = placement.policies.find(result => result.id === 'static-optimal')!;
        expect(best.modelledSlowdownBound!).toBeLessThanOrEqual(best.modelledSlowdown * (1 + 1e-12));
      }),
      { numRuns: 150, seed: 3 },
    );
  });

  test('more capacity never makes static-optimal or the oracle slower', () => {
    fc.assert(
      fc.property(anyRun, fc.constantFrom(...sets), (input, set) => {
        let before = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
        for (const percent of [0, 10, 25, 50, 75, 100]) {
          const tiers = sizedTiers(tierSet(set), [{ percent }], input.pages.count * PAGE);
          const placement = place(input, tiers, ['static-optimal']);
          const now = [placement.policies[0].modelledSlowdown, placement.oracle.modelledSlowdown];
          expect(now[0]).toBeLessThanOrEqual(before[0] * (1 + 1e-12));
          expect(now[1]).toBeLessThanOrEqual(before[1] * (1 + 1e-12));
          before = now;
        }
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});

describe('placeObjects', () => {
  const input = run(fourArrays, [0, 1, 2, 3], 20e6, 0);
  const profile = { ...input, totals: { ...input.totals, pagesTouched: 400 } } as unknown as Profile;
  const options = {
    machine: 'skylake',
    tiers: 'dram-cxl',
    capacity: [{ percent: 50 }],
    policies: all,
    pageSize: 4096,
  } as const;

  test('takes the options of a replay and what the machine model already waits for memory', () => {
    const placement = placeObjects(profile, options);
    expect(placement.tiers.map(tier => tier.capacityBytes)).toEqual([200 * PAGE, 400 * PAGE]);
    expect([...placement.policies[0].tierOfObject]).toEqual([0, 0, 1, 1]);
    // 160,000 line reads at 111 / 4 ns are 4.44 ms of the modelled 20.
    const best = placement.policies[0].modelledSlowdown;
    const compute = 20e6 - 4.44e6;
    expect(best).toBeCloseTo((compute + 199_000 * 27.75 + 10_000 * 53.5) / (compute + 209_000 * 27.75), 12);
    // A Xeon 8360Y waits 68.7 ns: 160,000 of them over 4 are 2.748 ms.
    const there = placeObjects(profile, { ...options, machine: 'ice-lake' }).policies[0].modelledSlowdown;
    const rest = 20e6 - 2.748e6;
    expect(there).toBeCloseTo((rest + 199_000 * 27.75 + 10_000 * 53.5) / (rest + 209_000 * 27.75), 12);
  });

  test('what a user can get wrong is a usage error', () => {
    expect(() => placeObjects(profile, { ...options, tiers: 'tape' })).toThrow(UsageError);
    const twice = [{ percent: 5 }, { percent: 5 }];
    expect(() => placeObjects(profile, { ...options, capacity: twice })).toThrow(UsageError);
  });
});
