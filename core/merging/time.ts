/**
 * Several runs side by side in time: epoch k of all of them is epoch k of the merged run. Their epochs must be equally
 * long for that; those of a shorter length are put together, and what they touched is counted anew.
 */
import { UsageError } from '../errors.js';
import type { EpochTable, HeatCounts, HeatTable, Profile, SiteTimeTable } from '../model/profile.js';

/** One run's tables of time, in epochs of the common length. */
export interface Timeline {
  readonly epochs: EpochTable;
  readonly heat: HeatTable;
  readonly siteTimes: SiteTimeTable | undefined;
}

/** @throws UsageError when the lengths do not fit each other */
export function alignedTimelines(profiles: readonly Profile[]): Timeline[] {
  let length = Math.max(...profiles.map(profile => profile.epochs.accesses));
  for (const { epochs } of profiles)
    if (length % epochs.accesses !== 0)
      throw new UsageError(
        `epochs of ${epochs.accesses} and of ${length} accesses do not fit each other: replay the traces with the same --epoch`,
      );
  // What was touched can be told for whole bins of the heat only.
  const fits = ({ epochs, heat }: Profile) =>
    length === epochs.accesses || (length / epochs.accesses) % heat.epochsPerBin === 0;
  while (!profiles.every(fits)) length *= 2;
  return profiles.map(profile => coarser(profile, length / profile.epochs.accesses));
}

function coarser({ epochs, heat, siteTimes }: Profile, factor: number): Timeline {
  if (factor === 1) return { epochs, heat, siteTimes };
  const binned = coarserHeat(heat, factor / heat.epochsPerBin, 1);
  return {
    epochs: coarserEpochs(epochs, binned, factor),
    heat: binned,
    siteTimes: siteTimes && coarserSites(siteTimes, factor),
  };
}

function coarserEpochs(epochs: EpochTable, heat: HeatTable, factor: number): EpochTable {
  const count = Math.ceil(epochs.count / factor);
  const sums = (column: Float64Array) =>
    Float64Array.from({ length: count }, (_, i) =>
      column.subarray(i * factor, (i + 1) * factor).reduce((sum, value) => sum + value, 0),
    );
  return {
    count,
    accesses: epochs.accesses * factor,
    reads: sums(epochs.reads),
    writes: sums(epochs.writes),
    trafficReads: sums(epochs.trafficReads),
    trafficWrites: sums(epochs.trafficWrites),
    endNs: Float64Array.from({ length: count }, (_, i) => epochs.endNs[Math.min((i + 1) * factor, epochs.count) - 1]!),
    ...workingSets(heat, count),
  };
}

/** Distinct pages of each bin, and what changed from one to the next. */
function workingSets(
  heat: HeatTable,
  count: number,
): Pick<EpochTable, 'pages' | 'pagesRead' | 'pagesWritten' | 'entered' | 'left'> {
  const columns = Array.from({ length: 5 }, () => new Float64Array(count));
  const [pages, pagesRead, pagesWritten, entered, left] = columns as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let before = new Set<number>();
  for (let bin = 0; bin < count; bin++) {
    const now = new Set<number>();
    for (let row = heat.start[bin]!; row < heat.start[bin + 1]!; row++) {
      now.add(heat.page[row]!);
      if (heat.reads[row]! > 0) pagesRead[bin]!++;
      if (heat.writes[row]! > 0) pagesWritten[bin]!++;
    }
    pages[bin] = now.size;
    for (const page of now) if (!before.has(page)) entered[bin]!++;
    for (const page of before) if (!now.has(page)) left[bin]!++;
    before = now;
  }
  return { pages, pagesRead, pagesWritten, entered, left };
}

/** `factor` bins become one, which spans `epochsPerBin` epochs. */
function coarserHeat(heat: HeatTable, factor: number, epochsPerBin: number): HeatTable {
  const bins = Math.ceil((heat.start.length - 1) / factor);
  const rows = new RowSums(4);
  const start = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    const last = Math.min((bin + 1) * factor, heat.start.length - 1);
    for (let row = heat.start[bin * factor]!; row < heat.start[last]!; row++) addHeat(rows, heat.page[row]!, heat, row);
    start[bin + 1] = rows.endBin();
  }
  return heatOf(rows, start, epochsPerBin);
}

function coarserSites(times: SiteTimeTable, factor: number): SiteTimeTable {
  // The table's own bins may be longer already than what is wanted.
  const joined = Math.max(1, Math.ceil(factor / times.epochsPerBin));
  const bins = Math.ceil((times.start.length - 1) / joined);
  const rows = new RowSums(3);
  const start = new Uint32Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    const last = Math.min((bin + 1) * joined, times.start.length - 1);
    for (let row = times.start[bin * joined]!; row < times.start[last]!; row++)
      rows.add(times.site[row]!, [times.accesses[row]!, times.trafficReads[row]!, times.trafficWrites[row]!]);
    start[bin + 1] = rows.endBin();
  }
  return siteTimesOf(rows, start, Math.max(1, (times.epochsPerBin * joined) / factor));
}

/** The merged run's epochs: sums, since no two runs share a page. Its times are those of all processors together. */
export function sideBySide(timelines: readonly Timeline[]): EpochTable {
  const tables = timelines.map(timeline => timeline.epochs);
  const count = Math.max(...tables.map(table => table.count));
  const added = (column: (table: EpochTable) => Float64Array, ended: (values: Float64Array) => number = () => 0) =>
    Float64Array.from({ length: count }, (_, i) =>
      tables.reduce((sum, table) => sum + (i < table.count ? column(table)[i]! : ended(column(table))), 0),
    );
  const left = added(table => table.left);
  // What a run had touched in its last epoch is left in the one behind it.
  for (const table of tables)
    if (table.count > 0 && table.count < count) left[table.count]! += table.pages[table.count - 1]!;
  return {
    count,
    accesses: tables.reduce((sum, table) => sum + table.accesses, 0),
    reads: added(table => table.reads),
    writes: added(table => table.writes),
    trafficReads: added(table => table.trafficReads),
    trafficWrites: added(table => table.trafficWrites),
    endNs: added(
      table => table.endNs,
      values => values.at(-1) ?? 0,
    ),
    pages: added(table => table.pages),
    pagesRead: added(table => table.pagesRead),
    pagesWritten: added(table => table.pagesWritten),
    entered: added(table => table.entered),
    left,
  };
}

/** `pageOf[run][page]`: the page's row in the merged table. */
export function mergedHeat(timelines: readonly Timeline[], pageOf: readonly Uint32Array[]): HeatTable {
  const epochsPerBin = Math.max(...timelines.map(({ heat }) => heat.epochsPerBin));
  const heats = timelines.map(({ heat }) => coarserHeat(heat, epochsPerBin / heat.epochsPerBin, epochsPerBin));
  const bins = Math.max(...heats.map(heat => heat.start.length - 1));
  const rows = new RowSums(4);
  const start = new Float64Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    for (const [run, heat] of heats.entries()) {
      if (bin >= heat.start.length - 1) continue;
      for (let row = heat.start[bin]!; row < heat.start[bin + 1]!; row++)
        addHeat(rows, pageOf[run]![heat.page[row]!]!, heat, row);
    }
    start[bin + 1] = rows.endBin();
  }
  return heatOf(rows, start, epochsPerBin);
}

/** Left out where a run has none. `siteOf[run][site]`: the site's row in the merged table. */
export function mergedSiteTimes(
  timelines: readonly Timeline[],
  siteOf: readonly Uint32Array[],
): SiteTimeTable | undefined {
  const tables = timelines.flatMap(({ siteTimes }) => siteTimes ?? []);
  if (tables.length < timelines.length) return undefined;
  const epochsPerBin = Math.max(...tables.map(table => table.epochsPerBin));
  if (tables.some(table => epochsPerBin % table.epochsPerBin !== 0)) return undefined;
  const bins = Math.max(
    ...tables.map(table => Math.ceil((table.start.length - 1) / (epochsPerBin / table.epochsPerBin))),
  );
  const rows = new RowSums(3);
  const start = new Uint32Array(bins + 1);
  for (let bin = 0; bin < bins; bin++) {
    for (const [run, table] of tables.entries()) {
      const factor = epochsPerBin / table.epochsPerBin;
      const end = table.start.length - 1;
      const [from, to] = [Math.min(bin * factor, end), Math.min((bin + 1) * factor, end)];
      for (let row = table.start[from]!; row < table.start[to]!; row++)
        rows.add(siteOf[run]![table.site[row]!]!, [
          table.accesses[row]!,
          table.trafficReads[row]!,
          table.trafficWrites[row]!,
        ]);
    }
    start[bin + 1] = rows.endBin();
  }
  return siteTimesOf(rows, start, epochsPerBin);
}

function addHeat(rows: RowSums, page: number, heat: HeatTable, row: number): void {
  rows.add(page, [heat.reads[row]!, heat.writes[row]!, heat.trafficReads[row]!, heat.trafficWrites[row]!]);
}

/** Sums by key within a bin; the bins' rows behind each other, ascending by key. */
class RowSums {
  readonly keys: number[] = [];
  readonly columns: number[][];
  readonly #bin = new Map<number, number[]>();

  constructor(readonly width: number) {
    this.columns = Array.from({ length: width }, () => []);
  }

  add(key: number, values: readonly number[]): void {
    const sums = this.#bin.get(key);
    if (sums) for (let i = 0; i < this.width; i++) sums[i]! += values[i]!;
    else this.#bin.set(key, [...values]);
  }

  /** Returns the number of rows so far. */
  endBin(): number {
    for (const [key, sums] of [...this.#bin].sort(([a], [b]) => a - b)) {
      this.keys.push(key);
      for (let i = 0; i < this.width; i++) this.columns[i]!.push(sums[i]!);
    }
    this.#bin.clear();
    return this.keys.length;
  }
}

function heatOf({ keys, columns }: RowSums, start: Float64Array, epochsPerBin: number): HeatTable {
  const column = (i: number): HeatCounts =>
    columns[i]!.some(count => count > 0xffff_ffff) ? Float64Array.from(columns[i]!) : Uint32Array.from(columns[i]!);
  return {
    epochsPerBin,
    start,
    page: Uint32Array.from(keys),
    reads: column(0),
    writes: column(1),
    trafficReads: column(2),
    trafficWrites: column(3),
  };
}

function siteTimesOf({ keys, columns }: RowSums, start: Uint32Array, epochsPerBin: number): SiteTimeTable {
  const column = (i: number) => Float64Array.from(columns[i]!);
  return {
    epochsPerBin,
    start,
    site: Uint32Array.from(keys),
    accesses: column(0),
    trafficReads: column(1),
    trafficWrites: column(2),
  };
}
