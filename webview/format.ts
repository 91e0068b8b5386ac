/** Numbers for the dashboard: those of the editor's margin, and the few that only tables and axes need. */
import { percent, whole } from '../core/model/format.js';
import { local } from '../core/model/l10n.js';

export { bytes, compact, nanoseconds, pages, percent, readWriteSplit, whole } from '../core/model/format.js';
export { local } from '../core/model/l10n.js';

/** What stands in a cell without a value; the reason goes into its tooltip. */
export const noValue = '—';

/** A score of 0 to 1, or a correlation of -1 to 1: `0.012`, `1.000`. */
export function score(value: number): string {
  return local(value.toFixed(3).replace('-', '\u2212'));
}

/** A factor: `1.08 ×`. */
export function times(value: number, digits = 2): string {
  // A factor never breaks from its sign.
  return `${local(value < 9.995 ? value.toFixed(digits) : value.toFixed(1))}\u00a0×`;
}

/** Per cent that may exceed 100 and that already are per cent: `0.075 %`, `12 %`. */
export function percentValue(value: number): string {
  if (value === 0) return '0 %';
  if (Math.abs(value) < 0.0005) return local('< 0.001 %');
  return local(`${Number(value.toPrecision(2))} %`.replace('-', '\u2212'));
}

/** A share that matters most near the whole: `99.8 %` is not all, and all is `100 %`. */
export function nearlyAll(share: number): string {
  return share >= 0.99 && share < 1 ? local(`${(Math.floor(share * 1000) / 10).toFixed(1)} %`) : percent(share);
}

/** A count on an axis: `0`, `500`, `1 k`, `1.5 k`, `310 k`. */
export function countTick(value: number): string {
  const [scale, suffix] = countScales.find(([size]) => value >= size) ?? [1, ''];
  return local(`${Number((value / scale).toPrecision(2))}${suffix}`);
}

const countScales = [
  [1e12, ' T'],
  [1e9, ' G'],
  [1e6, ' M'],
  [1e3, ' k'],
] as const;

/** Whole items from `from` (inclusive) to `to` (exclusive): `7` or `7–12`. */
export function span(from: number, to: number): string {
  return to - from <= 1 ? whole(from) : `${whole(from)}–${whole(to - 1)}`;
}

/**
 * An object's name where there is little room, in a part that may be cut and one that must not, since it tells
 * neighbours apart: `build_hierarchy` and `:353` for `malloc in build_hierarchy (raytracer.c:353)`.
 */
export function shortName(name: string): readonly [string, string] {
  const site = /^\S+ in (.+) \([^()]*(:\d+)\)$/.exec(name);
  return site ? [site[1]!, site[2]!] : [name, ''];
}

const timeUnits: readonly (readonly [number, string])[] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];

/** Modelled time on an axis, with as many decimals as tell ticks `step` ns apart from each other: `55.2 ms`. */
export function timeTick(ns: number, step: number): string {
  if (ns === 0) return '0';
  const [scale, unit] = timeUnits.find(([size]) => ns >= size) ?? [1, 'ns'];
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(Math.max(step, 1e-3) / scale) + 1e-9)));
  return local(`${(ns / scale).toFixed(decimals)} ${unit}`);
}
