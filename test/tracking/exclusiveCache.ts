/** The guest's LRU list and the hypervisor's exclusive one, access by access: what the tracker's figures must equal. */

export interface Served {
  guestMisses: number;
  cacheHits: number;
  ghostHits: number;
  ioReads: number;
}

/** Lists are most recent first. A page is in one of them at most; what falls off the end of the ghost is forgotten. */
export function twoLists(pages: readonly number[], guest: number, cache: number, ghost: number): Served {
  const own: number[] = [];
  const hypervisor: number[] = [];
  const served = { guestMisses: 0, cacheHits: 0, ghostHits: 0, ioReads: 0 };
  for (const page of pages) {
    const at = own.indexOf(page);
    if (at >= 0) own.splice(at, 1);
    else {
      served.guestMisses++;
      const depth = hypervisor.indexOf(page);
      if (depth >= 0) hypervisor.splice(depth, 1);
      if (depth >= 0 && depth < cache) served.cacheHits++;
      else {
        served.ioReads++;
        if (depth >= 0) served.ghostHits++;
      }
    }
    own.unshift(page);
    if (own.length > guest) hypervisor.unshift(own.pop()!);
    hypervisor.length = Math.min(hypervisor.length, cache + ghost);
  }
  return served;
}

/** Misses of one LRU list of so many pages. */
export function oneList(pages: readonly number[], size: number): number {
  const list: number[] = [];
  let misses = 0;
  for (const page of pages) {
    const at = list.indexOf(page);
    if (at >= 0) list.splice(at, 1);
    else misses++;
    list.unshift(page);
    list.length = Math.min(list.length, size);
  }
  return misses;
}
