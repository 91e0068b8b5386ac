/**
 * Hypervisor exclusive cache (Lu and Shen, USENIX ATC 2007; mechanisms.md, D): of the memory M = a + b that a virtual
 * machine has, it manages a itself, and b is the hypervisor's cache of the pages that the guest evicts. A page is in one
 * of them at most; a hit moves it back. So each access that misses the guest's part is seen by the hypervisor, which keeps
 * them in LRU order: in the cache, and behind it in a *ghost* list without contents. The depth at which they hit gives
 * the misses for sizes both below and above M:
 *
 *   misses(a + x) = misses of depth above x + first accesses, for 0 <= x <= cache + ghost
 *
 * A guest that evicts in LRU order causes no I/O that it would not cause with all of M: an LRU list of a pages, followed
 * by an exclusive LRU of b, is an LRU list of a + b (test/tracking/exclusiveCache.ts runs both lists). Therefore the
 * depths need no lists here: an access at LRU stack distance d of the run misses the guest's part when d > a, and then has
 * depth d - a. Nothing at d <= a is used, which the hypervisor does not see.
 *
 * It sees which pages miss, not which are accessed: no page columns, and so no scores. Sizes are shares of the pages that
 * the run touched, as programs differ. The authors' ghost size and workload figures are not public.
 *
 * Memory: an entry for each page of cache and ghost list: its storage block, its place in a hash table, its neighbours in
 * the list, 8 bytes each (an assumption). The cache itself is memory that the virtual machine gave.
 */
import { type Observation, type Tracker, type TrackerContext, tracker } from './tracker.js';

const size = (summary: string, percent: number) => ({
  summary,
  unit: '% of the touched pages',
  default: percent,
  minimum: 0,
  maximum: 100,
  source: 'D: sizes are not public; assumption',
});

const parameters = {
  vmPercent: size('memory that the guest manages (a)', 50),
  cachePercent: size("the hypervisor's exclusive cache (b)", 25),
  ghostPercent: size('evicted pages remembered behind the cache', 25),
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const exclusiveCache = tracker({
  label: 'Hypervisor exclusive cache',
  summary:
    'the miss curve beyond the memory that the guest manages, from its evictions and misses; not which pages are hot',
  needs: 'a para-virtual guest that tells the hypervisor of evictions and of the blocks of its pages (Xen)',
  parameters,
  create: (context): Tracker => ({
    onTime() {},
    finish: () => observe(context, context.parameters),
  }),
});

/** Bytes of an entry of the cache's or the ghost list. */
const ENTRY_BYTES = 4 * 8;

/** Step of the predicted curve from the guest's part to the end of the ghost list, % of the touched pages. */
const STEP_PERCENT = 10;

/** What the hypervisor makes of a run's distances. */
export interface ExclusiveCacheCounts {
  /** Accesses that missed the guest's part, first accesses included. */
  readonly guestMisses: number;
  /** Of these, served by the cache, without I/O. */
  readonly cacheHits: number;
  /** Found in the ghost list: would have been served by a larger cache. */
  readonly ghostHits: number;
  /** Pages read from storage. */
  readonly ioReads: number;
  /** Predicted misses when the guest and the cache have a + x pages together, x from 0 to cache + ghost. */
  predictedMisses(x: number): number;
}

/**
 * @param distances accesses by LRU stack distance in pages, 1-based; index 0: first accesses
 * @param guest pages that the guest manages, a
 * @param cache pages of the exclusive cache, b
 * @param ghost pages of the ghost list
 */
export function exclusiveCacheCounts(
  distances: Float64Array,
  guest: number,
  cache: number,
  ghost: number,
): ExclusiveCacheCounts {
  // Depths beyond the ghost list are not known: to the hypervisor they are first accesses.
  const hits = distances.slice(guest + 1, guest + cache + ghost + 1);
  let guestMisses = distances[0];
  for (let d = guest + 1; d < distances.length; d++) guestMisses += distances[d];
  const hitsTo = (depth: number) => hits.subarray(0, depth).reduce((sum, n) => sum + n, 0);
  const cacheHits = hitsTo(cache);
  return {
    guestMisses,
    cacheHits,
    ghostHits: hitsTo(cache + ghost) - cacheHits,
    ioReads: guestMisses - cacheHits,
    predictedMisses: x => guestMisses - hitsTo(x),
  };
}

function observe(context: TrackerContext, { vmPercent, cachePercent, ghostPercent }: Values): Observation {
  const distances = context.stackDistances();
  const touched = distances[0];
  const pages = (percent: number) => Math.round((touched * percent) / 100);
  const [guest, cache, ghost] = [vmPercent, cachePercent, ghostPercent].map(pages);
  const counts = exclusiveCacheCounts(distances, guest, cache, ghost);
  const own: Record<string, number> = {
    guestPages: guest,
    cachePages: cache,
    ghostPages: ghost,
    guestMisses: counts.guestMisses,
    cacheHits: counts.cacheHits,
    ghostHits: counts.ghostHits,
    ioReads: counts.ioReads,
  };
  for (let at = vmPercent; at <= vmPercent + cachePercent + ghostPercent; at += STEP_PERCENT)
    own[`predictedMissesAt${at}Percent`] = counts.predictedMisses(pages(at) - guest);
  // The guest tells of each miss, and of the page that it evicts for it once its part is full.
  const evictions = Math.max(0, counts.guestMisses - guest);
  const hypercalls = counts.guestMisses + evictions;
  return {
    vmExits: hypercalls,
    costNs: hypercalls * context.costs.hypercallNs,
    memoryBytes: (cache + ghost) * ENTRY_BYTES,
    periods: null,
    own,
    warnings: [],
  };
}
