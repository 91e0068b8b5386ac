/**
 * The page walk, reference by reference, in both modes (mechanisms.md, A.2, A.3, A.5).
 *
 * native: n reads of guest entries. nested: each guest-table pointer and the final address is translated through the
 * EPT (m reads), so (n + 1) * m + n in all. Reads are saved by
 *   - paging-structure caches (PSC) for each level above the leaf: a hit on level l gives the table of level l - 1,
 *     fully associative, true LRU, the deepest hit wins;
 *   - the same for the EPT's own tables, and a small cache of complete guest-physical translations.
 * Guest entries get A at every level read and D at the leaf on a write. EPT entries get A at every level read, and D
 * in the leaf; a walker's access to a guest table counts as a write to the table's page ("Accessed and Dirty Flags for
 * EPT"). What a cache skips, it does not set. Flags never clear by themselves.
 *
 * An EPT violation or a full log interrupts the access, which is then made again; the references of the interrupted
 * attempt are part of the exit's cost and not counted here.
 */
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
  pscCycles,
  pscEntries,
  walkFarCycles,
  walkNearCycles,
} from './config';
import { lruInsert, lruPromote, lruShift } from './lru';
import {
  C_EPT_VIOLATIONS,
  C_NATIVE_REFERENCES,
  C_NATIVE_WALK_CYCLES,
  C_NESTED_REFERENCES,
  C_NESTED_WALK_CYCLES,
} from './parameters';
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
import { V_VM, W_EPT_PSC, W_LINES, W_NESTED_TLB, W_PSC } from './vcpu';

/** References and cycles of the walk in progress. */
let references: u32 = 0;
let cycles: f64 = 0;

/** The tables on the path to the page, by level. */
const path: usize = heap.alloc(6 * 4);

/** Walks the guest's tables alone. Returns the leaf's dirty flag after the walk. */
export function walkNative(walker: usize, state: usize, number: u64, write: u32): bool {
  references = 0;
  cycles = 0;
  const leafEntry = walkGuest(walker, state, number, write, 0);
  add(C_NATIVE_REFERENCES, references);
  add(C_NATIVE_WALK_CYCLES, cycles);
  return (load<u32>(leafEntry) & DIRTY) != 0;
}

/**
 * Walks both dimensions. `address` is the virtual address; `page` and `state` are its page. Returns whether the data
 * frame's EPT entry is dirty after the walk.
 */
export function walkNested(
  walker: usize,
  vcpu: usize,
  page: u32,
  state: usize,
  number: u64,
  address: u64,
  write: u32,
): bool {
  references = 0;
  cycles = 0;
  const leafEntry = walkGuest(walker, state, number, write, vcpu);
  const vm = <usize>load<u32>(vcpu, V_VM);
  // Inside the page: bits of the address above 4 KiB, which the log reports too.
  const within = <u32>(address >> 12) & ((1 << (9 * (guestLeaf - 1))) - 1);
  const frame = (load<u32>(leafEntry) >> FRAME_SHIFT) | within;
  let entry = eptOfData(vm, frame, state);
  if (entry == 0) {
    add(C_EPT_VIOLATIONS, 1);
    backData(vm, frame, page);
    entry = eptOfData(vm, frame, state);
  }
  nestedTranslate(walker, vcpu, frame, <usize>load<u32>(state, PAGE_EPT_TABLE), entry, write);
  add(C_NESTED_REFERENCES, references);
  add(C_NESTED_WALK_CYCLES, cycles);
  return (load<u32>(entry) & DIRTY) != 0;
}

/** The guest's dimension; `vcpu` is 0 in native mode. Returns the leaf entry. */
function walkGuest(walker: usize, state: usize, number: u64, write: u32, vcpu: usize): usize {
  let table = <usize>load<u32>(state, PAGE_TABLE);
  for (let level = guestLeaf; level <= guestRoot; level++) {
    store<u32>(path + ((<usize>level) << 2), <u32>table);
    table = <usize>load<u32>(table, T_PARENT);
  }
  cycles += pscCycles;
  let start = guestRoot;
  for (let level = guestLeaf + 1; level <= guestRoot; level++) {
    const below = load<u32>(path + ((<usize>(level - 1)) << 2));
    if (!lruPromote(psc(walker, W_PSC, level), pscEntries(level), below)) continue;
    start = level - 1;
    break;
  }

  let entry: usize = 0;
  for (let level = start; level >= guestLeaf; level--) {
    table = <usize>load<u32>(path + ((<usize>level) << 2));
    if (vcpu) {
      const tableEpt = <usize>load<u32>(table, T_EPT_TABLE);
      nestedTranslate(walker, vcpu, load<u32>(table, T_GUEST), tableEpt, <usize>load<u32>(table, T_EPT_ENTRY), 1);
    }
    if (level == guestLeaf) {
      entry = table + T_ENTRIES + ((<usize>(<u32>number & 511)) << 2);
      store<u32>(entry, load<u32>(entry) | ACCESSED | (write ? DIRTY : 0));
    } else {
      const below = load<u32>(path + ((<usize>(level - 1)) << 2));
      entry = <usize>load<u32>(<usize>below, T_ENTRY);
      store<u32>(entry, load<u32>(entry) | ACCESSED);
      lruInsert(psc(walker, W_PSC, level), pscEntries(level), below);
    }
    reference(walker, table, entry);
  }
  return entry;
}

/** One nested translation: guest frame -> host frame, by the EPT entry `entry` of leaf table `leaf`. */
function nestedTranslate(walker: usize, vcpu: usize, frame: u32, leaf: usize, entry: usize, write: u32): void {
  const key = ((frame >> (9 * (eptLeaf - 1))) + 1) << 1;
  const cached = <usize>load<u32>(walker, W_NESTED_TLB);
  const found = nestedPromote(cached, key);
  if (found && (!write || load<u32>(cached) & 1)) return;

  let table = leaf;
  for (let level = eptLeaf; level <= eptRoot; level++) {
    store<u32>(eptPath + ((<usize>level) << 2), <u32>table);
    table = <usize>load<u32>(table, T_PARENT);
  }
  cycles += pscCycles;
  let start = eptRoot;
  for (let level = eptLeaf + 1; level <= eptRoot; level++) {
    const below = load<u32>(eptPath + ((<usize>(level - 1)) << 2));
    if (!lruPromote(psc(walker, W_EPT_PSC, level), eptPscEntries(level), below)) continue;
    start = level - 1;
    break;
  }

  // The index of the log is checked before any flag is set, also when only A flags are due.
  let due = (load<u32>(entry) & (write ? ACCESSED | DIRTY : ACCESSED)) != (write ? ACCESSED | DIRTY : ACCESSED);
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
    reference(walker, table, upper);
  }
  const flags = load<u32>(entry);
  store<u32>(entry, flags | ACCESSED | (write ? DIRTY : 0));
  if (write && !(flags & DIRTY)) pmlLog(vcpu, (<u64>frame) << 12);
  reference(walker, leaf, entry);

  const dirty: u32 = write || flags & DIRTY ? 1 : 0;
  if (found) store<u32>(cached, key | dirty);
  else lruInsert(cached, nestedTlbEntries, key | dirty);
}
const eptPath: usize = heap.alloc(6 * 4);

/** Moves the translation with this key (bit 0: dirty flag cached) to the front. */
function nestedPromote(set: usize, key: u32): bool {
  for (let at: usize = 0, end = (<usize>nestedTlbEntries) << 2; at < end; at += 4) {
    const entry = load<u32>(set + at);
    if ((entry ^ key) > 1) continue;
    lruShift(set, at);
    store<u32>(set, entry);
    return true;
  }
  return false;
}

function psc(walker: usize, kind: usize, level: u32): usize {
  return <usize>load<u32>(walker + kind + ((<usize>(level - 2)) << 2));
}

/** Reads one table entry: near when its line was read lately, else from the last-level cache. */
function reference(walker: usize, table: usize, entry: usize): void {
  references++;
  const line = entryLine(table, entry);
  const set = <usize>load<u32>(walker, W_LINES) + ((<usize>(line & (l2Sets - 1)) * l2Ways) << 2);
  if (lruPromote(set, l2Ways, line + 1)) cycles += walkNearCycles;
  else {
    lruInsert(set, l2Ways, line + 1);
    cycles += walkFarCycles;
  }
}
