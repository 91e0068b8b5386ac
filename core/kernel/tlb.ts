/**
 * Second loop over a batch: address translation through the vCPU's L1 and L2 data TLB.
 *
 * Both levels are set-associative with true LRU; a walk fills both. An entry is
 *   (unit + 1) << 3 | dirty flag cached << 2 | reads pass << 1 | writes pass
 * where the two low bits, kept in L1 only, say that such an access needs nothing but this entry: no flag to set, no
 * tracker waiting. So an access to the page used last in its set costs one load and one comparison.
 *
 * Rules (mechanisms.md, A.3): a hit never touches the accessed flag. A write that hits an entry without the cached
 * dirty flag walks again to set it; with it, it does nothing, even if memory's flag was cleared since.
 *
 * Pages larger than the smallest have TLBs of their own, or are in those of the smallest, as the machine's are (A.4).
 */

import {
  ARM_WALK_WRITE,
  C_DIRTY_WALKS,
  C_L1_TLB_MISSES,
  C_TLB_MISSES,
  C_TRANSLATIONS,
  STREAM_WALKS,
  WALK_DIRTY,
} from './abi-machine';
import { fire } from './arms';
import {
  add,
  l1TlbSets,
  l1TlbWays,
  l2TlbSets,
  l2TlbWays,
  largeTlbSets,
  largeTlbWays,
  largeUnits,
  modes,
  pageShift,
  unitLeaf,
} from './config';
import { lruFind, lruInsert, lruMove, lruRemove } from './lru';
import { mapTouched, unitLevel, unitOf } from './mappings';
import { modesMissed, modesWalked } from './modes';
import { levelShift } from './sizes';
import { pushWords, streamWanted } from './streams';
import { DIRTY, guestEntry, PAGE_TABLE, pageState, VM_ACCESSES, VM_MISSES } from './tables';
import {
  CROSS_PAIR,
  CROSS_STRIDE,
  CROSS_TO,
  pageNumbers,
  pagesKnown,
  straddleCount,
  straddles,
  TOUCH_PAIR,
  TOUCH_SHIFT,
  touchCount,
  touches,
} from './touches';
import { largeTlbSlot, recordAt, recordCount, V_L1_TLB, V_L2_TLB, V_NUMBER, V_VM, vcpuRecord } from './vcpu';
import { walkPage } from './walk';

const WRITES_PASS: u32 = 1;
const READS_PASS: u32 = 2;
const DIRTY_CACHED: u32 = 4;
const TAG: u32 = 3;
const FLAGS: u32 = 7;
/** Level 1 and level 2 of the TLB. */
const FIRST: u32 = 0;
const SECOND: u32 = 1;

export function translateBatch(vcpu: u32, n: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const tlb = <usize>load<u32>(record, V_L1_TLB);
  const setBytes = (<usize>l1TlbWays) << 2;
  const mask = l1TlbSets - 1;
  add(C_TRANSLATIONS, n + straddleCount);
  const vm = <usize>load<u32>(record, V_VM);
  store<f64>(vm, load<f64>(vm, VM_ACCESSES) + n, VM_ACCESSES);

  const lineBits = pageShift - 6;
  const numbers = pageNumbers;
  const lastTouch = touches + ((<usize>touchCount) << TOUCH_SHIFT);
  const lastStraddle = straddles + <usize>straddleCount * CROSS_STRIDE;
  let straddle = straddles;
  let at = touches;
  while (true) {
    // A straddling access touches its second page right after its first.
    const more = straddle < lastStraddle;
    const end = more ? touches + ((<usize>load<u32>(straddle) + 1) << TOUCH_SHIFT) : lastTouch;
    for (; at < end; at += 1 << TOUCH_SHIFT) {
      const line = load<u32>(at);
      const page = line >> lineBits;
      const write = load<u32>(at, TOUCH_PAIR) & 1;
      const set = tlb + <usize>(load<u32>(numbers + ((<usize>page) << 3)) & mask) * setBytes;
      const pass = READS_PASS >> write;
      const differs = load<u32>(set) ^ (((page + 1) << TAG) | pass);
      if ((differs & (((<u32>-1) << TAG) | pass)) == 0) continue;
      translate(record, set, page, addressOf(line), write);
    }
    if (!more) break;
    // The straddling access itself may be a later one to the line of its touch: a write where the touch is a read.
    const write = load<u32>(straddle, CROSS_PAIR) & 1;
    const page = load<u32>(straddle, CROSS_TO);
    const set = tlb + <usize>(load<u32>(numbers + ((<usize>page) << 3)) & mask) * setBytes;
    translate(record, set, page, addressOf(page << lineBits), write);
    straddle += CROSS_STRIDE;
  }
}

/** Guest-virtual address of a line. */
function addressOf(line: u32): u64 {
  const lineBits = pageShift - 6;
  const number = load<u64>(pageNumbers + ((<usize>(line >> lineBits)) << 3));
  return (number << pageShift) | ((<u64>(line & ((1 << lineBits) - 1))) << 6);
}

/** What the shortcut could not do. `pageSet` is the page's set in L1. */
function translate(record: usize, pageSet: usize, page: u32, address: u64, write: u32): void {
  const state = pageState(page);
  let set = pageSet;
  let ways = l1TlbWays;
  let unit = page;
  let level = unitLeaf;
  let fault = false;
  if (largeUnits) {
    const vm = <usize>load<u32>(record, V_VM);
    fault = mapTouched(vm, page, state, address);
    level = unitLevel(vm, state, address);
    unit = unitOf(page, state, address, level);
    set = tlbSet(record, FIRST, level, address);
    ways = tlbWays(FIRST, level);
  }
  const key = (unit + 1) << TAG;
  let walked = false;
  let dirty: bool;
  const at = lruFind(set, ways, key, FLAGS);
  if (at >= 0) {
    dirty = (load<u32>(set + at) & DIRTY_CACHED) != 0;
  } else {
    add(C_L1_TLB_MISSES, 1);
    const set2 = tlbSet(record, SECOND, level, address);
    const ways2 = tlbWays(SECOND, level);
    const at2 = lruFind(set2, ways2, key, FLAGS);
    if (at2 >= 0) {
      const entry = load<u32>(set2 + at2);
      dirty = (entry & DIRTY_CACHED) != 0;
      lruMove(set2, ways2, at2, entry);
    } else {
      add(C_TLB_MISSES, 1);
      countMiss(record);
      dirty = walk(record, page, unit, state, address, write, 0, fault);
      walked = true;
      lruInsert(set2, ways2, key | (dirty ? DIRTY_CACHED : 0));
    }
    if (modes) missed(record, unit, state, address);
  }

  if (write && !dirty) {
    add(C_DIRTY_WALKS, 1);
    dirty = walk(record, page, unit, state, address, 1, WALK_DIRTY, false);
    walked = true;
    fillL2(record, level, address, key | DIRTY_CACHED);
  }

  // The accessed arms have fired: only writes may still be waited for.
  const waits = fire(state, page, load<u32>(record, V_NUMBER), <u32>((address >> pageShift) >> 9), write, walked);
  // Entries of other vCPUs may let writes pass.
  if (waits & ARM_WALK_WRITE) forgetShortcut(page);
  let entry = key | READS_PASS;
  if (dirty) entry |= waits ? DIRTY_CACHED : DIRTY_CACHED | WRITES_PASS;
  // The shortcut knows pages: each page of a larger unit is looked at, since trackers wait for pages.
  if (largeUnits) entry &= ~(READS_PASS | WRITES_PASS);
  lruMove(set, ways, at >= 0 ? <usize>at : (<usize>ways - 1) << 2, entry);
}

/**
 * Walks in every active mode. Returns what the new entry caches as its dirty flag: that of both dimensions. `again`:
 * WALK_DIRTY for a walk that only sets the dirty flag.
 */
function walk(
  record: usize,
  page: u32,
  unit: u32,
  state: usize,
  address: u64,
  write: u32,
  again: u32,
  faulted: bool,
): bool {
  if (streamWanted(STREAM_WALKS)) pushWords(STREAM_WALKS, page, (load<u32>(record, V_NUMBER) << 2) | again | write);
  const vm = <usize>load<u32>(record, V_VM);
  const fault = faulted || mapTouched(vm, page, state, address);
  const leaf = guestEntry(<usize>load<u32>(state, PAGE_TABLE), address);
  const clean = !(load<u32>(leaf) & DIRTY);
  const dirty = walkPage(record, state, leaf, address, write);
  if (modes) modesWalked(record, vm, unit, state, leaf, address, write, fault, clean, again != 0);
  return dirty;
}

function missed(record: usize, unit: u32, state: usize, address: u64): void {
  const leaf = guestEntry(<usize>load<u32>(state, PAGE_TABLE), address);
  modesMissed(record, <usize>load<u32>(record, V_VM), unit, state, leaf, address);
}

/** TLB misses of the process, for modes that watch them. */
function countMiss(record: usize): void {
  const vm = <usize>load<u32>(record, V_VM);
  store<f64>(vm, load<f64>(vm, VM_MISSES) + 1, VM_MISSES);
}

function fillL2(record: usize, level: u32, address: u64, entry: u32): void {
  const ways = tlbWays(SECOND, level);
  if (ways == 0) return;
  const set = tlbSet(record, SECOND, level, address);
  const at = lruFind(set, ways, entry, FLAGS);
  lruMove(set, ways, at >= 0 ? <usize>at : (<usize>ways - 1) << 2, entry);
}

/** Whether units of this level have a structure of their own. */
function apart(which: u32, level: u32): bool {
  return level != unitLeaf && largeTlbSets(which, level) != 0;
}

/** Ways of the TLB (FIRST, SECOND) for units of this level. */
function tlbWays(which: u32, level: u32): u32 {
  if (apart(which, level)) return largeTlbWays(which, level);
  return which == FIRST ? l1TlbWays : l2TlbWays;
}

/** Its set for the unit at this address. */
function tlbSet(record: usize, which: u32, level: u32, address: u64): usize {
  const number = address >> levelShift(level);
  if (apart(which, level)) {
    const own = <usize>load<u32>(record + largeTlbSlot(which, level));
    return own + setOffset(number, largeTlbSets(which, level), largeTlbWays(which, level));
  }
  if (which == FIRST) return <usize>load<u32>(record, V_L1_TLB) + setOffset(number, l1TlbSets, l1TlbWays);
  return <usize>load<u32>(record, V_L2_TLB) + setOffset(number, l2TlbSets, l2TlbWays);
}

/** Makes the next access to every page pass through `translate`: arms were set. The TLBs keep their content. */
export function forgetShortcuts(): void {
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record == 0) continue;
    const tlb = <usize>load<u32>(record, V_L1_TLB);
    for (let at = tlb, end = tlb + ((<usize>l1TlbSets * l1TlbWays) << 2); at < end; at += 4) {
      store<u32>(at, load<u32>(at) & ~(READS_PASS | WRITES_PASS));
    }
  }
}

/** The same for one page. */
export function forgetShortcut(page: u32): void {
  if (page >= pagesKnown) return;
  const set = (<usize>(load<u32>(pageNumbers + ((<usize>page) << 3)) & (l1TlbSets - 1)) * l1TlbWays) << 2;
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record == 0) continue;
    const tlb = <usize>load<u32>(record, V_L1_TLB) + set;
    const at = lruFind(tlb, l1TlbWays, (page + 1) << TAG, FLAGS);
    if (at >= 0) store<u32>(tlb + at, load<u32>(tlb + at) & ~(READS_PASS | WRITES_PASS));
  }
}

/** Drops every entry of a vCPU's TLBs. */
export function flushTlbs(record: usize): void {
  memory.fill(<usize>load<u32>(record, V_L1_TLB), 0, (<usize>l1TlbSets * l1TlbWays) << 2);
  memory.fill(<usize>load<u32>(record, V_L2_TLB), 0, (<usize>l2TlbSets * l2TlbWays) << 2);
  for (let level: u32 = 2; level <= 3; level++) {
    for (let which = FIRST; which <= SECOND; which++) {
      const entries = <usize>largeTlbSets(which, level) * largeTlbWays(which, level);
      memory.fill(<usize>load<u32>(record + largeTlbSlot(which, level)), 0, entries << 2);
    }
  }
}

/** Drops the entries of a unit of this level from a vCPU's TLBs, as INVLPG does. */
export function dropUnit(record: usize, unit: u32, address: u64, level: u32): void {
  const key = (unit + 1) << TAG;
  for (let which = FIRST; which <= SECOND; which++) {
    lruRemove(tlbSet(record, which, level, address), tlbWays(which, level), key, FLAGS);
  }
}

/** Bytes from the first set of a TLB to that of the unit with this number. */
function setOffset(number: u64, sets: u32, ways: u32): usize {
  return (<usize>(<u32>number & (sets - 1)) * ways) << 2;
}

/** Translations in a vCPU's L2 TLBs, and of pages without one in an L1 of their own. */
export function tlbEntriesHeld(record: usize): u32 {
  let held =
    l2TlbWays != 0
      ? heldIn(<usize>load<u32>(record, V_L2_TLB), l2TlbSets * l2TlbWays)
      : heldIn(<usize>load<u32>(record, V_L1_TLB), l1TlbSets * l1TlbWays);
  for (let level = unitLeaf + 1; level <= 3; level++) {
    if (tlbWays(SECOND, level) != 0) held += heldApart(record, SECOND, level);
    else held += heldApart(record, FIRST, level);
  }
  return held;
}

function heldApart(record: usize, which: u32, level: u32): u32 {
  if (!apart(which, level)) return 0;
  const first = <usize>load<u32>(record + largeTlbSlot(which, level));
  return heldIn(first, largeTlbSets(which, level) * largeTlbWays(which, level));
}

function heldIn(first: usize, entries: u32): u32 {
  let held: u32 = 0;
  for (let at = first, end = first + ((<usize>entries) << 2); at < end; at += 4) held += load<u32>(at) ? 1 : 0;
  return held;
}
