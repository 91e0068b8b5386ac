/** One run on the emulated machine with the trackers beside it: the machine half of a replay, and what it found. */
import { costsOf } from '../machine/costs.js';
import { EmulatedMachine, type MachineOptions } from '../machine/machine.js';
import { type MachineCountsOfRun, MachineHalf } from '../machine/machineHalf.js';
import { ModeClock } from '../machine/modeClock.js';
import { pmlSweep } from '../machine/sweep.js';
import type { TranslationRow } from '../model/profile.js';
import type { TrackerParameters } from '../tracking/parameters.js';
import { type Observed, TrackerRun } from '../tracking/run.js';

/** Plain data, since it may go to another thread. */
export interface MachineRunOptions extends MachineOptions {
  readonly epochAccesses: number;
  readonly trackers: readonly string[];
  readonly timeScale: number;
  readonly trackerOptions: TrackerParameters;
}

export interface MachineRunResult {
  readonly counted: MachineCountsOfRun;
  readonly translation: readonly TranslationRow[];
  readonly observed: readonly Observed[];
  /** Time that all vCPUs together were busy, modelled ns. */
  readonly busyNs: number;
  /** Entries that the machine's own modification log took. */
  readonly pmlLogged: number;
}

/** Where the counting half's messages go. */
export interface MachinePort {
  /** The bytes are the caller's again when this returns. */
  deliver(messages: Uint8Array): void;
  finish(): Promise<MachineRunResult>;
  /** Ends it without a result. */
  stop(): void;
}

export class MachineRun implements MachinePort {
  readonly #half: MachineHalf;
  readonly #machine: EmulatedMachine;
  readonly #modes: ModeClock;
  readonly #trackers: TrackerRun;

  /** @throws Error for options out of range */
  constructor(options: MachineRunOptions) {
    this.#half = new MachineHalf(options);
    this.#machine = new EmulatedMachine(this.#half.exports, options);
    this.#modes = new ModeClock(this.#half.exports, options);
    this.#trackers = new TrackerRun(this.#half.exports, options.trackers, {
      parameters: options.trackerOptions,
      costs: costsOf(options.machine),
      pageSize: options.pageSize,
      pmlEntries: options.pmlEntries,
      cyclesPerNs: this.#machine.preset.frequencyGHz.value,
      timeScale: options.timeScale,
      tlbEntries: tlbEntries(this.#machine, options.pageSize),
    });
  }

  deliver(messages: Uint8Array): void {
    this.#half.deliver(messages, () => {
      this.#modes.quantum();
      this.#trackers.quantum();
    });
  }

  async finish(): Promise<MachineRunResult> {
    return this.result();
  }

  result(): MachineRunResult {
    const counted = this.#half.finish();
    const { busyCycles, pmlLogged } = this.#machine.counts();
    return {
      counted,
      translation: this.#machine.translation().map(row => this.#completed(row)),
      observed: this.#trackers.finish(),
      busyNs: busyCycles / this.#machine.preset.frequencyGHz.value,
      pmlLogged,
    };
  }

  #completed(row: TranslationRow): TranslationRow {
    if (row.mode === 'nested') return { ...row, pmlSweep: pmlSweep(this.#machine) };
    if (row.mode === 'dsp') {
      const { decisions, decisionsTaken } = this.#modes;
      return { ...row, own: { ...row.own, decisionsTaken }, decisions };
    }
    return row;
  }

  stop(): void {}
}

/** Translations that one vCPU's two TLB levels hold. */
function tlbEntries({ preset }: EmulatedMachine, pageSize: number): number {
  return pageSize === 4096
    ? preset.l1Tlb4k.entries + preset.l2Tlb4k.entries
    : preset.l1Tlb2m.entries + preset.l2Tlb2m.entries;
}
