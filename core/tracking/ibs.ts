/**
 * AMD IBS op, instruction-based sampling (mechanisms.md, J): the processor tags every n-th micro-op, and when it retires
 * interrupts; the handler reads from registers what the op did: address, load or store, what served it. The counter
 * begins anew at a random number of 7 bits, so that periods differ by up to 127.
 *
 * Periods here count accesses: the recording has no other micro-ops, which on a real machine use up most samples. With
 * `l3MissOnly` (Zen 4 and later) ops that did not go to memory are dropped by the processor, without an interrupt.
 *
 * A page's readings are its samples, reads and writes apart. A count of k samples has the relative standard deviation
 * 1/sqrt(k); the share of writes and that of the page with most samples are told with their intervals of 95 %.
 *
 * Memory: none, as samples stay in registers until the handler has them.
 */

import { SERVED_MEMORY } from '../kernel/abi-machine.js';
import * as l10n from '../model/l10n.js';
import { shareFigures } from './intervals.js';
import type { Readings } from './readings.js';
import { SampledPages, sampleServed, sampleWrites, tooFewSamples } from './sampledPages.js';
import { type Observation, type Tracker, type TrackerContext, tracker } from './tracker.js';

/** The counter begins at a random number up to this. */
const RANDOM_START = 127;
/** The processor ignores the period's lower bits. */
const PERIOD_STEP = 16;

const parameters = {
  period: {
    summary: 'accesses, of which one is sampled; rounded down to a multiple of 16, less up to 127 by the random start',
    unit: 'accesses of a sample',
    default: 10_000,
    minimum: 144,
    maximum: 2 ** 27,
    whole: true,
    source: 'J: interval of 10 000 (NeoMem, for PEBS); a multiple of 16',
  },
  l3MissOnly: {
    summary: 'keeps only samples that memory served',
    unit: '1 or 0',
    default: 0,
    minimum: 0,
    maximum: 1,
    whole: true,
    source: 'the processor as it starts: no filter',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const ibs = tracker({
  label: 'AMD IBS',
  summary: 'samples of all accesses with their addresses, reads and writes apart, an interrupt each',
  needs: 'an AMD processor with IBS (family 10h or later; the filter Zen 4), and perf_event rights',
  parameters,
  samples: ({ period }) => [{ accesses: 'all', period: period - (period % PERIOD_STEP), jitter: RANDOM_START }],
  create: context => new Ibs(context, context.parameters),
});

class Ibs implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #all: SampledPages;
  readonly #readings: Readings;
  #written = 0;
  #dropped = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#all = new SampledPages(context);
    this.#readings = context.readings('both');
  }

  onSamples(_request: number, samples: Uint32Array): void {
    for (let at = 0; at < samples.length; at += 2) {
      const how = samples[at + 1];
      if (this.#parameters.l3MissOnly === 1 && sampleServed(how) !== SERVED_MEMORY) {
        this.#dropped++;
        continue;
      }
      const page = this.#all.add(samples[at]);
      if (sampleWrites(how)) {
        this.#readings.write(page);
        this.#written++;
      } else this.#readings.read(page);
    }
  }

  onTime(): void {}

  finish(): Observation {
    const samples = this.#all.count;
    return {
      vmExits: 0,
      costNs: samples * this.#context.costs.ibsSampleNs,
      memoryBytes: 0,
      periods: null,
      own: {
        samples,
        droppedSamples: this.#dropped,
        ...shareFigures('writeShare', this.#written, samples),
        ...this.#all.hottestPage('hottestPageOfAccesses'),
      },
      warnings: tooFewSamples(samples, l10n.kept('accesses'), this.#parameters.period, 'ibs.period'),
    };
  }
}
