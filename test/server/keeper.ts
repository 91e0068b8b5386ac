/** The keeper in the test's own thread, behind the same boundary as in a worker: everything is cloned on its way. */
import type { Profile } from '../../core/model/profile.js';
import type { StoredProfile } from '../../core/profile/file.js';
import type { KeeperLink } from '../../core/server/keeper/requests.js';
import { sourceOf } from '../../core/server/keeper/shared.js';

export function elsewhere(keeper: KeeperLink): KeeperLink {
  return {
    async request(method, params) {
      return structuredClone(await keeper.request(method, structuredClone(params)));
    },
  };
}

/** A profile as it is when its file was opened: the tables of source first. */
export function stored(profile: Profile): StoredProfile {
  return { source: sourceOf(profile), whole: async () => profile };
}
