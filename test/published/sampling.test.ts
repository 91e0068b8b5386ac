/** What is published of sampling by the processor (reference on mechanisms, B.2, J and H.13). */
import { describe, expect, test } from 'vitest';
import { QUANTUM } from '../../core/kernel/abi.js';
import type { Access } from '../machine/emulated.js';
import { PAGE, replay, row } from '../tracking/runs.js';

/** GUPS: random updates of a table that is far larger than the caches, each a load and a store of one word. */
function gups(updates: number): Access[] {
  let state = 3;
  return Array.from({ length: updates }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const address = Math.floor((state / 2 ** 32) * 20_000) * PAGE + (state % 64) * 64;
    return [
      { vcpu: 0, address, write: false },
      { vcpu: 0, address, write: true },
    ];
  }).flat();
}

describe('PEBS', () => {
  const run = gups(8 * QUANTUM);
  const overhead = (period: number) =>
    row(replay(['pebs'], run, { parameters: { 'pebs.loadPeriod': period, 'pebs.storePeriod': 2 ** 31 - 1 } }), 'pebs')
      .overheadPercent;

  test('costs nearly nothing at one of 10,000 slow loads; overhead is in proportion to the rate (NeoMem, J)', () => {
    const rare = overhead(10_000);
    // Demeter measured 0.64 % of CPU time (B.6).
    expect(rare).toBeLessThan(0.64);
    const often = overhead(100);
    // A hundred times as often; the 13 samples at 10,000 are rounded down by up to one.
    expect(often / rare).toBeGreaterThanOrEqual(100);
    expect(often / rare).toBeLessThan((100 * 14) / 13);
  });

  test('at one of 10 it would cost more than 50 % (NeoMem, J), by proportion from one of 16, the closest here', () => {
    expect((overhead(16) * 16) / 10).toBeGreaterThan(50);
  });
});
