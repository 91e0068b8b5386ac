/** The placement of a replayed run, from the options as a user gives them: what the pipeline calls. */
import type { Placement, Profile, ReplayOptions } from '../model/profile.js';
import { machineStallNs } from './cost.js';
import { place } from './place.js';
import { sizedTiers, tierSet } from './tiers.js';

/**
 * @throws UsageError for an unknown tier set, a tiers file that is not valid, and more capacities than tiers.
 */
export function placeObjects(
  profile: Pick<Profile, 'objects' | 'pages' | 'totals' | 'heat'>,
  options: Pick<ReplayOptions, 'tiers' | 'capacity' | 'policies' | 'pageSize'>,
): Placement {
  const { objects, pages, totals, heat } = profile;
  const { pageSize } = options;
  const tiers = sizedTiers(tierSet(options.tiers), options.capacity, totals.pagesTouched * pageSize);
  const memoryStallNs = machineStallNs(totals.trafficReads);
  return place({ objects, pages, totals, heat, pageSize, memoryStallNs }, tiers, options.policies);
}
