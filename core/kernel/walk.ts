/**
 * The page walk, reference by reference, in both modes (mechanisms.md, A.2, A.3, A.5).
 *
 * native: n reads of guest entries. nested: each guest-table pointer and the final address is translated through the
 * EPT (m reads), so (n + 1) * m + n in all. Reads are saved by
 *   - paging-structure caches (PSC) for each level above the leaf: a hit on level l gives the table of level l - 1,
 *     fully associative, true LRU, the deepest hit wins;
 *   - the same for the EPT's own tables, and a small cache of complete guest-physical translations.
 * Both modes walk together: they miss at the same accesses, and their caches of the guest's levels (*linear* mappings
 * in one, *combined* in the other) are filled by the same walks, so they are kept once.
 * Guest entries get A at every level read and D at the leaf on a write. EPT entries get A at every level read, and D
 * in the leaf; a walker's access to a guest table counts as a write to the table's page ("Accessed and Dirty Flags for
 * EPT"). What a cache skips, it does not set. Flags never clear by themselves.
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
} from './abi-machine';
import {
  add,
  eptLeaf,
  eptPscEntries,
  eptRoot,
  guestLeaf,
  guestRoot,
  l2Sets,
  l2Ways,
  nestedTlbEntries,
  pageShift,
  pscCycles,
  pscEntries,
  walkFarCycles,
  walkNearCycles,
} from './config';
import { lruFind, lruInsert, lruMove, lruPromote, lruUse } from './lru';
import { pmlBeforeFlags, pmlLog } from './pml';
import {
  ACCESSED,
  backData,
  DIRTY,
  entryLine,
  eptOfData,
  FRAME_SHIFT,
  PAGE_EPT_TABLE,
  PAGE_TABLE,
  T_ENTRIES,
  T_ENTRY,
  T_EPT_ENTRY,
  T_EPT_TABLE,
  T_GUEST,
  T_PARENT,
} from './tables';
import { V_NATIVE, V_NESTED, V_PSC, V_VM, W_EPT_PSC, W_LINES, W_NESTED_TLB } from './vcpu';

/** Counts of the walk in progress. */
let nativeCycles: f64 = 0;
let nestedCycles: f64 = 0;
let nestedReferences: u32 = 0;

/** The tables on the path to the page, and to a frame, by level. */
const path: usize = heap.alloc(6 * 4);
const eptPath: usize = heap.alloc(6 * 4);

/**
 * Walks to a mapped page in every active mode. `state` is the page's (tables.ts), `address` the virtual address.
 * Returns whether the leaf entries of all active dimensions are dirty after the walk.
 */
export function walkPage(vcpu: usize, page: u32, state: usize, address: u64, write: u32): bool {
  const native = <usize>load<u32>(vcpu, V_NATIVE);
  const walker = <usize>load<u32>(vcpu, V_NESTED);

  // 1. Where the walk starts: below the deepest level that the paging-structure caches hold. `path` is filled up to there.
  nativeCycles = pscCycles;
  nestedCycles = pscCycles;
  nestedReferences = 0;
  const leafTable = <usize>load<u32>(state, PAGE_TABLE);
  let table = leafTable;
  let start = guestLeaf;
  store<u32>(path + ((<usize>start) << 2), <u32>table);
  while (start < guestRoot && !lruPromote(psc(vcpu, V_PSC, start + 1), pscEntries(start + 1), <u32>table)) {
    table = <usize>load<u32>(table, T_PARENT);
    start++;
    store<u32>(path + ((<usize>start) << 2), <u32>table);
  }
  add(C_NATIVE_REFERENCES, start - guestLeaf + 1);

  // 2. The upper levels.
  for (let level = start; level > guestLeaf; level--) {
    table = <usize>load<u32>(path + ((<usize>level) << 2));
    const below = load<u32>(path + ((<usize>(level - 1)) << 2));
    const entry = <usize>load<u32>(<usize>below, T_ENTRY);
    if (walker) translateTable(walker, vcpu, table);
    store<u32>(entry, load<u32>(entry) | ACCESSED);
    lruInsert(psc(vcpu, V_PSC, level), pscEntries(level), below);
    readEntry(native, walker, table, entry);
  }

  // 3. The leaf.
  const leaf = leafTable + T_ENTRIES + ((<usize>(<u32>(address >> pageShift) & 511)) << 2);
  if (walker) translateTable(walker, vcpu, leafTable);
  store<u32>(leaf, load<u32>(leaf) | ACCESSED | (write ? DIRTY : 0));
  readEntry(native, walker, leafTable, leaf);
  add(C_NATIVE_WALK_CYCLES, nativeCycles);
  let dirty = (load<u32>(leaf) & DIRTY) != 0;
  if (!walker) return dirty;

  // 4. The final guest-physical address.
  // Inside a large page: bits of the address above 4 KiB, which the log reports too.
  const within = <u32>(address >> 12) & ((1 << (9 * (guestLeaf - 1))) - 1);
  const frame = (load<u32>(leaf) >> FRAME_SHIFT) | within;
  const vm = <usize>load<u32>(vcpu, V_VM);
  let entry = eptOfData(vm, frame, state);
  if (entry == 0) {
    add(C_EPT_VIOLATIONS, 1);
    backData(vm, frame, page);
    entry = eptOfData(vm, frame, state);
  }
  nestedTranslate(walker, vcpu, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, write);
  add(C_NESTED_REFERENCES, nestedReferences);
  add(C_NESTED_WALK_CYCLES, nestedCycles);
  return dirty && (load<u32>(entry) & DIRTY) != 0;
}

/** Translates the guest-physical address of a guest table, to read an entry of it: for the EPT a write. */
function translateTable(walker: usize, vcpu: usize, table: usize): void {
  const leaf = <usize>load<u32>(table, T_EPT_TABLE);
  nestedTranslate(walker, vcpu, load<u32>(table, T_GUEST), leaf, <usize>load<u32>(table, T_EPT_ENTRY), 1);
}

/** Reads a guest entry, in each active mode. */
function readEntry(native: usize, walker: usize, table: usize, entry: usize): void {
  const line = entryLine(table, entry);
  nativeCycles += readLine(native, line);
  if (!walker) return;
  nestedReferences++;
  nestedCycles += readLine(walker, line);
}

/** One nested translation: guest frame -> host frame, by the EPT entry `entry` of leaf table `leaf`. */
function nestedTranslate(walker: usize, vcpu: usize, frame: u32, leaf: usize, entry: usize, write: u32): void {
  const key = ((frame >> (9 * (eptLeaf - 1))) + 1) << 1;
  const cached = <usize>load<u32>(walker, W_NESTED_TLB);
  const at = lruFind(cached, nestedTlbEntries, key, 1);
  const found = at >= 0;
  if (found) {
    const known = load<u32>(cached + at);
    if (at > 0) lruMove(cached, nestedTlbEntries, at, known);
    if (!write || known & 1) return;
  }

  nestedCycles += pscCycles;
  let table = leaf;
  let start = eptLeaf;
  store<u32>(eptPath + ((<usize>start) << 2), <u32>table);
  while (start < eptRoot && !lruPromote(psc(walker, W_EPT_PSC, start + 1), eptPscEntries(start + 1), <u32>table)) {
    table = <usize>load<u32>(table, T_PARENT);
    start++;
    store<u32>(eptPath + ((<usize>start) << 2), <u32>table);
  }

  // The index of the log is checked before any flag is set, also when only A flags are due.
  const wanted = write ? ACCESSED | DIRTY : ACCESSED;
  const flags = load<u32>(entry);
  let due = (flags & wanted) != wanted;
  for (let level = start; level > eptLeaf && !due; level--) {
    const below = load<u32>(eptPath + ((<usize>(level - 1)) << 2));
    due = !(load<u32>(<usize>load<u32>(<usize>below, T_ENTRY)) & ACCESSED);
  }
  if (due) pmlBeforeFlags(vcpu);

  for (let level = start; level > eptLeaf; level--) {
    table = <usize>load<u32>(eptPath + ((<usize>level) << 2));
    const below = load<u32>(eptPath + ((<usize>(level - 1)) << 2));
    const upper = <usize>load<u32>(<usize>below, T_ENTRY);
    store<u32>(upper, load<u32>(upper) | ACCESSED);
    lruInsert(psc(walker, W_EPT_PSC, level), eptPscEntries(level), below);
    readEptEntry(walker, table, upper);
  }
  store<u32>(entry, flags | wanted);
  if (write && !(flags & DIRTY)) pmlLog(vcpu, (<u64>frame) << 12);
  readEptEntry(walker, leaf, entry);

  const dirty: u32 = write || flags & DIRTY ? 1 : 0;
  if (found) store<u32>(cached, key | dirty);
  else lruInsert(cached, nestedTlbEntries, key | dirty);
}

function readEptEntry(walker: usize, table: usize, entry: usize): void {
  nestedReferences++;
  nestedCycles += readLine(walker, entryLine(table, entry));
}

/** Cycles to read a table entry's line: near when the walker read it lately, else in the last-level cache. */
function readLine(walker: usize, line: u32): f64 {
  const set = <usize>load<u32>(walker, W_LINES) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 2);
  return lruUse(set, l2Ways, line + 1) ? walkNearCycles : walkFarCycles;
}

/** The set of keys of level 2..5 whose pointers begin at `kind` of `owner`. */
function psc(owner: usize, kind: usize, level: u32): usize {
  return <usize>load<u32>(owner + kind + ((<usize>(level - 2)) << 2));
}
