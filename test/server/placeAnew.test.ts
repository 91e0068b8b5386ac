/** Placing in other tiers, in the worker thread as the server does it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { placeObjects } from '../../core/placement/place-objects.js';
import { tierSet } from '../../core/placement/tiers.js';
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
    await state.placeFor({ tiers }, count);
    state.select({ tiers });
  }
  expect(placed).toBe(2);
  expect(state.baseline!.profile.options.tiers).toBe('hbm-dram');
});

/** The tiers of the state's run: id, bytes, ns a load, ns a store. */
const tiersOf = (state: State) =>
  state.placed().placement.tiers.map(tier => [tier.id, tier.capacityBytes, tier.readLatencyNs, tier.writeLatencyNs]);

describe('what if the tiers were others', () => {
  const run = { ...opened, placement: placeObjects(opened, opened.options) };
  test('a changed capacity places as that capacity asked for does', () => {
    const capacityBytes = 3 * 4096;
    const changed = placeObjects(opened, options, [{ tier: 'hbm', capacityBytes }]);
    const asked = placeObjects(opened, { ...options, capacity: [{ bytes: capacityBytes }] });
    expect({ ...changed, assumptions: changed.assumptions.slice(1) }).toEqual(asked);
    expect(changed.assumptions[0]).toContain(
      'What if: HBM is taken to have 12 KiB, and to take 130 ns for a load and 130 ns for a store.',
    );
  });

  test('a changed latency places as a file of tiers with that latency does', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'pagelens-what-if-'));
    const file = path.join(folder, 'slow.json');
    const tiers = tierSet('dram-cxl').tiers.map(({ capacity, ...tier }) => ({
      ...tier,
      ...(capacity && { capacity: '25%' }),
      ...(tier.id === 'cxl' && { readLatencyNs: 2 * 214, writeLatencyNs: 2 * 214 }),
    }));
    await writeFile(file, JSON.stringify({ tiers }));
    const slow = placeObjects(opened, { ...opened.options, tiers: file });
    await rm(folder, { recursive: true });
    const changed = placeObjects(opened, opened.options, [{ tier: 'cxl', latencyFactor: 2 }]);
    expect({ ...changed, assumptions: changed.assumptions.slice(1) }).toEqual(slow);
  });

  test('is selected with the rest, ends when other tiers are, and can be taken back', async () => {
    const state = new State();
    state.show(run, '/run.pagelens');
    const own = tiersOf(state);
    expect(own.map(([id]) => id)).toEqual(['dram', 'cxl']);
    const tierChanges = [
      { tier: 'dram', capacityBytes: 8192 },
      { tier: 'cxl', latencyFactor: 0.5 },
    ];
    expect(state.select({ tierChanges })).toBe(true);
    expect(tiersOf(state)).toEqual([
      ['dram', 8192, 111, 111],
      // The last takes the rest, as before.
      ['cxl', own[1]![1], 107, 107],
    ]);
    state.select({ policy: 'first-touch' });
    expect(state.selection.tierChanges).toEqual(tierChanges);
    state.select({ tierChanges: [] });
    expect(tiersOf(state)).toEqual(own);
    state.select({ tierChanges });
    state.select({ tiers: 'hbm-dram' });
    expect(state.selection.tierChanges).toEqual([]);
  });

  test.each([
    [{ tier: 'gold' }, 'tier gold: unknown; known: dram, cxl'],
    [{ tier: 'dram', capacityBytes: -1 }, 'tier dram: its capacity must be whole bytes, 0 or more'],
    [{ tier: 'dram', capacityBytes: Number.NaN }, 'tier dram: its capacity must be whole bytes, 0 or more'],
    [{ tier: 'cxl', latencyFactor: 0 }, 'tier cxl: its latency may be multiplied by 0.01 to 100'],
  ])('%j is refused, and nothing changes', (change, message) => {
    const state = new State();
    state.show(run, '/run.pagelens');
    const before = tiersOf(state);
    expect(() => state.select({ tierChanges: [change] })).toThrow(message);
    expect(state.selection.tierChanges).toEqual([]);
    expect(tiersOf(state)).toEqual(before);
  });
});
