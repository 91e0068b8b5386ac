/** The real machine beside a brute-force one, on generated traces: every count, every flag, every log entry. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCESSED, DIRTY, Emulated } from './emulated.js';
import { address, monitorSteps, nestedGeometry, programSteps, SideBySide } from './generated.js';

const steps = fc.array(fc.oneof(...programSteps, ...monitorSteps), { maxLength: 120, size: 'max' });

describe('the emulated machine beside the brute-force one', () => {
  test('agrees on misses, references, exits, flags and the log: page sizes, mappings, clears, flushes, threads', async () => {
    await fc.assert(
      fc.asyncProperty(nestedGeometry, steps, async (g, trace) => {
        // The test runner wants to hear of the worker now and then.
        await nextTurn();
        const both = new SideBySide(g);
        for (const step of trace) both.take(step);
        const { real, brute } = both;
        const n = real.machine.counts();
        expect({
          l1Misses: n.l1TlbMisses,
          misses: n.tlbMisses,
          dirtyWalks: n.dirtyWalks,
          native: n.nativeReferences,
          nested: n.nestedReferences,
          violations: n.eptViolations,
          faults: n.guestPageFaults,
          unmapped: n.unmappedPages,
          shootdowns: n.tlbShootdowns,
          switches: n.contextSwitches,
          pmlFull: n.pmlFull,
          pmlLogged: n.pmlLogged,
          drained: real.drained(),
          logs: brute.vcpus.map((_, vcpu) => real.log(vcpu)),
        }).toEqual({
          l1Misses: brute.l1Misses,
          misses: brute.misses,
          dirtyWalks: brute.dirtyWalks,
          native: brute.nativeReferences,
          nested: brute.nestedReferences,
          violations: brute.violations,
          faults: brute.faults,
          unmapped: brute.unmapped,
          shootdowns: brute.shootdowns,
          switches: brute.contextSwitches,
          pmlFull: brute.pmlFull,
          pmlLogged: brute.pmlLogged,
          drained: brute.drained,
          logs: brute.vcpus.map(v => v.log),
        });
        const size = g.countedSize;
        for (const [key, page] of both.index) {
          const [process, number] = key.split(':').map(Number);
          const bits = (f: { a: boolean; d: boolean } | undefined) => (f?.a ? ACCESSED : 0) | (f?.d ? DIRTY : 0);
          expect(real.inspect.eptFlags(page)).toBe(bits(brute.eptFlags(process, number * size)));
          expect(real.inspect.guestFlags(page, number % 2 ** 32)).toBe(bits(brute.guestFlags(process, number * size)));
        }
      }),
      { numRuns: 800 },
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
