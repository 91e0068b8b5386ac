/** The heatmap's answers against sums by hand and by brute force over the heat's rows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeatTable, Profile, TrackerResult } from '../../core/model/profile.js';
import type { HeatmapFacts, Selection, ViewQuery, WireColumn } from '../../core/protocol.js';
import { Baseline } from '../../core/server/baseline.js';
import { agreement, FALSE, FOUND, MISSED } from '../../core/server/heat/agreement.js';
import { sumBins } from '../../core/server/heat/bins.js';
import { largest } from '../../core/server/heat/largest.js';
import { HeatPyramid } from '../../core/server/heat/pyramid.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { project } from '../../core/server/projection.js';
import { seenBy } from '../../core/server/seen.js';
import { maxAnswerBytes } from '../../core/server/views/view.js';
import { views } from '../../core/server/views/views.js';
import { top } from '../../core/tracking/scores.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';
import { seenAs, toldIn } from './tracker.js';

const selection: Selection = {
  profile: 'x',
  tracker: 'exact',
  tiers: 'hbm-dram-cxl',
  tierChanges: [],
  policy: 'static-optimal',
  phase: null,
  focus: null,
  baseline: null,
  window: null,
};

function numbers({ type, base64 }: WireColumn): number[] {
  const raw = Buffer.from(base64, 'base64');
  const buffer = raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength);
  if (type === 'f32') return [...new Float32Array(buffer)];
  return type === 'u32' ? [...new Uint32Array(buffer)] : [...new Uint8Array(buffer)];
}
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

function ask(
  index: ProfileIndex,
  query: Omit<ViewQuery, 'view'>,
  { baseline = null, ...change }: Partial<Omit<Selection, 'baseline'>> & { baseline?: ProfileIndex | null } = {},
) {
  const before = baseline && new Baseline(baseline, index.profile);
  const answer = views.heatmap(index, { view: 'heatmap', ...query }, { ...selection, ...change }, before);
  expect(JSON.stringify(answer).length).toBeLessThanOrEqual(maxAnswerBytes);
  return { facts: answer.facts as HeatmapFacts, columns: answer.columns! };
}

/** `pages` pages in runs of `run`, each run far from the next and an object of its own; heat in every epoch. */
function wide(pages: number, epochs: number, run: number, epochsPerBin = 1) {
  const objects = Array.from({ length: Math.ceil(pages / run) }, (_, i) => ({
    name: `object ${i}`,
    page: i * run * 3,
    pages: Math.min(run, pages - i * run),
    tier: i % 3,
  }));
  return new ProfileIndex(
    profileOf({
      file: '/a.c',
      sha256: '',
      functions: { main: 1 },
      lines: objects.map(({ name }, i) => ({
        line: i + 2,
        function: 'main',
        object: name,
        reads: 1000 + i,
        writes: 7 * i,
        trafficReads: 3,
        trafficWrites: i,
      })),
      objects,
      epochs,
      epochsPerBin,
    }),
  );
}

describe('bins', () => {
  test('of the whole map add up to the totals, whatever the pixels (generated)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 80 })),
        (pages, epochs, run, epochsPerBin, pixels) => {
          const index = wide(pages, epochs, run, epochsPerBin);
          const { totals } = index.profile;
          const { facts, columns } = ask(index, { pixels });
          expect(sum(numbers(columns.reads))).toBe(totals.reads);
          expect(sum(numbers(columns.writes))).toBe(totals.writes);
          expect(sum(numbers(columns.traffic))).toBe(totals.trafficReads + totals.trafficWrites);
          expect(facts.columns).toBeLessThanOrEqual(Math.min(pixels[0], epochs));
          expect(facts.rows).toBeLessThanOrEqual(Math.min(pixels[1], pages));
          expect(facts.timesNs).toHaveLength(facts.columns + 1);
          expect(facts.timesNs.at(-1)).toBe(totals.modelledNs);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('tiles of one grid add up to the whole, each bin being one of the whole (generated)', () => {
    const index = wide(50, 20, 7);
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.constantFrom(1, 2, 4, 8, 16),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        (stepX, stepY, across, down) => {
          const options = { stepX, stepY, part: 'bins' };
          const whole = ask(index, { options });
          const all = numbers(whole.columns.reads);
          let found = 0;
          for (let x = 0; x < 20; x += stepX * across) {
            for (let y = 0; y < 50; y += stepY * down) {
              const range = { x: [x, x + stepX * across], y: [y, y + stepY * down] } as const;
              const tile = ask(index, { options, range });
              const reads = numbers(tile.columns.reads);
              found += sum(reads);
              // Its lowest left bin is the whole map's at that place.
              expect(reads[0]).toBe(all[(y / stepY) * whole.facts.columns + x / stepX]);
            }
          }
          expect(found).toBe(index.profile.totals.reads);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('one bin a page and epoch holds exactly the heat of that page in that epoch', () => {
    const index = wide(3, 2, 3);
    // 1,000 reads over 3 pages: 334 333 333; over 2 epochs: 167 167 / 167 166 / 167 166. Row-major, a row a page.
    const { facts, columns } = ask(index, { pixels: [100, 100] });
    expect([facts.columns, facts.rows]).toEqual([2, 3]);
    expect(numbers(columns.reads)).toEqual([167, 167, 167, 166, 167, 166]);
  });

  test('all span the same, a power of two, but for those that the end of the map cuts', () => {
    // 10 epochs at 4 pixels: 4 epochs a bin, the last has 2; 50 rows at 20: 4 rows a bin, the last has 2.
    const { facts } = ask(wide(50, 10, 7), { pixels: [4, 20] });
    expect(facts.step).toEqual({ x: 4, y: 4 });
    expect([facts.columns, facts.rows]).toEqual([3, 13]);
    expect(facts.shown).toEqual({ x: [0, 10], y: [0, 50] });
    expect(facts.timesNs).toEqual([0, 4e6, 8e6, 10e6]);
  });

  test('a range that cuts a bin of coarse heat grows to whole bins', () => {
    const { facts } = ask(wide(4, 10, 2, 4), { range: { x: [5, 6] }, pixels: [100, 100] });
    expect(facts.leastStepX).toBe(4);
    expect(facts.shown.x).toEqual([4, 8]);
    expect(facts.timesNs).toEqual([4e6, 8e6]);
  });

  test('a map larger than an answer is binned, in the proportions of the screen', () => {
    const index = wide(2000, 400, 500);
    const { facts, columns } = ask(index, { pixels: [1000, 2000] });
    expect(facts.columns * facts.rows).toBeGreaterThan(25_000);
    expect(sum(numbers(columns.reads))).toBe(index.profile.totals.reads);
  });

  test('nonsense in the range or the steps shows the nearest part of the map', () => {
    const index = wide(5, 5, 5);
    const shown = (x: [number, number]) => ask(index, { range: { x }, pixels: [9, 9] }).facts.shown.x;
    expect(shown([-3, 99])).toEqual([0, 5]);
    expect(shown([4, 4])).toEqual([4, 5]);
    expect(shown([77, 88])).toEqual([4, 5]);
    expect(shown([Number.NaN, 2])).toEqual([0, 5]);
    const { facts } = ask(index, { pixels: [9, 9], options: { stepX: 3, stepY: 'wide' } });
    expect(facts.step).toEqual({ x: 1, y: 1 });
  });
});

describe('the pyramid', () => {
  /** Sparse heat of `columns` bins over `pages` pages from a seed, as a replay makes it: pages ascend within a bin. */
  function sparse(columns: number, pages: number, perColumn: number, seed: number): HeatTable {
    let state = seed;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const rows = Array.from({ length: columns }, () =>
      [...new Set(Array.from({ length: perColumn }, () => Math.floor(random() ** 3 * pages)))].sort((a, b) => a - b),
    );
    const start = new Float64Array(columns + 1);
    for (const [i, column] of rows.entries()) start[i + 1] = start[i] + column.length;
    const page = Uint32Array.from(rows.flat());
    const counts = () => page.map(() => Math.floor(random() * 4e9));
    return {
      epochsPerBin: 1,
      start,
      page,
      reads: counts(),
      writes: counts(),
      trafficReads: counts(),
      trafficWrites: counts(),
    };
  }

  function built(heat: HeatTable, pages: number): HeatPyramid {
    const pyramid = new HeatPyramid(heat, pages);
    for (const _ of pyramid.build());
    return pyramid;
  }

  test('gives the sums of the heat itself at every size of bin', () => {
    const [columns, pages] = [1100, 4000];
    const heat = sparse(columns, pages, 1500, 7);
    const pyramid = built(heat, pages);
    const plain = new HeatPyramid(heat, pages);
    expect(pyramid.levels.length).toBeGreaterThan(2);
    for (const stepBins of [1, 4, 16, 64]) {
      for (const stepPages of [1, 2, 8, 16, 256]) {
        const grid = {
          stepBins,
          stepPages,
          fromBin: stepBins * 2,
          fromPage: stepPages,
          columns: Math.ceil(columns / stepBins) - 2,
          rows: Math.ceil(pages / stepPages) - 1,
        };
        const [got, want] = [sumBins(pyramid, grid), bruteForce(heat, grid)];
        expect(differences(got.reads, want.reads)).toBe(0);
        expect(differences(got.traffic, want.traffic)).toBe(0);
        expect(differences(sumBins(plain, grid).writes, got.writes)).toBe(0);
      }
    }
  });

  /** Cheaper than comparing a million numbers one expectation at a time. */
  function differences(a: Float32Array, b: Float32Array): number {
    return a.length === b.length ? a.reduce((n, value, i) => n + (value === b[i] ? 0 : 1), 0) : Number.NaN;
  }

  function bruteForce(heat: HeatTable, grid: Parameters<typeof sumBins>[1]) {
    const reads = new Float64Array(grid.columns * grid.rows);
    const traffic = new Float64Array(grid.columns * grid.rows);
    for (let bin = 0; bin < heat.start.length - 1; bin++) {
      for (let i = heat.start[bin]; i < heat.start[bin + 1]; i++) {
        const column = Math.floor((bin - grid.fromBin) / grid.stepBins);
        const row = Math.floor((heat.page[i] - grid.fromPage) / grid.stepPages);
        if (column < 0 || column >= grid.columns || row < 0 || row >= grid.rows) continue;
        reads[row * grid.columns + column] += heat.reads[i];
        traffic[row * grid.columns + column] += heat.trafficReads[i] + heat.trafficWrites[i];
      }
    }
    return { reads: Float32Array.from(reads), traffic: Float32Array.from(traffic) };
  }

  test('reads few rows for a whole map, and holds less than the heat', () => {
    const heat = sparse(600, 100_000, 2000, 3);
    const pyramid = built(heat, 100_000);
    // 600 epochs by 100,000 pages on 256 by 128 bins: 4 epochs and 1,024 pages a bin.
    const level = pyramid.levelFor(4, 1024);
    expect(level.page.length).toBeLessThan(heat.page.length / 8);
    const kept = sum(pyramid.levels.slice(1).map(({ page }) => page.length));
    expect(kept).toBeLessThan(heat.page.length);
  });

  test('the largest are found as by sorting (generated)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 12 }), (weights, most) => {
        const sorted = weights
          .map((_, i) => i)
          .sort((a, b) => weights[b] - weights[a] || a - b)
          .slice(0, most)
          .sort((a, b) => a - b);
        expect(largest(0, weights.length, most, i => weights[i])).toEqual(sorted);
      }),
    );
  });
});

describe('the axis', () => {
  test('touched runs are segments with their addresses and objects', () => {
    const index = new ProfileIndex(profileOf(spec('/prog.c')));
    const { facts } = ask(index, { pixels: [10, 10] });
    expect(
      facts.segments.map(({ from, to, address, objects }) => [from, to, address, objects.map(o => o.name)]),
    ).toEqual([
      [0, 1, '0x404000', ['log_count']],
      [1, 6, '0x7f000000', ['table']],
      [6, 7, '0x7fff0000', ['stack of thread 1']],
    ]);
    expect(facts.segments[1]?.objects[0]).toMatchObject({ tier: 'HBM', location: { file: '/prog.c', line: 8 } });
    // Part of a run is told with its own bounds.
    const part = ask(index, { range: { y: [2, 4] }, pixels: [10, 10] }).facts;
    expect(part.segments).toMatchObject([{ from: 2, to: 4, objects: [{ from: 2, to: 4, name: 'table' }] }]);
  });

  test('other processes never join', () => {
    const base = spec('/prog.c');
    const [table, stack, log] = base.objects;
    const objects = [table!, stack!, { ...log!, page: table!.page + table!.pages, process: 1 }];
    const { facts } = ask(new ProfileIndex(profileOf({ ...base, objects })), { pixels: [10, 10] });
    expect(facts.segments.map(({ from, to }) => [from, to])).toEqual([
      [0, 5],
      [5, 6],
      [6, 7],
    ]);
  });

  test('thousands of runs of pages stay within one answer and still cover every row', () => {
    const { facts } = ask(wide(4000, 3, 1), { pixels: [4000, 4000] });
    expect(facts.segments.length).toBeLessThanOrEqual(100);
    // All runs and gaps are equally large: those that are told lie all over the map.
    expect(Math.max(...facts.segments.map(({ from, to }) => to - from))).toBeLessThan(200);
    expect(Math.max(...facts.segments.flatMap(({ objects }) => objects.map(object => object.from)))).toBeGreaterThan(
      3900,
    );
    expect(facts.segments[0]?.from).toBe(0);
    expect(facts.segments.at(-1)?.to).toBe(4000);
    facts.segments.slice(1).forEach((segment, i) => {
      expect(segment.from).toBe(facts.segments[i]?.to);
    });
  });
});

describe('rows', () => {
  test('have the tier of 80 % of their traffic, else mixed', () => {
    // Objects of 2 pages in tiers 0, 1, 2, 0, ...; 3 + i cache lines each.
    const { facts, columns } = ask(wide(8, 2, 2), { options: { stepX: 1, stepY: 2 } });
    expect(facts.tiers).toEqual(['HBM', 'DRAM', 'CXL', 'mixed']);
    expect(numbers(columns.tier)).toEqual([0, 1, 2, 0]);
    const coarse = ask(wide(8, 2, 2), { options: { stepX: 1, stepY: 4 } });
    expect(numbers(coarse.columns.tier)).toEqual([3, 3]);
  });

  test('of what is pointed at are told, in view and in all', () => {
    const index = new ProfileIndex(profileOf(spec('/prog.c')));
    const focus = (focus: Selection['focus'], y: [number, number] = [0, 7]) =>
      ask(index, { range: { y }, pixels: [9, 9] }, { focus }).facts.focus;
    const table = index.profile.objects.name.indexOf('table');
    expect(focus({ kind: 'object', object: table })).toEqual({ label: 'table', runs: [[1, 6]], extent: [1, 6] });
    expect(focus({ kind: 'object', object: table }, [4, 7])?.runs).toEqual([[4, 6]]);
    expect(focus({ kind: 'page', page: 6 }, [0, 3])).toEqual({
      label: 'page 0x7fff0000 of stack of thread 1',
      runs: [],
      extent: [6, 7],
    });
    // Line 4 reads the table and the stack.
    expect(focus({ kind: 'line', file: '/prog.c', line: 4 })).toEqual({
      label: 'allocations that prog.c:4 uses',
      runs: [
        [1, 6],
        [6, 7],
      ],
      extent: [1, 7],
    });
    expect(focus({ kind: 'line', file: '/other.c', line: 4 })).toBeNull();
  });
});

describe('agreement', () => {
  const readings = (pageReads: readonly number[]) => ({ pageReads: Float64Array.from(pageReads), pageWrites: null });

  test('found, missed and falsely reported pages, by hand', () => {
    // 20 accessed pages: k = 2. Truth: rows 3 and 7. The tracker's two: 3, and of 1 and 5 with equal readings the lower.
    const truth = Float64Array.from({ length: 20 }, () => 1);
    truth[3] = 50;
    truth[7] = 40;
    const seen = new Array<number>(20).fill(0);
    seen[3] = 9;
    seen[1] = seen[5] = 4;
    const { status, totals } = agreement(truth, readings(seen))!;
    expect([status[3], status[7], status[1], status[5]]).toEqual([FOUND, MISSED, FALSE, 0]);
    expect(totals).toEqual({ k: 2, found: 1, missed: 1, falsely: 1 });
  });

  test('is the scores’ own top k (generated)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })), {
          minLength: 1,
          maxLength: 80,
        }),
        pages => {
          const truth = Float64Array.from(pages, ([accesses]) => accesses);
          const seen = Float64Array.from(pages, ([, reading]) => reading);
          const k = Math.ceil(pages.filter(([accesses]) => accesses > 0).length / 10);
          const [hot, own] = [new Set(top(truth, k)), new Set(top(seen, k))];
          const { status } = agreement(truth, readings([...seen]))!;
          for (let row = 0; row < pages.length; row++) {
            const want = hot.has(row) ? (own.has(row) ? FOUND : MISSED) : own.has(row) ? FALSE : 0;
            expect(status[row]).toBe(want);
          }
        },
      ),
    );
  });

  test('is told by row for a tracker that names pages, and for no other', () => {
    const base = wide(20, 2, 20).profile;
    const tracker = (id: string, pageReads: Float64Array | null): TrackerResult => ({
      ...{ id, pagesReported: 20, precision: 1, recall: 1, f1: 1, rankCorrelation: 1, workingSetError: 0 },
      ...{ vmExits: 0, overheadPercent: 0, periods: 1, own: {}, warnings: [], pageReads, pageWrites: null },
    });
    // Equal counts: the truth's two are rows 0 and 1. The tracker says 1 and 19.
    const seen = new Float64Array(20);
    seen[1] = seen[19] = 5;
    const even = new Float64Array(20).fill(50);
    const profile: Profile = {
      ...base,
      heat: { ...base.heat, reads: base.heat.reads.map(() => 25), writes: base.heat.writes.map(() => 0) },
      pages: { ...base.pages, reads: even, writes: new Float64Array(20) },
      trackers: [tracker('pml', seen), tracker('nameless', null)],
    };
    const index = new ProfileIndex(profile);
    const { facts, columns } = ask(index, { options: { stepX: 2, stepY: 2 } }, { tracker: 'pml' });
    expect(facts.agreement).toEqual({ tracker: 'PML', inWindow: false, k: 2, found: 1, missed: 1, falsely: 1 });
    expect(numbers(columns.found)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(numbers(columns.missed)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(numbers(columns.falsely)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(ask(index, {}, { tracker: 'nameless' }).facts.agreement).toBeNull();
    expect(ask(index, {}).facts.agreement).toBeNull();
  });

  test('in a window is that of its readings and its accesses', () => {
    // 20 pages, two epochs: all have an access in each, page 4 has 9 in the first, page 7 has 9 in the second.
    const base = wide(20, 2, 20).profile;
    const heat = {
      ...base.heat,
      start: Float64Array.of(0, 20, 40),
      page: Uint32Array.from({ length: 40 }, (_, row) => row % 20),
      reads: Uint32Array.from({ length: 40 }, (_, row) => (row === 4 || row === 27 ? 9 : 1)),
      ...{ writes: new Uint32Array(40), trafficReads: new Uint32Array(40), trafficWrites: new Uint32Array(40) },
    };
    const reads = Float64Array.from({ length: 20 }, (_, page) => (page === 4 || page === 7 ? 10 : 2));
    const told = toldIn(2, [
      { bin: 0, page: 9, reads: 3 },
      { bin: 1, page: 3, reads: 1 },
      { bin: 1, page: 7, reads: 2 },
    ]);
    const totals = Array.from({ length: 20 }, (_, page) => told.reads[told.page.indexOf(page)] ?? 0);
    const result = seenAs('prl', totals, null, told);
    const exact: Profile = { ...base, heat, pages: { ...base.pages, reads }, trackers: [result] };
    const { profile } = project(exact, result);
    const index = new ProfileIndex(profile, seenBy('prl'), new ProfileIndex(exact));
    const of = (window: [number, number] | null) => ask(index, {}, { tracker: 'prl', window }).facts.agreement;
    // Two are hot. First epoch: 4, and of equals page 0; it told of page 9 alone. Second: 7 and 0; it told of 7 and 3.
    expect(of([0, 1])).toMatchObject({ inWindow: true, k: 2, found: 0, missed: 2, falsely: 1 });
    expect(of([1, 2])).toMatchObject({ inWindow: true, k: 2, found: 1, missed: 1, falsely: 1 });
    // The whole run: 4 and 7; it told most of 9 and 7.
    expect(of(null)).toMatchObject({ inWindow: false, k: 2, found: 1, missed: 1, falsely: 1 });
  });
});

test('the profile that is compared with answers when asked for, and its absence is told', () => {
  const [index, baseline] = [wide(4, 4, 4), wide(9, 6, 3)];
  const { facts, columns } = ask(index, { options: { baseline: true } }, { baseline });
  expect([facts.epochs, facts.pageRows]).toEqual([6, 9]);
  expect(sum(numbers(columns.reads))).toBe(baseline.profile.totals.reads);
  expect(facts.stamp).not.toBe(ask(index, {}).facts.stamp);
  expect(() => ask(index, { options: { baseline: true } })).toThrow('there is no profile to compare with');
});
