/** What modes do by the clock: DSP decides, agile paging reviews its nested tables. On modelled time, at each quantum. */
import type { DspDecision } from '../model/profile.js';
import { DspMachine, type DspThresholds } from './dsp.js';
import { type ModeOptions, modeValues } from './modeParameters.js';

/** What of the kernel's exports it needs. */
export interface ModeClockExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  modelledNs(): number;
  machineCount(): number;
  machineEvents(process: number): number;
  dspSwitch(process: number, shadow: number): void;
  agileInterval(): void;
}

export interface ModeClockOptions {
  readonly modes: readonly string[];
  readonly modeOptions?: ModeOptions;
  readonly timeScale: number;
}

/** Decisions that the log keeps: the first ones. */
const LOG_LENGTH = 1000;

export class ModeClock {
  /** DSP's decisions, in order, at most LOG_LENGTH. */
  readonly decisions: DspDecision[] = [];
  /** Decisions in all. */
  decisionsTaken = 0;
  readonly #kernel: ModeClockExports;
  readonly #machines: DspMachine[] = [];
  readonly #thresholds: DspThresholds;
  readonly #instructions: number;
  readonly #dsp: Beat | null;
  readonly #agile: Beat | null;

  constructor(kernel: ModeClockExports, options: ModeClockOptions) {
    const { modes, modeOptions, timeScale } = options;
    const { intervalSeconds, instructionsPerAccess, ...thresholds } = modeValues('dsp', modeOptions);
    const agile = modeValues('agile', modeOptions);
    this.#kernel = kernel;
    this.#dsp = modes.includes('dsp') ? new Beat(intervalSeconds / timeScale) : null;
    this.#agile = modes.includes('agile') ? new Beat(agile.intervalSeconds / timeScale) : null;
    this.#instructions = instructionsPerAccess;
    this.#thresholds = thresholds;
  }

  /** To be called at every quantum of the replay. */
  quantum(): void {
    const seconds = this.#kernel.modelledNs() / 1e9;
    if (this.#dsp?.due(seconds)) this.#decide(seconds);
    if (this.#agile?.due(seconds)) this.#kernel.agileInterval();
  }

  #decide(seconds: number): void {
    const kernel = this.#kernel;
    for (let process = 0; process < kernel.machineCount(); process++) {
      const at = kernel.machineEvents(process);
      if (at === 0) continue;
      const [accesses, misses, faults] = new Float64Array(kernel.memory.buffer, at >>> 0, 3);
      const machine = (this.#machines[process] ??= new DspMachine(process, this.#thresholds));
      const decision = machine.decide({ instructions: accesses * this.#instructions, misses, faults }, seconds);
      if (!decision) continue;
      this.decisionsTaken++;
      if (decision.switched) kernel.dspSwitch(process, decision.paging === 'shadow' ? 1 : 0);
      if (this.decisions.length < LOG_LENGTH) this.decisions.push(decision);
    }
  }
}

/** A timer: due once its interval has passed; missed beats are skipped, as a kernel's timer does. */
class Beat {
  #next: number;

  constructor(readonly seconds: number) {
    this.#next = seconds;
  }

  due(now: number): boolean {
    if (now < this.#next) return false;
    this.#next = now + this.seconds;
    return true;
  }
}
