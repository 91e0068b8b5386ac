/**
 * Sites, lines and functions in a window of epochs, from what the profile knows of sites through time. Which objects and
 * pages a site touched in the window is not known: pairs, call paths and page counts of code stay those of the run.
 */
import { classify } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import type { Profile, SiteTimeTable, SourceColumns } from '../model/profile.js';
import { functionsOfSites } from './sourceGroups.js';
import { byAccesses, inOrder, inverse, renamed } from './tableOrder.js';

type WindowedSource = Pick<Profile, 'sites' | 'lines' | 'functions' | 'unattributed'>;
type Counts = Pick<SourceColumns, 'reads' | 'writes' | 'trafficReads' | 'trafficWrites'>;

/**
 * @param window epochs, whole bins of `times`
 * @returns tables in the order of what they count in the window
 */
export function sourceInWindow(
  whole: Profile,
  times: SiteTimeTable,
  window: readonly [number, number],
): WindowedSource {
  const { sites, unattributed, options } = whole;
  const counts = sitesInWindow(whole, times, window);
  const classed = <T extends SourceColumns & { readonly hotness: Uint8Array }>(table: T, rowOfSite: Uint32Array): T => {
    const sums = summed(counts, rowOfSite, table.count);
    const accesses = sums.reads.map((reads, row) => reads + sums.writes[row]);
    return { ...table, ...sums, hotness: classify(accesses, options.hotShare, options.coldShare) };
  };
  const lines = classed(whole.lines, sites.line);
  const functions = classed(whole.functions, functionsOfSites(sites));
  const lineOrder = byAccesses(lines);
  const functionOrder = byAccesses(functions);
  const lineRow = inverse(lineOrder);
  const functionRow = inverse(functionOrder);
  const left = { reads: 0, writes: 0 };
  for (let site = 0; site < sites.count; site++) {
    if (sites.line[site] !== NONE) continue;
    left.reads += counts.reads[site];
    left.writes += counts.writes[site];
  }
  return {
    sites: {
      ...sites,
      ...counts,
      line: renamed(sites.line, lineRow),
      inlineFunction: renamed(sites.inlineFunction, functionRow),
    },
    lines: { ...inOrder(lines, lineOrder), function: renamed(lines.function, functionRow, lineOrder) },
    functions: inOrder(functions, functionOrder),
    unattributed: { ...left, why: unattributed.why },
  };
}

function columns(count: number): Counts {
  const column = () => new Float64Array(count);
  return { reads: column(), writes: column(), trafficReads: column(), trafficWrites: column() };
}

/** A site reads or writes: what it did in the whole run says which. */
function sitesInWindow({ sites }: Profile, times: SiteTimeTable, [from, to]: readonly [number, number]): Counts {
  const counts = columns(sites.count);
  const { epochsPerBin, start } = times;
  const end = start[Math.ceil(to / epochsPerBin)];
  for (let row = start[from / epochsPerBin]; row < end; row++) {
    const site = times.site[row];
    counts[sites.writes[site] > 0 ? 'writes' : 'reads'][site] += times.accesses[row];
    counts.trafficReads[site] += times.trafficReads[row];
    counts.trafficWrites[site] += times.trafficWrites[row];
  }
  return counts;
}

function summed(counts: Counts, group: Uint32Array, groups: number): Counts {
  const sums = columns(groups);
  for (let site = 0; site < group.length; site++) {
    if (group[site] === NONE) continue;
    for (const name of ['reads', 'writes', 'trafficReads', 'trafficWrites'] as const)
      sums[name][group[site]] += counts[name][site];
  }
  return sums;
}
