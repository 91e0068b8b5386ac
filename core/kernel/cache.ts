/**
 * Third loop over a batch: the data caches, which leave of the accesses the *traffic* (design, section 2).
 *
 * L1D and L2 are private to a vCPU, the last-level cache (LLC) is shared. All are set-associative, true LRU,
 * write-back, write-allocate, physically indexed (a page's host frame is its PageIndex, see tables.ts). A miss fills
 * every level; levels do not force lines out of each other. A dirty victim goes to the next level: into the line if it
 * is there (its place in the LRU order stays), else as a new line. There is no prefetcher and no coherence: a line
 * that two vCPUs write is two copies, each written back.
 *
 * A line filled from memory is read traffic of the pair (site, object) and page that missed. A dirty line that leaves
 * the LLC is write traffic of the pair that last wrote it; that pair travels with the line. Lines still dirty in a
 * cache at the end of the run are no traffic.
 *
 * An entry is u64: line + 1 in the low half (0: empty), pair + 1 of the last writer in the high half (0: clean).
 */

import { allocate } from './arena';
import { add, l1dSets, l1dWays, l2Sets, l2Ways, llcSets, llcWays, pageShift } from './config';
import { batchPage, batchPair, straddleCount, straddleIndex, straddlePage } from './count';
import { batchAddress, batchSite } from './decode';
import { addTraffic } from './pages';
import { SITE_LAST_BYTE, SITE_STRIDE, siteTable } from './pairs';
import { C_CACHE_ACCESSES, C_FILLS, C_L2_HITS, C_LLC_HITS, C_WRITE_BACKS } from './parameters';
import { V_L1D, V_L2, vcpuRecord } from './vcpu';

let llc: usize = 0;

export function cachesStart(): void {
  llc = allocate((<usize>llcSets * llcWays) << 3);
}

export function cacheLines(vcpu: u32, n: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const l1 = <usize>load<u32>(record, V_L1D);
  const setBytes = (<usize>l1dWays) << 3;
  const mask = l1dSets - 1;
  const lineBits = pageShift - 6;
  const inPage = ((<u32>1) << lineBits) - 1;
  const sites = siteTable;
  let straddle: u32 = 0;
  let lines = n;
  for (let i: u32 = 0; i < n; i++) {
    const page = load<u32>(batchPage + ((<usize>i) << 2));
    const pair = load<u32>(batchPair + ((<usize>i) << 2));
    const address = <u32>load<u64>(batchAddress + ((<usize>i) << 3));
    const line = (page << lineBits) | ((address >> 6) & inPage);
    const set = l1 + <usize>(line & mask) * setBytes;
    if (load<u32>(set) == line + 1) {
      if (pair & 1) store<u32>(set, (pair >> 1) + 1, 4);
    } else access(record, set, line, page, pair);

    const last = load<u32>(sites + <usize>load<u32>(batchSite + ((<usize>i) << 2)) * SITE_STRIDE, SITE_LAST_BYTE);
    if ((address & 63) + last < 64) continue;
    // The access goes on into the next line, which may lie in the next page.
    let second = line + 1;
    let secondPage = page;
    if ((line & inPage) == inPage) {
      // No page follows at the end of the address space.
      if (straddle == straddleCount || load<u32>(straddleIndex + ((<usize>straddle) << 2)) != i) continue;
      secondPage = load<u32>(straddlePage + ((<usize>straddle) << 2));
      straddle++;
      second = secondPage << lineBits;
    }
    access(record, l1 + <usize>(second & mask) * setBytes, second, secondPage, pair);
    lines++;
  }
  add(C_CACHE_ACCESSES, lines);
}

/** One line's access, `set` being its set in L1D. `pair` is pair index << 1 | isWrite. */
function access(record: usize, set: usize, line: u32, page: u32, pair: u32): void {
  const writer = pair & 1 ? (pair >> 1) + 1 : 0;
  if (promote(set, l1dWays, line + 1)) {
    if (writer) store<u32>(set, writer, 4);
    return;
  }
  const fresh = <u64>(line + 1);
  const set2 = <usize>load<u32>(record, V_L2) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 3);
  if (promote(set2, l2Ways, line + 1)) add(C_L2_HITS, 1);
  else {
    const set3 = llcSet(line);
    if (promote(set3, llcWays, line + 1)) add(C_LLC_HITS, 1);
    else {
      add(C_FILLS, 1);
      addTraffic(pair >> 1, page, 0);
      toMemory(insert(set3, llcWays, fresh));
    }
    toLlc(insert(set2, l2Ways, fresh));
  }
  toL2(record, insert(set, l1dWays, fresh | ((<u64>writer) << 32)));
}

/** A line that left L1D. */
function toL2(record: usize, entry: u64): void {
  if (entry >> 32 == 0) return;
  const line = <u32>entry - 1;
  const set = <usize>load<u32>(record, V_L2) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 3);
  if (!update(set, l2Ways, entry)) toLlc(insert(set, l2Ways, entry));
}

/** A line that left L2. */
function toLlc(entry: u64): void {
  if (entry >> 32 == 0) return;
  const set = llcSet(<u32>entry - 1);
  if (!update(set, llcWays, entry)) toMemory(insert(set, llcWays, entry));
}

/** A line that left the LLC. */
function toMemory(entry: u64): void {
  if (entry >> 32 == 0) return;
  add(C_WRITE_BACKS, 1);
  addTraffic(<u32>(entry >> 32) - 1, (<u32>entry - 1) >> (pageShift - 6), 1);
}

/** The private caches of a vCPU that ends: what is dirty goes to the LLC. */
export function flushCaches(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const l1 = <usize>load<u32>(record, V_L1D);
  for (let at = l1, end = l1 + ((<usize>l1dSets * l1dWays) << 3); at < end; at += 8) {
    toL2(record, load<u64>(at));
    store<u64>(at, 0);
  }
  const l2 = <usize>load<u32>(record, V_L2);
  for (let at = l2, end = l2 + ((<usize>l2Sets * l2Ways) << 3); at < end; at += 8) {
    toLlc(load<u64>(at));
    store<u64>(at, 0);
  }
}

function llcSet(line: u32): usize {
  return llc + ((<usize>(line % llcSets) * llcWays) << 3);
}

/** Moves the line with this tag to the front of its set; false when it is not there. */
function promote(set: usize, ways: u32, tag: u32): bool {
  for (let at: usize = 0, end = (<usize>ways) << 3; at < end; at += 8) {
    if (load<u32>(set + at) != tag) continue;
    const entry = load<u64>(set + at);
    shift(set, at);
    store<u64>(set, entry);
    return true;
  }
  return false;
}

/** Puts an entry at the front and returns the one that leaves. */
function insert(set: usize, ways: u32, entry: u64): u64 {
  const end = (<usize>ways - 1) << 3;
  const victim = load<u64>(set + end);
  shift(set, end);
  store<u64>(set, entry);
  return victim;
}

/** Writes into the line if it is there, without changing the order of use. */
function update(set: usize, ways: u32, entry: u64): bool {
  for (let at: usize = 0, end = (<usize>ways) << 3; at < end; at += 8) {
    if (load<u32>(set + at) != <u32>entry) continue;
    store<u64>(set + at, entry);
    return true;
  }
  return false;
}

function shift(set: usize, at: usize): void {
  for (let to = set + at; to > set; to -= 8) store<u64>(to, load<u64>(to - 8));
}
