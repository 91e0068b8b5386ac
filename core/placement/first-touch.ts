/**
 * What an operating system does when nobody tells it anything: a page goes to the first tier with room at the moment
 * of its first touch, and stays. Linux walks the nodes of its zone list in the same way.
 */
import type { PolicyKind } from './policy.js';

export const firstTouch: PolicyKind = {
  label: 'First touch',
  summary: 'Pages fill the tiers in the order of their first touch, as an operating system does by default.',
  yardstick: false,
  decide({ pages, pageSize, firstTouch: order, capacity, rest }) {
    const tier = new Uint8Array(pages.count).fill(rest);
    let current = 0;
    let room = Math.floor(capacity[0] / pageSize);
    for (const page of order) {
      while (current !== rest && room === 0) room = Math.floor(capacity[++current] / pageSize);
      if (current === rest) break;
      tier[page] = current;
      room--;
    }
    return { unit: 'page', tier };
  },
};
