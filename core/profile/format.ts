/**
 * Numbers of the readable reports: three significant digits and a unit. (The margin of an editor has less room:
 * `model/format.ts` keeps to two.)
 */

/** 950, 2,104, 26.7 M. Exact below 100,000. */
export function count(value: number): string {
  if (value < 1e5) return grouped(Math.round(value));
  const [scale, unit] =
    value < 999.5e3 ? [1e3, 'k'] : value < 999.5e6 ? [1e6, 'M'] : value < 999.5e9 ? [1e9, 'G'] : [1e12, 'T'];
  return `${digits(value / scale)} ${unit}`;
}

/** 1234567 -> 1,234,567. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 312 B, 4 KiB, 8.20 MiB. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return 'unbounded';
  let scaled = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB', 'TiB']) {
    if (scaled < 1023.5 || unit === 'TiB')
      return `${unit === 'B' ? Math.round(scaled) : digits(scaled).replace(/\.0+$/, '')} ${unit}`;
    scaled /= 1024;
  }
  return '';
}

/** Share of 1 as a percentage: 38.1 %, <0.1 %, -<0.1 % where a difference is negative. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  if (share !== 0 && Math.abs(share) < 0.001) return share > 0 ? '<0.1 %' : '-<0.1 %';
  return `${(share * 100).toFixed(1)} %`;
}

/** Part of a whole, as a percentage; – where there is no whole. */
export function shareOf(part: number, whole: number): string {
  return whole > 0 ? percent(part / whole) : '–';
}

/** Whole percentage, for columns in which a decimal would be noise. */
export function wholePercent(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((part / whole) * 100)} %` : '–';
}

/** Nanoseconds: 850 ns, 12.3 ms, 2.40 s. */
export function duration(ns: number): string {
  const [scale, unit] = ns < 1e3 ? [1, 'ns'] : ns < 1e6 ? [1e3, 'µs'] : ns < 1e9 ? [1e6, 'ms'] : [1e9, 's'];
  return `${digits(ns / scale)} ${unit}`;
}

/** A factor: 1.23×. */
export function factor(value: number): string {
  return `${value.toFixed(2)}×`;
}

/** A score from 0 to 1 with two decimals; – for null. */
export function score(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

/** Three significant digits, without a decimal point from 100 on. */
function digits(value: number): string {
  return value >= 99.95 ? String(Math.round(value)) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
