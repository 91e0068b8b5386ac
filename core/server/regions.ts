/**
 * What a lens speaks about: the functions and allocations of one file, at most one to a line.
 */
import { CLASS_NAMES } from '../model/profile.js';
import { type Counts, countsOf, type FileRows, type ObjectShare, type ProfileIndex } from './profileIndex.js';

export type Hotness = (typeof CLASS_NAMES)[number];

export interface Region extends Counts {
  readonly kind: 'function' | 'allocation';
  readonly name: string;
  /** 1-based, as built. */
  readonly line: number;
  readonly hotness: Hotness;
  readonly tier: string;
  /** Mean accesses per touched page per modelled second, over the whole run. */
  readonly perPagePerSecond: number;
  /** Share of the regions of its kind in the whole profile that have fewer accesses, 0 to 100. */
  readonly percentile: number;
  /** Allocations: how many call paths allocate here; functions: 1. */
  readonly paths: number;
  readonly objects: readonly ObjectShare[];
}

/** Functions that start in the file and heap, file or anonymous memory that is allocated in it, and its globals. */
export function regionsOf(index: ProfileIndex, rows: FileRows, policy: string): Region[] {
  const regions = new Map<number, Region>();
  for (const row of rows.functions) {
    const line = index.profile.functions.startLine[row];
    // A line holds one lens. Two functions on one line (templates, macros) add up badly: the hotter one speaks.
    if (line > 0 && !regions.has(line)) regions.set(line, functionRegion(index, row, policy));
  }
  for (const [line, objects] of byLine(index, rows.objects)) {
    if (!regions.has(line)) regions.set(line, allocationRegion(index, objects, policy));
  }
  return [...regions.values()].sort((a, b) => a.line - b.line);
}

function functionRegion(index: ProfileIndex, row: number, policy: string): Region {
  const { functions } = index.profile;
  const objects = index.objectsOfFunction(row);
  return {
    kind: 'function',
    name: functions.name[row],
    line: functions.startLine[row],
    ...countsOf(functions, row),
    hotness: CLASS_NAMES[functions.hotness[row]],
    tier: index.tierOfShares(objects, policy),
    perPagePerSecond: functions.perPagePerSecond[row],
    percentile: percentileOf(row, functions.count),
    paths: 1,
    objects,
  };
}

function byLine(index: ProfileIndex, objects: readonly number[]): Map<number, number[]> {
  const { line, kind } = index.profile.objects;
  const groups = new Map<number, number[]>();
  for (const object of objects) {
    if (line[object] === 0 || kind[object] === 'stack' || kind[object] === 'unattributed') continue;
    const group = groups.get(line[object]);
    if (group) group.push(object);
    else groups.set(line[object], [object]);
  }
  return groups;
}

/** One allocation line may serve several call paths, each an object of its own; the lens adds them up. */
function allocationRegion(index: ProfileIndex, rows: readonly number[], policy: string): Region {
  const { objects, totals } = index.profile;
  const sum = { reads: 0, writes: 0, pages: 0, trafficReads: 0, trafficWrites: 0 };
  const shares: ObjectShare[] = [];
  for (const row of rows) {
    const counts = countsOf(objects, row);
    for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += counts[key];
    shares.push({
      object: row,
      reads: counts.reads,
      writes: counts.writes,
      traffic: counts.trafficReads + counts.trafficWrites,
    });
  }
  const first = Math.min(...rows);
  return {
    kind: 'allocation',
    name: objects.name[first],
    line: objects.line[first],
    ...sum,
    // Call paths may share a page at their borders; never say more than the run touched.
    pages: Math.min(sum.pages, totals.pagesTouched),
    hotness: CLASS_NAMES[Math.min(...rows.map(row => objects.hotness[row]))],
    tier: index.tierOfShares(shares, policy),
    perPagePerSecond: Math.max(...rows.map(row => objects.perPagePerSecond[row])),
    percentile: percentileOf(first, objects.count),
    paths: rows.length,
    objects: shares,
  };
}

/** Tables are sorted by accesses, descending, so a row number is a rank. */
export function percentileOf(rank: number, count: number): number {
  return (1 - rank / count) * 100;
}
