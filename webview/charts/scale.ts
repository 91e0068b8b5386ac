/** Axes: where ticks go, so that their numbers are short and their labels do not touch. Pure. */

/** Multiples of 1, 2 or 5 times a power of ten within [from, to], at most `most` of them; never below `least` apart. */
export function niceTicks(from: number, to: number, most: number, least = 0): number[] {
  if (!(to > from) || most < 1) return [];
  const wanted = Math.max((to - from) / most, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  // The rounding of a logarithm may leave the power one too low: 10 closes the list.
  const step = [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= wanted * (1 - 1e-9))!;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** Powers of a base within [from, to], both above 0; every second, third, ... where there are more than `most`. */
export function powerTicks(from: number, to: number, base: number, most: number): number[] {
  if (!(from > 0) || !(to >= from) || most < 1) return [];
  const first = Math.ceil(Math.log(from) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(to) / Math.log(base) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / most));
  const ticks: number[] = [];
  for (let exponent = Math.ceil(first / every) * every; exponent <= last; exponent += every) {
    ticks.push(base ** exponent);
  }
  return ticks;
}

/** A label along an axis: the middle of its thing in pixels, the room it takes, and how much it matters. */
export interface Label {
  readonly at: number;
  readonly size: number;
  readonly weight: number;
}

/** The labels that can stand without touching, the weightiest first; in their own order. */
export function fittingLabels<T extends Label>(labels: readonly T[], from: number, to: number): T[] {
  const placed: T[] = [];
  for (const label of [...labels].sort((a, b) => b.weight - a.weight || a.at - b.at)) {
    const half = label.size / 2;
    if (label.at - half < from || label.at + half > to) continue;
    if (placed.every(other => Math.abs(other.at - label.at) >= half + other.size / 2)) placed.push(label);
  }
  return placed.sort((a, b) => a.at - b.at);
}
