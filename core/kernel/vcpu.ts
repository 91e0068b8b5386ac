/**
 * vCPUs: one for each recorded thread, with TLBs, walk caches, modification log and private caches of its own, or those
 * of a core that several share.
 * A record is a block of linear memory whose pointer the hot loops keep in a local. When a thread ends its memory
 * goes to the next one.
 */

import {
  MODE_AGILE,
  MODE_DSP,
  MODE_DUAL_DIRECT,
  MODE_GUEST_DIRECT,
  MODE_NATIVE,
  MODE_NESTED,
  MODE_VMM_DIRECT,
  MODES,
  SWEEP_SIZES,
} from './abi-machine';
import { allocate, enlarge, release } from './arena';
import { emptyCaches } from './cache';
import {
  cores,
  eptPscEntries,
  l1dSets,
  l1dWays,
  l1TlbSets,
  l1TlbWays,
  l2Sets,
  l2TlbSets,
  l2TlbWays,
  l2Ways,
  largeTlbSets,
  largeTlbWays,
  nestedTlbEntries,
  pmlEntries,
  pscEntries,
  walks,
} from './config';
import { virtualMachine } from './tables';
import { setBytes } from './ways';

export const V_NUMBER: usize = 0;
export const V_VM: usize = 4;
export const V_L1_TLB: usize = 8;
export const V_L2_TLB: usize = 12;
/** Four pointers: L1 and L2 of pages of 2 MiB, then of 1 GiB, where these are above the smallest and have TLBs apart. */
const V_LARGE_TLBS: usize = 56;
/** Mode Dual Direct's own L2 TLB: it holds what no segment translates. */
export const V_DUAL_TLB: usize = 16;
/** u64[pmlEntries] and the index, i32: entries - 1 down to -1 (which the manual shows as FFFFh). */
export const V_PML: usize = 24;
export const V_PML_INDEX: usize = 28;
/** u32[SWEEP_SIZES]: entries used of the log of each size. */
export const V_SWEEP: usize = 32;
export const V_L1D: usize = 36;
export const V_L2: usize = 40;
/** For each set of L1D: the tag used last, and the address of its writer. */
export const V_L1D_FRONT: usize = 44;
/** f64: cycles this vCPU was busy or waiting, on the run's clock. */
export const V_CLOCK: usize = 48;
const PSC_SLOT: usize = 4;
/** A walker for each mode that walks tables of its own; else 0. */
const V_WALKERS: usize = 72;
const V_BYTES: usize = (V_WALKERS + MODES * 4 + 15) & ~15;

// A walker: what one mode caches of page tables on one vCPU.
/** Four pointers: the guest's paging-structure caches of levels 2 to 5. Keys are tables. */
export const W_PSC: usize = 0;
/** The same of the EPT. */
export const W_EPT_PSC: usize = 16;
/** Guest-physical translations. Keys are EPT entries, bit 0 the cached dirty flag. */
export const W_NESTED_TLB: usize = 32;
/** Tags of the table lines that the walker finds near (in a cache of the L2's geometry). */
export const W_LINES: usize = 36;
const W_BYTES: usize = 48;

/** Bytes of the private state behind the record, zero in an empty machine but for the caches' ages. */
let stateBytes: usize = 0;
let vcpus: usize = 0;
/** Records by core, where threads share cores. */
let coreRecords: usize = 0;
let capacity: u32 = 0;
let created: u32 = 0;
let live: u32 = 0;

export function vcpusStart(): void {
  vcpus = 0;
  coreRecords = allocate((<usize>max<u32>(cores, 1)) << 2);
  capacity = 0;
  created = 0;
  live = 0;
  cursor = 0;
  layOut(0);
  stateBytes = cursor;
}

/** The vCPU's walker of a mode. */
export function walkerOf(record: usize, mode: i32): usize {
  return <usize>load<u32>(record + V_WALKERS + ((<usize>mode) << 2));
}

/** Number of vCPUs created so far, ended ones included. */
export function vcpuCount(): u32 {
  return created;
}

/** Number of vCPUs, or of cores if there are fewer, whose thread has not ended. */
export function vcpusLive(): u32 {
  return cores ? min(cores, live) : live;
}

/** What caches translations, for those who go through all: a record for each core, or for each vCPU; 0 if it ended. */
export function recordCount(): u32 {
  return cores ? min(cores, created) : created;
}
export function recordAt(index: u32): usize {
  return <usize>load<u32>((cores ? coreRecords : vcpus) + ((<usize>index) << 2));
}

/** Record of a vCPU; 0 once it has ended, and for all vCPUs of a replay without a machine (`machineStart`). */
export function vcpuRecord(vcpu: u32): usize {
  return <usize>load<u32>(vcpus + ((<usize>vcpu) << 2));
}

export function vcpuProcess(vcpu: u32): u32 {
  return load<u32>(processes + ((<usize>vcpu) << 2));
}
let processes: usize = 0;

export function newVcpu(process: u32, clock: f64): u32 {
  if (created == capacity) {
    const larger = capacity ? capacity * 2 : 64;
    vcpus = enlarge(vcpus, (<usize>capacity) << 2, (<usize>larger) << 2);
    processes = enlarge(processes, (<usize>capacity) << 2, (<usize>larger) << 2);
    capacity = larger;
  }
  const record = stateBytes ? recordFor(process, clock) : 0;
  store<u32>(vcpus + ((<usize>created) << 2), <u32>record);
  store<u32>(processes + ((<usize>created) << 2), process);
  live++;
  return created++;
}

/** A new record, or that of the core that the vCPU shares. */
function recordFor(process: u32, clock: f64): usize {
  if (!cores) return newRecord(process, clock);
  virtualMachine(process);
  const slot = coreRecords + ((<usize>(created % cores)) << 2);
  if (created < cores) store<u32>(slot, <u32>newRecord(process, clock));
  const record = <usize>load<u32>(slot);
  store<f64>(record, max(load<f64>(record, V_CLOCK), clock), V_CLOCK);
  return record;
}

/** Makes the vCPU the one that runs on its record. Returns whether that changes the process. */
export function runOnCore(vcpu: u32, record: usize): bool {
  if (load<u32>(record, V_NUMBER) == vcpu) return false;
  store<u32>(record, vcpu, V_NUMBER);
  const vm = <u32>virtualMachine(vcpuProcess(vcpu));
  if (load<u32>(record, V_VM) == vm) return false;
  store<u32>(record, vm, V_VM);
  return true;
}

function newRecord(process: u32, clock: f64): usize {
  const record = allocate(stateBytes);
  store<u32>(record, created, V_NUMBER);
  store<u32>(record, <u32>virtualMachine(process), V_VM);
  store<f64>(record, clock, V_CLOCK);
  layOut(record);
  store<i32>(record, <i32>pmlEntries - 1, V_PML_INDEX);
  emptyCaches(record);
  return record;
}

/** Forgets an ended vCPU. A core stays as it is. */
export function releaseVcpu(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  store<u32>(vcpus + ((<usize>vcpu) << 2), 0);
  if (!cores) release(record, stateBytes);
  live--;
}

/** The pointer to a TLB of larger pages; `second` 0 for L1, 1 for L2. */
export function largeTlbSlot(second: u32, level: u32): usize {
  return V_LARGE_TLBS + ((<usize>((level - 2) * 2 + second)) << 2);
}

/** Places the state of the vCPU at `record`, or with 0 only measures it: `cursor` ends behind it. */
function layOut(record: usize): void {
  cursor = record + V_BYTES;
  carve(record, V_PML, pmlEntries, 8);
  carve(record, V_L1D, l1dSets, <u32>setBytes(l1dWays));
  carve(record, V_L2, l2Sets, <u32>setBytes(l2Ways));
  carve(record, V_L1D_FRONT, l1dSets, 8);
  carve(record, V_L1_TLB, l1TlbSets * l1TlbWays, 4);
  carve(record, V_L2_TLB, l2TlbSets * l2TlbWays, 4);
  for (let level: u32 = 2; level <= 3; level++) {
    for (let second: u32 = 0; second < 2; second++) {
      carve(record, largeTlbSlot(second, level), largeTlbSets(second, level) * largeTlbWays(second, level), 4);
    }
  }
  carve(record, V_SWEEP, SWEEP_SIZES, 4);
  if (walks(MODE_DUAL_DIRECT)) carve(record, V_DUAL_TLB, l2TlbSets * l2TlbWays, 4);
  for (let mode = 0; mode < MODES; mode++) if (hasWalker(mode)) layOutWalker(record, mode);
}
let cursor: usize = 0;

/** Shadow and direct paging walk as mode native does. */
function hasWalker(mode: i32): bool {
  switch (mode) {
    case MODE_NATIVE:
      return true;
    case MODE_NESTED:
    case MODE_DSP:
    case MODE_DUAL_DIRECT:
    case MODE_VMM_DIRECT:
    case MODE_GUEST_DIRECT:
    case MODE_AGILE:
      return walks(mode);
  }
  return false;
}

function layOutWalker(record: usize, mode: i32): void {
  const walker = record ? cursor : 0;
  carve(record, V_WALKERS + ((<usize>mode) << 2), 1, <u32>W_BYTES);
  for (let level: u32 = 2; level <= 5; level++) {
    carve(walker, W_PSC + PSC_SLOT * (level - 2), pscEntries(level), 4);
    carve(walker, W_EPT_PSC + PSC_SLOT * (level - 2), eptPscEntries(level), 4);
  }
  carve(walker, W_NESTED_TLB, nestedTlbEntries, 4);
  carve(walker, W_LINES, l2Sets * l2Ways, 4);
}

/** Forgets the guest's paging-structure caches of a walker: INVLPG and loads of CR3 do (mechanisms.md, A.3). */
export function flushPsc(walker: usize): void {
  for (let level: u32 = 2; level <= 5; level++) empty(walker + W_PSC + PSC_SLOT * (level - 2), pscEntries(level));
}

/** Forgets the guest-physical translations of a walker, as INVEPT does. */
export function flushGuestPhysical(walker: usize): void {
  for (let level: u32 = 2; level <= 5; level++)
    empty(walker + W_EPT_PSC + PSC_SLOT * (level - 2), eptPscEntries(level));
  empty(walker + W_NESTED_TLB, nestedTlbEntries);
}

/** Empties the set of keys that `slot` points to. */
function empty(slot: usize, ways: u32): void {
  memory.fill(<usize>load<u32>(slot), 0, (<usize>ways) << 2);
}

/** Gives the next bytes to the pointer in `slot` of `owner`; owner 0 only counts them. */
function carve(owner: usize, slot: usize, count: u32, bytes: u32): void {
  if (owner) store<u32>(owner + slot, <u32>cursor);
  cursor += (<usize>count * bytes + 15) & ~15;
}
