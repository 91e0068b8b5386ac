/** The whole profile prepared for questions: those about source, and what needs its pages and their heat. */
import type { Profile } from '../model/profile.js';
import { exactly, type Seen } from './seen.js';
import type { SourceGroups } from './sourceGroups.js';
import { SourceIndex } from './sourceIndex.js';

export class ProfileIndex extends SourceIndex {
  /** The whole run in exact counts; itself unless it is shown in a window, or as a tracker sees it. */
  readonly exact: ProfileIndex;
  /** The whole run, seen as this is; itself unless it is shown in a window. */
  readonly whole: ProfileIndex;
  readonly #timelines = new Map<number, Float64Array>();

  /**
   * @param seen what the profile's counts are
   * @param exactIndex the whole run in exact counts, where `profile` is not
   * @param objectRow row of each object of the exact profile; null: the same
   * @param groups of the same profile, where they are known
   * @param windowed where `profile` is a part of a run: which run, and the epochs that its lines are of
   */
  constructor(
    override readonly profile: Profile,
    seen: Seen = exactly,
    exactIndex: ProfileIndex | null = null,
    readonly objectRow: Uint32Array | null = null,
    groups?: SourceGroups,
    windowed?: { readonly whole: ProfileIndex; readonly lines: readonly [number, number] | null },
  ) {
    super(profile, seen, groups, windowed?.lines ?? null);
    this.exact = exactIndex ?? this;
    this.whole = windowed?.whole ?? this;
  }

  /** Row here of an object of the exact profile. */
  objectFromExact(row: number): number {
    return this.objectRow ? this.objectRow[row] : row;
  }

  /** Row in the exact profile of an object here. */
  exactObject(row: number): number {
    return this.objectRow ? this.objectRow.indexOf(row) : row;
  }

  /**
   * Accesses per bin of the heat to the pages on which the object has most of the accesses. Walks all of the heat (tens
   * of milliseconds at its size limit), so each answer is kept.
   */
  override accessesOverTime(object: number): Float64Array {
    let values = this.#timelines.get(object);
    if (values) return values;
    const { heat, pages } = this.profile;
    values = new Float64Array(heat.start.length - 1);
    for (let bin = 0; bin < values.length; bin++) {
      let sum = 0;
      for (let row = heat.start[bin]; row < heat.start[bin + 1]; row++) {
        if (pages.object[heat.page[row]] === object) sum += heat.reads[row] + heat.writes[row];
      }
      values[bin] = sum;
    }
    this.#timelines.set(object, values);
    return values;
  }
}
