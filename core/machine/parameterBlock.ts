/** The kernel's parameter block of a machine: a preset and options as the slots P_* of kernel/abi-machine.ts. */
import {
  P_ACCESS_CYCLES,
  P_AGILE_WRITES,
  P_BAD_PAGES,
  P_CORES,
  P_CYCLES_PER_NS,
  P_EPT_LEAF,
  P_EPT_PSC_ENTRIES,
  P_EPT_ROOT,
  P_EPT_SHARE_1G,
  P_EPT_SHARE_2M,
  P_GUEST_LEAF,
  P_GUEST_ROOT,
  P_GUEST_SHARE_1G,
  P_GUEST_SHARE_2M,
  P_L1_TLB_MISS_CYCLES,
  P_L1_TLB_SETS,
  P_L1D_SETS,
  P_L1D_WAYS,
  P_L2_SETS,
  P_L2_STALL,
  P_L2_TLB_MISS_CYCLES,
  P_L2_WAYS,
  P_LARGE_TLBS,
  P_LLC_SETS,
  P_LLC_STALL,
  P_LLC_WAYS,
  P_MEMORY_STALL,
  P_MODES,
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
import { costsOf } from './costs.js';
import type { MachineOptions } from './machine.js';
import { type Geometry, geometryOf, modeValues } from './modeParameters.js';
import { modes } from './modes.js';
import type { CacheLevel, MachinePreset, TlbLevel, WalkCaches } from './presets.js';

/** The kernel's parameter block for a preset. @throws Error naming the option that is out of range. */
export function parameterBlock(preset: MachinePreset, options: MachineOptions): Float64Array {
  if (!(options.pmlEntries >= 1 && options.pmlEntries <= 65536))
    throw new Error(`PML entries ${options.pmlEntries}: must be 1 to 65536`);
  const geometry = geometryOf(options);
  const values = new Float64Array(PARAMETERS);
  values[P_PAGE_SHIFT] = Math.log2(options.pageSize);
  setGeometry(values, geometry, preset);
  values[P_MODES] = options.modes.reduce((bits, id) => bits | (1 << modes[id].number), 0);
  values[P_CORES] = modeValues('native', options.modeOptions).cores;
  values[P_BAD_PAGES] = modeValues('vmm-direct', options.modeOptions).badPages;
  values[P_AGILE_WRITES] = modeValues('agile', options.modeOptions).writes;
  setWalkCaches(values, P_PSC_ENTRIES, preset.walkCaches);
  setWalkCaches(values, P_EPT_PSC_ENTRIES, preset.nestedWalkCaches);
  values[P_NESTED_TLB_ENTRIES] = preset.nestedWalkCaches.translations;
  values[P_PML_ENTRIES] = options.pmlEntries;
  values[P_PML_KEEP] = 0;
  setCache(values, P_L1D_SETS, P_L1D_WAYS, preset.l1d);
  setCache(values, P_L2_SETS, P_L2_WAYS, preset.l2);
  setCache(values, P_LLC_SETS, P_LLC_WAYS, preset.llc);

  const costs = costsOf(options.machine);
  const parallelism = costs.memoryLevelParallelism;
  values[P_ACCESS_CYCLES] = costs.accessCycles;
  values[P_L2_STALL] = (preset.l2.latencyCycles - preset.l1d.latencyCycles) / parallelism;
  values[P_LLC_STALL] = (preset.llc.latencyCycles - preset.l1d.latencyCycles) / parallelism;
  values[P_MEMORY_STALL] = (costs.memoryLatencyNs * preset.frequencyGHz.value) / parallelism;
  values[P_L1_TLB_MISS_CYCLES] = preset.tlbPenalty.l1MissCycles;
  values[P_L2_TLB_MISS_CYCLES] = preset.tlbPenalty.l2MissCycles;
  // Walker's reads: its lines stay in a cache of the L2's geometry that data does not compete for; the rest, in the LLC.
  values[P_WALK_NEAR_CYCLES] = preset.l2.latencyCycles;
  values[P_WALK_FAR_CYCLES] = preset.llc.latencyCycles;
  values[P_PSC_CYCLES] = preset.walkCaches.latencyCycles;
  values[P_SYSTEM_CALL_CYCLES] = costs.systemCallCycles;
  values[P_CYCLES_PER_NS] = preset.frequencyGHz.value;
  return values;
}

/** Levels of both dimensions, the TLBs for the smallest of their pages, and those for larger ones. */
function setGeometry(values: Float64Array, { guest, nested }: Geometry, preset: MachinePreset): void {
  values[P_GUEST_ROOT] = guest.levels;
  values[P_GUEST_LEAF] = guest.leaf;
  values[P_EPT_ROOT] = nested.levels;
  values[P_EPT_LEAF] = nested.leaf;
  values[P_GUEST_SHARE_2M] = guest.share2m;
  values[P_GUEST_SHARE_1G] = guest.share1g;
  values[P_EPT_SHARE_2M] = nested.share2m;
  values[P_EPT_SHARE_1G] = nested.share1g;
  const tlbs = [
    [preset.l1Tlb4k, preset.l2Tlb4k],
    [preset.l1Tlb2m, preset.l2Tlb2m],
    [preset.l1Tlb1g, preset.l2Tlb1g],
  ];
  const smallest = Math.min(guest.leaf, nested.leaf);
  const [l1, l2] = tlbs[smallest - 1];
  values.set([...setsAndWays(l1), ...setsAndWays(l2)], P_L1_TLB_SETS);
  for (let leaf = smallest + 1; leaf <= 3; leaf++) {
    const large = tlbs[leaf - 1].flatMap(tlb => (tlb.unified ? [0, 0] : setsAndWays(tlb)));
    values.set(large, P_LARGE_TLBS + 4 * (leaf - 2));
  }
}

function setsAndWays(level: TlbLevel): [sets: number, ways: number] {
  return [level.entries === 0 ? 1 : level.entries / level.ways, level.ways];
}

function setWalkCaches(values: Float64Array, first: number, caches: WalkCaches): void {
  values.set([caches.pde, caches.pdpte, caches.pml4, caches.pml5], first);
}

function setCache(values: Float64Array, sets: number, ways: number, level: CacheLevel): void {
  values[sets] = level.bytes / 64 / level.ways;
  values[ways] = level.ways;
}
