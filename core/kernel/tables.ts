/**
 * Simulated memory of the minimal VMM (after vmmload, mechanisms.md C): per process one guest address space without an
 * OS, its page tables over extended page tables (EPT), and frames handed out on demand.
 *
 * Tables are radix trees of 512 entries (A.1). An entry is a u32: frame number of 4 KiB << 6 | flags; on the modelled
 * machine it has 8 bytes, so the entry of index i of a table lies at frame * 4096 + 8 * i. A table is a record in
 * linear memory and its pointer is its identity, which the walk caches use as their key.
 *
 * The VMM writes a guest entry when the page is first touched (as if at mmap time: no guest page fault) and backs the
 * guest's table pages itself; data frames are backed by an EPT violation on the first access. A page keeps its frames
 * for the whole run, also when the program unmaps it.
 *
 * Frames: the data page with PageIndex p has host frame p (in units of the page size), so that host frames are handed
 * out in the order of first touch. Table frames come from far above.
 */
import { enlarge, take } from './arena';
import { eptLeaf, eptRoot, guestLeaf, guestRoot } from './config';

export const PRESENT: u32 = 1;
export const ACCESSED: u32 = 2;
export const DIRTY: u32 = 4;
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
/** 512 entries; an upper table also has 512 pointers to its child tables. */
export const T_ENTRIES: usize = 32;
const T_CHILDREN: usize = T_ENTRIES + 2048;

// A page's state.
/** Leaf guest table, 0 until mapped. */
export const PAGE_TABLE: usize = 0;
/** Leaf EPT table and entry of its data frame, 0 until the EPT violation. */
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
const VM_DATA_FRAMES: usize = 8;
const VM_TABLE_FRAMES: usize = 12;
const VM_BYTES: usize = 16;

/** First guest frame of the guest's page tables: behind 128 GiB of data. */
export const TABLE_GUEST_FRAME: u32 = 1 << 25;
/** First host frames behind the guest tables, of EPT tables, and of data whose EPT leaf is larger than its page. */
const TABLE_HOST_FRAME: u32 = 1 << 25;
const EPT_HOST_FRAME: u32 = (1 << 24) | TABLE_HOST_FRAME;
const LARGE_HOST_FRAME: u32 = 1 << 23;

const chunks: usize = heap.alloc(<usize>CHUNKS * 4);
let vms: usize = 0;
let vmCapacity: u32 = 0;
/** Arms of a page that is touched for the first time. */
const initialArms: usize = heap.alloc(16);
let nextTableHost: u32 = TABLE_HOST_FRAME;
let nextEptHost: u32 = EPT_HOST_FRAME;
let nextLargeHost: u32 = LARGE_HOST_FRAME;

export function tablesStart(): void {
  memory.fill(chunks, 0, <usize>CHUNKS * 4);
  vms = 0;
  vmCapacity = 0;
  v128.store(initialArms, i32x4.splat(0));
  nextTableHost = TABLE_HOST_FRAME;
  nextEptHost = EPT_HOST_FRAME;
  nextLargeHost = LARGE_HOST_FRAME;
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
    vms = enlarge(vms, <usize>vmCapacity * VM_BYTES, <usize>larger * VM_BYTES);
    vmCapacity = larger;
  }
  const vm = vms + <usize>process * VM_BYTES;
  if (load<u32>(vm, VM_ROOT) == 0) {
    store<u32>(vm, <u32>newTable(0, 0, eptRoot, eptLeaf, nextEptHost++), VM_EPT_ROOT);
    store<u32>(vm, <u32>newGuestTable(vm, 0, 0, guestRoot), VM_ROOT);
  }
  return vm;
}

/** Maps a page: makes its guest entry and the tables above. `number` is the virtual page number in units of the page. */
export function guestMap(vm: usize, number: u64, state: usize): void {
  let table = <usize>load<u32>(vm, VM_ROOT);
  for (let level = guestRoot; level > guestLeaf; level--) {
    const index = <u32>(number >> (9 * (level - guestLeaf))) & 511;
    const childAt = table + T_CHILDREN + ((<usize>index) << 2);
    let child = <usize>load<u32>(childAt);
    if (child == 0) {
      const entry = table + T_ENTRIES + ((<usize>index) << 2);
      child = newGuestTable(vm, table, entry, level - 1);
      store<u32>(childAt, <u32>child);
      store<u32>(entry, (load<u32>(child, T_GUEST) << FRAME_SHIFT) | PRESENT);
    }
    table = child;
  }
  const frame = load<u32>(vm, VM_DATA_FRAMES);
  store<u32>(vm, frame + 1, VM_DATA_FRAMES);
  const leaf = table + T_ENTRIES + ((<usize>(<u32>number & 511)) << 2);
  store<u32>(leaf, ((frame << (9 * (guestLeaf - 1))) << FRAME_SHIFT) | PRESENT);
  store<u32>(state, <u32>table, PAGE_TABLE);
}

/** The EPT entry of a page's data frame, if present; else 0. Remembers it in the page's state. */
export function eptOfData(vm: usize, guestFrame: u32, state: usize): usize {
  const known = <usize>load<u32>(state, PAGE_EPT_ENTRY);
  if (known) return known;
  const table = eptLeafTable(vm, guestFrame >> (9 * (eptLeaf - 1)));
  const entry = eptEntry(table, guestFrame);
  if (!(load<u32>(entry) & PRESENT)) return 0;
  store<u32>(state, <u32>table, PAGE_EPT_TABLE);
  store<u32>(state, <u32>entry, PAGE_EPT_ENTRY);
  return entry;
}

/** What the VMM does on an EPT violation: backs the guest frame of page `page`. */
export function backData(vm: usize, guestFrame: u32, page: u32): void {
  let host: u32;
  if (eptLeaf == guestLeaf) host = page << (9 * (eptLeaf - 1));
  else {
    host = nextLargeHost;
    nextLargeHost += 1 << (9 * (eptLeaf - 1));
  }
  const table = eptLeafTable(vm, guestFrame >> (9 * (eptLeaf - 1)));
  store<u32>(eptEntry(table, guestFrame), (host << FRAME_SHIFT) | PRESENT);
}

/** Byte address (host-physical, in units of 64-byte lines) of the entry at `entry` in `table`. */
export function entryLine(table: usize, entry: usize): u32 {
  return (load<u32>(table, T_HOST) << 6) | <u32>((entry - table - T_ENTRIES) >> 5);
}

function eptEntry(table: usize, guestFrame: u32): usize {
  return table + T_ENTRIES + ((<usize>((guestFrame >> (9 * (eptLeaf - 1))) & 511)) << 2);
}

/** The leaf EPT table for a guest frame (in units of the EPT's leaf), with the tables above it. */
function eptLeafTable(vm: usize, number: u32): usize {
  let table = <usize>load<u32>(vm, VM_EPT_ROOT);
  for (let level = eptRoot; level > eptLeaf; level--) {
    const shift = 9 * (level - eptLeaf);
    const index = shift < 32 ? (number >> shift) & 511 : 0;
    const childAt = table + T_CHILDREN + ((<usize>index) << 2);
    let child = <usize>load<u32>(childAt);
    if (child == 0) {
      const entry = table + T_ENTRIES + ((<usize>index) << 2);
      const host = nextEptHost++;
      child = newTable(table, entry, level - 1, eptLeaf, host);
      store<u32>(childAt, <u32>child);
      store<u32>(entry, (host << FRAME_SHIFT) | PRESENT);
    }
    table = child;
  }
  return table;
}

function newGuestTable(vm: usize, parent: usize, entry: usize, level: u32): usize {
  const guest = TABLE_GUEST_FRAME + load<u32>(vm, VM_TABLE_FRAMES);
  store<u32>(vm, load<u32>(vm, VM_TABLE_FRAMES) + 1, VM_TABLE_FRAMES);
  const eptTable = eptLeafTable(vm, guest >> (9 * (eptLeaf - 1)));
  const mapping = eptEntry(eptTable, guest);
  const span: u32 = 1 << (9 * (eptLeaf - 1));
  if (!(load<u32>(mapping) & PRESENT)) {
    store<u32>(mapping, (nextTableHost << FRAME_SHIFT) | PRESENT);
    nextTableHost += span;
  }
  const host = (load<u32>(mapping) >> FRAME_SHIFT) + (guest & (span - 1));
  const table = newTable(parent, entry, level, guestLeaf, host);
  store<u32>(table, guest, T_GUEST);
  store<u32>(table, <u32>eptTable, T_EPT_TABLE);
  store<u32>(table, <u32>mapping, T_EPT_ENTRY);
  return table;
}

function newTable(parent: usize, entry: usize, level: u32, leaf: u32, host: u32): usize {
  const table = take(level > leaf ? T_CHILDREN + 2048 : T_CHILDREN);
  store<u32>(table, <u32>parent, T_PARENT);
  store<u32>(table, <u32>entry, T_ENTRY);
  store<u32>(table, host, T_HOST);
  return table;
}
