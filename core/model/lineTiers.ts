/** The tier of a line: that of the object with at least 80 % of its traffic, else `mixed` (design, section 2). */
import { NONE } from './columns.js';
import type { Profile } from './profile.js';

/** Share of a line's traffic that one object must have, so that the object's tier is the line's. */
const DOMINANT_SHARE = 0.8;

/** What of a profile decides it. */
export type TierFacts = Pick<Profile, 'lines' | 'functions' | 'sites' | 'pairs' | 'objects' | 'placement'>;

const known = new WeakMap<object, { lines: string[]; functions: string[] }>();

/** Tier id of a row of `lines`, or `mixed`; '' while nothing is placed, or when no object was touched. */
export function tierOfLine(profile: TierFacts, line: number): string {
  return tiersOf(profile).lines[line] ?? '';
}

/** The same for a row of `functions`. */
export function tierOfFunction(profile: TierFacts, row: number): string {
  return tiersOf(profile).functions[row] ?? '';
}

/** Tier id of a row of `objects`, or `mixed` where the recommended policy splits it; '' while nothing is placed. */
export function tierOfObject(profile: Pick<Profile, 'objects' | 'placement'>, row: number): string {
  const { tiers } = profile.placement;
  if (tiers.length === 0) return '';
  return tiers[profile.objects.tier[row]!]?.id ?? 'mixed';
}

function tiersOf(profile: TierFacts): { lines: string[]; functions: string[] } {
  let tiers = known.get(profile);
  if (!tiers) {
    const { lines, functions, sites } = profile;
    const functionOfSite = Uint32Array.from(sites.line, (_, site) => {
      const start = sites.inlineStart[site]!;
      return start < sites.inlineStart[site + 1]! ? sites.inlineFunction[start]! : NONE;
    });
    tiers = {
      lines: byRegion(profile, sites.line, lines.count),
      functions: byRegion(profile, functionOfSite, functions.count),
    };
    known.set(profile, tiers);
  }
  return tiers;
}

/**
 * Tiers of regions, each the sum of its sites. A region whose lines all stayed in the caches has no traffic; its
 * accesses decide then, since they name the same objects.
 */
function byRegion(profile: TierFacts, regionOfSite: Uint32Array, count: number): string[] {
  const { pairs } = profile;
  const traffic = Array.from({ length: count }, () => new Map<number, number>());
  const accesses = Array.from({ length: count }, () => new Map<number, number>());
  for (let pair = 0; pair < pairs.count; pair++) {
    const region = regionOfSite[pairs.site[pair]!]!;
    if (region === NONE) continue;
    const object = pairs.object[pair]!;
    add(traffic[region]!, object, pairs.trafficReads[pair]! + pairs.trafficWrites[pair]!);
    add(accesses[region]!, object, pairs.reads[pair]! + pairs.writes[pair]!);
  }
  return traffic.map((weights, region) => {
    const object = dominant(weights) ?? dominant(accesses[region]!);
    if (object === null) return '';
    if (object === 'none') return profile.placement.tiers.length === 0 ? '' : 'mixed';
    return tierOfObject(profile, object);
  });
}

function add(weights: Map<number, number>, object: number, weight: number): void {
  weights.set(object, (weights.get(object) ?? 0) + weight);
}

/** The object with the dominant share; 'none' when there is no such object; null when there is no weight at all. */
function dominant(weights: ReadonlyMap<number, number>): number | 'none' | null {
  let total = 0;
  let best = 0;
  let object: number | 'none' = 'none';
  for (const [candidate, weight] of weights) {
    total += weight;
    if (weight > best) {
      best = weight;
      object = candidate;
    }
  }
  if (total === 0) return null;
  return best >= DOMINANT_SHARE * total ? object : 'none';
}
