/**
 * Mode dsp: each virtual machine is paged by shadow tables or by nested tables, as the host decides now and then
 * (mechanisms.md, F.2; the rules are in machine/dsp.ts). A machine starts nested.
 *
 * While it shadows: exits as in mode shadow (shadow.ts), but the shadow tables start empty at each switch and are filled
 * by hidden faults. They are known by a generation: a guest table is shadowed, and so write-protected, if it has the
 * machine's; then its entries say which of them are filled. While it nests: walks in two dimensions, EPT violations.
 * A switch drops every cached translation of the machine (linear ones are no use under another root, nor are combined
 * ones). The TLBs are the same in all modes, so that what a switch drops from them is counted, not dropped.
 */

import {
  MODE_DSP,
  S_CR3_LOADS,
  S_DROPPED,
  S_EPT_VIOLATIONS,
  S_GUEST_FAULTS,
  S_HIDDEN_FAULTS,
  S_INVLPG,
  S_SWITCHES,
  S_TABLE_WRITES,
} from './abi-machine';
import { addTo } from './config';
import {
  clearFlag,
  DSP_BACKED,
  DSP_SHADOWED,
  eptOfData,
  guestFrame,
  knownMachine,
  linkedTable,
  PAGE_EPT_TABLE,
  PAGE_TABLE,
  T_DSP,
  T_PARENT,
  VM_GENERATION,
  VM_ROOT,
  VM_SHADOWS,
} from './tables';
import { tlbEntriesHeld } from './tlb';
import { flushGuestPhysical, flushPsc, recordAt, recordCount, V_VM, walkerOf } from './vcpu';
import { EVERY_TABLE, endWalk, NO_TABLE, startWalk, translateFrame, walkTables } from './walk';

export function dspMapped(vm: usize): void {
  if (!load<u32>(vm, VM_SHADOWS)) return;
  addTo(MODE_DSP, S_GUEST_FAULTS, 1);
  if (shadowed(vm, linkedTable)) addTo(MODE_DSP, S_TABLE_WRITES, 1);
}

export function dspUnmapped(vm: usize, table: usize, entry: usize): void {
  if (!load<u32>(vm, VM_SHADOWS) || !shadowed(vm, table)) return;
  addTo(MODE_DSP, S_TABLE_WRITES, 1);
  store<u32>(entry, load<u32>(entry) & ~DSP_SHADOWED);
}

export function dspFlushed(vm: usize, pages: u32, vcpus: u32): void {
  if (!load<u32>(vm, VM_SHADOWS)) return;
  if (pages) addTo(MODE_DSP, S_INVLPG, pages * vcpus);
  else addTo(MODE_DSP, S_CR3_LOADS, vcpus);
}

/** A walk to the page whose guest entry is `leaf`. `sets`: it sets the guest's dirty flag. */
export function dspWalk(record: usize, vm: usize, state: usize, leaf: usize, address: u64, sets: bool): void {
  const walker = walkerOf(record, MODE_DSP);
  const table = <usize>load<u32>(state, PAGE_TABLE);
  const frame = guestFrame(table, leaf, address);
  const entry = eptOfData(vm, frame, state);
  const backed = (load<u32>(entry) & DSP_BACKED) != 0;
  store<u32>(entry, load<u32>(entry) | DSP_BACKED);
  startWalk();
  if (load<u32>(vm, VM_SHADOWS)) {
    const filled = shadowed(vm, table) && load<u32>(leaf) & DSP_SHADOWED;
    if (!filled) fill(vm, table, leaf);
    if (!filled || sets) addTo(MODE_DSP, S_HIDDEN_FAULTS, 1);
    walkTables(walker, 0, table, leaf, 0, NO_TABLE);
  } else {
    if (!backed) addTo(MODE_DSP, S_EPT_VIOLATIONS, 1);
    walkTables(walker, 0, table, leaf, 0, EVERY_TABLE);
    translateFrame(walker, 0, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, 0);
  }
  endWalk(MODE_DSP);
}

function shadowed(vm: usize, table: usize): bool {
  return load<u32>(table, T_DSP) == load<u32>(vm, VM_GENERATION);
}

/** The monitor shadows the tables on the path to the entry, and the entry. */
function fill(vm: usize, leafTable: usize, leaf: usize): void {
  for (let table = leafTable; table && !shadowed(vm, table); table = <usize>load<u32>(table, T_PARENT)) {
    clearFlag(table, DSP_SHADOWED);
    store<u32>(table, load<u32>(vm, VM_GENERATION), T_DSP);
  }
  store<u32>(leaf, load<u32>(leaf) | DSP_SHADOWED);
}

/** Switches the machine of a process to shadow paging, or back to nested paging. */
export function dspSwitch(process: u32, shadow: bool): void {
  const vm = knownMachine(process);
  if (!vm || (load<u32>(vm, VM_SHADOWS) != 0) == shadow) return;
  store<u32>(vm, shadow ? 1 : 0, VM_SHADOWS);
  if (shadow) {
    // CR3 is loaded: the root alone is shadowed.
    const generation = load<u32>(vm, VM_GENERATION) + 1;
    store<u32>(vm, generation, VM_GENERATION);
    store<u32>(<usize>load<u32>(vm, VM_ROOT), generation, T_DSP);
  }
  addTo(MODE_DSP, S_SWITCHES, 1);
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record == 0 || <usize>load<u32>(record, V_VM) != vm) continue;
    const walker = walkerOf(record, MODE_DSP);
    flushPsc(walker);
    flushGuestPhysical(walker);
    addTo(MODE_DSP, S_DROPPED, tlbEntriesHeld(record));
  }
}
