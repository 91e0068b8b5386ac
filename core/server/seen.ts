/** Through whose eyes a profile is shown: what its counts are called, and what they cannot tell. */
import * as l10n from '../model/l10n.js';
import { trackers } from '../tracking/trackers.js';

export interface Seen {
  /** `exact`, or the id of a tracker. */
  readonly tracker: string;
  /** What is counted, as in "38 % of ...": the id `accesses`, or in words `PML readings`. */
  readonly counted: string;
}

/** How a profile is shown, as far as it matters to what is known of code. */
interface ShownAs {
  readonly seen: Seen;
  readonly window: readonly [number, number] | null;
}

/**
 * Distinct pages that a line or a function touched; null: not known, since a mechanism reports pages, not which code
 * touched them, and pages of code are not counted by epoch.
 */
export function pagesOfCode({ seen, window }: ShownAs, exact: number): number | null {
  return seen === exactly && !window ? exact : null;
}

/** Why they are not known; '' where they are. */
export function whyNoPages({ seen, window }: ShownAs): string {
  if (seen !== exactly) return l10n.t('{0} reports pages, not which code touched them', trackerLabel(seen.tracker));
  return window ? l10n.t('which pages code touched is counted for the whole run only') : '';
}

export const exactly: Seen = { tracker: 'exact', counted: 'accesses' };

export function seenBy(tracker: string): Seen {
  if (tracker === exactly.tracker) return exactly;
  return { tracker, counted: l10n.t('{0} readings', trackerLabel(tracker)) };
}

/** A profile of another version may name a tracker that this one does not know. */
export function trackerLabel(tracker: string): string {
  return Object.hasOwn(trackers, tracker) ? trackers[tracker].label : tracker;
}
