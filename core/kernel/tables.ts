/**
 * Simulated memory of the minimal VMM (after vmmload, mechanisms.md C): per process one guest address space without an
 * OS, its page tables over extended page tables (EPT), and frames handed out on demand.
 *
 * Tables are radix trees of 512 entries (A.1). An entry is a u32: frame number of 4 KiB << 6 | flags; on the modelled
 * machine it has 8 bytes, so the entry of index i of a table lies at frame * 4096 + 8 * i. A table is a record in
 * linear memory and its pointer is its identity, which the walk caches use as their key. A table above the lowest level
 * may hold leaf entries, of large pages, beside pointers to tables (sizes.ts).
 *
 * A guest entry is written when the page is first touched, as a guest kernel does in its page fault, and cleared when
 * the page is unmapped (mappings.ts). The VMM backs the guest's table pages itself; data frames are backed by an EPT
 * violation on the first access. A page keeps its frames for the whole run, also when the program unmaps it, and tables
 * stay where they are.
 *
 * Guest frames are handed out in the order of first touch: a page takes the lowest free aligned range of its size. Table
 * frames come from far above.
 */
import { enlarge, take } from './arena';
import { eptRoot, guestRoot } from './config';
import { eptLeafOf, guestLeafOf, levelShift } from './sizes';

export const PRESENT: u32 = 1;
export const ACCESSED: u32 = 2;
export const DIRTY: u32 = 4;
/** Guest leaf entry: it has had a frame, so that it maps a page and no table. Of modes: their shadow table holds it. */
export const FRAMED: u32 = 8;
export const DSP_SHADOWED: u32 = 16;
export const AGILE_SHADOWED: u32 = 32;
/** EPT leaf entry: it is present in that mode. In mode nested, and in Guest Direct's own tables, PRESENT says so. */
export const DSP_BACKED: u32 = 8;
export const GUEST_DIRECT_BACKED: u32 = 16;
export const AGILE_BACKED: u32 = 32;
export const FRAME_SHIFT: u32 = 6;

// A table's record.
/** Table that points here; 0 for a root. */
export const T_PARENT: usize = 0;
/** Pointer to the entry that points here; 0 for a root. */
export const T_ENTRY: usize = 4;
/** Host frame of the table. */
export const T_HOST: usize = 8;
/** Guest frame of a guest table; its EPT leaf table and the EPT entry that maps it. */
export const T_GUEST: usize = 12;
export const T_EPT_TABLE: usize = 16;
export const T_EPT_ENTRY: usize = 20;
export const T_LEVEL: usize = 24;
/** DSP: generation of the VM's shadow tables that shadows this table. */
export const T_DSP: usize = 28;
/** Agile paging: flags (agile.ts), writes counted, and the interval that they were counted in. */
export const T_AGILE: usize = 32;
export const T_AGILE_WRITES: usize = 36;
export const T_AGILE_INTERVAL: usize = 40;
/** 512 entries. Beside each lies, for a pointer, the child table; for a leaf entry the page that it is known by (mappings.ts). */
export const T_ENTRIES: usize = 64;
export const T_CHILDREN: usize = T_ENTRIES + 2048;
const TABLE_BYTES: usize = T_CHILDREN + 2048;

// A page's state.
/** Leaf guest table, 0 until mapped. */
export const PAGE_TABLE: usize = 0;
/** Leaf EPT table and entry of its data frame, 0 until first asked for. */
export const PAGE_EPT_TABLE: usize = 4;
export const PAGE_EPT_ENTRY: usize = 8;
/** Arms of trackers: a vector of four words, see arms.ts. */
export const PAGE_ARMS: usize = 16;
const PAGE_BYTES: usize = 32;
const CHUNK_PAGES: u32 = 4096;
const CHUNKS: u32 = 1 << 14;

// A process's virtual machine.
export const VM_ROOT: usize = 0;
export const VM_EPT_ROOT: usize = 4;
const VM_TABLE_FRAMES: usize = 12;
/** EPT of mode Guest Direct, over the guest-physical addresses of its segment. */
export const VM_SEGMENT_ROOT: usize = 16;
/** DSP: 1 while it shadows; the generation of its shadow tables. */
export const VM_SHADOWS: usize = 20;
export const VM_GENERATION: usize = 24;
export const VM_PROCESS: usize = 28;
/** f64: accesses, TLB misses and guest page faults of the process so far. */
export const VM_ACCESSES: usize = 32;
export const VM_MISSES: usize = 40;
export const VM_FAULTS: usize = 48;
/** The guest frame that the next page of levels 1, 2, 3 takes; a multiple of the next larger size: its range is full. */
const VM_NEXT_FRAMES: usize = 56;
const VM_BYTES: usize = 80;

/** First guest frame of the guest's page tables: behind 128 GiB of data. */
export const TABLE_GUEST_FRAME: u32 = 1 << 25;
/** First host frames of guest tables, of EPT tables, and of the EPT tables of segments. */
const TABLE_HOST_FRAME: u32 = 1 << 25;
const EPT_HOST_FRAME: u32 = (1 << 24) | TABLE_HOST_FRAME;
const SEGMENT_HOST_FRAME: u32 = (1 << 23) | EPT_HOST_FRAME;

const chunks: usize = heap.alloc(<usize>CHUNKS * 4);
let vms: usize = 0;
let vmCapacity: u32 = 0;
/** Arms of a page that is touched for the first time. */
const initialArms: usize = heap.alloc(16);
let nextTableHost: u32 = TABLE_HOST_FRAME;
let nextEptHost: u32 = EPT_HOST_FRAME;
let nextSegmentHost: u32 = SEGMENT_HOST_FRAME;

export function tablesStart(): void {
  memory.fill(chunks, 0, <usize>CHUNKS * 4);
  vms = 0;
  vmCapacity = 0;
  v128.store(initialArms, i32x4.splat(0));
  nextTableHost = TABLE_HOST_FRAME;
  nextEptHost = EPT_HOST_FRAME;
  nextSegmentHost = SEGMENT_HOST_FRAME;
}

/** State of a page (PageIndex), made on demand. */
export function pageState(page: u32): usize {
  const slot = chunks + ((<usize>(page / CHUNK_PAGES)) << 2);
  let chunk = <usize>load<u32>(slot);
  if (chunk == 0) {
    chunk = take(<usize>CHUNK_PAGES * PAGE_BYTES);
    const arms = v128.load(initialArms);
    for (let at = chunk, end = chunk + <usize>CHUNK_PAGES * PAGE_BYTES; at < end; at += PAGE_BYTES) {
      v128.store(at, arms, PAGE_ARMS);
    }
    store<u32>(slot, <u32>chunk);
  }
  return chunk + <usize>(page % CHUNK_PAGES) * PAGE_BYTES;
}

/** Sets these arms on every page, those not yet touched included. */
export function armEveryPage(arms: v128): void {
  changeArms(arms, i32x4.splat(0));
}

/** Takes these arms from every page, those not yet touched included. */
export function disarmEveryPage(arms: v128): void {
  changeArms(i32x4.splat(0), arms);
}

function changeArms(more: v128, fewer: v128): void {
  v128.store(initialArms, v128.or(v128.andnot(v128.load(initialArms), fewer), more));
  for (let slot = chunks, last = chunks + ((<usize>CHUNKS) << 2); slot < last; slot += 4) {
    const chunk = <usize>load<u32>(slot);
    if (chunk == 0) continue;
    for (let at = chunk, end = chunk + <usize>CHUNK_PAGES * PAGE_BYTES; at < end; at += PAGE_BYTES) {
      v128.store(at, v128.or(v128.andnot(v128.load(at, PAGE_ARMS), fewer), more), PAGE_ARMS);
    }
  }
}

/** The virtual machine of a process, made on demand. */
export function virtualMachine(process: u32): usize {
  if (process >= vmCapacity) {
    let larger = vmCapacity ? vmCapacity * 2 : 16;
    while (larger <= process) larger *= 2;
    vms = enlarge(vms, (<usize>vmCapacity) << 2, (<usize>larger) << 2);
    vmCapacity = larger;
  }
  const slot = vms + ((<usize>process) << 2);
  let vm = <usize>load<u32>(slot);
  if (vm == 0) {
    vm = take(VM_BYTES);
    store<u32>(slot, <u32>vm);
    store<u32>(vm, process, VM_PROCESS);
    store<u32>(vm, <u32>newTable(0, 0, eptRoot, nextEptHost++), VM_EPT_ROOT);
    store<u32>(vm, <u32>newGuestTable(vm, 0, 0, guestRoot), VM_ROOT);
    store<u32>(vm, <u32>newTable(0, 0, eptRoot, nextSegmentHost++), VM_SEGMENT_ROOT);
  }
  return vm;
}

/** The virtual machine of a process, or 0. */
export function knownMachine(process: u32): usize {
  return process < vmCapacity ? <usize>load<u32>(vms + ((<usize>process) << 2)) : 0;
}

/** Processes that virtual machines may exist for: 0 .. this - 1. */
export function machineCount(): u32 {
  return vmCapacity;
}

/** What `guestTable` did: the table that took the first new entry, and how many tables it made below. */
export let linkedTable: usize = 0;
export let madeTables: u32 = 0;

/** The table whose leaf entry maps an address, with the tables above it. */
export function guestTable(vm: usize, address: u64): usize {
  const leaf = guestLeafOf(address);
  let table = <usize>load<u32>(vm, VM_ROOT);
  linkedTable = 0;
  madeTables = 0;
  for (let level = guestRoot; level > leaf; level--) {
    const index = (<usize>(address >> levelShift(level)) & 511) << 2;
    let child = <usize>load<u32>(table + T_CHILDREN + index);
    if (child == 0) {
      if (linkedTable == 0) linkedTable = table;
      madeTables++;
      const entry = table + T_ENTRIES + index;
      child = newGuestTable(vm, table, entry, level - 1);
      store<u32>(table + T_CHILDREN + index, <u32>child);
      store<u32>(entry, (load<u32>(child, T_GUEST) << FRAME_SHIFT) | PRESENT);
    }
    table = child;
  }
  if (linkedTable == 0) linkedTable = table;
  return table;
}

/** Entry of `address` in a guest table on its path. */
export function guestEntry(table: usize, address: u64): usize {
  return table + T_ENTRIES + ((<usize>(address >> levelShift(load<u32>(table, T_LEVEL))) & 511) << 2);
}

/** The table that an entry of a guest table points to; 0: none, or the entry maps a page. */
export function childOf(entry: usize): usize {
  return load<u32>(entry) & FRAMED ? 0 : <usize>load<u32>(entry, T_CHILDREN - T_ENTRIES);
}

/** Takes a flag from every entry of a table. */
export function clearFlag(table: usize, flag: u32): void {
  for (let at = table + T_ENTRIES, end = at + 2048; at < end; at += 4) store<u32>(at, load<u32>(at) & ~flag);
}

/** Makes a leaf entry of a guest table present, in the frame that it had before or in the next one. */
export function guestPresent(vm: usize, table: usize, entry: usize): void {
  let value = load<u32>(entry);
  if (!(value & FRAMED)) value = (takeFrames(vm, load<u32>(table, T_LEVEL)) << FRAME_SHIFT) | FRAMED;
  store<u32>(entry, value | PRESENT);
}

/** The next guest frames for a page of this level: the first of them. */
function takeFrames(vm: usize, level: u32): u32 {
  const slot = vm + VM_NEXT_FRAMES + ((<usize>(level - 1)) << 2);
  let next = load<u32>(slot);
  if (level < 3 && (next & (framesAt(level + 1) - 1)) == 0) next = takeFrames(vm, level + 1);
  store<u32>(slot, next + framesAt(level));
  return next;
}

/** Frames of 4 KiB that an entry of a level maps. */
function framesAt(level: u32): u32 {
  return 1 << (9 * (level - 1));
}

/** Guest frame of 4 KiB that a leaf entry of a guest table gives `address`. */
export function guestFrame(table: usize, entry: usize, address: u64): u32 {
  return (load<u32>(entry) >> FRAME_SHIFT) | (<u32>(address >> 12) & (framesAt(load<u32>(table, T_LEVEL)) - 1));
}

/** The EPT entry of a page's data frame, and in the page's state its table. It may not be present. */
export function eptOfData(vm: usize, frame: u32, state: usize): usize {
  const known = <usize>load<u32>(state, PAGE_EPT_ENTRY);
  if (known) return known;
  const table = eptTable(<usize>load<u32>(vm, VM_EPT_ROOT), frame, false);
  const entry = eptEntry(table, frame);
  store<u32>(state, <u32>table, PAGE_EPT_TABLE);
  store<u32>(state, <u32>entry, PAGE_EPT_ENTRY);
  return entry;
}

/** The leaf EPT table of a frame in the segment of mode Guest Direct. */
export function segmentTable(vm: usize, frame: u64): usize {
  return eptTable(<usize>load<u32>(vm, VM_SEGMENT_ROOT), frame, true);
}

/** Byte address (host-physical, in units of 64-byte lines) of the entry at `entry` in `table`. */
export function entryLine(table: usize, entry: usize): u32 {
  return (load<u32>(table, T_HOST) << 6) | <u32>((entry - table - T_ENTRIES) >> 5);
}

/** Entry of a frame of 4 KiB in an EPT table on its path. */
export function eptEntry(table: usize, frame: u64): usize {
  return table + T_ENTRIES + ((<usize>(frame >> (9 * (load<u32>(table, T_LEVEL) - 1))) & 511) << 2);
}

/** The EPT table whose leaf entry maps a guest frame of 4 KiB, with the tables above it. `segment`: in tables of a segment. */
function eptTable(root: usize, frame: u64, segment: bool): usize {
  const leaf = eptLeafOf(frame);
  let table = root;
  for (let level = eptRoot; level > leaf; level--) {
    const index = (<usize>(frame >> (9 * (level - 1))) & 511) << 2;
    let child = <usize>load<u32>(table + T_CHILDREN + index);
    if (child == 0) {
      const entry = table + T_ENTRIES + index;
      const host = segment ? nextSegmentHost++ : nextEptHost++;
      child = newTable(table, entry, level - 1, host);
      store<u32>(table + T_CHILDREN + index, <u32>child);
      store<u32>(entry, (host << FRAME_SHIFT) | PRESENT);
    }
    table = child;
  }
  return table;
}

function newGuestTable(vm: usize, parent: usize, entry: usize, level: u32): usize {
  const guest = TABLE_GUEST_FRAME + load<u32>(vm, VM_TABLE_FRAMES);
  store<u32>(vm, load<u32>(vm, VM_TABLE_FRAMES) + 1, VM_TABLE_FRAMES);
  const leaf = eptTable(<usize>load<u32>(vm, VM_EPT_ROOT), guest, false);
  const mapping = eptEntry(leaf, guest);
  const span = framesAt(load<u32>(leaf, T_LEVEL));
  if (!(load<u32>(mapping) & PRESENT)) {
    store<u32>(mapping, (nextTableHost << FRAME_SHIFT) | PRESENT);
    nextTableHost += span;
  }
  const host = (load<u32>(mapping) >> FRAME_SHIFT) + (guest & (span - 1));
  const table = newTable(parent, entry, level, host);
  store<u32>(table, guest, T_GUEST);
  store<u32>(table, <u32>leaf, T_EPT_TABLE);
  store<u32>(table, <u32>mapping, T_EPT_ENTRY);
  return table;
}

function newTable(parent: usize, entry: usize, level: u32, host: u32): usize {
  const table = take(TABLE_BYTES);
  store<u32>(table, <u32>parent, T_PARENT);
  store<u32>(table, <u32>entry, T_ENTRY);
  store<u32>(table, host, T_HOST);
  store<u32>(table, level, T_LEVEL);
  return table;
}
