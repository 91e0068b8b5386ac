/** Pages of several sizes in one table, by hand: which ranges are large, where their frames lie, walks, and TLBs (A.4). */
import { describe, expect, test } from 'vitest';
import { P_EPT_PSC_ENTRIES, P_NESTED_TLB_ENTRIES, P_PML_KEEP, P_PSC_ENTRIES } from '../../core/kernel/abi-machine.js';
import type { MachineOptions } from '../../core/machine/machine.js';
import { leafOf } from './brute.js';
import { Emulated } from './emulated.js';

const KiB4 = 4096;
const MiB2 = 2 ** 21;
const none = (first: number) => Object.fromEntries([0, 1, 2, 3].map(level => [first + level, 0]));
const noWalkCaches = { ...none(P_PSC_ENTRIES), ...none(P_EPT_PSC_ENTRIES), [P_NESTED_TLB_ENTRIES]: 0 };

// Range r of 2 MiB is large at 50 % when the fraction of (r + 1) * 0.6180 is below a half: r = 1 and 3, not 0 and 2.

/** References in mode nested of reading one address after another, nothing cached. */
function references(options: Partial<MachineOptions>, addresses: readonly number[]): number[] {
  const e = new Emulated({ modes: ['nested'], ...options }, noWalkCaches);
  let before = 0;
  return addresses.map(address => {
    e.read(address);
    const now = e.machine.counts().nestedReferences;
    const more = now - before;
    before = now;
    return more;
  });
}

describe('walks through tables of pages of several sizes (A.2)', () => {
  test('the guest: 24 references for a page of 4 KiB, 19 for one of 2 MiB beside it', () => {
    expect(references({ modeOptions: { 'native.share2m': 50 } }, [0, MiB2, 2 * MiB2, 3 * MiB2])).toEqual([
      24, 19, 24, 19,
    ]);
  });

  test("the EPT: each step ends at its own leaf, the guest's tables at 2 MiB, the data at 4 KiB", () => {
    // Tables lie from frame 2^25 on, range 65,536: the fraction of 65,537 * 0.6180 is 0.09. So four tables take 3 reads and
    // one of the guest's entry each, the data 4.
    expect(references({ modeOptions: { 'nested.share2m': 50 } }, [0])).toEqual([4 * (3 + 1) + 4]);
  });

  test('as many ranges are large as the per cent says, in any stretch of memory', () => {
    for (const percent of [10, 50, 90]) {
      for (const first of [0, 2 ** 20, 2 ** 26 + 12_345]) {
        const large = Array.from({ length: 1000 }, (_, i) => leafOf((first + i) * 512, 1, { of2m: percent, of1g: 0 }));
        const found = large.filter(level => level === 2).length;
        expect(Math.abs(found - percent * 10)).toBeLessThanOrEqual(5);
      }
    }
  });
});

test('a page takes the lowest free frames of its size', () => {
  const e = new Emulated(
    { modes: ['nested'], modeOptions: { 'native.share2m': 50 }, pmlEntries: 4096 },
    { [P_PML_KEEP]: 1 },
  );
  e.write(0);
  e.write(MiB2);
  for (let i = 0; i < 512; i++) e.write(2 * MiB2 + i * KiB4);
  const data = e.log().filter(address => address < 2 ** 37);
  // Frame 0; frames 512 to 1,023; what is left below, 511 frames; then behind the large page.
  const small = Array.from({ length: 511 }, (_, i) => (i + 1) * KiB4);
  expect(data).toEqual([0, MiB2, ...small, 2 * MiB2]);
});

describe('TLBs of large pages (A.4)', () => {
  const modeOptions = { 'native.share2m': 50, 'nested.leaf': 2 };
  const ranges = Array.from({ length: 2000 }, (_, i) => i);
  const isLarge = (range: number) => leafOf(range * 512, 1, { of2m: 50, of1g: 0 }) === 2;
  const target = ranges.find(isLarge)!;
  /** Eight sets in L1, 128 in L2: four pages that push the target out of L1 and leave it in L2. */
  const others = ranges.filter(r => r > target && isLarge(r) && r % 8 === target % 8 && r % 128 !== target % 128);
  const pushOut = others.slice(0, 4).map(range => range * MiB2);
  /** Twelve pages of 4 KiB in the target's set of L2, one in a range. */
  const small = ranges
    .filter(range => !isLarge(range))
    .slice(0, 12)
    .map(range => range * MiB2 + (target % 128) * KiB4);

  function missesOfTarget(machine: string, between: readonly number[]): { l1: number; walks: number } {
    const e = new Emulated({ machine, modes: ['native'], modeOptions });
    e.read(target * MiB2);
    for (const address of between) e.read(address);
    const before = e.machine.counts();
    e.read(target * MiB2);
    const after = e.machine.counts();
    return { l1: after.l1TlbMisses - before.l1TlbMisses, walks: after.tlbMisses - before.tlbMisses };
  }

  test('Skylake has an L1 for them, four ways, and one L2 for them and for pages of 4 KiB', () => {
    expect(missesOfTarget('skylake', pushOut.slice(0, 3))).toEqual({ l1: 0, walks: 0 });
    expect(missesOfTarget('skylake', small)).toEqual({ l1: 0, walks: 0 });
    expect(missesOfTarget('skylake', pushOut)).toEqual({ l1: 1, walks: 0 });
    expect(missesOfTarget('skylake', [...small, ...pushOut])).toEqual({ l1: 1, walks: 1 });
    expect(missesOfTarget('skylake', [...small.slice(1), ...pushOut])).toEqual({ l1: 1, walks: 0 });
  });

  test("Sandy Bridge's L2 holds pages of 4 KiB only", () => {
    expect(missesOfTarget('sandy-bridge', pushOut)).toEqual({ l1: 1, walks: 1 });
  });

  test("Zen 4's L1 of 72 entries holds pages of all sizes", () => {
    const many = ranges.filter(range => !isLarge(range)).map(range => range * MiB2);
    expect(missesOfTarget('zen4', many.slice(0, 71))).toEqual({ l1: 0, walks: 0 });
    expect(missesOfTarget('zen4', many.slice(0, 72))).toEqual({ l1: 1, walks: 0 });
  });
});
