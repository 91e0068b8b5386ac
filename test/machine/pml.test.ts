/** Page Modification Logging: the log, its exit, and the sweep over its sizes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pmlSweep } from '../../core/machine/sweep.js';
import { type Access, Emulated } from './emulated.js';

const PAGE = 4096;
/** Guest frame of the first page table: behind the data (kernel/tables.ts). */
const TABLES = 2 ** 25 * PAGE;

describe('the modification log', () => {
  test('holds the page-table pages that a first write walks through, then the written page, oldest entry highest', () => {
    const e = new Emulated();
    e.write(0x1000);
    // Root, then levels 3, 2, 1, in the order of the walk; then the first data frame.
    expect(e.log()).toEqual([TABLES, TABLES + PAGE, TABLES + 2 * PAGE, TABLES + 3 * PAGE, 0]);
    const log = e.u64(e.inspect.pmlLogPointer(0), 512);
    expect(Number(log[511])).toBe(TABLES);
    expect(e.inspect.pmlIndex(0)).toBe(506);
  });

  test('logs the data page of a page that was only read when it is written later', () => {
    const e = new Emulated();
    e.read(0x1000);
    expect(e.log()).toHaveLength(4);
    e.write(0x1000);
    expect(e.log()).toHaveLength(5);
    expect(e.machine.counts()).toMatchObject({ tlbMisses: 1, dirtyWalks: 1 });
  });

  test('takes one entry for a 2 MiB page, with the address of the access in it', () => {
    const e = new Emulated({ pageSize: 2097152 });
    e.write(0x40_3000);
    e.write(0x40_9000);
    // All tables share one EPT page; the data page is logged once, at 4 KiB granularity.
    expect(e.log()).toEqual([TABLES, 0x3000]);
  });

  test('exits also for a translation that only needs an accessed flag', () => {
    const e = new Emulated({ pmlEntries: 5 });
    e.write(0x1000);
    expect(e.inspect.pmlIndex(0)).toBe(-1);
    expect(e.machine.counts().pmlFull).toBe(0);
    e.read(0x2000);
    expect(e.machine.counts().pmlFull).toBe(1);
    expect(e.inspect.pmlIndex(0)).toBe(4);
  });

  test('is private to a vCPU', () => {
    const e = new Emulated({}, {}, [0, 0]);
    e.write(0x1000, 0);
    e.write(0x2000, 1);
    expect(e.log(0)).toHaveLength(5);
    expect(e.log(1)).toEqual([PAGE]);
  });
});

describe('the sweep over log sizes', () => {
  test('gives for every size what a replay with that size gives', () => {
    const access = fc.record({
      vcpu: fc.nat({ max: 1 }),
      address: fc.nat({ max: 6000 }).map(page => page * PAGE),
      write: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(access, { minLength: 200, maxLength: 3000, size: 'max' }), accesses => {
        const one = new Emulated({}, {}, [0, 0]);
        one.replay(accesses);
        for (const row of pmlSweep(one.machine)) {
          const separate = new Emulated({ pmlEntries: row.entries }, {}, [0, 0]);
          separate.replay(accesses);
          expect([row.entries, row.exits]).toEqual([row.entries, separate.machine.counts().pmlFull]);
        }
      }),
      { numRuns: 8 },
    );
  });

  test('exits about half as often with a log twice as long', () => {
    const e = new Emulated();
    const pages = 16384;
    const writes: Access[] = Array.from({ length: pages }, (_, i) => ({ vcpu: 0, address: i * PAGE, write: true }));
    e.replay(writes);
    // 16,384 data pages and 32 + 1 + 1 + 1 tables; no flag update after the last entry.
    const logged = pages + 35;
    expect(e.machine.counts().pmlLogged).toBe(logged);
    for (const { entries, exits } of pmlSweep(e.machine))
      expect([entries, exits]).toEqual([entries, Math.ceil(logged / entries) - 1]);
    const overheads = pmlSweep(e.machine).map(row => row.overheadPercent);
    expect(overheads).toEqual([...overheads].sort((a, b) => b - a));
  });
});
