/** PEBS: which loads are above the threshold, records and buffers by hand, samples on generated runs. */
import { describe, expect, test } from 'vitest';
import { SERVED_L1, SERVED_L2, SERVED_LLC, SERVED_MEMORY } from '../../core/kernel/abi-machine.js';
import { costs as table } from '../../core/machine/costs.js';
import { machines } from '../../core/machine/presets.js';
import { levelAbove } from '../../core/tracking/pebs.js';
import type { Access } from '../machine/emulated.js';
import { costs, Driven, readings } from './driven.js';
import { PAGE, replay, row } from './runs.js';

const LINES = 64;

describe('the latency threshold', () => {
  test.each(Object.entries(machines))('stands for the levels of %s that are slower', (_, machine) => {
    const memory = table.memoryLatencyNs.value * machine.frequencyGHz.value;
    const latencies = [machine.l1d.latencyCycles, machine.l2.latencyCycles, machine.llc.latencyCycles, memory];
    // The events of perf: powers of two.
    for (const threshold of [8, 16, 32, 64, 128])
      expect(levelAbove(threshold)).toBe(latencies.findIndex(latency => latency > threshold));
  });

  test('of 3 cycles, the least of the processor, takes all loads', () => {
    expect([3, 8, 16, 64].map(levelAbove)).toEqual([SERVED_L1, SERVED_L2, SERVED_LLC, SERVED_MEMORY]);
  });
});

describe('PEBS by hand', () => {
  /** A request's samples: [page, vCPU]. */
  const samples = (pebs: Driven, request: number, of: readonly (readonly [number, number])[]) =>
    pebs.tracker.onSamples?.(request, Uint32Array.from(of.flatMap(([page, vcpu]) => [page * LINES + 5, vcpu << 3])), {
      from: 0,
      to: 0,
    });
  const times = (n: number, page: number, vcpu: number) => Array.from({ length: n }, () => [page, vcpu] as const);

  test('counts loads and stores of each page, and a record for each', () => {
    const pebs = new Driven('pebs');
    samples(pebs, 0, [...times(8, 3, 0), ...times(2, 4, 0)]);
    samples(pebs, 1, times(1, 4, 0));
    const seen = pebs.finish();
    expect(readings(seen.pageReads)).toEqual({ 3: 8, 4: 2 });
    expect(readings(seen.pageWrites)).toEqual({ 4: 1 });
    expect(seen.own).toMatchObject({ loadSamples: 10, storeSamples: 1, interrupts: 0, hottestPageOfLoads: 0.8 });
    // Wilson's interval for 8 of 10 (Brown, Cai, DasGupta 2001).
    expect(seen.own.hottestPageOfLoadsLow95).toBeCloseTo(0.49, 3);
    expect(seen.own.hottestPageOfLoadsHigh95).toBeCloseTo(0.943, 3);
    expect(seen.costNs).toBe(11 * costs.pebsRecordNs);
    expect(seen).toMatchObject({ vmExits: 0, periods: null });
    expect(seen.warnings).toEqual([expect.stringMatching(/^too short: 1 sample of stores, one of 65535/)]);
  });

  test('interrupts when a buffer is full, each vCPU with its own', () => {
    const pebs = new Driven('pebs', { parameters: { bufferRecords: 10 } });
    samples(pebs, 0, [...times(19, 0, 0), ...times(9, 0, 2)]);
    expect(pebs.finish()).toMatchObject({ own: { interrupts: 1 }, memoryBytes: 2 * 10 * 200 });
    // The tenth record of vCPU 2 is a store.
    samples(pebs, 1, times(1, 0, 2));
    expect(pebs.finish().own.interrupts).toBe(2);
  });

  test('without samples it has no shares', () => {
    const { own } = new Driven('pebs').finish();
    expect(own).toEqual({ loadSamples: 0, storeSamples: 0, interrupts: 0 });
  });
});

describe('PEBS on a run', () => {
  // One line of each of 40,000 pages in turn, more than the TLBs and the sets of the LLC hold; each fourth access a store.
  const far: Access[] = Array.from({ length: 200_000 }, (_, i) => ({
    vcpu: 0,
    address: (i * 67 * PAGE) % (40_000 * PAGE),
    write: i % 4 === 3,
  }));
  const near: Access[] = far.map(access => ({ ...access, address: access.address % PAGE }));
  const sampled = (run: Access[], parameters: Record<string, number>) =>
    row(replay(['pebs'], run, { parameters }), 'pebs');

  test('samples one of every so many loads that memory served, and of all stores', () => {
    const seen = sampled(far, { 'pebs.loadPeriod': 100, 'pebs.storePeriod': 1000 });
    expect(seen.own.loadSamples).toBe(150_000 / 100);
    expect(seen.own.storeSamples).toBe(50_000 / 1000);
  });

  test('has no samples of loads that caches serve', () => {
    const seen = sampled(near, { 'pebs.loadPeriod': 16, 'pebs.storePeriod': 1000 });
    expect(seen.own.loadSamples).toBe(0);
    expect(seen.own.storeSamples).toBe(50);
    const all = sampled(near, { 'pebs.loadPeriod': 100, 'pebs.thresholdCycles': 3 });
    expect(all.own.loadSamples).toBe(1500);
  });
});
