/** Core's answers to the tables, the flame graph and the curves; expected values by hand or by the slow obvious way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NONE } from '../../core/model/columns.js';
import { alphabetically, orderBy } from '../../core/model/order.js';
import type { CallTable } from '../../core/model/profile.js';
import type {
  FlameFacts,
  PageInspectorFacts,
  PlacementFacts,
  Selection,
  ViewQuery,
  WireColumn,
  WorkingSetFacts,
} from '../../core/protocol.js';
import { Baseline } from '../../core/server/baseline.js';
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
  window: null,
  focus: null,
  baseline: null,
};

function ask<Facts>(
  index: ProfileIndex,
  query: ViewQuery,
  change: Partial<Selection> = {},
  baseline: Baseline | null = null,
) {
  const { facts, columns = {} } = views[query.view](index, query, { ...selection, ...change }, baseline);
  expect(JSON.stringify({ facts, columns }).length).toBeLessThanOrEqual(maxAnswerBytes);
  return { facts: facts as Facts, columns };
}

const doubles = ({ base64 }: WireColumn) => [...new Float64Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer)];
const index = new ProfileIndex(profileOf(spec('/prog.c')));

describe('the order of rows', () => {
  test('is that of a comparison sort, in either direction (generated)', () => {
    const key = fc.oneof(
      fc.nat(5),
      fc.double({ noNaN: true }),
      fc.constantFrom(0, -0, -1, 2 ** 53, Number.MAX_VALUE, 5e-324),
    );
    fc.assert(
      fc.property(fc.array(key, { maxLength: 200 }), fc.boolean(), (values, descending) => {
        const sign = descending ? -1 : 1;
        const expected = values.map((_, row) => row).sort((a, b) => sign * (values[a]! - values[b]!) || a - b);
        expect([...orderBy(Float64Array.from(values), descending)]).toEqual(expected);
      }),
    );
  });

  test('of texts is the alphabet', () => {
    expect([...alphabetically(['b', 'a', 'c', 'a'])]).toEqual([1, 0, 2, 0]);
  });
});

describe('allocations', () => {
  const names = (options: ViewQuery['options']) =>
    ask<PlacementFacts>(index, { view: 'placement', options }).facts.rows.map(row => row.name);

  test('are found by file, function, class and line, too', () => {
    expect(names({ filter: '/prog.c:8' })).toEqual(['table']);
    expect(names({ filter: 'fill' })).toEqual(['table']);
    expect(names({ filter: 'cold' })).toEqual(['log_count']);
  });

  test('sort by where they are allocated as lines do, and by the share of writes', () => {
    // log_count is declared on line 1, table allocated on line 8; the stack is nowhere.
    expect(names({ sort: 'source', descending: false })).toEqual(['stack of thread 1', 'log_count', 'table']);
    // 250 of 850, 1 of 50, 0 of 100.
    expect(names({ sort: 'writeShare' })).toEqual(['table', 'log_count', 'stack of thread 1']);
  });

  test('are found where they stand in the order when pointed at, by themselves or by a page', () => {
    const at = (focus: Selection['focus']) =>
      ask<PlacementFacts>(index, { view: 'placement', options: { sort: 'name', descending: false } }, { focus }).facts
        .focus;
    expect(at({ kind: 'object', object: 0 })).toBe(2);
    // Page 0 is that of log_count.
    expect(at({ kind: 'page', page: 0 })).toBe(0);
    expect(at({ kind: 'line', file: '/prog.c', line: 4 })).toBeNull();
  });

  test('one of them comes with its whole stack, its users, and its accesses over time', () => {
    const query = { view: 'placement', options: { object: 0 } } as const;
    const { facts, columns } = ask<PlacementFacts>(index, query);
    expect(facts.detail?.stack).toEqual(['fill prog.c:8', 'main prog.c:12']);
    expect(facts.detail?.users.map(({ label, reads, writes, traffic }) => [label, reads, writes, traffic])).toEqual([
      ['prog.c:4 sum', 600, 0, 40],
      ['prog.c:9 fill', 0, 250, 30],
    ]);
    // 850 accesses in 4 epochs.
    expect(doubles(columns.history!).reduce((sum, value) => sum + value, 0)).toBe(850);
  });
});

describe('flame graph', () => {
  const frames = (options: ViewQuery['options'] = {}) =>
    ask<FlameFacts>(index, { view: 'flame', options: { by: 'code', ...options } }).facts;
  /** `depth name weight` of every frame. */
  const lines = ({ frames: all }: FlameFacts) => {
    const depth = (at: number): number => (all[at]!.parent < 0 ? 0 : 1 + depth(all[at]!.parent));
    return all.map(({ name, weight }, i) => `${depth(i)} ${name} ${weight}`);
  };

  test('by code: functions, lines, and the allocations that a line uses', () => {
    expect(lines(frames())).toEqual([
      '0 whole program 1000',
      '1 sum 700',
      '2 prog.c:4 700',
      '3 table 600',
      '3 stack of thread 1 100',
      '1 fill 250',
      '2 prog.c:9 250',
      '3 table 250',
      '1 main 50',
      '2 prog.c:13 50',
      '3 log_count 50',
    ]);
  });

  test('by call stack: callers above what a function does, and below it bottom-up; without calls, by code', () => {
    const base = profileOf(spec('/prog.c'));
    const pair = base.pairs.reads.indexOf(600);
    const others = [...base.pairs.reads.keys()].filter(row => row !== pair);
    const calls: CallTable = {
      frames: { name: ['main', 'twice'], file: Uint32Array.of(0, NONE), line: Uint32Array.of(11, 0) },
      // main, main > twice.
      parent: Uint32Array.of(NONE, 0, 1),
      frame: Uint32Array.of(NONE, 0, 1),
      count: others.length + 2,
      pair: Uint32Array.of(pair, pair, ...others),
      path: Uint32Array.of(1, 2, ...others.map(() => 0)),
      reads: Float64Array.of(450, 150, ...others.map(row => base.pairs.reads[row]!)),
      writes: Float64Array.of(0, 0, ...others.map(row => base.pairs.writes[row]!)),
      trafficReads: new Float64Array(others.length + 2),
      trafficWrites: new Float64Array(others.length + 2),
    };
    const called = new ProfileIndex({ ...base, calls });
    const tree = (bottomUp: boolean) =>
      lines(ask<FlameFacts>(called, { view: 'flame', options: { by: 'calls', bottomUp } }).facts);
    // 50 of main's own, and what it calls.
    expect(tree(false)).toEqual([
      '0 whole program 1000',
      '1 main 650',
      '2 sum 450',
      '3 prog.c:4 450',
      '4 table 450',
      '2 twice 150',
      '3 sum 150',
      '4 prog.c:4 150',
      '5 table 150',
      '2 prog.c:13 50',
      '3 log_count 50',
      '1 sum 100',
      '2 prog.c:4 100',
      '3 stack of thread 1 100',
      '1 fill 250',
      '2 prog.c:9 250',
      '3 table 250',
    ]);
    expect(tree(true)).toEqual([
      '0 whole program 1000',
      '1 sum 700',
      '2 main 450',
      '2 twice 150',
      '3 main 150',
      '1 fill 250',
      '1 main 50',
    ]);
    expect(frames({ by: 'calls' })).toEqual(frames({ by: 'code' }));
  });

  test('by allocating call: callers first, or the allocating function first; what has no call by its kind', () => {
    expect(lines(frames({ by: 'allocation' }))).toEqual([
      '0 whole program 1000',
      '1 main prog.c:12 850',
      '2 fill prog.c:8 850',
      '3 table 850',
      '1 stacks of threads 100',
      '2 stack of thread 1 100',
      '1 globals 50',
      '2 log_count 50',
    ]);
    expect(lines(frames({ by: 'allocation', bottomUp: true })).slice(0, 3)).toEqual([
      '0 whole program 1000',
      '1 fill prog.c:8 850',
      '2 main prog.c:12 850',
    ]);
  });

  test('beside a run before, frames with the same callers say their share of that run', () => {
    const base = profileOf(spec('/prog.c'));
    // The same program, but fill wrote nothing: of 750 accesses sum has 700 and main 50.
    const writes = base.pairs.writes.map(value => (value === 250 ? 0 : value));
    const before = new ProfileIndex({ ...base, pairs: { ...base.pairs, writes } });
    const { facts } = ask<FlameFacts>(index, { view: 'flame' }, {}, new Baseline(before, index.profile));
    const shares = facts.frames.filter(({ kind }) => kind !== 'line' && kind !== 'object');
    expect(shares.map(frame => [frame.name, frame.before])).toEqual([
      ['whole program', 1],
      ['sum', 700 / 750],
      ['fill', 0],
      ['main', 50 / 750],
    ]);
    // Names of lines have numbers, which an edit shifts.
    expect(facts.frames.filter(({ kind }) => kind === 'line').map(frame => frame.before)).toEqual([null, null, null]);
    expect(frames().frames.every(frame => frame.before === null)).toBe(true);
  });

  test('functions that were inlined stand below their callers, and above them bottom-up', () => {
    const base = profileOf(spec('/prog.c'));
    const [sum, main] = ['sum', 'main'].map(name => base.functions.name.indexOf(name)) as [number, number];
    // Site 0, line 4 of sum, in a copy that was inlined into main.
    const inlined = new ProfileIndex({
      ...base,
      sites: {
        ...base.sites,
        inlineStart: Uint32Array.of(0, 2, 3, 4, 5),
        inlineFunction: Uint32Array.of(sum, main, ...base.sites.inlineFunction.subarray(1)),
        inlineLine: Uint32Array.of(4, 13, ...base.sites.inlineLine.subarray(1)),
        inlineFile: new Uint32Array(5),
      },
    });
    const tree = (bottomUp: boolean) =>
      lines(ask<FlameFacts>(inlined, { view: 'flame', options: { bottomUp } }).facts).slice(1, 4);
    // 600 of sum are in main, with its own 50; 100 in the copy that was not inlined.
    expect(tree(false)).toEqual(['1 main 650', '2 sum 600', '3 prog.c:4 600']);
    expect(tree(true)).toEqual(['1 sum 700', '2 main 600', '1 fill 250']);
  });

  test('is weighted by what was asked for, and bytes only by allocation', () => {
    expect(
      frames({ measure: 'writes' })
        .frames.slice(1)
        .map(({ name, weight }) => [name, weight]),
    ).toEqual([
      ['fill', 250],
      ['prog.c:9', 250],
      ['table', 250],
      ['main', 1],
      ['prog.c:13', 1],
      ['log_count', 1],
    ]);
    expect(frames({ measure: 'traffic' }).frames[0]!.weight).toBe(80);
    // 5 + 1 + 1 pages of 4 KiB.
    expect(frames({ by: 'allocation', measure: 'bytes' }).frames[0]!.weight).toBe(7 * 4096);
    expect(() => frames({ measure: 'bytes' })).toThrow('bytes are known by allocation only');
  });

  test('a frame can be the widest: its callers come first, the rest is left out', () => {
    const zoomed = frames({ root: '["sum","prog.c:4"]' });
    expect(zoomed.root).toBe(2);
    expect(zoomed.frames.map(({ name }) => name)).toEqual([
      'whole program',
      'sum',
      'prog.c:4',
      'table',
      'stack of thread 1',
    ]);
    // A frame that is gone, as in another profile: as far as there are such frames.
    expect(frames({ root: '["sum","gone"]' }).root).toBe(1);
    expect(frames({ root: 'nonsense' }).root).toBe(0);
  });

  test('a search counts what lies under any match once', () => {
    // "table" twice and the two lines above it: 700 and 250 by their lines.
    expect(frames({ search: 'TABLE' }).matched).toEqual({ frames: 2, weight: 850 });
    expect(frames({ search: 'prog.c:4' }).matched).toEqual({ frames: 1, weight: 700 });
    expect(frames({ search: 'nothing' }).matched).toEqual({ frames: 0, weight: 0 });
    expect(frames().matched).toBeNull();
  });

  test('thousands of allocations with deep stacks fit an answer, and what is folded is not lost', () => {
    const many = 2000;
    const wide = new ProfileIndex(
      profileOf({
        ...spec('/prog.c'),
        lines: Array.from({ length: many }, (_, i) => ({
          line: 4,
          function: 'sum',
          object: `o${i}`,
          reads: 1 + (i % 7),
        })),
        objects: Array.from({ length: many }, (_, i) => ({
          name: `o${i}`,
          page: i,
          pages: 1,
          stack: Array.from({ length: 20 }, (_, depth) => `function_${depth}_${i % (depth + 1)} file.c:${depth}`),
        })),
      }),
    );
    for (const by of ['code', 'allocation']) {
      const { facts } = ask<FlameFacts>(wide, { view: 'flame', options: { by } });
      expect(facts.folded).toBeGreaterThan(100);
      const below = facts.frames.map(() => 0);
      for (const { parent, weight } of facts.frames) if (parent >= 0) below[parent]! += weight;
      // Whatever has frames below it has as much as they have: nothing here does accesses of its own.
      facts.frames.forEach(({ weight }, i) => {
        if (below[i]! > 0) expect(below[i]).toBe(weight);
      });
    }
  });
});

describe('pages', () => {
  const pages = (options: ViewQuery['options'] = {}, change: Partial<Selection> = {}) =>
    ask<PageInspectorFacts>(index, { view: 'pageInspector', options }, change);
  const order = (options: ViewQuery['options']) => pages(options).facts.rows.map(({ page }) => page);

  test('come by accesses, and by any column when asked; ties by address', () => {
    // Pages: 0 log_count (50); 1 to 5 table (850 over 5: 170 each); 6 the stack (100).
    expect(order({})).toEqual([1, 2, 3, 4, 5, 6, 0]);
    expect(order({ sort: 'address', descending: false })).toEqual([0, 1, 2, 3, 4, 5, 6]);
    // Purity: the stack is only read (1), log_count 49 of 50, table 600 of 850.
    expect(order({ sort: 'purity' })).toEqual([6, 0, 1, 2, 3, 4, 5]);
    expect(order({ sort: 'object', descending: false }).slice(0, 2)).toEqual([0, 6]);
    expect(() => order({ sort: 'constructor' })).toThrow('cannot sort by constructor');
  });

  test('are filtered by their object and class, and say how many of all are left', () => {
    const { facts } = pages({ filter: 'heap tab' });
    expect([facts.total, facts.pages]).toEqual([5, 7]);
    expect(order({ hotness: 'cold' })).toEqual([0]);
  });

  test('one of them comes with all that is known: exact counts, users of its object, tiers, its history', () => {
    const { facts, columns } = pages({ page: 2 });
    expect(facts.focus).toBe(1);
    expect(facts.detail).toMatchObject({
      address: '0x7f001000',
      exactReads: 120,
      exactWrites: 50,
      // Four more pages have as many, none more.
      exactRank: 1,
      objectName: 'table',
      objectKind: 'heap',
      policies: [
        { id: 'static-optimal', tier: 'HBM', recommended: true },
        { id: 'first-touch', tier: 'DRAM', recommended: false },
      ],
      usersInAll: 2,
    });
    expect(doubles(columns.historyReads!)).toEqual([30, 30, 30, 30]);
    // 50 over 4 epochs: the first ones take one more.
    expect(doubles(columns.historyWrites!)).toEqual([13, 13, 12, 12]);
  });

  test('what a tracker saw stands in its own unit, and nothing where it names no pages', () => {
    const base = profileOf(spec('/prog.c'));
    const result = {
      ...{ pagesReported: 2, precision: 1, recall: 1, f1: 1, rankCorrelation: 1, workingSetError: 0 },
      ...{ vmExits: 0, overheadPercent: 0, periods: null, own: {}, warnings: [] },
    };
    const seen = new ProfileIndex({
      ...base,
      trackers: [
        { ...result, id: 'ept-ad-scan', pageReads: Float64Array.of(0, 3, 9, 0, 0, 0, 0), pageWrites: null },
        { ...result, id: 'pml', pageReads: null, pageWrites: null },
      ],
    });
    const detail = (page: number) =>
      ask<PageInspectorFacts>(seen, { view: 'pageInspector', options: { page } }).facts.detail!.trackers.map(
        ({ reads, rank }) => [reads, rank],
      );
    expect(detail(1)).toEqual([
      [3, 2],
      [null, null],
    ]);
    expect(detail(6)).toEqual([
      [0, null],
      [null, null],
    ]);
  });

  test('an address is found with or without 0x, one that was not touched at the nearest page, and nonsense is refused', () => {
    expect(pages({ address: '0x7f001abc' }).facts.found).toEqual({ page: 2, exact: true });
    expect(pages({ address: ' 404FFF ' }).facts.found).toEqual({ page: 0, exact: true });
    expect(pages({ address: '0x7ffff000' }).facts.found).toEqual({ page: 6, exact: false });
    expect(() => pages({ address: 'main' })).toThrow('main: no address; write it in hexadecimal');
  });

  test('an allocation that is pointed at leads to its most accessed page', () => {
    expect(pages({}, { focus: { kind: 'object', object: 1 } }).facts.focus).toBe(5);
  });
});

describe('miss-ratio curve', () => {
  const curve = (pages: number[], missRatio: number[], machine = 'skylake') => {
    const base = profileOf(spec('/prog.c'));
    const profile = {
      ...base,
      options: { ...base.options, machine },
      missRatio: { ...base.missRatio, pages: Float64Array.from(pages), missRatio: Float64Array.from(missRatio) },
    };
    return ask<WorkingSetFacts>(new ProfileIndex(profile), { view: 'workingSet' }).facts;
  };

  test('carries the sizes of the machine and the tiers, each with what would miss it', () => {
    const { machineMarks } = curve([1, 8, 64, 512], [0.9, 0.5, 0.2, 0.1]);
    const rows = machineMarks.map(({ label, pages, missRatio }) => [label, pages, missRatio]);
    // Skylake: 32 KiB, 256 KiB, 8 MiB; 64 and 1,536 entries. Tiers of 1, 2 and 4 MiB. Pages of 4 KiB.
    expect(rows).toEqual([
      ['L1 data cache', 8, 0.5],
      ['L2 cache', 64, 0.2],
      ['L1 TLB reach', 64, 0.2],
      ['HBM', 256, 0.2],
      ['DRAM', 512, 0.1],
      ['CXL', 1024, 0.1],
      ['L2 TLB reach', 1536, 0.1],
      ['last-level cache', 2048, 0.1],
    ]);
  });

  test('of a machine that is not known has the tiers only', () => {
    expect(curve([1, 2], [0.5, 0.1], 'constructor').machineMarks.map(({ kind }) => kind)).toEqual([
      'tier',
      'tier',
      'tier',
    ]);
  });

  test('has its knee where it turns, and none where it does not', () => {
    // On a logarithmic axis the sizes are 0, 1/3, 2/3, 1; the line between the ends falls to 2/3 and 1/3 there.
    expect(curve([1, 10, 100, 1000], [1, 0.1, 0.05, 0]).knee).toEqual({ pages: 10, missRatio: 0.1 });
    expect(curve([1, 10, 100, 1000], [0.9, 0.6, 0.3, 0]).knee).toBeNull();
    expect(curve([1, 2], [0.5, 0.1]).knee).toBeNull();
  });
});
