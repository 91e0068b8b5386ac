/** Modelled time and overheads: by hand where the model is arithmetic, in quality where only that is published. */
import { describe, expect, test } from 'vitest';
import { type Cost, costs, costsOf } from '../../core/machine/costs.js';
import type { EmulatedMachine } from '../../core/machine/machine.js';
import { machines, type TlbLevel } from '../../core/machine/presets.js';
import { type Access, Emulated } from './emulated.js';

const hits = (n: number, vcpu = 0): Access[] =>
  Array.from({ length: n }, () => ({ vcpu, address: 0x1000, write: false }));
const nested = (machine: EmulatedMachine) => machine.translation().find(row => row.mode === 'nested')!;

describe('modelled time', () => {
  test('of one page and line is what its parts cost', () => {
    const e = new Emulated();
    e.replay(hits(1000));
    // Skylake, 4 GHz: 1000 accesses of 4 cycles; one fill of 111 ns over 4 in flight; one TLB miss of 17 cycles and a
    // walk of four references, all from the last-level cache (42), after one look-up of 2 cycles.
    const cycles = 1000 * 4 + (111 * 4) / 4 + 17 + 2 + 4 * 42;
    expect(e.machine.modelledNs()).toBeCloseTo(cycles / 4, 9);
    expect(e.machine.counts().busyCycles).toBeCloseTo(cycles, 9);
    const [native] = e.machine.translation();
    expect(native.cycles).toBe(17 + 2 + 4 * 42);
    expect(native.overheadPercent).toBeCloseTo((100 * native.cycles) / cycles, 9);
  });

  test('of threads that run side by side is that of the longer one, not the sum', () => {
    const e = new Emulated({}, {}, [0, 0]);
    e.replay(hits(4000, 0));
    e.replay(hits(1000, 1));
    const alone = new Emulated();
    alone.replay(hits(4000));
    expect(e.machine.modelledNs()).toBe(alone.machine.modelledNs());
    expect(e.machine.counts().busyCycles).toBeGreaterThan(5000 * costs.accessCycles.value);
  });

  test('goes on after a synchronisation from the latest thread that was stamped before', () => {
    const e = new Emulated({}, {}, [0, 0]);
    e.replay(hits(4000, 0));
    e.inspect.vcpuSynchronise(0);
    const joined = e.machine.modelledNs();
    e.inspect.vcpuSynchronise(1);
    e.replay(hits(1000, 1));
    e.replay(hits(1000, 1));
    // The second batch of vCPU 1 only hits: 1,000 accesses of one nanosecond behind the first.
    expect(e.machine.modelledNs()).toBeGreaterThanOrEqual(joined + 2000);
    expect(e.machine.modelledNs()).toBeLessThan(joined + 2200);
  });

  test('of a new thread starts where the run is', () => {
    const e = new Emulated();
    e.replay(hits(4000));
    const before = e.machine.modelledNs();
    const thread = e.kernel.createThread(0);
    e.replay(hits(1000, thread));
    expect(e.machine.modelledNs()).toBeGreaterThanOrEqual(before + 1000);
  });
});

describe('the minimal VMM, as its authors report (mechanisms, section C)', () => {
  test('hardly slows a CPU-bound program', () => {
    const e = new Emulated();
    const loop: Access[] = Array.from({ length: 200_000 }, (_, i) => ({
      vcpu: 0,
      address: (i % 8192) * 8,
      write: i % 4 === 0,
    }));
    for (let i = 0; i < 10; i++) e.replay(loop);
    expect(nested(e.machine).overheadPercent).toBeLessThan(1);
  });

  function systemCallBound(kernelIntegration: boolean): EmulatedMachine {
    const e = new Emulated({ kernelIntegration });
    for (let i = 0; i < 2000; i++) {
      e.replay(hits(50));
      e.inspect.systemCall(0);
    }
    return e.machine;
  }

  test('slows a program of system calls to a multiple, and a quarter of that with kernel integration', () => {
    const relayed = nested(systemCallBound(false));
    expect(relayed.vmExits['system-call']).toBe(2000);
    expect(relayed.overheadPercent).toBeGreaterThan(200);
    const integrated = nested(systemCallBound(true));
    expect(integrated.relayCycles).toBe(relayed.relayCycles / 4);
    expect(integrated.overheadPercent).toBeLessThan(relayed.overheadPercent / 3);
  });

  test('counts exits by reason', () => {
    const e = new Emulated({ pmlEntries: 64 });
    e.replay(Array.from({ length: 300 }, (_, i) => ({ vcpu: 0, address: i * 4096, write: true })));
    // 300 pages and 4 tables logged in a log of 64: full 4 times.
    expect(nested(e.machine).vmExits).toEqual({ 'ept-violation': 300, 'pml-full': 4, 'system-call': 0 });
    expect(e.machine.translation()[0].vmExits).toEqual({});
  });
});

describe('machine presets', () => {
  test.each(Object.entries(machines))(
    '%s has sets that its indexing allows, and sources for every field',
    (id, preset) => {
      const powerOfTwo = (n: number) => Number.isInteger(Math.log2(n));
      for (const tlb of [preset.l1Tlb4k, preset.l1Tlb2m, preset.l2Tlb4k, preset.l2Tlb2m])
        expect(tlb.entries === 0 || powerOfTwo(tlb.entries / tlb.ways)).toBe(true);
      for (const cache of [preset.l1d, preset.l2]) expect(powerOfTwo(cache.bytes / 64 / cache.ways)).toBe(true);
      expect(Number.isInteger(preset.llc.bytes / 64 / preset.llc.ways)).toBe(true);
      for (const field of Object.values(preset))
        if (typeof field === 'object') expect(field.source).toMatch(/\[(P|S|U)/);
      for (const pageSize of [4096, 2097152] as const) {
        const e = new Emulated({ machine: id, pageSize });
        const scan = Array.from({ length: 6_000 }, (_, i) => ({ vcpu: 0, address: i * pageSize, write: true }));
        e.replay(scan);
        // A scan of more pages than any TLB holds misses on every page.
        expect(e.machine.counts()).toMatchObject({ tlbMisses: 6_000, eptViolations: 6_000 });
      }
    },
  );

  test('TLBs are those of the table in A.4', () => {
    // Entries × ways; 4 KiB, 2 MiB, 1 GiB; L1, then L2. `=`: one structure with that of 4 KiB.
    const text = ({ entries, ways, unified }: TlbLevel) => `${entries}x${ways}${unified ? '=' : ''}`;
    const rows = Object.entries(machines).map(([id, m]) => [
      id,
      [m.l1Tlb4k, m.l1Tlb2m, m.l1Tlb1g].map(text).join(' '),
      [m.l2Tlb4k, m.l2Tlb2m, m.l2Tlb1g].map(text).join(' '),
    ]);
    expect(rows).toEqual([
      ['skylake', '64x4 32x4 4x4', '1536x12 1536x12= 16x4'],
      ['sandy-bridge', '64x4 32x4 4x4', '512x4 0x0 0x0'],
      ['cascade-lake', '64x4 32x4 4x4', '1536x12 1536x12= 16x4'],
      ['ice-lake', '64x4 32x4 8x8', '2048x16 2048x16= 16x4'],
      ['golden-cove', '96x6 32x4 8x8', '2048x16 2048x16= 16x4'],
      ['zen4', '72x72 72x72= 72x72=', '3072x24 3072x24= 0x0'],
    ]);
  });

  test('rows of the modes cost what the table says of their machine', () => {
    // 300 EPT violations and 4 full logs of 64 entries: exit and entry of AMD's core, 1,350; a handler of 1,000; 4 ns an
    // entry at 3.7 GHz. Skylake: 1,700 and 4 GHz.
    const exits = { zen4: 300 * 2350 + 4 * (1350 + 64 * 4 * 3.7), skylake: 300 * 2700 + 4 * (1700 + 64 * 4 * 4) };
    for (const [id, cycles] of Object.entries(exits)) {
      const e = new Emulated({ machine: id, pmlEntries: 64 });
      e.replay(Array.from({ length: 300 }, (_, i) => ({ vcpu: 0, address: i * 4096, write: true })));
      const { nestedWalkCycles, l1TlbMisses, tlbMisses } = e.machine.counts();
      const { l1MissCycles, l2MissCycles } = machines[id].tlbPenalty;
      const lookUps = l1MissCycles * (l1TlbMisses - tlbMisses) + l2MissCycles * tlbMisses;
      expect(nested(e.machine).cycles - nestedWalkCycles - lookUps).toBeCloseTo(cycles, 6);
    }
  });

  test('a constant that was measured on a machine stands in its place there, and nowhere else', () => {
    const measured = Object.entries(costs).flatMap(([name, { calibrated }]: [string, Cost]) =>
      Object.entries(calibrated ?? {}).map(([machine, { value, source }]) => ({ name, machine, value, source })),
    );
    for (const { name, machine, value, source } of measured) {
      expect(Object.keys(machines)).toContain(machine);
      expect(source).toMatch(/^[A-K]\.\d.*\[/);
      expect(costsOf(machine)).toHaveProperty(name, value);
    }
    const own = (machine: string) => measured.filter(row => row.machine === machine).map(({ name }) => name);
    for (const machine of Object.keys(machines))
      for (const [name, { value }] of Object.entries(costs))
        if (!own(machine).includes(name)) expect(costsOf(machine)).toHaveProperty(name, value);
    expect(costsOf('zen4')).toMatchObject({ exitEntryCycles: 1350, relayCycles: 2530, memoryLatencyNs: 106 });
  });

  test('an unknown machine and a log without entries are refused with what is possible', () => {
    expect(() => new Emulated({ machine: 'pdp-11' })).toThrow(/machine pdp-11: unknown; known: skylake/);
    expect(() => new Emulated({ pmlEntries: 0 })).toThrow(/PML entries 0: must be 1 to 65536/);
  });
});
