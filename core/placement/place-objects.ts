/** The placement of a replayed run, from the options as a user gives them: what the pipeline calls. */
import type { Placement, ReplayOptions, TierChange } from '../model/profile.js';
import { machineStallNs } from './cost.js';
import { type PlacementInput, place } from './place.js';
import { changedTiers, changesTold } from './tierChanges.js';
import { sizedTiers, tierSet } from './tiers.js';

/** What of a run a placement rests on: columns that are cheap to send to another thread. */
export type Placeable = Pick<PlacementInput, 'objects' | 'pages' | 'heat'> & {
  readonly totals: PlacementInput['totals'] & { readonly pagesTouched: number };
};

/** Those parts alone, of a profile with more. */
export function placeable({ objects, pages, totals, heat }: Placeable): Placeable {
  return {
    objects: {
      count: objects.count,
      trafficReads: objects.trafficReads,
      trafficWrites: objects.trafficWrites,
      touchedBytes: objects.touchedBytes,
    },
    pages: {
      count: pages.count,
      number: pages.number,
      trafficReads: pages.trafficReads,
      trafficWrites: pages.trafficWrites,
      object: pages.object,
    },
    totals,
    heat: { start: heat.start, page: heat.page },
  };
}

/**
 * @param changes to the tiers of the options
 * @throws UsageError for an unknown tier set, a tiers file that is not valid, more capacities than tiers, and changes
 *   that cannot be.
 */
export function placeObjects(
  profile: Placeable,
  options: Pick<ReplayOptions, 'machine' | 'tiers' | 'capacity' | 'policies' | 'pageSize'>,
  changes: readonly TierChange[] = [],
): Placement {
  const { objects, pages, totals, heat } = profile;
  const { pageSize } = options;
  const own = sizedTiers(tierSet(options.tiers), options.capacity, totals.pagesTouched * pageSize);
  const tiers = changedTiers(own, changes);
  const memoryStallNs = machineStallNs(options.machine, totals.trafficReads);
  const placement = place({ objects, pages, totals, heat, pageSize, memoryStallNs }, tiers, options.policies);
  return { ...placement, assumptions: [...changesTold(tiers, changes), ...placement.assumptions] };
}
