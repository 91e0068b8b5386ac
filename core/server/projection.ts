/**
 * The profile as a tracker would have told it (docs/views/trackers.md).
 *
 * A mechanism knows one thing: a reading of each page, in its own unit (accesses sampled, periods in which a flag was
 * found set, log entries). Everything else is attributed from there by the exact counts, so that a mechanism is judged
 * by where its readings lead and not by what a tool around it could guess:
 *
 *   page    its reading; hot, warm and cold by the usual shares of all readings
 *   object  the readings of the pages on which it has most of the accesses: what a tool with an allocation map does
 *   line    of each object's reading, the part that its accesses are of the object's accesses
 *
 * The heat holds the readings where the mechanism came to know them, in bins as wide as the wider of its own and the exact
 * heat's. Nothing there rests on the exact counts but the traffic.
 *
 * Traffic, tiers, modelled time and the working set of each epoch stay as they are: no mechanism here sees them.
 */
import { classify, perPagePerSecond } from '../hotness/classes.js';
import { type HeatRows, mergedHeat } from '../machine/heatRows.js';
import { NONE } from '../model/columns.js';
import type {
  CallTable,
  HeatTable,
  ObjectTable,
  PairTable,
  Placement,
  PolicyResult,
  Profile,
  SourceColumns,
  TrackerHeat,
  TrackerResult,
} from '../model/profile.js';
import { functionsOfSites } from './sourceGroups.js';
import { byAccesses, inOrder, inverse, renamed } from './tableOrder.js';

export interface Projection {
  readonly profile: Profile;
  /** Row of the projected `objects` for each row of the exact ones: tables stay sorted by what they count. */
  readonly objectRow: Uint32Array;
}

/** Reads and writes of a table's rows, in readings. */
export interface Readings {
  readonly reads: Float64Array;
  readonly writes: Float64Array;
}

/** @param tracker one that names pages */
export function project(exact: Profile, tracker: TrackerResult): Projection {
  const { pages, totals, options, sites } = exact;
  const ofPages: Readings = {
    reads: tracker.pageReads ?? new Float64Array(pages.count),
    writes: tracker.pageWrites ?? new Float64Array(pages.count),
  };

  // 1. Readings of every table, in the exact profile's order.
  const objects = objectReadings(exact, ofPages);
  const pairs = pairReadings(exact.pairs, objects);
  const calls = exact.calls && { ...exact.calls, ...callReadings(exact.calls, pairs) };
  const ofSites = summed(pairs, exact.pairs.site, sites.count);
  const functionOfSite = functionsOfSites(sites);
  const lines = classed({ ...exact.lines, ...summed(ofSites, sites.line, exact.lines.count) }, exact);
  const functions = classed({ ...exact.functions, ...summed(ofSites, functionOfSite, exact.functions.count) }, exact);

  // 2. Tables are sorted by what they count: who reads a row number as a rank must not be misled.
  const lineOrder = byAccesses(lines);
  const functionOrder = byAccesses(functions);
  const objectOrder = byAccesses(objects);
  const [lineRow, functionRow, objectRow] = [lineOrder, functionOrder, objectOrder].map(inverse);

  const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);
  const positive = (page: number) => ofPages.reads[page] + ofPages.writes[page] > 0;
  const all = { reads: sum(ofPages.reads), writes: sum(ofPages.writes) };
  const profile: Profile = {
    ...exact,
    totals: {
      ...totals,
      ...all,
      pagesTouched: Array.from({ length: pages.count }, (_, page) => page).filter(positive).length,
      pagesRead: ofPages.reads.filter(Boolean).length,
      pagesWritten: ofPages.writes.filter(Boolean).length,
    },
    lines: { ...inOrder(lines, lineOrder), function: renamed(lines.function, functionRow, lineOrder) },
    functions: inOrder(functions, functionOrder),
    objects: inOrder(objects, objectOrder),
    sites: {
      ...sites,
      ...ofSites,
      line: renamed(sites.line, lineRow),
      inlineFunction: renamed(sites.inlineFunction, functionRow),
    },
    pairs: { ...exact.pairs, ...pairs, object: renamed(exact.pairs.object, objectRow) },
    ...(calls && { calls }),
    pages: {
      ...pages,
      ...ofPages,
      object: renamed(pages.object, objectRow),
      hotness: classify(accessesOf(ofPages), options.hotShare, options.coldShare),
    },
    placement: placementInOrder(exact.placement, objectOrder),
    unattributed: {
      reads: all.reads - sum(lines.reads),
      writes: all.writes - sum(lines.writes),
      why: exact.unattributed.why,
    },
  };
  // As large as the heat itself, and few views look at it: made when first read.
  let heat: HeatTable | null = null;
  Object.defineProperty(profile, 'heat', {
    enumerable: true,
    get: () => (heat ??= heatReadings(exact, tracker)),
  });
  return { profile, objectRow };
}

function accessesOf({ reads, writes }: Readings): Float64Array {
  return reads.map((value, row) => value + writes[row]);
}

/** Each page's reading belongs to its main object. */
function objectReadings(exact: Profile, { reads, writes }: Readings): ObjectTable {
  const { pages, objects } = exact;
  const sums = {
    reads: new Float64Array(objects.count),
    writes: new Float64Array(objects.count),
    pages: new Float64Array(objects.count),
  };
  for (let page = 0; page < pages.count; page++) {
    const object = pages.object[page];
    if (object === NONE || reads[page] + writes[page] === 0) continue;
    sums.reads[object] += reads[page];
    sums.writes[object] += writes[page];
    sums.pages[object]++;
  }
  return classed({ ...objects, ...sums }, exact);
}

/** Each object's readings over its pairs: reads by the pairs' reads, writes by their writes. */
function pairReadings(pairs: PairTable, objects: ObjectTable): Readings {
  return {
    reads: shared(objects.reads, pairs.object, [pairs.reads, pairs.writes]),
    writes: shared(objects.writes, pairs.object, [pairs.writes, pairs.reads]),
  };
}

/** Each pair's readings over its call paths. */
function callReadings(calls: CallTable, pairs: Readings): Readings {
  return {
    reads: shared(pairs.reads, calls.pair, [calls.reads, calls.writes]),
    writes: shared(pairs.writes, calls.pair, [calls.writes, calls.reads]),
  };
}

/**
 * Splits an amount of each group over its members by the first of the weights that it has any of: a mechanism may report
 * as written a page of which its main object was only read.
 */
export function shared(amount: Float64Array, group: Uint32Array, weights: readonly Float64Array[]): Float64Array {
  const totals = weights.map(weight => {
    const sums = new Float64Array(amount.length);
    for (let i = 0; i < group.length; i++) sums[group[i]] += weight[i];
    return sums;
  });
  return Float64Array.from(group, (owner, i) => {
    for (let w = 0; w < weights.length; w++)
      if (totals[w][owner] > 0) return amount[owner] * (weights[w][i] / totals[w][owner]);
    return 0;
  });
}

export function summed({ reads, writes }: Readings, group: Uint32Array, count: number): Readings {
  const sums = { reads: new Float64Array(count), writes: new Float64Array(count) };
  for (let i = 0; i < group.length; i++) {
    if (group[i] === NONE) continue;
    sums.reads[group[i]] += reads[i];
    sums.writes[group[i]] += writes[i];
  }
  return sums;
}

type Classed = SourceColumns & { readonly hotness: Uint8Array; readonly perPagePerSecond: Float64Array };

function classed<T extends Classed>(table: T, { options, totals }: Profile): T {
  const accesses = accessesOf(table);
  return {
    ...table,
    hotness: classify(accesses, options.hotShare, options.coldShare),
    perPagePerSecond: accesses.map((count, row) => perPagePerSecond(count, table.pages[row], totals.modelledNs)),
  };
}

function placementInOrder(placement: Placement, objectOrder: Uint32Array): Placement {
  const policy = (result: PolicyResult): PolicyResult => ({
    ...result,
    tierOfObject: Uint8Array.from(objectOrder, row => result.tierOfObject[row]),
  });
  return { ...placement, policies: placement.policies.map(policy), oracle: policy(placement.oracle) };
}

/** The readings where the tracker came to know them, beside the traffic, which stays as counted. */
function heatReadings({ heat, pages, epochs }: Profile, tracker: TrackerResult): HeatTable {
  const told = tracker.heat ?? untimed(tracker, epochs.count);
  return mergedHeat(
    { ...told, first: told.reads, second: told.writes },
    trafficOf(heat),
    Uint32Array.from({ length: pages.count }, (_, page) => page),
    epochs.count,
  );
}

/** Of a profile that was saved without times: one bin, as long as the run. */
function untimed({ pageReads, pageWrites }: TrackerResult, epochs: number): TrackerHeat {
  const readings = (page: number) => (pageReads?.[page] ?? 0) + (pageWrites?.[page] ?? 0);
  const pages = (pageReads ?? pageWrites)?.length ?? 0;
  const page = Uint32Array.from({ length: pages }, (_, row) => row).filter(row => readings(row) > 0);
  return {
    epochsPerBin: 2 ** Math.ceil(Math.log2(Math.max(1, epochs))),
    start: epochs > 0 ? Float64Array.of(0, page.length) : new Float64Array(1),
    page,
    reads: page.map(row => pageReads?.[row] ?? 0),
    writes: page.map(row => pageWrites?.[row] ?? 0),
  };
}

/** The rows that have traffic. */
function trafficOf({ epochsPerBin, start, page, trafficReads, trafficWrites }: HeatTable): HeatRows {
  const used = page
    .map((_, row) => (trafficReads[row] + trafficWrites[row] > 0 ? row : NONE))
    .filter(row => row !== NONE);
  let row = 0;
  return {
    epochsPerBin,
    start: start.map(end => {
      while (row < used.length && used[row] < end) row++;
      return row;
    }),
    page: used.map(at => page[at]),
    first: used.map(at => trafficReads[at]),
    second: used.map(at => trafficWrites[at]),
  };
}
