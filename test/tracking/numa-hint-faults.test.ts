/** NUMA hint faults: windows, faults, periods, by hand; one fault a page and pass on generated runs. */
import { describe, expect, test } from 'vitest';
import { MAPPING_UNMAP } from '../../core/kernel/abi.js';
import { costs, Driven, readings } from './driven.js';
import { phases, replay, row } from './runs.js';

const id = 'numa-hint-faults';

describe('NUMA hint faults', () => {
  test('come once for each page and pass, read or written as the access that faults', () => {
    const hints = new Driven(id);
    for (const page of [0, 1, 2]) hints.touch(page, { write: true });
    hints.at(0.9);
    for (const page of [0, 1, 2]) hints.touch(page);
    hints.at(1);
    hints.touch(0);
    hints.touch(0, { write: true });
    hints.touch(1, { write: true });
    hints.touch(1);
    hints.at(1.5);
    hints.touch(0);
    const seen = hints.finish();
    expect(readings(seen.pageReads)).toEqual({ 0: 1 });
    expect(readings(seen.pageWrites)).toEqual({ 1: 1 });
    expect(seen.own).toEqual({ passes: 1, pagesWithoutAccess: 3, hintFaults: 2, faultsWithinThreshold: 2 });
    expect(seen.costNs).toBeCloseTo(2 * costs.hintFaultNs + 3 * costs.scanNsPerPage + costs.shootdownNs, 6);
  });

  test('cover the address space in windows in order of address, then from its start', () => {
    // 600 pages, the last by number first; a window of 1 MiB is 256 pages.
    const hints = new Driven(id, { parameters: { scanMiB: 1 }, pageNumber: page => 1000 - page });
    const touchAll = () => {
      for (let page = 0; page < 600; page++) hints.touch(page);
    };
    touchAll();
    for (const second of [1, 2, 3, 4]) {
      hints.at(second);
      touchAll();
    }
    const window = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => 599 - from - i);
    const covered = [window(0, 256), window(256, 512), window(512, 600), window(0, 256)];
    expect(hints.armed).toEqual(covered);
    // The whole was covered, and a fault came: the fifth pass is 1.3 s behind the fourth.
    hints.at(5.2);
    expect(hints.armed).toEqual(covered);
    hints.at(5.3);
    expect(hints.armed[4]).toEqual(window(256, 512));
  });

  test('a pass leaves out pages that still wait for their fault', () => {
    const hints = new Driven(id);
    for (const page of [0, 1]) hints.touch(page);
    hints.at(1);
    hints.touch(1);
    hints.at(3);
    expect(hints.armed).toEqual([[0, 1], [1]]);
    // Page 0 faults late: behind the threshold of a second.
    hints.touch(0);
    expect(hints.finish().own).toMatchObject({ hintFaults: 2, faultsWithinThreshold: 1 });
  });

  test('the period stays while no fault comes and grows to its longest with faults', () => {
    const hints = new Driven(id, { parameters: { longestSeconds: 1.5 } });
    hints.touch(0);
    const passes: number[] = [];
    for (let tenth = 1; tenth <= 100; tenth++) {
      const before = hints.armed.length;
      hints.at(tenth / 10);
      if (hints.armed.length > before) passes.push(tenth / 10);
      hints.touch(0);
    }
    // 1 s; then 1.3 s and 1.5 s, which are due at the beat behind.
    expect(passes.slice(0, 5)).toEqual([1, 2, 3.3, 4.8, 6.3]);
  });

  test('what is unmapped faults no more', () => {
    const hints = new Driven(id);
    hints.touch(0);
    hints.at(1);
    hints.map(MAPPING_UNMAP, 0, 1);
    hints.touch(0);
    expect(hints.finish().own.hintFaults).toBe(0);
  });

  test('on a generated run no page has more faults than there were passes', () => {
    const outcome = replay([id], phases(400_000));
    const seen = row(outcome, id);
    const faults = seen.pageReads!.map((reads, page) => reads + seen.pageWrites![page]);
    expect(seen.own.passes).toBeGreaterThan(3);
    expect(Math.max(...faults)).toBeLessThanOrEqual(seen.own.passes);
    expect(faults.reduce((sum, n) => sum + n, 0)).toBe(seen.own.hintFaults);
    expect(seen.own.hintFaults).toBeLessThanOrEqual(seen.own.pagesWithoutAccess);
    expect(seen.own.faultsWithinThreshold).toBeLessThanOrEqual(seen.own.hintFaults);
  });
});
