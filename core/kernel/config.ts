/**
 * The emulated machine's parameters, unpacked once from the block that the host filled, and its counters.
 * Every module of the machine reads these globals; none changes after `machineStart`.
 */
import {
  C_MODES,
  COUNTERS,
  MODE_SLOTS,
  P_ACCESS_CYCLES,
  P_AGILE_WRITES,
  P_BAD_PAGES,
  P_CORES,
  P_CYCLES_PER_NS,
  P_EPT_LEAF,
  P_EPT_PSC_ENTRIES,
  P_EPT_ROOT,
  P_EPT_SHARE_1G,
  P_EPT_SHARE_2M,
  P_GUEST_LEAF,
  P_GUEST_ROOT,
  P_GUEST_SHARE_1G,
  P_GUEST_SHARE_2M,
  P_L1_TLB_MISS_CYCLES,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L1D_SETS,
  P_L1D_WAYS,
  P_L2_SETS,
  P_L2_STALL,
  P_L2_TLB_MISS_CYCLES,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_L2_WAYS,
  P_LARGE_TLBS,
  P_LLC_SETS,
  P_LLC_STALL,
  P_LLC_WAYS,
  P_MEMORY_STALL,
  P_MODES,
  P_NESTED_TLB_ENTRIES,
  P_PAGE_SHIFT,
  P_PML_ENTRIES,
  P_PML_KEEP,
  P_PSC_CYCLES,
  P_PSC_ENTRIES,
  P_SYSTEM_CALL_CYCLES,
  P_WALK_FAR_CYCLES,
  P_WALK_NEAR_CYCLES,
  PARAMETERS,
} from './abi-machine';

const parameters: usize = heap.alloc(PARAMETERS * 8);
const counters: usize = heap.alloc(COUNTERS * 8);

/** f64[PARAMETERS], for the host to fill before `machineStart`. */
export function machineParameters(): usize {
  return parameters;
}

/** f64[COUNTERS]: sums over the run so far. */
export function machineCounters(): usize {
  return counters;
}

export function parameter(slot: i32): f64 {
  return load<f64>(parameters + ((<usize>slot) << 3));
}

function whole(slot: i32): u32 {
  return <u32>parameter(slot);
}

export function add(slot: i32, amount: f64): void {
  const at = counters + ((<usize>slot) << 3);
  store<f64>(at, load<f64>(at) + amount);
}

/** Adds to slot S_* of a mode. */
export function addTo(mode: i32, slot: i32, amount: f64): void {
  add(C_MODES + mode * MODE_SLOTS + slot, amount);
}

export function walks(mode: i32): bool {
  return ((modes >> mode) & 1) != 0;
}

export function counter(slot: i32): f64 {
  return load<f64>(counters + ((<usize>slot) << 3));
}

export let pageShift: u32 = 12;
export let guestRoot: u32 = 4;
/** Level of the smallest pages, and per cent of the larger ranges that one page maps (sizes.ts). */
export let guestLeaf: u32 = 1;
export let guestShare2m: u32 = 0;
export let guestShare1g: u32 = 0;
export let eptRoot: u32 = 4;
export let eptLeaf: u32 = 1;
export let eptShare2m: u32 = 0;
export let eptShare1g: u32 = 0;
/** log2 of the bytes of the smallest guest page, at least `pageShift`. */
export let guestShift: u32 = 12;
/** Level of what one TLB entry translates at least: a guest page, or where the EPT's leaf is smaller, that. */
export let unitLeaf: u32 = 1;
/** A TLB entry may translate several pages. */
export let largeUnits: bool = false;
/** The modes that are walked: bit MODE_*. */
export let modes: u32 = 0;

export let l1TlbSets: u32 = 0;
export let l1TlbWays: u32 = 0;
export let l2TlbSets: u32 = 0;
export let l2TlbWays: u32 = 0;
export let nestedTlbEntries: u32 = 0;

export let pmlEntries: u32 = 512;
export let pmlKeep: bool = false;

export let l1dSets: u32 = 0;
export let l1dWays: u32 = 0;
export let l2Sets: u32 = 0;
export let l2Ways: u32 = 0;
export let llcSets: u32 = 0;
export let llcWays: u32 = 0;

export let accessCycles: f64 = 0;
export let l2Stall: f64 = 0;
export let llcStall: f64 = 0;
export let memoryStall: f64 = 0;
export let l1TlbMissCycles: f64 = 0;
export let l2TlbMissCycles: f64 = 0;
export let walkNearCycles: f64 = 0;
export let walkFarCycles: f64 = 0;
export let pscCycles: f64 = 0;
export let systemCallCycles: f64 = 0;
export let cyclesPerNs: f64 = 1;
export let badPages: u32 = 0;
export let cores: u32 = 0;
export let agileWrites: u32 = 2;

/** Entries of the paging-structure cache for `level` (2..5), in the guest's or the EPT's dimension. */
export function pscEntries(level: u32): u32 {
  return load<u32>(pscSizes + ((<usize>level) << 2));
}
export function eptPscEntries(level: u32): u32 {
  return load<u32>(eptPscSizes + ((<usize>level) << 2));
}
/** Sets and ways of the TLBs for larger pages, as in P_LARGE_TLBS; `second` 0 for L1, 1 for L2. */
export function largeTlbSets(second: u32, level: u32): u32 {
  return load<u32>(largeTlbs + ((<usize>((level - 2) * 4 + second * 2)) << 2));
}
export function largeTlbWays(second: u32, level: u32): u32 {
  return load<u32>(largeTlbs + ((<usize>((level - 2) * 4 + second * 2 + 1)) << 2));
}
const largeTlbs: usize = heap.alloc(8 * 4);

const pscSizes: usize = heap.alloc(6 * 4);
const eptPscSizes: usize = heap.alloc(6 * 4);

export function unpackParameters(): void {
  memory.fill(counters, 0, COUNTERS * 8);
  pageShift = whole(P_PAGE_SHIFT);
  guestRoot = whole(P_GUEST_ROOT);
  guestLeaf = whole(P_GUEST_LEAF);
  eptRoot = whole(P_EPT_ROOT);
  eptLeaf = whole(P_EPT_LEAF);
  guestShare2m = whole(P_GUEST_SHARE_2M);
  guestShare1g = whole(P_GUEST_SHARE_1G);
  eptShare2m = whole(P_EPT_SHARE_2M);
  eptShare1g = whole(P_EPT_SHARE_1G);
  guestShift = 12 + 9 * (guestLeaf - 1);
  unitLeaf = min(guestLeaf, eptLeaf);
  const eptShift = 12 + 9 * (eptLeaf - 1);
  const largeGuest = guestShift != pageShift || (guestShare2m | guestShare1g) != 0;
  const largeEpt = eptShift != pageShift || (eptShare2m | eptShare1g) != 0;
  largeUnits = largeGuest && largeEpt;
  for (let i: usize = 0; i < 8; i++) store<u32>(largeTlbs + (i << 2), whole(P_LARGE_TLBS + <i32>i));
  modes = whole(P_MODES);
  l1TlbSets = whole(P_L1_TLB_SETS);
  l1TlbWays = whole(P_L1_TLB_WAYS);
  l2TlbSets = whole(P_L2_TLB_SETS);
  l2TlbWays = whole(P_L2_TLB_WAYS);
  for (let level: i32 = 2; level <= 5; level++) {
    store<u32>(pscSizes + ((<usize>level) << 2), whole(P_PSC_ENTRIES + level - 2));
    store<u32>(eptPscSizes + ((<usize>level) << 2), whole(P_EPT_PSC_ENTRIES + level - 2));
  }
  nestedTlbEntries = whole(P_NESTED_TLB_ENTRIES);
  pmlEntries = whole(P_PML_ENTRIES);
  pmlKeep = whole(P_PML_KEEP) != 0;
  l1dSets = whole(P_L1D_SETS);
  l1dWays = whole(P_L1D_WAYS);
  l2Sets = whole(P_L2_SETS);
  l2Ways = whole(P_L2_WAYS);
  llcSets = whole(P_LLC_SETS);
  llcWays = whole(P_LLC_WAYS);
  accessCycles = parameter(P_ACCESS_CYCLES);
  l2Stall = parameter(P_L2_STALL);
  llcStall = parameter(P_LLC_STALL);
  memoryStall = parameter(P_MEMORY_STALL);
  l1TlbMissCycles = parameter(P_L1_TLB_MISS_CYCLES);
  l2TlbMissCycles = parameter(P_L2_TLB_MISS_CYCLES);
  walkNearCycles = parameter(P_WALK_NEAR_CYCLES);
  walkFarCycles = parameter(P_WALK_FAR_CYCLES);
  pscCycles = parameter(P_PSC_CYCLES);
  systemCallCycles = parameter(P_SYSTEM_CALL_CYCLES);
  cyclesPerNs = parameter(P_CYCLES_PER_NS);
  badPages = whole(P_BAD_PAGES);
  cores = whole(P_CORES);
  agileWrites = whole(P_AGILE_WRITES);
}
