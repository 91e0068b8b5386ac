/**
 * What the tools tell a chat's model: short Markdown, in which every number says its unit, its denominator and its
 * window, since a model repeats what it reads. Pure.
 */
import { bytes, compact, percent, whole } from '../../core/model/format.js';
import type { HotRegion, OverviewFacts, PlacementFacts, Selection } from '../../core/protocol.js';

/** Said instead of an answer when there is nothing to speak about. */
export const noProfile =
  'No Pagelens profile is open, so nothing is known about memory accesses. ' +
  'Tell the user to run the command "Pagelens: Profile page accesses" on a C, C++ or Fortran program, ' +
  'or to open a .pagelens file; do not guess numbers.';

/** What all figures of an answer refer to. */
export function context(facts: OverviewFacts, selection: Selection): string {
  const { reads, writes, trafficReads, trafficWrites, pagesTouched, pageSize, level, epochs } = facts;
  const lines = [
    `Program: ${facts.program} (${facts.exit}${facts.complete ? '' : '; only a part of the run is in the profile'}).`,
    `Counted at ${level} level over the whole run: ${whole(reads + writes)} accesses ` +
      `(${whole(reads)} reads, ${whole(writes)} writes) on ${whole(pagesTouched)} pages of ${bytes(pageSize)}.`,
    `Memory traffic is modelled (machine ${facts.machine}): ${whole(trafficReads + trafficWrites)} cache lines of 64 bytes ` +
      `(${whole(trafficReads)} fills, ${whole(trafficWrites)} write-backs).`,
  ];
  if (selection.tracker !== 'exact') lines.push(`The user looks at it as the tracker ${selection.tracker} sees it.`);
  if (selection.window) {
    const [from, to] = selection.window;
    lines.push(
      `The user has selected epochs ${from} to ${to - 1} of ${epochs}; the figures here are of the whole run.`,
    );
  }
  return lines.join('\n');
}

/** @param where the file that was asked for; null: the whole program */
export function hottestText(regions: readonly HotRegion[], where: string | null): string {
  const scope = where ?? 'the whole program';
  if (regions.length === 0) return `The profile has no function or allocation in ${scope}.`;
  const rows = regions.map(
    ({ label, hotness, detail, location }) => `| ${cell(label)} | ${hotness} | ${cell(detail)} | ${place(location)} |`,
  );
  return [
    `Hottest functions and allocations of ${scope}, most accesses first. A function and the allocation that it uses both count the same accesses, so shares do not add up.`,
    table(
      [
        'Function or allocation',
        'Class',
        "Share of the run's accesses · its reads and writes · memory touched",
        'Source',
      ],
      rows,
    ),
  ].join('\n\n');
}

export function placementText(facts: PlacementFacts, policy: string): string {
  const { tiers, policies, recommended, rows, total, assumptions } = facts;
  const allocations = rows.map(row =>
    [
      cell(row.name),
      row.kind,
      bytes(row.bytes),
      whole(row.reads + row.writes),
      trafficText(row.trafficReads, row.trafficWrites),
      row.tier || '–',
      place(row.location),
    ].join(' | '),
  );
  return [
    `Tiers, fastest first: ${tiers.map(tier => `${tier.name} (${bytes(tier.usedBytes)} of ${bytes(tier.capacityBytes)} used, load latency ${tier.readLatencyNs} ns)`).join('; ')}.`,
    `Modelled slowdown of each policy, 1 is everything in the fastest tier (with its range): ${policies
      .map(({ id, slowdown, range: [low, high] }) => `${id} ${factor(slowdown)} (${factor(low)} to ${factor(high)})`)
      .join('; ')}. Recommended: ${recommended}. Tiers below are those of the policy ${policy}.`,
    `${whole(rows.length)} of ${whole(total)} allocations, most traffic first:`,
    table(
      ['Allocation', 'Kind', 'Peak size', 'Accesses', 'Traffic, cache lines', 'Tier', 'Source'],
      allocations.map(row => `| ${row} |`),
    ),
    `Assumptions of the model: ${assumptions.join(' ')}`,
    'Hot is not the same as critical: placement rests on traffic, not on accesses.',
  ].join('\n\n');
}

/** The hover of a line as plain Markdown: a chat has neither its links nor its columns. */
export function plainHover(markdown: string): string {
  return markdown
    .replaceAll(/\[[^\]]*\]\(command:[^)]*\)(?: · )?/g, '')
    .replaceAll('&nbsp;', '')
    .trim();
}

/** Regions whose name is what was asked for; else those that hold it, whatever the case. */
export function regionsNamed(name: string, regions: readonly HotRegion[]): HotRegion[] {
  const wanted = name.trim();
  const exact = regions.filter(region => region.label === wanted);
  if (exact.length > 0) return exact;
  return regions.filter(region => region.label.toLowerCase().includes(wanted.toLowerCase()));
}

function table(head: readonly string[], rows: readonly string[]): string {
  return [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...rows].join('\n');
}

function place(location: HotRegion['location']): string {
  return location ? cell(`${location.file}:${location.line}`) : '–';
}

/** Names come from the program: they must not end a cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/[\r\n]+/g, ' ');
}

function trafficText(fills: number, writeBacks: number): string {
  const lines = fills + writeBacks;
  return lines === 0 ? '0' : `${whole(lines)} (${percent(writeBacks / lines)} write-backs)`;
}

function factor(value: number): string {
  return Number.isFinite(value) ? value.toFixed(2) : compact(value);
}
