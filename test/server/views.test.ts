import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  HeatmapFacts,
  PlacementFacts,
  Selection,
  ViewQuery,
  WireColumn,
  WorkingSetFacts,
} from '../../core/protocol.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { maxAnswerBytes } from '../../core/server/views/view.js';
import { views } from '../../core/server/views/views.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';

const selection: Selection = {
  profile: 'x',
  tracker: 'exact',
  tiers: 'hbm-dram-cxl',
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
  if (type === 'f64') return [...new Float64Array(buffer)];
  return type === 'u32' ? [...new Uint32Array(buffer)] : [...new Uint8Array(buffer)];
}
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

function ask<Facts>(index: ProfileIndex, query: ViewQuery) {
  const { facts, columns = {} } = views[query.view](index, query, selection);
  const bytes = JSON.stringify({ facts, columns }).length;
  expect(bytes).toBeLessThanOrEqual(maxAnswerBytes);
  return { facts: facts as Facts, columns };
}

/** `pages` pages in runs of `run`, each run far from the next and an object of its own; heat in every epoch. */
function wide(pages: number, epochs: number, run: number, epochsPerBin = 1) {
  const objects = Array.from({ length: Math.ceil(pages / run) }, (_, i) => ({
    name: `object ${i}`,
    page: i * run * 3,
    pages: Math.min(run, pages - i * run),
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

describe('heatmap', () => {
  test('bins of the whole map add up to the totals, whatever the pixels (generated)', () => {
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
          const { facts, columns } = ask<HeatmapFacts>(index, { view: 'heatmap', pixels });
          expect(sum(numbers(columns.reads))).toBe(totals.reads);
          expect(sum(numbers(columns.writes))).toBe(totals.writes);
          expect(sum(numbers(columns.traffic))).toBe(totals.trafficReads + totals.trafficWrites);
          expect(facts.columns).toBeLessThanOrEqual(Math.min(pixels[0], epochs));
          expect(facts.rows).toBeLessThanOrEqual(Math.min(pixels[1], pages));
          expect(facts.timesNs).toHaveLength(facts.columns + 1);
          expect(facts.timesNs.at(-1)).toBe(totals.modelledNs);
          expect(Math.max(...numbers(columns.reads))).toBe(facts.max.reads);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('parts of the map add up to the whole (generated)', () => {
    const index = wide(50, 20, 7);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 49 }), (x, y) => {
        const part = (xs: [number, number], ys: [number, number]) =>
          sum(numbers(ask(index, { view: 'heatmap', range: { x: xs, y: ys }, pixels: [5, 6] }).columns.reads));
        const parts = [part([0, x], [0, y]), part([x, 20], [0, y]), part([0, x], [y, 50]), part([x, 20], [y, 50])];
        expect(sum(parts)).toBe(index.profile.totals.reads);
      }),
      { numRuns: 40 },
    );
  });

  test('one bin a page and epoch holds exactly the heat of that page in that epoch', () => {
    const index = wide(3, 2, 3);
    // 1,000 reads over 3 pages: 334 333 333; over 2 epochs: 167 167 / 167 166 / 167 166. Row-major, a row a page.
    const { facts, columns } = ask<HeatmapFacts>(index, { view: 'heatmap', pixels: [100, 100] });
    expect([facts.columns, facts.rows]).toEqual([2, 3]);
    expect(numbers(columns.reads)).toEqual([167, 167, 167, 166, 167, 166]);
  });

  test('a range that cuts a bin of coarse heat grows to whole bins', () => {
    const index = wide(4, 10, 2, 4);
    const { facts } = ask<HeatmapFacts>(index, { view: 'heatmap', range: { x: [5, 6] }, pixels: [100, 100] });
    expect(facts.shown.x).toEqual([4, 8]);
    expect(facts.timesNs).toEqual([4e6, 8e6]);
  });

  test('touched runs are segments with their addresses and objects; other processes never join', () => {
    const index = new ProfileIndex(profileOf(spec('/prog.c')));
    const { facts } = ask<HeatmapFacts>(index, { view: 'heatmap', pixels: [10, 10] });
    expect(
      facts.segments.map(({ from, to, address, objects }) => [from, to, address, objects.map(o => o.name)]),
    ).toEqual([
      [0, 1, '0x404000', ['log_count']],
      [1, 6, '0x7f000000', ['table']],
      [6, 7, '0x7fff0000', ['stack of thread 1']],
    ]);
    expect(facts.segments[1]?.objects[0]).toMatchObject({ tier: 'HBM', location: { file: '/prog.c', line: 8 } });
  });

  test('a million runs of pages stay within one answer and still cover every row', () => {
    const index = wide(4000, 3, 1);
    const { facts } = ask<HeatmapFacts>(index, { view: 'heatmap', pixels: [4000, 4000] });
    expect(facts.segments.length).toBeLessThanOrEqual(100);
    expect(facts.segments[0]?.from).toBe(0);
    expect(facts.segments.at(-1)?.to).toBe(4000);
    facts.segments.slice(1).forEach((segment, i) => {
      expect(segment.from).toBe(facts.segments[i]?.to);
    });
  });

  test('a map larger than an answer is binned, in the proportions of the screen', () => {
    const index = wide(2000, 400, 500);
    const { facts, columns } = ask<HeatmapFacts>(index, { view: 'heatmap', pixels: [1000, 500] });
    expect(facts.columns * facts.rows).toBeGreaterThan(40_000);
    expect(sum(numbers(columns.reads))).toBe(index.profile.totals.reads);
  });

  test('nonsense in the range shows the nearest part of the map', () => {
    const index = wide(5, 5, 5);
    const shown = (x: [number, number]) =>
      ask<HeatmapFacts>(index, { view: 'heatmap', range: { x }, pixels: [9, 9] }).facts.shown.x;
    expect(shown([-3, 99])).toEqual([0, 5]);
    expect(shown([4, 4])).toEqual([4, 5]);
    expect(shown([77, 88])).toEqual([4, 5]);
    expect(shown([Number.NaN, 2])).toEqual([0, 5]);
  });
});

describe('placement', () => {
  const index = new ProfileIndex(profileOf(spec('/prog.c')));
  const names = (options: ViewQuery['options'], range?: ViewQuery['range']) =>
    ask<PlacementFacts>(index, { view: 'placement', options, range }).facts.rows.map(row => row.name);

  test('objects come by accesses at first, and by any column when asked', () => {
    expect(names({})).toEqual(['table', 'stack of thread 1', 'log_count']);
    expect(names({ sort: 'name', descending: false })).toEqual(['log_count', 'stack of thread 1', 'table']);
    expect(names({ sort: 'writes' })).toEqual(['table', 'log_count', 'stack of thread 1']);
    expect(names({ sort: 'hotness', descending: true })).toEqual(['table', 'stack of thread 1', 'log_count']);
    expect(() => names({ sort: 'colour' })).toThrow('cannot sort by colour; known: kind, name');
  });

  test('the filter looks for every word in name, kind, tier and stack', () => {
    expect(names({ filter: 'HEAP hbm' })).toEqual(['table']);
    expect(names({ filter: 'main prog.c:12' })).toEqual(['table']);
    expect(names({ filter: 'global dram' })).toEqual([]);
  });

  test('a range gives those rows and says how many there are', () => {
    expect(names({}, { y: [1, 2] })).toEqual(['stack of thread 1']);
    const { facts } = ask<PlacementFacts>(index, { view: 'placement', range: { y: [1, 2] } });
    expect([facts.total, facts.from]).toEqual([3, 1]);
  });

  test('ten thousand objects with deep stacks fit an answer', () => {
    const many = profileOf({
      ...spec('/prog.c'),
      lines: [],
      objects: Array.from({ length: 10_000 }, (_, i) => ({
        name: `malloc in a_function_with_a_long_name_${i} (some_source_file.c:${i})`,
        page: i,
        pages: 1,
        stack: Array.from({ length: 60 }, (_, depth) => `function_${depth} some_source_file.c:${depth}`),
      })),
    });
    expect(ask<PlacementFacts>(new ProfileIndex(many), { view: 'placement' }).facts.total).toBe(10_000);
  });
});

test('the working set keeps its peak and all that entered when epochs are folded', () => {
  const index = wide(4, 10, 2);
  const { facts, columns } = ask<WorkingSetFacts>(index, { view: 'workingSet', pixels: [4, 100] });
  // 10 epochs with 1 .. 10 pages, one page entering each, at 4 pixels: 3 epochs a point.
  expect(facts.epochsPerPoint).toBe(3);
  expect(numbers(columns.pages)).toEqual([3, 6, 9, 10]);
  expect(numbers(columns.entered)).toEqual([3, 3, 3, 1]);
  expect(numbers(columns.endNs)).toEqual([3e6, 6e6, 9e6, 10e6]);
});

test('the overview counts pages by class and states what each figure rests on', () => {
  const index = new ProfileIndex(profileOf(spec('/prog.c')));
  const { facts } = ask(index, { view: 'overview' });
  expect(facts).toMatchObject({
    reads: 749,
    writes: 251,
    pagesTouched: 7,
    hotPages: 5,
    warmPages: 1,
    coldPages: 1,
    exit: 'exit status 0',
    topLines: [
      { label: 'prog.c:4 sum', reads: 700, tier: 'HBM', location: { file: '/prog.c', line: 4 } },
      { label: 'prog.c:9 fill' },
      { label: 'prog.c:13 main', tier: 'CXL' },
    ],
  });
});

test('a line whose traffic is shared belongs to a tier only above 80 %', () => {
  const at = (main: number, other: number) => {
    const base = spec('/prog.c');
    const [first, second, ...rest] = base.lines;
    const lines = [{ ...first!, trafficReads: main }, { ...second!, trafficReads: other }, ...rest];
    const index = new ProfileIndex(profileOf({ ...base, lines }));
    return index.tierOfShares(index.objectsOfLine(0), 'static-optimal');
  };
  expect(at(80, 20)).toBe('HBM');
  expect(at(79, 21)).toBe('mixed');
  expect(at(10, 90)).toBe('DRAM');
});
