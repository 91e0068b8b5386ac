/** Scores of trackers: worked by hand, and beside a reference that follows the definitions word by word. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { score, spearman, top } from '../../core/tracking/scores.js';

const column = (...values: number[]) => Float64Array.from(values);

describe('scores', () => {
  test('a worked example', () => {
    // 10 pages, 8 accessed; k = 25 % of 8 = 2. Truth: pages 0 and 3. Seen: 3 (9) and 5 (4, before page 6 by number).
    const truth = column(100, 5, 5, 80, 1, 2, 3, 1, 0, 0);
    const seen = column(3, 0, 0, 9, 1, 4, 4, 0, 0, 2);
    const result = score(truth, seen, 0.25);
    expect(result).toMatchObject({ pagesReported: 6, precision: 0.5, recall: 0.5, f1: 0.5, workingSetError: -0.25 });
    // Pages 0-7 and 9: ranks of truth 9 6.5 6.5 8 2.5 4 5 2.5 1, of seen 6 2 2 9 4 7.5 7.5 2 5.
    const x = [9, 6.5, 6.5, 8, 2.5, 4, 5, 2.5, 1].map(rank => rank - 5);
    const y = [6, 2, 2, 9, 4, 7.5, 7.5, 2, 5].map(rank => rank - 5);
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    expect(result.rankCorrelation).toBeCloseTo(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 12);
  });

  test('the truth scored against itself is perfect', () => {
    const truth = column(5, 1, 0, 7, 7);
    expect(score(truth, truth)).toEqual({
      pagesReported: 4,
      precision: 1,
      recall: 1,
      f1: 1,
      rankCorrelation: 1,
      workingSetError: 0,
    });
  });

  test('no page identity, or nothing reported, is null everywhere', () => {
    const nothing = {
      pagesReported: null,
      precision: null,
      recall: null,
      f1: null,
      rankCorrelation: null,
      workingSetError: null,
    };
    expect(score(column(1, 2), null)).toEqual(nothing);
    expect(score(column(1, 2), column(0, 0))).toEqual(nothing);
  });

  test('a tracker that reports fewer pages than k loses recall, not precision', () => {
    const truth = Float64Array.from({ length: 20 }, (_, i) => 100 - i);
    const seen = new Float64Array(20);
    seen[0] = 1;
    expect(score(truth, seen)).toMatchObject({ precision: 1, recall: 0.5, f1: 2 / 3 });
  });

  test('one that saw every page alike has no rank correlation', () => {
    expect(score(column(1, 2, 3), column(4, 4, 4)).rankCorrelation).toBeNull();
  });

  test('columns of unlike length are refused', () => {
    expect(() => score(column(1), column(1, 2))).toThrow(/seen has 2 pages, truth 1/);
  });

  test('agree with the definitions on generated columns', () => {
    const counts = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(counts, fc.constantFrom(10, 30, 70, 100), (pages, percent) => {
        const truth = Float64Array.from(pages, ([t]) => t);
        const seen = Float64Array.from(pages, ([, s]) => s);
        const best = (values: Float64Array, k: number) =>
          [...values.keys()]
            .filter(page => values[page] > 0)
            // A page's place is the number of pages that go before it.
            .filter(
              page =>
                [...values.keys()].filter(
                  other => values[other] > values[page] || (values[other] === values[page] && other < page),
                ).length < k,
            );
        const accessed = pages.filter(([t]) => t > 0).length;
        const reported = pages.filter(([, s]) => s > 0).length;
        const k = Math.ceil((accessed * percent) / 100);
        const hot = best(truth, k);
        const own = best(seen, k);
        const common = hot.filter(page => own.includes(page)).length;
        const result = score(truth, seen, percent / 100);
        if (reported === 0) {
          expect(result.precision).toBeNull();
          return;
        }
        expect(new Set(top(truth, k))).toEqual(new Set(hot));
        expect(result.pagesReported).toBe(reported);
        expect(result.precision).toBe(own.length ? common / own.length : null);
        expect(result.recall).toBe(hot.length ? common / hot.length : null);
        expect(result.workingSetError).toBe(accessed ? (reported - accessed) / accessed : null);

        // Spearman as the correlation of ranks, a rank being the mean place among equals.
        const used = pages.filter(([t, s]) => t > 0 || s > 0);
        const rank = (side: 0 | 1) =>
          used.map(
            p => used.filter(q => q[side] < p[side]).length + (used.filter(q => q[side] === p[side]).length + 1) / 2,
          );
        const [x, y] = [rank(0), rank(1)];
        const mean = (used.length + 1) / 2;
        const cov = (a: number[], b: number[]) => a.reduce((sum, _, i) => sum + (a[i] - mean) * (b[i] - mean), 0);
        const expected = cov(x, x) > 0 && cov(y, y) > 0 ? cov(x, y) / Math.sqrt(cov(x, x) * cov(y, y)) : null;
        if (expected === null) expect(spearman(truth, seen)).toBeNull();
        else expect(spearman(truth, seen)).toBeCloseTo(expected, 10);
      }),
      { numRuns: 300 },
    );
  });
});
