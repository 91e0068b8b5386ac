/**
 * The CXL hot-page unit, CHMU (CXL 3.2; mechanisms.md, J [P cover letter of the RFC driver, November 2024]): the memory
 * device counts the accesses that reach it, of each unit of memory, and writes units that are hot into a list (a ring) in
 * the device, from which the host reads them. All memory of the run is taken to be on the device, and the unit is the
 * run's page. What caches serve never reaches it; it gets fills as reads and write-backs as writes.
 *
 * - Epoch mode: when the epoch ends, units whose counter is at least the threshold go into the list with their counts;
 *   then all counters begin anew.
 * - Always-on mode: when a counter reaches the threshold, the unit goes into the list and its counter begins anew.
 *
 * What finds the list full is lost. The host reads the list by the clock. How a device counts is left to it by the
 * standard; here each unit has a counter of its own, so that counts are exact up to its width.
 *
 * A page's reading is the sum of the counts in its records: accesses, as reads or writes if only those are counted, else
 * as reads, known when the host reads the record. A unit that never reaches the threshold has none. What is in the list at
 * the end of the run is read then.
 *
 * Memory, on the device: a counter a unit, and the list.
 */
import { periodParameter } from './parameters.js';
import type { Readings } from './readings.js';
import { type Observation, Timer, type Tracker, type TrackerContext, tooShort, tracker } from './tracker.js';

const parameters = {
  alwaysOn: {
    summary: 'mode',
    unit: '0: epoch, 1: always on',
    default: 0,
    minimum: 0,
    maximum: 1,
    whole: true,
    source: 'J: two modes; the first',
  },
  operations: {
    summary: 'accesses that count',
    unit: '1: reads, 2: writes, 3: both',
    default: 3,
    minimum: 1,
    maximum: 3,
    whole: true,
    source: 'J: what reaches the device',
  },
  threshold: {
    summary: 'accesses that make a unit hot',
    unit: 'lines of 64 bytes, in an epoch',
    default: 64,
    minimum: 1,
    maximum: 65_535,
    whole: true,
    source: 'assumption: each line of a 4 KiB page once (J: left to the host)',
  },
  epochSeconds: periodParameter(5, "J: as NeoProf's sketch is cleared"),
  readSeconds: periodParameter(0.01, 'J: as NeoMem migrates, every 10 ms'),
  listEntries: {
    summary: 'records that the list holds',
    unit: 'records of 8 bytes',
    default: 16_384,
    minimum: 1,
    maximum: 2 ** 24,
    whole: true,
    source: "J: as NeoProf's hot buffer",
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const chmu = tracker({
  label: 'CXL hot-page unit (CHMU)',
  summary:
    'pages with more accesses to memory than a threshold, counted in the memory device; nothing that caches serve',
  needs: 'memory behind a CXL 3.2 device with a hotness monitoring unit, and a driver (root)',
  parameters,
  create: context => new HotPageUnit(context, context.parameters),
});

const READS = 1;
const WRITES = 2;
/** Counters have 16 bits, and stay at their greatest value. */
const COUNTER_MAX = 65_535;
const COUNTER_BYTES = 2;
const RECORD_BYTES = 8;
const LINE_BYTES = 64;

class HotPageUnit implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #epoch: Timer;
  readonly #reading: Timer;
  readonly #linesInPage: number;
  #counters = new Uint16Array(1024);
  readonly #readings: Readings;
  #units = 0;
  /** The list: pages and their counts, in turn. */
  #list: number[] = [];
  #records = 0;
  #lost = 0;
  #lines = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#epoch = new Timer(parameters.epochSeconds, context.timeScale);
    this.#reading = new Timer(parameters.readSeconds, context.timeScale);
    this.#linesInPage = context.pageSize / LINE_BYTES;
    this.#readings = context.readings(parameters.operations === WRITES ? 'writes' : 'reads');
  }

  onLines(lines: Uint32Array): void {
    const { operations, threshold, alwaysOn } = this.#parameters;
    for (let at = 0; at < lines.length; at += 2) {
      if (!(operations & (lines[at + 1] & 1 ? WRITES : READS))) continue;
      this.#lines++;
      const page = Math.floor(lines[at] / this.#linesInPage);
      if (page >= this.#counters.length) this.#grow(page);
      this.#units = Math.max(this.#units, page + 1);
      if (this.#counters[page] < COUNTER_MAX) this.#counters[page]++;
      if (alwaysOn && this.#counters[page] >= threshold) {
        this.#record(page);
        this.#counters[page] = 0;
      }
    }
  }

  #grow(page: number): void {
    const larger = new Uint16Array(Math.max(page + 1, this.#counters.length * 2));
    larger.set(this.#counters);
    this.#counters = larger;
  }

  #record(page: number): void {
    if (this.#list.length === 2 * this.#parameters.listEntries) {
      this.#lost++;
      return;
    }
    this.#records++;
    this.#list.push(page, this.#counters[page]);
  }

  #read(): void {
    const writes = this.#parameters.operations === WRITES;
    for (let at = 0; at < this.#list.length; at += 2) {
      const [page, count] = [this.#list[at], this.#list[at + 1]];
      if (writes) this.#readings.write(page, count);
      else this.#readings.read(page, count);
    }
    this.#list = [];
  }

  onTime(ns: number): void {
    // What the host had time to read before the epoch's records came.
    if (this.#reading.due(ns)) this.#read();
    if (this.#epoch.due(ns)) this.#endEpoch();
  }

  #endEpoch(): void {
    if (this.#parameters.alwaysOn) return;
    for (let page = 0; page < this.#units; page++)
      if (this.#counters[page] >= this.#parameters.threshold) this.#record(page);
    this.#counters.fill(0);
  }

  finish(ns: number): Observation {
    this.#read();
    const { listEntries, alwaysOn } = this.#parameters;
    const timer = alwaysOn ? this.#reading : this.#epoch;
    return {
      vmExits: 0,
      costNs: this.#records * this.#context.costs.deviceReadNs,
      memoryBytes: this.#units * COUNTER_BYTES + listEntries * RECORD_BYTES,
      periods: timer.completed,
      own: {
        countedLines: this.#lines,
        hotRecords: this.#records,
        lostRecords: this.#lost,
      },
      warnings: tooShort(timer, ns),
    };
  }
}
