/**
 * Temperature and distribution: the access-pattern metrics of the vmmload authors (mechanisms.md, section C, slides).
 */
import { type Distribution, HOT, type Temperature } from '../model/profile.js';

/**
 * @param hotness class of each touched page
 * @param pmlEvents entries logged in the run
 */
export function temperature(hotness: Uint8Array, pmlEvents: number, modelledNs: number): Temperature {
  let hot = 0;
  for (const c of hotness) if (c === HOT) hot++;
  return {
    totalPages: hotness.length,
    frequentlyAccessedPages: hot,
    pmlEventsPerSecond: modelledNs > 0 ? pmlEvents / (modelledNs / 1e9) : 0,
  };
}

export interface PatternInput {
  readonly reads: number;
  readonly writes: number;
  /** Touched pages in ascending order of process, then number. */
  readonly pages: {
    readonly process: Uint32Array;
    readonly number: Float64Array;
    readonly linesUsed: Uint32Array;
  };
  readonly pageSize: number;
  readonly epochs: { readonly pages: Float64Array; readonly entered: Float64Array; readonly left: Float64Array };
  /** Mapped ranges in page numbers, [first, end), in ascending order of process, then first; not overlapping. */
  readonly mappings: readonly { readonly process: number; readonly first: number; readonly end: number }[];
}

export function distribution(input: PatternInput): Distribution {
  const { pages, mappings } = input;
  const count = pages.number.length;
  const accesses = input.reads + input.writes;

  let lines = 0;
  for (const used of pages.linesUsed) lines += used;

  // Runs of adjacent pages. Between two runs lies a gap of the program's own making only inside one mapping.
  let runs = 0;
  let gaps = 0;
  let gapPages = 0;
  let mapping = 0;
  for (let row = 0; row < count; row++) {
    const process = pages.process[row];
    const number = pages.number[row];
    const sameProcess = row > 0 && pages.process[row - 1] === process;
    const previous = sameProcess ? pages.number[row - 1] : Number.NaN;
    if (number === previous + 1) continue;
    runs++;
    if (!sameProcess) continue;
    while (mapping < mappings.length && endsBefore(mappings[mapping], process, previous)) mapping++;
    const m = mappings[mapping];
    if (m && m.process === process && m.first <= previous && number < m.end) {
      gaps++;
      gapPages += number - previous - 1;
    }
  }

  return {
    readShare: accesses ? input.reads / accesses : 0,
    writeShare: accesses ? input.writes / accesses : 0,
    workingSetAlteration: alteration(input.epochs),
    density: count ? lines / (count * (input.pageSize / 64)) : 0,
    runs,
    meanRunPages: runs ? count / runs : 0,
    gaps,
    meanGapPages: gaps ? gapPages / gaps : 0,
  };
}

function endsBefore(mapping: { process: number; end: number }, process: number, number: number): boolean {
  return mapping.process < process || (mapping.process === process && mapping.end <= number);
}

/** Mean over epochs, from the second, of (entered + left) / (pages now + pages before). */
function alteration({ pages, entered, left }: PatternInput['epochs']): number {
  let sum = 0;
  let n = 0;
  for (let epoch = 1; epoch < pages.length; epoch++) {
    const both = pages[epoch] + pages[epoch - 1];
    if (both === 0) continue;
    sum += (entered[epoch] + left[epoch]) / both;
    n++;
  }
  return n ? sum / n : 0;
}
