/** The modes of translation beside brute-force ones, on generated traces, and by hand. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  C_MODES,
  MODE_AGILE,
  MODE_DIRECT,
  MODE_DSP,
  MODE_DUAL_DIRECT,
  MODE_GUEST_DIRECT,
  MODE_SHADOW,
  MODE_SLOTS,
  MODE_VMM_DIRECT,
  P_AGILE_WRITES,
  P_BAD_PAGES,
  S_CHECKED,
  S_CHECKS,
  S_CR3_LOADS,
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
} from '../../core/kernel/abi-machine.js';
import { modes } from '../../core/machine/modes.js';
import type { Geometry } from './brute.js';
import { BruteModes, type Tally } from './bruteModes.js';
import type { Emulated } from './emulated.js';
import { commonGeometry, PROCESSES, programSteps, SideBySide, type Step } from './generated.js';

/** Where both processes have a stack: outside the primary region. */
const STACK = 0x7000_0000_0000;
const STACK_END = STACK + 2 ** 32;

type ModeStep =
  | Step
  | { readonly kind: 'switch'; readonly process: number; readonly shadow: boolean }
  | { readonly kind: 'interval' };

const steps = fc.array(
  fc.oneof<fc.WeightedArbitrary<ModeStep>[]>(
    ...programSteps,
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('switch' as const),
        process: fc.nat({ max: 1 }),
        shadow: fc.boolean(),
      }),
    },
    { weight: 3, arbitrary: fc.constant({ kind: 'interval' } as const) },
  ),
  { maxLength: 150, size: 'max' },
);

const settings = fc.record({ badPages: fc.nat({ max: 16 }), agileWrites: fc.integer({ min: 1, max: 4 }) });

/** Both machines with all modes, or with some. */
class Modes {
  readonly both: SideBySide;
  readonly brute: BruteModes;

  constructor(
    readonly g: Geometry,
    readonly set: { readonly badPages: number; readonly agileWrites: number },
    ids: readonly string[] = Object.keys(modes),
  ) {
    const outside = (_: number, page: number) => page * 4096 >= STACK && page * 4096 < STACK_END;
    const running = (process: number) => this.both.brute.running(process);
    this.brute = new BruteModes(g, PROCESSES.length, set, outside, running);
    this.both = new SideBySide(g, { modes: ids }, this.brute, {
      [P_BAD_PAGES]: set.badPages,
      [P_AGILE_WRITES]: set.agileWrites,
    });
    addStacks(this.both.real);
  }

  take(step: ModeStep): void {
    const { real, brute } = this.both;
    switch (step.kind) {
      case 'switch': {
        const vcpus = brute.running(step.process);
        const held = vcpus.reduce((sum, vcpu) => sum + brute.held(vcpu), 0);
        real.inspect.dspSwitch(step.process, step.shadow ? 1 : 0);
        this.brute.dsp.switch(step.process, brute.guestOf(step.process), step.shadow, vcpus, held);
        break;
      }
      case 'interval':
        real.inspect.agileInterval();
        this.brute.agile.interval();
        break;
      default:
        this.both.take(step);
    }
  }
}

function addStacks(e: Emulated): void {
  for (const process of new Set(PROCESSES)) {
    const record = e.kernel.exports.processRecord(process);
    e.kernel.exports.addStack(record, BigInt(STACK), BigInt(STACK_END), process);
  }
}

const exitSlots = {
  'guest-page-fault': S_GUEST_FAULTS,
  'page-table-write': S_TABLE_WRITES,
  'hidden-fault': S_HIDDEN_FAULTS,
  invlpg: S_INVLPG,
  'cr3-load': S_CR3_LOADS,
};

/** Counts of a mode in the kernel, by the brute-force machine's names. */
function counted(e: Emulated, mode: number, slots: Readonly<Record<string, number>>): Record<string, number> {
  const counters = e.machine.counters();
  return Object.fromEntries(
    Object.entries(slots).map(([name, slot]) => [name, counters[C_MODES + mode * MODE_SLOTS + slot]]),
  );
}

function tally(of: Tally, slots: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.keys(slots).map(name => [name, of.counts[name] ?? 0]));
}

describe('every mode beside a brute-force one', () => {
  test('agrees on references, exits and switches: page sizes, mappings, threads, intervals', async () => {
    await fc.assert(
      fc.asyncProperty(commonGeometry, settings, steps, async (g, set, trace) => {
        // The test runner wants to hear of the worker now and then.
        await nextTurn();
        const m = new Modes(g, set);
        for (const step of trace) m.take(step);
        const levels = [0, ...Array.from({ length: g.root - g.leaf + 1 }, (_, i) => g.leaf + i)];
        const agree = (mode: number, brute: Tally, slots: Readonly<Record<string, number>>) =>
          expect(counted(m.both.real, mode, slots)).toEqual(tally(brute, slots));
        const { brute } = m;
        agree(MODE_SHADOW, brute.shadow, exitSlots);
        expect(m.both.real.machine.translation()[1].walkReferences).toBe(brute.shadow.counts.references ?? 0);
        agree(MODE_DIRECT, brute.direct, {
          'forwarded-fault': S_GUEST_FAULTS,
          hypercall: S_HYPERCALLS,
          validated: S_VALIDATED,
        });
        agree(MODE_DSP, brute.dsp, {
          references: S_REFERENCES,
          ...exitSlots,
          'ept-violation': S_EPT_VIOLATIONS,
          switches: S_SWITCHES,
          dropped: S_DROPPED,
        });
        agree(MODE_GUEST_DIRECT, brute.guestDirect, {
          references: S_REFERENCES,
          checks: S_CHECKS,
          segment: S_SEGMENT,
          'ept-violation': S_EPT_VIOLATIONS,
        });
        agree(MODE_AGILE, brute.agile, {
          references: S_REFERENCES,
          ...exitSlots,
          'ept-violation': S_EPT_VIOLATIONS,
          toNested: S_TO_NESTED,
          toShadow: S_TO_SHADOW,
          checked: S_CHECKED,
          ...Object.fromEntries(levels.map((level, i) => [`walks at ${level}`, S_WALKS_AT + i])),
        });
        // The escape filter knows pages of one size.
        if (g.shares!.of2m + g.shares!.of1g > 0) return;
        agree(MODE_VMM_DIRECT, brute.vmmDirect, { references: S_REFERENCES, checks: S_CHECKS, escaped: S_ESCAPED });
        agree(MODE_DUAL_DIRECT, brute.dualDirect, {
          references: S_REFERENCES,
          checks: S_CHECKS,
          segment: S_SEGMENT,
          escaped: S_ESCAPED,
          misses: S_MISSES,
        });
      }),
      { numRuns: 500 },
    );
  });

  test('gives the row alone that it gives among all', async () => {
    await fc.assert(
      fc.asyncProperty(commonGeometry, settings, steps, async (g, set, trace) => {
        await nextTurn();
        const all = new Modes(g, set);
        for (const step of trace) all.take(step);
        const rows = all.both.real.machine.translation();
        for (const [i, id] of Object.keys(modes).entries()) {
          const alone = new Modes(g, set, [id]);
          for (const step of trace) alone.take(step);
          expect(alone.both.real.machine.translation()).toEqual([rows[i]]);
        }
      }),
      { numRuns: 8 },
    );
  });
});
