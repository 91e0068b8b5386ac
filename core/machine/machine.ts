/**
 * The host's side of the emulated machine: configures the kernel from a preset, and reads from its counters the rows
 * of the report's `translation`.
 */
import {
  C_BUSY_CYCLES,
  C_DIRTY_WALKS,
  C_EPT_VIOLATIONS,
  C_FILLS,
  C_FLAG_UPDATES,
  C_L1_TLB_MISSES,
  C_L2_HITS,
  C_LLC_HITS,
  C_NATIVE_REFERENCES,
  C_NATIVE_WALK_CYCLES,
  C_NESTED_REFERENCES,
  C_NESTED_WALK_CYCLES,
  C_PML_FULL,
  C_PML_LOGGED,
  C_SYSTEM_CALLS,
  C_TLB_MISSES,
  C_TRANSLATIONS,
  C_WRITE_BACKS,
  COUNTERS,
  P_ACCESS_CYCLES,
  P_CYCLES_PER_NS,
  P_EPT_LEAF,
  P_EPT_PSC_ENTRIES,
  P_EPT_ROOT,
  P_GUEST_LEAF,
  P_GUEST_ROOT,
  P_L1_TLB_MISS_CYCLES,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L1D_SETS,
  P_L1D_WAYS,
  P_L2_SETS,
  P_L2_STALL,
  P_L2_TLB_MISS_CYCLES,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_L2_WAYS,
  P_LLC_SETS,
  P_LLC_STALL,
  P_LLC_WAYS,
  P_MEMORY_STALL,
  P_NESTED,
  P_NESTED_TLB_ENTRIES,
  P_PAGE_SHIFT,
  P_PML_ENTRIES,
  P_PML_KEEP,
  P_PSC_CYCLES,
  P_PSC_ENTRIES,
  P_SYSTEM_CALL_CYCLES,
  P_WALK_FAR_CYCLES,
  P_WALK_NEAR_CYCLES,
  PARAMETERS,
} from '../kernel/abi-machine.js';
import type { TranslationRow } from '../model/profile.js';
import { costs, slideForm } from './costs.js';
import { type CacheLevel, type MachinePreset, machinePreset, type TlbLevel, type WalkCaches } from './presets.js';

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
  readonly #kernel: MachineExports;

  /** Starts an empty machine in the kernel; before the first vCPU, once. @throws Error for options out of range. */
  constructor(kernel: MachineExports, options: MachineOptions, overrides: ParameterOverrides = {}) {
    this.preset = machinePreset(options.machine);
    this.options = options;
    this.#kernel = kernel;
    const values = parameters(this.preset, options);
    for (const [slot, value] of Object.entries(overrides)) values[Number(slot)] = value;
    new Float64Array(kernel.memory.buffer, kernel.machineParameters(), PARAMETERS).set(values);
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
      l2Hits: at[C_L2_HITS],
      llcHits: at[C_LLC_HITS],
      fills: at[C_FILLS],
      writeBacks: at[C_WRITE_BACKS],
      busyCycles: at[C_BUSY_CYCLES],
    };
  }

  /** The kernel's counter slots (C_*), copied. */
  counters(): Float64Array {
    return new Float64Array(this.#kernel.memory.buffer, this.#kernel.machineCounters(), COUNTERS).slice();
  }

  /** Modelled run time so far, ns. */
  modelledNs(): number {
    return this.#kernel.modelledNs();
  }

  /**
   * One row for each asked mode. `overheadPercent` is the row's translation and relay cycles over the busy cycles of
   * mode native (all vCPUs), which hold native translation itself; 0 when nothing ran.
   */
  translation(): TranslationRow[] {
    const n = this.counts();
    const { l1MissCycles, l2MissCycles } = this.preset.tlbPenalty;
    const lookups = l1MissCycles * (n.l1TlbMisses - n.tlbMisses) + l2MissCycles * n.tlbMisses;
    const row = (
      mode: string,
      walkReferences: number,
      cycles: number,
      relayCycles: number,
      vmExits: Record<string, number>,
    ): TranslationRow => ({
      mode,
      tlbMisses: n.tlbMisses,
      l1TlbMisses: n.l1TlbMisses,
      walkReferences,
      vmExits,
      cycles,
      relayCycles,
      overheadPercent: n.busyCycles > 0 ? (100 * (cycles + relayCycles)) / n.busyCycles : 0,
    });
    const rows: Record<string, () => TranslationRow> = {
      native: () => row('native', n.nativeReferences, lookups + n.nativeWalkCycles, 0, {}),
      nested: () => {
        const violations = n.eptViolations * (costs.exitEntryCycles.value + costs.eptViolationHandlerCycles.value);
        const walks = slideForm({
          walkCycles: n.nestedWalkCycles,
          fullEvents: n.pmlFull,
          exit: costs.exitEntryCycles.value,
          entry: 0,
          handler: this.drainCycles(this.options.pmlEntries),
        });
        return row('nested', n.nestedReferences, lookups + walks + violations, this.relayCycles(n.systemCalls), {
          'ept-violation': n.eptViolations,
          'pml-full': n.pmlFull,
          'system-call': n.systemCalls,
        });
      },
    };
    return this.options.modes.map(mode => rows[mode]());
  }

  /** Cycles to drain a log of so many entries. */
  drainCycles(entries: number): number {
    return entries * costs.pmlDrainNsPerEntry.value * this.preset.frequencyGHz.value;
  }

  /** Cycles that relaying so many system calls to the host costs (mechanisms C). */
  relayCycles(systemCalls: number): number {
    const factor = this.options.kernelIntegration ? costs.kernelIntegrationFactor.value : 1;
    return systemCalls * costs.relayCycles.value * factor;
  }
}

/** The kernel's parameter block for a preset. @throws Error naming the option that is out of range. */
function parameters(preset: MachinePreset, options: MachineOptions): Float64Array {
  if (!(options.pmlEntries >= 1 && options.pmlEntries <= 65536))
    throw new Error(`PML entries ${options.pmlEntries}: must be 1 to 65536`);
  const large = options.pageSize === 2097152;
  const leaf = large ? 2 : 1;
  const values = new Float64Array(PARAMETERS);
  values[P_PAGE_SHIFT] = large ? 21 : 12;
  values[P_GUEST_ROOT] = 4;
  values[P_GUEST_LEAF] = leaf;
  values[P_EPT_ROOT] = 4;
  values[P_EPT_LEAF] = leaf;
  values[P_NESTED] = options.modes.includes('nested') ? 1 : 0;
  setTlb(values, P_L1_TLB_SETS, P_L1_TLB_WAYS, large ? preset.l1Tlb2m : preset.l1Tlb4k);
  setTlb(values, P_L2_TLB_SETS, P_L2_TLB_WAYS, large ? preset.l2Tlb2m : preset.l2Tlb4k);
  setWalkCaches(values, P_PSC_ENTRIES, preset.walkCaches);
  setWalkCaches(values, P_EPT_PSC_ENTRIES, preset.nestedWalkCaches);
  values[P_NESTED_TLB_ENTRIES] = preset.nestedWalkCaches.translations;
  values[P_PML_ENTRIES] = options.pmlEntries;
  values[P_PML_KEEP] = 0;
  setCache(values, P_L1D_SETS, P_L1D_WAYS, preset.l1d);
  setCache(values, P_L2_SETS, P_L2_WAYS, preset.l2);
  setCache(values, P_LLC_SETS, P_LLC_WAYS, preset.llc);

  const parallelism = costs.memoryLevelParallelism.value;
  values[P_ACCESS_CYCLES] = costs.accessCycles.value;
  values[P_L2_STALL] = (preset.l2.latencyCycles - preset.l1d.latencyCycles) / parallelism;
  values[P_LLC_STALL] = (preset.llc.latencyCycles - preset.l1d.latencyCycles) / parallelism;
  values[P_MEMORY_STALL] = (costs.memoryLatencyNs.value * preset.frequencyGHz.value) / parallelism;
  values[P_L1_TLB_MISS_CYCLES] = preset.tlbPenalty.l1MissCycles;
  values[P_L2_TLB_MISS_CYCLES] = preset.tlbPenalty.l2MissCycles;
  // Walker's reads: its lines stay in a cache of the L2's geometry that data does not compete for; the rest, in the LLC.
  values[P_WALK_NEAR_CYCLES] = preset.l2.latencyCycles;
  values[P_WALK_FAR_CYCLES] = preset.llc.latencyCycles;
  values[P_PSC_CYCLES] = preset.walkCaches.latencyCycles;
  values[P_SYSTEM_CALL_CYCLES] = costs.systemCallCycles.value;
  values[P_CYCLES_PER_NS] = preset.frequencyGHz.value;
  return values;
}

function setTlb(values: Float64Array, sets: number, ways: number, level: TlbLevel): void {
  values[sets] = level.entries === 0 ? 1 : level.entries / level.ways;
  values[ways] = level.ways;
}

function setWalkCaches(values: Float64Array, first: number, caches: WalkCaches): void {
  values.set([caches.pde, caches.pdpte, caches.pml4, 0], first);
}

function setCache(values: Float64Array, sets: number, ways: number, level: CacheLevel): void {
  values[sets] = level.bytes / 64 / level.ways;
  values[ways] = level.ways;
}
