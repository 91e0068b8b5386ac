/**
 * What a tracker is: a mechanism that observes page accesses and sees only what its mechanism can see.
 *
 * A tracker never gets accesses. It arms pages (kernel/arms.ts: its own shadow of the accessed and dirty flags) and is
 * told which arms fired, in order; or it subscribes to a stream of events (kernel/streams.ts) by having the method that
 * takes it. All that is delivered once per quantum of the replay, then the time, on which it may act. So trackers disturb
 * neither the emulated machine nor each other, and each gives alone the row that it gives among others.
 */

import type { CostValues } from '../machine/costs.js';
import * as l10n from '../model/l10n.js';
import type { Parameters, ValuesOf } from './parameters.js';
import type { Readings, Told } from './readings.js';
import type { SampleRequest } from './samples.js';

export interface TrackerKind<P extends Parameters = Parameters> {
  readonly label: string;
  /** One sentence: what it sees. */
  readonly summary: string;
  /** Hardware, kernel or privilege that it needs on a real machine. */
  readonly needs: string;
  readonly parameters: P;
  /** Samples that `onSamples` takes. */
  samples?(parameters: ValuesOf<P>): readonly SampleRequest[];
  create(context: TrackerContext<P>): Tracker;
}

/** A kind whose parameters are known by name within it. */
export function tracker<const P extends Parameters>(kind: TrackerKind<P>): TrackerKind {
  return kind as unknown as TrackerKind;
}

export interface TrackerContext<P extends Parameters = Parameters> {
  readonly parameters: ValuesOf<P>;
  /** Where the tracker puts its readings of pages as they come in; asked for once, by those that name pages. */
  readings(told: Told): Readings;
  /**
   * Lets the given of the tracker's arms fire once on every page from now on; pages not yet touched included. With
   * `pages` on these pages (kernel page numbers, which are given in the order of first touch) alone.
   */
  arm(arms: TrackerArms, pages?: ArrayLike<number>): void;
  /** Takes arms back. */
  disarm(arms: TrackerArms, pages?: ArrayLike<number>): void;
  /** Pages touched so far; kernel page numbers are below it. */
  pages(): number;
  /** Virtual page number of a page, in units of the run's page size. */
  pageNumber(page: number): number;
  /** Accesses so far by LRU stack distance in pages, 1-based; index 0: first accesses of a page. */
  stackDistances(): Float64Array;
  /** A random whole number from 0 to n - 1, of a sequence of the tracker's own. */
  random(n: number): number;
  /** Process of a vCPU. */
  processOf(vcpu: number): number;
  /** vCPUs whose thread has not ended. */
  liveVcpus(): number;
  /** The cost model of the emulated machine: values of machine/costs.ts. */
  readonly costs: CostValues;
  readonly pageSize: number;
  readonly pmlEntries: number;
  /** Core cycles in a modelled nanosecond. */
  readonly cyclesPerNs: number;
  /** Length of the tracker's second on the modelled clock is 1e9 / timeScale ns. */
  readonly timeScale: number;
  /** Translations that one vCPU's TLBs hold at most. */
  readonly tlbEntries: number;
}

/** What the tracker waits for on a page. */
export interface TrackerArms {
  /** The next access: the accessed flag (or the permission) was taken, and cached translations flushed. */
  readonly access?: boolean;
  /** The next write: the same for the dirty flag. */
  readonly write?: boolean;
  /** The next walk: the accessed flag was cleared, cached translations were left alone. */
  readonly walk?: boolean;
  /** The next walk that sets the dirty flag: the same for the dirty flag. */
  readonly walkWrite?: boolean;
}

/** A page's armed flags were set by an access: accessed 0 -> 1, dirty 0 -> 1, or both at once. */
export interface FlagEvent {
  /** Kernel page number (first-touch order). */
  page: number;
  vcpu: number;
  /** Number of the leaf page table that maps the page (virtual page number / 512, low 32 bits). */
  table: number;
  accessed: boolean;
  dirty: boolean;
  /** The access was a write: known to a mechanism that traps, whichever arm fired. */
  write: boolean;
}

/** Modelled time between two quanta, ns; what happened between them has no finer time. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Arms set in one of these methods are set from the end of the quantum on. Arrays are the caller's after the call. */
export interface Tracker {
  /** The arms that fired since the last call, one call each, in order. The event is reused. */
  onFlag?(event: Readonly<FlagEvent>): void;
  /** Page walks in order, 2 words each: page; vCPU << 2 | WALK_DIRTY | WALK_WRITE. */
  onWalks?(walks: Uint32Array, during: Interval): void;
  /** Lines that memory served, in order, 2 words each: line (page * lines of a page + line in the page); 1: write-back. */
  onLines?(lines: Uint32Array, during: Interval): void;
  /** Changes of mappings, between the arms that fired before and after them, 6 words each: MAPPING_*, process, first page number (low, high), pages (low, high). */
  onMappings?(mappings: Uint32Array): void;
  /** Samples of one of the kind's requests, in order, 2 words each: line; vCPU << 3 | SERVED_* << 1 | write. */
  onSamples?(request: number, samples: Uint32Array, during: Interval): void;
  /** Modelled time of the run is now `ns`: the tracker's timer may be due. */
  onTime(ns: number): void;
  /** The run ended. */
  finish(ns: number): Observation;
}

/** What a tracker saw in the whole run, besides its readings of pages. */
export interface Observation {
  readonly vmExits: number;
  /** Modelled cost to the run, ns of all vCPUs together. */
  readonly costNs: number;
  /** Memory that the mechanism needs at most, in bytes: what it adds to page tables and program (memory.ts). */
  readonly memoryBytes: number;
  /** Completed periods; null for a mechanism without one. */
  readonly periods: number | null;
  /** Further figures, with units in the names. */
  readonly own: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

/** A counter column that grows with the pages it meets. */
export class PageColumn {
  values = new Float64Array(1024);

  add(page: number, amount: number): void {
    if (page >= this.values.length) {
      const larger = new Float64Array(Math.max(page + 1, this.values.length * 2));
      larger.set(this.values);
      this.values = larger;
    }
    this.values[page] += amount;
  }
}

/** A timer on modelled time: due once `periodNs` has passed; missed beats are skipped, as a kernel's timer does. */
export class Timer {
  completed = 0;
  readonly #periodNs: number;
  #next: number;

  /** @param seconds period in the tracker's own seconds; `timeScale` of them pass in a modelled second. */
  constructor(
    readonly seconds: number,
    readonly timeScale: number,
  ) {
    this.#periodNs = (seconds * 1e9) / timeScale;
    this.#next = this.#periodNs;
  }

  /** Whether the period ended; if so the next begins. */
  due(ns: number): boolean {
    if (ns < this.#next) return false;
    this.completed++;
    this.#next = ns + this.#periodNs;
    return true;
  }
}

/** Periods that a mechanism needs before its figures say something (design, section 2: modelled time). */
const ENOUGH_PERIODS = 10;
/** Below this a run has too few quanta, at which timers fire, for ten periods at any time scale. */
const SHORTEST_NS = 1e6;

/**
 * A warning for a run with too few periods, with the time scale that would do.
 * @param ns modelled length of the run
 * @param beats timer beats in a period, each of which takes a quantum at least
 */
export function tooShort(
  { completed, seconds, timeScale }: Pick<Timer, 'completed' | 'seconds' | 'timeScale'>,
  ns: number,
  beats = 1,
): string[] {
  if (completed >= ENOUGH_PERIODS) return [];
  const periods =
    completed === 1 ? l10n.kept('1 period of {0} s', seconds) : l10n.kept('{0} periods of {1} s', completed, seconds);
  const advice =
    ns < beats * SHORTEST_NS
      ? l10n.kept('it takes a longer run')
      : l10n.kept('--time-scale {0} would do', timeScaleFor(ENOUGH_PERIODS * seconds, ns));
  return [
    l10n.kept('too short: {0} at time scale {1}, {2} are wanted: {3}', periods, timeScale, ENOUGH_PERIODS, advice),
  ];
}

/**
 * A time scale, of two digits, at which so many of the tracker's seconds pass in a run of `ns`, and a tenth more: a beat is
 * taken at the first quantum behind it, so that ten take a little longer than ten periods.
 */
export function timeScaleFor(seconds: number, ns: number): number {
  const wanted = (1.1 * seconds * 1e9) / ns;
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  return Math.ceil(wanted / unit) * unit;
}
