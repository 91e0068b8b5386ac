/**
 * From counts to colours. Bins of different sizes are compared by their mean per page and epoch, so that a place keeps
 * its colour when the map is zoomed. Pure.
 *
 * Logarithmic: equal factors are equally far apart. Percentile: as many bins below as the colour says, whatever the
 * counts, which shows structure where few bins hold nearly all.
 */

export type ScaleKind = 'log' | 'percentile';

export interface ScaleTick {
  readonly value: number;
  /** 0 to 1 along the scale. */
  readonly place: number;
  /** For percentiles: how many of the bins lie below, such as `90 %`. */
  readonly share: string;
}

export interface HeatScale {
  readonly kind: ScaleKind;
  readonly least: number;
  readonly most: number;
  /** 0 (least) to 1 (most); only for values above 0. */
  place(value: number): number;
  readonly ticks: readonly ScaleTick[];
}

/** Values looked at for percentiles: more would not move a colour. */
const sampleSize = 40_000;
/** Percentiles kept: colours that an eye tells apart. */
const quantiles = 256;
const percentileTicks = [0, 0.25, 0.5, 0.75, 0.9, 0.99, 1];

/** @returns null where nothing was counted */
export function scaleOf(kind: ScaleKind, parts: readonly ArrayLike<number>[]): HeatScale | null {
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (const values of parts) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value <= 0) continue;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  if (most === 0) return null;
  return kind === 'log' ? logScale(least, most) : percentileScale(sample(parts));
}

/** A scale that also holds the other's values: panning must not change what a colour means. */
export function widened(scale: HeatScale, by: HeatScale): HeatScale {
  if (scale.kind !== 'log') return scale;
  if (by.least >= scale.least && by.most <= scale.most) return scale;
  return logScale(Math.min(scale.least, by.least), Math.max(scale.most, by.most));
}

function logScale(least: number, most: number): HeatScale {
  const length = Math.log(most / least);
  const place = (value: number) => {
    // A lone value is the greatest: at the top.
    if (value >= most) return 1;
    return value <= least ? 0 : Math.log(value / least) / length;
  };
  const ticks: ScaleTick[] = [{ value: least, place: place(least), share: '' }];
  for (let power = 10 ** Math.ceil(Math.log10(least) + 1e-9); power < most; power *= 10) {
    ticks.push({ value: power, place: place(power), share: '' });
  }
  if (most > least) ticks.push({ value: most, place: 1, share: '' });
  return { kind: 'log', least, most, place, ticks };
}

/** Every n-th value above 0, sorted. */
function sample(parts: readonly ArrayLike<number>[]): Float64Array {
  const total = parts.reduce((sum, values) => sum + values.length, 0);
  const every = Math.max(1, Math.floor(total / sampleSize));
  const found: number[] = [];
  let extremes: [number, number] = [Number.POSITIVE_INFINITY, 0];
  let at = 0;
  for (const values of parts) {
    for (let i = 0; i < values.length; i++, at++) {
      const value = values[i]!;
      if (value <= 0) continue;
      extremes = [Math.min(extremes[0], value), Math.max(extremes[1], value)];
      if (at % every === 0) found.push(value);
    }
  }
  return Float64Array.from([...extremes, ...found]).sort();
}

function percentileScale(sorted: Float64Array): HeatScale {
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const bounds = Float64Array.from({ length: quantiles }, (_, i) => at(i / (quantiles - 1)));
  const place = (value: number) => {
    // The middle of all bounds that the value equals: where many bins are equal, none of them is hotter.
    const [first, last] = [firstAtLeast(bounds, value), firstAbove(bounds, value) - 1];
    return Math.max(0, Math.min(1, (first + Math.max(first, last)) / 2 / (quantiles - 1)));
  };
  const ticks = percentileTicks.map(share => ({
    value: at(share),
    place: share,
    share: `${Math.round(share * 100)} %`,
  }));
  return { kind: 'percentile', least: sorted[0]!, most: sorted.at(-1)!, place, ticks };
}

function firstAtLeast(sorted: Float64Array, value: number): number {
  return search(sorted, bound => bound >= value);
}

function firstAbove(sorted: Float64Array, value: number): number {
  return search(sorted, bound => bound > value);
}

/** Index of the first bound that passes, all after it passing too; the length where none does. */
function search(sorted: Float64Array, passes: (bound: number) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(sorted[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}
