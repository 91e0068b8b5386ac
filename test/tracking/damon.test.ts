/** DAMON: its regions by hand and by their invariants, its sampling on a driven run. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAPPING_MAP, MAPPING_UNMAP } from '../../core/kernel/abi.js';
import {
  fitRegions,
  initialRegions,
  mergeRegions,
  type Region,
  splitRegions,
  threeRanges,
} from '../../core/tracking/damonRegions.js';
import { randomOf } from '../../core/tracking/random.js';
import { costs, Driven, readings } from './driven.js';

const region = (start: number, end: number, accesses = 0, lastAccesses = accesses, age = 0): Region => ({
  start,
  end,
  accesses,
  lastAccesses,
  age,
});
const range = (start: number, end: number) => ({ start, end });
const bounds = (regions: readonly Region[]) => regions.map(({ start, end }) => [start, end]);

describe('regions of DAMON', () => {
  test('begin as the parts between the two largest gaps', () => {
    const mapped = [range(0, 10), range(12, 20), range(1000, 1010), range(1015, 1020), range(5000, 5001)];
    expect(threeRanges(mapped)).toEqual([range(0, 20), range(1000, 1020), range(5000, 5001)]);
    expect(threeRanges([range(3, 4)])).toEqual([range(3, 4)]);
    expect(threeRanges([])).toEqual([]);
  });

  test('are at first pieces of a tenth of all pages', () => {
    // 100 pages: pieces of 10; 35 pages are three of 11, the last with what is left.
    expect(bounds(initialRegions([range(0, 60), range(100, 135), range(200, 205)], 10))).toEqual([
      ...[0, 10, 20, 30, 40, 50].map(start => [start, start + 10]),
      [100, 111],
      [111, 122],
      [122, 135],
      [200, 205],
    ]);
  });

  test('merge where counts are alike, with the mean by size, and age', () => {
    const merged = mergeRegions(
      // Ages become 4, 2, 0 (20 differs from 10 by more than 2) and 1.
      [region(0, 30, 10, 10, 3), region(30, 40, 8, 8, 1), region(40, 50, 20, 10, 7), region(60, 70, 20, 20, 0)],
      2,
      1000,
    );
    // (10 * 30 + 8 * 10) / 40 = 9.5; (4 * 30 + 2 * 10) / 40 = 3.5, both rounded down. No merging across a gap.
    expect(merged).toEqual([region(0, 40, 9, 10, 3), region(40, 50, 20, 10, 0), region(60, 70, 20, 20, 1)]);
  });

  test('merge up to a size', () => {
    const merged = mergeRegions([region(0, 30), region(30, 60), region(60, 90)], 0, 60);
    expect(bounds(merged)).toEqual([
      [0, 60],
      [60, 90],
    ]);
  });

  test('split at a tenth, the first part again where in three', () => {
    // random(9) = 3: 4 tenths.
    expect(splitRegions([region(0, 100, 0, 7, 5)], 2, () => 3)).toEqual([
      region(0, 40, 0, 7, 5),
      region(40, 100, 0, 7, 5),
    ]);
    expect(bounds(splitRegions([region(0, 100)], 3, () => 3))).toEqual([
      [0, 16],
      [16, 40],
      [40, 100],
    ]);
    expect(bounds(splitRegions([region(0, 2)], 3, () => 3))).toEqual([[0, 2]]);
  });

  test('follow the mappings', () => {
    const fitted = fitRegions([region(0, 10, 4), region(20, 30, 5), region(90, 95, 6)], [range(5, 40), range(50, 60)]);
    expect(fitted).toEqual([region(5, 10, 4), region(10, 20), region(20, 40, 5), region(50, 60)]);
  });

  test('cover the same pages after any merging and splitting', () => {
    const sizes = fc.array(fc.record({ pages: fc.integer({ min: 1, max: 500 }), accesses: fc.nat({ max: 20 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(sizes, fc.nat({ max: 5 }), fc.integer({ min: 1, max: 3000 }), (given, threshold, largest) => {
        let at = 0;
        const regions = given.map(({ pages, accesses }) => region(at, (at += pages), accesses));
        const longest = Math.max(largest, ...given.map(({ pages }) => pages));
        const merged = mergeRegions(regions, threshold, largest);
        const split = splitRegions(
          merged.map(r => ({ ...r })),
          3,
          randomOf('damon'),
        );
        for (const covered of [merged, split]) {
          expect(covered[0].start).toBe(0);
          expect(covered[covered.length - 1].end).toBe(at);
          for (const [i, { start, end }] of covered.entries()) {
            if (i) expect(start).toBe(covered[i - 1].end);
            expect(end - start).toBeGreaterThan(0);
            expect(end - start).toBeLessThanOrEqual(longest);
          }
        }
        expect(split.length).toBeLessThanOrEqual(3 * merged.length);
      }),
    );
  });
});

const SAMPLE = 0.005;

/** Pages 0 to `pages` - 1, of which the first `hot` are used in every sampling interval, for `checks` of them. */
function watched(pages: number, hot: number, checks: number): Driven {
  const damon = new Driven('damon');
  damon.map(MAPPING_MAP, 0, pages);
  for (let page = 0; page < pages; page++) damon.touch(page);
  for (let check = 0; check <= checks; check++) {
    for (let page = 0; page < hot; page++) damon.touch(page);
    damon.at((check + 1) * SAMPLE);
  }
  return damon;
}

describe('DAMON', () => {
  test('tells the hot part of memory from the cold', () => {
    const pages = 4000;
    const hot = 400;
    const seen = watched(pages, hot, 1000).finish();
    const mean = (from: number, to: number) =>
      Array.from(seen.pageReads!.subarray(from, to)).reduce((sum, n) => sum + n, 0) / (to - from);
    // 50 aggregations of 20 checks: a page that is always used is found in 1000 at most.
    expect(mean(0, hot)).toBeGreaterThan(700);
    expect(mean(2 * hot, pages)).toBeLessThan(100);
    expect(seen.periods).toBe(50);
    expect(seen.pageWrites).toBeNull();
    expect(seen.own.hottestRegionAccessed).toBe(1);
    expect(seen.own.hottestRegionAccessedLow95).toBeCloseTo(0.839, 3); // Wilson, 20 of 20: 1 / (1 + 1.96^2 / 20)
    expect(seen.warnings).toEqual([]);
  });

  test('finds all accessed where all is, and nothing where nothing is', () => {
    expect(new Set(watched(500, 500, 100).finish().pageReads!.subarray(0, 500))).toEqual(new Set([100]));
    // Flags that were set before are cleared before they are checked.
    expect(readings(watched(500, 0, 100).finish().pageReads)).toEqual({});
  });

  test('a page that stays in the TLB looks idle, since nothing is flushed', () => {
    const damon = new Driven('damon', { parameters: { leastRegions: 3 } });
    damon.touch(0);
    for (let check = 0; check <= 40; check++) {
      damon.touch(0, { walk: false });
      damon.at((check + 1) * SAMPLE);
    }
    expect(readings(damon.finish().pageReads)).toEqual({});
  });

  test('counts a check of each region, at their modelled cost', () => {
    const seen = watched(3, 3, 20).finish();
    // Three pages are three regions of one page, which cannot be split; they merge to no more than a page.
    expect(seen.own).toMatchObject({ checks: 60, mostRegions: 3 });
    expect(seen.memoryBytes).toBe(3 * 56);
    expect(seen.costNs).toBeCloseTo(60 * costs.damonCheckNs + 3 * costs.damonAggregationNs, 6);
    expect(seen.warnings[0]).toMatch(/^too short: 1 period of 0.1 s/);
  });

  test('sees what is mapped later only from its next update on, and says so', () => {
    const later = (parameters: Record<string, number>) => {
      const damon = new Driven('damon', { parameters });
      for (let page = 0; page < 10; page++) damon.touch(page);
      for (let check = 1; check <= 400; check++) {
        damon.at(check * SAMPLE);
        for (let page = 0; page < 10; page++) damon.touch(page);
        if (check > 10) for (let page = 20; page < 40; page++) damon.touch(page);
      }
      return damon.finish();
    };
    const seen = later({});
    expect(Object.keys(readings(seen.pageReads)).map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(seen.warnings).toEqual([
      expect.stringMatching(/^20 present pages are in no region: .* every 60 s; .*--time-scale 33 lets one come$/),
    ]);
    const updated = later({ updateSeconds: 1 });
    expect(Object.keys(readings(updated.pageReads))).toHaveLength(30);
    expect(updated.warnings).toEqual([]);
  });

  test('pages that were unmapped are not accessed', () => {
    const damon = watched(100, 100, 20);
    damon.map(MAPPING_UNMAP, 0, 100);
    const before = { ...readings(damon.finish(0).pageReads) };
    for (let check = 22; check < 62; check++) damon.at(check * SAMPLE);
    expect(readings(damon.finish().pageReads)).toEqual(before);
  });
});
