/**
 * Tells every mode besides native and nested what happens: page walks, misses of the L1 TLB, entries that the guest
 * writes, translations that it drops. All modes see the same TLB misses (Dual Direct has an L2 TLB of its own), and
 * each keeps what it knows to itself, so that each alone counts what it counts among all.
 */
import {
  MODE_AGILE,
  MODE_DIRECT,
  MODE_DSP,
  MODE_DUAL_DIRECT,
  MODE_GUEST_DIRECT,
  MODE_SHADOW,
  MODE_VMM_DIRECT,
} from './abi-machine';
import { agileFlushed, agileMapped, agileUnmapped, agileWalk } from './agile';
import { walks } from './config';
import { dspFlushed, dspMapped, dspUnmapped, dspWalk } from './dsp';
import { dualDirectMiss, dualDirectWalk, guestDirectWalk, vmmDirectWalk } from './segments';
import {
  directFlushed,
  directMapped,
  directUnmapped,
  shadowFlushed,
  shadowMapped,
  shadowUnmapped,
  shadowWalked,
} from './shadow';

/** A guest page fault wrote an entry of leaf table `table`; `linkedTable` and `madeTables` (tables.ts) say which above. */
export function modesMapped(vm: usize, table: usize): void {
  if (walks(MODE_SHADOW)) shadowMapped();
  if (walks(MODE_DIRECT)) directMapped();
  if (walks(MODE_DSP)) dspMapped(vm);
  if (walks(MODE_AGILE)) agileMapped(vm, table);
}

/** The guest cleared the entry of leaf table `table`. */
export function modesUnmapped(vm: usize, table: usize, entry: usize): void {
  if (walks(MODE_SHADOW)) shadowUnmapped();
  if (walks(MODE_DIRECT)) directUnmapped();
  if (walks(MODE_DSP)) dspUnmapped(vm, table, entry);
  if (walks(MODE_AGILE)) agileUnmapped(vm, table, entry);
}

/** Behind the last entry of an unmapping: the guest drops `pages` translations one by one, or (0) all, on each vCPU. */
export function modesFlushed(vm: usize, pages: u32, vcpus: u32): void {
  if (walks(MODE_SHADOW)) shadowFlushed(pages, vcpus);
  if (walks(MODE_DIRECT)) directFlushed();
  if (walks(MODE_DSP)) dspFlushed(vm, pages, vcpus);
  if (walks(MODE_AGILE)) agileFlushed(vm, pages, vcpus);
}

/**
 * A walk that mode native has just done. `leaf`: the page's guest entry; `fault`: the page was mapped for it; `clean`:
 * the guest's dirty flag was not set before; `again`: a second walk, to set it, not a TLB miss.
 */
export function modesWalked(
  record: usize,
  vm: usize,
  page: u32,
  state: usize,
  leaf: usize,
  address: u64,
  write: u32,
  fault: bool,
  clean: bool,
  again: bool,
): void {
  const sets = write != 0 && clean;
  if (walks(MODE_SHADOW)) shadowWalked(fault, sets);
  if (walks(MODE_DSP)) dspWalk(record, vm, state, leaf, address, sets);
  if (walks(MODE_DUAL_DIRECT) && again) dualDirectWalk(record, vm, page, state, leaf, address);
  if (walks(MODE_VMM_DIRECT)) vmmDirectWalk(record, vm, state, leaf, address);
  if (walks(MODE_GUEST_DIRECT)) guestDirectWalk(record, vm, page, state, leaf, address);
  if (walks(MODE_AGILE)) agileWalk(record, vm, state, leaf, address, sets);
}

/** The L1 TLB missed, and what follows from it is done. */
export function modesMissed(record: usize, vm: usize, page: u32, state: usize, leaf: usize, address: u64): void {
  if (walks(MODE_DUAL_DIRECT)) dualDirectMiss(record, vm, page, state, leaf, address);
}
