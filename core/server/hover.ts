/** The hover of a line: a small table, the main object's accesses over time, and where to go from here. */

import { compact, nanoseconds, pages, percent, whole } from '../model/format.js';
import { CLASS_NAMES } from '../model/profile.js';
import { provenance, trafficText } from './annotations.js';
import { type Counts, countsOf, type ObjectShare, type ProfileIndex } from './profileIndex.js';
import type { Hotness, Region } from './regions.js';
import { sparkline } from './sparkline.js';

/** Command of a link in the hover; other editors know none of ours and get none. */
export interface HoverLink {
  readonly title: string;
  readonly command: string;
}

interface Subject extends Counts {
  readonly title: string;
  readonly hotness: Hotness;
  readonly perPagePerSecond: number;
  readonly objects: readonly ObjectShare[];
  readonly tier: string;
}

/** Objects named in a hover; a line that touches more says how many are left. */
const shownObjects = 3;

export function lineHover(index: ProfileIndex, line: number, policy: string): Subject {
  const { lines, functions } = index.profile;
  const objects = index.objectsOfLine(line);
  const name = functions.name[lines.function[line]];
  return {
    title: name ? `This line, in ${code(name)}` : 'This line',
    ...countsOf(lines, line),
    hotness: CLASS_NAMES[lines.hotness[line]],
    perPagePerSecond: lines.perPagePerSecond[line],
    objects,
    tier: index.tierOfShares(objects, policy),
  };
}

export function regionHover(region: Region): Subject {
  const title = region.kind === 'function' ? `Function ${code(region.name)}` : `Memory of ${code(region.name)}`;
  return { ...region, title };
}

/** Markdown for everything known about a line: the function or allocation that starts there, then the line itself. */
export function hoverText(
  index: ProfileIndex,
  subjects: readonly Subject[],
  stale: string | null,
  policy: string,
  links: readonly HoverLink[],
): string {
  const parts = subjects.map(subject => subjectText(index, subject, policy));
  if (stale) parts.unshift(`**Stale**: ${text(stale)}.`);
  parts.push(`*${text(provenance(index.profile))}*`);
  if (links.length > 0) parts.push(links.map(link => `[${link.title}](command:${link.command})`).join(' · '));
  return parts.join('\n\n');
}

function subjectText(index: ProfileIndex, subject: Subject, policy: string): string {
  const { profile } = index;
  const { totals, options } = profile;
  const accesses = subject.reads + subject.writes;
  const traffic = subject.trafficReads + subject.trafficWrites;
  const share = (part: number, of: number) => (of > 0 ? percent(part / of) : '–');
  const rows: readonly (readonly [string, string, string])[] = [
    ['Accesses', whole(accesses), `${share(accesses, index.accesses)} of the run's accesses`],
    ['Reads', whole(subject.reads), `${share(subject.reads, totals.reads)} of the run's reads`],
    ['Writes', whole(subject.writes), `${share(subject.writes, totals.writes)} of the run's writes`],
    [
      'Pages',
      pages(subject.pages, options.pageSize),
      `${share(subject.pages, totals.pagesTouched)} of the pages touched`,
    ],
    [
      'Traffic, modelled',
      trafficText(traffic),
      `${share(traffic, totals.trafficReads + totals.trafficWrites)} of the run's traffic`,
    ],
    ['Hotness', subject.hotness, `${compact(subject.perPagePerSecond)} accesses per page per modelled second`],
    ['Tier', subject.tier || '–', subject.tier ? `policy ${text(policy)}` : 'no placement'],
  ];
  // A table in a hover has no room between its columns.
  const table = rows.map(([name, value, of]) => `| ${name} | &nbsp;${value} | &nbsp;&nbsp;${of} |`).join('\n');
  // Objects first: an editor's hover shows a dozen lines, and the table is the part that can be scrolled to.
  const parts = [`**${subject.title}**`];
  if (subject.objects.length > 0) parts.push(objectsText(index, subject));
  parts.push(`| | | |\n| :-- | --: | :-- |\n${table}`);
  return parts.join('\n\n');
}

function objectsText(index: ProfileIndex, subject: Subject): string {
  const { objects, totals } = index.profile;
  const accesses = subject.reads + subject.writes;
  const names = subject.objects
    .slice(0, shownObjects)
    .map(({ object, reads, writes }) => `${code(objects.name[object])} ${percent((reads + writes) / accesses)}`);
  const rest = subject.objects.length - shownObjects;
  if (rest > 0) names.push(`${rest} more`);
  const touched = `Touches ${names.join(', ')}`;
  const main = subject.objects[0].object;
  const time = sparkline(index.accessesOverTime(main));
  if (!time) return touched;
  return `${touched}\n\n${code(time)} accesses to ${code(objects.name[main])} over ${nanoseconds(totals.modelledNs)}`;
}

/** Names come from the program: they must not end a code span, a table cell or become a link. */
function code(name: string): string {
  return `\`${name.replaceAll(/[`|\n\r]/g, ' ')}\``;
}

function text(value: string): string {
  return value.replaceAll(/[\\`*_{}[\]()<>#+!|~]/g, '\\$&').replaceAll(/[\n\r]/g, ' ');
}
