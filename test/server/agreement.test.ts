import { expect, test } from 'vitest';
import { agreement, FALSE_ALARM, FOUND, MISSED, NEITHER } from '../../core/server/agreement.js';
import { project } from '../../core/server/projection.js';
import { profileOf } from '../helpers/profile.js';
import { seenAs } from './tracker.js';

/** 20 pages, the i-th read 100 + i times: the two truly hottest (a tenth) are 18 and 19. */
const exact = profileOf({
  file: '/a.c',
  sha256: '',
  functions: { main: 1 },
  lines: Array.from({ length: 20 }, (_, i) => ({ line: i + 2, function: 'main', object: `page ${i}`, reads: 100 + i })),
  objects: Array.from({ length: 20 }, (_, i) => ({ name: `page ${i}`, page: i, pages: 1 })),
});
const by = (readings: Readonly<Record<number, number>>) => ({
  ...exact,
  trackers: [
    seenAs(
      'pml',
      null,
      Array.from({ length: 20 }, (_, page) => readings[page] ?? 0),
    ),
  ],
});

test('each page is found, missed, a false alarm, or none of them', () => {
  const result = agreement(by({ 19: 5, 3: 4, 7: 1 }), 'pml')!;
  expect(result).toMatchObject({ k: 2, found: 1, missed: 1, falseAlarms: 1 });
  expect([19, 18, 3, 7].map(page => result.ofPage[page])).toEqual([FOUND, MISSED, FALSE_ALARM, NEITHER]);
});

test('a mechanism without page identity agrees with nothing', () => {
  expect(agreement({ ...exact, trackers: [seenAs('pml', null, null)] }, 'pml')).toBeNull();
  expect(agreement(exact, 'pml')).toBeNull();
});

test('object rows of a projection lead to the same pages', () => {
  const shown = by({ 19: 5, 3: 4 });
  const { profile } = project(shown, shown.trackers[0]);
  expect(profile.objects.name[profile.pages.object[19]]).toBe('page 19');
  expect(profile.objects.name.slice(0, 2)).toEqual(['page 19', 'page 3']);
});
