/** The heatmap's difference of two runs as a chart asks for it. Pure. */
import type { HeatDifferenceFacts, ViewData } from '../../core/protocol.js';
import { nearlyAll, percent, span, whole } from '../format.js';
import * as l10n from '../l10n.js';
import type { Metric } from '../state.js';
import { column, type Numbers } from '../wire.js';
import { density } from './heatLegend.js';
import { type HeatScale, scaleOf } from './heatScale.js';

export type DifferenceObject = HeatDifferenceFacts['objects'][number];

/** Which part of the map is seen, and how closely: as core is asked for it. */
export interface DifferenceLook {
  readonly zoom: number;
  /** The share `place` of this object's pages is to stand in the visible row `row`. */
  readonly object: number;
  readonly place: number;
  readonly row: number;
  /** The share of the runs that is to stand in the visible column `column`. */
  readonly progress: number;
  readonly column: number;
}

export const wholeDifference: DifferenceLook = { zoom: 0, object: -1, place: 0, row: 0, progress: 0, column: 0 };

/** A difference below this share of the greatest is drawn as the least: else one crumb would take half of the scale. */
const leastShare = 1e-4;

/** Accesses of a page in a stretch of its run. */
export interface Means {
  readonly now: number;
  readonly before: number;
}

export class DifferenceData {
  readonly facts: HeatDifferenceFacts;
  readonly #columns: ViewData['columns'];
  readonly #means = new Map<Metric, { readonly now: Numbers; readonly before: Numbers }>();

  constructor(data: ViewData) {
    this.facts = data.facts as HeatDifferenceFacts;
    this.#columns = data.columns;
  }

  /** Row-major. */
  means(metric: Metric): { readonly now: Numbers; readonly before: Numbers } {
    let known = this.#means.get(metric);
    if (!known)
      this.#means.set(metric, (known = { now: this.#read(metric, ''), before: this.#read(metric, 'Before') }));
    return known;
  }

  #read(metric: Metric, run: '' | 'Before'): Numbers {
    if (metric !== 'accesses') return column(this.#columns[`${metric}${run}`]!);
    const [reads, writes] = [this.#read('reads', run), this.#read('writes', run)];
    return Float32Array.from(reads, (value, i) => value + writes[i]!);
  }

  /** This run less the run before, row-major. */
  differences(metric: Metric): Float32Array {
    const { now, before } = this.means(metric);
    return Float32Array.from(now, (value, i) => value - before[i]!);
  }

  meansAt(metric: Metric, row: number, column: number): Means {
    const at = row * this.facts.columns + column;
    const { now, before } = this.means(metric);
    return { now: now[at]!, before: before[at]! };
  }

  /** Of an object's pages in sight, in the columns [from, to): its rows span equally many. */
  meansOf(metric: Metric, object: DifferenceObject, from: number, to: number): Means {
    let [now, before] = [0, 0];
    const first = Math.max(0, object.from);
    const end = Math.min(this.facts.rows, object.from + object.rows);
    for (let row = first; row < end; row++) {
      for (let column = from; column < to; column++) {
        const means = this.meansAt(metric, row, column);
        now += means.now;
        before += means.before;
      }
    }
    return { now: now / (end - first), before: before / (end - first) };
  }

  objectAt(row: number): DifferenceObject | null {
    return this.facts.objects.find(({ from, rows }) => row >= from && row < from + rows) ?? null;
  }

  /** Everything about a bin, line by line, the most telling first. */
  describe(metric: Metric, row: number, column: number): string[] {
    const object = this.objectAt(row);
    if (!object) return [];
    const part = (pages: number) => {
      const [from, to] = [row - object.from, row - object.from + 1].map(end => (end * pages) / object.rows);
      return l10n.t('{0} of {1}', span(Math.floor(from!) + 1, Math.ceil(to!) + 1), whole(pages));
    };
    return [
      object.name,
      differenceText(this.meansAt(metric, row, column), unitWords(metric, this.facts)),
      l10n.t('{0} to {1} of either run', ...this.stretch(column, column + 1)),
      l10n.t('pages {0}, in the run before {1}', part(object.pages), part(object.pagesBefore)),
    ];
  }

  /** Where columns begin and end, as shares of a run. */
  stretch(from: number, to: number): [string, string] {
    return [percent(this.progress(from)), percent(this.progress(to))];
  }

  /** The share of either run before a place among the visible columns. */
  progress(column: number): number {
    return (this.facts.firstColumn + column) / this.facts.allColumns;
  }

  /** Where what was asked for is, which may be near an end of the map. */
  cellOf({ object, place, progress }: DifferenceLook): { readonly row: number; readonly column: number } {
    const { objects, allColumns, firstColumn } = this.facts;
    const found = objects.find(candidate => candidate.object === object);
    const row = found ? found.from + Math.floor(place * found.rows) : 0;
    return { row, column: Math.floor(progress * allColumns) - firstColumn };
  }

  /** What stands in a visible bin, in the middle of it, so that it can be asked for elsewhere or at another zoom. */
  anchor(row: number, column: number): Pick<DifferenceLook, 'object' | 'place' | 'progress'> {
    const object = this.objectAt(row);
    const place = object ? (row - object.from + 0.5) / object.rows : 0;
    return { object: object?.object ?? -1, place, progress: this.progress(column + 0.5) };
  }
}

/** The scale of what differs, whatever its sign; null where nothing does. */
export function differenceScale(differences: Float32Array): HeatScale | null {
  const sizes = differences.map(Math.abs);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  return scaleOf('log', [sizes.filter(size => size >= most * leastShare)]);
}

/** `25 more accesses per page: 75, was 50`. */
export function differenceText({ now, before }: Means, unit: string): string {
  if (now === before) return l10n.t('{0} per page: {1} in both runs', unit, density(now));
  const size = density(Math.abs(now - before));
  return now > before
    ? l10n.t('{0} per page: {1} more, {2} after {3}', unit, size, density(now), density(before))
    : l10n.t('{0} per page: {1} less, {2} after {3}', unit, size, density(now), density(before));
}

/** `+25`, `−3.1`, `0`. */
export function signed(value: number): string {
  if (value === 0) return '0';
  return `${value > 0 ? '+' : '\u2212'}${density(Math.abs(value))}`;
}

const units: Readonly<Record<Metric, string>> = {
  accesses: l10n.t('accesses'),
  reads: l10n.t('reads'),
  writes: l10n.t('writes'),
  traffic: l10n.t('cache lines'),
};

export function unitWords(metric: Metric, { counted }: HeatDifferenceFacts): string {
  if (metric === 'traffic' || counted === 'accesses') return units[metric];
  return metric === 'accesses' ? counted : l10n.t('{0} of {1}', counted, units[metric]);
}

/** What the colours mean, and what is laid over what. */
export function differenceWords({ facts }: DifferenceData, metric: Metric, scale: HeatScale | null): string {
  const { now, before, allColumns, leftOut, withoutPages } = facts;
  const share = (run: typeof now) => nearlyAll(run.accesses === 0 ? 0 : run.shown / run.accesses);
  const sentences = [
    scale
      ? l10n.t(
          '{0} per page and column, this run minus the run before; lines: less; logarithmic in both directions; bare where nothing differs.',
          unitWords(metric, facts),
        )
      : l10n.t('{0} per page and column do not differ anywhere.', unitWords(metric, facts)),
    l10n.plural(
      allColumns,
      'The one column is all of either run, however long it was.',
      'A column is one of {0} equal parts of either run, by its accesses: runs are laid over each other by progress, not by time, and a longer one has more in each column.',
    ),
    l10n.t(
      'A row is an equal part of an allocation’s pages in either run, by address: where the sizes differ, places are relative, and counts are means of a page.',
    ),
    l10n.t('Shown: {0} of this run’s accesses and {1} of those of the run before.', share(now), share(before)),
  ];
  if (leftOut > 0) {
    sentences.push(l10n.plural(leftOut, '{0} allocation is out of sight.', '{0} allocations are out of sight.'));
  }
  if (withoutPages > 0) {
    sentences.push(
      l10n.plural(
        withoutPages,
        '{0} allocation has no page mostly its own in one of the runs.',
        '{0} allocations have no page mostly their own in one of the runs.',
      ),
    );
  }
  return sentences.join(' ');
}
