/** A tracker's result of which only the readings matter. */
import type { TrackerHeat, TrackerResult } from '../../core/model/profile.js';

/** A reading of one page, where the tracker came to know it. */
export interface Reading {
  readonly bin: number;
  readonly page: number;
  readonly reads?: number;
  readonly writes?: number;
}

/** Readings through time, in order of bin and page. */
export function toldIn(bins: number, readings: readonly Reading[], epochsPerBin = 1): TrackerHeat {
  return {
    epochsPerBin,
    start: Float64Array.from({ length: bins + 1 }, (_, bin) => readings.filter(row => row.bin < bin).length),
    page: Uint32Array.from(readings, ({ page }) => page),
    reads: Uint32Array.from(readings, ({ reads }) => reads ?? 0),
    writes: Uint32Array.from(readings, ({ writes }) => writes ?? 0),
  };
}

export function seenAs(
  id: string,
  reads: readonly number[] | null,
  writes: readonly number[] | null,
  heat?: TrackerHeat,
): TrackerResult {
  const named = reads !== null || writes !== null;
  return {
    id,
    pagesReported: named ? 3 : null,
    precision: named ? 0 : null,
    recall: named ? 0 : null,
    f1: named ? 0 : null,
    rankCorrelation: null,
    workingSetError: named ? 0 : null,
    vmExits: 0,
    overheadPercent: 0,
    periods: 12,
    own: {},
    pageReads: reads && Float64Array.from(reads),
    pageWrites: writes && Float64Array.from(writes),
    ...(heat && { heat }),
    warnings: [],
  };
}
