import { describe, expect, test } from 'vitest';
import type { PlacementFacts, Selection, ViewQuery, WireColumn, WorkingSetFacts } from '../../core/protocol.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { maxAnswerBytes } from '../../core/server/views/view.js';
import { views } from '../../core/server/views/views.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';

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
  if (type === 'f64') return [...new Float64Array(buffer)];
  return type === 'u32' ? [...new Uint32Array(buffer)] : [...new Uint8Array(buffer)];
}

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
