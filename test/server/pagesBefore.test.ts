/** Pages beside the run before; expected values by hand. */
import { expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { Baseline } from '../../core/server/baseline.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { accessesBefore } from '../../core/server/views/pagesBefore.js';
import { profileOf } from '../helpers/profile.js';

/** One allocation with these accesses by page, and a global that only `more` has. */
function run(accesses: readonly number[], page: number, more = false): Profile {
  const base = profileOf({
    file: '/prog.c',
    sha256: '00',
    functions: { sum: 2 },
    lines: [
      { line: 4, function: 'sum', object: 'table', reads: accesses.reduce((all, one) => all + one, 0) },
      ...(more ? [{ line: 5, function: 'sum', object: 'late', reads: 1 }] : []),
    ],
    objects: [
      { name: 'table', line: 8, page, pages: accesses.length, stack: ['sum prog.c:8'] },
      ...(more ? [{ name: 'late', kind: 'global' as const, page: 0x10, pages: 1 }] : []),
    ],
  });
  const reads = base.pages.reads.slice();
  const first = more ? 1 : 0;
  accesses.forEach((count, i) => {
    reads[first + i] = count;
  });
  return { ...base, pages: { ...base.pages, reads } };
}

const before = (now: Profile, then: Profile) => [...accessesBefore(now, new Baseline(new ProfileIndex(then), now))];

test('an allocation of as many pages is compared page by page, wherever it lies; what is new has nothing', () => {
  expect(before(run([1, 2, 3], 0x7000, true), run([10, 20, 30], 0x9000))).toEqual([Number.NaN, 10, 20, 30]);
});

test('of another number of pages, by what lies at the same relative position, a mean a page', () => {
  // Each of two pages stands for two of the four.
  expect(before(run([1, 1], 0x7000), run([10, 20, 30, 40], 0x9000))).toEqual([15, 35]);
  // Each of three for two thirds of a page of the two: the middle one for a third of each.
  const [first, second, third] = before(run([1, 1, 1], 0x7000), run([10, 40], 0x9000));
  expect(first).toBeCloseTo(10, 9);
  expect(second).toBeCloseTo(25, 9);
  expect(third).toBeCloseTo(40, 9);
});
