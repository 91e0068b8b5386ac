/** The CXL hot-page unit: both modes by hand and beside plain counts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costs, Driven, type DrivenOptions, readings } from './driven.js';

const chmu = (parameters: DrivenOptions['parameters'] = {}) => new Driven('chmu', { parameters });
/** `n` fills of lines of a page. */
const fills = (page: number, n: number) => Array.from({ length: n }, (_, i) => [page * 64 + (i % 64), false] as const);

describe('epoch mode', () => {
  test('lists a unit whose counter is at the threshold when the epoch ends, with its count', () => {
    const unit = chmu();
    unit.lines([...fills(0, 63), ...fills(1, 64), ...fills(2, 200)]);
    unit.at(4.9);
    expect(readings(unit.finish().pageReads)).toEqual({});
    unit.at(5);
    expect(readings(unit.finish().pageReads)).toEqual({ 1: 64, 2: 200 });
    // Counters begin anew: one more line does not make page 0 hot.
    unit.lines(fills(0, 1));
    unit.at(10);
    const seen = unit.finish();
    expect(readings(seen.pageReads)).toEqual({ 1: 64, 2: 200 });
    expect(seen).toMatchObject({ pageWrites: null, vmExits: 0, periods: 2 });
    expect(seen.own).toEqual({ countedLines: 328, hotRecords: 2, lostRecords: 0 });
    expect(seen.memoryBytes).toBe(3 * 2 + 16_384 * 8);
    expect(seen.costNs).toBe(2 * costs.deviceReadNs);
    expect(seen.warnings[0]).toMatch(/^too short: 2 periods of 5 s/);
  });

  test('loses what finds the list full, until the host reads it', () => {
    const unit = chmu({ listEntries: 2, threshold: 1 });
    unit.lines([...fills(0, 1), ...fills(1, 1), ...fills(2, 1)]);
    unit.at(5);
    expect(unit.finish().own).toMatchObject({ hotRecords: 2, lostRecords: 1 });
    unit.lines(fills(2, 1));
    unit.at(10);
    expect(readings(unit.finish().pageReads)).toEqual({ 0: 1, 1: 1, 2: 1 });
  });

  test('counters stay at their greatest value', () => {
    const unit = chmu();
    for (let i = 0; i < 7; i++) unit.lines(fills(0, 10_000));
    unit.at(5);
    expect(readings(unit.finish().pageReads)).toEqual({ 0: 65_535 });
  });
});

describe('always-on mode', () => {
  test('lists a unit each time that its counter crosses the threshold', () => {
    const unit = chmu({ alwaysOn: 1, threshold: 10 });
    unit.lines([...fills(0, 9), ...fills(1, 25)]);
    expect(readings(unit.finish().pageReads)).toEqual({ 1: 20 });
    unit.lines(fills(0, 1));
    unit.at(5);
    const seen = unit.finish();
    expect(readings(seen.pageReads)).toEqual({ 0: 10, 1: 20 });
    expect(seen.own.hotRecords).toBe(3);
    expect(seen.warnings[0]).toMatch(/^too short: 1 period of 0.01 s/);
  });
});

test('counts fills as reads, write-backs as writes, or both', () => {
  const lines = [...fills(0, 3), ...fills(0, 2).map(([line]) => [line, true] as const)];
  const counted = (operations: number) => {
    const unit = chmu({ operations, threshold: 1 });
    unit.lines(lines);
    unit.at(5);
    const { pageReads, pageWrites } = unit.finish();
    return [pageReads?.[0], pageWrites?.[0]];
  };
  expect([1, 2, 3].map(counted)).toEqual([
    [3, undefined],
    [undefined, 2],
    [5, undefined],
  ]);
});

test('on any stream: epochs report counts at or above the threshold, always-on the multiples of it', () => {
  const streams = fc.array(fc.array(fc.nat({ max: 9 }), { maxLength: 200 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(streams, fc.integer({ min: 1, max: 30 }), (epochs, threshold) => {
      const byEpoch = chmu({ threshold });
      const always = chmu({ threshold, alwaysOn: 1 });
      const expected = new Map<number, number>();
      const total = new Map<number, number>();
      for (const [i, pages] of epochs.entries()) {
        const counts = new Map<number, number>();
        for (const page of pages) {
          counts.set(page, (counts.get(page) ?? 0) + 1);
          total.set(page, (total.get(page) ?? 0) + 1);
        }
        for (const [page, n] of counts) if (n >= threshold) expected.set(page, (expected.get(page) ?? 0) + n);
        for (const unit of [byEpoch, always]) {
          unit.lines(pages.map(page => [page * 64, false]));
          unit.at(5 * (i + 1));
        }
      }
      expect(readings(byEpoch.finish().pageReads)).toEqual(Object.fromEntries(expected));
      const multiples = [...total].map(([page, n]) => [page, n - (n % threshold)]).filter(([, n]) => n > 0);
      expect(readings(always.finish().pageReads)).toEqual(Object.fromEntries(multiples));
    }),
  );
});
