/** The heatmap's pure parts: its grid of bins, scales, what it says of a bin, and a recording that goes on. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeatmapFacts, ViewData } from '../../core/protocol.js';
import { wire } from '../../core/server/views/view.js';
import { binSize, HeatAxes, HeatBins } from '../../webview/charts/heatData.js';
import {
  extentOf,
  firstSeen,
  keyOf,
  stepFor,
  tileColumns,
  tileRows,
  tilesOver,
} from '../../webview/charts/heatGrid.js';
import { density, legendWords } from '../../webview/charts/heatLegend.js';
import { liveView } from '../../webview/charts/heatLive.js';
import { scaleOf, widened } from '../../webview/charts/heatScale.js';

const segment = (from: number, to: number, address: string, names: [string, number, number][]) => ({
  from,
  to,
  address,
  bytes: (to - from) * 4096,
  objects: names.map(([name, first, last], object) => ({
    ...{ object, name, from: first, to: last, tier: 'DRAM' },
    location: null,
  })),
});

/** 4 epochs and 5 rows in bins of 2 by 2: the last row of bins has one page. */
function answer(change: Partial<HeatmapFacts> = {}, columns: ViewData['columns'] = {}): ViewData {
  const facts: HeatmapFacts = {
    stamp: 1,
    columns: 2,
    rows: 3,
    epochs: 4,
    pageRows: 5,
    step: { x: 2, y: 2 },
    leastStepX: 1,
    shown: { x: [0, 4], y: [0, 5] },
    epochAccesses: 10,
    counted: 'accesses',
    timesNs: [0, 1e6, 4e6],
    segments: [segment(0, 1, '0x1000', [['log', 0, 1]]), segment(1, 5, '0x7000', [['table', 1, 5]])],
    pageSize: 4096,
    tiers: ['HBM', 'DRAM', 'mixed'],
    agreement: null,
    focus: null,
    ...change,
  };
  return {
    view: 'heatmap',
    facts,
    columns: {
      reads: wire(Float32Array.of(1, 2, 3, 4, 5, 6)),
      writes: wire(Float32Array.of(0, 6, 0, 0, 0, 0)),
      traffic: wire(new Float32Array(6)),
      ...columns,
    },
  };
}

describe('bins', () => {
  const bins = new HeatBins(answer());
  test('are found by a point, with their counts', () => {
    expect(bins.binAt(3.9, 2)).toEqual({ column: 1, row: 1 });
    expect(bins.binAt(4, 2)).toBeNull();
    expect(bins.binAt(0, 5)).toBeNull();
    expect(bins.count('accesses', { column: 1, row: 0 })).toBe(8);
    expect(binSize(bins.facts)).toBe('2 pages of 4 KiB × 2 epochs');
  });
  test('are compared by their mean per page and epoch, the cut ones too', () => {
    // 4 page-epochs a bin; the last row has one page: 2 page-epochs.
    expect([...bins.densities('accesses')]).toEqual([0.25, 2, 0.75, 1, 2.5, 3]);
    expect(bins.boxOf({ column: 1, row: 2 })).toEqual({ x: [2, 4], y: [4, 5] });
  });
});

describe('axes', () => {
  const axes = new HeatAxes(answer());
  const counts = { reads: 2, writes: 6, traffic: 0 };
  test('interpolate time between the bins’ own, which are not equally long', () => {
    expect(axes.timeAt(1)).toBe(0.5e6);
    expect(axes.timeAt(3)).toBe(2.5e6);
    expect(axes.timeAt(4)).toBe(4e6);
    // A last bin of one epoch ends with it.
    const cut = new HeatAxes(answer({ epochs: 3, shown: { x: [0, 3], y: [0, 5] }, timesNs: [0, 1e6, 3e6] }));
    expect(cut.timeAt(2.5)).toBe(2e6);
  });
  test('say what lies in a bin of two objects, and invent no address behind a gap', () => {
    expect(axes.describe({ x: [2, 4], y: [0, 2] }, counts)).toEqual([
      'table and 1 other · DRAM',
      '2 reads, 6 writes, 0 cache lines of traffic',
      '1.0 ms to 4.0 ms, epoch 2–3',
      'touched page 1 of 1 from 0x1000, and on from 0x7000',
    ]);
    expect(axes.describe({ x: [0, 2], y: [3, 5] }, counts).at(-1)).toBe('touched pages 3–4 of 4 from 0x7000');
    expect(axes.describe({ x: [0, 2], y: [3, 5] }, null)[1]).toBe('counts are on their way');
  });
  test('tell tiers of rows, and what a tracker found, missed and reported falsely', () => {
    const agreement = { tracker: 'PML', inWindow: false, k: 2, found: 1, missed: 1, falsely: 1 };
    const told = new HeatAxes(
      answer(
        { agreement },
        {
          tier: wire(Uint8Array.of(0, 2, 255)),
          found: wire(Uint32Array.of(1, 0, 0)),
          missed: wire(Uint32Array.of(1, 0, 0)),
          falsely: wire(Uint32Array.of(0, 0, 1)),
        },
      ),
    );
    expect([0, 3, 4, 9].map(page => told.tierAt(page))).toEqual([0, 2, null, null]);
    expect(told.agreementRows()).toEqual([
      { y: [0, 2], found: 1, missed: 1, falsely: 0 },
      { y: [4, 5], found: 0, missed: 0, falsely: 1 },
    ]);
    const words = (y: [number, number]) => told.describe({ x: [0, 2], y }, counts).at(-1);
    expect(words([0, 2])).toBe('of the 2 hottest pages PML found 1 and missed 1 here, and reported 0 falsely');
    expect(words([2, 4])).toBe('none of the 2 hottest pages');
    expect(legendWords(told, 'tier', scaleOf('log', [[1, 2]]), 'Whole run.')).toContain(
      'PML found 1 of the 2 hottest pages of the whole run (the top 10 %), missed 1, reported 1 falsely.',
    );
  });
});

describe('the grid', () => {
  test('has the finest power of two that fits', () => {
    expect(stepFor(500, 500, 1)).toBe(1);
    expect(stepFor(501, 500, 1)).toBe(2);
    expect(stepFor(1_000_000, 300, 1)).toBe(4096);
    expect(stepFor(100, 10, 8)).toBe(16);
  });
  test('tiles cover every point in sight once, and nothing beyond the map (generated)', () => {
    const range = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
    const power = fc.integer({ min: 0, max: 6 }).map(exponent => 2 ** exponent);
    fc.assert(
      fc.property(range, range, power, power, (xs, ys, stepX, stepY) => {
        const whole = { x: 5000, y: 70_000 };
        const part = ([a, b]: [number, number], end: number) =>
          [Math.min(a, b) * end, Math.max(a, b) * end + 1].map(v => Math.min(v, end)) as [number, number];
        const [x, y] = [part(xs, whole.x), part(ys, whole.y)];
        const tiles = tilesOver(x, y, { x: stepX, y: stepY }, whole);
        expect(new Set(tiles.map(keyOf)).size).toBe(tiles.length);
        const extents = tiles.map(tile => extentOf(tile, whole));
        for (const corner of [
          [x[0], y[0]],
          [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2],
        ] as const) {
          const holds = extents.filter(
            tile => corner[0] >= tile.x[0] && corner[0] < tile.x[1] && corner[1] >= tile.y[0] && corner[1] < tile.y[1],
          );
          expect(holds.length).toBe(corner[0] < whole.x && corner[1] < whole.y ? 1 : 0);
        }
        for (const { x: across, y: down } of extents) {
          expect(across[1] - across[0]).toBeLessThanOrEqual(stepX * tileColumns);
          expect(down[1] - down[0]).toBeLessThanOrEqual(stepY * tileRows);
          expect(across[1]).toBeLessThanOrEqual(whole.x);
          expect(across[0] < x[1] && across[1] > x[0] && down[0] < y[1] && down[1] > y[0]).toBe(true);
        }
      }),
    );
  });

  test('of tiles that stand in, those behind a resolution that covers all are not drawn', () => {
    const tile = (step: number, x: [number, number], painted: unknown = 'now') => ({
      ...{ id: { x: step, y: 1 }, x, y: [0, 10] as const, painted },
    });
    const coarse = tile(4, [0, 40]);
    const halves = [tile(2, [0, 20]), tile(2, [20, 40])];
    const fine = tile(1, [10, 20]);
    const seen = (tiles: readonly ReturnType<typeof tile>[]) => firstSeen(tiles, [5, 30], [2, 8]);
    // 5 to 20 and 20 to 30 are all of it; half of it is not, nor is what has not been painted yet.
    expect(seen([coarse, ...halves, fine])).toBe(1);
    expect(seen([coarse, halves[0]!, fine])).toBe(0);
    expect(seen([coarse, halves[0]!, tile(2, [20, 40], null), fine])).toBe(0);
    expect(seen([tile(8, [0, 40]), coarse])).toBe(1);
    expect(seen([])).toBe(0);
  });
});

describe('a scale', () => {
  test('by the logarithm: equal factors are equally far apart', () => {
    const scale = scaleOf('log', [[0, 0.01, 1], [100]])!;
    expect([0.01, 0.1, 1, 10, 100].map(value => Math.round(scale.place(value) * 1e6) / 1e6)).toEqual([
      0, 0.25, 0.5, 0.75, 1,
    ]);
    expect(scale.ticks.map(({ value }) => density(value))).toEqual(['0.01', '0.1', '1', '10', '100']);
  });
  test('of one value puts it at the top; of none is none', () => {
    expect(scaleOf('log', [[0, 7]])!.place(7)).toBe(1);
    expect(scaleOf('log', [[0, 0]])).toBeNull();
    expect(scaleOf('percentile', [])).toBeNull();
  });
  test('by percentile: a value’s place is how many of the bins have less', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i + 1) ** 3);
    const scale = scaleOf('percentile', [values])!;
    for (const share of [0.1, 0.5, 0.9]) expect(scale.place((1000 * share) ** 3)).toBeCloseTo(share, 2);
    expect(scale.ticks.map(({ share }) => share)).toEqual(['0 %', '25 %', '50 %', '75 %', '90 %', '99 %', '100 %']);
    expect(Math.cbrt(scale.ticks[2]!.value)).toBeCloseTo(500, -1);
    // Nothing beyond the ends.
    expect([scale.place(0.5), scale.place(1e12)]).toEqual([0, 1]);
  });
  test('grows when the map is panned, so that no colour changes its meaning downwards', () => {
    const [wide, narrow] = [scaleOf('log', [[1, 1000]])!, scaleOf('log', [[10, 100]])!];
    expect(widened(wide, narrow)).toBe(wide);
    expect([widened(narrow, wide).least, widened(narrow, wide).most]).toEqual([1, 1000]);
  });
  test('numbers below one keep two digits', () => {
    expect([0.00312, 0.5, 1, 12_000, 9.87e-7, 1e-12].map(density)).toEqual([
      '0.0031',
      '0.5',
      '1',
      '12 k',
      '9.9×10⁻⁷',
      '1×10⁻¹²',
    ]);
  });
});

test('a recording that goes on is a map of blocks, joined where addresses are', () => {
  const view = liveView({
    columns: 2,
    rows: 3,
    bytesPerRow: 65536,
    accessesPerColumn: 32768,
    process: wire(Uint32Array.of(0, 0, 1)),
    block: wire(Float64Array.of(16, 17, 18)),
    reads: wire(Float32Array.of(1, 0, 2, 0, 3, 4)),
    writes: wire(new Float32Array(6)),
    accesses: 65536,
    pages: 40,
  });
  const axes = new HeatAxes(view);
  expect(binSize(axes.facts)).toBe('1 block of 64 KiB × 1 column');
  // 16 * 65,536 = 0x100000; another process never joins.
  expect(axes.facts.segments.map(({ from, to, address }) => [from, to, address])).toEqual([
    [0, 2, '0x100000'],
    [2, 3, '0x120000'],
  ]);
  // Time is the machine's, which has not told of it yet: the axis is in accesses.
  expect([axes.timed, axes.whenText(1.5)]).toEqual([false, '49 k accesses']);
  expect(new HeatBins(view).count('accesses', { column: 1, row: 2 })).toBe(4);
});
