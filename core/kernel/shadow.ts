/**
 * Modes shadow and direct: a one-dimensional walk, as in mode native, and exits on what the guest does to its tables
 * (mechanisms.md, F.1). Only exits are counted here; references and cycles are those of mode native.
 *
 * shadow: the monitor keeps tables from guest-virtual to host addresses and write-protects the guest's. A page fault of
 * the guest exits (and is passed on), the write of an entry exits, and so does the first use of the new entry, which
 * the shadow does not hold yet (a hidden fault). A page that was only read is read-only in the shadow: its first write
 * is a hidden fault too, in which the monitor sets the guest's dirty flag. The guest's INVLPG and loads of CR3 exit.
 * Of the entries that a fault writes, one lies in a protected table: those below it are in tables that the guest has
 * just made, and that are not shadowed before their first use.
 *
 * direct (Xen's paravirtual guests): the guest's tables hold host addresses and are read-only to it. Each change is a
 * hypercall that validates every entry; those of one unmapping go in one call, the flush with them.
 */

import {
  MODE_DIRECT,
  MODE_SHADOW,
  S_CR3_LOADS,
  S_GUEST_FAULTS,
  S_HIDDEN_FAULTS,
  S_HYPERCALLS,
  S_INVLPG,
  S_TABLE_WRITES,
  S_VALIDATED,
} from './abi-machine';
import { addTo } from './config';
import { madeTables } from './tables';

export function shadowMapped(): void {
  addTo(MODE_SHADOW, S_GUEST_FAULTS, 1);
  addTo(MODE_SHADOW, S_TABLE_WRITES, 1);
}

/** A walk. `fault`: it follows a guest page fault; `sets`: it sets the guest's dirty flag. */
export function shadowWalked(fault: bool, sets: bool): void {
  if (fault || sets) addTo(MODE_SHADOW, S_HIDDEN_FAULTS, 1);
}

export function shadowUnmapped(): void {
  addTo(MODE_SHADOW, S_TABLE_WRITES, 1);
}

/** The guest dropped `pages` translations one by one, or (0) all, on each of its vCPUs. */
export function shadowFlushed(pages: u32, vcpus: u32): void {
  if (pages) addTo(MODE_SHADOW, S_INVLPG, pages * vcpus);
  else addTo(MODE_SHADOW, S_CR3_LOADS, vcpus);
}

export function directMapped(): void {
  addTo(MODE_DIRECT, S_GUEST_FAULTS, 1);
  addTo(MODE_DIRECT, S_HYPERCALLS, 1);
  addTo(MODE_DIRECT, S_VALIDATED, 1 + madeTables);
}

export function directUnmapped(): void {
  addTo(MODE_DIRECT, S_VALIDATED, 1);
}

export function directFlushed(): void {
  addTo(MODE_DIRECT, S_HYPERCALLS, 1);
}
