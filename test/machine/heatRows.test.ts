/** The heat of both halves, merged: beside adding up row by row. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HeatRows, mergedHeat } from '../../core/machine/heatRows.js';

const PAGES = 7;

interface Cell {
  readonly epoch: number;
  readonly page: number;
  readonly first: number;
  readonly second: number;
}

/** Rows of one half with bins of `epochsPerBin` epochs: each page once a bin. */
function rowsOf(cells: readonly Cell[], epochs: number, epochsPerBin: number): HeatRows {
  const bins = Math.ceil(epochs / epochsPerBin);
  const start = [0];
  const rows: { page: number; first: number; second: number }[] = [];
  for (let bin = 0; bin < bins; bin++) {
    for (const cell of cells.filter(({ epoch }) => Math.floor(epoch / epochsPerBin) === bin)) {
      const known = rows.slice(start[bin]).find(({ page }) => page === cell.page);
      if (known) {
        known.first += cell.first;
        known.second += cell.second;
      } else rows.push({ page: cell.page, first: cell.first, second: cell.second });
    }
    start.push(rows.length);
  }
  return {
    epochsPerBin,
    start: Float64Array.from(start),
    page: Uint32Array.from(rows, row => row.page),
    first: Uint32Array.from(rows, row => row.first),
    second: Uint32Array.from(rows, row => row.second),
  };
}

const cell = (epochs: number) =>
  fc.record({
    epoch: fc.nat(epochs - 1),
    page: fc.nat(PAGES - 1),
    first: fc.nat(5),
    second: fc.nat(5),
  });

test('sums every counter by bin and page, pages ascending, in the wider bins of the two', () => {
  const run = fc.integer({ min: 1, max: 20 }).chain(epochs =>
    fc.record({
      epochs: fc.constant(epochs),
      accesses: fc.array(cell(epochs)),
      traffic: fc.array(cell(epochs)),
      widths: fc.tuple(fc.constantFrom(1, 2, 4), fc.constantFrom(1, 2, 4)),
      order: fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: PAGES }),
    }),
  );
  fc.assert(
    fc.property(run, ({ epochs, accesses, traffic, widths, order }) => {
      const rowOfPage = Uint32Array.from(order);
      const heat = mergedHeat(
        rowsOf(accesses, epochs, widths[0]),
        rowsOf(traffic, epochs, widths[1]),
        rowOfPage,
        epochs,
      );
      const width = Math.max(...widths);
      expect(heat.epochsPerBin).toBe(width);
      const expected = [];
      for (let bin = 0; bin < Math.ceil(epochs / width); bin++) {
        for (let row = 0; row < PAGES; row++) {
          const here = ({ epoch, page }: Cell) => Math.floor(epoch / width) === bin && rowOfPage[page] === row;
          const [own, memory] = [accesses.filter(here), traffic.filter(here)];
          if (own.length + memory.length === 0) continue;
          const sum = (cells: readonly Cell[], key: 'first' | 'second') => cells.reduce((n, c) => n + c[key], 0);
          expected.push([bin, row, sum(own, 'first'), sum(own, 'second'), sum(memory, 'first'), sum(memory, 'second')]);
        }
      }
      const found = [];
      for (let bin = 0; bin + 1 < heat.start.length; bin++) {
        for (let at = heat.start[bin]; at < heat.start[bin + 1]; at++) {
          const { page, reads, writes, trafficReads, trafficWrites } = heat;
          found.push([bin, page[at], reads[at], writes[at], trafficReads[at], trafficWrites[at]]);
        }
      }
      expect(found).toEqual(expected);
    }),
  );
});

test('counts saturate', () => {
  const full = rowsOf([{ epoch: 0, page: 0, first: 0xffff_ffff, second: 1 }], 2, 1);
  const half: HeatRows = { ...full, start: Float64Array.of(0, 1, 2), page: Uint32Array.of(0, 0) };
  const rows = { ...half, first: Uint32Array.of(0xffff_ffff, 7), second: Uint32Array.of(1, 2) };
  const none: HeatRows = rowsOf([], 2, 2);
  const heat = mergedHeat(rows, none, Uint32Array.of(0), 2);
  expect([...heat.reads, ...heat.writes]).toEqual([0xffff_ffff, 3]);
});
