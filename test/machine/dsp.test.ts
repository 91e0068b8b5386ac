/** DSP's rules one by one, its history, and its decisions in a run. */
import { describe, expect, test } from 'vitest';
import { DspMachine, decide } from '../../core/machine/dsp.js';
import { ModeClock } from '../../core/machine/modeClock.js';
import { Emulated } from './emulated.js';

const rule = (faults: number, misses: number, historic = { faults, misses }) => decide({ faults, misses }, historic);

describe('the rules, the first that matches', () => {
  test('1: many misses, faults well below their bound', () => {
    expect(rule(0.0003, 11)).toEqual({ rule: 1, paging: 'shadow' });
    // 0.8 of the bound of 0.0005 is 0.0004.
    expect(rule(0.00041, 11).rule).not.toBe(1);
  });
  test('2: many faults, misses well below their bound', () => {
    expect(rule(0.0006, 7.9)).toEqual({ rule: 2, paging: 'nested' });
    expect(rule(0.0006, 8.1).rule).not.toBe(2);
  });
  test('3: few of both: stay', () => {
    expect(rule(0.000009, 0.09)).toEqual({ rule: 3, paging: null });
  });
  test('4: no miss, now or in the history', () => {
    expect(rule(0.0001, 0)).toEqual({ rule: 4, paging: 'nested' });
    expect(rule(0.0001, 1, { faults: 0.0001, misses: 0 })).toEqual({ rule: 4, paging: 'nested' });
  });
  test('5 to 8: the ratio now and in the history', () => {
    const ratio = (now: number, before: number) => rule(now, 1, { faults: before, misses: 1 });
    expect(ratio(0.000021, 0.000021)).toEqual({ rule: 5, paging: 'nested' });
    expect(ratio(0.000014, 0.000014)).toEqual({ rule: 6, paging: 'shadow' });
    expect(ratio(0.000017, 0.000018)).toEqual({ rule: 7, paging: null });
    expect(ratio(0.000021, 0.000014)).toEqual({ rule: 8, paging: null });
    expect(ratio(0.000014, 0.000021)).toEqual({ rule: 8, paging: null });
  });
});

describe('a machine under DSP', () => {
  test('counts from the interval before, and its history is the mean of three', () => {
    const machine = new DspMachine(0);
    // Intervals of 1,000 thousand instructions with 1,000 misses each, and 30, 0, 0, 0 faults.
    const events = (interval: number) => ({ instructions: interval * 1e6, misses: interval * 1000, faults: 30 });
    expect(machine.decide(events(1), 5)).toMatchObject({ ratio: 0.03, historicRatio: 0.03, rule: 2, switched: false });
    expect(machine.decide(events(2), 10)).toMatchObject({ ratio: 0, historicRatio: 0.015, rule: 8, paging: 'nested' });
    expect(machine.decide(events(3), 15)).toMatchObject({ historicRatio: 0.01, rule: 8 });
    // Now the faults of the first interval are forgotten.
    expect(machine.decide(events(4), 20)).toMatchObject({
      historicRatio: 0,
      rule: 6,
      paging: 'shadow',
      switched: true,
      faultsPerThousand: 0,
      missesPerThousand: 1,
    });
    expect(machine.decide(events(5), 25)).toMatchObject({ paging: 'shadow', switched: false });
  });

  test('is not asked for an interval in which it did not run', () => {
    const machine = new DspMachine(0);
    expect(machine.decide({ instructions: 0, misses: 0, faults: 0 }, 5)).toBeNull();
  });
});

describe('DSP in a run', () => {
  test('shadows while there are misses, nests while there are faults, each process for itself', () => {
    const modeOptions = { 'dsp.intervalSeconds': 1e-6 };
    const e = new Emulated({ modes: ['dsp'], modeOptions }, {}, [0, 1]);
    const clock = new ModeClock(e.inspect, { modes: ['dsp'], modeOptions, timeScale: 1 });
    const pass = (vcpu: number) =>
      Array.from({ length: 4096 }, (_, page) => ({ vcpu, address: page * 4096, write: true }));
    const interval = (...accesses: Parameters<typeof e.replay>) => {
      e.replay(...accesses);
      clock.quantum();
    };
    // Both fault on every page; then process 0 runs on, and misses alone.
    interval([...pass(0), ...pass(1)]);
    for (let i = 0; i < 3; i++) interval(pass(0));
    const paging = (process: number) => clock.decisions.filter(d => d.process === process).map(d => d.paging);
    expect(paging(0)).toEqual(['nested', 'shadow', 'shadow', 'shadow']);
    expect(paging(1)).toEqual(['nested']);
    expect(clock.decisions.map(d => d.rule)).toEqual([5, 5, 1, 1, 1]);
    const row = () => e.machine.translation()[0];
    // 8,192 pages were backed while nested; the shadow is filled page by page once.
    expect(row().vmExits).toMatchObject({ 'ept-violation': 8192, 'hidden-fault': 4096, 'guest-page-fault': 0 });
    expect(row().own).toMatchObject({ switches: 1, droppedTranslations: 1536 });

    // The pages go, and come back: faults and hidden faults under shadow paging, until the next decision.
    e.inspect.unmapPages(0, 0n, 4096n);
    interval(pass(0));
    expect(row().vmExits).toMatchObject({ 'guest-page-fault': 4096, 'page-table-write': 8192, 'hidden-fault': 8192 });
    expect(row().vmExits['cr3-load']).toBe(1);
    expect(row().vmExits['ept-violation']).toBe(8192);
  });
});
