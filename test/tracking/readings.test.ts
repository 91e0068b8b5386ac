/** Readings of pages through time, beside a map that keeps each of them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import type { HeatRows } from '../../core/machine/heatRows.js';
import { Readings, type Told } from '../../core/tracking/readings.js';

const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0);

/** Rows as [bin, page, reads, writes], by bin, then page. */
function listed({ start, page, first, second }: HeatRows): number[][] {
  const rows = Array.from(page, (_, row) => {
    const bin = start.findIndex((from, at) => row >= from && row < start[at + 1]);
    return [bin, page[row], first[row], second[row]];
  });
  return rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

describe('readings', () => {
  test('stand where they were told, each page once a stretch', () => {
    const readings = new Readings('both', { epochAccesses: QUANTUM });
    readings.advance(QUANTUM);
    readings.read(3);
    readings.write(3, 2);
    readings.read(3);
    // Nothing in the second epoch; the third ends here.
    readings.advance(3 * QUANTUM);
    readings.write(1);
    readings.read(3, 7);
    const heat = readings.heat(3, QUANTUM);
    expect([...heat.start]).toEqual([0, 1, 1, 3]);
    expect(listed(heat)).toEqual([
      [0, 3, 2, 2],
      [2, 1, 0, 1],
      [2, 3, 7, 0],
    ]);
    expect(readings.totals().reads!.slice(0, 4)).toEqual(Float64Array.of(0, 0, 0, 9));
  });

  test('a direction that the mechanism does not tell apart has no totals', () => {
    const totals = (told: Told) => new Readings(told, { epochAccesses: QUANTUM }).totals();
    expect(totals('reads').writes).toBeNull();
    expect(totals('writes').reads).toBeNull();
    expect(totals('both')).toEqual({ reads: new Float64Array(1024), writes: new Float64Array(1024) });
  });

  test('epochs shorter than a quantum share a bin, longer ones are never cut', () => {
    const short = new Readings('reads', { epochAccesses: 1000 });
    expect(short.heat(40, 1000).epochsPerBin).toBe(32);
    const long = new Readings('reads', { epochAccesses: QUANTUM });
    long.advance(QUANTUM);
    long.read(0);
    long.advance(8 * QUANTUM);
    long.read(0);
    // Epochs doubled twice since the run began.
    const heat = long.heat(2, 4 * QUANTUM);
    expect(heat.epochsPerBin).toBe(1);
    expect([...heat.start]).toEqual([0, 1, 2]);
  });

  test('are those of a plain map, however often stretches joined (generated)', () => {
    const tell = fc.record({
      quanta: fc.nat(3),
      page: fc.nat(12),
      write: fc.boolean(),
      amount: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(tell, { maxLength: 120 }), fc.integer({ min: 1, max: 40 }), (tells, rowsMax) => {
        const readings = new Readings('both', { epochAccesses: QUANTUM, rowsMax, stretchesMax: 8 });
        let quanta = 1;
        const told = tells.map(({ quanta: more, page, write, amount }) => {
          quanta += more;
          readings.advance(quanta * QUANTUM);
          if (write) readings.write(page, amount);
          else readings.read(page, amount);
          return { quantum: quanta - 1, page, write, amount };
        });
        const heat = readings.heat(quanta, QUANTUM);
        const { epochsPerBin } = heat;
        expect(Number.isInteger(Math.log2(epochsPerBin))).toBe(true);
        const expected = new Map<string, number[]>();
        for (const { quantum, page, write, amount } of told) {
          const bin = Math.floor(quantum / epochsPerBin);
          const row = expected.get(`${bin} ${page}`) ?? [bin, page, 0, 0];
          row[write ? 3 : 2] += amount;
          expected.set(`${bin} ${page}`, row);
        }
        expect(listed(heat)).toEqual([...expected.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        // Bounded: by the limit, or twice the pages.
        expect(heat.page.length).toBeLessThanOrEqual(Math.max(rowsMax, 2 * 13));
        const { reads, writes } = readings.totals();
        expect(sumOf(reads!) + sumOf(writes!)).toBe(told.reduce((sum, { amount }) => sum + amount, 0));
      }),
      { numRuns: 2000 },
    );
  });
});
