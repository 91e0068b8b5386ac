/**
 * Sites, lines and functions in a window of epochs, from what the profile knows of sites through time. Which objects and
 * pages a site touched in the window is not known: pairs, call paths and page counts of code stay those of the run.
 *
 * As a tracker sees the run, an object's readings in the window are shared among the sites by their accesses to it, as in
 * projection.ts: those of the run, of each site the part that it made in the window. Where no site of the object was active in
 * the window (a scan tells of what was before), those of the run.
 */
import { classify } from '../hotness/classes.js';
import { NONE } from '../model/columns.js';
import type { Profile, SiteTimeTable, SourceColumns } from '../model/profile.js';
import { type Readings, shared, summed } from './projection.js';
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
  const counts = sitesInWindow(whole, times, window);
  const { sites } = whole;
  const left = { reads: 0, writes: 0 };
  for (let site = 0; site < sites.count; site++) {
    if (sites.line[site] !== NONE) continue;
    left.reads += counts.reads[site];
    left.writes += counts.writes[site];
  }
  return tablesOf(whole, counts, left);
}

/**
 * The same as a tracker sees the run.
 * @param seen the run as it sees it
 * @param exact the run in exact counts: its sites and pairs in the same order
 * @param told readings in the window of all pages, and of the objects of `seen`
 * @param window epochs, whole bins of `times`
 */
export function readingsOfSourceInWindow(
  seen: Profile,
  exact: Profile,
  told: { readonly pages: Readings; readonly objects: Readings },
  times: SiteTimeTable,
  window: readonly [number, number],
): WindowedSource {
  const { sites } = exact;
  const counts = sitesInWindow(exact, times, window);
  const part = sites.reads.map((reads, site) => {
    const all = reads + sites.writes[site];
    return all > 0 ? (counts.reads[site] + counts.writes[site]) / all : 0;
  });
  const { site, reads, writes } = exact.pairs;
  const readsHere = reads.map((value, pair) => value * part[site[pair]]);
  const writesHere = writes.map((value, pair) => value * part[site[pair]]);
  const { object } = seen.pairs;
  const ofPairs = {
    reads: shared(told.objects.reads, object, [readsHere, reads, writesHere, writes]),
    writes: shared(told.objects.writes, object, [writesHere, writes, readsHere, reads]),
  };
  const ofSites = summed(ofPairs, site, sites.count);
  const ofLines = summed(ofSites, sites.line, exact.lines.count);
  return tablesOf(
    seen,
    { ...counts, ...ofSites },
    {
      reads: sumOf(told.pages.reads) - sumOf(ofLines.reads),
      writes: sumOf(told.pages.writes) - sumOf(ofLines.writes),
    },
  );
}

function sumOf(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}

/** The tables with these counts of sites. @param left what reached no line */
function tablesOf(whole: Profile, counts: Counts, left: { reads: number; writes: number }): WindowedSource {
  const { sites, unattributed, options } = whole;
  const classed = <T extends SourceColumns & { readonly hotness: Uint8Array }>(table: T, rowOfSite: Uint32Array): T => {
    const { trafficReads, trafficWrites } = counts;
    const traffic = summed({ reads: trafficReads, writes: trafficWrites }, rowOfSite, table.count);
    const accessed = summed(counts, rowOfSite, table.count);
    const sums = { ...accessed, trafficReads: traffic.reads, trafficWrites: traffic.writes };
    const accesses = sums.reads.map((reads, row) => reads + sums.writes[row]);
    return { ...table, ...sums, hotness: classify(accesses, options.hotShare, options.coldShare) };
  };
  const lines = classed(whole.lines, sites.line);
  const functions = classed(whole.functions, functionsOfSites(sites));
  const lineOrder = byAccesses(lines);
  const functionOrder = byAccesses(functions);
  const lineRow = inverse(lineOrder);
  const functionRow = inverse(functionOrder);
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
