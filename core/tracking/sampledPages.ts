/** Samples of accesses counted by page: what the trackers that sample share. */
import { SERVED_MEMORY } from '../kernel/abi-machine.js';
import * as l10n from '../model/l10n.js';
import { shareFigures } from './intervals.js';
import { PageColumn, type TrackerContext } from './tracker.js';

/** Bytes of a cache line. */
const LINE_BYTES = 64;

// Parts of a sample's second word (kernel/abi-machine.ts).
export const sampleWrites = (how: number): boolean => (how & 1) !== 0;
export const sampleServed = (how: number): number => (how >>> 1) & SERVED_MEMORY;
export const sampleVcpu = (how: number): number => how >>> 3;

export class SampledPages {
  readonly #pages = new PageColumn();
  readonly #told: (page: number) => void;
  count = 0;
  readonly #linesInPage: number;

  /** @param told is told the page of each sample */
  constructor({ pageSize }: Pick<TrackerContext, 'pageSize'>, told: (page: number) => void = () => {}) {
    this.#told = told;
    this.#linesInPage = pageSize / LINE_BYTES;
  }

  /** @param line page * lines of a page + line in the page. Returns the page. */
  add(line: number): number {
    const page = Math.floor(line / this.#linesInPage);
    this.#pages.add(page, 1);
    this.count++;
    this.#told(page);
    return page;
  }

  /** Share of the page with most samples, with its interval; a count of k samples has the relative deviation 1/sqrt(k). */
  hottestPage(name: string): Record<string, number> {
    let most = 0;
    for (const samples of this.#pages.values) if (samples > most) most = samples;
    return shareFigures(name, most, this.count);
  }
}

/** Samples that a tracker needs before its counts say something, as it needs periods of a timer. */
const ENOUGH_SAMPLES = 10;

/** A warning for a run with too few samples. @param option the parameter that sets the period */
export function tooFewSamples(samples: number, what: string, period: number, option: string): string[] {
  if (samples >= ENOUGH_SAMPLES) return [];
  const taken = samples === 1 ? l10n.kept('1 sample of {0}', what) : l10n.kept('{0} samples of {1}', samples, what);
  return [
    l10n.kept(
      'too short: {0}, one of {1}, {2} are wanted: a longer run or a smaller --tracker-option {3}',
      taken,
      period,
      ENOUGH_SAMPLES,
      option,
    ),
  ];
}
