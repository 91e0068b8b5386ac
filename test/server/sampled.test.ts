/** A sampled run in the editor: marks with intervals, and every view of what samples can tell. Numbers by hand. */
import { expect, test } from 'vitest';
import { sampled } from '../../core/attribution/sampled.js';
import type { Profile } from '../../core/model/profile.js';
import type { Selection, TrackersFacts, ViewId, WorkingSetFacts } from '../../core/protocol.js';
import { endOfLineText, intervalText, lensText, lensTooltip } from '../../core/server/annotations.js';
import { hoverText, lineHover } from '../../core/server/hover.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { regionsOf } from '../../core/server/regions.js';
import { views } from '../../core/server/views/views.js';
import { profileOf } from '../helpers/profile.js';

const exact = profileOf({
  file: '/p/walk.c',
  sha256: 'x',
  functions: { walk: 1, rest: 9 },
  lines: [
    { line: 2, function: 'walk', object: 'numbers', reads: 30, hotness: 0 },
    { line: 10, function: 'rest', object: 'numbers', reads: 10, hotness: 1 },
  ],
  objects: [{ name: 'numbers', line: 1, page: 16, pages: 2, hotness: 0 }],
});
const sampling = {
  event: 'mem-loads',
  samples: 40,
  period: 1000,
  least: 1000,
  most: 1000,
  factor: 1000,
  unit: 'accesses',
};
const profile: Profile = { ...exact, ...sampled(exact, sampling) };
const index = new ProfileIndex(profile);
const shown = { index, policy: 'static-optimal', baseline: null };

test('a lens tells the interval of its share, and its tooltip what the counts are', () => {
  const walk = regionsOf(index, index.rowsOf(0), 'static-optimal').find(({ name }) => name === 'walk')!;
  // 30 of 40 samples: Wilson's interval of 95 % is 59.8 to 85.8 %.
  expect(lensText(walk, shown)).toMatch(/^hot · 75 % \(60 to 86 %\) of accesses · 100 % read, 0 % write · /);
  expect(lensTooltip(walk, index)).toMatch(
    /30,000 reads, 0 writes of 40,000 accesses[\s\S]*counts are 40 samples of mem-loads times 1,000 accesses/,
  );
});

test('so do the text behind a line and the hover', () => {
  expect(endOfLineText(30_000, 0, 0.75) + intervalText(index, 30_000)).toBe('30 k reads · 75 % (60 to 86 %)');
  const hover = hoverText(shown, [lineHover(shown, 0)], null, []);
  expect(hover).toMatch(/75 % \(60 to 86 %\) of the run's accesses/);
  expect(hover).toContain('counts are 40 samples of mem-loads');
});

test('an exact run has no intervals', () => {
  const other = new ProfileIndex(exact);
  expect(intervalText(other, 30)).toBe('');
});

test('every view answers, though nothing is told of TLBs, distances and trackers', () => {
  const selection: Selection = {
    profile: 'x',
    tracker: 'exact',
    tiers: profile.options.tiers,
    tierChanges: [],
    policy: 'static-optimal',
    phase: null,
    focus: null,
    baseline: null,
    window: null,
  };
  for (const view of Object.keys(views) as ViewId[])
    expect(() => JSON.stringify(views[view](index, { view, pixels: [400, 300] }, selection))).not.toThrow();
  // No tracker, and why.
  const trackers = views.trackers(index, { view: 'trackers', pixels: [400, 300] }, selection).facts as TrackersFacts;
  expect(trackers.rows).toEqual([]);
  expect(trackers.none).toMatch(/^No tracker is shown: this run was sampled, its counts are 40 samples of mem-loads\./);
  // No curve of misses: nothing is said of what caches and tiers would miss.
  const { facts } = views.workingSet(index, { view: 'workingSet', pixels: [400, 300] }, selection);
  expect((facts as WorkingSetFacts).machineMarks).toEqual([]);
});
