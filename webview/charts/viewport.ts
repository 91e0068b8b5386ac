/** The visible part of an axis: zooming, panning and brushing, always inside the whole. Pure. */

export type Range = readonly [number, number];

/** Makes the range `factor` times as long about a point (0 its start, 1 its end), between `least` and the whole. */
export function zoomed([from, to]: Range, factor: number, anchor: number, whole: number, least: number): Range {
  const length = Math.min(whole, Math.max(Math.min(least, whole), (to - from) * factor));
  return inside(from + (to - from - length) * anchor, length, whole);
}

/** Moves by a share of its own length. */
export function panned([from, to]: Range, share: number, whole: number): Range {
  return inside(from + (to - from) * share, to - from, whole);
}

/** From one dragged point to the other (shares of the range, in any order), no shorter than `least`. */
export function brushed([from, to]: Range, a: number, b: number, whole: number, least: number): Range {
  const low = from + (to - from) * Math.max(0, Math.min(a, b));
  const high = from + (to - from) * Math.min(1, Math.max(a, b));
  const length = Math.min(whole, Math.max(Math.min(least, whole), high - low));
  return inside((low + high - length) / 2, length, whole);
}

/** Moves no further than needed, so that the point is inside. */
export function revealing([from, to]: Range, point: number, whole: number): Range {
  const length = to - from;
  if (point < from) return inside(point, length, whole);
  if (point > to) return inside(point - length, length, whole);
  return [from, to];
}

function inside(from: number, length: number, whole: number): Range {
  const start = Math.max(0, Math.min(from, whole - length));
  return [start, start + length];
}
