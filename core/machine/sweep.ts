/**
 * The sweep over sizes of the Page Modification Log: exits and overhead for each size, from one replay.
 *
 * Which flags a translation sets does not depend on the log's size, only when the log is full does. So the kernel keeps
 * one count per size beside the log of the configured size, and every row is what a replay with that size would give.
 * Flags are never cleared here: a page is logged once in the run. The periodic use is the `pml` tracker's.
 */
import { C_SWEEP_EXITS, SWEEP_SIZES, SWEEP_SMALLEST } from '../kernel/abi-machine.js';
import type { PmlSweepRow } from '../model/profile.js';
import type { EmulatedMachine } from './machine.js';

/**
 * One row for each size from 64 to 8,192 entries, doubling. Exits are those of reason 62, "page-modification log full";
 * the overhead has their cycles and those of draining everything that was logged, over the native busy cycles. All zero
 * unless mode nested was replayed.
 */
export function pmlSweep(machine: EmulatedMachine): PmlSweepRow[] {
  const counters = machine.counters();
  const { busyCycles, pmlLogged } = machine.counts();
  return Array.from({ length: SWEEP_SIZES }, (_, i) => {
    const exits = counters[C_SWEEP_EXITS + i];
    const cycles = exits * machine.costs.exitEntryCycles + machine.drainCycles(pmlLogged);
    return {
      entries: SWEEP_SMALLEST << i,
      exits,
      overheadPercent: busyCycles > 0 ? (100 * cycles) / busyCycles : 0,
    };
  });
}
