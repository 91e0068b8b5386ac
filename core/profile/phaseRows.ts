/** The phases of a run (hotness/phases.ts) with what happened in them, for reports. */
import { phasesOf } from '../hotness/phases.js';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';

export interface PhaseRow {
  /** The first of `epochs`, from 0. */
  readonly epoch: number;
  readonly epochs: number;
  /** Modelled time when it begins, since the start of the run, and when it ends; ns. */
  readonly startNs: number;
  readonly endNs: number;
  readonly reads: number;
  readonly writes: number;
  readonly traffic: { readonly reads: number; readonly writes: number };
  /** Names of the function that makes most of its accesses, and of the object that gets most of them; null: not known. */
  readonly function: string | null;
  readonly object: string | null;
}

/** In their order; together they are the whole run. */
export function phaseRows(profile: Profile): readonly PhaseRow[] {
  const { epochs, functions, objects } = profile;
  return phasesOf(profile).map(({ window: [from, to], function: code, object }) => {
    const sum = (column: Float64Array) => column.subarray(from, to).reduce((total, count) => total + count, 0);
    return {
      epoch: from,
      epochs: to - from,
      startNs: from > 0 ? epochs.endNs[from - 1]! : 0,
      endNs: epochs.endNs[to - 1]!,
      reads: sum(epochs.reads),
      writes: sum(epochs.writes),
      traffic: { reads: sum(epochs.trafficReads), writes: sum(epochs.trafficWrites) },
      function: code === NONE ? null : functions.name[code]!,
      object: object === NONE ? null : objects.name[object]!,
    };
  });
}
