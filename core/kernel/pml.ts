/**
 * Page Modification Logging, as in Intel SDM vol. 3C "Page-Modification Logging" (mechanisms.md, B.1).
 *
 * A log of `pmlEntries` (512 in hardware) guest-physical addresses per vCPU, filled from the highest index down. Before
 * an EPT accessed or dirty flag is set the index is checked: out of range means a VM exit "page-modification log full"
 * (reason 62), the flag stays clear, the VMM drains the log and sets the index back, and the access is made again. A
 * dirty flag that goes from 0 to 1 is logged. Addresses are logged once: nothing here clears a dirty flag.
 *
 * Other sizes are simulated side by side: the flag updates do not depend on the size, so a count per size is exact.
 */

import { C_FLAG_UPDATES, C_PML_FULL, C_PML_LOGGED, C_SWEEP_EXITS, SWEEP_SIZES, SWEEP_SMALLEST } from './abi-machine';
import { enlarge } from './arena';
import { add, pmlEntries, pmlKeep } from './config';
import { V_PML, V_PML_INDEX, V_SWEEP } from './vcpu';

let kept: usize = 0;
let keptCapacity: u32 = 0;
let keptCount: u32 = 0;

/** u64 guest-physical addresses drained so far on all vCPUs, oldest first; filled only with P_PML_KEEP. */
export function pmlDrained(): usize {
  return kept;
}
export function pmlDrainedCount(): u32 {
  return keptCount;
}

export function pmlStart(): void {
  keptCount = 0;
}

/** To be called before an EPT translation sets its first accessed or dirty flag. */
export function pmlBeforeFlags(vcpu: usize): void {
  add(C_FLAG_UPDATES, 1);
  if (load<i32>(vcpu, V_PML_INDEX) < 0) {
    add(C_PML_FULL, 1);
    pmlDrain(vcpu);
  }
  const used = <usize>load<u32>(vcpu, V_SWEEP);
  for (let size: i32 = 0; size < SWEEP_SIZES; size++) {
    const at = used + ((<usize>size) << 2);
    if (load<u32>(at) < <u32>(SWEEP_SMALLEST << size)) continue;
    store<u32>(at, 0);
    add(C_SWEEP_EXITS + size, 1);
  }
}

/** To be called when a dirty flag went from 0 to 1; `address` is guest-physical, bits 11:0 clear. */
export function pmlLog(vcpu: usize, address: u64): void {
  add(C_PML_LOGGED, 1);
  const index = load<i32>(vcpu, V_PML_INDEX);
  store<u64>(<usize>load<u32>(vcpu, V_PML) + ((<usize>index) << 3), address);
  store<i32>(vcpu, index - 1, V_PML_INDEX);
  const used = <usize>load<u32>(vcpu, V_SWEEP);
  for (let at = used, end = used + (SWEEP_SIZES << 2); at < end; at += 4) store<u32>(at, load<u32>(at) + 1);
}

/** Empties the log, oldest entry first, and sets the index back to the top. */
export function pmlDrain(vcpu: usize): void {
  if (pmlKeep) {
    const log = <usize>load<u32>(vcpu, V_PML);
    for (let index = <i32>pmlEntries - 1; index > load<i32>(vcpu, V_PML_INDEX); index--) {
      keep(load<u64>(log + ((<usize>index) << 3)));
    }
  }
  store<i32>(vcpu, <i32>pmlEntries - 1, V_PML_INDEX);
}

function keep(address: u64): void {
  if (keptCount == keptCapacity) {
    const larger = keptCapacity ? keptCapacity * 2 : 1024;
    kept = enlarge(kept, (<usize>keptCapacity) << 3, (<usize>larger) << 3);
    keptCapacity = larger;
  }
  store<u64>(kept + ((<usize>keptCount) << 3), address);
  keptCount++;
}
