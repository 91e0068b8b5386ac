/**
 * A.4 (Gandhi et al., MICRO 2014): what a TLB miss costs under nested paging, over what it costs natively: 2.4 times with
 * pages of 4 KiB in both dimensions, 1.5 and 1.6 times with 2 MiB and 1 GiB in the monitor's, on average of six programs.
 */
import { expect, test } from 'vitest';
import { Emulated } from '../machine/emulated.js';

const PAGES = 2 ** 18;

/** Cycles of nested walks over those of native ones, for random reads of 1 GiB on the published processor. */
function ratio(nestedLeaf: number): number {
  const e = new Emulated({ machine: 'sandy-bridge', modes: ['nested'], modeOptions: { 'nested.leaf': nestedLeaf } });
  let x = 1;
  const reads = (n: number) =>
    Array.from({ length: n }, () => {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
      return { vcpu: 0, address: Math.floor((x / 2 ** 32) * PAGES) * 4096, write: false };
    });
  // Until the tables are there.
  e.replay(reads(100_000));
  const before = e.machine.counts();
  e.replay(reads(50_000));
  const after = e.machine.counts();
  return (after.nestedWalkCycles - before.nestedWalkCycles) / (after.nativeWalkCycles - before.nativeWalkCycles);
}

test('a miss costs more, and less so the larger the pages of the monitor', () => {
  const [of4k, of2m, of1g] = [1, 2, 3].map(ratio);
  expect(of4k).toBeGreaterThan(1.5);
  expect(of4k).toBeLessThan(2.4);
  expect(of2m).toBeGreaterThan(1.05);
  expect(of2m).toBeLessThan(1.5);
  // The monitor's one table is always at hand.
  expect(of1g).toBeGreaterThanOrEqual(1);
  expect(of1g).toBeLessThan(of2m);
});
