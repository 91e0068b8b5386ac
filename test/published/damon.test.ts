/**
 * DAMON's bounds (reference on mechanisms, J, H.2 and L): between 10 and 1000 regions whatever the memory, and so an
 * overhead that the memory's size does not raise. Published for 5 ms, 10-1000: 2.15 % of a CPU; for 500 ms, 10K-20K:
 * 3.18 %; for 5 ms, 10K-20K: 72.85 % [P Memtis, SOSP 2023]. The last two, a twenty-third of each other, are where the costs
 * of a check and of an aggregation come from, taken that both aggregate every 100 ms (at 500 ms at each check); the first
 * is a prediction.
 */
import { describe, expect, test } from 'vitest';
import { MAPPING_MAP } from '../../core/kernel/abi.js';
import { costs, Driven, SECOND } from '../tracking/driven.js';

/** Memory of this many pages, some of it used at random, for so many sampling intervals. */
function run(pages: number, intervals: number, parameters: Record<string, number> = {}) {
  const damon = new Driven('damon', { parameters });
  damon.map(MAPPING_MAP, 0, pages);
  let state = 1;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  for (let page = 0; page < pages; page++) damon.touch(page);
  const step = parameters.sampleSeconds ?? 0.005;
  const regions: number[] = [];
  let checks = 0;
  for (let interval = 1; interval <= intervals; interval++) {
    for (let i = 0; i < 200; i++) damon.touch(Math.min(random(pages), random(pages), random(pages)));
    damon.at(interval * step);
    const now = damon.tracker.finish(interval * step * SECOND).own.checks;
    if (interval > 1) regions.push(now - checks);
    checks = now;
  }
  const seen = damon.finish();
  return { regions, cpuPercent: (100 * seen.costNs) / (intervals * step * SECOND) };
}

describe('DAMON, 5 ms, 100 ms, 10-1000 regions', () => {
  const sizes = [2_000, 20_000].map(pages => run(pages, 600));

  test('has 10 to 1000 regions', () => {
    for (const { regions } of sizes) {
      expect(Math.min(...regions)).toBeGreaterThanOrEqual(10);
      expect(Math.max(...regions)).toBeLessThanOrEqual(1000);
      // It adapts: there come more than those of the start.
      expect(Math.max(...regions)).toBeGreaterThan(regions[0]);
    }
  });

  test('costs no more than 1000 checks every 5 ms, the published 2.15 % of a CPU in its magnitude', () => {
    for (const { cpuPercent } of sizes) {
      expect(cpuPercent).toBeLessThan(3.7);
      expect(cpuPercent).toBeGreaterThan(0.1);
    }
  });
});

describe('DAMON with 10,000 to 20,000 regions', () => {
  const many = { leastRegions: 10_000, mostRegions: 20_000 };

  test('costs a large part of a CPU at 5 ms, a twenty-third of that at 500 ms', () => {
    const fast = run(30_000, 60, many).cpuPercent;
    const slow = run(30_000, 60, { ...many, sampleSeconds: 0.5 }).cpuPercent;
    // 10,000 regions or twice as many: half of the published shares, up to all of them.
    expect(fast).toBeGreaterThan(72.85 / 2.1);
    expect(fast).toBeLessThan(72.85 * 1.01);
    expect(slow).toBeGreaterThan(3.18 / 2.1);
    expect(slow).toBeLessThan(3.18 * 1.01);
    // Of equally many regions: 200 checks and 10 aggregations a second against 2 of each.
    const perRegion = (checks: number) => checks * costs.damonCheckNs + Math.min(checks, 10) * costs.damonAggregationNs;
    expect(perRegion(200) / perRegion(2) / (72.85 / 3.18)).toBeCloseTo(1, 2);
  });
});
