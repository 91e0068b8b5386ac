/**
 * The rows of the report's `translation`: what a mode counted in the kernel, as exits by reason, modelled cycles and
 * overhead.
 *
 * cycles = TLB look-ups + walks + exits and their handlers (T = T_PTW + N (Tx + Te + Th), mechanisms.md B.3). The
 * overhead is these and the cycles of relayed system calls over the busy cycles of mode native (all vCPUs), which hold
 * native translation itself; 0 when nothing ran.
 */
import {
  C_BUSY_CYCLES,
  C_CONTEXT_SWITCHES,
  C_EPT_VIOLATIONS,
  C_GUEST_FAULTS,
  C_L1_TLB_MISSES,
  C_MODES,
  C_NATIVE_REFERENCES,
  C_NATIVE_WALK_CYCLES,
  C_NESTED_REFERENCES,
  C_NESTED_WALK_CYCLES,
  C_PML_FULL,
  C_SHOOTDOWNS,
  C_SYSTEM_CALLS,
  C_TLB_MISSES,
  C_UNMAPPED,
  MODE_SLOTS,
  S_CHECKED,
  S_CHECKS,
  S_CR3_LOADS,
  S_CYCLES,
  S_DROPPED,
  S_EPT_VIOLATIONS,
  S_ESCAPED,
  S_GUEST_FAULTS,
  S_HIDDEN_FAULTS,
  S_HYPERCALLS,
  S_INVLPG,
  S_MISSES,
  S_REFERENCES,
  S_SEGMENT,
  S_SWITCHES,
  S_TABLE_WRITES,
  S_TO_NESTED,
  S_TO_SHADOW,
  S_VALIDATED,
  S_WALKS_AT,
} from '../kernel/abi-machine.js';
import type { TranslationRow } from '../model/profile.js';
import type { EmulatedMachine } from './machine.js';
import type { Mode } from './modes.js';

/** What is particular to a mode. */
interface Parts {
  readonly tlbMisses?: number;
  readonly walkReferences: number;
  /** Cycles of look-ups, walks, checks and the like; without exits. */
  readonly cycles: number;
  /** Exits by reason. */
  readonly exits: Readonly<Partial<Record<Reason, number>>>;
  readonly own?: Readonly<Record<string, number>>;
}

/** Why a guest exits, and what an exit with its handler costs in cycles. */
const reasons = {
  'guest-page-fault': shadowCycles,
  'page-table-write': shadowCycles,
  'hidden-fault': shadowCycles,
  invlpg: ({ costs }) => costs.exitEntryCycles + costs.eptViolationHandlerCycles,
  'cr3-load': ({ costs }) => costs.exitEntryCycles + costs.eptViolationHandlerCycles,
  'forwarded-fault': ({ costs }) => costs.exitEntryCycles,
  hypercall: ({ costs }) => costs.exitEntryCycles,
  'ept-violation': ({ costs }) => costs.exitEntryCycles + costs.eptViolationHandlerCycles,
  'pml-full': m => m.costs.exitEntryCycles + m.drainCycles(m.options.pmlEntries),
} as const satisfies Record<string, (machine: EmulatedMachine) => number>;

type Reason = keyof typeof reasons;

/** One of the three exits of a guest page fault under shadow paging. */
function shadowCycles({ preset, costs }: EmulatedMachine): number {
  return (costs.shadowFaultNs * preset.frequencyGHz.value) / 3;
}

type Counter = (slot: number) => number;

/** Walks, look-ups and exits of each mode. `of` is a slot S_* of the mode, `run` one of C_*. */
const parts: Readonly<Record<string, (of: Counter, run: Counter, machine: EmulatedMachine) => Parts>> = {
  native: (_, run, machine) => ({
    walkReferences: run(C_NATIVE_REFERENCES),
    cycles: lookUps(run, machine) + run(C_NATIVE_WALK_CYCLES),
    exits: {},
  }),

  shadow: (of, run, machine) => ({
    walkReferences: run(C_NATIVE_REFERENCES),
    cycles: lookUps(run, machine) + run(C_NATIVE_WALK_CYCLES),
    exits: shadowExits(of),
  }),

  direct: (of, run, machine) => ({
    walkReferences: run(C_NATIVE_REFERENCES),
    cycles: lookUps(run, machine) + run(C_NATIVE_WALK_CYCLES) + of(S_VALIDATED) * machine.costs.validationCycles,
    exits: { 'forwarded-fault': of(S_GUEST_FAULTS), hypercall: of(S_HYPERCALLS) },
    own: { validatedEntries: of(S_VALIDATED) },
  }),

  nested: (_, run, machine) => ({
    walkReferences: run(C_NESTED_REFERENCES),
    cycles: lookUps(run, machine) + run(C_NESTED_WALK_CYCLES),
    exits: { 'ept-violation': run(C_EPT_VIOLATIONS), 'pml-full': run(C_PML_FULL) },
  }),

  dsp: (of, run, machine) => ({
    walkReferences: of(S_REFERENCES),
    cycles: lookUps(run, machine) + of(S_CYCLES) + of(S_DROPPED) * machine.costs.refillCycles,
    exits: { ...shadowExits(of), 'ept-violation': of(S_EPT_VIOLATIONS) },
    own: { switches: of(S_SWITCHES), droppedTranslations: of(S_DROPPED) },
  }),

  'dual-direct': (of, run, machine) => {
    // Of the misses of L1, a segment takes most; the rest looks into the L2 TLB.
    const { l1MissCycles, l2MissCycles } = machine.preset.tlbPenalty;
    const misses = of(S_MISSES);
    const hits = run(C_L1_TLB_MISSES) - of(S_SEGMENT) - misses;
    return {
      tlbMisses: misses,
      walkReferences: of(S_REFERENCES),
      cycles: l1MissCycles * hits + l2MissCycles * misses + of(S_CYCLES) + checkCycles(of, machine),
      exits: {},
      own: segmentFigures(of),
    };
  },

  'vmm-direct': (of, run, machine) => ({
    walkReferences: of(S_REFERENCES),
    cycles: lookUps(run, machine) + of(S_CYCLES) + checkCycles(of, machine),
    exits: {},
    own: { boundChecks: of(S_CHECKS), escapedWalks: of(S_ESCAPED) },
  }),

  'guest-direct': (of, run, machine) => ({
    walkReferences: of(S_REFERENCES),
    cycles: lookUps(run, machine) + of(S_CYCLES) + checkCycles(of, machine),
    exits: { 'ept-violation': of(S_EPT_VIOLATIONS) },
    own: { boundChecks: of(S_CHECKS), segmentTranslations: of(S_SEGMENT) },
  }),

  agile: (of, run, machine) => ({
    walkReferences: of(S_REFERENCES),
    cycles:
      lookUps(run, machine) +
      of(S_CYCLES) +
      of(S_CHECKED) * machine.costs.scanNsPerPage * machine.preset.frequencyGHz.value,
    exits: { ...shadowExits(of), 'ept-violation': of(S_EPT_VIOLATIONS) },
    own: {
      tablesTurnedNested: of(S_TO_NESTED),
      tablesTurnedShadow: of(S_TO_SHADOW),
      tablesChecked: of(S_CHECKED),
      ...Object.fromEntries(
        Array.from({ length: 6 }, (_, levels) => [`walksWith${levels}NestedLevels`, of(S_WALKS_AT + levels)]),
      ),
    },
  }),
};

/** Cycles of misses of the L1 TLB: of those that hit L2, and of those that then walk. */
function lookUps(run: Counter, { preset }: EmulatedMachine): number {
  const { l1MissCycles, l2MissCycles } = preset.tlbPenalty;
  const misses = run(C_TLB_MISSES);
  return l1MissCycles * (run(C_L1_TLB_MISSES) - misses) + l2MissCycles * misses;
}

function shadowExits(of: Counter): Parts['exits'] {
  return {
    'guest-page-fault': of(S_GUEST_FAULTS),
    'page-table-write': of(S_TABLE_WRITES),
    'hidden-fault': of(S_HIDDEN_FAULTS),
    invlpg: of(S_INVLPG),
    'cr3-load': of(S_CR3_LOADS),
  };
}

function checkCycles(of: Counter, machine: EmulatedMachine): number {
  return of(S_CHECKS) * machine.costs.boundCheckCycles;
}

function segmentFigures(of: Counter): Record<string, number> {
  return { boundChecks: of(S_CHECKS), segmentTranslations: of(S_SEGMENT), escapedWalks: of(S_ESCAPED) };
}

/** The row of a mode. `counters` are the kernel's slots (C_*). */
export function translationRow(
  id: string,
  mode: Mode,
  counters: Float64Array,
  machine: EmulatedMachine,
): TranslationRow {
  const run: Counter = slot => counters[slot];
  const of: Counter = slot => counters[C_MODES + mode.number * MODE_SLOTS + slot];
  const { tlbMisses = run(C_TLB_MISSES), walkReferences, cycles, exits, own } = parts[id](of, run, machine);
  const virtual = id !== 'native';
  const all = cycles + exitCycles(exits, machine);
  const relayCycles = virtual ? machine.relayCycles(run(C_SYSTEM_CALLS)) : 0;
  const busy = run(C_BUSY_CYCLES);
  return {
    mode: id,
    tlbMisses,
    l1TlbMisses: run(C_L1_TLB_MISSES),
    walkReferences,
    vmExits: virtual ? { ...exits, 'system-call': run(C_SYSTEM_CALLS) } : {},
    cycles: all,
    relayCycles,
    overheadPercent: busy > 0 ? (100 * (all + relayCycles)) / busy : 0,
    own: {
      guestPageFaults: run(C_GUEST_FAULTS),
      unmappedPages: run(C_UNMAPPED),
      tlbShootdowns: run(C_SHOOTDOWNS),
      contextSwitches: run(C_CONTEXT_SWITCHES),
      ...own,
    },
  };
}

function exitCycles(exits: Parts['exits'], machine: EmulatedMachine): number {
  return Object.entries(exits).reduce((sum, [reason, count]) => sum + count * reasons[reason as Reason](machine), 0);
}
