/**
 * How well a tracker found the hot pages (design, section 2, "Scores of a tracker").
 *
 * Truth is the k pages with most accesses, k = a share (10 %) of the pages that the program accessed; compared with
 * the tracker's own k best. Ties go to the lower page number. Rows are pages in order of number; pages that hold page
 * tables are not rows.
 */

export interface Scores {
  /** Pages that the tracker reported at all. */
  readonly pagesReported: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  /** Spearman's rho over all accessed pages, ties at mean rank; null where either side has one value only. */
  readonly rankCorrelation: number | null;
  /** (pages reported - pages accessed) / pages accessed: below 0 it missed pages. */
  readonly workingSetError: number | null;
}

/** k as a share of the accessed pages. */
const TOP_SHARE = 0.1;

const NOTHING: Scores = {
  pagesReported: null,
  precision: null,
  recall: null,
  f1: null,
  rankCorrelation: null,
  workingSetError: null,
};

/**
 * @param truth accesses of each page
 * @param seen what the tracker saw of each page, in its own unit; null: no page identity
 * @param topShare k as a share of the accessed pages, above 0 to 1; k is rounded up
 * @returns all null when the mechanism gave no page identity or reported nothing
 */
export function score(truth: Float64Array, seen: Float64Array | null, topShare = TOP_SHARE): Scores {
  if (seen === null) return NOTHING;
  if (seen.length !== truth.length) throw new RangeError(`seen has ${seen.length} pages, truth ${truth.length}`);
  const reported = positives(seen);
  if (reported === 0) return NOTHING;
  const accessed = positives(truth);
  const k = topCount(truth, topShare);
  const hot = top(truth, k);
  const own = top(seen, k);
  const inTruth = new Uint8Array(truth.length);
  for (const page of hot) inTruth[page] = 1;
  let common = 0;
  for (const page of own) common += inTruth[page];
  const precision = own.length ? common / own.length : null;
  const recall = hot.length ? common / hot.length : null;
  return {
    pagesReported: reported,
    precision,
    recall,
    f1:
      precision === null || recall === null
        ? null
        : precision + recall > 0
          ? (2 * precision * recall) / (precision + recall)
          : 0,
    rankCorrelation: spearman(truth, seen),
    workingSetError: accessed ? (reported - accessed) / accessed : null,
  };
}

/** k: how many of the accessed pages are the hottest. */
export function topCount(truth: Float64Array, topShare = TOP_SHARE): number {
  // The share is a decimal fraction: what rounding adds to the product must not cost a page.
  return Math.ceil(positives(truth) * topShare * (1 - 1e-12));
}

/** The k rows with the greatest values above 0, ties to the lower row. */
export function top(values: Float64Array, k: number): Uint32Array {
  const rows = new Uint32Array(positives(values));
  let n = 0;
  for (let row = 0; row < values.length; row++) if (values[row] > 0) rows[n++] = row;
  rows.sort((a, b) => values[b] - values[a] || a - b);
  return rows.subarray(0, k);
}

/** Spearman's rank correlation over the rows where either is above 0; null where it is undefined. */
export function spearman(a: Float64Array, b: Float64Array): number | null {
  const rows = new Uint32Array(a.length);
  let n = 0;
  for (let row = 0; row < a.length; row++) if (a[row] > 0 || b[row] > 0) rows[n++] = row;
  const used = rows.subarray(0, n);
  const x = ranks(a, used);
  const y = ranks(b, used);
  const mean = (n + 1) / 2;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const dx = x[i] - mean;
    const dy = y[i] - mean;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : null;
}

/** Rank of each of `rows` by value, from 1; equal values share the mean of their ranks. */
function ranks(values: Float64Array, rows: Uint32Array): Float64Array {
  const order = Uint32Array.from(rows, (_, i) => i).sort((i, j) => values[rows[i]] - values[rows[j]]);
  const result = new Float64Array(rows.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[rows[order[to]]] === values[rows[order[from]]]) to++;
    for (let i = from; i < to; i++) result[order[i]] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}

function positives(values: Float64Array): number {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > 0) n++;
  return n;
}
