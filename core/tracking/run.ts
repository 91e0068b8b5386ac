/**
 * Runs the chosen trackers beside a replay: hands each the arms of its own that fired, gives it the time, and turns what
 * it saw into the report's rows.
 */
import { ARM_ACCESS, ARM_TRACKERS, ARM_WRITE, EVENT_BYTES } from '../kernel/abi-machine.js';
import type { TrackerResult } from '../model/profile.js';
import { score } from './scores.js';
import type { FlagEvent, Observation, Tracker, TrackerContext } from './tracker.js';
import { trackers } from './trackers.js';

/** What of the kernel's exports the trackers need. */
export interface TrackerExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  eventsStart(): number;
  eventsCount(): number;
  eventsClear(): void;
  trackersArm(bits: number): void;
  vcpuProcess(vcpu: number): number;
  vcpusLive(): number;
  modelledNs(): number;
}

export type TrackerOptions = Pick<
  TrackerContext,
  'pageSize' | 'pmlEntries' | 'cyclesPerNs' | 'timeScale' | 'tlbEntries'
>;

/** What a tracker saw; page columns by kernel page number. */
export interface Observed {
  readonly id: string;
  readonly seen: Observation;
}

/** The exact counts, rows in order of page number, and the row of each kernel page number. */
export interface ExactPages {
  readonly reads: Float64Array;
  readonly writes: Float64Array;
  readonly rowOfPage: Uint32Array;
  /** Cycles that all vCPUs were busy, as ns: the denominator of overheads. */
  readonly busyNs: number;
}

export class TrackerRun {
  readonly #kernel: TrackerExports;
  readonly #running: { readonly id: string; readonly bits: number; readonly tracker: Tracker }[] = [];
  readonly #event: FlagEvent = { page: 0, vcpu: 0, table: 0, accessed: false, dirty: false };

  /** Starts the trackers; before the first access of the run. @throws Error for an id that is not in the table. */
  constructor(kernel: TrackerExports, ids: readonly string[], options: TrackerOptions) {
    this.#kernel = kernel;
    const known = Object.keys(trackers);
    for (const id of ids) {
      const number = known.indexOf(id);
      if (number < 0) throw new Error(`tracker ${id}: unknown; known: ${known.join(', ')}`);
      if (number >= ARM_TRACKERS) throw new Error(`tracker ${id} is number ${number}; arms exist for ${ARM_TRACKERS}`);
      const context: TrackerContext = {
        ...options,
        arm: ({ access, write }) =>
          kernel.trackersArm(((access ? 1 << ARM_ACCESS : 0) | (write ? 1 << ARM_WRITE : 0)) << number),
        processOf: vcpu => kernel.vcpuProcess(vcpu),
        liveVcpus: () => kernel.vcpusLive(),
      };
      this.#running.push({
        id,
        bits: ((1 << ARM_ACCESS) | (1 << ARM_WRITE)) << number,
        tracker: trackers[id].create(context),
      });
    }
  }

  /** To be called at every quantum of the replay: delivers what fired, then the time. */
  quantum(): void {
    this.#deliver();
    const now = this.#kernel.modelledNs();
    for (const { tracker } of this.#running) tracker.onTime(now);
  }

  #deliver(): void {
    const kernel = this.#kernel;
    const count = kernel.eventsCount();
    if (count === 0) return;
    const events = new Uint32Array(kernel.memory.buffer, kernel.eventsStart(), (count * EVENT_BYTES) / 4);
    const event = this.#event;
    for (let at = 0; at < events.length; at += EVENT_BYTES / 4) {
      const fired = events[at + 1];
      event.page = events[at];
      event.vcpu = events[at + 2];
      event.table = events[at + 3];
      for (const { bits, tracker } of this.#running) {
        const mine = fired & bits;
        if (mine === 0) continue;
        event.accessed = (mine & 0xff) !== 0;
        event.dirty = (mine & 0xff00) !== 0;
        tracker.onFlag(event);
      }
    }
    kernel.eventsClear();
  }

  /** Ends the trackers: what each saw. */
  finish(): Observed[] {
    this.#deliver();
    const now = this.#kernel.modelledNs();
    return this.#running.map(({ id, tracker }) => ({ id, seen: tracker.finish(now) }));
  }
}

/** The rows of the report. Page columns are rows of `exact`. */
export function trackerResults(observed: readonly Observed[], exact: ExactPages): TrackerResult[] {
  const truth = exact.reads.map((reads, row) => reads + exact.writes[row]);
  return observed.map(({ id, seen }) => {
    const pageReads = id === 'exact' ? exact.reads : inRows(seen.pageReads, exact.rowOfPage);
    const pageWrites = id === 'exact' ? exact.writes : inRows(seen.pageWrites, exact.rowOfPage);
    return { id, ...result(seen, truth, pageReads, pageWrites, exact.busyNs) };
  });
}

/**
 * Entries that the PML tracker logged in the run, the `frequency of PML events` of the temperature; null when it did not
 * run.
 */
export function pmlLogEntries(observed: readonly Observed[]): number | null {
  return observed.find(({ id }) => id === 'pml')?.seen.own.logEntries ?? null;
}

function result(
  seen: Observation,
  truth: Float64Array,
  pageReads: Float64Array | null,
  pageWrites: Float64Array | null,
  busyNs: number,
): Omit<TrackerResult, 'id'> {
  return {
    ...score(truth, sum(pageReads, pageWrites)),
    vmExits: seen.vmExits,
    overheadPercent: busyNs > 0 ? (100 * seen.costNs) / busyNs : 0,
    periods: seen.periods,
    own: seen.own,
    pageReads,
    pageWrites,
    warnings: seen.warnings,
  };
}

function sum(a: Float64Array | null, b: Float64Array | null): Float64Array | null {
  if (!a || !b) return a ?? b;
  return a.map((value, row) => value + b[row]);
}

/** From kernel page numbers to rows. */
function inRows(column: Float64Array | null, rowOfPage: Uint32Array): Float64Array | null {
  if (!column) return null;
  const rows = new Float64Array(rowOfPage.length);
  for (let page = 0; page < rowOfPage.length; page++) rows[rowOfPage[page]] = column[page] ?? 0;
  return rows;
}
