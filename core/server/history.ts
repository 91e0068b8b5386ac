/** Every allocation's accesses over the run, as coarse as a hover draws them: what is left of the heat for the source. */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { sparklineWidth } from './sparkline.js';

export interface History {
  /** Slices of equal length (they differ by a bin of the heat where it does not divide) that the run is cut into. */
  readonly slices: number;
  /** Mean accesses per bin of the heat, row-major: object * slices + slice. */
  readonly accesses: Float64Array;
}

/** Of each object: the accesses to the pages on which it has most of them. One walk over the heat for all objects. */
export function historyOf({ heat, pages, objects }: Pick<Profile, 'heat' | 'pages' | 'objects'>): History {
  const bins = heat.start.length - 1;
  const slices = Math.min(bins, sparklineWidth);
  const accesses = new Float64Array(objects.count * slices);
  const binsOfSlice = new Uint32Array(slices);
  for (let bin = 0; bin < bins; bin++) {
    const slice = Math.floor((bin * slices) / bins);
    binsOfSlice[slice]++;
    for (let row = heat.start[bin]; row < heat.start[bin + 1]; row++) {
      const object = pages.object[heat.page[row]];
      if (object !== NONE) accesses[object * slices + slice] += heat.reads[row] + heat.writes[row];
    }
  }
  for (let i = 0; i < accesses.length; i++) accesses[i] /= binsOfSlice[i % slices];
  return { slices, accesses };
}

export function historyOfObject({ slices, accesses }: History, object: number): Float64Array {
  return accesses.subarray(object * slices, (object + 1) * slices);
}
