/**
 * What scanners of the guest's page tables share: each period they read the flags of every present page and clear them.
 * With a flush the next access sets them again; without one, as Linux ages pages (mechanisms.md, A.3), the next walk
 * does, so that a page whose translation stays in the TLB looks idle. Flags of what is unmapped before it is read are
 * lost. The flags left at the end of the run are read once more.
 *
 * Memory: a bit a page for each kind of flag that is read, filled as they are cleared.
 */
import { GuestMemory } from './guestMemory.js';
import { bitmapBytes } from './memory.js';
import { ACCESSED, DIRTY, PageFlags, Refills } from './pageFlags.js';
import type { Readings } from './readings.js';
import {
  type FlagEvent,
  type Observation,
  Timer,
  type Tracker,
  type TrackerArms,
  type TrackerContext,
  tooShort,
} from './tracker.js';

export interface GuestScanOptions {
  readonly periodSeconds: number;
  /** Reads and clears dirty flags too, which nobody may do without a flush: a later write would set no flag. */
  readonly dirty: boolean;
  readonly flush: boolean;
  /** To read and clear the flags of one page. */
  readonly nsPerPage: number;
}

export class GuestScan implements Tracker {
  readonly #context: TrackerContext;
  readonly #options: GuestScanOptions;
  readonly #timer: Timer;
  readonly #memory: GuestMemory;
  readonly #arms: TrackerArms;
  readonly #flags = new PageFlags();
  readonly #refills: Refills;
  readonly #readings: Readings;
  #scans = 0;
  #scanned = 0;
  #flushes = 0;
  #mostPages = 0;

  constructor(context: TrackerContext, options: GuestScanOptions) {
    this.#context = context;
    this.#options = options;
    this.#timer = new Timer(options.periodSeconds, context.timeScale);
    this.#memory = new GuestMemory(context);
    this.#refills = new Refills(context);
    this.#readings = context.readings(options.dirty ? 'both' : 'reads');
    const { dirty, flush } = options;
    this.#arms = flush ? { access: true, write: dirty } : { walk: true };
    context.arm(this.#arms);
  }

  onMappings(mappings: Uint32Array): void {
    const gone = this.#memory.change(mappings);
    for (const page of gone) this.#flags.drop(page);
    if (gone.length > 0) this.#context.arm(this.#arms, gone);
  }

  onFlag(event: Readonly<FlagEvent>): void {
    this.#memory.touched(event);
    this.#flags.set(event.page, (event.accessed ? ACCESSED : 0) | (event.dirty ? DIRTY : 0));
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#read();
    if (this.#options.flush) this.#flushes++;
    this.#context.arm(this.#arms);
  }

  #read(): void {
    if (this.#options.flush) this.#refills.endPeriod(this.#flags.count);
    this.#flags.take((page, flags) => (flags & DIRTY ? this.#readings.write(page) : this.#readings.read(page)));
    this.#scans++;
    this.#scanned += this.#memory.presentPages;
    this.#mostPages = Math.max(this.#mostPages, this.#memory.presentPages);
  }

  finish(ns: number): Observation {
    this.#read();
    const { costs, cyclesPerNs } = this.#context;
    return {
      vmExits: 0,
      costNs:
        this.#scanned * this.#options.nsPerPage +
        this.#flushes * costs.shootdownNs +
        (this.#refills.total * costs.refillCycles) / cyclesPerNs,
      memoryBytes: (this.#options.dirty ? 2 : 1) * bitmapBytes(this.#mostPages),
      periods: this.#timer.completed,
      own: {
        scans: this.#scans,
        scannedPages: this.#scanned,
        flushes: this.#flushes,
      },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
