/**
 * Direct segments in virtual machines (mechanisms.md, F.3): base, limit and offset registers translate a whole range, in
 * the guest's dimension, the monitor's, or both. A check of base and bound costs a cycle.
 *
 * The monitor's segment holds all guest-physical memory, but for pages in the escape filter. The guest's holds the
 * primary region: what is neither a stack nor a mapped file nor part of a module. (Of a trace the allocator's addresses
 * are given; it is taken to have placed them in one reserved range, as in the paper's prototype.)
 *
 * VMM Direct: n reads of guest entries, each pointer and the final address by segment: n + 1 checks. A page in the
 * filter: its final address by nested tables.
 * Guest Direct: a page of the primary region has guest-physical address = virtual + offset (a multiple of what a root
 * entry maps, so that its tables are laid out as the addresses are): one check and m reads. Others: a full walk.
 * Dual Direct: a page of the primary region that does not escape is translated by one check at the L1 TLB's miss, and
 * is in no L2 TLB. One in the filter: a check and m reads. Others: as in VMM Direct.
 * Segments are backed from the start: EPT violations come in Guest Direct alone, where the monitor pages.
 */

import {
  MODE_DUAL_DIRECT,
  MODE_GUEST_DIRECT,
  MODE_VMM_DIRECT,
  S_CHECKS,
  S_CYCLES,
  S_EPT_VIOLATIONS,
  S_ESCAPED,
  S_MISSES,
  S_REFERENCES,
  S_SEGMENT,
} from './abi-machine';
import { addTo, guestLeaf, guestShift, l2TlbSets, l2TlbWays } from './config';
import { escapes } from './escape';
import { lruRemove, lruUse } from './lru';
import {
  eptEntry,
  eptOfData,
  FRAME_SHIFT,
  GUEST_DIRECT_BACKED,
  guestFrame,
  PAGE_EPT_TABLE,
  PAGE_TABLE,
  PRESENT,
  segmentTable,
} from './tables';
import { inPrimaryRegion } from './touches';
import { V_DUAL_TLB, walkerOf } from './vcpu';
import {
  EVERY_TABLE,
  endWalk,
  NO_TABLE,
  nativeCycles,
  nativeTables,
  startWalk,
  translateFrame,
  walkTables,
} from './walk';

export function vmmDirectWalk(record: usize, vm: usize, state: usize, leaf: usize, address: u64): void {
  // The guest's tables are read as in mode native.
  addTo(MODE_VMM_DIRECT, S_REFERENCES, nativeTables);
  addTo(MODE_VMM_DIRECT, S_CYCLES, nativeCycles);
  addTo(MODE_VMM_DIRECT, S_CHECKS, nativeTables + 1);
  if (!escapes(dataPage(leaf))) return;
  startWalk();
  translateData(MODE_VMM_DIRECT, walkerOf(record, MODE_VMM_DIRECT), vm, state, leaf, address);
  endWalk(MODE_VMM_DIRECT);
}

/** Guest-physical number of the page, in units of the guest's pages. */
function dataPage(leaf: usize): u32 {
  return load<u32>(leaf) >> (FRAME_SHIFT + 9 * (guestLeaf - 1));
}

/** A page that the filter holds, by nested tables that the monitor has filled when it found the host page bad. */
function translateData(mode: i32, walker: usize, vm: usize, state: usize, leaf: usize, address: u64): void {
  addTo(mode, S_ESCAPED, 1);
  const frame = guestFrame(<usize>load<u32>(state, PAGE_TABLE), leaf, address);
  const entry = eptOfData(vm, frame, state);
  translateFrame(walker, 0, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, 0);
}

export function guestDirectWalk(record: usize, vm: usize, page: u32, state: usize, leaf: usize, address: u64): void {
  const walker = walkerOf(record, MODE_GUEST_DIRECT);
  addTo(MODE_GUEST_DIRECT, S_CHECKS, 1);
  startWalk();
  if (inPrimaryRegion(page)) {
    addTo(MODE_GUEST_DIRECT, S_SEGMENT, 1);
    const table = segmentTable(vm, address >> 12);
    const entry = eptEntry(table, address >> 12);
    back(entry, PRESENT);
    translateFrame(walker, 0, 0, table, entry, 0);
  } else {
    const table = <usize>load<u32>(state, PAGE_TABLE);
    walkTables(walker, 0, table, leaf, 0, EVERY_TABLE);
    const frame = guestFrame(table, leaf, address);
    const entry = eptOfData(vm, frame, state);
    back(entry, GUEST_DIRECT_BACKED);
    translateFrame(walker, 0, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, 0);
  }
  endWalk(MODE_GUEST_DIRECT);
}

/** Backs the frame of an EPT entry on its first use: an EPT violation. */
function back(entry: usize, bit: u32): void {
  if (load<u32>(entry) & bit) return;
  store<u32>(entry, load<u32>(entry) | bit);
  addTo(MODE_GUEST_DIRECT, S_EPT_VIOLATIONS, 1);
}

/** Dual Direct, after a miss of the L1 TLB. */
export function dualDirectMiss(record: usize, vm: usize, page: u32, state: usize, leaf: usize, address: u64): void {
  addTo(MODE_DUAL_DIRECT, S_CHECKS, 1);
  if (inPrimaryRegion(page) && !escapes(dataPage(leaf))) {
    addTo(MODE_DUAL_DIRECT, S_SEGMENT, 1);
    return;
  }
  if (l2TlbWays && lruUse(dualSet(record, address), l2TlbWays, page + 1)) return;
  addTo(MODE_DUAL_DIRECT, S_MISSES, 1);
  dualDirectWalk(record, vm, page, state, leaf, address);
}

/** Dual Direct's walk, after a miss of its L2 TLB or to set a dirty flag. */
export function dualDirectWalk(record: usize, vm: usize, page: u32, state: usize, leaf: usize, address: u64): void {
  const walker = walkerOf(record, MODE_DUAL_DIRECT);
  const escaped = escapes(dataPage(leaf));
  const primary = inPrimaryRegion(page);
  if (primary && !escaped) return;
  startWalk();
  if (!primary) {
    const tables = walkTables(walker, 0, <usize>load<u32>(state, PAGE_TABLE), leaf, 0, NO_TABLE);
    addTo(MODE_DUAL_DIRECT, S_CHECKS, tables + 1);
  }
  if (escaped) translateData(MODE_DUAL_DIRECT, walker, vm, state, leaf, address);
  endWalk(MODE_DUAL_DIRECT);
}

function dualSet(record: usize, address: u64): usize {
  const number = <u32>(address >> guestShift) & (l2TlbSets - 1);
  return <usize>load<u32>(record, V_DUAL_TLB) + ((<usize>number * l2TlbWays) << 2);
}

/** The page was unmapped. */
export function dualDirectDrop(record: usize, page: u32, address: u64): void {
  lruRemove(dualSet(record, address), l2TlbWays, page + 1, 0);
}

export function dualDirectFlush(record: usize): void {
  memory.fill(<usize>load<u32>(record, V_DUAL_TLB), 0, (<usize>l2TlbSets * l2TlbWays) << 2);
}
