/**
 * Numbers as a reader wants them in the margin of a source file: two or three digits that mean something, always with a
 * unit, with the signs of the reader's language. What the editor shows is formatted here: one place for lenses, hovers,
 * progress, status bar and dashboard.
 */
import * as l10n from './l10n.js';

/** Whole number with thousands separators: `2,104`. */
export const whole = l10n.number;

const scales: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** A count in two or three digits: `1.2 G`, `140 M`, `12 k`, `840`. */
export function compact(value: number): string {
  for (const [scale, suffix] of scales) {
    // 999.5 k reads as 1.0 M: rounding must not give four digits.
    if (value >= scale * 0.9995) return `${digits(value / scale)} ${suffix}`;
  }
  return Number.isInteger(value) ? String(value) : digits(value);
}

/** One decimal below 10, none above. */
function digits(value: number): string {
  return value < 9.95 ? l10n.local(value.toFixed(1)) : Math.round(value).toString();
}

/** A share of 0 to 1 as per cent: `38 %`, `3.8 %`, `< 0.1 %`, `0 %`. Only nothing reads 0 %, only all reads 100 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value < 0.1) return l10n.local('< 0.1 %');
  if (value >= 99.5 && value < 100) return '> 99 %';
  return `${digits(value)} %`;
}

/** `71 % read, 29 % write`; see `splitPercents`. */
export function readWriteSplit(reads: number, writes: number): string {
  return l10n.t('{0} read, {1} write', ...splitPercents(reads, writes));
}

/** Whole per cent of reads and of writes that add up to 100; a few writes among many reads are not 0 %. */
export function splitPercents(reads: number, writes: number): readonly [string, string] {
  const total = reads + writes;
  const read = total === 0 ? 0 : Math.round((reads / total) * 100);
  if (read === 100 && writes > 0) return ['> 99 %', '< 1 %'];
  if (read === 0 && reads > 0) return ['< 1 %', '> 99 %'];
  return [`${read} %`, `${total === 0 ? 0 : 100 - read} %`];
}

const sizes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Bytes in binary units: `8.2 MiB`, `64 KiB`, `512 B`. */
export function bytes(value: number): string {
  let unit = 0;
  let size = value;
  while (size >= 1023.5 && unit < sizes.length - 1) {
    size /= 1024;
    unit++;
  }
  const text =
    unit === 0 || size >= 99.95 ? Math.round(size).toString() : l10n.local(size.toFixed(1).replace(/\.0$/, ''));
  return `${text} ${sizes[unit]}`;
}

/** `2,104 pages (8.2 MiB)`. */
export function pages(count: number, pageSize: number): string {
  return l10n.plural(count, '{0} page ({1})', '{0} pages ({1})', bytes(count * pageSize));
}

/** Modelled time: `1.2 s`, `34 ms`, `5.6 µs`, `12 ns`. */
export function nanoseconds(value: number): string {
  if (value >= 0.9995e9) return `${digits(value / 1e9)} s`;
  if (value >= 0.9995e6) return `${digits(value / 1e6)} ms`;
  if (value >= 0.9995e3) return `${digits(value / 1e3)} µs`;
  return `${digits(value)} ns`;
}
