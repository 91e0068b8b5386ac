/**
 * Dynamic switching between shadow and nested paging (DSP; mechanisms.md, F.2; Wang, Zang, Wang, Luo, Li, VEE 2011).
 *
 * At the end of each interval, for each virtual machine, the host reads guest page faults, TLB misses and retired
 * instructions, and decides by eight rules which way of paging the next interval has. The historic values are the means
 * of the last three intervals, the one that has just ended included; their ratio is the historic P-to-T ratio.
 */
import type { DspDecision } from '../model/profile.js';

export interface DspThresholds {
  /** Guest page faults per 1,000 instructions. */
  readonly faultsUpper: number;
  readonly faultsLower: number;
  /** TLB misses per 1,000 instructions. */
  readonly missesUpper: number;
  readonly missesLower: number;
  /** P-to-T: guest page faults per TLB miss. */
  readonly ratioUpper: number;
  readonly ratioLower: number;
}

/** As trained by the authors: SPEC INT, 32-bit guest, i7-860, Xen 3.3.1. */
export const defaultThresholds: DspThresholds = {
  faultsUpper: 5000e-7,
  faultsLower: 100e-7,
  missesUpper: 10,
  missesLower: 0.1,
  ratioUpper: 200e-7,
  ratioLower: 150e-7,
};

/** Events per 1,000 retired instructions. */
export interface Frequencies {
  readonly faults: number;
  readonly misses: number;
}

/** Rule 1 and 2 leave this distance to the other threshold. */
const MARGIN = 0.8;

export type Paging = DspDecision['paging'];

/** The first rule that matches, 1 to 8, and what it decides; null: stay. */
export function decide(
  now: Frequencies,
  historic: Frequencies,
  t: DspThresholds = defaultThresholds,
): { readonly rule: number; readonly paging: Paging | null } {
  const { faults, misses } = now;
  if (misses > t.missesUpper && faults < MARGIN * t.faultsUpper) return { rule: 1, paging: 'shadow' };
  if (faults > t.faultsUpper && misses < MARGIN * t.missesUpper) return { rule: 2, paging: 'nested' };
  if (misses < t.missesLower && faults < t.faultsLower) return { rule: 3, paging: null };
  if (misses === 0 || historic.misses === 0) return { rule: 4, paging: 'nested' };
  const ratios = [faults / misses, historic.faults / historic.misses];
  if (ratios.every(ratio => ratio > t.ratioUpper)) return { rule: 5, paging: 'nested' };
  if (ratios.every(ratio => ratio < t.ratioLower)) return { rule: 6, paging: 'shadow' };
  if (ratios.every(ratio => ratio >= t.ratioLower && ratio <= t.ratioUpper)) return { rule: 7, paging: null };
  return { rule: 8, paging: null };
}

/** Intervals that the historic values are the mean of. */
const HISTORY = 3;

/** Counts of a virtual machine since the start of the run. */
export interface MachineEvents {
  readonly instructions: number;
  readonly misses: number;
  readonly faults: number;
}

/** One virtual machine under DSP. */
export class DspMachine {
  paging: Paging = 'nested';
  #before: MachineEvents = { instructions: 0, misses: 0, faults: 0 };
  readonly #last: Frequencies[] = [];

  constructor(
    readonly process: number,
    readonly thresholds: DspThresholds = defaultThresholds,
  ) {}

  /** Ends an interval. null: the machine ran no instruction in it, and nothing is decided. */
  decide(events: MachineEvents, seconds: number): DspDecision | null {
    const thousands = (events.instructions - this.#before.instructions) / 1000;
    if (!(thousands > 0)) return null;
    const now = {
      faults: (events.faults - this.#before.faults) / thousands,
      misses: (events.misses - this.#before.misses) / thousands,
    };
    this.#before = events;
    this.#last.push(now);
    if (this.#last.length > HISTORY) this.#last.shift();
    const historic = { faults: mean(this.#last, 'faults'), misses: mean(this.#last, 'misses') };
    const { rule, paging } = decide(now, historic, this.thresholds);
    const switched = paging !== null && paging !== this.paging;
    if (switched) this.paging = paging;
    return {
      process: this.process,
      seconds,
      faultsPerThousand: now.faults,
      missesPerThousand: now.misses,
      ratio: now.misses > 0 ? now.faults / now.misses : null,
      historicRatio: historic.misses > 0 ? historic.faults / historic.misses : null,
      rule,
      paging: this.paging,
      switched,
    };
  }
}

function mean(samples: readonly Frequencies[], key: keyof Frequencies): number {
  return samples.reduce((sum, sample) => sum + sample[key], 0) / samples.length;
}
