/**
 * The heatmap's answer as a chart asks for it: counts by bin, what lies at a row, when a column is. Pure.
 *
 * Coordinates are epochs (x) and rows of touched pages (y), as in HeatmapFacts; bins are the answer's own.
 */
import type { HeatmapFacts, Location, ViewData } from '../../core/protocol.js';
import { bytes, compact, counted, nanoseconds, span, whole } from '../format.js';
import type { Metric } from '../state.js';
import { column, type Numbers } from '../wire.js';

export type Segment = HeatmapFacts['segments'][number];
export type ObjectRun = Segment['objects'][number];

/** What a metric counts, for words beside figures. */
export const metricUnits: Readonly<Record<Metric, string>> = {
  accesses: 'accesses',
  reads: 'reads',
  writes: 'writes',
  traffic: 'cache lines',
};

export interface Bin {
  readonly column: number;
  readonly row: number;
}

export class HeatData {
  readonly facts: HeatmapFacts;
  readonly #reads: Numbers;
  readonly #writes: Numbers;
  readonly #traffic: Numbers;
  readonly #accesses: Float64Array;

  constructor(data: ViewData) {
    this.facts = data.facts as HeatmapFacts;
    this.#reads = column(data.columns.reads!);
    this.#writes = column(data.columns.writes!);
    this.#traffic = column(data.columns.traffic!);
    this.#accesses = Float64Array.from(this.#reads, (reads, i) => reads + this.#writes[i]!);
  }

  counts(metric: Metric): ArrayLike<number> {
    return { accesses: this.#accesses, reads: this.#reads, writes: this.#writes, traffic: this.#traffic }[metric];
  }

  greatest(metric: Metric): number {
    if (metric !== 'accesses') return this.facts.max[metric];
    return this.#accesses.reduce((most, value) => Math.max(most, value), 0);
  }

  count(metric: Metric, { column, row }: Bin): number {
    return this.counts(metric)[row * this.facts.columns + column] ?? 0;
  }

  /** The bin that holds a point; null outside of what is here. */
  binAt(epoch: number, page: number): Bin | null {
    const { columns, rows, shown } = this.facts;
    const column = Math.floor(((epoch - shown.x[0]) / (shown.x[1] - shown.x[0])) * columns);
    const row = Math.floor(((page - shown.y[0]) / (shown.y[1] - shown.y[0])) * rows);
    return column >= 0 && column < columns && row >= 0 && row < rows ? { column, row } : null;
  }

  /** Epochs of a bin, not rounded: bins may share one. */
  epochsOf({ column }: Bin): [number, number] {
    const { columns, shown } = this.facts;
    const step = (shown.x[1] - shown.x[0]) / columns;
    return [shown.x[0] + column * step, shown.x[0] + (column + 1) * step];
  }

  pagesOf({ row }: Bin): [number, number] {
    const { rows, shown } = this.facts;
    const step = (shown.y[1] - shown.y[0]) / rows;
    return [shown.y[0] + row * step, shown.y[0] + (row + 1) * step];
  }

  /** Modelled ns since the start of the run, between the bins' own times. */
  timeAt(epoch: number): number {
    const { columns, shown, timesNs } = this.facts;
    const place = ((epoch - shown.x[0]) / (shown.x[1] - shown.x[0])) * columns;
    const low = Math.max(0, Math.min(columns - 1, Math.floor(place)));
    const part = Math.max(0, Math.min(1, place - low));
    return timesNs[low]! * (1 - part) + timesNs[low + 1]! * part;
  }

  segmentAt(page: number): Segment | null {
    return this.facts.segments.find(segment => page >= segment.from && page < segment.to) ?? null;
  }

  objectAt(page: number): ObjectRun | null {
    return this.segmentAt(page)?.objects.find(object => page >= object.from && page < object.to) ?? null;
  }

  /** The object in the middle of a bin: where Enter and a click go. */
  objectOf(bin: Bin): ObjectRun | null {
    const [from, to] = this.pagesOf(bin);
    return this.objectAt((from + to) / 2);
  }

  locationOf(bin: Bin): Location | null {
    return this.objectOf(bin)?.location ?? null;
  }

  /** Everything about a bin, line by line, the most telling first. */
  describe(bin: Bin): string[] {
    const [fromEpoch, toEpoch] = this.epochsOf(bin);
    const [from, to] = this.pagesOf(bin).map(Math.floor) as [number, number];
    const object = this.objectOf(bin);
    const runs = this.facts.segments.flatMap(segment => segment.objects);
    const others = new Set(runs.filter(run => run.from < Math.max(to, from + 1) && run.to > from).map(run => run.name));
    if (object) others.delete(object.name);
    const all = this.count('accesses', bin);
    const figures =
      all === 0 && this.count('traffic', bin) === 0
        ? 'no access'
        : `${compact(this.count('reads', bin))} reads, ${compact(this.count('writes', bin))} writes, ${compact(this.count('traffic', bin))} cache lines of traffic`;
    const name = object ? object.name : 'no single object';
    const tier = object?.tier ? ` · ${object.tier}` : '';
    const more = others.size > 0 ? ` and ${counted(others.size, 'other')}` : '';
    const place = this.#place(from, Math.max(to, from + 1));
    const last = Math.max(Math.ceil(toEpoch), Math.floor(fromEpoch) + 1);
    const time = `${nanoseconds(this.timeAt(fromEpoch))} to ${nanoseconds(this.timeAt(toEpoch))}, epoch ${span(Math.floor(fromEpoch), last)}`;
    return [`${name}${more}${tier}`, figures, time, place];
  }

  /** Rows are touched pages and between two may lie untouched ones: only where a range begins is an address known. */
  #place(from: number, to: number): string {
    const [first, ...further] = this.facts.segments.filter(segment => segment.from < to && segment.to > from);
    if (!first) return `page rows ${span(from, to)}`;
    const end = Math.min(to, first.to);
    const pages = `touched ${end - from > 1 ? 'pages' : 'page'} ${span(from - first.from + 1, end - first.from + 1)}`;
    const more = further
      .map(({ address }) => `, and on from ${address}`)
      .slice(0, 1)
      .join('');
    return `${pages} of ${whole(first.to - first.from)} from ${first.address}${more}`;
  }

  /** What a bin spans, for the legend: `33 pages × 2 epochs`. */
  binSize(): string {
    const { columns, rows, shown, pageSize } = this.facts;
    const size = (value: number) =>
      Number.isInteger(value) ? whole(value) : `about ${value.toFixed(value < 10 ? 1 : 0)}`;
    const pages = (shown.y[1] - shown.y[0]) / Math.max(rows, 1);
    const epochs = (shown.x[1] - shown.x[0]) / Math.max(columns, 1);
    const unit = pages === 1 ? `page of ${bytes(pageSize)}` : `pages of ${bytes(pageSize)}`;
    return `${size(pages)} ${unit} × ${size(epochs)} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  }
}
