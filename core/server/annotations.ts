/**
 * The marks of one document: the lenses' texts, and the heat of its lines for whoever draws it.
 *
 * Texts follow design section 6; each number names its unit and its denominator, the window stands in the tooltip.
 */

import { cutText } from '../model/cut.js';
import { bytes, compact, nanoseconds, pages, percent, readWriteSplit, whole } from '../model/format.js';
import * as l10n from '../model/l10n.js';
import { CLASS_NAMES, type SourceProfile } from '../model/profile.js';
import { shareIntervalText } from '../model/sampling.js';
import { word } from '../model/words.js';
import type { FileHeat, LineHeat } from '../protocol.js';
import { shareOfLine, shareOfRegion, wasText } from './previous.js';
import { accessesOf, type Region } from './regions.js';
import type { RunBefore } from './runBefore.js';
import { exactly, pagesOfCode, type Seen, whyNoPages } from './seen.js';
import type { SourceDocument } from './sourceDocument.js';
import { countsOf, type FileRows, type SourceIndex } from './sourceIndex.js';

/** What marks are made of, besides the document. */
export interface Shown {
  readonly index: SourceIndex;
  /** Where the tiers come from. */
  readonly policy: string;
  /** The run before; null: none. */
  readonly baseline: RunBefore | null;
}

/** `hot · 38 % of accesses · 71 % read, 29 % write · 2,104 pages (8.2 MiB) · HBM` */
export function lensText(region: Region, { index, baseline }: Shown): string {
  const { reads, writes } = region;
  const share = accessesOf(region) / index.accesses;
  const was = wasText(share, baseline && shareOfRegion(baseline, region), percent);
  const parts = [
    region.several,
    word(region.hotness),
    joined(
      l10n.t('{0} of {1}', `${percent(share)}${intervalText(index, accessesOf(region))}`, word(index.seen.counted)),
      was,
    ),
    readWriteSplit(reads, writes),
    pagesText(region, index.profile),
    word(region.tier),
  ];
  return parts.filter(Boolean).join(' · ');
}

/** ` (31 to 45 %)`, the interval of 95 % of a share of a sampled run's accesses; '' where counts are exact. */
export function intervalText({ profile, accesses, seen }: SourceIndex, count: number): string {
  const { sampling } = profile.program;
  return sampling && seen === exactly ? ` (${shareIntervalText(count, accesses, sampling, percent)})` : '';
}

/** What the counts of a sampled run are; '' where they are exact. */
export function samplingNote({ program: { sampling } }: SourceProfile): string {
  if (!sampling) return '';
  const { event, samples, period, unit } = sampling;
  return l10n.t(
    'counts are {0} samples of {1} times {2} {3}; in brackets intervals of 95 %',
    whole(samples),
    event,
    whole(period),
    word(unit),
  );
}

/** Parts of a text that are there, with commas between them. */
export function joined(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(', ');
}

/** `2,104 pages (8.2 MiB)`; `≤` before it when some of the summed pages may be the same; '' when it is not known. */
export function pagesText(
  subject: { readonly pages: number | null; readonly pagesAtMost?: boolean },
  profile: SourceProfile,
): string {
  if (subject.pages === null) return '';
  return `${subject.pagesAtMost ? '≤ ' : ''}${pages(subject.pages, profile.options.pageSize)}`;
}

/** Level, window and run, which the lens has no room for, and what its figures rest on. */
export function lensTooltip(region: Region, index: SourceIndex): string {
  const { seen } = index;
  const counted = word(seen.counted);
  const name = region.several ? l10n.t('{0} (sum of {1})', region.name, region.several) : region.name;
  const what =
    region.kind === 'function'
      ? l10n.t('{0}: {1} by its own lines, wherever they were inlined', name, counted)
      : l10n.t('{0}: {1} of the memory allocated here', name, counted);
  const counts = l10n.t(
    '{0} reads, {1} writes of {2} {3}',
    readings(region.reads),
    readings(region.writes),
    readings(index.accesses),
    counted,
  );
  return [
    what,
    counts,
    ...(region.pages === null ? [l10n.t('pages: not known, since {0}', whyNoPages(index))] : []),
    ...(region.pagesAtMost
      ? [l10n.t('pages: at most; a page that two of the {0} parts touch counts for each', region.parts.length)]
      : []),
    ...(seen === exactly ? [] : [trackerNote(seen)]),
    ...[samplingNote(index.profile)].filter(Boolean),
    provenance(index),
  ].join('\n');
}

/** What a tracker's figures are, in one sentence. */
export function trackerNote({ counted }: Seen): string {
  return l10n.t('{0} of pages, shared out over lines and allocations by the exact counts', counted);
}

/** Counts are whole; readings that were shared out are not, and read to three digits. */
export function readings(value: number): string {
  return Number.isInteger(value) ? whole(value) : compact(value);
}

/** `source level, whole run of 34 ms modelled time, raytracer 640 480 (exit status 0)` */
export function provenance({ profile, window }: SourceIndex): string {
  const { program, totals, epochs } = profile;
  const time = nanoseconds(totals.modelledNs);
  const what = window
    ? l10n.t('epochs {0} to {1} of {2}, {3} modelled time', window[0], window[1] - 1, epochs.count, time)
    : l10n.t('whole run of {0} modelled time', time);
  const level = program.level === 'source' ? l10n.t('source level') : l10n.t('machine level');
  const run = [program.path.split('/').pop() || l10n.t('unknown program'), ...program.arguments].join(' ');
  return l10n.t('{0}, {1}, {2} ({3})', level, what, run, exitText(profile));
}

export function exitText({ program }: SourceProfile): string {
  const { exit, complete, cut } = program;
  return joined(endText(exit), complete ? '' : l10n.shown(cutText(cut)));
}

function endText(exit: SourceProfile['program']['exit']): string {
  if (!exit) return l10n.t('no exit seen');
  return 'status' in exit ? l10n.t('exit status {0}', exit.status) : l10n.t('ended by {0}', exit.signal);
}

/** Heat of every line of the document that the profile knows, in order; lines that were removed are left out. */
export function fileHeat(shown: Shown, rows: FileRows, document: SourceDocument): FileHeat {
  const { index } = shown;
  const { files, lines } = index.profile;
  const heats: LineHeat[] = [];
  for (const row of rows.lines) {
    const line = document.lineNow(lines.line[row]);
    if (line > 0) heats.push(lineHeat(shown, row, line, document.staleLine(lines.line[row])));
  }
  return {
    file: files[rows.file].path,
    lines: heats.sort((a, b) => a.line - b.line),
    stale: document.stale,
    maxShare: lines.count === 0 ? 0 : (lines.reads[0] + lines.writes[0]) / index.accesses,
  };
}

function lineHeat({ index, policy, baseline }: Shown, row: number, line: number, stale: string | null): LineHeat {
  const { lines } = index.profile;
  const counts = countsOf(lines, row);
  const share = accessesOf(counts) / index.accesses;
  const was = wasText(share, baseline && shareOfLine(baseline, row), percent);
  return {
    line,
    built: lines.line[row],
    ...counts,
    pages: pagesOfCode(index, counts.pages),
    share,
    hotness: CLASS_NAMES[lines.hotness[row]],
    tier: index.tierOfShares(index.objectsOfLine(row), policy),
    text: joined(
      `${endOfLineText(counts.reads, counts.writes, share, index.seen)}${intervalText(index, accessesOf(counts))}`,
      was,
    ),
    percentile: row / lines.count,
    stale,
  };
}

/** `1.2 G reads · 38 %`; with both, `1.2 G reads, 40 M writes · 39 %`. The share is that of the run's accesses. */
export function endOfLineText(reads: number, writes: number, share: number, seen = exactly): string {
  // A tracker's readings are neither reads nor writes, and in a unit of its own.
  if (seen !== exactly)
    return joined(l10n.t('{0} of {1}', percent(share), seen.counted), readWriteSplit(reads, writes));
  const counts = joined(
    reads > 0 ? l10n.plural(reads, '{1} read', '{1} reads', compact(reads)) : '',
    writes > 0 ? l10n.plural(writes, '{1} write', '{1} writes', compact(writes)) : '',
  );
  return `${counts} · ${percent(share)}`;
}

/** Traffic in lines and bytes: `1.2 M lines (73 MiB)`. */
export function trafficText(lines: number): string {
  return l10n.plural(lines, '{1} line ({2})', '{1} lines ({2})', compact(lines), bytes(lines * 64));
}
