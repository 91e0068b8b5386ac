/**
 * Mode agile: shadow paging, in which parts of a guest's tables that change often turn nested (mechanisms.md, F.4).
 *
 * All tables start shadowed. A write to a shadowed table exits; the second one within an interval turns the table, and
 * what lies below it, nested: the shadow entry above it holds the table's host address and a *switching bit*, from where
 * the walk goes on in two dimensions. So a walk takes 4, 8, 12, 16, 20 references as 0, 1, 2, 3, 4 levels are nested.
 * At the end of each interval a nested table that was not written in it (the dirty flag of its host mapping) turns
 * shadow again, unless one above it stays nested. Its shadow is filled by hidden faults.
 *
 * A page fault exits unless the table that lacks the entry is nested; INVLPG exits for pages in shadowed tables, a load
 * of CR3 while the root is shadowed. A page's first write is a hidden fault while it is shadowed, as in mode shadow.
 * Turning drops paging-structure caches; translations stay, since what they say still holds.
 */

import {
  MODE_AGILE,
  S_CHECKED,
  S_CR3_LOADS,
  S_EPT_VIOLATIONS,
  S_GUEST_FAULTS,
  S_HIDDEN_FAULTS,
  S_INVLPG,
  S_TABLE_WRITES,
  S_TO_NESTED,
  S_TO_SHADOW,
  S_WALKS_AT,
} from './abi-machine';
import { addTo, agileWrites, guestLeaf, modes } from './config';
import {
  AGILE_BACKED,
  AGILE_SHADOWED,
  childOf,
  clearFlag,
  eptOfData,
  guestFrame,
  knownMachine,
  linkedTable,
  machineCount,
  PAGE_EPT_TABLE,
  PAGE_TABLE,
  T_AGILE,
  T_AGILE_INTERVAL,
  T_AGILE_WRITES,
  T_ENTRIES,
  T_LEVEL,
  T_PARENT,
  VM_ROOT,
} from './tables';
import { flushPsc, recordAt, recordCount, V_VM, walkerOf } from './vcpu';
import { endWalk, startWalk, translateFrame, walkTables } from './walk';

// Flags of a table.
/** The monitor has a shadow of it, and write-protects it. */
const SHADOWED: u32 = 1;
/** It and what lies below are nested. Tables below another nested one do not have it. */
const NESTED: u32 = 2;
/** Written in this interval while nested. */
const WRITTEN: u32 = 4;

let interval: u32 = 1;
/** Pages of shadowed tables in the unmapping under way. */
let unmapped: u32 = 0;

export function agileStart(): void {
  interval = 1;
  unmapped = 0;
}

/** Level of the highest nested table on the way from the root to `table`; 0: none. */
function nestedLevel(table: usize): u32 {
  let level: u32 = 0;
  for (let at = table; at; at = <usize>load<u32>(at, T_PARENT)) {
    if (load<u32>(at, T_AGILE) & NESTED) level = load<u32>(at, T_LEVEL);
  }
  return level;
}

export function agileMapped(vm: usize, leafTable: usize): void {
  if (!nestedLevel(linkedTable)) addTo(MODE_AGILE, S_GUEST_FAULTS, 1);
  written(vm, linkedTable);
  // The tables that the fault made are not shadowed yet.
  for (let table = leafTable; table != linkedTable; table = <usize>load<u32>(table, T_PARENT)) written(vm, table);
}

export function agileUnmapped(vm: usize, table: usize, entry: usize): void {
  if (!nestedLevel(table)) unmapped++;
  written(vm, table);
  store<u32>(entry, load<u32>(entry) & ~AGILE_SHADOWED);
}

/** The guest wrote an entry of the table. */
function written(vm: usize, table: usize): void {
  const flags = load<u32>(table, T_AGILE);
  if (nestedLevel(table)) {
    store<u32>(table, flags | WRITTEN, T_AGILE);
    return;
  }
  // The root is shadowed from the start: CR3 points to its shadow.
  if (!(flags & SHADOWED) && load<u32>(table, T_PARENT)) return;
  addTo(MODE_AGILE, S_TABLE_WRITES, 1);
  const writes = load<u32>(table, T_AGILE_INTERVAL) == interval ? load<u32>(table, T_AGILE_WRITES) + 1 : 1;
  store<u32>(table, interval, T_AGILE_INTERVAL);
  store<u32>(table, writes, T_AGILE_WRITES);
  if (writes < agileWrites) return;
  forget(table);
  store<u32>(table, NESTED | WRITTEN, T_AGILE);
  addTo(MODE_AGILE, S_TO_NESTED, 1);
  turned(vm);
}

/** Drops the shadows of a table and of those below. */
function forget(table: usize): void {
  store<u32>(table, 0, T_AGILE);
  if (load<u32>(table, T_LEVEL) == guestLeaf) return;
  for (let at = table + T_ENTRIES, end = at + 2048; at < end; at += 4) {
    const child = childOf(at);
    if (child) forget(child);
  }
}

/** Paging-structure caches of the machine may hold tables of the other kind. */
function turned(vm: usize): void {
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record && <usize>load<u32>(record, V_VM) == vm) flushPsc(walkerOf(record, MODE_AGILE));
  }
}

/** The guest dropped `pages` translations one by one, or (0) all, on each of its vCPUs. */
export function agileFlushed(vm: usize, pages: u32, vcpus: u32): void {
  if (pages) addTo(MODE_AGILE, S_INVLPG, unmapped * vcpus);
  else if (!nestedLevel(<usize>load<u32>(vm, VM_ROOT))) addTo(MODE_AGILE, S_CR3_LOADS, vcpus);
  unmapped = 0;
}

/** A walk to the page whose guest entry is `leaf`. `sets`: it sets the guest's dirty flag. */
export function agileWalk(record: usize, vm: usize, state: usize, leaf: usize, address: u64, sets: bool): void {
  const walker = walkerOf(record, MODE_AGILE);
  const table = <usize>load<u32>(state, PAGE_TABLE);
  const frame = guestFrame(table, leaf, address);
  const entry = eptOfData(vm, frame, state);
  const backed = (load<u32>(entry) & AGILE_BACKED) != 0;
  store<u32>(entry, load<u32>(entry) | AGILE_BACKED);
  const level = nestedLevel(table);
  addTo(MODE_AGILE, S_WALKS_AT + (level ? level - guestLeaf + 1 : 0), 1);
  if (!level) {
    const filled = load<u32>(table, T_AGILE) & SHADOWED && load<u32>(leaf) & AGILE_SHADOWED;
    if (!filled) fill(table, leaf);
    if (!filled || sets) addTo(MODE_AGILE, S_HIDDEN_FAULTS, 1);
  } else if (!backed) addTo(MODE_AGILE, S_EPT_VIOLATIONS, 1);
  startWalk();
  walkTables(walker, 0, table, leaf, 0, level);
  if (level) translateFrame(walker, 0, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, 0);
  endWalk(MODE_AGILE);
}

/** The monitor shadows the tables on the path to the entry, and the entry. */
function fill(leafTable: usize, leaf: usize): void {
  for (let table = leafTable; table; table = <usize>load<u32>(table, T_PARENT)) {
    const flags = load<u32>(table, T_AGILE);
    if (!(flags & SHADOWED)) clearFlag(table, AGILE_SHADOWED);
    store<u32>(table, flags | SHADOWED, T_AGILE);
  }
  store<u32>(leaf, load<u32>(leaf) | AGILE_SHADOWED);
}

/** Ends an interval: nested tables that were not written in it turn shadow again. */
export function agileInterval(): void {
  if (!((modes >> MODE_AGILE) & 1)) return;
  interval++;
  for (let number: u32 = 0; number < machineCount(); number++) {
    const vm = knownMachine(number);
    if (vm && review(<usize>load<u32>(vm, VM_ROOT))) turned(vm);
  }
}

/** Reviews a table that is not below a nested one, and those below. Returns whether one turned. */
function review(table: usize): bool {
  const flags = load<u32>(table, T_AGILE);
  const nested = (flags & NESTED) != 0;
  if (nested) {
    if (flags & WRITTEN) {
      clean(table);
      return false;
    }
    addTo(MODE_AGILE, S_CHECKED, 1);
    addTo(MODE_AGILE, S_TO_SHADOW, 1);
    store<u32>(table, 0, T_AGILE);
  }
  let changed = nested;
  if (load<u32>(table, T_LEVEL) == guestLeaf) return changed;
  for (let at = table + T_ENTRIES, end = at + 2048; at < end; at += 4) {
    const child = childOf(at);
    if (!child) continue;
    // What was nested below this table is so by itself now, and is asked in turn.
    if (nested) store<u32>(child, load<u32>(child, T_AGILE) | NESTED, T_AGILE);
    if (review(child)) changed = true;
  }
  return changed;
}

/** A table that stays nested: the dirty flags of it and of those below are cleared for the next interval. */
function clean(table: usize): void {
  addTo(MODE_AGILE, S_CHECKED, 1);
  store<u32>(table, load<u32>(table, T_AGILE) & ~WRITTEN, T_AGILE);
  if (load<u32>(table, T_LEVEL) == guestLeaf) return;
  for (let at = table + T_ENTRIES, end = at + 2048; at < end; at += 4) {
    const child = childOf(at);
    if (child) clean(child);
  }
}
