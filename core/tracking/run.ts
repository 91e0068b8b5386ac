/**
 * Runs the chosen trackers beside a replay: hands each the arms of its own that fired, gives it the time, and turns what
 * it saw into the report's rows.
 */

import { QUANTUM } from '../kernel/abi.js';
import {
  ARM_ACCESS,
  ARM_TRACKERS,
  ARM_WALK,
  ARM_WALK_WRITE,
  ARM_WRITE,
  EVENT_BYTES,
  EVENT_WRITE,
  STREAM_LINES,
  STREAM_MAPPINGS,
  STREAM_WALKS,
} from '../kernel/abi-machine.js';
import { type HeatRows, mergedHeat, noHeatRows } from '../machine/heatRows.js';
import type { TrackerHeat, TrackerResult } from '../model/profile.js';
import { type TrackerParameters, valuesOf } from './parameters.js';
import { randomOf } from './random.js';
import { Readings } from './readings.js';
import { addSamplers, type Sampler, type SamplerExports, samplersOf } from './samples.js';
import { score } from './scores.js';
import type { FlagEvent, Observation, Tracker, TrackerArms, TrackerContext } from './tracker.js';
import { trackers } from './trackers.js';

/** What of the kernel's exports the trackers need. */
export interface TrackerExports extends SamplerExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  eventsStart(): number;
  eventsCount(): number;
  eventsClear(): void;
  trackerArm(tracker: number, classes: number): void;
  trackerDisarm(tracker: number, classes: number): void;
  pageList(count: number): number;
  trackerArmPages(tracker: number, classes: number, count: number): void;
  trackerDisarmPages(tracker: number, classes: number, count: number): void;
  streamWant(stream: number): void;
  streamWords(stream: number): number;
  streamLength(stream: number): number;
  streamsClear(): void;
  vcpuProcess(vcpu: number): number;
  vcpusLive(): number;
  modelledNs(): number;
  readonly pagesKnown: { readonly value: number };
  readonly pageNumbers: { readonly value: number };
  readonly histogram: { readonly value: number };
  readonly distinct: { readonly value: number };
  readonly epochCount: { readonly value: number };
  readonly epochLength: { readonly value: bigint };
}

export interface TrackerOptions
  extends Pick<TrackerContext, 'costs' | 'pageSize' | 'pmlEntries' | 'cyclesPerNs' | 'timeScale' | 'tlbEntries'> {
  readonly parameters: TrackerParameters;
}

/** What a tracker saw, and told of pages; pages by kernel number. */
export interface Observed {
  readonly id: string;
  readonly seen: Observation;
  /** null: it names no pages. */
  readonly told: ToldPages | null;
}

export interface ToldPages {
  /** Over the whole run; may be shorter than the run's pages. null: it does not tell these apart from the others. */
  readonly reads: Float64Array | null;
  readonly writes: Float64Array | null;
  readonly heat: HeatRows;
}

/** The exact counts, rows in order of page number, and the row of each kernel page number. */
export interface ExactPages {
  readonly epochs: number;
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly rowOfPage: Uint32Array;
  /** Cycles that all vCPUs were busy, as ns: the denominator of overheads. */
  readonly busyNs: number;
}

interface Running {
  readonly id: string;
  /** Its bit in each word of arms. */
  readonly bit: number;
  readonly tracker: Tracker;
  /** null: it names no pages. */
  readonly readings: Readings | null;
}

// Words of an event, and of a change of mappings, whose first six are told.
const EVENT_WORDS = EVENT_BYTES / 4;
const MAPPING_RECORD_WORDS = 8;
const FIRED_BEFORE = 6;
const FIRED_ACCESS = 4;
const FIRED_WRITE = 5;
const FIRED_WALK = 6;
const FIRED_WALK_WRITE = 7;

export class TrackerRun {
  readonly #kernel: TrackerExports;
  readonly #running: readonly Running[];
  readonly #samplers: readonly Sampler[];
  readonly #event: FlagEvent = { page: 0, vcpu: 0, table: 0, accessed: false, dirty: false, write: false };
  /** What the kernel holds, copied: a tracker that arms may make the kernel's memory grow, which detaches views of it. */
  #copy = new Uint32Array(1 << 14);
  #now = 0;
  #accesses = 0;

  /** Starts the trackers; before the first access of the run. @throws Error for an id that is not in the table. */
  constructor(kernel: TrackerExports, ids: readonly string[], options: TrackerOptions) {
    this.#kernel = kernel;
    const known = Object.keys(trackers);
    const firstEpoch = { epochAccesses: Number(kernel.epochLength.value) };
    this.#running = ids.map(id => {
      const number = known.indexOf(id);
      if (number < 0) throw new Error(`tracker ${id}: unknown; known: ${known.join(', ')}`);
      if (number >= ARM_TRACKERS) throw new Error(`tracker ${id} is number ${number}; arms exist for ${ARM_TRACKERS}`);
      let readings: Readings | null = null;
      const context: TrackerContext = {
        ...contextOf(kernel, id, number, options),
        readings: told => (readings = new Readings(told, firstEpoch)),
      };
      const tracker = trackers[id].create(context);
      return { id, bit: 1 << number, tracker, readings };
    });
    this.#samplers = samplersOf(trackers, ids, options.parameters);
    addSamplers(
      kernel,
      this.#samplers.filter(({ level }) => level > 0),
    );
    for (const { stream } of this.#samplers) kernel.streamWant(stream);
    const wants = (method: keyof Tracker) => this.#running.some(({ tracker }) => tracker[method]);
    if (wants('onWalks')) kernel.streamWant(STREAM_WALKS);
    if (wants('onLines')) kernel.streamWant(STREAM_LINES);
    if (wants('onMappings')) kernel.streamWant(STREAM_MAPPINGS);
  }

  /** To be called at every quantum of the replay: delivers what happened, then the time. */
  quantum(): void {
    this.#accesses += QUANTUM;
    this.#advance(this.#accesses);
    const now = this.#deliver();
    for (const { tracker } of this.#running) tracker.onTime(now);
  }

  #advance(accesses: number): void {
    for (const { readings } of this.#running) readings?.advance(accesses);
  }

  #deliver(): number {
    const kernel = this.#kernel;
    const during = { from: this.#now, to: kernel.modelledNs() };
    this.#now = during.to;
    this.#deliverFlags();
    const walks = this.#stream(STREAM_WALKS);
    if (walks.length) for (const { tracker } of this.#running) tracker.onWalks?.(walks, during);
    const lines = this.#stream(STREAM_LINES);
    if (lines.length) for (const { tracker } of this.#running) tracker.onLines?.(lines, during);
    for (const { tracker: id, stream, request } of this.#samplers) {
      const samples = this.#stream(stream);
      if (samples.length) this.#tracker(id).onSamples?.(request, samples, during);
    }
    kernel.eventsClear();
    kernel.streamsClear();
    return during.to;
  }

  /** The arms that fired and the changes of mappings, in the order in which they came. */
  #deliverFlags(): void {
    const mappings = this.#stream(STREAM_MAPPINGS).slice();
    const events = this.#copied(this.#kernel.eventsStart(), this.#kernel.eventsCount() * EVENT_WORDS);
    let from = 0;
    for (let at = 0; at < mappings.length; ) {
      const before = mappings[at + FIRED_BEFORE] * EVENT_WORDS;
      this.#fired(events, from, before);
      from = before;
      const together: number[] = [];
      for (; at < mappings.length && mappings[at + FIRED_BEFORE] * EVENT_WORDS === before; at += MAPPING_RECORD_WORDS)
        together.push(...mappings.subarray(at, at + FIRED_BEFORE));
      const changes = Uint32Array.from(together);
      for (const { tracker } of this.#running) tracker.onMappings?.(changes);
    }
    this.#fired(events, from, events.length);
  }

  #fired(events: Uint32Array, from: number, to: number): void {
    const event = this.#event;
    for (let at = from; at < to; at += EVENT_WORDS) {
      const accessed = events[at + FIRED_ACCESS] | events[at + FIRED_WALK];
      const dirty = events[at + FIRED_WRITE] | events[at + FIRED_WALK_WRITE];
      event.page = events[at];
      event.vcpu = events[at + 1];
      event.table = events[at + 2];
      event.write = (events[at + 3] & EVENT_WRITE) !== 0;
      for (const { bit, tracker } of this.#running) {
        if (((accessed | dirty) & bit) === 0) continue;
        event.accessed = (accessed & bit) !== 0;
        event.dirty = (dirty & bit) !== 0;
        tracker.onFlag?.(event);
      }
    }
  }

  /** The stream's words since the last quantum. */
  #stream(stream: number): Uint32Array {
    return this.#copied(this.#kernel.streamWords(stream), this.#kernel.streamLength(stream));
  }

  #copied(address: number, words: number): Uint32Array {
    if (words > this.#copy.length) this.#copy = new Uint32Array(2 ** Math.ceil(Math.log2(words)));
    this.#copy.set(new Uint32Array(this.#kernel.memory.buffer, address >>> 0, words));
    return this.#copy.subarray(0, words);
  }

  #tracker(id: string): Tracker {
    return this.#running.find(running => running.id === id)!.tracker;
  }

  /** Ends the trackers, after the last epoch: what each saw. */
  finish(): Observed[] {
    const epochs = this.#kernel.epochCount.value;
    const epochAccesses = Number(this.#kernel.epochLength.value);
    this.#advance(epochs * epochAccesses);
    const now = this.#deliver();
    return this.#running.map(({ id, tracker, readings }) => {
      const seen = tracker.finish(now);
      return { id, seen, told: readings && { ...readings.totals(), heat: readings.heat(epochs, epochAccesses) } };
    });
  }
}

/** What tracker `number` of the table may ask of the kernel. */
function contextOf(
  kernel: TrackerExports,
  id: string,
  number: number,
  options: TrackerOptions,
): Omit<TrackerContext, 'readings'> {
  const list = (pages: ArrayLike<number>) => {
    const address = kernel.pageList(pages.length);
    new Uint32Array(kernel.memory.buffer, address >>> 0, pages.length).set(pages);
    return pages.length;
  };
  return {
    ...options,
    parameters: valuesOf(id, trackers[id].parameters, options.parameters),
    arm: (arms, pages) =>
      pages ? kernel.trackerArmPages(number, classesOf(arms), list(pages)) : kernel.trackerArm(number, classesOf(arms)),
    disarm: (arms, pages) =>
      pages
        ? kernel.trackerDisarmPages(number, classesOf(arms), list(pages))
        : kernel.trackerDisarm(number, classesOf(arms)),
    pages: () => kernel.pagesKnown.value,
    pageNumber: page => wordPair(kernel, kernel.pageNumbers.value, page),
    stackDistances: () =>
      kernel.histogram.value
        ? Float64Array.from({ length: kernel.distinct.value + 1 }, (_, i) =>
            wordPair(kernel, kernel.histogram.value, i),
          )
        : new Float64Array(1),
    random: randomOf(id),
    processOf: vcpu => kernel.vcpuProcess(vcpu),
    liveVcpus: () => kernel.vcpusLive(),
  };
}

function classesOf({ access, write, walk, walkWrite }: TrackerArms): number {
  return (access ? ARM_ACCESS : 0) | (write ? ARM_WRITE : 0) | (walk ? ARM_WALK : 0) | (walkWrite ? ARM_WALK_WRITE : 0);
}

/** The u64 of index `index` behind `address`. */
function wordPair(kernel: TrackerExports, address: number, index: number): number {
  const [low, high] = new Uint32Array(kernel.memory.buffer, (address >>> 0) + 8 * index, 2);
  return high * 2 ** 32 + low;
}

/** The rows of the report. Page columns are rows of `exact`. */
export function trackerResults(observed: readonly Observed[], exact: ExactPages): TrackerResult[] {
  const truth = exact.reads.map((reads, row) => reads + exact.writes[row]);
  return observed.map(({ id, seen, told }) => {
    const pageReads = id === 'exact' ? exact.reads : inRows(told?.reads, exact.rowOfPage);
    const pageWrites = id === 'exact' ? exact.writes : inRows(told?.writes, exact.rowOfPage);
    return {
      id,
      ...score(truth, sum(pageReads, pageWrites)),
      vmExits: seen.vmExits,
      overheadPercent: exact.busyNs > 0 ? (100 * seen.costNs) / exact.busyNs : 0,
      memoryBytes: seen.memoryBytes,
      periods: seen.periods,
      own: seen.own,
      pageReads,
      pageWrites,
      heat: told && readingsOf(told.heat, exact),
      warnings: seen.warnings,
    };
  });
}

/** The readings with pages as rows of the page table, ascending within a bin. */
function readingsOf(rows: HeatRows, { rowOfPage, epochs }: ExactPages): TrackerHeat {
  const { epochsPerBin, start, page, reads, writes } = mergedHeat(rows, noHeatRows, rowOfPage, epochs);
  return { epochsPerBin, start, page, reads, writes };
}

/**
 * Entries that the PML tracker logged in the run, the `frequency of PML events` of the temperature; null when it did not
 * run.
 */
export function pmlLogEntries(observed: readonly Observed[]): number | null {
  return observed.find(({ id }) => id === 'pml')?.seen.own.logEntries ?? null;
}

function sum(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (!a || !b) return a ?? b;
  return a.map((value, row) => value + b[row]);
}

/** From kernel page numbers to rows. */
function inRows(column: Float64Array | null | undefined, rowOfPage: Uint32Array): Float64Array | null {
  if (!column) return null;
  const rows = new Float64Array(rowOfPage.length);
  for (let page = 0; page < rowOfPage.length; page++) rows[rowOfPage[page]] = column[page] ?? 0;
  return rows;
}
