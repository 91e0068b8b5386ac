/** The run that the shown one is compared with, as far as the source goes: which of its rows is which. */
import { NONE } from '../model/columns.js';
import type { SourceProfile } from '../model/profile.js';
import type { Matching } from '../profile/matching.js';
import type { SourceIndex } from './sourceIndex.js';

export abstract class RunBefore {
  /** The run before: whole, in the selected tiers, seen as the shown one is. */
  abstract readonly index: SourceIndex;
  abstract readonly matching: Matching;

  get profile(): SourceProfile {
    return this.index.profile;
  }

  /** Rows in the run before of rows now; null: it was not there, or that cannot be told. */
  object(row: number): number | null {
    return orNull(this.matching.objects[row]);
  }

  function(row: number): number | null {
    return orNull(this.matching.functions[row]);
  }

  line(row: number): number | null {
    return orNull(this.matching.lines[row]);
  }
}

function orNull(row: number | undefined): number | null {
  return row === undefined || row === NONE ? null : row;
}
