/** The hover of a line: a small table, the main object's accesses over time, and where to go from here. */

import { compact, nanoseconds, percent } from '../model/format.js';
import * as l10n from '../model/l10n.js';
import { CLASS_NAMES } from '../model/profile.js';
import { word } from '../model/words.js';
import {
  intervalText,
  joined,
  pagesText,
  provenance,
  readings,
  type Shown,
  samplingNote,
  trackerNote,
  trafficText,
} from './annotations.js';
import { type Part, partsOfSites } from './parts.js';
import { shareOfLine, shareOfRegion, wasText } from './previous.js';
import { accessesOf, type Hotness, type Region } from './regions.js';
import { exactly, pagesOfCode, trackerLabel, whyNoPages } from './seen.js';
import { type Counts, countsOf, type ObjectShare, type SourceIndex } from './sourceIndex.js';
import { sparkline } from './sparkline.js';

/** Command of a link in the hover; other editors know none of ours and get none. */
export interface HoverLink {
  readonly title: string;
  readonly command: string;
}

interface Subject extends Omit<Counts, 'pages'> {
  readonly title: string;
  readonly hotness: Hotness;
  readonly perPagePerSecond: number;
  /** Distinct pages; null: not known. */
  readonly pages: number | null;
  readonly pagesAtMost?: boolean;
  readonly objects: readonly ObjectShare[];
  readonly tier: string;
  readonly parts: readonly Part[];
  /** Share of the run before, 0 to 1; null: unknown. */
  readonly before: number | null;
}

/** Objects named in a hover; a line that touches more says how many are left. */
const shownObjects = 3;
/** Instantiations, callers and call paths, likewise. */
const shownParts = 4;

export function lineHover({ index, policy, baseline }: Shown, line: number): Subject {
  const { lines, functions } = index.profile;
  const objects = index.objectsOfLine(line);
  const counts = countsOf(lines, line);
  const name = functions.name[lines.function[line]];
  return {
    title: name ? l10n.t('This line, in {0}', code(name)) : l10n.t('This line'),
    ...counts,
    pages: pagesOfCode(index, counts.pages),
    hotness: CLASS_NAMES[lines.hotness[line]],
    perPagePerSecond: lines.perPagePerSecond[line],
    objects,
    tier: index.tierOfShares(objects, policy),
    parts: partsOfSites(index, index.sitesOfLine(line)),
    before: baseline && shareOfLine(baseline, line),
  };
}

export function regionHover(region: Region, { baseline }: Shown): Subject {
  const name = code(region.name);
  const title = region.kind === 'function' ? l10n.t('Function {0}', name) : l10n.t('Memory of {0}', name);
  return {
    ...region,
    title: region.several ? l10n.t('{0}, sum of {1}', title, region.several) : title,
    before: baseline && shareOfRegion(baseline, region),
  };
}

/** Markdown for everything known about a line: the function or allocation that starts there, then the line itself. */
export function hoverText(
  shown: Shown,
  subjects: readonly Subject[],
  stale: string | null,
  links: readonly HoverLink[],
): string {
  const { index } = shown;
  const { seen } = index;
  const parts = subjects.map(subject => subjectText(shown, subject));
  if (seen !== exactly)
    parts.unshift(l10n.t('**As {0} sees it**: {1}.', text(trackerLabel(seen.tracker)), text(trackerNote(seen))));
  const sampled = samplingNote(index.profile);
  if (sampled) parts.push(`*${text(sampled)}*`);
  if (stale) parts.unshift(l10n.t('**Stale**: {0}.', text(stale)));
  parts.push(`*${text(provenance(index))}*`);
  if (links.length > 0) parts.push(links.map(link => `[${link.title}](command:${link.command})`).join(' · '));
  return parts.join('\n\n');
}

function subjectText(shown: Shown, subject: Subject): string {
  const { index, policy } = shown;
  const { profile, seen } = index;
  const { totals } = profile;
  const accesses = accessesOf(subject);
  const traffic = subject.trafficReads + subject.trafficWrites;
  const was = wasText(accesses / index.accesses, subject.before, percent);
  const of = denominators(index);
  const rows: readonly (readonly [string, string, string])[] = [
    [
      seen === exactly ? l10n.t('Accesses') : l10n.t('Readings'),
      readings(accesses),
      joined(of.accesses(`${share(accesses, index.accesses)}${intervalText(index, accesses)}`), was),
    ],
    [l10n.t('Reads'), readings(subject.reads), of.reads(share(subject.reads, totals.reads))],
    [l10n.t('Writes'), readings(subject.writes), of.writes(share(subject.writes, totals.writes))],
    [l10n.t('Pages'), pagesText(subject, profile) || '–', pagesNote(index, subject)],
    [
      l10n.t('Traffic, modelled'),
      trafficText(traffic),
      of.traffic(share(traffic, totals.trafficReads + totals.trafficWrites)),
    ],
    [l10n.t('Hotness'), word(subject.hotness), hotnessNote(index, subject)],
    [
      l10n.t('Tier'),
      word(subject.tier) || '–',
      subject.tier ? l10n.t('policy {0}', text(policy)) : l10n.t('no placement'),
    ],
  ];
  // A table in a hover has no room between its columns.
  const table = rows.map(([label, value, of]) => `| ${label} | &nbsp;${value} | &nbsp;&nbsp;${of} |`).join('\n');
  // Objects first: an editor's hover shows a dozen lines, and the table is the part that can be scrolled to.
  const parts = [`**${subject.title}**`];
  if (subject.parts.length > 1) parts.push(partsText(subject));
  if (subject.objects.length > 0) parts.push(objectsText(index, subject));
  parts.push(`| | | |\n| :-- | --: | :-- |\n${table}`);
  return parts.join('\n\n');
}

function share(part: number, of: number): string {
  return of > 0 ? percent(part / of) : '–';
}

/** What shares are shares of. */
function denominators({ seen, window }: SourceIndex) {
  const counted = text(word(seen.counted));
  return window
    ? {
        accesses: (share: string) => l10n.t("{0} of the window's {1}", share, counted),
        reads: (share: string) => l10n.t("{0} of the window's reads", share),
        writes: (share: string) => l10n.t("{0} of the window's writes", share),
        traffic: (share: string) => l10n.t("{0} of the window's traffic", share),
      }
    : {
        accesses: (share: string) => l10n.t("{0} of the run's {1}", share, counted),
        reads: (share: string) => l10n.t("{0} of the run's reads", share),
        writes: (share: string) => l10n.t("{0} of the run's writes", share),
        traffic: (share: string) => l10n.t("{0} of the run's traffic", share),
      };
}

function pagesNote(index: SourceIndex, { pages, pagesAtMost }: Subject): string {
  const { seen, profile } = index;
  if (pages === null) return l10n.t('not known: {0}', text(whyNoPages(index)));
  const part = `${pagesAtMost ? '≤ ' : ''}${share(pages, profile.totals.pagesTouched)}`;
  if (seen === exactly) return l10n.t('{0} of the pages touched', part);
  return l10n.t('{0} of the pages that {1} reported', part, text(trackerLabel(seen.tracker)));
}

function hotnessNote({ seen }: SourceIndex, { pages, pagesAtMost, perPagePerSecond }: Subject): string {
  const counted = text(word(seen.counted));
  if (pages === null) return l10n.t('by its share of all {0}', counted);
  const rate = `${pagesAtMost ? '≥ ' : ''}${compact(perPagePerSecond)}`;
  return l10n.t('{0} {1} per page per modelled second', rate, counted);
}

/** ``Sum of `dot<float>` inlined into `shade` 60 %, `dot<double>` 40 %`` */
function partsText(subject: Subject): string {
  const accesses = accessesOf(subject);
  const names = subject.parts.slice(0, shownParts).map(part => {
    const name = part.label ? code(part.label) : l10n.t('an unknown caller');
    return accesses > 0 ? `${name} ${percent(accessesOf(part) / accesses)}` : name;
  });
  const rest = subject.parts.length - shownParts;
  if (rest > 0) names.push(l10n.t('{0} more', rest));
  return l10n.t('Sum of {0}', names.join(', '));
}

function objectsText(index: SourceIndex, subject: Subject): string {
  const { objects, totals } = index.profile;
  // In a window as well these are of the whole run: so are the accesses that they are shares of.
  const accesses = subject.objects.reduce((sum, share) => sum + accessesOf(share), 0);
  const names = subject.objects
    .slice(0, shownObjects)
    .map(({ object, reads, writes }) => `${code(objects.name[object])} ${percent((reads + writes) / accesses)}`);
  const rest = subject.objects.length - shownObjects;
  if (rest > 0) names.push(l10n.t('{0} more', rest));
  const list = names.join(', ');
  const touched = index.window ? l10n.t('In the whole run, touches {0}', list) : l10n.t('Touches {0}', list);
  const main = subject.objects[0].object;
  const time = sparkline(index.accessesOverTime(main) ?? []);
  if (!time) return touched;
  const over = index.window ? l10n.t('the whole run') : nanoseconds(totals.modelledNs);
  return `${touched}\n\n${l10n.t('{0} accesses to {1} over {2}', code(time), code(objects.name[main]), over)}`;
}

/** Names come from the program: they must not end a code span, a table cell or become a link. */
function code(name: string): string {
  return `\`${name.replaceAll(/[`|\n\r]/g, ' ')}\``;
}

function text(value: string): string {
  return value.replaceAll(/[\\`*_{}[\]()<>#+!|~]/g, '\\$&').replaceAll(/[\n\r]/g, ' ');
}
