/**
 * The heatmap's answers as a chart asks for them: counts by bin, what lies at a row, when a column is. Pure.
 *
 * Coordinates are epochs (x) and rows of touched pages (y), as in HeatmapFacts.
 */

import { word } from '../../core/model/words.js';
import type { HeatmapFacts, Location, ViewData, WireColumn } from '../../core/protocol.js';
import { bytes, compact, nanoseconds, span, whole } from '../format.js';
import * as l10n from '../l10n.js';
import type { Metric } from '../state.js';
import { column, type Numbers } from '../wire.js';
import type { Range } from './viewport.js';

export type Segment = HeatmapFacts['segments'][number];
export type ObjectRun = Segment['objects'][number];

/** A part of the map. */
export interface Box {
  readonly x: Range;
  readonly y: Range;
}

export interface Counts {
  readonly reads: number;
  readonly writes: number;
  readonly traffic: number;
}

export interface Bin {
  readonly column: number;
  readonly row: number;
}

/** What a metric counts, for words beside figures. */
export function unitOf(metric: Metric, { counted: what }: HeatmapFacts): string {
  if (metric === 'traffic') return l10n.t('cache lines');
  if (what !== 'accesses') return metric === 'accesses' ? what : l10n.t('{0} of {1}', what, word(metric));
  return word(metric);
}

/** The bins of one answer. Columns are read when first asked for: of most tiles, few are. */
export class HeatBins {
  readonly facts: HeatmapFacts;
  readonly #unread: Map<string, WireColumn>;
  readonly #columns = new Map<Metric, Numbers>();
  readonly #densities = new Map<Metric, Float32Array>();

  constructor(data: ViewData) {
    this.facts = data.facts as HeatmapFacts;
    this.#unread = new Map(Object.entries(data.columns));
  }

  counts(metric: Metric): Numbers {
    let known = this.#columns.get(metric);
    if (!known) {
      known =
        metric === 'accesses' ? sum(this.counts('reads'), this.counts('writes')) : column(this.#unread.get(metric)!);
      this.#columns.set(metric, known);
      // The text of a column is twice as long as its numbers.
      this.#unread.delete(metric);
    }
    return known;
  }

  count(metric: Metric, { column, row }: Bin): number {
    return this.counts(metric)[row * this.facts.columns + column] ?? 0;
  }

  countsOf(bin: Bin): Counts {
    return { reads: this.count('reads', bin), writes: this.count('writes', bin), traffic: this.count('traffic', bin) };
  }

  /** The bin that holds a point; null outside of what is here. */
  binAt(epoch: number, page: number): Bin | null {
    const { columns, rows, shown, step } = this.facts;
    const bin = { column: Math.floor((epoch - shown.x[0]) / step.x), row: Math.floor((page - shown.y[0]) / step.y) };
    const inside = epoch < shown.x[1] && page < shown.y[1] && bin.column < columns && bin.row < rows;
    return inside && bin.column >= 0 && bin.row >= 0 ? bin : null;
  }

  boxOf({ column, row }: Bin): Box {
    const { shown, step } = this.facts;
    const cut = (from: number, size: number, end: number): Range => [from, Math.min(from + size, end)];
    return {
      x: cut(shown.x[0] + column * step.x, step.x, shown.x[1]),
      y: cut(shown.y[0] + row * step.y, step.y, shown.y[1]),
    };
  }

  /** Means per page and epoch, which bins of any size can be compared by. Kept: scale and paint both ask. */
  densities(metric: Metric): Float32Array {
    let known = this.#densities.get(metric);
    if (!known) this.#densities.set(metric, (known = this.#means(metric)));
    return known;
  }

  #means(metric: Metric): Float32Array {
    const { columns, rows, step, shown } = this.facts;
    const values = this.counts(metric);
    const result = new Float32Array(values.length);
    // Bins are equal but for the map's last ones.
    const lastWidth = shown.x[1] - shown.x[0] - (columns - 1) * step.x;
    for (let row = 0; row < rows; row++) {
      const height = Math.min(step.y, shown.y[1] - shown.y[0] - row * step.y);
      const last = (row + 1) * columns - 1;
      for (let at = row * columns; at < last; at++) result[at] = values[at]! / (height * step.x);
      result[last] = values[last]! / (height * lastWidth);
    }
    return result;
  }
}

function sum(a: Numbers, b: Numbers): Float32Array {
  const result = new Float32Array(a.length);
  for (let i = 0; i < result.length; i++) result[i] = a[i]! + b[i]!;
  return result;
}

/** What is told of rows and of time, apart from counts. */
export class HeatAxes {
  readonly facts: HeatmapFacts;
  readonly #tier: Numbers | null;
  readonly #agreement: { readonly found: Numbers; readonly missed: Numbers; readonly falsely: Numbers } | null;

  constructor({ facts, columns }: ViewData) {
    this.facts = facts as HeatmapFacts;
    const { tier, found, missed, falsely } = columns;
    this.#tier = tier ? column(tier) : null;
    this.#agreement =
      found && missed && falsely ? { found: column(found), missed: column(missed), falsely: column(falsely) } : null;
  }

  get whole(): { readonly x: number; readonly y: number } {
    return { x: this.facts.epochs, y: this.facts.pageRows };
  }

  /** Whether modelled time is known: while a program is recorded, only accesses are. */
  get timed(): boolean {
    return this.facts.timesNs.length > 0;
  }

  /** When an epoch begins, in words: by modelled time, or by accesses. */
  whenText(epoch: number): string {
    return this.timed
      ? nanoseconds(this.timeAt(epoch))
      : l10n.t('{0} accesses', compact(epoch * this.facts.epochAccesses));
  }

  /** Modelled ns since the start of the run, between the bins' own times. */
  timeAt(epoch: number): number {
    const { columns, shown, step, timesNs } = this.facts;
    const low = Math.max(0, Math.min(columns - 1, Math.floor((epoch - shown.x[0]) / step.x)));
    const from = shown.x[0] + low * step.x;
    const length = Math.min(step.x, shown.x[1] - from);
    const part = Math.max(0, Math.min(1, (epoch - from) / length));
    return (timesNs[low] ?? 0) * (1 - part) + (timesNs[low + 1] ?? 0) * part;
  }

  segmentAt(page: number): Segment | null {
    return this.facts.segments.find(segment => page >= segment.from && page < segment.to) ?? null;
  }

  objectAt(page: number): ObjectRun | null {
    return this.segmentAt(page)?.objects.find(object => page >= object.from && page < object.to) ?? null;
  }

  /** The object in the middle of a part: where Enter and a click go. */
  objectOf({ y }: Box): ObjectRun | null {
    return this.objectAt((y[0] + y[1]) / 2);
  }

  locationOf(box: Box): Location | null {
    return this.objectOf(box)?.location ?? null;
  }

  /** Index into `facts.tiers`; null where none is known. */
  tierAt(page: number): number | null {
    const tier = this.#tier?.[this.#rowAt(page)];
    return tier !== undefined && tier < this.facts.tiers.length ? tier : null;
  }

  #rowAt(page: number): number {
    return Math.floor((page - this.facts.shown.y[0]) / this.facts.step.y);
  }

  /** Rows of bins in view with their pages of each kind; none without a tracker's agreement. */
  agreementRows(): { readonly y: Range; readonly found: number; readonly missed: number; readonly falsely: number }[] {
    const { rows, shown, step } = this.facts;
    const agreement = this.#agreement;
    if (!agreement) return [];
    return Array.from({ length: rows }, (_, row) => ({
      y: [shown.y[0] + row * step.y, Math.min(shown.y[0] + (row + 1) * step.y, shown.y[1])] as const,
      found: agreement.found[row]!,
      missed: agreement.missed[row]!,
      falsely: agreement.falsely[row]!,
    })).filter(({ found, missed, falsely }) => found + missed + falsely > 0);
  }

  /** Everything about a bin, line by line, the most telling first. */
  describe(box: Box, counts: Counts | null): string[] {
    const [from, to] = box.y;
    const object = this.objectOf(box);
    const runs = this.facts.segments.flatMap(segment => segment.objects);
    const others = new Set(runs.filter(run => run.from < to && run.to > from).map(run => run.name));
    if (object) others.delete(object.name);
    const name = object ? object.name : l10n.t('no single object');
    const tier = object?.tier ? ` · ${object.tier}` : '';
    const more = others.size > 0 ? l10n.t(' and {0}', l10n.plural(others.size, '{0} other', '{0} others')) : '';
    const [first, last] = box.x;
    const time = l10n.t('{0} to {1}, epoch {2}', this.whenText(first), this.whenText(last), span(first, last));
    const agreed = this.#agreed(box.y);
    return [
      `${name}${more}${tier}`,
      counts ? this.#figures(counts) : l10n.t('counts are on their way'),
      time,
      this.#place(from, to),
      ...(agreed ? [agreed] : []),
    ];
  }

  #figures({ reads, writes, traffic }: Counts): string {
    if (reads + writes + traffic === 0)
      return this.facts.counted === 'accesses' ? l10n.t('no access') : l10n.t('no reading');
    const lines = l10n.t('{0} cache lines of traffic', compact(traffic));
    if (this.facts.counted === 'accesses')
      return l10n.t('{0} reads, {1} writes, {2}', compact(reads), compact(writes), lines);
    return l10n.t(
      '{0}: {1} of reads, {2} of writes; {3}',
      word(this.facts.counted),
      compact(reads),
      compact(writes),
      lines,
    );
  }

  #agreed(y: Range): string | null {
    const { agreement } = this.facts;
    if (!agreement) return null;
    const rows = this.agreementRows().filter(row => row.y[0] < y[1] && row.y[1] > y[0]);
    const sum = (kind: 'found' | 'missed' | 'falsely') => rows.reduce((all, row) => all + row[kind], 0);
    const [found, missed, falsely] = [sum('found'), sum('missed'), sum('falsely')];
    if (found + missed + falsely === 0) return l10n.t('none of the {0} hottest pages', whole(agreement.k));
    return l10n.t(
      'of the {0} hottest pages {1} found {2} and missed {3} here, and reported {4} falsely',
      whole(agreement.k),
      agreement.tracker,
      found,
      missed,
      falsely,
    );
  }

  /** Rows are touched pages and between two may lie untouched ones: only where a range begins is an address known. */
  #place(from: number, to: number): string {
    const [first, ...further] = this.facts.segments.filter(segment => segment.from < to && segment.to > from);
    if (!first) return l10n.t('page rows {0}', span(from, to));
    const end = Math.min(to, first.to);
    const start = Math.max(from, first.from);
    const places = span(start - first.from + 1, end - first.from + 1);
    const pages = end - start > 1 ? l10n.t('touched pages {0}', places) : l10n.t('touched page {0}', places);
    const more = further
      .map(({ address }) => l10n.t(', and on from {0}', address))
      .slice(0, 1)
      .join('');
    return l10n.t('{0} of {1} from {2}{3}', pages, whole(first.to - first.from), first.address, more);
  }
}

/** Whether it is a map of a recording that goes on: rows are blocks of addresses then, and columns stretches of accesses. */
export function isLive({ timesNs }: HeatmapFacts): boolean {
  return timesNs.length === 0;
}

/** What a bin spans, for the legend: `32 pages of 4 KiB × 2 epochs`. */
export function binSize(facts: HeatmapFacts): string {
  const { step, pageSize } = facts;
  const size = bytes(pageSize);
  return isLive(facts)
    ? l10n.t('{0} × {1}', blocks(step.y, size), l10n.plural(step.x, '{0} column', '{0} columns'))
    : l10n.t('{0} × {1}', pagesOf(step.y, size), l10n.plural(step.x, '{0} epoch', '{0} epochs'));
}

const blocks = (count: number, size: string) => l10n.plural(count, '{0} block of {1}', '{0} blocks of {1}', size);
const pagesOf = (count: number, size: string) => l10n.plural(count, '{0} page of {1}', '{0} pages of {1}', size);
