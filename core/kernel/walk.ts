/**
 * The page walk, reference by reference, in every mode (mechanisms.md, A.2, A.3, A.5, F).
 *
 * One-dimensional: n reads of guest (or shadow) entries. Two-dimensional: each guest-table pointer and the final address
 * is translated through the EPT (m reads), so (n + 1) * m + n in all. Reads are saved by
 *   - paging-structure caches (PSC) for each level above the leaf: a hit on level l gives the table of level l - 1,
 *     fully associative, true LRU, the deepest hit wins;
 *   - the same for the EPT's own tables, and a small cache of complete guest-physical translations.
 * Each mode has its own (a *walker*, vcpu.ts), so that no mode changes what another one finds.
 *
 * Mode native sets the guest's flags: A at every level read, D at the leaf on a write. Mode nested sets those of the
 * EPT: A at every level read, D in the leaf; a walker's access to a guest table counts as a write to the table's page
 * ("Accessed and Dirty Flags for EPT"). What a cache skips, it does not set. In the other modes the EPT's flags are off.
 *
 * An EPT violation or a full log interrupts the access, which is then made again; the references of the interrupted
 * attempt are part of the exit's cost and not counted here.
 */

import {
  C_EPT_VIOLATIONS,
  C_NATIVE_REFERENCES,
  C_NATIVE_WALK_CYCLES,
  C_NESTED_REFERENCES,
  C_NESTED_WALK_CYCLES,
  MODE_NATIVE,
  MODE_NESTED,
  S_CYCLES,
  S_REFERENCES,
} from './abi-machine';
import {
  add,
  addTo,
  eptPscEntries,
  eptRoot,
  guestRoot,
  l2Sets,
  l2Ways,
  nestedTlbEntries,
  pscCycles,
  pscEntries,
  walkFarCycles,
  walkNearCycles,
} from './config';
import { lruFind, lruInsert, lruMove, lruPromote, lruUse } from './lru';
import { pmlBeforeFlags, pmlLog } from './pml';
import {
  ACCESSED,
  DIRTY,
  entryLine,
  eptOfData,
  guestFrame,
  PAGE_EPT_TABLE,
  PAGE_TABLE,
  PRESENT,
  T_ENTRY,
  T_EPT_ENTRY,
  T_EPT_TABLE,
  T_GUEST,
  T_LEVEL,
  T_PARENT,
} from './tables';
import { V_VM, W_EPT_PSC, W_LINES, W_NESTED_TLB, W_PSC, walkerOf } from './vcpu';

/** References and cycles of the walk in progress. */
let references: u32 = 0;
let cycles: f64 = 0;

/** Cycles and tables of the last walk in mode native, which other one-dimensional walks share. */
export let nativeCycles: f64 = 0;
export let nativeTables: u32 = 0;

/** The tables on the path to the page, and to a frame, by level. */
const path: usize = heap.alloc(6 * 4);
const eptPath: usize = heap.alloc(6 * 4);

/** Which guest tables a walk translates: those of a lower level. */
export const NO_TABLE: u32 = 0;
export const EVERY_TABLE: u32 = 6;

export function startWalk(): void {
  references = 0;
  cycles = 0;
}

/** Counts the walk for a mode. */
export function endWalk(mode: i32): void {
  addTo(mode, S_REFERENCES, references);
  addTo(mode, S_CYCLES, cycles);
}

/**
 * Walks to a mapped page natively, and in mode nested where it is active. `leaf` is the page's guest entry. Returns
 * whether the leaf entries of all active dimensions are dirty after the walk.
 */
export function walkPage(vcpu: usize, state: usize, leaf: usize, address: u64, write: u32): bool {
  const leafTable = <usize>load<u32>(state, PAGE_TABLE);
  startWalk();
  const flags = write ? ACCESSED | DIRTY : ACCESSED;
  nativeTables = walkTables(walkerOf(vcpu, MODE_NATIVE), 0, leafTable, leaf, flags, NO_TABLE);
  nativeCycles = cycles;
  add(C_NATIVE_REFERENCES, references);
  add(C_NATIVE_WALK_CYCLES, cycles);
  const dirty = (load<u32>(leaf) & DIRTY) != 0;
  const walker = walkerOf(vcpu, MODE_NESTED);
  if (!walker) return dirty;

  startWalk();
  walkTables(walker, vcpu, leafTable, leaf, 0, EVERY_TABLE);
  const frame = guestFrame(leafTable, leaf, address);
  const entry = eptOfData(<usize>load<u32>(vcpu, V_VM), frame, state);
  if (!(load<u32>(entry) & PRESENT)) {
    add(C_EPT_VIOLATIONS, 1);
    store<u32>(entry, load<u32>(entry) | PRESENT);
  }
  translateFrame(walker, vcpu, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, write);
  add(C_NESTED_REFERENCES, references);
  add(C_NESTED_WALK_CYCLES, cycles);
  return dirty && (load<u32>(entry) & DIRTY) != 0;
}

/**
 * Reads the guest's tables down to the entry `leaf` of `leafTable`, and returns how many.
 * @param logging the vCPU, when the EPT's flags are on; else 0
 * @param flags what to set in guest entries; D in the leaf alone. 0: nothing
 * @param translated tables below this level are guest-physical and are translated first
 */
export function walkTables(
  walker: usize,
  logging: usize,
  leafTable: usize,
  leaf: usize,
  flags: u32,
  translated: u32,
): u32 {
  // Where the walk starts: below the deepest level that the paging-structure caches hold. `path` is filled up to there.
  cycles += pscCycles;
  const lowest = load<u32>(leafTable, T_LEVEL);
  let table = leafTable;
  let start = lowest;
  store<u32>(path + ((<usize>start) << 2), <u32>table);
  while (start < guestRoot && !lruPromote(psc(walker, W_PSC, start + 1), pscEntries(start + 1), <u32>table)) {
    table = <usize>load<u32>(table, T_PARENT);
    start++;
    store<u32>(path + ((<usize>start) << 2), <u32>table);
  }

  for (let level = start; level > lowest; level--) {
    table = <usize>load<u32>(path + ((<usize>level) << 2));
    const below = load<u32>(path + ((<usize>(level - 1)) << 2));
    const entry = <usize>load<u32>(<usize>below, T_ENTRY);
    if (level < translated) translateTable(walker, logging, table);
    if (flags) store<u32>(entry, load<u32>(entry) | ACCESSED);
    lruInsert(psc(walker, W_PSC, level), pscEntries(level), below);
    readEntry(walker, table, entry);
  }

  if (lowest < translated) translateTable(walker, logging, leafTable);
  if (flags) store<u32>(leaf, load<u32>(leaf) | flags);
  readEntry(walker, leafTable, leaf);
  return start - lowest + 1;
}

/** Translates the guest-physical address of a guest table, to read an entry of it: for the EPT a write. */
function translateTable(walker: usize, logging: usize, table: usize): void {
  const leaf = <usize>load<u32>(table, T_EPT_TABLE);
  translateFrame(walker, logging, load<u32>(table, T_GUEST), leaf, <usize>load<u32>(table, T_EPT_ENTRY), 1);
}

/**
 * One nested translation: guest frame -> host frame, by the EPT entry `entry` of leaf table `leaf`.
 * @param logging the vCPU whose log takes `frame`; 0: the EPT's flags are off
 */
export function translateFrame(walker: usize, logging: usize, frame: u32, leaf: usize, entry: usize, write: u32): void {
  const key = <u32>entry;
  const cached = <usize>load<u32>(walker, W_NESTED_TLB);
  const at = lruFind(cached, nestedTlbEntries, key, 1);
  const found = at >= 0;
  if (found) {
    const known = load<u32>(cached + at);
    if (at > 0) lruMove(cached, nestedTlbEntries, at, known);
    if (!write || known & 1 || !logging) return;
  }

  cycles += pscCycles;
  const lowest = load<u32>(leaf, T_LEVEL);
  let table = leaf;
  let start = lowest;
  store<u32>(eptPath + ((<usize>start) << 2), <u32>table);
  while (start < eptRoot && !lruPromote(psc(walker, W_EPT_PSC, start + 1), eptPscEntries(start + 1), <u32>table)) {
    table = <usize>load<u32>(table, T_PARENT);
    start++;
    store<u32>(eptPath + ((<usize>start) << 2), <u32>table);
  }

  const flags = load<u32>(entry);
  if (logging) setEptFlags(logging, start, lowest, entry, flags, write);
  for (let level = start; level > lowest; level--) {
    table = <usize>load<u32>(eptPath + ((<usize>level) << 2));
    const below = load<u32>(eptPath + ((<usize>(level - 1)) << 2));
    lruInsert(psc(walker, W_EPT_PSC, level), eptPscEntries(level), below);
    readEntry(walker, table, <usize>load<u32>(<usize>below, T_ENTRY));
  }
  if (logging && write && !(flags & DIRTY)) pmlLog(logging, (<u64>frame) << 12);
  readEntry(walker, leaf, entry);

  const dirty: u32 = write || flags & DIRTY ? 1 : 0;
  if (found) store<u32>(cached, key | dirty);
  else lruInsert(cached, nestedTlbEntries, key | dirty);
}

/** Sets the flags of the EPT entries from level `start` of `eptPath` down to the leaf `entry` of level `lowest`. */
function setEptFlags(vcpu: usize, start: u32, lowest: u32, entry: usize, flags: u32, write: u32): void {
  // The index of the log is checked before any flag is set, also when only A flags are due.
  const wanted = write ? ACCESSED | DIRTY : ACCESSED;
  let due = (flags & wanted) != wanted;
  for (let level = start; level > lowest && !due; level--) due = !(load<u32>(upperEntry(level)) & ACCESSED);
  if (!due) return;
  pmlBeforeFlags(vcpu);
  for (let level = start; level > lowest; level--) {
    const upper = upperEntry(level);
    store<u32>(upper, load<u32>(upper) | ACCESSED);
  }
  store<u32>(entry, flags | wanted);
}

/** The entry of `eptPath`'s table of this level that points to the table below. */
function upperEntry(level: u32): usize {
  return <usize>load<u32>(<usize>load<u32>(eptPath + ((<usize>(level - 1)) << 2)), T_ENTRY);
}

/** Reads a table's entry: one reference, near when the walker read its line lately, else from the last-level cache. */
function readEntry(walker: usize, table: usize, entry: usize): void {
  const line = entryLine(table, entry);
  const set = <usize>load<u32>(walker, W_LINES) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 2);
  references++;
  cycles += lruUse(set, l2Ways, line + 1) ? walkNearCycles : walkFarCycles;
}

/** The set of keys of level 2..5 whose pointers begin at `kind` of the walker. */
function psc(walker: usize, kind: usize, level: u32): usize {
  return <usize>load<u32>(walker + kind + ((<usize>(level - 2)) << 2));
}
