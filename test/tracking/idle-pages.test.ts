/** Idle page tracking: pages that stay in the TLB look idle; the bitmap's size and cost by hand. */
import { describe, expect, test } from 'vitest';
import type { Access } from '../machine/emulated.js';
import { costs, Driven, readings } from './driven.js';
import { PAGE, replay, row } from './runs.js';

const id = 'idle-pages';
const cyclic = (pages: number): Access[] =>
  Array.from({ length: 250_000 }, (_, i) => ({ vcpu: 0, address: (i % pages) * PAGE, write: i % 3 === 1 }));
const both = (pages: number) => {
  const parameters = { [`${id}.periodSeconds`]: 1 };
  const outcome = replay([id, 'ept-ad-scan'], cyclic(pages), { parameters });
  return { idle: row(outcome, id), scan: row(outcome, 'ept-ad-scan') };
};

describe('idle page tracking', () => {
  test('sees a page that stays in the TLB once', () => {
    const { idle } = both(100);
    expect(idle.periods).toBeGreaterThan(3);
    expect(new Set(idle.pageReads)).toEqual(new Set([1]));
    expect(idle.pageWrites).toBeNull();
  });

  test('sees what a scan of all flags sees when every access walks, reads and writes as one', () => {
    const { idle, scan } = both(5000);
    expect(idle.pageReads).toEqual(scan.pageReads!.map((reads, page) => reads + scan.pageWrites![page]));
    expect(idle.vmExits).toBe(0);
  });

  test('keeps a bit for each page frame, in words of 8 bytes', () => {
    const idle = new Driven(id);
    for (let page = 0; page < 65; page++) idle.touch(page);
    idle.at(0.1);
    idle.touch(7);
    const seen = idle.finish();
    expect(seen.memoryBytes).toBe(16);
    expect(seen.costNs).toBeCloseTo(2 * 65 * costs.idlePageNs, 6);
    expect(readings(seen.pageReads)[7]).toBe(2);
    expect(readings(seen.pageReads)[8]).toBe(1);
  });

  test('a huge page that is touched once is one active page', () => {
    const idle = new Driven(id, { pageSize: 2 ** 21 });
    idle.touch(0);
    idle.at(0.1);
    expect(readings(idle.finish().pageReads)).toEqual({ 0: 1 });
  });
});
