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
 * A set is its ways' tags u32 (line + 1; 0: empty), in order of use, then as many last writers u32 (pair + 1; 0: clean).
 */

import { C_CACHE_ACCESSES, C_FILLS, C_L2_HITS, C_LLC_HITS, C_WRITE_BACKS } from './abi-machine';
import { allocate } from './arena';
import { add, l1dSets, l1dWays, l2Sets, l2Ways, llcSets, llcWays, pageShift } from './config';
import { batchPage, batchPair, straddleCount, straddleIndex, straddlePage } from './count';
import { batchAddress, batchSite } from './decode';
import { lruFind, lruShift } from './lru';
import { addTraffic } from './pages';
import { SITE_LAST_BYTE, SITE_STRIDE, siteTable } from './pairs';
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
  const writerOffset = (<usize>l1dWays) << 2;
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
      if (pair & 1) store<u32>(set + writerOffset, (pair >> 1) + 1);
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
  const tag = line + 1;
  const writer = pair & 1 ? (pair >> 1) + 1 : 0;
  if (promote(set, l1dWays, tag)) {
    if (writer) store<u32>(set + ((<usize>l1dWays) << 2), writer);
    return;
  }
  const set2 = l2Set(record, line);
  if (promote(set2, l2Ways, tag)) add(C_L2_HITS, 1);
  else {
    const set3 = llcSet(line);
    if (promote(set3, llcWays, tag)) add(C_LLC_HITS, 1);
    else {
      add(C_FILLS, 1);
      addTraffic(pair >> 1, page, 0);
      insert(set3, llcWays, tag, 0);
      if (victimWriter) toMemory();
    }
    insert(set2, l2Ways, tag, 0);
    if (victimWriter) toLlc();
  }
  insert(set, l1dWays, tag, writer);
  if (victimWriter) toL2(record);
}

/** The dirty victim left L1D. */
function toL2(record: usize): void {
  const set = l2Set(record, victimTag - 1);
  if (update(set, l2Ways)) return;
  insert(set, l2Ways, victimTag, victimWriter);
  if (victimWriter) toLlc();
}

/** The dirty victim left L2. */
function toLlc(): void {
  const set = llcSet(victimTag - 1);
  if (update(set, llcWays)) return;
  insert(set, llcWays, victimTag, victimWriter);
  if (victimWriter) toMemory();
}

/** The dirty victim left the LLC. */
function toMemory(): void {
  add(C_WRITE_BACKS, 1);
  addTraffic(victimWriter - 1, (victimTag - 1) >> (pageShift - 6), 1);
}

/** The private caches of a vCPU that ends: what is dirty goes to the LLC. */
export function flushCaches(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const l1 = <usize>load<u32>(record, V_L1D);
  for (let i: u32 = 0; i < l1dSets * l1dWays; i++) {
    if (take(l1, l1dWays, i)) toL2(record);
  }
  const l2 = <usize>load<u32>(record, V_L2);
  for (let i: u32 = 0; i < l2Sets * l2Ways; i++) {
    if (take(l2, l2Ways, i)) toLlc();
  }
}

function l2Set(record: usize, line: u32): usize {
  return <usize>load<u32>(record, V_L2) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 3);
}

function llcSet(line: u32): usize {
  return llc + ((<usize>(line % llcSets) * llcWays) << 3);
}

/** The line that `insert` or `take` removed; no writer: it was clean, or the way empty. */
let victimTag: u32 = 0;
let victimWriter: u32 = 0;

/** Moves the line to the front of its set; false when it is not there. */
function promote(set: usize, ways: u32, tag: u32): bool {
  const at = lruFind(set, ways, tag, 0);
  if (at <= 0) return at == 0;
  const writers = set + ((<usize>ways) << 2);
  const writer = load<u32>(writers + at);
  lruShift(set, at);
  lruShift(writers, at);
  store<u32>(set, tag);
  store<u32>(writers, writer);
  return true;
}

/** Puts a line at the front; the one at the end becomes the victim. */
function insert(set: usize, ways: u32, tag: u32, writer: u32): void {
  const last = (<usize>ways - 1) << 2;
  const writers = set + last + 4;
  victimTag = load<u32>(set + last);
  victimWriter = load<u32>(writers + last);
  lruShift(set, last);
  lruShift(writers, last);
  store<u32>(set, tag);
  store<u32>(writers, writer);
}

/** Writes the victim into its line if that is there, without changing the order of use. */
function update(set: usize, ways: u32): bool {
  const at = lruFind(set, ways, victimTag, 0);
  if (at < 0) return false;
  store<u32>(set + ((<usize>ways) << 2) + at, victimWriter);
  return true;
}

/** Removes way `i`, counted over all sets, as the victim. Returns whether it was dirty. */
function take(level: usize, ways: u32, i: u32): bool {
  const at = level + ((<usize>(i / ways) * ways) << 3) + ((<usize>(i % ways)) << 2);
  const writer = at + ((<usize>ways) << 2);
  victimTag = load<u32>(at);
  victimWriter = load<u32>(writer);
  store<u32>(at, 0);
  store<u32>(writer, 0);
  return victimWriter != 0;
}
