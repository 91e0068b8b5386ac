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
  for (let index = from; index < to; index++) {
    if (heap.length < most) {
      heap.push(index);
      if (heap.length === most) for (let at = (most >> 1) - 1; at >= 0; at--) sink(at);
    } else if (worse(heap[0], index)) {
      heap[0] = index;
      sink(0);
    }
  }
  return heap.sort((a, b) => a - b);
}
