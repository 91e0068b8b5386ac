/** Rows of the reference on mechanisms, section K, that concern translation, the modification log and its cost. */
import { describe, expect, test } from 'vitest';
import {
  P_EPT_LEAF,
  P_EPT_PSC_ENTRIES,
  P_EPT_ROOT,
  P_GUEST_LEAF,
  P_GUEST_ROOT,
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_NESTED_TLB_ENTRIES,
  P_PSC_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import { refinedForm, slideForm } from '../../core/machine/costs.js';
import { DIRTY, Emulated } from '../machine/emulated.js';

const PAGE = 4096;
/** None of four slots. */
const none = (first: number) => Object.fromEntries([0, 1, 2, 3].map(level => [first + level, 0]));
const noEptPsc = none(P_EPT_PSC_ENTRIES);
const noPsc = none(P_PSC_ENTRIES);
const oneEntryTlb = { [P_L1_TLB_SETS]: 1, [P_L1_TLB_WAYS]: 1, [P_L2_TLB_SETS]: 1, [P_L2_TLB_WAYS]: 1 };

describe('K 1: references of an uncached walk (A.2; Gandhi et al., MICRO 2014 and ISCA 2016)', () => {
  // Rows n, columns m = 0..5, as printed.
  const table: Readonly<Record<number, readonly number[]>> = {
    2: [2, 5, 8, 11, 14, 17],
    3: [3, 7, 11, 15, 19, 23],
    4: [4, 9, 14, 19, 24, 29],
    5: [5, 11, 17, 23, 29, 35],
  };
  // A dimension of fewer than 4 levels is one of 4 that ends in a larger leaf; one of 5 has a level more.
  const leaf = (levels: number) => (levels >= 4 ? 1 : 5 - levels);
  const root = (levels: number) => Math.max(4, levels);

  for (const [guest, row] of Object.entries(table)) {
    for (const [m, references] of row.entries()) {
      const n = Number(guest);
      test(`n = ${n}, m = ${m}: ${references}`, () => {
        const e = new Emulated(
          { modes: m === 0 ? ['native'] : ['native', 'nested'] },
          {
            [P_GUEST_ROOT]: root(n),
            [P_GUEST_LEAF]: leaf(n),
            [P_EPT_ROOT]: root(m),
            [P_EPT_LEAF]: leaf(Math.max(1, m)),
            [P_NESTED_TLB_ENTRIES]: 0,
            ...noPsc,
            ...noEptPsc,
          },
        );
        e.read(0x1234_5678);
        const counts = e.machine.counts();
        expect(counts.nativeReferences).toBe(n);
        expect(m === 0 ? counts.nativeReferences : counts.nestedReferences).toBe(references);
      });
    }
  }
});

describe('K 2: a 4/4 walk with a guest walk-cache hit down to the last table', () => {
  test('takes 9 references without nested caching', () => {
    const e = new Emulated({}, { ...noEptPsc, [P_NESTED_TLB_ENTRIES]: 0 });
    e.read(0);
    const before = e.machine.counts().nestedReferences;
    expect(before).toBe(24);
    e.read(PAGE);
    expect(e.machine.counts().nestedReferences - before).toBe(9);
  });

  test("takes 5 when the table page's translation is cached, and 1 when the data page's is cached too", () => {
    const e = new Emulated({}, { ...noEptPsc, ...oneEntryTlb });
    const references: number[] = [];
    for (const address of [0, PAGE, 0]) {
      const before = e.machine.counts().nestedReferences;
      e.read(address);
      references.push(e.machine.counts().nestedReferences - before);
    }
    expect(references).toEqual([24, 5, 1]);
  });
});

describe('K 3: the log-full exit (SDM vol. 3C, Page-Modification Logging)', () => {
  test('512 entries fit; the 513th write exits, is made again after the drain and becomes entry 511', () => {
    const e = new Emulated();
    // EPT accessed flags and the D flags of the page tables are set before; the log starts empty.
    for (let page = 0; page < 513; page++) e.read(page * PAGE);
    e.inspect.pmlFlush(0);
    expect(e.inspect.pmlIndex(0)).toBe(511);

    for (let page = 0; page < 512; page++) e.write(page * PAGE);
    expect(e.log()).toEqual(Array.from({ length: 512 }, (_, page) => page * PAGE));
    expect(e.inspect.pmlIndex(0) & 0xffff).toBe(0xffff);
    expect(e.machine.counts().pmlFull).toBe(0);

    e.write(512 * PAGE);
    expect(e.machine.counts().pmlFull).toBe(1);
    expect(e.inspect.pmlIndex(0)).toBe(510);
    expect(Number(e.u64(e.inspect.pmlLogPointer(0), 512)[511])).toBe(512 * PAGE);
    expect(e.inspect.eptFlags(512) & DIRTY).toBe(DIRTY);
  });
});

describe('K 4: a read-only scan', () => {
  test('of 102,400 pages logs no data page but the page tables: 200 of the last level and one of each above', () => {
    const e = new Emulated();
    const accesses = Array.from({ length: 102_400 }, (_, page) => ({ vcpu: 0, address: page * PAGE, write: false }));
    e.replay(accesses);
    expect(e.machine.counts()).toMatchObject({ pmlLogged: 203, pmlFull: 0 });
    // Page tables lie behind 2^25 frames of data.
    expect(e.log().every(address => address >= 2 ** 25 * PAGE)).toBe(true);
  });
});

describe('K 7: clearing D', () => {
  test('without INVEPT brings no new entry; with INVEPT the next write is logged again', () => {
    const e = new Emulated();
    e.write(0);
    const logged = e.machine.counts().pmlLogged;
    e.inspect.eptClear(0, DIRTY);
    e.write(0);
    expect(e.machine.counts().pmlLogged).toBe(logged);
    expect(e.inspect.eptFlags(0) & DIRTY).toBe(0);
    e.inspect.invept();
    e.write(0);
    expect(e.machine.counts().pmlLogged).toBe(logged + 1);
    expect(e.log().at(-1)).toBe(0);
  });
});

describe('K 20: the cost model', () => {
  test('the refined sum equals the slide form when checking, indexing and logging are free', () => {
    for (const full of [0, 1, 39, 1000]) {
      const refined = refinedForm({
        misses: 50_000,
        logged: 20_000,
        full,
        walk: 31,
        check: 0,
        decrement: 0,
        compare: 0,
        log: 0,
        exit: 900,
        entry: 800,
        handler: 8192,
      });
      expect(refined).toBe(
        slideForm({ walkCycles: 50_000 * 31, fullEvents: full, exit: 900, entry: 800, handler: 8192 }),
      );
      expect(refined).toBe(50_000 * 31 + full * 9892);
    }
  });

  test('the refined form charges each kind of miss what it does', () => {
    // 10 misses: 7 silent, 2 logged, 1 full. 7 * 11 + 2 * (11 + 6) + 1 * (11 + 6 + 300).
    const parts = { walk: 10, check: 1, decrement: 1, compare: 2, log: 3, exit: 100, entry: 80, handler: 120 };
    expect(refinedForm({ misses: 10, logged: 2, full: 1, ...parts })).toBe(77 + 34 + 317);
    expect(() => refinedForm({ misses: 2, logged: 2, full: 1, ...parts })).toThrow(/do not fit in 2 misses/);
  });
});
