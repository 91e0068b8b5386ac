/** What mechanisms need of memory, by hand: pages, entries and regions are counted in the comments. */
import { describe, expect, test } from 'vitest';
import { bitmapBytes, logBytes } from '../../core/tracking/memory.js';
import { trackers } from '../../core/tracking/trackers.js';
import { Driven } from './driven.js';
import { phases, replay } from './runs.js';

test('a bit a page in words of 8 bytes, a log in whole pages', () => {
  expect([0, 1, 64, 65].map(bitmapBytes)).toEqual([0, 8, 8, 16]);
  expect([1, 512, 513, 1024].map(logBytes)).toEqual([4096, 4096, 8192, 8192]);
});

describe('memory of', () => {
  /** 100 pages, of which 40 are written, twice each period; a period of a second ends after every pass. */
  function touched(id: string, periods = 2): Driven {
    const driven = new Driven(id);
    for (let period = 1; period <= periods; period++) {
      for (let page = 0; page < 100; page++) driven.touch(page, { write: page < 40 });
      for (let page = 0; page < 100; page++) driven.touch(page, { write: page < 40 });
      driven.at(period * 1.001);
    }
    return driven;
  }

  // 100 pages are two words of bits; a log of 512 entries is a page.
  test.each([
    ['pml', 4096 + 16],
    ['pml-read-write', 4096 + 2 * 16],
    // 40 entries at most wait in the ring.
    ['spml', 4096 + 40 * 8],
    ['epml', 4096 + 40 * 8],
    ['write-protection', 16],
    ['present-bit', 2 * 16],
    ['ept-ad-scan', 2 * 16],
    ['ept-ad-scan-no-flush', 2 * 16],
  ])('%s', (id, bytes) => {
    expect(touched(id).finish().memoryBytes).toBe(bytes);
  });

  test('a second vCPU has a log of its own', () => {
    const pml = touched('pml');
    pml.touch(0, { write: true, vcpu: 1 });
    expect(pml.finish().memoryBytes).toBe(2 * 4096 + 16);
  });

  test('counting is no mechanism and IBS has registers; all others need some', () => {
    const { rows } = replay(Object.keys(trackers), phases(60_000));
    expect(rows.every(({ memoryBytes }) => Number.isSafeInteger(memoryBytes))).toBe(true);
    // ESX draws its first pages at the end of its first period of 30 s, which this run has not.
    const none = rows.filter(({ memoryBytes }) => memoryBytes === 0).map(({ id }) => id);
    expect(none).toEqual(['exact', 'esx-sampling', 'ibs']);
  });
});
