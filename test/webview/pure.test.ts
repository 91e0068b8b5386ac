/** The parts of the page that need no page: scales, colours, zoom, formats, columns that fit, the saved state. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { wire } from '../../core/server/views/view.js';
import { oklab, parseHex, ramp } from '../../webview/charts/ramp.js';
import { fittingLabels, niceTicks, powerTicks } from '../../webview/charts/scale.js';
import { brushed, panned, revealing, zoomed } from '../../webview/charts/viewport.js';
import { fittingColumns, visibleRows } from '../../webview/columns.js';
import { countTick, nearlyAll, percentValue, score, shortName, span, times, timeTick } from '../../webview/format.js';
import { initial, stateFrom } from '../../webview/state.js';
import { column } from '../../webview/wire.js';

describe('ticks', () => {
  test('are multiples of 1, 2 or 5, as many as there is room for', () => {
    expect(niceTicks(0, 373, 8)).toEqual([0, 50, 100, 150, 200, 250, 300, 350]);
    expect(niceTicks(3, 9, 3)).toEqual([4, 6, 8]);
    expect(niceTicks(1, 1.5, 5).map(tick => tick.toFixed(1))).toEqual(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5']);
  });
  test('never part what cannot be parted', () => {
    expect(niceTicks(0, 3, 100, 1)).toEqual([0, 1, 2, 3]);
  });
  test('of powers leave some out where they are many', () => {
    expect(powerTicks(1, 1000, 10, 9)).toEqual([1, 10, 100, 1000]);
    expect(powerTicks(1, 1024, 2, 4)).toEqual([1, 8, 64, 512]);
  });
  test('of nothing are none', () => {
    expect(niceTicks(5, 5, 4)).toEqual([]);
    expect(powerTicks(0, 10, 10, 4)).toEqual([]);
  });
});

test('labels do not touch, and the weightiest stand', () => {
  const label = (at: number, weight: number) => ({ at, size: 10, weight });
  const kept = fittingLabels([label(5, 1), label(12, 9), label(20, 2), label(22, 3), label(97, 99)], 0, 100);
  expect(kept.map(({ at }) => at)).toEqual([12, 22]);
});

describe('the visible part', () => {
  test('zooms about a point that stays where it is', () => {
    expect(zoomed([0, 100], 0.5, 0.25, 100, 4)).toEqual([12.5, 62.5]);
    const [from, to] = zoomed([12.5, 62.5], 2, 0.25, 100, 4);
    expect([from, to]).toEqual([0, 100]);
  });
  test('is never smaller than the least, nor larger than the whole, nor outside of it', () => {
    expect(zoomed([40, 44], 0.01, 0.5, 100, 4)).toEqual([40, 44]);
    expect(zoomed([90, 100], 4, 1, 100, 4)).toEqual([60, 100]);
    expect(zoomed([90, 100], 99, 1, 100, 4)).toEqual([0, 100]);
    expect(zoomed([0, 2], 0.5, 0.5, 2, 4)).toEqual([0, 2]);
    expect(panned([80, 100], 0.5, 100)).toEqual([80, 100]);
    expect(panned([10, 30], -1, 100)).toEqual([0, 20]);
  });
  test('is what was dragged over, in either direction', () => {
    expect(brushed([100, 200], 0.9, 0.4, 1000, 4)).toEqual([140, 190]);
    expect(brushed([0, 100], 0.5, 0.501, 100, 4)[1] - brushed([0, 100], 0.5, 0.501, 100, 4)[0]).toBe(4);
  });
  test('follows the cursor no further than needed', () => {
    expect(revealing([10, 20], 15, 100)).toEqual([10, 20]);
    expect(revealing([10, 20], 25, 100)).toEqual([15, 25]);
    expect(revealing([10, 20], 5, 100)).toEqual([5, 15]);
  });
});

describe('the heat’s colours', () => {
  const css = readFileSync(path.resolve(__dirname, '../../webview/webview.css'), 'utf8');
  const ramps = [...css.matchAll(/((?:\s*--heat-\d: [^;]+;){7})/g)].map(([text]) =>
    [...text.matchAll(/#[0-9a-f]{6}/g)].map(([hex]) => parseHex(hex)),
  );
  // Published values of Ottosson's Oklab: white, and the sRGB primaries' lightness.
  test.each([
    ['#ffffff', 1, 0, 0],
    ['#ff0000', 0.62796, 0.22486, 0.12585],
    ['#00ff00', 0.86644, -0.23389, 0.1795],
    ['#0000ff', 0.45201, -0.03246, -0.31153],
  ])('%s is where Oklab has it', (hex, l, a, b) => {
    const lab = oklab(parseHex(hex));
    expect(lab[0]).toBeCloseTo(l, 4);
    expect(lab[1]).toBeCloseTo(a, 4);
    expect(lab[2]).toBeCloseTo(b, 4);
  });
  test('grow evenly lighter or darker in each theme, so that their order shows without hue', () => {
    expect(ramps).toHaveLength(4);
    const falls = ramps.map(stops => {
      const table = ramp(stops);
      const lightness = Array.from(table, pixel => oklab([pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255])[0]);
      const first = lightness[0]!;
      const last = lightness.at(-1)!;
      const steps = lightness.slice(1).map((value, i) => (value - lightness[i]!) * Math.sign(last - first));
      // One level of a channel is 0.003 of lightness: no step backwards beyond that of rounding.
      expect(Math.min(...steps)).toBeGreaterThan(-0.004);
      expect(Math.abs(last - first)).toBeGreaterThan(0.45);
      // No part of the scale looks flat: a quarter of it takes at least a tenth of the lightness.
      for (const at of [0, 64, 128, 191]) {
        expect(Math.abs(lightness[at + 64]! - lightness[at]!)).toBeGreaterThan(0.1 * Math.abs(last - first));
      }
      return last < first;
    });
    // Dark, light, high contrast, and a picture on white paper: the most accesses stand out from the ground.
    expect(falls).toEqual([false, true, false, true]);
  });
  test('reads its stops strictly', () => {
    expect(parseHex(' #0180ff')).toEqual([1, 128, 255]);
    expect(parseHex('rgba(1, 128, 255, 0.5)')).toEqual([1, 128, 255]);
    expect(() => parseHex('red')).toThrow('must read #rrggbb');
  });
});

describe('formats', () => {
  test('an object’s short name keeps what tells neighbours apart', () => {
    expect(shortName('malloc in build_hierarchy (raytracer.c:353)')).toEqual(['build_hierarchy', ':353']);
    expect(shortName('new in Scene::operator() (scene.cc:7)')).toEqual(['Scene::operator()', ':7']);
    expect(shortName('stack of thread 1 (main)')).toEqual(['stack of thread 1 (main)', '']);
  });
  test('axis labels tell neighbours apart', () => {
    expect(timeTick(55_250_000, 500_000)).toBe('55.3 ms');
    expect(timeTick(55_000_000, 10_000_000)).toBe('55 ms');
    expect(timeTick(1_250, 50)).toBe('1.25 µs');
    expect(timeTick(0, 1)).toBe('0');
    expect([0, 500, 1000, 1500, 310_000].map(countTick)).toEqual(['0', '500', '1 k', '1.5 k', '310 k']);
  });
  test('nearly all is not all', () => {
    expect(nearlyAll(0.9999)).toBe('99.9 %');
    expect(nearlyAll(1)).toBe('100 %');
    expect(nearlyAll(0.5)).toBe('50 %');
  });
  test('scores, factors and small per cent', () => {
    expect(score(-0.5)).toBe('\u22120.500');
    expect(times(1.0838)).toBe('1.08\u00a0×');
    expect(times(12.34)).toBe('12.3\u00a0×');
    expect(percentValue(0.07517)).toBe('0.075 %');
    expect(percentValue(0)).toBe('0 %');
    expect(percentValue(123)).toBe('120 %');
    expect(span(3, 4)).toBe('3');
    expect(span(3, 6)).toBe('3–5');
  });
});

describe('a grid', () => {
  const columns = [
    { width: 100, priority: 0 },
    { width: 60, priority: 2 },
    { width: 80, priority: 1 },
    { width: 10, priority: 3 },
  ];
  test.each([
    [50, [0]],
    [180, [0, 2]],
    // The narrow last one would fit, but is not wanted before the second.
    [195, [0, 2]],
    [240, [0, 1, 2]],
    [250, [0, 1, 2, 3]],
  ])('shows at %i px the columns %j', (width, shown) => {
    expect(fittingColumns(columns, width)).toEqual(shown);
  });
  test('holds the rows in sight and a few more', () => {
    expect(visibleRows(0, 100, 24, 1000, 2)).toEqual([0, 7]);
    expect(visibleRows(2400, 100, 24, 1000, 2)).toEqual([98, 107]);
    expect(visibleRows(99_999, 100, 24, 3, 2)).toEqual([3, 3]);
    expect(visibleRows(0, 100, 24, 0, 2)).toEqual([0, 0]);
  });
});

describe('what was saved', () => {
  test('comes back as it was', () => {
    const state = { ...initial, view: 'policies' as const, heatmap: { ...initial.heatmap, x: [3, 9] as const } };
    expect(stateFrom(JSON.parse(JSON.stringify(state)), ['overview', 'policies'])).toEqual(state);
  });
  test.each([
    [undefined],
    ['text'],
    [{ view: 'gone', heatmap: { metric: 'smells', x: [9, 3] }, placement: 7, trackers: { sort: 3 } }],
    [{ heatmap: { x: [Number.NaN, 3], y: [1, 2, 3], profile: 4 } }],
  ])('is not believed when it is %j', saved => {
    expect(stateFrom(saved, ['overview'])).toEqual(initial);
  });
});

describe('columns from the wire', () => {
  test.each([
    [Uint8Array.of(0, 255)],
    [Uint32Array.of(7, 2 ** 32 - 1)],
    [Float32Array.of(0.5, -1)],
    [Float64Array.of(2 ** 53, 0.1)],
  ])('%o arrives as it left', values => expect(column(wire(values))).toEqual(values));
  test('half a number is refused', () => {
    expect(() => column({ type: 'f64', base64: 'AAAA' })).toThrow(RangeError);
  });
});
