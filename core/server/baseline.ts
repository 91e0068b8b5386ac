/** The run that the shown one is compared with, for views: what they put beside their own. */
import type { Profile } from '../model/profile.js';
import { diffProfiles, type ProfileDiff } from '../profile/diff.js';
import { type LineFollower, type Matching, matchProfiles } from '../profile/matching.js';
import { LineMap } from './lineMap.js';
import type { ProfileIndex } from './profileIndex.js';
import { RunBefore } from './runBefore.js';
import type { Snapshots } from './snapshots.js';

export class Baseline extends RunBefore {
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
  ) {
    super();
  }

  override get profile(): Profile {
    return this.index.profile;
  }

  /** What changed since. */
  get diff(): ProfileDiff {
    this.#diff ??= diffProfiles(this.profile, this.now, this.matching);
    return this.#diff;
  }

  get matching(): Matching {
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
