/** Where a tracker and the truth agree on the hottest pages: the sets behind precision and recall, page by page. */
import type { Profile } from '../model/profile.js';
import { top, topCount } from '../tracking/scores.js';

/** What a page is to both. */
export const NEITHER = 0;
/** Truly among the hottest, and among the tracker's own hottest. */
export const FOUND = 1;
/** Truly among the hottest; the tracker did not say so. */
export const MISSED = 2;
/** Among the tracker's hottest; truly it is not. */
export const FALSE_ALARM = 3;

export interface Agreement {
  /** How many pages are "the hottest". */
  readonly k: number;
  /** One of the above for each page. */
  readonly ofPage: Uint8Array;
  readonly found: number;
  readonly missed: number;
  readonly falseAlarms: number;
}

/** null: the tracker names no pages, or the profile has no such tracker. @param exact in exact counts, whole run */
export function agreement(exact: Profile, tracker: string): Agreement | null {
  const result = exact.trackers.find(({ id }) => id === tracker);
  if (!result || (!result.pageReads && !result.pageWrites)) return null;
  const { pages } = exact;
  const truth = pages.reads.map((reads, page) => reads + pages.writes[page]);
  const seen = truth.map((_, page) => (result.pageReads?.[page] ?? 0) + (result.pageWrites?.[page] ?? 0));
  const k = topCount(truth);
  const ofPage = new Uint8Array(pages.count);
  for (const page of top(truth, k)) ofPage[page] = MISSED;
  for (const page of top(seen, k)) ofPage[page] = ofPage[page] === MISSED ? FOUND : FALSE_ALARM;
  const count = (kind: number) => ofPage.reduce((sum, value) => sum + (value === kind ? 1 : 0), 0);
  return { k, ofPage, found: count(FOUND), missed: count(MISSED), falseAlarms: count(FALSE_ALARM) };
}
