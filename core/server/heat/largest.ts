/** The largest of very many, without sorting them. */

/**
 * Indices in [from, to) with the `most` greatest weights, ascending; of equals the lower come first. A heap holds the
 * best so far, the worst of them on top: nearly every candidate costs one comparison.
 */
export function largest(from: number, to: number, most: number, weight: (index: number) => number): number[] {
  const heap: number[] = [];
  const worse = (a: number, b: number) => weight(a) < weight(b) || (weight(a) === weight(b) && a > b);
  const sink = (at: number) => {
    for (;;) {
      let worst = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && worse(heap[child], heap[worst])) worst = child;
      }
      if (worst === at) return;
      [heap[at], heap[worst]] = [heap[worst], heap[at]];
      at = worst;
    }
  };
  let index = from;
  while (index < to && heap.length < most) heap.push(index++);
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at);
  if (most > 0)
    for (let floor = index < to ? weight(heap[0]) : 0; index < to; index++) {
      // Of equals the lower stay, and those came first.
      if (weight(index) <= floor) continue;
      heap[0] = index;
      sink(0);
      floor = weight(heap[0]);
    }
  return heap.sort((a, b) => a - b);
}

/** Where candidates lie: `at` ascends within [start, end). */
export interface Places {
  readonly start: number;
  readonly end: number;
  at(index: number): number;
}

/**
 * As `largest`, but half of them are the largest of equal slices of the whole: of thousands that are equally large, not
 * only the first are named. Candidates without weight are left out.
 */
export function largestSpread(
  from: number,
  to: number,
  most: number,
  weight: (index: number) => number,
  { start, end, at }: Places,
): number[] {
  const slices = Math.floor(most / 2);
  const perRow = slices / (end - start);
  const best = new Int32Array(slices).fill(-1);
  const heaviest = new Float64Array(slices);
  for (let index = from; index < to; index++) {
    const own = weight(index);
    const slice = Math.max(0, Math.min(slices - 1, Math.floor((at(index) - start) * perRow)));
    if (own <= heaviest[slice]) continue;
    heaviest[slice] = own;
    best[slice] = index;
  }
  const chosen = new Set([...largest(from, to, most - slices, weight), ...best.filter(index => index >= 0)]);
  return [...chosen].filter(index => weight(index) > 0).sort((a, b) => a - b);
}
