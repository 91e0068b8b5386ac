/**
 * The marks of one document: the lenses' texts, and the heat of its lines for whoever draws it.
 *
 * Texts follow design section 6; each number names its unit and its denominator, the window stands in the tooltip.
 */

import { bytes, compact, nanoseconds, pages, percent, readWriteSplit, whole } from '../model/format.js';
import { CLASS_NAMES, type Profile } from '../model/profile.js';
import type { FileHeat, LineHeat } from '../protocol.js';
import { countsOf, type FileRows, type ProfileIndex } from './profileIndex.js';
import type { Region } from './regions.js';
import type { SourceDocument } from './sourceDocument.js';

/** `hot · 38 % of accesses · 71 % read, 29 % write · 2,104 pages (8.2 MiB) · HBM` */
export function lensText(region: Region, index: ProfileIndex): string {
  const { reads, writes } = region;
  const parts: string[] = [
    region.hotness,
    `${percent((reads + writes) / index.accesses)} of accesses`,
    readWriteSplit(reads, writes),
    pages(region.pages, index.profile.options.pageSize),
  ];
  if (region.tier) parts.push(region.tier);
  return parts.join(' · ');
}

/** Level, window and run, which the lens has no room for, and what its figures rest on. */
export function lensTooltip(region: Region, index: ProfileIndex): string {
  const paths =
    region.paths > 1 ? ` by ${region.paths} call paths (a page that two of them share counts for each)` : '';
  const what =
    region.kind === 'function'
      ? `${region.name}: accesses by its own lines, wherever they were inlined`
      : `${region.name}: accesses to the memory allocated here${paths}`;
  return [
    what,
    `${whole(region.reads)} reads, ${whole(region.writes)} writes of ${whole(index.accesses)} accesses`,
    provenance(index.profile),
  ].join('\n');
}

/** `source level, whole run of 34 ms modelled time, raytracer 640 480 (exit status 0)` */
export function provenance(profile: Profile): string {
  const { program, totals } = profile;
  const run = [program.path.split('/').pop(), ...program.arguments].join(' ');
  return `${program.level} level, whole run of ${nanoseconds(totals.modelledNs)} modelled time, ${run} (${exitText(profile)})`;
}

export function exitText({ program }: Profile): string {
  const { exit, complete } = program;
  const ended = !exit ? 'no exit seen' : 'status' in exit ? `exit status ${exit.status}` : `ended by ${exit.signal}`;
  return complete ? ended : `${ended}, recording cut short`;
}

/** Heat of every line of the document that the profile knows, in order; lines that were removed are left out. */
export function fileHeat(index: ProfileIndex, rows: FileRows, document: SourceDocument, policy: string): FileHeat {
  const { lines } = index.profile;
  const heats = new Map<number, LineHeat>();
  for (const row of rows.lines) {
    const line = document.lineNow(lines.line[row]);
    // The same line in two functions (a template, a macro) is two rows; the hotter one comes first and is shown.
    if (line === 0 || heats.has(line)) continue;
    heats.set(line, lineHeat(index, row, line, document.staleLine(lines.line[row]), policy));
  }
  return {
    lines: [...heats.values()].sort((a, b) => a.line - b.line),
    stale: document.stale,
    maxShare: lines.count === 0 ? 0 : (lines.reads[0] + lines.writes[0]) / index.accesses,
  };
}

function lineHeat(index: ProfileIndex, row: number, line: number, stale: string | null, policy: string): LineHeat {
  const { lines } = index.profile;
  const counts = countsOf(lines, row);
  const share = (counts.reads + counts.writes) / index.accesses;
  return {
    line,
    ...counts,
    share,
    hotness: CLASS_NAMES[lines.hotness[row]],
    tier: index.tierOfShares(index.objectsOfLine(row), policy),
    text: endOfLineText(counts.reads, counts.writes, share),
    percentile: row / lines.count,
    stale,
  };
}

/** `1.2 G reads · 38 %`; with both, `1.2 G reads, 40 M writes · 39 %`. The share is that of the run's accesses. */
export function endOfLineText(reads: number, writes: number, share: number): string {
  const counts = [
    reads > 0 ? `${compact(reads)} ${reads === 1 ? 'read' : 'reads'}` : '',
    writes > 0 ? `${compact(writes)} ${writes === 1 ? 'write' : 'writes'}` : '',
  ];
  return `${counts.filter(Boolean).join(', ')} · ${percent(share)}`;
}

/** Traffic in lines and bytes: `1.2 M lines (73 MiB)`. */
export function trafficText(lines: number): string {
  return `${compact(lines)} ${lines === 1 ? 'line' : 'lines'} (${bytes(lines * 64)})`;
}
