/**
 * The emulated machine's face to the rest of the kernel and to the host: start, vCPUs, clock, system calls, and the
 * operations that a VMM has on flags and cached translations.
 *
 * Clock. Each vCPU has its own, in core cycles: accesses, stalls on misses and walks of mode native, system calls. A
 * new vCPU starts at the latest time of the run; at a synchronisation a vCPU waits for everything that was stamped
 * before it. The run's modelled time is the latest clock.
 */

import {
  ARM_ACCESS,
  ARM_WRITE,
  C_BUSY_CYCLES,
  C_CACHE_ACCESSES,
  C_FILLS,
  C_L1_TLB_MISSES,
  C_L2_HITS,
  C_LLC_HITS,
  C_NATIVE_WALK_CYCLES,
  C_SYSTEM_CALLS,
  C_TLB_MISSES,
  MODES,
} from './abi-machine';
import { agileStart } from './agile';
import { allocate, release } from './arena';
import { armAll, armPage, armsOf, disarmAll, disarmPage, eventsClear } from './arms';
import { cacheLines, cachesStart, flushCaches } from './cache';
import {
  accessCycles,
  add,
  cores,
  counter,
  cyclesPerNs,
  l1TlbMissCycles,
  l2Stall,
  l2TlbMissCycles,
  llcStall,
  memoryStall,
  pageShift,
  systemCallCycles,
  unpackParameters,
} from './config';
import { escapeStart } from './escape';
import { contextSwitch, mappingsStart } from './mappings';
import { pmlDrain, pmlStart } from './pml';
import { streamsStart } from './streams';
import {
  ACCESSED,
  DIRTY,
  guestEntry,
  knownMachine,
  PAGE_EPT_ENTRY,
  PAGE_TABLE,
  pageState,
  tablesStart,
  VM_ACCESSES,
} from './tables';
import { flushTlbs, forgetShortcut, forgetShortcuts } from './tlb';
import {
  flushGuestPhysical,
  flushPsc,
  newVcpu,
  recordAt,
  recordCount,
  releaseVcpu,
  runOnCore,
  V_CLOCK,
  V_PML,
  V_PML_INDEX,
  vcpuRecord,
  vcpusStart,
  walkerOf,
} from './vcpu';

export { agileInterval } from './agile';
export { eventsClear, eventsCount, eventsStart } from './arms';
export { machineCounters, machineParameters } from './config';
export { dspSwitch } from './dsp';
export { unmapPages } from './mappings';
export { pmlDrained, pmlDrainedCount } from './pml';
export { machineCount } from './tables';
export { translateBatch } from './tlb';
export { vcpuCount, vcpuProcess, vcpusLive } from './vcpu';

let latest: f64 = 0;
let stamped: f64 = 0;
/** Cycles accounted to some vCPU so far. */
let accounted: f64 = 0;

/** Starts an empty machine with the parameters in `machineParameters`. To be called once, before the first vCPU. */
export function machineStart(): void {
  unpackParameters();
  tablesStart();
  vcpusStart();
  pmlStart();
  mappingsStart();
  escapeStart();
  agileStart();
  cachesStart();
  eventsClear();
  streamsStart();
  latest = 0;
  stamped = 0;
  accounted = 0;
}

/** A vCPU: one recorded thread of `process`, with its own TLBs, caches and modification log. Returns its dense number. */
export function vcpuCreate(process: u32): u32 {
  return newVcpu(process, latest);
}

/** The vCPU's thread ended: its dirty lines go to the shared cache, its log is drained, its memory is used again. */
export function vcpuEnd(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  vcpuSynchronise(vcpu);
  if (!cores) {
    flushCaches(vcpu);
    pmlDrain(record);
  }
  releaseVcpu(vcpu);
}

/** The vCPU's thread goes on: on a shared core it may take the place of another one. */
export function vcpuRun(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record != 0 && cores && runOnCore(vcpu, record)) contextSwitch(record);
}

/** The vCPU passed a synchronisation: it cannot be earlier than what was stamped before. */
export function vcpuSynchronise(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const clock = max(load<f64>(record, V_CLOCK), stamped);
  store<f64>(record, clock, V_CLOCK);
  stamped = clock;
  latest = max(latest, clock);
}

/**
 * Third loop over a batch: its first `n` accesses go through the caches; then the cycles of the whole batch are charged
 * to the vCPU.
 */
export function cacheBatch(vcpu: u32, n: u32): void {
  cacheLines(vcpu, n);
  const total =
    accessCycles * counter(C_CACHE_ACCESSES) +
    l2Stall * counter(C_L2_HITS) +
    llcStall * counter(C_LLC_HITS) +
    memoryStall * counter(C_FILLS) +
    nativeTranslationCycles();
  charge(vcpu, total - accounted);
  accounted = total;
}

/** Cycles spent on TLB misses and walks in mode native. */
function nativeTranslationCycles(): f64 {
  const misses = counter(C_TLB_MISSES);
  return (
    l1TlbMissCycles * (counter(C_L1_TLB_MISSES) - misses) + l2TlbMissCycles * misses + counter(C_NATIVE_WALK_CYCLES)
  );
}

function charge(vcpu: u32, cycles: f64): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const clock = load<f64>(record, V_CLOCK) + cycles;
  store<f64>(record, clock, V_CLOCK);
  latest = max(latest, clock);
  add(C_BUSY_CYCLES, cycles);
}

/** Modelled time of the run so far, in ns. */
export function modelledNs(): f64 {
  return latest / cyclesPerNs;
}

/** A relayed system call. What the host stores for it goes through its own mapping: no guest flag and no TLB changes. */
export function systemCall(vcpu: u32): void {
  add(C_SYSTEM_CALLS, 1);
  charge(vcpu, systemCallCycles);
}

/** Arms (ARM_* bits) of a tracker on every page, those not yet touched included: it cleared flags everywhere. */
export function trackerArm(tracker: u32, classes: u32): void {
  armAll(armsOf(tracker, classes));
  // What waits for walks alone lets hits pass.
  if (classes & (ARM_ACCESS | ARM_WRITE)) forgetShortcuts();
}

/** Takes arms of a tracker from every page. */
export function trackerDisarm(tracker: u32, classes: u32): void {
  disarmAll(armsOf(tracker, classes));
}

/** Where the host lists `count` pages, u32 each, for the next call of the two functions below. */
export function pageList(count: u32): usize {
  if (count > pageListRoom) {
    release(pages, (<usize>pageListRoom) << 2);
    pages = allocate((<usize>count) << 2);
    pageListRoom = count;
  }
  return pages;
}
let pages: usize = 0;
let pageListRoom: u32 = 0;

/** Arms of a tracker on the `count` listed pages, which need not have been touched yet. */
export function trackerArmPages(tracker: u32, classes: u32, count: u32): void {
  const arms = armsOf(tracker, classes);
  const flushed = (classes & (ARM_ACCESS | ARM_WRITE)) != 0;
  for (let at = pages, end = pages + ((<usize>count) << 2); at < end; at += 4) {
    const page = load<u32>(at);
    armPage(page, arms);
    if (flushed) forgetShortcut(page);
  }
}

/** Takes arms of a tracker from the `count` listed pages. */
export function trackerDisarmPages(tracker: u32, classes: u32, count: u32): void {
  const arms = armsOf(tracker, classes);
  for (let at = pages, end = pages + ((<usize>count) << 2); at < end; at += 4) disarmPage(load<u32>(at), arms);
}

// What follows changes the machine itself, as a VMM's instructions would. Trackers never call it.

/** Flags of the EPT entry that maps the page: ACCESSED 2, DIRTY 4; 0 while it is not mapped. */
export function eptFlags(page: u32): u32 {
  const entry = <usize>load<u32>(pageState(page), PAGE_EPT_ENTRY);
  return entry ? load<u32>(entry) & (ACCESSED | DIRTY) : 0;
}

/** Flags of the page's leaf guest entry; `number` is its virtual page number. */
export function guestFlags(page: u32, number: u32): u32 {
  const table = <usize>load<u32>(pageState(page), PAGE_TABLE);
  return table ? load<u32>(guestEntry(table, (<u64>number) << pageShift)) & (ACCESSED | DIRTY) : 0;
}

/** f64[3]: accesses, TLB misses and guest page faults of a process so far; 0: it has no virtual machine yet. */
export function machineEvents(process: u32): usize {
  const vm = knownMachine(process);
  return vm ? vm + VM_ACCESSES : 0;
}

/** Clears flags (ACCESSED 2, DIRTY 4) of the page's EPT entry. Cached translations stay: see `invept`. */
export function eptClear(page: u32, flags: u32): void {
  const entry = <usize>load<u32>(pageState(page), PAGE_EPT_ENTRY);
  if (entry) store<u32>(entry, load<u32>(entry) & ~(flags & (ACCESSED | DIRTY)));
}

/** INVEPT and INVVPID, all contexts: drops every cached mapping on every vCPU (mechanisms.md, A.3). */
export function invept(): void {
  for (let i: u32 = 0; i < recordCount(); i++) {
    const record = recordAt(i);
    if (record == 0) continue;
    flushTlbs(record);
    for (let mode = 0; mode < MODES; mode++) {
      const walker = walkerOf(record, mode);
      if (walker == 0) continue;
      flushPsc(walker);
      flushGuestPhysical(walker);
    }
  }
}

/** The vCPU's log: u64 guest-physical addresses by index, and the index of the next entry (-1: full, FFFFh). */
export function pmlLogPointer(vcpu: u32): usize {
  return <usize>load<u32>(vcpuRecord(vcpu), V_PML);
}
export function pmlIndex(vcpu: u32): i32 {
  return load<i32>(vcpuRecord(vcpu), V_PML_INDEX);
}
/** Drains the vCPU's log, as the VMM does when its timer fires. */
export function pmlFlush(vcpu: u32): void {
  pmlDrain(vcpuRecord(vcpu));
}
