/** The source in a window of epochs; expected values by hand. */
import { describe, expect, test } from 'vitest';
import { COLD, HOT, type Profile } from '../../core/model/profile.js';
import { lensText, lensTooltip, provenance } from '../../core/server/annotations.js';
import { project } from '../../core/server/projection.js';
import { regionsOf } from '../../core/server/regions.js';
import { sourceInWindow } from '../../core/server/sourceWindow.js';
import { State } from '../../core/server/state.js';
import { inWindow } from '../../core/server/window.js';
import { profileOf } from '../helpers/profile.js';
import { profile as exact, spec } from './fixture.js';
import { seenAs, toldIn } from './tracker.js';

/** Line 4 read 100 times while line 9 filled the table, and 600 times afterwards; line 13 not in these epochs. */
const whole: Profile = {
  ...exact('/prog.c'),
  siteTimes: {
    epochsPerBin: 2,
    start: Uint32Array.of(0, 2, 4),
    site: Uint32Array.of(0, 2, 0, 1),
    accesses: Float64Array.of(100, 250, 500, 100),
    trafficReads: Float64Array.of(10, 0, 30, 10),
    trafficWrites: Float64Array.of(0, 30, 0, 0),
  },
};

describe('tables', () => {
  const { lines, functions, sites, unattributed } = sourceInWindow(whole, whole.siteTimes!, [0, 2]);

  test('count what happened in the window, in its order', () => {
    expect([...lines.line]).toEqual([9, 4, 13]);
    expect([...lines.reads]).toEqual([0, 100, 0]);
    expect([...lines.writes]).toEqual([250, 0, 0]);
    expect([...lines.trafficReads]).toEqual([0, 10, 0]);
    expect([...lines.trafficWrites]).toEqual([30, 0, 0]);
    expect(functions.name).toEqual(['fill', 'sum', 'main']);
    expect([...functions.reads]).toEqual([0, 100, 0]);
  });

  test('refer to each other by the new rows', () => {
    expect([...lines.function]).toEqual([0, 1, 2]);
    expect([...sites.line]).toEqual([1, 1, 0, 2]);
    expect([...sites.inlineFunction]).toEqual([1, 1, 0, 2]);
  });

  test('have the classes of the window: 250 of 350 is less than 80 %', () => {
    expect([...lines.hotness]).toEqual([HOT, HOT, COLD]);
    expect(unattributed).toMatchObject({ reads: 0, writes: 0 });
  });
});

describe('marks', () => {
  test('follow the window in whole bins, without the pages that are not known there', () => {
    const state = new State();
    state.show(whole, '/x.pagelens');
    expect(state.select({ window: [0, 1] })).toBe(true);
    const index = state.sourceIndex!;
    expect(index.window).toEqual([0, 2]);
    expect(provenance(index)).toBe('source level, epochs 0 to 1 of 4, 2.0 ms modelled time, prog 64 (exit status 0)');
    const shown = { index, policy: 'static-optimal', baseline: null };
    const rows = index.rowsOf(0);
    const fill = regionsOf(index, rows, 'static-optimal').find(({ name }) => name === 'fill')!;
    // Of the pages' 300 reads and 130 writes of the table, 50 and 26 of the others in these epochs: 506.
    expect(lensText(fill, shown)).toBe('hot · 49 % of accesses · 0 % read, 100 % write · HBM');
    expect(lensTooltip(fill, index)).toContain('counted for the whole run only');
  });

  test('follow a phase, which is a window with a name', () => {
    const state = new State();
    state.show(whole, '/x.pagelens');
    // In epochs 2 and 3 five of seven accesses are by other lines than in the two before.
    expect(state.phases.map(({ id, window, code }) => [id, window, code])).toEqual([
      ['1', [0, 2], 'fill'],
      ['2', [2, 4], 'sum'],
    ]);
    expect(state.select({ phase: '1' })).toBe(true);
    expect(state.selection).toMatchObject({ phase: '1', window: [0, 2] });
    expect(state.sourceIndex!.window).toEqual([0, 2]);
    // What else is selected leaves it; a window of one's own does not.
    state.select({ policy: whole.placement.oracle.id });
    expect(state.selection).toMatchObject({ phase: '1', window: [0, 2] });
    state.select({ window: [0, 3] });
    expect(state.selection).toMatchObject({ phase: null, window: [0, 3] });
    state.select({ phase: '2' });
    state.select({ phase: null });
    expect(state.selection).toMatchObject({ phase: null, window: null });
    state.select({ phase: '2' });
    state.select({ window: null });
    expect(state.selection).toMatchObject({ phase: null, window: null });
  });

  test('no phase is taken that the run has not', () => {
    const state = new State();
    state.show(whole, '/x.pagelens');
    expect(() => state.select({ phase: '3' })).toThrow('phase 3: this run has 1, 2');
    expect(() => state.select({ phase: '1', window: [0, 1] })).toThrow('phase 1: it is epochs 0 to 2, not the window');
    expect(state.selection).toMatchObject({ phase: null, window: null });
    state.show(exact('/prog.c'), '/y.pagelens');
    expect(state.phases).toEqual([]);
    expect(() => state.select({ phase: '1' })).toThrow('phase 1: the whole run is one phase');
  });

  test('are of the whole run again without a window; as a tracker sees it they are its readings in the window', () => {
    const state = new State();
    const { pages } = whole;
    const tracker = {
      ...{ id: 'pml', pagesReported: 1, precision: 1, recall: 1, f1: 1, rankCorrelation: 1, workingSetError: 0 },
      ...{ vmExits: 0, overheadPercent: 0, periods: 1, own: {}, warnings: [] },
      ...{ pageReads: null, pageWrites: new Float64Array(pages.count).fill(1) },
    };
    state.show({ ...whole, trackers: [tracker] }, '/x.pagelens');
    state.select({ window: [0, 1] });
    state.select({ tracker: 'pml' });
    // A profile that was saved without the times of readings has one bin, the whole run.
    expect(state.sourceIndex!.window).toEqual([0, 4]);
    expect(state.sourceIndex!.seen.tracker).toBe('pml');
    expect(state.select({ window: [2, 4] })).toBe(true);
    state.select({ window: [0, 1] });
    state.select({ tracker: 'exact' });
    expect(state.sourceIndex!.window).toEqual([0, 2]);
    expect(state.select({ window: null })).toBe(true);
    expect(state.sourceIndex).toBe(state.index);
  });
});

describe('as a tracker sees it', () => {
  /** Lines 4 and 13 read the table, 600 and 300 times: line 4 a sixth of it, and line 13 all, in the first two epochs. */
  const given = spec('/prog.c');
  const run: Profile = {
    ...profileOf({
      ...given,
      epochs: 4,
      lines: [...given.lines.slice(0, 3), { line: 13, function: 'main', object: 'table', reads: 300 }],
    }),
    siteTimes: {
      epochsPerBin: 2,
      start: Uint32Array.of(0, 3, 5),
      site: Uint32Array.of(0, 2, 3, 0, 1),
      accesses: Float64Array.of(100, 250, 300, 500, 100),
      trafficReads: Float64Array.of(10, 0, 0, 30, 10),
      trafficWrites: Float64Array.of(0, 30, 0, 0, 0),
    },
  };
  const pageOf = (name: string) => run.pages.object.indexOf(run.objects.name.indexOf(name));
  const [table, stack] = [pageOf('table'), pageOf('stack of thread 1')];

  /** Lines with their readings in a window: line -> [reads, writes]; and what reached no line. */
  function seenIn(window: readonly [number, number], rows: Parameters<typeof toldIn>[1]) {
    const columns = [0, 1].map(() => new Array<number>(run.pages.count).fill(0));
    for (const { page, reads = 0, writes = 0 } of rows) {
      columns[0][page] += reads;
      columns[1][page] += writes;
    }
    const { profile } = project(run, seenAs('ept-ad-scan', columns[0], columns[1], toldIn(4, rows)));
    const { lines, unattributed, totals } = inWindow(profile, window, run);
    const told = Array.from(lines.line, (line, row) => [line, [lines.reads[row], lines.writes[row]]] as const);
    return {
      lines: Object.fromEntries(told.filter(([, [reads, writes]]) => reads + writes > 0)),
      left: unattributed.reads + unattributed.writes,
      all: totals.reads + totals.writes,
    };
  }

  test('readings of the window are shared by the accesses of the window', () => {
    const rows = [
      { bin: 1, page: table, reads: 8 },
      { bin: 2, page: table, reads: 9 },
    ];
    // 100 and 300 accesses in the window; afterwards line 4 alone reads.
    expect(seenIn([0, 2], rows)).toEqual({ lines: { 4: [2, 0], 13: [6, 0] }, left: 0, all: 8 });
    expect(seenIn([2, 4], rows)).toEqual({ lines: { 4: [9, 0] }, left: 0, all: 9 });
  });

  test('where no line was active, those of the run are told: writers of what was written', () => {
    const rows = [
      { bin: 0, page: stack, reads: 7 },
      { bin: 3, page: table, writes: 5 },
    ];
    expect(seenIn([0, 2], rows)).toEqual({ lines: { 4: [7, 0] }, left: 0, all: 7 });
    expect(seenIn([2, 4], rows)).toEqual({ lines: { 9: [0, 5] }, left: 0, all: 5 });
  });

  test('a mechanism that told nothing in the window tells nothing of lines', () => {
    expect(seenIn([2, 4], [{ bin: 0, page: table, reads: 1 }])).toEqual({ lines: {}, left: 0, all: 0 });
  });

  test('the whole run as a window is the whole run', () => {
    const rows = [
      { bin: 0, page: table, reads: 12 },
      { bin: 3, page: table, reads: 6 },
    ];
    // 600 and 300 accesses.
    expect(seenIn([0, 4], rows)).toEqual({ lines: { 4: [12, 0], 13: [6, 0] }, left: 0, all: 18 });
  });
});
