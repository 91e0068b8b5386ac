/**
 * Pages beside the run before. Addresses differ from run to run, so a page is compared with what lay at its place: the
 * matched allocation, at the same relative position among its pages. Where both have as many pages that is one page;
 * else the mean of those that its stretch covers.
 */
import { NONE } from '../../model/columns.js';
import type { Profile } from '../../model/profile.js';
import type { Baseline } from '../baseline.js';

/** By the shown run's profile: the answer for the run that it was last compared with. */
const last = new WeakMap<Baseline, { readonly now: Profile; readonly before: Float64Array }>();

/** Accesses to each page's place in the run before, a mean a page; NaN where there is no such allocation. */
export function accessesBefore(now: Profile, baseline: Baseline): Float64Array {
  const known = last.get(baseline);
  if (known?.now === now) return known.before;
  const sums = sumsByObject(baseline.profile);
  const pagesNow = new Uint32Array(now.objects.count);
  for (const object of now.pages.object) if (object !== NONE) pagesNow[object]++;
  const seen = new Uint32Array(now.objects.count);
  const before = Float64Array.from(now.pages.object, object => {
    const row = object === NONE ? null : baseline.object(object);
    if (row === null) return Number.NaN;
    const place = seen[object]++;
    return meanOver(sums[row], place / pagesNow[object], (place + 1) / pagesNow[object]);
  });
  last.set(baseline, { now, before });
  return before;
}

/** Of each object the accesses to its first 0, 1, ... pages, in the order of their addresses. */
function sumsByObject({ pages, objects }: Profile): number[][] {
  const sums: number[][] = Array.from({ length: objects.count }, () => [0]);
  for (let page = 0; page < pages.count; page++) {
    const object = pages.object[page];
    if (object !== NONE) sums[object].push(sums[object].at(-1)! + pages.reads[page] + pages.writes[page]);
  }
  return sums;
}

/** Mean a page over a stretch of the pages, given as shares of them; NaN where there are none. */
function meanOver(sums: readonly number[], from: number, to: number): number {
  const pages = sums.length - 1;
  const upTo = (share: number) => {
    const at = Math.min(share * pages, pages);
    const whole = Math.floor(at);
    return sums[whole] + (whole < pages ? (at - whole) * (sums[whole + 1] - sums[whole]) : 0);
  };
  return pages === 0 ? Number.NaN : (upTo(to) - upTo(from)) / ((to - from) * pages);
}
