/** AMD IBS: samples by hand, intervals and the deviation of counts on generated runs. */
import { describe, expect, test } from 'vitest';
import { SERVED_L1, SERVED_MEMORY } from '../../core/kernel/abi-machine.js';
import type { Access } from '../machine/emulated.js';
import { costs, Driven, readings } from './driven.js';
import { PAGE, replay, row } from './runs.js';

const sample = (page: number, served: number, write: boolean) => [page * 64, (served << 1) | (write ? 1 : 0)];

describe('IBS by hand', () => {
  const given = Uint32Array.from([
    ...sample(1, SERVED_L1, false),
    ...sample(1, SERVED_MEMORY, true),
    ...sample(2, SERVED_MEMORY, false),
    ...sample(1, SERVED_L1, true),
  ]);
  const seenWith = (parameters: Record<string, number>) => {
    const ibs = new Driven('ibs', { parameters });
    ibs.tracker.onSamples?.(0, given, { from: 0, to: 0 });
    return ibs.finish();
  };

  test('tells reads from writes, and interrupts for each sample', () => {
    const seen = seenWith({});
    expect(readings(seen.pageReads)).toEqual({ 1: 1, 2: 1 });
    expect(readings(seen.pageWrites)).toEqual({ 1: 2 });
    expect(seen.own).toMatchObject({ samples: 4, droppedSamples: 0, writeShare: 0.5, hottestPageOfAccesses: 0.75 });
    expect(seen.costNs).toBe(4 * costs.ibsSampleNs);
    expect(seen.warnings[0]).toMatch(/^too short: 4 samples of accesses, one of 10000/);
  });

  test('with the filter drops what memory did not serve, without an interrupt', () => {
    const seen = seenWith({ l3MissOnly: 1 });
    expect(readings(seen.pageReads)).toEqual({ 2: 1 });
    expect(readings(seen.pageWrites)).toEqual({ 1: 1 });
    expect(seen.own).toMatchObject({ samples: 2, droppedSamples: 2 });
    expect(seen.costNs).toBe(2 * costs.ibsSampleNs);
  });
});

describe('IBS on a run', () => {
  let state = 9;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pages = 50;
  const run: Access[] = Array.from({ length: 400_000 }, () => ({
    vcpu: 0,
    address: random(pages) * PAGE + random(64) * 64,
    write: random(4) === 0,
  }));
  const seen = row(replay(['ibs'], run, { parameters: { 'ibs.period': 167 } }), 'ibs');

  test('samples at the period in steps of 16, less a random number of 7 bits', () => {
    // 160 less 63.5 on average; the standard error of the mean of some 4,145 periods is 0.6.
    expect(Math.abs(run.length / seen.own.samples - 96.5)).toBeLessThan(2);
  });

  test('counts of k samples deviate by 1/sqrt(k) (reference, J)', () => {
    const counts = seen.pageReads!.map((reads, page) => reads + seen.pageWrites![page]);
    const mean = seen.own.samples / pages;
    const deviation = Math.sqrt(counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (pages - 1));
    // The standard error of a deviation from 50 values is a tenth.
    expect(Math.abs((deviation / mean) * Math.sqrt(mean) - 1)).toBeLessThan(0.3);
  });

  test('its interval has the true share of writes', () => {
    const truth = run.filter(({ write }) => write).length / run.length;
    expect(seen.own.writeShareLow95).toBeLessThan(truth);
    expect(seen.own.writeShareHigh95).toBeGreaterThan(truth);
    // 1.96 sqrt(0.25 * 0.75 / 4145) = 0.0132 on each side.
    expect(seen.own.writeShareHigh95 - seen.own.writeShareLow95).toBeCloseTo(0.026, 2);
  });
});
