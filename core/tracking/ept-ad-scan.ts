/**
 * EPT A/D scan: the hypervisor reads, every period, the accessed and dirty flags of every mapped EPT leaf and clears
 * them (mechanisms.md, A.3, A.5, C alternative 3). With a flush (INVEPT) the processor sets them again at the next
 * access. Without one, as Linux ages pages, it does so only when a translation has left the TLB and is walked again: it
 * costs no exits and no walks, but pages that stay in the TLB look idle.
 *
 * Per page it reports the number of periods in which the page was found accessed but clean (reads), and dirty
 * (writes; whether it was read as well cannot be told). How often a page was used within a period cannot be told
 * either. The flags left at the end of the run are read once more.
 *
 * Memory: a bit a page for reads and one for writes, which the scan fills as it clears the flags.
 */
import * as l10n from '../model/l10n.js';
import { bitmapBytes } from './memory.js';
import { ACCESSED, DIRTY, PageFlags, Refills } from './pageFlags.js';
import { periodParameter } from './parameters.js';
import type { Readings } from './readings.js';
import {
  type FlagEvent,
  type Observation,
  Timer,
  type Tracker,
  type TrackerArms,
  type TrackerContext,
  tooShort,
  tracker,
} from './tracker.js';

const needs = l10n.kept(
  'a virtual machine on a processor with EPT accessed and dirty flags (Haswell or later), and hypervisor privilege',
);
const parameters = { periodSeconds: periodParameter(1, 'L: RAMinate scans EPT D flags every second') };

export const eptAdScan = tracker({
  label: 'EPT A/D scan',
  summary: 'pages accessed and pages written in each period, from EPT accessed and dirty flags cleared with a flush',
  needs,
  parameters,
  create: context => new EptAdScan(context, context.parameters.periodSeconds, true),
});

export const eptAdScanNoFlush = tracker({
  label: 'EPT A/D scan without flush',
  summary: 'the same without flushing: pages whose translations stay in the TLB look idle',
  needs,
  parameters,
  create: context => new EptAdScan(context, context.parameters.periodSeconds, false),
});

class EptAdScan implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  readonly #flush: boolean;
  readonly #arms: TrackerArms;
  readonly #flags = new PageFlags();
  readonly #refills: Refills;
  readonly #readings: Readings;
  #mapped = 0;
  #scanned = 0;
  #scans = 0;
  #exits = 0;

  constructor(context: TrackerContext, seconds: number, flush: boolean) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    this.#flush = flush;
    this.#arms = flush ? { access: true, write: true } : { walk: true, walkWrite: true };
    this.#refills = new Refills(context);
    this.#readings = context.readings('both');
    context.arm(this.#arms);
  }

  onFlag({ page, accessed, dirty }: Readonly<FlagEvent>): void {
    this.#flags.set(page, (accessed ? ACCESSED : 0) | (dirty ? DIRTY : 0));
    // EPT leaves exist for the pages seen so far; page numbers are dense.
    this.#mapped = Math.max(this.#mapped, page + 1);
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#read();
    if (this.#flush) this.#exits += this.#context.liveVcpus();
    this.#context.arm(this.#arms);
  }

  #read(): void {
    if (this.#flush) this.#refills.endPeriod(this.#flags.count);
    this.#flags.take((page, flags) => (flags & DIRTY ? this.#readings.write(page) : this.#readings.read(page)));
    this.#scanned += this.#mapped;
    this.#scans++;
  }

  finish(ns: number): Observation {
    this.#read();
    const { costs, cyclesPerNs } = this.#context;
    return {
      vmExits: this.#exits,
      costNs:
        this.#scanned * costs.scanNsPerPage +
        (this.#exits * costs.exitEntryCycles + this.#refills.total * costs.refillCycles) / cyclesPerNs,
      memoryBytes: 2 * bitmapBytes(this.#mapped),
      periods: this.#timer.completed,
      own: { scans: this.#scans, scannedPages: this.#scanned },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
