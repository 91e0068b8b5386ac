/**
 * The profile in a window of epochs, as far as its tables tell: the heat knows each page in each of its bins.
 *
 * Pages, and objects by the pages on which they have most of the accesses, count what happened in the window; so do the
 * totals. So do lines and functions, where the profile knows sites through time (sourceWindow.ts). Policies are of the
 * whole run. Epochs and heat stay whole as well, since the views that draw them show
 * where in the run the window lies. Rows of pages and objects keep their order.
 */
import { classify, perPagePerSecond } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { readingsOfSourceInWindow, sourceInWindow } from './sourceWindow.js';

/** The epochs that a window really spans: a bin of several epochs, of the heat or of sites, cannot be cut. */
export function wholeBins(
  { heat, siteTimes, epochs }: Profile,
  [from, to]: readonly [number, number],
): readonly [number, number] {
  // Both are powers of two, unless they are one bin in all.
  const step = Math.max(heat.epochsPerBin, siteTimes?.epochsPerBin ?? 1);
  return [Math.floor(from / step) * step, Math.min(Math.ceil(to / step) * step, epochs.count)];
}

const counted = ['reads', 'writes', 'trafficReads', 'trafficWrites'] as const;
type Counts = Record<(typeof counted)[number], Float64Array>;

function zeros(count: number): Counts {
  const [reads, writes, trafficReads, trafficWrites] = counted.map(() => new Float64Array(count));
  return { reads, writes, trafficReads, trafficWrites };
}

/**
 * @param exact the run in exact counts, where `whole` is as a tracker sees it; then only pages with a count are touched. In
 *   exact counts a page may be touched by the end of an access that began on the page before.
 */
export function inWindow(whole: Profile, window: readonly [number, number], exact: Profile | null = null): Profile {
  const { heat, pages, objects, epochs, options } = whole;
  const [from, to] = wholeBins(whole, window);
  const firstRow = heat.start[from / heat.epochsPerBin];
  const lastRow = heat.start[Math.ceil(to / heat.epochsPerBin)];

  // 1. Pages.
  const ofPages = zeros(pages.count);
  const touched = new Uint8Array(pages.count);
  for (let row = firstRow; row < lastRow; row++) {
    const page = heat.page[row];
    for (const key of counted) ofPages[key][page] += heat[key][row];
    if (!exact || heat.reads[row] + heat.writes[row] > 0) touched[page] = 1;
  }

  // 2. Objects by page.
  const ofObjects = zeros(objects.count);
  const pagesOfObject = new Float64Array(objects.count);
  for (let page = 0; page < pages.count; page++) {
    const object = pages.object[page];
    if (object === NONE) continue;
    for (const key of counted) ofObjects[key][object] += ofPages[key][page];
    pagesOfObject[object] += touched[page];
  }

  const source = () => {
    if (!whole.siteTimes) return {};
    const told = { pages: ofPages, objects: ofObjects };
    return exact
      ? readingsOfSourceInWindow(whole, exact, told, whole.siteTimes, [from, to])
      : sourceInWindow(whole, whole.siteTimes, [from, to]);
  };

  const windowNs = epochs.endNs[to - 1] - (from === 0 ? 0 : epochs.endNs[from - 1]);
  const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
  const accesses = ({ reads, writes }: Counts) => reads.map((value, row) => value + writes[row]);
  const classes = (counts: Counts) => classify(accesses(counts), options.hotShare, options.coldShare);
  return {
    ...whole,
    ...source(),
    totals: {
      ...whole.totals,
      reads: sum(ofPages.reads),
      writes: sum(ofPages.writes),
      trafficReads: sum(ofPages.trafficReads),
      trafficWrites: sum(ofPages.trafficWrites),
      pagesTouched: touched.reduce((all, one) => all + one, 0),
      pagesRead: ofPages.reads.filter(Boolean).length,
      pagesWritten: ofPages.writes.filter(Boolean).length,
      modelledNs: windowNs,
    },
    pages: { ...pages, ...ofPages, hotness: classes(ofPages) },
    objects: {
      ...objects,
      ...ofObjects,
      pages: pagesOfObject,
      hotness: classes(ofObjects),
      perPagePerSecond: accesses(ofObjects).map((count, row) => perPagePerSecond(count, pagesOfObject[row], windowNs)),
    },
  };
}
