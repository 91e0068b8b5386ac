/**
 * What a guest kernel does to its page tables: an entry for each page that is touched first (a guest page fault), none
 * for pages that are unmapped. Every mode is told (modes.ts), since in some of them such a change costs an exit.
 *
 * After an unmapping the guest drops the cached translations on every vCPU of the process, by an interprocessor
 * interrupt where that is another one (a *shootdown*): page by page with INVLPG up to 33 pages, else with a load of CR3
 * (Linux, arch/x86/mm/tlb.c, `tlb_single_page_flush_ceiling`). Either drops the linear and combined translations of
 * the process and all its paging-structure caches; guest-physical translations stay (mechanisms.md, A.3).
 */

import { C_CONTEXT_SWITCHES, C_GUEST_FAULTS, C_SHOOTDOWNS, C_UNMAPPED, MODE_DUAL_DIRECT, MODES } from './abi-machine';
import { enlarge } from './arena';
import { add, guestLeaf, guestRoot, guestShift, largeUnits, modes, pageShift, unitShift, walks } from './config';
import { modesFlushed, modesMapped, modesUnmapped } from './modes';
import { dualDirectDrop, dualDirectFlush } from './segments';
import {
  ACCESSED,
  DIRTY,
  guestEntry,
  guestPresent,
  guestTable,
  knownMachine,
  PAGE_TABLE,
  PRESENT,
  T_CHILDREN,
  T_ENTRIES,
  VM_FAULTS,
  VM_ROOT,
} from './tables';
import { dropUnit, flushTlbs } from './tlb';
import { pageNumbers } from './touches';
import { flushPsc, recordAt, recordCount, V_VM, walkerOf } from './vcpu';

/** A leaf table has no children: beside an entry it has the page + 1 that the entry was made for. */
const ENTRY_PAGE: usize = T_CHILDREN - T_ENTRIES;

/** Pages that one unmapping drops one by one, at most. */
export const SINGLE_FLUSHES: u32 = 33;

/** Pages (PageIndex) that an unmapping has found. */
let found: usize = 0;
let foundCapacity: u32 = 0;
let foundCount: u32 = 0;

export function mappingsStart(): void {
  found = 0;
  foundCapacity = 0;
}

/** Makes the page present if it is not: a guest page fault. Returns whether it was one. */
export function mapTouched(vm: usize, page: u32, state: usize, address: u64): bool {
  let table = <usize>load<u32>(state, PAGE_TABLE);
  if (table && load<u32>(guestEntry(table, address)) & PRESENT) return false;
  table = guestTable(vm, address >> guestShift);
  store<u32>(state, <u32>table, PAGE_TABLE);
  const entry = guestEntry(table, address);
  // Another page of the run in the same guest page may have been first.
  if (load<u32>(entry) & PRESENT) return false;
  guestPresent(vm, entry);
  store<u32>(entry, page + 1, ENTRY_PAGE);
  add(C_GUEST_FAULTS, 1);
  store<f64>(vm, load<f64>(vm, VM_FAULTS) + 1, VM_FAULTS);
  if (modes) modesMapped(vm, table);
  return true;
}

/** What the TLBs know a page by: the first page in the guest page, where a TLB entry translates several. */
export function unitOf(page: u32, state: usize, address: u64): u32 {
  if (!largeUnits) return page;
  return load<u32>(guestEntry(<usize>load<u32>(state, PAGE_TABLE), address), ENTRY_PAGE) - 1;
}

/** The process unmaps pages (numbers in units of the run's page): those that lie wholly in the range. */
export function unmapPages(process: u32, first: u64, pages: u64): void {
  const vm = knownMachine(process);
  if (!vm || !pages) return;
  const shift = guestShift - pageShift;
  const from = (first + (1 << shift) - 1) >> shift;
  const to = (first + pages) >> shift;
  foundCount = 0;
  clearEntries(vm, from, to);
  if (!foundCount) return;
  add(C_UNMAPPED, foundCount);
  flush(vm);
}

/** Clears the present entries of guest pages [from, to). */
function clearEntries(vm: usize, from: u64, to: u64): void {
  let number = from;
  while (number < to) {
    let table = <usize>load<u32>(vm, VM_ROOT);
    let level = guestRoot;
    for (; level > guestLeaf && table; level--) {
      const index = <usize>(number >> (9 * (level - guestLeaf))) & 511;
      table = <usize>load<u32>(table + (index << 2), T_CHILDREN);
    }
    // Where the tables end, what the missing one would map is passed over.
    const span = (<u64>1) << (9 * (level - guestLeaf + 1));
    const end = min(to, (number | (span - 1)) + 1);
    if (table) for (; number < end; number++) clearEntry(vm, table, <usize>number & 511);
    number = end;
  }
}

function clearEntry(vm: usize, table: usize, index: usize): void {
  const entry = table + T_ENTRIES + (index << 2);
  const value = load<u32>(entry);
  if (!(value & PRESENT)) return;
  store<u32>(entry, value & ~(PRESENT | ACCESSED | DIRTY));
  if (foundCount == foundCapacity) {
    const larger: u32 = foundCapacity ? foundCapacity * 2 : 1024;
    found = enlarge(found, (<usize>foundCapacity) << 2, (<usize>larger) << 2);
    foundCapacity = larger;
  }
  store<u32>(found + ((<usize>foundCount) << 2), load<u32>(entry, ENTRY_PAGE) - 1);
  foundCount++;
  if (modes) modesUnmapped(vm, table, entry);
}

/** Drops the translations of the pages found on every vCPU of the machine. */
function flush(vm: usize): void {
  // Of a guest page in several TLB entries it is not known which there are.
  const single = foundCount <= SINGLE_FLUSHES && unitShift == guestShift;
  let vcpus: u32 = 0;
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record == 0 || <usize>load<u32>(record, V_VM) != vm) continue;
    vcpus++;
    dropTables(record);
    if (single) dropFound(record);
    else dropAll(record);
  }
  if (vcpus) add(C_SHOOTDOWNS, vcpus - 1);
  if (modes) modesFlushed(vm, single ? foundCount : 0, vcpus);
}

function dropFound(record: usize): void {
  for (let i: u32 = 0; i < foundCount; i++) {
    const page = load<u32>(found + ((<usize>i) << 2));
    const address = load<u64>(pageNumbers + ((<usize>page) << 3)) << pageShift;
    dropUnit(record, page, address);
    if (walks(MODE_DUAL_DIRECT)) dualDirectDrop(record, page, address);
  }
}

function dropAll(record: usize): void {
  flushTlbs(record);
  if (walks(MODE_DUAL_DIRECT)) dualDirectFlush(record);
}

function dropTables(record: usize): void {
  for (let mode = 0; mode < MODES; mode++) {
    const walker = walkerOf(record, mode);
    if (walker) flushPsc(walker);
  }
}

/**
 * The core loads CR3 for a thread of another process. Translations are not tagged by process (PCID) or machine (VPID):
 * linear and combined ones go, guest-physical ones stay.
 */
export function contextSwitch(record: usize): void {
  add(C_CONTEXT_SWITCHES, 1);
  dropTables(record);
  dropAll(record);
  if (modes) modesFlushed(<usize>load<u32>(record, V_VM), 0, 1);
}
