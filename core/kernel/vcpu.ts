/**
 * vCPUs: one for each recorded thread, with TLBs, walk caches, modification log and private caches of its own.
 * A record is a block of linear memory whose pointer the hot loops keep in a local. When a thread ends its memory
 * goes to the next one.
 */
import { allocate, enlarge, release } from './arena';
import {
  eptPscEntries,
  l1dSets,
  l1dWays,
  l1TlbSets,
  l1TlbWays,
  l2Sets,
  l2TlbSets,
  l2TlbWays,
  l2Ways,
  nested,
  nestedTlbEntries,
  pmlEntries,
  pscEntries,
} from './config';
import { SWEEP_SIZES } from './parameters';
import { virtualMachine } from './tables';

export const V_NUMBER: usize = 0;
export const V_VM: usize = 4;
export const V_L1_TLB: usize = 8;
export const V_L2_TLB: usize = 12;
/** The walkers of the two modes. */
export const V_NATIVE: usize = 16;
export const V_NESTED: usize = 20;
/** u64[pmlEntries] and the index, i32: entries - 1 down to -1 (which the manual shows as FFFFh). */
export const V_PML: usize = 24;
export const V_PML_INDEX: usize = 28;
/** u32[SWEEP_SIZES]: entries used of the log of each size. */
export const V_SWEEP: usize = 32;
export const V_L1D: usize = 36;
export const V_L2: usize = 40;
/** f64: cycles this vCPU was busy or waiting, on the run's clock. */
export const V_CLOCK: usize = 48;
const V_BYTES: usize = 64;

// A walker: the walk caches of one mode on one vCPU.
/** Four sets of table pointers: paging-structure caches of levels 2 to 5, and their ways. */
export const W_PSC: usize = 0;
export const W_EPT_PSC: usize = 16;
export const W_NESTED_TLB: usize = 32;
/** Tags of the table lines that the walker finds near (in a cache of the L2's geometry). */
export const W_LINES: usize = 36;
const W_BYTES: usize = 48;

/** Bytes of the private state behind the record, all of it zero in an empty machine. */
let stateBytes: usize = 0;
let vcpus: usize = 0;
let capacity: u32 = 0;
let created: u32 = 0;
let live: u32 = 0;

export function vcpusStart(): void {
  vcpus = 0;
  capacity = 0;
  created = 0;
  live = 0;
  let walker: usize = W_BYTES + ((<usize>l2Sets * l2Ways) << 2) + ((<usize>nestedTlbEntries) << 2);
  for (let level: u32 = 2; level <= 5; level++) walker += (<usize>(pscEntries(level) + eptPscEntries(level))) << 2;
  stateBytes =
    V_BYTES +
    ((<usize>l1TlbSets * l1TlbWays) << 2) +
    ((<usize>l2TlbSets * l2TlbWays) << 2) +
    ((<usize>pmlEntries) << 3) +
    (SWEEP_SIZES << 2) +
    ((<usize>l1dSets * l1dWays) << 3) +
    ((<usize>l2Sets * l2Ways) << 3) +
    walker * (nested ? 2 : 1) +
    64;
}

/** Number of vCPUs created so far, ended ones included. */
export function vcpuCount(): u32 {
  return created;
}

/** Number of vCPUs whose thread has not ended. */
export function vcpusLive(): u32 {
  return live;
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
  const record = stateBytes ? newRecord(process, clock) : 0;
  store<u32>(vcpus + ((<usize>created) << 2), <u32>record);
  store<u32>(processes + ((<usize>created) << 2), process);
  live++;
  return created++;
}

function newRecord(process: u32, clock: f64): usize {
  const record = allocate(stateBytes);
  store<u32>(record, created, V_NUMBER);
  store<u32>(record, <u32>virtualMachine(process), V_VM);
  store<f64>(record, clock, V_CLOCK);
  layOut(record);
  store<i32>(record, <i32>pmlEntries - 1, V_PML_INDEX);
  return record;
}

/** Forgets an ended vCPU. */
export function releaseVcpu(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  store<u32>(vcpus + ((<usize>vcpu) << 2), 0);
  release(record, stateBytes);
  live--;
}

function layOut(record: usize): void {
  let at = record + V_BYTES;
  store<u32>(record, <u32>at, V_PML);
  at += (<usize>pmlEntries) << 3;
  store<u32>(record, <u32>at, V_L1D);
  at += (<usize>l1dSets * l1dWays) << 3;
  store<u32>(record, <u32>at, V_L2);
  at += (<usize>l2Sets * l2Ways) << 3;
  store<u32>(record, <u32>at, V_L1_TLB);
  at += (<usize>l1TlbSets * l1TlbWays) << 2;
  store<u32>(record, <u32>at, V_L2_TLB);
  at += (<usize>l2TlbSets * l2TlbWays) << 2;
  store<u32>(record, <u32>at, V_SWEEP);
  at += SWEEP_SIZES << 2;
  store<u32>(record, <u32>at, V_NATIVE);
  at = layOutWalker(at);
  if (nested) {
    store<u32>(record, <u32>at, V_NESTED);
    layOutWalker(at);
  }
}

function layOutWalker(walker: usize): usize {
  let at = walker + W_BYTES;
  for (let level: u32 = 2; level <= 5; level++) {
    store<u32>(walker + ((<usize>(level - 2)) << 2), <u32>at, W_PSC);
    at += (<usize>pscEntries(level)) << 2;
  }
  for (let level: u32 = 2; level <= 5; level++) {
    store<u32>(walker + ((<usize>(level - 2)) << 2), <u32>at, W_EPT_PSC);
    at += (<usize>eptPscEntries(level)) << 2;
  }
  store<u32>(walker, <u32>at, W_NESTED_TLB);
  at += (<usize>nestedTlbEntries) << 2;
  store<u32>(walker, <u32>at, W_LINES);
  at += (<usize>l2Sets * l2Ways) << 2;
  return at;
}
