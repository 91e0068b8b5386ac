/**
 * Pages dealt out over the tiers by page number, as Linux' MPOL_INTERLEAVE does: bandwidth is shared evenly, and hot
 * data lands in slow memory as often as anything else. A page whose tier is full goes to the next with room.
 */
import type { PolicyKind } from './policy.js';

export const interleave: PolicyKind = {
  label: 'Interleave',
  summary: 'Pages are dealt out over all tiers in turn, by page number.',
  yardstick: false,
  decide({ pages, pageNumber, pageSize, firstTouch, capacity, rest }) {
    const tiers = capacity.length;
    const room = capacity.map((bytes, tier) =>
      tier === rest ? Number.POSITIVE_INFINITY : Math.floor(bytes / pageSize),
    );
    const tier = new Uint8Array(pages.count);
    // In the order of first touch: that is when the page is given its place.
    for (const page of firstTouch) {
      let candidate = pageNumber[page] % tiers;
      while (room[candidate] === 0) candidate = (candidate + 1) % tiers;
      tier[page] = candidate;
      room[candidate]--;
    }
    return { unit: 'page', tier };
  },
};
