/**
 * The clairvoyant: pages placed with the knowledge of the whole run, each where it saves most. Its slowdown is a
 * proved lower bound for every placement that does not migrate: the lesser of the relaxations over pages and over
 * objects, since objects that share pages could be laid out more densely than the pages they were in. The tiers it
 * shows are those of the pages filled in the same order.
 */
import { byDensity, relax, tierOrder } from './assign.js';
import type { PlacementProblem, PolicyKind } from './policy.js';

export const oracle: PolicyKind = {
  label: 'Oracle',
  summary: 'Pages placed with the whole run known in advance: no placement without migration is better.',
  yardstick: true,
  decide({ objects, pages, pageSize, costs, capacity, rest }) {
    const speed = tierOrder(pages, costs);
    const tier = new Uint8Array(pages.count).fill(rest);
    let rank = 0;
    let room = Math.floor(capacity[speed[0]] / pageSize);
    for (const page of byDensity(pages, costs, speed[0], speed[speed.length - 1])) {
      while (speed[rank] !== rest && room === 0) room = Math.floor(capacity[speed[++rank]] / pageSize);
      if (speed[rank] === rest) {
        tier[page] = rest;
        continue;
      }
      tier[page] = speed[rank];
      room--;
    }
    return { unit: 'page', tier, boundNs: oracleBoundNs({ objects, pages, costs, capacity, rest }) };
  },
};

/** Least wait of any placement without migration at the given costs, ns. */
export function oracleBoundNs(
  problem: Pick<PlacementProblem, 'objects' | 'pages' | 'costs' | 'capacity' | 'rest'>,
): number {
  const { objects, pages, costs, capacity, rest } = problem;
  return Math.min(relax(pages, costs, capacity, rest).boundNs, relax(objects, costs, capacity, rest).boundNs);
}
