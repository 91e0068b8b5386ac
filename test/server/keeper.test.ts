/** The thread that keeps the profile: what it tells of, when it reads the rest, and that nobody waits for it. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../core/errors.js';
import type { HeatTable, Profile } from '../../core/model/profile.js';
import type { StoredProfile } from '../../core/profile/file.js';
import { historyOf, historyOfObject } from '../../core/server/history.js';
import { openedAhead } from '../../core/server/keeper/ahead.js';
import { Keeper, type KeeperFiles } from '../../core/server/keeper/keeper.js';
import { startKeeper } from '../../core/server/keeper/thread.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { sparkline } from '../../core/server/sparkline.js';
import { profileOf } from '../helpers/profile.js';
import { profile, spec } from './fixture.js';
import { stored } from './keeper.js';
import { seenAs } from './tracker.js';

const run: Profile = { ...profile('/prog.c'), trackers: [seenAs('pml', null, [9, 3, 2, 0, 0, 0, 0])] };

/** A keeper whose files are what `load` says; it does nothing else with files. */
function keeperOf(load: KeeperFiles['load']): Keeper {
  const unused = async () => {
    throw new Error('no file is written here');
  };
  return new Keeper({ load, save: unused, export: unused, keepPrevious: unused, placeAnew: unused });
}

/** A file whose rest is read when the test says so. */
function slowFile(of: Profile): { file: StoredProfile; reads: number; finish(): void } {
  let finish = () => {};
  const promise = new Promise<Profile>(resolve => {
    finish = () => resolve(of);
  });
  const slow = {
    reads: 0,
    finish,
    file: {
      ...stored(of),
      whole: () => {
        slow.reads++;
        return promise;
      },
    },
  };
  return slow;
}

describe('opening', () => {
  test('tells of the source at once; the rest is read once, with the first questions that need it', async () => {
    const slow = slowFile(run);
    const keeper = keeperOf(async () => slow.file);
    const { shown, selection } = await keeper.request('open', { file: '/run.pagelens' });
    expect(shown?.profile.lines).toEqual(run.lines);
    expect(selection).toMatchObject({ profile: '/run.pagelens', tracker: 'exact' });
    expect(slow.reads).toBe(0);
    const answers = Promise.all([keeper.request('view', { view: 'overview' }), keeper.request('history', null)]);
    slow.finish();
    expect((await answers)[0]?.view).toBe('overview');
    expect(slow.reads).toBe(1);
  });

  test('what was told is not told again when the rest is there', async () => {
    const keeper = keeperOf(async () => stored(run));
    await keeper.request('open', { file: '/run.pagelens' });
    const change = await keeper.request('select', { focus: { kind: 'object', object: 1 } });
    expect(change).toMatchObject({ marksToo: false, sourceFocus: { kind: 'object', object: 1 } });
    expect(change).not.toHaveProperty('shown');
    expect(await keeper.request('select', { tracker: 'pml' })).toHaveProperty('shown');
  });

  test('a rest that makes no sense is told to whoever asks, and then nothing is shown', async () => {
    const file = { ...stored(run), whole: () => Promise.reject(new UsageError('run.pagelens: is damaged')) };
    const keeper = keeperOf(async () => file);
    await keeper.request('open', { file: '/run.pagelens' });
    const questions = [keeper.request('history', null), keeper.request('view', { view: 'heatmap' })];
    for (const question of questions) await expect(question).rejects.toThrow('run.pagelens: is damaged');
    expect(await keeper.request('view', { view: 'heatmap' })).toBeNull();
    expect(await keeper.request('clear', null)).toMatchObject({ shown: null, selection: { profile: null } });
  });

  test('another profile that is opened meanwhile is the one that is shown', async () => {
    const slow = slowFile(run);
    const other = profileOf({ ...spec('/other.c'), epochs: 2 });
    const keeper = keeperOf(async name => (name === '/slow' ? slow.file : stored(other)));
    await keeper.request('open', { file: '/slow' });
    const asked = keeper.request('history', null);
    await keeper.request('open', { file: '/other' });
    slow.finish();
    await asked;
    // Two epochs, not the four of the other.
    expect(await keeper.request('history', null)).toMatchObject({ slices: 2 });
  });
});

describe('opening ahead', () => {
  const asked: string[] = [];
  const ahead = (file: string) => {
    asked.length = 0;
    const keeper = keeperOf(async name => {
      asked.push(name);
      // What was expected takes longest.
      for (let turns = asked.length === 1 ? 5 : 0; turns > 0; turns--) await setImmediate();
      if (name === '/missing') throw new UsageError('/missing: cannot be read');
      return stored(run);
    });
    return openedAhead(keeper, file);
  };

  test('what was expected is read once, and before it is asked for', async () => {
    const keeper = ahead('/run');
    expect(asked).toEqual(['/run']);
    await keeper.request('speak', { language: 'en', bundle: {} });
    expect(await keeper.request('open', { file: '/run' })).toMatchObject({ selection: { profile: '/run' } });
    expect(asked).toEqual(['/run']);
    // Whoever opens it again wants it as it is then.
    await keeper.request('open', { file: '/run' });
    expect(asked).toEqual(['/run', '/run']);
  });

  test('another profile may be opened in its place', async () => {
    const keeper = ahead('/run');
    expect(await keeper.request('open', { file: '/other' })).toMatchObject({ selection: { profile: '/other' } });
    expect(await keeper.request('select', {})).toMatchObject({ selection: { profile: '/other' } });
    await keeper.request('open', { file: '/run' });
    expect(asked).toEqual(['/run', '/other', '/run']);
  });

  test('what cannot be read is told to whoever opens it', async () => {
    const keeper = ahead('/missing');
    await expect(keeper.request('open', { file: '/missing' })).rejects.toThrow('/missing: cannot be read');
    expect(await keeper.request('view', { view: 'overview' })).toBeNull();
  });
});

test('columns are told in shared memory, and the largest tables are not looked at', async () => {
  const keeper = keeperOf(async () => stored(run));
  await keeper.request('open', { file: '/run.pagelens' });
  const { shown } = await keeper.request('select', { tracker: 'pml' });
  const { profile: told, groups } = shown!;
  for (const column of [
    told.lines.reads,
    told.pairs.object,
    told.placement.oracle.tierOfObject,
    groups.linesOfFile.rows,
  ])
    expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
  expect(told.objects.reads).not.toEqual(run.objects.reads);
  for (const name of ['pages', 'heat', 'trackers', 'calls', 'siteTimes']) expect(told).not.toHaveProperty(name);
});

describe('the history of an object', () => {
  test.each([3, 40, 41, 97])('reads as its accesses do, over %i epochs', epochs => {
    const long = profileOf({ ...spec('/prog.c'), epochs });
    const index = new ProfileIndex(long);
    const history = historyOf(long);
    expect(history.slices).toBe(Math.min(40, epochs));
    for (let object = 0; object < long.objects.count; object++) {
      const text = sparkline(index.accessesOverTime(object));
      expect(text).toMatch(/[▂-█]/);
      expect(sparkline(historyOfObject(history, object))).toBe(text);
    }
  });
});

test('the thread that asks goes on turning while the keeper is at work', async () => {
  // Two million rows of heat, walked for each question.
  const rows = 2_000_000;
  const column = () => new Uint32Array(rows);
  const heat: HeatTable = {
    ...{ epochsPerBin: run.epochs.count, start: Float64Array.of(0, rows), page: column(), reads: column() },
    ...{ writes: column(), trafficReads: column(), trafficWrites: column() },
  };
  const keeper = startKeeper();
  await keeper.request('show', { profile: structuredClone({ ...run, heat }), file: '/run.pltrace' });
  let working = true;
  const questions = Array.from({ length: 5 }, () => keeper.request('history', null));
  const answered = Promise.all(questions).then(() => {
    working = false;
  });
  // Work on this thread would leave a turn or two for each question.
  let turns = 0;
  for (; working; turns++) await setImmediate();
  await answered;
  expect(turns).toBeGreaterThan(20 * questions.length);
});
