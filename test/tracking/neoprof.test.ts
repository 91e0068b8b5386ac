/** NeoProf: the sketch beside exact counts, its threshold by hand, what it reports. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountMinSketch } from '../../core/tracking/countMin.js';
import { thresholdFor } from '../../core/tracking/neoprof.js';
import { costs, Driven, type DrivenOptions, readings } from './driven.js';

describe('the count-min sketch', () => {
  test('never undercounts, and counts exactly what shares no counter', () => {
    const keys = fc.array(fc.nat({ max: 300 }), { maxLength: 2000, size: 'max' });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 64 }), (given, width) => {
        const narrow = new CountMinSketch(width, [11, 22]);
        const exact = new Map<number, number>();
        for (const key of given) {
          exact.set(key, exact.get(key)! + 1 || 1);
          expect(narrow.add(key)).toBeGreaterThanOrEqual(exact.get(key)!);
        }
        if (width === 1) expect(narrow.add(0)).toBe(given.length + 1);
      }),
      { numRuns: 20 },
    );
    const alone = new CountMinSketch(8, [1, 2]);
    for (let n = 1; n <= 100; n++) expect(alone.add(12345)).toBe(n);
  });

  test('overcounts little: by at most e N / W for all but a share e^-D of the keys (Cormode and Muthukrishnan)', () => {
    const sketch = new CountMinSketch(1024, [77, 88]);
    const keys = 5000;
    const each = 10;
    const last = new Map<number, number>();
    for (let round = 0; round < each; round++) for (let key = 0; key < keys; key++) last.set(key, sketch.add(key));
    const bound = (Math.E * keys * each) / 1024;
    const beyond = [...last.values()].filter(estimate => estimate > each + bound).length;
    expect(beyond / keys).toBeLessThan(Math.exp(-2));
  });

  test('stays at 65,535', () => {
    const sketch = new CountMinSketch(4, [3]);
    let estimate = 0;
    for (let n = 0; n < 70_000; n++) estimate = sketch.add(1);
    expect(estimate).toBe(65_535);
  });

  test('has a histogram over all counters of a row', () => {
    const sketch = new CountMinSketch(16, [5, 6]);
    for (let n = 0; n < 127; n++) sketch.add(1);
    const { counters, binWidth } = sketch.histogram(64);
    expect(binWidth).toBe(2);
    expect(counters[0]).toBe(15);
    expect(counters[63]).toBe(1);
    sketch.clear();
    expect(sketch.histogram(64)).toMatchObject({ binWidth: 1 });
    expect(sketch.histogram(64).counters[0]).toBe(16);
  });
});

describe('the threshold', () => {
  // Of 1000 counters 900 below 10, 80 from 10, 15 from 20, 5 from 30 on.
  const histogram = { counters: Uint32Array.from([900, 80, 15, 5, 0]), binWidth: 10 };

  test('leaves at most the share above it', () => {
    expect(thresholdFor(0.019, histogram, 1000)).toBe(30);
    expect(thresholdFor(0.02, histogram, 1000)).toBe(20);
    expect(thresholdFor(0.1, histogram, 1000)).toBe(10);
  });

  test('is that of the highest bin in use where even this has more, and at least 1', () => {
    expect(thresholdFor(0.001, histogram, 1000)).toBe(30);
    expect(thresholdFor(0.5, { counters: Uint32Array.from([1000, 0]), binWidth: 1 }, 1000)).toBe(1);
    expect(thresholdFor(1, histogram, 1000)).toBe(1);
  });
});

describe('NeoProf', () => {
  const neoprof = (parameters: DrivenOptions['parameters'] = {}) => new Driven('neoprof', { parameters });
  /** `n` fills of a page for each [page, n]. */
  const fill = (device: Driven, counts: Readonly<Record<number, number>>) =>
    device.lines(
      Object.entries(counts).flatMap(([page, n]) =>
        Array.from({ length: n }, (_, i) => [Number(page) * 64 + (i % 64), false] as const),
      ),
    );

  test('has the published sketch: 512 K counters of 16 bits in 2 rows, and 16 K entries', () => {
    expect(neoprof().finish().memoryBytes).toBe(2 * 524_288 * 2 + 16_384 * 8);
  });

  test('reports nothing before the first threshold, then what reaches it, once until the sketch is cleared', () => {
    // 0.1 % of 10,000 counters are ten pages.
    const device = neoprof({ width: 10_000 });
    fill(device, { 1: 640, 2: 320, 3: 10 });
    expect(readings(device.finish().pageReads)).toEqual({});
    device.at(1);
    // Bins of 11: page 1 is in bin 58, page 2 in bin 29, from 319 on, all others in bin 0.
    expect(device.finish().own.thresholdLines).toBe(319);
    fill(device, { 1: 1, 2: 1, 3: 1 });
    fill(device, { 1: 5 });
    expect(readings(device.finish().pageReads)).toEqual({ 1: 1, 2: 1 });
    fill(device, { 3: 308 });
    expect(readings(device.finish().pageReads)).toEqual({ 1: 1, 2: 1, 3: 1 });
    for (const second of [2, 3, 4, 5]) device.at(second);
    // 646 lines of page 1: the same bins; 321 of page 2, now 319 of page 3 too.
    fill(device, { 1: 319, 2: 318 });
    const seen = device.finish();
    expect(readings(seen.pageReads)).toEqual({ 1: 2, 2: 1, 3: 1 });
    expect(seen).toMatchObject({ pageWrites: null, vmExits: 0, periods: 5 });
    expect(seen.costNs).toBe((4 + 5 * 64) * costs.deviceReadNs);
  });

  test('a page that finds the buffer full is reported with its next access', () => {
    const device = neoprof({ width: 10_000, bufferEntries: 1 });
    fill(device, { 1: 100, 2: 100 });
    device.at(1);
    fill(device, { 1: 1, 2: 1 });
    expect(device.finish().own).toMatchObject({ hotReports: 1, refusedByFullBuffer: 1 });
    device.at(1.01);
    fill(device, { 2: 1 });
    expect(readings(device.finish().pageReads)).toEqual({ 1: 1, 2: 1 });
  });

  test('p follows the use of the bandwidth within its bounds', () => {
    // 7,500 lines of 64 bytes in 10 ms are 0.048 GB/s.
    const device = neoprof({ deviceGBps: 0.096, width: 1024, thresholdSeconds: 0.01 });
    const p = () => device.finish().own.hotPercent;
    const half = Object.fromEntries(Array.from({ length: 75 }, (_, page) => [page, 100]));
    fill(device, half);
    device.at(0.01);
    // 0.1 % * (1 + 0.5)
    expect(p()).toBeCloseTo(0.15, 9);
    device.at(0.02);
    expect(p()).toBeCloseTo(0.15, 9);
    for (let update = 3; update < 12; update++) {
      fill(device, half);
      device.at(update / 100);
    }
    expect(p()).toBe(1.56);
  });

  test('with the published size finds the hot pages of a skewed run, and no others', () => {
    // More than 0.1 % of 512 K counters, 524, so that the threshold stays at their bin.
    const device = neoprof();
    const counts = Object.fromEntries(Array.from({ length: 3000 }, (_, page) => [page, page < 600 ? 200 : 2]));
    fill(device, counts);
    device.at(1);
    fill(device, counts);
    const found = Object.keys(readings(device.finish().pageReads)).map(Number);
    expect(found).toEqual(Array.from({ length: 600 }, (_, page) => page));
  });
});
