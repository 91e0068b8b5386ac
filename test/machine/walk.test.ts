/** The real machine beside a brute-force one, on generated traces: every count, every flag, every log entry. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  P_EPT_PSC_ENTRIES,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_NESTED_TLB_ENTRIES,
  P_PML_KEEP,
  P_PSC_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import { BruteMachine, type Geometry } from './brute.js';
import { ACCESSED, type Access, DIRTY, Emulated } from './emulated.js';

const PROCESSES = [0, 0, 1];

const geometry: fc.Arbitrary<Geometry> = fc.record({
  l1Sets: fc.constantFrom(1, 2, 4),
  l1Ways: fc.integer({ min: 1, max: 6 }),
  l2Sets: fc.constantFrom(1, 2, 8),
  l2Ways: fc.integer({ min: 1, max: 9 }),
  psc: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 2 }), fc.nat({ max: 2 })),
  eptPsc: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 2 }), fc.nat({ max: 2 })),
  nestedTlb: fc.nat({ max: 7 }),
  pmlEntries: fc.integer({ min: 1, max: 9 }),
  leaf: fc.constantFrom(1, 2),
});

/** Pages that share tables of every level, and pages that do not; offsets that straddle. */
const address = fc
  .tuple(
    fc.constantFrom(0x1000, 0x7000_0000_0000, 0x5555_5555_0000, 0x4000_0000),
    fc.constantFrom(0, 1, 2, 3, 5, 511, 512, 513, 1024, 512 * 512, 512 * 512 * 3 + 7),
    fc.constantFrom(0, 8, 56, 60, 4032, 4090, 4095),
  )
  .map(([base, page, offset]) => base + page * 4096 + offset);

type Step =
  | { readonly kind: 'access'; readonly access: Access }
  | { readonly kind: 'clear'; readonly process: number; readonly address: number; readonly flags: number }
  | { readonly kind: 'invept' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .record({
        vcpu: fc.nat({ max: PROCESSES.length - 1 }),
        address,
        write: fc.boolean(),
        size: fc.constantFrom(1, 8, 64),
      })
      .map(access => ({ kind: 'access', access }) as const),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ process: fc.nat({ max: 1 }), address, flags: fc.constantFrom(ACCESSED, DIRTY, ACCESSED | DIRTY) })
      .map(clear => ({ kind: 'clear', ...clear }) as const),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'invept' } as const) },
);

function emulated(g: Geometry): Emulated {
  return new Emulated(
    { pageSize: g.leaf === 1 ? 4096 : 2097152, pmlEntries: g.pmlEntries },
    {
      [P_L1_TLB_SETS]: g.l1Sets,
      [P_L1_TLB_WAYS]: g.l1Ways,
      [P_L2_TLB_SETS]: g.l2Sets,
      [P_L2_TLB_WAYS]: g.l2Ways,
      [P_PSC_ENTRIES]: g.psc[0],
      [P_PSC_ENTRIES + 1]: g.psc[1],
      [P_PSC_ENTRIES + 2]: g.psc[2],
      [P_EPT_PSC_ENTRIES]: g.eptPsc[0],
      [P_EPT_PSC_ENTRIES + 1]: g.eptPsc[1],
      [P_EPT_PSC_ENTRIES + 2]: g.eptPsc[2],
      [P_NESTED_TLB_ENTRIES]: g.nestedTlb,
      [P_PML_KEEP]: 1,
    },
    PROCESSES,
  );
}

describe('the emulated machine beside the brute-force one', () => {
  test('agrees on misses, references, exits, flags and the log of generated traces with clears and flushes', () => {
    fc.assert(
      fc.property(geometry, fc.array(step, { maxLength: 120 }), (g, steps) => {
        const real = emulated(g);
        const brute = new BruteMachine(g, PROCESSES);
        const pageSize = g.leaf === 1 ? 4096 : 2097152;
        /** PageIndex by process and page: order of first touch. */
        const index = new Map<string, number>();
        const touch = (vcpu: number, at: number) => {
          const key = `${PROCESSES[vcpu]}:${Math.floor(at / pageSize)}`;
          if (!index.has(key)) index.set(key, index.size);
        };
        for (const s of steps) {
          if (s.kind === 'access') {
            const { vcpu, address, write, size } = s.access;
            real.replay([s.access]);
            brute.access(vcpu, address, write, size);
            touch(vcpu, address);
            touch(vcpu, address + size! - 1);
          } else if (s.kind === 'invept') {
            real.inspect.invept();
            brute.invept();
          } else {
            const page = index.get(`${s.process}:${Math.floor(s.address / pageSize)}`);
            const flags = brute.eptFlags(s.process, s.address);
            if (page !== undefined) real.inspect.eptClear(page, s.flags);
            if (flags && s.flags & ACCESSED) flags.a = false;
            if (flags && s.flags & DIRTY) flags.d = false;
          }
        }
        const n = real.machine.counts();
        expect({
          l1Misses: n.l1TlbMisses,
          misses: n.tlbMisses,
          dirtyWalks: n.dirtyWalks,
          native: n.nativeReferences,
          nested: n.nestedReferences,
          violations: n.eptViolations,
          pmlFull: n.pmlFull,
          pmlLogged: n.pmlLogged,
          drained: real.drained(),
          logs: PROCESSES.map((_, vcpu) => real.log(vcpu)),
        }).toEqual({
          l1Misses: brute.l1Misses,
          misses: brute.misses,
          dirtyWalks: brute.dirtyWalks,
          native: brute.nativeReferences,
          nested: brute.nestedReferences,
          violations: brute.violations,
          pmlFull: brute.pmlFull,
          pmlLogged: brute.pmlLogged,
          drained: brute.drained,
          logs: brute.vcpus.map(v => v.log),
        });
        for (const [key, page] of index) {
          const [process, number] = key.split(':').map(Number);
          const bits = (f: { a: boolean; d: boolean } | undefined) => (f?.a ? ACCESSED : 0) | (f?.d ? DIRTY : 0);
          expect(real.inspect.eptFlags(page)).toBe(bits(brute.eptFlags(process, number * pageSize)));
          expect(real.inspect.guestFlags(page, number % 512)).toBe(bits(brute.guestFlags(process, number * pageSize)));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('gives the same counts however the trace is cut into batches', () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 60 }), fc.nat(), (addresses, seed) => {
        const accesses = addresses.map((at, i) => ({ vcpu: 0, address: at, write: ((seed >> (i % 31)) & 1) === 1 }));
        const whole = new Emulated();
        whole.replay(accesses);
        const single = new Emulated();
        for (const access of accesses) single.replay([access]);
        expect(single.machine.counts()).toEqual(whole.machine.counts());
      }),
      { numRuns: 60 },
    );
  });
});

describe('page walks', () => {
  test('native is walked the same whether nested is active or not', () => {
    const accesses = Array.from({ length: 5000 }, (_, i) => ({
      vcpu: 0,
      address: ((i * 7919) % 3000) * 4096 + (i % 512) * 8,
      write: i % 3 === 0,
    }));
    const both = new Emulated();
    const native = new Emulated({ modes: ['native'] });
    both.replay(accesses);
    native.replay(accesses);
    const [row] = native.machine.translation();
    expect(both.machine.translation()[0]).toEqual(row);
    expect(row.tlbMisses).toBeGreaterThan(3000);
    expect(native.machine.counts().nestedReferences).toBe(0);
  });

  test('two processes with equal addresses have pages, tables and frames of their own', () => {
    const e = new Emulated({}, {}, [0, 1]);
    e.read(0x5000, 0);
    e.read(0x5000, 1);
    expect(e.machine.counts()).toMatchObject({ tlbMisses: 2, eptViolations: 2, nativeReferences: 8 });
  });

  test('threads of one process share tables but not translations', () => {
    const e = new Emulated({}, {}, [0, 0]);
    e.write(0x5000, 0);
    e.write(0x5000, 1);
    // The second thread misses, but finds the page backed and every flag set: nothing more is logged.
    expect(e.machine.counts()).toMatchObject({ tlbMisses: 2, eptViolations: 1, pmlLogged: 5 });
    expect(e.log(0)).toHaveLength(5);
    expect(e.log(1)).toHaveLength(0);
  });

  test('an access that straddles a page border translates both pages', () => {
    const e = new Emulated();
    e.replay([{ vcpu: 0, address: 0x1ffc, write: true, size: 8 }]);
    expect(e.machine.counts()).toMatchObject({ translations: 2, tlbMisses: 2, eptViolations: 2 });
    expect([e.inspect.eptFlags(0), e.inspect.eptFlags(1)]).toEqual([ACCESSED | DIRTY, ACCESSED | DIRTY]);
  });
});
