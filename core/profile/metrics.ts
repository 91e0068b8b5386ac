/** Figures of a whole run that a comparison shows and a budget may limit: one line each. */
import type { Profile } from '../model/profile.js';
import { bytes, count, duration, factor } from './format.js';

/** How a value reads; `unit` of the JSON forms. */
export const units = {
  accesses: value => `${count(value)} accesses`,
  lines: value => `${count(value)} lines of 64 B`,
  pages: value => `${count(value)} pages`,
  bytes,
  ns: duration,
  times: factor,
} as const satisfies Record<string, (value: number) => string>;

export type Unit = keyof typeof units;

export interface Metric {
  readonly label: string;
  readonly unit: Unit;
  /** null: this profile cannot tell. @param policy where it depends on one; the recommended one unless told */
  of(profile: Profile, policy?: string): number | null;
}

export const metrics = {
  accesses: { label: 'Accesses', unit: 'accesses', of: ({ totals }) => totals.reads + totals.writes },
  reads: { label: 'Reads', unit: 'accesses', of: ({ totals }) => totals.reads },
  writes: { label: 'Writes', unit: 'accesses', of: ({ totals }) => totals.writes },
  traffic: {
    label: 'Traffic, modelled',
    unit: 'lines',
    of: ({ totals }) => totals.trafficReads + totals.trafficWrites,
  },
  pages: { label: 'Pages touched', unit: 'pages', of: ({ totals }) => totals.pagesTouched },
  workingSet: {
    label: 'Peak working set',
    unit: 'pages',
    of: ({ epochs }) => epochs.pages.reduce((most, pages) => Math.max(most, pages), 0),
  },
  time: { label: 'Run time, modelled', unit: 'ns', of: ({ totals }) => totals.modelledNs },
  slowdown: {
    label: 'Slowdown, modelled',
    unit: 'times',
    of: ({ placement }, policy = placement.recommended) =>
      [...placement.policies, placement.oracle].find(({ id }) => id === policy)?.modelledSlowdown ?? null,
  },
} as const satisfies Record<string, Metric>;

export type MetricId = keyof typeof metrics;
