/**
 * Intel PEBS, processor event-based sampling (mechanisms.md, B.2, H.1, H.13, J): the processor itself writes a record
 * with the virtual address of every n-th event into a buffer in memory. Two events, as Demeter's module has them: loads
 * whose latency is above a threshold (MEM_TRANS_RETIRED.LOAD_LATENCY) and all stores (MEM_INST_RETIRED.ALL_STORES). A
 * full buffer interrupts and is drained; what is in it at the end is drained then. Periods are not randomised, so they
 * should share no factor with the strides of the program, which is why the defaults are no round numbers.
 *
 * Records hold guest-virtual addresses and land where the guest's debug-store area says. Before version 5 of PEBS the
 * host cannot share that area, so that PEBS set up by the host records nothing of what runs in a guest (J): this is PEBS
 * as the guest, or a machine without hypervisor, has it, and so it causes no exits.
 *
 * The emulated machine knows which level served a load, not its cycles under load: the threshold stands for the levels
 * whose latency (machine/presets.ts) is above it.
 *
 * A page's readings are its samples, of loads and of stores, each of its own period. A count of k samples has the
 * relative standard deviation 1/sqrt(k); the share of the page with most samples is told with its interval of 95 %.
 * Records hold the time stamp counter, so that a sample stands where it was taken [C linux 6.3 intel_ds.h].
 *
 * Memory: a buffer a vCPU.
 */

import { SERVED_L1, SERVED_L2, SERVED_LLC, SERVED_MEMORY } from '../kernel/abi-machine.js';
import * as l10n from '../model/l10n.js';
import { SampledPages, sampleVcpu, tooFewSamples } from './sampledPages.js';
import { type Observation, type Tracker, type TrackerContext, tracker } from './tracker.js';

const period = (summary: string, value: number, source: string) => ({
  summary,
  unit: 'events of a sample',
  default: value,
  minimum: 16,
  maximum: 2 ** 31 - 1,
  whole: true,
  source,
});

const parameters = {
  loadPeriod: period('loads above the threshold, of which one is sampled', 4093, 'H.13: one of 4093'),
  storePeriod: period('stores, of which one is sampled', 65_535, "H.13: period 65 535 in Demeter's module"),
  thresholdCycles: {
    summary: 'loads with a longer latency count',
    unit: 'core cycles; 8 or more: without L1 hits, 16: without L2 hits, 64: without LLC hits',
    default: 64,
    minimum: 0,
    maximum: 128,
    whole: true,
    source: 'H.13: latency filter 64',
  },
  bufferRecords: {
    summary: 'records of the buffer, which interrupts when it is full',
    unit: 'records, a vCPU',
    default: 327,
    minimum: 1,
    maximum: 1e6,
    whole: true,
    source: '64 KiB of records of 200 bytes [C linux 6.3 arch/x86 intel_ds.h, `struct pebs_record_skl`]',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const pebs = tracker({
  label: 'Intel PEBS',
  summary: 'samples of slow loads and of stores with their addresses; not from a host that looks into a guest',
  needs:
    'an Intel processor with PEBS load latency (Nehalem or later), and perf_event rights; in a guest a virtual PMU',
  parameters,
  samples: ({ loadPeriod, storePeriod, thresholdCycles }) => [
    { accesses: 'reads', servedFrom: levelAbove(thresholdCycles), period: loadPeriod, jitter: 0 },
    { accesses: 'writes', period: storePeriod, jitter: 0 },
  ],
  create: context => new Pebs(context, context.parameters),
});

/**
 * The nearest level whose loads take more cycles than the threshold, by the latencies of all presets: 4-5, 12-15 and
 * 42-50 cycles, memory more than 200.
 */
export function levelAbove(thresholdCycles: number): number {
  if (thresholdCycles < 5) return SERVED_L1;
  if (thresholdCycles < 15) return SERVED_L2;
  return thresholdCycles < 50 ? SERVED_LLC : SERVED_MEMORY;
}

/** Bytes of a record (Linux `struct pebs_record_skl`). */
const RECORD_BYTES = 200;
const LOADS = 0;

class Pebs implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #loads: SampledPages;
  readonly #stores: SampledPages;
  /** Records in the buffer, by vCPU. */
  readonly #buffered: number[] = [];
  #interrupts = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    const readings = context.readings('both');
    this.#loads = new SampledPages(context, page => readings.read(page));
    this.#stores = new SampledPages(context, page => readings.write(page));
  }

  onSamples(request: number, samples: Uint32Array): void {
    const into = request === LOADS ? this.#loads : this.#stores;
    for (let at = 0; at < samples.length; at += 2) {
      into.add(samples[at]);
      const vcpu = sampleVcpu(samples[at + 1]);
      this.#buffered[vcpu] = (this.#buffered[vcpu] ?? 0) + 1;
      if (this.#buffered[vcpu] < this.#parameters.bufferRecords) continue;
      this.#buffered[vcpu] = 0;
      this.#interrupts++;
    }
  }

  onTime(): void {}

  finish(): Observation {
    const { loadPeriod, storePeriod, bufferRecords } = this.#parameters;
    const loads = this.#loads;
    const stores = this.#stores;
    // A buffer comes with the first record of a vCPU.
    const buffers = this.#buffered.filter(records => records !== undefined).length;
    return {
      vmExits: 0,
      costNs: (loads.count + stores.count) * this.#context.costs.pebsRecordNs,
      memoryBytes: buffers * bufferRecords * RECORD_BYTES,
      periods: null,
      own: {
        loadSamples: loads.count,
        storeSamples: stores.count,
        interrupts: this.#interrupts,
        ...loads.hottestPage('hottestPageOfLoads'),
        ...stores.hottestPage('hottestPageOfStores'),
      },
      warnings: [
        ...tooFewSamples(loads.count, l10n.kept('loads above the threshold'), loadPeriod, 'pebs.loadPeriod'),
        ...tooFewSamples(stores.count, l10n.kept('stores'), storePeriod, 'pebs.storePeriod'),
      ],
    };
  }
}
