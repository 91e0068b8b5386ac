/**
 * Traffic, in the machine half: cache lines that memory served, by pair of site and object, and by page and epoch.
 * Pairs and pages have the counting half's numbers.
 */
import { STREAM_LINES } from './abi-machine';
import { enlarge } from './arena';
import { pageShift } from './config';
import { countPage } from './heat';
import { pushWords, streamWanted } from './streams';
import { addToSite, beginSums } from './times';

/** Fills and write-backs of each pair: u64[2]. */
let pairs: usize = 0;
let capacity: u32 = 0;

/** Memory served `line`: counts it (`addTraffic`) and tells those who watch memory itself. */
export function serveLine(pair: u32, line: u32, isWrite: u32): void {
  addTraffic(pair, line >> (pageShift - 6), isWrite);
  if (streamWanted(STREAM_LINES)) pushWords(STREAM_LINES, line, isWrite);
}

/**
 * A 64-byte line that memory served: a fill (`isWrite` 0), charged to the pair that missed, or a write-back (1), charged
 * to the pair that last wrote the line. `page` is the line's page.
 */
export function addTraffic(pair: u32, page: u32, isWrite: u32): void {
  if (pair >= capacity) {
    let larger: u32 = capacity ? capacity * 2 : 4096;
    while (larger <= pair) larger *= 2;
    pairs = enlarge(pairs, (<usize>capacity) << 4, (<usize>larger) << 4);
    capacity = larger;
  }
  const counter = pairs + ((<usize>pair) << 4) + ((<usize>isWrite) << 3);
  store<u64>(counter, load<u64>(counter) + 1);
  countPage(page, isWrite);
}

/** Site of each pair that the counting half named: u32[]. */
let pairSites: usize = 0;
let sitesCapacity: u32 = 0;
let pairsKnown: u32 = 0;

/** The next pairs of the run are of these sites. Returns what is behind them. */
export function addPairs(from: usize, count: u32): usize {
  if (pairsKnown + count > sitesCapacity) {
    let larger: u32 = sitesCapacity ? sitesCapacity * 2 : 4096;
    while (larger < pairsKnown + count) larger *= 2;
    pairSites = enlarge(pairSites, (<usize>sitesCapacity) << 2, (<usize>larger) << 2);
    sitesCapacity = larger;
  }
  memory.copy(pairSites + ((<usize>pairsKnown) << 2), from, (<usize>count) << 2);
  pairsKnown += count;
  return from + ((<usize>count) << 2);
}

/** Tells times.ts the traffic of each site. */
export function sumTrafficBySite(): void {
  beginSums();
  for (let pair: u32 = 0, end = min(pairsKnown, capacity); pair < end; pair++) {
    const counters = pairs + ((<usize>pair) << 4);
    addToSite(load<u32>(pairSites + ((<usize>pair) << 2)), load<u64>(counters), load<u64>(counters, 8));
  }
}

/** u64[2] of each pair below `pairTrafficCount`: fills, write-backs. */
export function pairTraffic(): usize {
  return pairs;
}
export function pairTrafficCount(): u32 {
  return capacity;
}
