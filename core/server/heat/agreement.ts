/**
 * Where a tracker and the exact counts agree on what is hot, page by page (design, section 2, "Scores of a tracker"):
 * truth is the k pages with most accesses, the tracker's answer its own k, ties go to the lower row.
 */
import type { HeatTable, Profile, TrackerResult } from '../../model/profile.js';
import { topCount } from '../../tracking/scores.js';

export const NEITHER = 0;
/** Among the k hottest, and the tracker says so. */
export const FOUND = 1;
/** Among the k hottest, but not for the tracker. */
export const MISSED = 2;
/** Hot for the tracker, but not among the k hottest. */
export const FALSE = 3;

export interface Agreement {
  readonly totals: {
    /** Pages that count as hot. */
    readonly k: number;
    readonly found: number;
    readonly missed: number;
    readonly falsely: number;
  };
  /** A status for each row of the page table. */
  readonly status: Uint8Array;
}

type Window = readonly [from: number, to: number];

const known = new WeakMap<HeatTable, Map<string, Agreement | null>>();

/**
 * Of the whole run: the counts are taken from the heat, which is whole whatever window is shown. Kept, since a map is
 * asked for again and again.
 *
 * @param exact the run in exact counts
 * @returns null for `exact`, and for a mechanism that names no pages
 */
export function agreementOfTracker({ heat, pages, trackers }: Profile, id: string): Agreement | null {
  const result = trackers.find(tracker => tracker.id === id);
  if (id === 'exact' || !result) return null;
  const ofRun = known.get(heat) ?? new Map<string, Agreement | null>();
  known.set(heat, ofRun);
  let found = ofRun.get(id);
  if (found === undefined) ofRun.set(id, (found = agreement(accessesOfPages(heat, pages.count), result)));
  return found;
}

/**
 * The same within a window of epochs, from the readings that the tracker had in it.
 * @param seen the whole run as the tracker sees it
 * @param window whole bins of both heats
 */
export function agreementInWindow(exact: Profile, seen: Profile, id: string, window: Window): Agreement | null {
  const ofRun = known.get(seen.heat) ?? new Map<string, Agreement | null>();
  known.set(seen.heat, ofRun);
  const key = `${id} ${window.join()}`;
  let found = ofRun.get(key);
  if (found === undefined) {
    const accesses = accessesOfPages(exact.heat, exact.pages.count, window);
    const pageReads = accessesOfPages(seen.heat, seen.pages.count, window);
    ofRun.clear();
    ofRun.set(key, (found = agreement(accesses, { pageReads, pageWrites: null })));
  }
  return found;
}

function accessesOfPages({ epochsPerBin, start, page, reads, writes }: HeatTable, pages: number, window?: Window) {
  const accesses = new Float64Array(pages);
  const [from, to] = window ?? [0, (start.length - 1) * epochsPerBin];
  const end = start[Math.ceil(to / epochsPerBin)];
  for (let row = start[from / epochsPerBin]; row < end; row++) accesses[page[row]] += reads[row] + writes[row];
  return accesses;
}

/**
 * @param truth accesses of each page
 * @returns null where the mechanism names no pages
 */
export function agreement(
  truth: Float64Array,
  { pageReads, pageWrites }: Pick<TrackerResult, 'pageReads' | 'pageWrites'>,
): Agreement | null {
  if (!pageReads && !pageWrites) return null;
  const seen = Float64Array.from(truth, (_, page) => (pageReads?.[page] ?? 0) + (pageWrites?.[page] ?? 0));
  const k = topCount(truth);
  const status = new Uint8Array(truth.length);
  markTop(truth, k, status, MISSED);
  // FOUND is what carries both marks.
  const own = new Uint8Array(truth.length);
  markTop(seen, k, own, 1);
  for (let page = 0; page < status.length; page++) {
    if (own[page]) status[page] = status[page] === MISSED ? FOUND : FALSE;
  }
  const count = (wanted: number) => status.reduce((sum, value) => sum + (value === wanted ? 1 : 0), 0);
  return { totals: { k, found: count(FOUND), missed: count(MISSED), falsely: count(FALSE) }, status };
}

/** Marks the k greatest values above 0, the lower rows first among equals. Sorts values, not rows: ten times as fast. */
function markTop(values: Float64Array, k: number, marks: Uint8Array, mark: number): void {
  if (k === 0) return;
  const sorted = values.slice().sort();
  const threshold = sorted[Math.max(0, sorted.length - k)];
  let left = k;
  for (let row = 0; row < values.length; row++) {
    if (values[row] > 0 && values[row] > threshold) {
      marks[row] = mark;
      left--;
    }
  }
  for (let row = 0; row < values.length && left > 0; row++) {
    if (values[row] > 0 && values[row] === threshold) {
      marks[row] = mark;
      left--;
    }
  }
}
