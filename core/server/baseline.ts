/** The run that the shown one is compared with, and which of its rows is which: what views put beside their own. */
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import { diffProfiles, type ProfileDiff } from '../profile/diff.js';
import { type LineFollower, type Matching, matchProfiles } from '../profile/matching.js';
import { LineMap } from './lineMap.js';
import type { ProfileIndex } from './profileIndex.js';
import type { Snapshots } from './snapshots.js';

export class Baseline {
  #matching: Matching | null = null;
  #diff: ProfileDiff | null = null;

  /**
   * @param index the run before: whole, in the selected tiers, seen as the shown one is
   * @param now the shown run, whose rows are matched
   * @param snapshots texts of edited files, by which their lines are followed
   */
  constructor(
    readonly index: ProfileIndex,
    readonly now: Profile,
    readonly snapshots: Snapshots | null = null,
  ) {}

  get profile(): Profile {
    return this.index.profile;
  }

  /** What changed since. */
  get diff(): ProfileDiff {
    this.#diff ??= diffProfiles(this.profile, this.now, this.#matched);
    return this.#diff;
  }

  /** Rows in the run before of rows now; null: it was not there, or that cannot be told. */
  object(row: number): number | null {
    return orNull(this.#matched.objects[row]);
  }

  function(row: number): number | null {
    return orNull(this.#matched.functions[row]);
  }

  line(row: number): number | null {
    return orNull(this.#matched.lines[row]);
  }

  get #matched(): Matching {
    this.#matching ??= matchProfiles(this.profile, this.now, this.#follower());
    return this.#matching;
  }

  #follower(): LineFollower {
    const text = (profile: Profile, file: number) => this.snapshots?.get(profile.files[file].sha256);
    return (fileNow, fileBefore) => {
      const [now, before] = [text(this.now, fileNow), text(this.profile, fileBefore)];
      if (now === undefined || before === undefined) return null;
      const map = new LineMap(now);
      map.replaceAll(before);
      return line => map.lineNow(line - 1) + 1;
    };
  }
}

function orNull(row: number | undefined): number | null {
  return row === undefined || row === NONE ? null : row;
}
