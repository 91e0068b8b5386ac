/**
 * What the page remembers when the editor hides or reloads it: the tab, and each view's choices. Read with suspicion:
 * the state may be of another version.
 */
import type { FlameBy, FlameMeasure, ViewId } from '../core/protocol.js';

export type Metric = 'accesses' | 'reads' | 'writes' | 'traffic';
export const metrics: readonly Metric[] = ['accesses', 'reads', 'writes', 'traffic'];

/** What the heatmap is coloured by: a count, or the tier that serves it. */
export type HeatColor = Metric | 'tier';
export const heatColors: readonly HeatColor[] = [...metrics, 'tier'];

export interface HeatmapChoice {
  readonly color: HeatColor;
  readonly scale: 'log' | 'percentile';
  readonly table: boolean;
  /** Visible epochs and rows of pages, of the profile named; null: all. */
  readonly profile: string | null;
  readonly x: readonly [number, number] | null;
  readonly y: readonly [number, number] | null;
}

export interface Sorting {
  readonly sort: string;
  readonly descending: boolean;
}

export interface PlacementChoice extends Sorting {
  readonly filter: string;
  /** Ids of the columns that the user wants, as far as there is room; null: those of the table. */
  readonly columns: readonly string[] | null;
}

export type FlameColor = 'class' | 'writes';

export interface FlameChoice {
  readonly by: FlameBy;
  readonly measure: FlameMeasure;
  readonly bottomUp: boolean;
  /** The widest frames first; else by name. */
  readonly leftHeavy: boolean;
  readonly color: FlameColor;
  readonly table: boolean;
  readonly search: string;
  /** Names from the whole program's frame to the one that is zoomed to. */
  readonly path: readonly string[];
}

export interface PagesChoice extends Sorting {
  readonly filter: string;
  /** '' for all. */
  readonly hotness: string;
}

export interface State {
  readonly view: ViewId;
  readonly heatmap: HeatmapChoice;
  readonly placement: PlacementChoice;
  readonly flame: FlameChoice;
  readonly pages: PagesChoice;
  readonly trackers: Sorting;
}

export const initial: State = {
  view: 'overview',
  heatmap: { color: 'accesses', scale: 'log', table: false, profile: null, x: null, y: null },
  placement: { sort: 'accesses', descending: true, filter: '', columns: null },
  flame: {
    by: 'calls',
    measure: 'accesses',
    bottomUp: false,
    leftHeavy: true,
    color: 'class',
    table: false,
    search: '',
    path: [],
  },
  pages: { sort: 'accesses', descending: true, filter: '', hotness: '' },
  trackers: { sort: '', descending: true },
};

/** The state in what was saved; whatever is missing or of the wrong kind is as at first. */
export function stateFrom(saved: unknown, views: readonly ViewId[]): State {
  const { view, heatmap, placement, flame, pages, trackers } = fields(saved);
  const heat = fields(heatmap);
  const place = fields(placement);
  return {
    view: oneOf(view, views, initial.view),
    heatmap: {
      color: oneOf(heat.color, heatColors, initial.heatmap.color),
      scale: oneOf(heat.scale, ['log', 'percentile'], initial.heatmap.scale),
      table: heat.table === true,
      profile: typeof heat.profile === 'string' ? heat.profile : null,
      x: rangeFrom(heat.x),
      y: rangeFrom(heat.y),
    },
    placement: {
      ...sortingFrom(place, initial.placement),
      filter: textFrom(place.filter),
      columns: Array.isArray(place.columns) ? textsFrom(place.columns) : null,
    },
    flame: flameFrom(fields(flame)),
    pages: {
      ...sortingFrom(fields(pages), initial.pages),
      filter: textFrom(fields(pages).filter),
      hotness: oneOf(fields(pages).hotness, ['', 'hot', 'warm', 'cold'], initial.pages.hotness),
    },
    trackers: sortingFrom(fields(trackers), initial.trackers),
  };
}

function flameFrom(saved: Readonly<Record<string, unknown>>): FlameChoice {
  const { by, measure, bottomUp, leftHeavy, color, table, search, path } = saved;
  const tree = oneOf(by, ['calls', 'code', 'allocation'], initial.flame.by);
  const weight = oneOf(measure, ['accesses', 'reads', 'writes', 'traffic', 'bytes'], initial.flame.measure);
  return {
    by: tree,
    // Only allocations have bytes.
    measure: tree !== 'allocation' && weight === 'bytes' ? initial.flame.measure : weight,
    bottomUp: bottomUp === true,
    leftHeavy: leftHeavy !== false,
    color: oneOf(color, ['class', 'writes'], initial.flame.color),
    table: table === true,
    search: textFrom(search),
    path: Array.isArray(path) ? textsFrom(path) : [],
  };
}

function textFrom(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textsFrom(values: readonly unknown[]): string[] {
  return values.filter(value => typeof value === 'string');
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function oneOf<T extends string>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.find(item => item === value) ?? otherwise;
}

function rangeFrom(value: unknown): readonly [number, number] | null {
  if (!Array.isArray(value) || value.length !== 2 || !value.every(Number.isFinite)) return null;
  const [from, to] = value as [number, number];
  return from >= 0 && to > from ? [from, to] : null;
}

function sortingFrom(value: Readonly<Record<string, unknown>>, otherwise: Sorting): Sorting {
  return {
    sort: typeof value.sort === 'string' ? value.sort : otherwise.sort,
    descending: typeof value.descending === 'boolean' ? value.descending : otherwise.descending,
  };
}
