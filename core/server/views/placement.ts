/** Placement: the tiers, what each policy would cost, and the allocation table, sorted and filtered here. */
import { CLASS_NAMES, type ObjectTable, type PolicyResult } from '../../model/profile.js';
import type { PlacementFacts, ViewQuery } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { clampRange, location, type View } from './view.js';

/** Rows of one answer: a few screens, well below the size limit even with long stacks. */
const maxRows = 400;
const maxStack = 16;

export const placement: View = (index, query, selection) => {
  const { profile } = index;
  const { objects } = profile;
  const chosen = index.policy(selection.policy);
  const rows = sorted(index, filtered(index, query, selection.policy), query, selection.policy);
  const [from, to] = clampRange(query.range?.y, rows.length);
  const facts: PlacementFacts = {
    tiers: profile.placement.tiers.map((tier, row) => ({
      id: tier.id,
      name: tier.name,
      capacityBytes: tier.capacityBytes,
      usedBytes: chosen?.bytesInTier[row] ?? 0,
      readLatencyNs: tier.readLatencyNs,
      writeLatencyNs: tier.writeLatencyNs,
    })),
    policies: profile.placement.policies.map(policyFacts),
    recommended: profile.placement.recommended,
    assumptions: profile.placement.assumptions,
    total: rows.length,
    from,
    rows: rows.slice(from, Math.min(to, from + maxRows)).map(row => ({
      kind: objects.kind[row],
      name: objects.name[row],
      location: location(profile, objects.file[row], objects.line[row]),
      stack: objects.stack[row].slice(0, maxStack),
      bytes: objects.bytes[row],
      blocks: objects.blocks[row],
      reads: objects.reads[row],
      writes: objects.writes[row],
      pages: objects.pages[row],
      density: objects.density[row],
      trafficReads: objects.trafficReads[row],
      trafficWrites: objects.trafficWrites[row],
      hotness: CLASS_NAMES[objects.hotness[row]],
      tier: index.tierOfObject(row, selection.policy),
    })),
  };
  return { facts };
};

export function policyFacts(policy: PolicyResult): PlacementFacts['policies'][number] {
  return {
    id: policy.id,
    slowdown: policy.modelledSlowdown,
    range: policy.modelledSlowdownRange,
    fastTierHitRatio: policy.fastTierHitRatio,
  };
}

/** Rows whose name, kind, tier or stack holds every word of the filter, whatever the case. */
function filtered(index: ProfileIndex, query: ViewQuery, policy: string): number[] {
  const { objects } = index.profile;
  const words = String(query.options?.filter ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean);
  const all = Array.from({ length: objects.count }, (_, row) => row);
  if (words.length === 0) return all;
  return all.filter(row => {
    const text = [objects.name[row], objects.kind[row], index.tierOfObject(row, policy), ...objects.stack[row]]
      .join('\n')
      .toLowerCase();
    return words.every(word => text.includes(word));
  });
}

type Key = (objects: ObjectTable, row: number, index: ProfileIndex, policy: string) => number | string;

/** What the table can be sorted by: the names of the row's fields. */
const keys: Readonly<Record<string, Key>> = {
  kind: (objects, row) => objects.kind[row],
  name: (objects, row) => objects.name[row],
  tier: (_objects, row, index, policy) => index.tierOfObject(row, policy),
  bytes: (objects, row) => objects.bytes[row],
  blocks: (objects, row) => objects.blocks[row],
  accesses: (objects, row) => objects.reads[row] + objects.writes[row],
  reads: (objects, row) => objects.reads[row],
  writes: (objects, row) => objects.writes[row],
  pages: (objects, row) => objects.pages[row],
  density: (objects, row) => objects.density[row],
  traffic: (objects, row) => objects.trafficReads[row] + objects.trafficWrites[row],
  trafficReads: (objects, row) => objects.trafficReads[row],
  trafficWrites: (objects, row) => objects.trafficWrites[row],
  // Classes are numbered from hot to cold: "descending" shows the hot ones first, as for every other figure.
  hotness: (objects, row) => -objects.hotness[row],
};

function sorted(index: ProfileIndex, rows: number[], query: ViewQuery, policy: string): number[] {
  const key = keys[String(query.options?.sort ?? 'accesses')];
  if (!key) throw new RangeError(`cannot sort by ${query.options?.sort}; known: ${Object.keys(keys).join(', ')}`);
  const direction = (query.options?.descending ?? true) ? -1 : 1;
  const values = new Map(rows.map(row => [row, key(index.profile.objects, row, index, policy)]));
  return rows.sort((a, b) => {
    const [x, y] = [values.get(a)!, values.get(b)!];
    return (x < y ? -direction : x > y ? direction : 0) || a - b;
  });
}
