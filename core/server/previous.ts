/** What a region or a line was in the run before: its share of that run's counts, where it is certain which it was. */

import * as l10n from '../model/l10n.js';
import { type Region, regionTable } from './regions.js';
import type { RunBefore } from './runBefore.js';

/** 0 to 1; null: it was not there, or that cannot be told. */
export function shareOfLine(baseline: RunBefore, row: number): number | null {
  const before = baseline.line(row);
  if (before === null) return null;
  const { lines } = baseline.profile;
  return (lines.reads[before] + lines.writes[before]) / baseline.index.accesses;
}

/** The whole of what stood at the same places: an instantiation that is gone since was part of it, too. */
export function shareOfRegion(baseline: RunBefore, region: Region): number | null {
  const matched = region.rows.map(row => (region.kind === 'function' ? baseline.function(row) : baseline.object(row)));
  const rows = matched.filter(row => row !== null);
  // A part without a counterpart may be new, or one of several that look alike.
  if (rows.length === 0 || rows.length < matched.length) return null;
  const { table, line } = regionTable(baseline.profile, region.kind);
  const place = (row: number) => `${table.file[row]}:${line[row]}`;
  const places = new Set(rows.map(place));
  let accesses = 0;
  for (let row = 0; row < table.count; row++) {
    if (rows.includes(row) || (line[row] > 0 && places.has(place(row))))
      accesses += table.reads[row] + table.writes[row];
  }
  return accesses / baseline.index.accesses;
}

/** `was 38 %`, when the share changed by more than rounding shows; else ''. */
export function wasText(share: number, before: number | null, percent: (share: number) => string): string {
  if (before === null) return '';
  // The last digit that a share is shown with: tenths of a per cent below 10 %, else whole ones.
  const step = Math.max(share, before) < 0.0995 ? 0.001 : 0.01;
  return Math.abs(share - before) >= step && percent(share) !== percent(before)
    ? l10n.t('was {0}', percent(before))
    : '';
}
