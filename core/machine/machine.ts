/**
 * The host's side of the emulated machine: configures the kernel from a preset, and reads from its counters the rows
 * of the report's `translation`.
 */
import {
  C_BUSY_CYCLES,
  C_CONTEXT_SWITCHES,
  C_DIRTY_WALKS,
  C_EPT_VIOLATIONS,
  C_FILLS,
  C_FLAG_UPDATES,
  C_GUEST_FAULTS,
  C_L1_TLB_MISSES,
  C_L2_HITS,
  C_LLC_HITS,
  C_NATIVE_REFERENCES,
  C_NATIVE_WALK_CYCLES,
  C_NESTED_REFERENCES,
  C_NESTED_WALK_CYCLES,
  C_PML_FULL,
  C_PML_LOGGED,
  C_SHOOTDOWNS,
  C_SYSTEM_CALLS,
  C_TLB_MISSES,
  C_TRANSLATIONS,
  C_UNMAPPED,
  C_WRITE_BACKS,
  COUNTERS,
  PARAMETERS,
} from '../kernel/abi-machine.js';
import type { TranslationRow } from '../model/profile.js';
import { type CostValues, costsOf } from './costs.js';
import type { ModeOptions } from './modeParameters.js';
import { translationRow } from './modeRows.js';
import { modes } from './modes.js';
import { parameterBlock } from './parameterBlock.js';
import { type MachinePreset, machinePreset } from './presets.js';

/** What of the kernel's exports the machine needs. */
export interface MachineExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  machineParameters(): number;
  machineCounters(): number;
  machineStart(): void;
  modelledNs(): number;
}

export interface MachineOptions {
  /** Id of presets.ts. */
  readonly machine: string;
  /** Ids of modes.ts; mode native is always walked, since the clock rests on it. */
  readonly modes: readonly string[];
  readonly pageSize: 4096 | 2097152;
  /** 1 to 65,536. */
  readonly pmlEntries: number;
  readonly kernelIntegration: boolean;
  /** Parameters of modes that differ from their defaults, by `mode.parameter` (modeParameters.ts). */
  readonly modeOptions?: ModeOptions;
}

/** For experiments and tests: values of single parameter slots (P_*) that replace the preset's. */
export type ParameterOverrides = Readonly<Record<number, number>>;

export interface MachineCounts {
  readonly translations: number;
  readonly l1TlbMisses: number;
  readonly tlbMisses: number;
  readonly dirtyWalks: number;
  readonly nativeReferences: number;
  readonly nestedReferences: number;
  readonly nativeWalkCycles: number;
  readonly nestedWalkCycles: number;
  readonly eptViolations: number;
  readonly pmlFull: number;
  readonly pmlLogged: number;
  readonly flagUpdates: number;
  readonly systemCalls: number;
  readonly guestPageFaults: number;
  readonly unmappedPages: number;
  readonly tlbShootdowns: number;
  readonly contextSwitches: number;
  readonly l2Hits: number;
  readonly llcHits: number;
  readonly fills: number;
  readonly writeBacks: number;
  /** Cycles that all vCPUs together were busy, mode native. */
  readonly busyCycles: number;
}

export class EmulatedMachine {
  readonly preset: MachinePreset;
  readonly options: MachineOptions;
  readonly costs: CostValues;
  readonly #kernel: MachineExports;

  /** Starts an empty machine in the kernel; before the first vCPU, once. @throws Error for options out of range. */
  constructor(kernel: MachineExports, options: MachineOptions, overrides: ParameterOverrides = {}) {
    this.preset = machinePreset(options.machine);
    this.options = options;
    this.costs = costsOf(options.machine);
    this.#kernel = kernel;
    const values = parameterBlock(this.preset, options);
    for (const [slot, value] of Object.entries(overrides)) values[Number(slot)] = value;
    new Float64Array(kernel.memory.buffer, kernel.machineParameters() >>> 0, PARAMETERS).set(values);
    kernel.machineStart();
  }

  /** Sums over the run so far. */
  counts(): MachineCounts {
    const at = this.counters();
    return {
      translations: at[C_TRANSLATIONS],
      l1TlbMisses: at[C_L1_TLB_MISSES],
      tlbMisses: at[C_TLB_MISSES],
      dirtyWalks: at[C_DIRTY_WALKS],
      nativeReferences: at[C_NATIVE_REFERENCES],
      nestedReferences: at[C_NESTED_REFERENCES],
      nativeWalkCycles: at[C_NATIVE_WALK_CYCLES],
      nestedWalkCycles: at[C_NESTED_WALK_CYCLES],
      eptViolations: at[C_EPT_VIOLATIONS],
      pmlFull: at[C_PML_FULL],
      pmlLogged: at[C_PML_LOGGED],
      flagUpdates: at[C_FLAG_UPDATES],
      systemCalls: at[C_SYSTEM_CALLS],
      guestPageFaults: at[C_GUEST_FAULTS],
      unmappedPages: at[C_UNMAPPED],
      tlbShootdowns: at[C_SHOOTDOWNS],
      contextSwitches: at[C_CONTEXT_SWITCHES],
      l2Hits: at[C_L2_HITS],
      llcHits: at[C_LLC_HITS],
      fills: at[C_FILLS],
      writeBacks: at[C_WRITE_BACKS],
      busyCycles: at[C_BUSY_CYCLES],
    };
  }

  /** The kernel's counter slots (C_*), copied. */
  counters(): Float64Array {
    return new Float64Array(this.#kernel.memory.buffer, this.#kernel.machineCounters() >>> 0, COUNTERS).slice();
  }

  /** Modelled run time so far, ns. */
  modelledNs(): number {
    return this.#kernel.modelledNs();
  }

  /** One row for each asked mode (modes.ts). */
  translation(): TranslationRow[] {
    const counters = this.counters();
    return this.options.modes.map(mode => translationRow(mode, modes[mode], counters, this));
  }

  /** Cycles to drain a log of so many entries. */
  drainCycles(entries: number): number {
    return entries * this.costs.pmlDrainNsPerEntry * this.preset.frequencyGHz.value;
  }

  /** Cycles that relaying so many system calls to the host costs (mechanisms C). */
  relayCycles(systemCalls: number): number {
    const factor = this.options.kernelIntegration ? this.costs.kernelIntegrationFactor : 1;
    return systemCalls * this.costs.relayCycles * factor;
  }
}
