/** The one selection: what it refuses, what follows from a change, and what stays as it was opened. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { State } from '../../core/server/state.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';
import { seenAs } from './tracker.js';

const exact = profileOf({ ...spec('/prog.c'), epochs: 4 });
// Pages: log_count, five of the table, the stack.
const opened: Profile = {
  ...exact,
  options: { ...exact.options, tiers: 'dram-cxl' },
  trackers: [seenAs('pml', null, [9, 3, 2, 0, 0, 0, 0]), seenAs('idle', null, null)],
};

let state: State;
beforeEach(() => {
  state = new State();
  state.show(opened, '/run.pagelens');
});

const names = () => state.index!.profile.objects.name;

describe('tracker', () => {
  test('everything is shown as it sees the run, and what is saved stays exact', () => {
    expect(state.select({ tracker: 'pml' })).toBe(true);
    expect(names()[0]).toBe('log_count');
    expect(state.index!.accesses).toBe(14);
    expect(state.index!.seen.counted).toBe('PML readings');
    expect(state.placed()).toBe(opened);
    state.select({ tracker: 'exact' });
    expect(state.index!.profile).toBe(opened);
  });

  test('what was pointed at is still pointed at', () => {
    state.select({ focus: { kind: 'object', object: names().indexOf('log_count') } });
    state.select({ tracker: 'pml' });
    expect(state.selection.focus).toEqual({ kind: 'object', object: 0 });
    state.select({ tracker: 'exact' });
    expect(state.selection.focus).toEqual({ kind: 'object', object: names().indexOf('log_count') });
  });

  test('one without page identity is refused with the reason, and nothing changes', () => {
    expect(() => state.select({ tracker: 'idle', window: [1, 2] })).toThrow(
      'tracker idle: it names no pages, so nothing can be shown as it sees it',
    );
    expect(state.selection).toMatchObject({ tracker: 'exact', window: null });
    expect(() => state.select({ tracker: 'oracle' })).toThrow(
      'tracker oracle: not in this profile; it has exact, pml, idle',
    );
  });
});

describe('tiers', () => {
  test('objects are placed anew, and who followed the recommendation goes on following it', () => {
    expect(state.select({ tiers: 'hbm-dram' })).toBe(true);
    const { placement, options } = state.index!.profile;
    expect(placement.tiers.map(({ id }) => id)).toEqual(['hbm', 'dram']);
    expect(options.tiers).toBe('hbm-dram');
    expect(state.selection.policy).toBe(placement.recommended);
    expect(state.placed().placement).toBe(placement);
    state.select({ tiers: 'dram-cxl' });
    expect(state.index!.profile.placement).toBe(opened.placement);
  });

  test('a policy that somebody chose stays', () => {
    state.select({ policy: 'first-touch' });
    state.select({ tiers: 'hbm-dram' });
    expect(state.selection.policy).toBe('first-touch');
  });

  test('unknown ones are refused', () => {
    expect(() => state.select({ tiers: 'gold' })).toThrow('--tiers gold: unknown; known: ');
  });
});

describe('window', () => {
  test('views show its epochs, the source the whole run', () => {
    state.select({ window: [0, 1] });
    // 1,000 accesses in four epochs by pages; the whole run is four times about as much.
    expect(state.viewIndex!.accesses).toBeLessThan(300);
    expect(state.index!.accesses).toBe(1000);
    const { window, ...rest } = state.selection;
    state.select({ window: null });
    expect(state.viewIndex).toBe(state.index);
    expect([window, rest.profile]).toEqual([[0, 1], '/run.pagelens']);
  });

  test.each([[[0, 5]], [[2, 2]], [[-1, 2]], [[0.5, 2]]] as const)('%j is refused', window => {
    expect(() => state.select({ window: window as unknown as [number, number] })).toThrow('must lie within');
  });
});

describe('focus', () => {
  test('marks in the source do not change with it', () => {
    expect(state.select({ focus: { kind: 'page', page: 3 } })).toBe(false);
    expect(state.selection.focus).toEqual({ kind: 'page', page: 3 });
  });

  test.each([
    [{ kind: 'object', object: 3 }, 'focus on allocation 3: the profile has 3'],
    [{ kind: 'page', page: -1 }, 'focus on page -1: the profile has 7'],
    [{ kind: 'line', file: '/prog.c', line: 0 }, 'focus: must be an allocation, a page or a line of a file'],
    [{ kind: 'nothing' }, 'focus: must be an allocation, a page or a line of a file'],
  ] as const)('%j is refused', (focus, message) => {
    expect(() => state.select({ focus: focus as never })).toThrow(message);
  });
});

describe('baseline', () => {
  const before: Profile = profileOf({
    ...spec('/prog.c'),
    lines: [{ line: 4, function: 'sum', object: 'table', reads: 300 }],
  });

  test('its rows are matched with those shown, also as a tracker sees them', () => {
    state.compare({ ...before, trackers: [seenAs('pml', null, [0, 1, 1, 0, 0, 0, 0])] }, '/before.pagelens');
    expect(state.selection.baseline).toBe('/before.pagelens');
    const rowOfTable = () => state.comparison(null)!.object(names().indexOf('table'))!;
    expect(state.comparison(null)!.profile.objects.reads[rowOfTable()]).toBe(300);
    state.select({ tracker: 'pml' });
    expect(names().indexOf('table')).toBe(1);
    const table = state.comparison(null)!.profile.objects;
    expect([table.name[rowOfTable()], table.writes[rowOfTable()]]).toEqual(['table', 2]);
  });

  test('without the tracker it is not compared, and comes back with the exact counts', () => {
    state.compare(before, '/before.pagelens');
    state.select({ tracker: 'pml' });
    expect(state.baseline).toBeNull();
    state.select({ tracker: 'exact' });
    expect(state.baseline!.accesses).toBe(300);
  });

  test('another profile is compared with nothing', () => {
    state.compare(before, null);
    expect(state.selection.baseline).toMatch(/^unsaved:/);
    state.show(opened, '/other.pagelens');
    expect([state.baseline, state.selection.baseline]).toEqual([null, null]);
    expect(() => state.select({ baseline: '/x' })).toThrow('baseline /x: this profile has none only');
  });
});
