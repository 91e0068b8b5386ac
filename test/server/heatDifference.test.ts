/** The heatmap's difference of two runs, against means by hand and sums by brute force. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeatDifferenceFacts, Selection, ViewQuery, WireColumn } from '../../core/protocol.js';
import { Baseline } from '../../core/server/baseline.js';
import { mostColumns, relativeSums } from '../../core/server/heat/relative.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { maxAnswerBytes } from '../../core/server/views/view.js';
import { views } from '../../core/server/views/views.js';
import { type ObjectSpec, profileOf } from '../helpers/profile.js';

const selection: Selection = {
  ...{ profile: 'x', tracker: 'exact', tiers: 'hbm-dram-cxl', tierChanges: [], policy: 'static-optimal', phase: null },
  ...{ focus: null, baseline: 'y', window: null },
};

type Reads = Readonly<Record<string, readonly [reads: number, pages: number]>>;

/** A run in which each object is read so often, evenly over its pages and the epochs. */
function run(objects: Reads, epochs: number) {
  const names = Object.keys(objects);
  return profileOf({
    ...{ file: '/a.c', sha256: '', functions: { main: 1 }, epochs },
    lines: names.map((object, i) => ({ line: i + 2, function: 'main', object, reads: objects[object]![0] })),
    objects: names.map(
      (name, i): ObjectSpec => ({ name, line: i + 2, page: 1000 * (i + 1), pages: objects[name]![1] }),
    ),
  });
}

function ask(now: ReturnType<typeof run>, before: ReturnType<typeof run>, query: Omit<ViewQuery, 'view'> = {}) {
  const index = new ProfileIndex(now);
  const baseline = new Baseline(new ProfileIndex(before), now);
  const options = { ...query.options, part: 'difference' };
  const answer = views.heatmap(index, { view: 'heatmap', ...query, options }, selection, baseline);
  expect(JSON.stringify(answer).length).toBeLessThanOrEqual(maxAnswerBytes);
  const numbers = ({ base64 }: WireColumn) => {
    const { buffer } = Uint8Array.from(Buffer.from(base64, 'base64'));
    return [...new Float32Array(buffer)];
  };
  const columns = Object.fromEntries(Object.entries(answer.columns!).map(([name, of]) => [name, numbers(of)]));
  return { facts: answer.facts as HeatDifferenceFacts, columns };
}

describe('the difference of two runs', () => {
  test('has means of a page in equal stretches of either run, whatever their lengths and sizes', () => {
    // Now 100 reads a page and epoch, before 50.
    const { facts, columns } = ask(run({ table: [3200, 4] }, 8), run({ table: [400, 2] }, 4));
    expect(facts).toMatchObject({ rows: 2, columns: 4, leftOut: 0, withoutPages: 0 });
    expect(facts.objects).toMatchObject([{ name: 'table', pages: 4, pagesBefore: 2, from: 0, rows: 2 }]);
    // A quarter of this run is two epochs, a quarter of the run before one.
    expect(columns.reads).toEqual(new Array(8).fill(200));
    expect(columns.readsBefore).toEqual(new Array(8).fill(50));
    expect(columns.writes).toEqual(new Array(8).fill(0));
  });

  test('shares out pages and epochs that straddle, and loses nothing', () => {
    // Rows of 3 / 2 pages, columns of 3 / 2 epochs: 10 a page and epoch are 15 a page and column.
    const { columns } = ask(run({ table: [90, 3] }, 3), run({ table: [80, 2] }, 2));
    expect(columns.reads).toEqual([15, 15, 15, 15]);
    expect(columns.readsBefore).toEqual([20, 20, 20, 20]);
  });

  test('lays over each other what both runs have, and says what share of either that is', () => {
    const now = run({ small: [100, 1], table: [700, 1], 'only now': [200, 1] }, 2);
    const { facts, columns } = ask(now, run({ table: [300, 1], small: [400, 1], gone: [300, 1] }, 2));
    // 70 % of this run, then 40 % of the run before.
    expect(facts.objects.map(({ name }) => name)).toEqual(['table', 'small']);
    expect(facts.now).toEqual({ accesses: 1000, shown: 800 });
    expect(facts.before).toEqual({ accesses: 1000, shown: 700 });
    expect(columns.reads).toEqual([350, 350, 50, 50]);
    expect(columns.readsBefore).toEqual([150, 150, 200, 200]);
  });

  test('shows as many allocations as have room, those that matter first', () => {
    const many = (factor: number) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`block ${i}`, [factor * (1000 - i), 1] as const]));
    const { facts } = ask(run(many(1), 1), run(many(1), 1), { pixels: [100, 40] });
    expect(facts).toMatchObject({ rows: 40, columns: 1, leftOut: 260 });
    expect(facts.objects.at(-1)).toMatchObject({ name: 'block 39', from: 39, rows: 1 });
    expect(ask(run(many(1), 200), run(many(1), 200)).facts).toMatchObject({ rows: 160, columns: 128 });
  });

  describe('closer', () => {
    // 64 pages of a, 32 of b, 64 epochs; a page and epoch of either are read 10 times, before 5 times.
    const now = run({ a: [64 * 64 * 10, 64], b: [32 * 64 * 10, 32] }, 64);
    const before = run({ a: [64 * 64 * 5, 64], b: [32 * 64 * 5, 32] }, 64);
    const part = (options: ViewQuery['options']) => ask(now, before, { pixels: [16, 24], options }).facts;
    const rows = ({ objects }: HeatDifferenceFacts) =>
      objects.map(({ name, from, rows }) => `${name} ${from}+${rows}`).join(', ');

    test('each step halves rows and columns, as far as there are pages and epochs', () => {
      const at = (zoom: number) => {
        const { allRows, allColumns, rows, columns } = part({ zoom });
        return [allRows, allColumns, rows, columns];
      };
      expect(at(0)).toEqual([16 + 16, 16, 24, 16]);
      expect(at(1)).toEqual([32 + 32, 32, 24, 16]);
      expect(at(2)).toEqual([64 + 32, 64, 24, 16]);
      expect(at(9)).toEqual([64 + 32, 64, 24, 16]);
      const { columns } = ask(now, before, { pixels: [16, 24], options: { zoom: 2 } });
      // A page and epoch each.
      expect(columns.reads).toEqual(new Array(24 * 16).fill(10));
      expect(columns.readsBefore).toEqual(new Array(24 * 16).fill(5));
    });

    test('what is pointed at stays where it is', () => {
      // The middle of b, in the visible row 10; the end of the first quarter in column 3.
      const facts = part({ zoom: 1, object: 1, place: 0.5, row: 10, progress: 0.25, column: 3 });
      expect(facts).toMatchObject({ firstRow: 32 + 16 - 10, firstColumn: 8 - 3 });
      expect(rows(facts)).toBe('b -6+32');
      expect(facts.leftOut).toBe(1);
      expect(rows(part({ zoom: 1, object: 1, place: 0, row: 10 }))).toBe('a -22+32, b 10+32');
    });

    test('nothing is shown beyond the ends', () => {
      const { firstRow, firstColumn } = part({ zoom: 1, object: 1, place: 0.99, row: 0, progress: 0.99, column: 0 });
      expect([firstRow, firstColumn]).toEqual([64 - 24, 32 - 16]);
      expect(part({ zoom: 1, object: 0, place: 0, row: 20, column: 9 })).toMatchObject({ firstRow: 0, firstColumn: 0 });
    });
  });

  test('names no allocation that has no page mostly its own', () => {
    const shared = { lines: [], ...{ file: '/a.c', sha256: '', functions: { main: 1 }, epochs: 1 } };
    const objects: ObjectSpec[] = [
      { name: 'table', line: 2, page: 7, pages: 1 },
      { name: 'crumb', line: 3, page: 9, pages: 0 },
    ];
    const lines = [{ line: 2, function: 'main', object: 'table', reads: 9 }];
    const profile = profileOf({ ...shared, lines, objects });
    const { facts } = ask(profile, profile);
    expect(facts).toMatchObject({ withoutPages: 1, objects: [{ name: 'table' }] });
  });

  test('without a run to compare with there is none', () => {
    const index = new ProfileIndex(run({ table: [8, 2] }, 2));
    const difference = () =>
      views.heatmap(index, { view: 'heatmap', options: { part: 'difference' } }, selection, null);
    expect(difference).toThrow('there is no profile to compare with');
  });
});

test('each page and epoch is spread by how much of it lies where (generated)', () => {
  const sizes = fc.record({
    pages: fc.integer({ min: 1, max: 30 }),
    epochs: fc.integer({ min: 1, max: 30 }),
    epochsPerBin: fc.integer({ min: 1, max: 4 }),
    rows: fc.integer({ min: 1, max: 30 }),
    columns: fc.integer({ min: 1, max: 30 }),
    reads: fc.integer({ min: 1, max: 9999 }),
  });
  fc.assert(
    fc.property(sizes, wanted => {
      const profile = profileOf({
        ...{ file: '/a.c', sha256: '', functions: { main: 1 }, epochs: wanted.epochs },
        epochsPerBin: wanted.epochsPerBin,
        lines: [{ line: 2, function: 'main', object: 'table', reads: wanted.reads }],
        objects: [{ name: 'table', page: 5, pages: wanted.pages }],
      });
      const rows = Math.min(wanted.rows, wanted.pages);
      const columns = Math.min(wanted.columns, mostColumns(profile));
      const { reads } = relativeSums(profile, [{ object: 0, pages: wanted.pages, from: 0, rows }], {
        ...{ rows, columns, firstColumn: 0, allColumns: columns },
      });
      const part = relativeSums(profile, [{ object: 0, pages: wanted.pages, from: -1, rows }], {
        ...{ rows: rows - 1, columns: columns - 1, firstColumn: 1, allColumns: columns },
      });
      const { heat, epochs } = profile;
      const overlap = (from: number, to: number, part: number, parts: number) =>
        Math.max(0, Math.min(to, (part + 1) / parts) - Math.max(from, part / parts)) / (to - from);
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let expected = 0;
          for (let bin = 0; bin + 1 < heat.start.length; bin++) {
            const from = (bin * heat.epochsPerBin) / epochs.count;
            const to = Math.min(1, ((bin + 1) * heat.epochsPerBin) / epochs.count);
            for (let i = heat.start[bin]!; i < heat.start[bin + 1]!; i++) {
              const page = heat.page[i]!;
              const down = overlap(page / wanted.pages, (page + 1) / wanted.pages, row, rows);
              expected += heat.reads[i]! * down * overlap(from, to, column, columns);
            }
          }
          expect(reads[row * columns + column]).toBeCloseTo(expected, 6);
          // A part of the map has the same counts as the whole.
          if (row > 0 && column > 0) {
            expect(part.reads[(row - 1) * (columns - 1) + column - 1]).toBeCloseTo(expected, 6);
          }
        }
      }
      expect(reads.reduce((a, b) => a + b, 0)).toBeCloseTo(wanted.reads, 6);
    }),
  );
});
