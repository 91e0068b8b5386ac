/**
 * What the page remembers when the editor hides or reloads it: the tab, and each view's choices. Read with suspicion:
 * the state may be of another version.
 */
import type { ViewId } from '../core/protocol.js';

export type Metric = 'accesses' | 'reads' | 'writes' | 'traffic';
export const metrics: readonly Metric[] = ['accesses', 'reads', 'writes', 'traffic'];

export interface HeatmapChoice {
  readonly metric: Metric;
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

export interface State {
  readonly view: ViewId;
  readonly heatmap: HeatmapChoice;
  readonly placement: Sorting & { readonly filter: string };
  readonly trackers: Sorting;
}

export const initial: State = {
  view: 'overview',
  heatmap: { metric: 'accesses', table: false, profile: null, x: null, y: null },
  placement: { sort: 'accesses', descending: true, filter: '' },
  trackers: { sort: '', descending: true },
};

/** The state in what was saved; whatever is missing or of the wrong kind is as at first. */
export function stateFrom(saved: unknown, views: readonly ViewId[]): State {
  const { view, heatmap, placement, trackers } = fields(saved);
  const heat = fields(heatmap);
  const place = fields(placement);
  return {
    view: oneOf(view, views, initial.view),
    heatmap: {
      metric: oneOf(heat.metric, metrics, initial.heatmap.metric),
      table: heat.table === true,
      profile: typeof heat.profile === 'string' ? heat.profile : null,
      x: rangeFrom(heat.x),
      y: rangeFrom(heat.y),
    },
    placement: {
      ...sortingFrom(place, initial.placement),
      filter: typeof place.filter === 'string' ? place.filter : '',
    },
    trackers: sortingFrom(fields(trackers), initial.trackers),
  };
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
