/** The hover of a line: a small table, the main object's accesses over time, and where to go from here. */

import { compact, nanoseconds, percent } from '../model/format.js';
import { CLASS_NAMES } from '../model/profile.js';
import {
  intervalText,
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
    title: name ? `This line, in ${code(name)}` : 'This line',
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
  const title = region.kind === 'function' ? `Function ${code(region.name)}` : `Memory of ${code(region.name)}`;
  return {
    ...region,
    title: region.several ? `${title}, sum of ${region.several}` : title,
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
    parts.unshift(`**As ${text(trackerLabel(seen.tracker))} sees it**: ${text(trackerNote(seen))}.`);
  const sampled = samplingNote(index.profile);
  if (sampled) parts.push(`*${text(sampled)}*`);
  if (stale) parts.unshift(`**Stale**: ${text(stale)}.`);
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
  const share = (part: number, of: number) => (of > 0 ? percent(part / of) : '–');
  const was = wasText(accesses / index.accesses, subject.before, percent);
  const name = seen === exactly ? 'Accesses' : 'Readings';
  const label = trackerLabel(seen.tracker);
  const part = index.window ? 'window' : 'run';
  const rows: readonly (readonly [string, string, string])[] = [
    [
      name,
      readings(accesses),
      `${share(accesses, index.accesses)}${intervalText(index, accesses)} of the ${part}'s ${text(seen.counted)}${was && `, ${was}`}`,
    ],
    ['Reads', readings(subject.reads), `${share(subject.reads, totals.reads)} of the ${part}'s reads`],
    ['Writes', readings(subject.writes), `${share(subject.writes, totals.writes)} of the ${part}'s writes`],
    subject.pages === null
      ? ['Pages', '–', `not known: ${text(whyNoPages(index))}`]
      : [
          'Pages',
          pagesText(subject, profile),
          `${subject.pagesAtMost ? '≤ ' : ''}${share(subject.pages, totals.pagesTouched)} of the pages ${seen === exactly ? 'touched' : `that ${text(label)} reported`}`,
        ],
    [
      'Traffic, modelled',
      trafficText(traffic),
      `${share(traffic, totals.trafficReads + totals.trafficWrites)} of the ${part}'s traffic`,
    ],
    [
      'Hotness',
      subject.hotness,
      subject.pages === null
        ? `by its share of all ${text(seen.counted)}`
        : `${subject.pagesAtMost ? '≥ ' : ''}${compact(subject.perPagePerSecond)} ${text(seen.counted)} per page per modelled second`,
    ],
    ['Tier', subject.tier || '–', subject.tier ? `policy ${text(policy)}` : 'no placement'],
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

/** ``Sum of `dot<float>` inlined into `shade` 60 %, `dot<double>` 40 %`` */
function partsText(subject: Subject): string {
  const accesses = accessesOf(subject);
  const names = subject.parts.slice(0, shownParts).map(part => {
    const name = part.label ? code(part.label) : 'an unknown caller';
    return accesses > 0 ? `${name} ${percent(accessesOf(part) / accesses)}` : name;
  });
  const rest = subject.parts.length - shownParts;
  if (rest > 0) names.push(`${rest} more`);
  return `Sum of ${names.join(', ')}`;
}

function objectsText(index: SourceIndex, subject: Subject): string {
  const { objects, totals } = index.profile;
  // In a window as well these are of the whole run: so are the accesses that they are shares of.
  const accesses = subject.objects.reduce((sum, share) => sum + accessesOf(share), 0);
  const names = subject.objects
    .slice(0, shownObjects)
    .map(({ object, reads, writes }) => `${code(objects.name[object])} ${percent((reads + writes) / accesses)}`);
  const rest = subject.objects.length - shownObjects;
  if (rest > 0) names.push(`${rest} more`);
  const touched = `${index.window ? 'In the whole run, touches' : 'Touches'} ${names.join(', ')}`;
  const main = subject.objects[0].object;
  const time = sparkline(index.accessesOverTime(main) ?? []);
  if (!time) return touched;
  const over = index.window ? 'the whole run' : nanoseconds(totals.modelledNs);
  return `${touched}\n\n${code(time)} accesses to ${code(objects.name[main])} over ${over}`;
}

/** Names come from the program: they must not end a code span, a table cell or become a link. */
function code(name: string): string {
  return `\`${name.replaceAll(/[`|\n\r]/g, ' ')}\``;
}

function text(value: string): string {
  return value.replaceAll(/[\\`*_{}[\]()<>#+!|~]/g, '\\$&').replaceAll(/[\n\r]/g, ' ');
}
