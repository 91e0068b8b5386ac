/** Placing in other tiers, in the worker thread as the server does it. */
import { expect, test } from 'vitest';
import { placeObjects } from '../../core/placement/place-objects.js';
import { State } from '../../core/server/state.js';
import { placeAnew } from '../../core/session.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';

const base = profileOf(spec('/prog.c'));
const opened = { ...base, options: { ...base.options, tiers: 'dram-cxl' } };
const options = { ...opened.options, tiers: 'hbm-dram' };

test('the worker places as this thread does', async () => {
  expect(await placeAnew(opened, options)).toEqual(placeObjects(opened, options));
});

test('what is no tier set is refused with the list of those that are', async () => {
  await expect(placeAnew(opened, { ...options, tiers: 'gold' })).rejects.toThrow('--tiers gold: unknown; known: ');
});

test('each set of tiers is placed once, for the shown run and the one compared with', async () => {
  const state = new State();
  state.show(opened, '/run.pagelens');
  state.compare({ ...opened }, '/before.pagelens');
  let placed = 0;
  const count: typeof placeAnew = async (run, asked) => {
    placed++;
    return placeObjects(run, asked);
  };
  for (const tiers of ['hbm-dram', 'dram-cxl', 'hbm-dram']) {
    await state.placeIn(tiers, count);
    state.select({ tiers });
  }
  expect(placed).toBe(2);
  expect(state.baseline!.profile.options.tiers).toBe('hbm-dram');
});
