/** Hotness classes and the pattern metrics: by hand, and beside the definitions on generated counts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify, perPagePerSecond } from '../../core/hotness/classes.js';
import { distribution, type PatternInput, temperature } from '../../core/hotness/pattern.js';
import { CLASS_NAMES, COLD, HOT } from '../../core/model/profile.js';

const classes = (...accesses: number[]) =>
  Array.from(classify(Float64Array.from(accesses)), c => CLASS_NAMES[c]).join(' ');

describe('hotness classes', () => {
  test('hot is the smallest set with 80 %, cold the last 1 % and what was never touched', () => {
    // 1000 accesses: 600 + 200 reach 80 %; of the rest the last 10 are 1 %.
    expect(classes(600, 190, 200, 6, 4, 0)).toBe('hot warm hot cold cold cold');
  });

  test('the set grows until the share is reached, not nearly reached', () => {
    expect(classes(799, 101, 100)).toBe('hot hot warm');
    expect(classes(800, 100, 100)).toBe('hot warm warm');
  });

  test('equal pages are taken in order of number', () => {
    expect(classes(1, 1, 1, 1, 1)).toBe('hot hot hot hot warm');
  });

  test('a program of one page is hot; one without accesses is cold', () => {
    expect(classes(3)).toBe('hot');
    expect(classes(0, 0)).toBe('cold cold');
    expect(classes()).toBe('');
  });

  test('follow the definition on generated counts and shares', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { maxLength: 30 }),
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 100 }),
        (counts, hotPercent, coldPercent) => {
          const result = classify(Float64Array.from(counts), hotPercent / 100, coldPercent / 100);
          const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
          const total = counts.reduce((a, b) => a + b, 0);
          // In hundredths, so that everything is a whole number.
          let hot = 0;
          let sum = 0;
          while (hot < order.length && sum * 100 < hotPercent * total) sum += counts[order[hot++]];
          let cold = 0;
          for (let tail = 0; cold < order.length; cold++) {
            tail += counts[order[order.length - 1 - cold]];
            if (tail * 100 > coldPercent * total) break;
          }
          for (const [place, page] of order.entries()) {
            const wanted = total > 0 && place < hot ? HOT : total === 0 || place >= order.length - cold ? COLD : 1;
            expect([page, result[page]]).toEqual([page, wanted]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('a rate is accesses per touched page per modelled second', () => {
    expect(perPagePerSecond(6000, 3, 2e9)).toBe(1000);
    expect(perPagePerSecond(6000, 0, 2e9)).toBe(0);
    expect(perPagePerSecond(6000, 3, 0)).toBe(0);
  });
});

describe('temperature', () => {
  test('counts pages, hot pages and log entries per modelled second', () => {
    expect(temperature(Uint8Array.of(HOT, COLD, HOT, 1), 300, 1.5e9)).toEqual({
      totalPages: 4,
      frequentlyAccessedPages: 2,
      pmlEventsPerSecond: 200,
    });
  });
});

describe('distribution', () => {
  const input: PatternInput = {
    reads: 30,
    writes: 10,
    // Process 0: 10 11 | 14 | 20 21 22; process 1: 10.
    pages: {
      process: Uint32Array.of(0, 0, 0, 0, 0, 0, 1),
      number: Float64Array.of(10, 11, 14, 20, 21, 22, 10),
      linesUsed: Uint32Array.of(64, 32, 16, 16, 32, 32, 32),
    },
    pageSize: 4096,
    // The gap 12-13 lies in one mapping; 15-19 spans two.
    mappings: [
      { process: 0, first: 8, end: 16 },
      { process: 0, first: 18, end: 30 },
      { process: 1, first: 0, end: 100 },
    ],
    epochs: { pages: Float64Array.of(4, 6, 2), entered: Float64Array.of(4, 3, 0), left: Float64Array.of(0, 1, 4) },
  };

  test('of a worked example', () => {
    expect(distribution(input)).toEqual({
      readShare: 0.75,
      writeShare: 0.25,
      // (3 + 1) / (6 + 4) and (0 + 4) / (2 + 6).
      workingSetAlteration: (0.4 + 0.5) / 2,
      density: 224 / (7 * 64),
      runs: 4,
      meanRunPages: 7 / 4,
      gaps: 1,
      meanGapPages: 2,
    });
  });

  test('of nothing is zero, not NaN', () => {
    const none = new Float64Array(0);
    const empty = distribution({
      reads: 0,
      writes: 0,
      pages: { process: new Uint32Array(0), number: none, linesUsed: new Uint32Array(0) },
      pageSize: 4096,
      mappings: [],
      epochs: { pages: none, entered: none, left: none },
    });
    expect(Object.values(empty)).toEqual(Array(8).fill(0));
  });

  test('the first epochs of an idle start are left out of the alteration', () => {
    const epochs = {
      pages: Float64Array.of(0, 0, 5),
      entered: Float64Array.of(0, 0, 5),
      left: Float64Array.of(0, 0, 0),
    };
    expect(distribution({ ...input, epochs }).workingSetAlteration).toBe(1);
  });
});
