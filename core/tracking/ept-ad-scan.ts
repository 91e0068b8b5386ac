/**
 * EPT A/D scan: the hypervisor reads, every period, the accessed and dirty flags of every mapped EPT leaf, clears them
 * and executes INVEPT, so that the processor sets them again (mechanisms.md, A.3, A.5, C alternative 3).
 *
 * Per page it reports the number of periods in which the page was found accessed but clean (reads), and dirty
 * (writes; whether it was read as well cannot be told). How often a page was used within a period cannot be told
 * either. The flags left at the end of the run are read once more.
 */
import { periodParameter } from './parameters.js';
import {
  type FlagEvent,
  type Observation,
  PageColumn,
  Timer,
  type Tracker,
  type TrackerContext,
  tooShort,
  tracker,
} from './tracker.js';

export const eptAdScan = tracker({
  label: 'EPT A/D scan',
  summary: 'pages accessed and pages written in each period, from EPT accessed and dirty flags cleared with a flush',
  needs:
    'a virtual machine on a processor with EPT accessed and dirty flags (Haswell or later), and hypervisor privilege',
  parameters: { periodSeconds: periodParameter(1, 'L: RAMinate scans EPT D flags every second') },
  create: context => new EptAdScan(context, context.parameters.periodSeconds),
});

const ACCESSED = 1;
const DIRTY = 2;

class EptAdScan implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  readonly #reads = new PageColumn();
  readonly #writes = new PageColumn();
  /** The mechanism's flags by page, and the pages that have one set. */
  #flags = new Uint8Array(1024);
  #set: number[] = [];
  #mapped = 0;
  #scanned = 0;
  #scans = 0;
  #exits = 0;
  #refills = 0;

  constructor(context: TrackerContext, seconds: number) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    context.arm({ access: true, write: true });
  }

  onFlag({ page, accessed, dirty }: Readonly<FlagEvent>): void {
    if (page >= this.#flags.length) {
      const larger = new Uint8Array(Math.max(page + 1, this.#flags.length * 2));
      larger.set(this.#flags);
      this.#flags = larger;
    }
    if (this.#flags[page] === 0) this.#set.push(page);
    this.#flags[page] |= (accessed ? ACCESSED : 0) | (dirty ? DIRTY : 0);
    // EPT leaves exist for the pages seen so far; page numbers are dense.
    this.#mapped = Math.max(this.#mapped, page + 1);
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#read();
    this.#exits += this.#context.liveVcpus();
    this.#context.arm({ access: true, write: true });
  }

  #read(): void {
    for (const page of this.#set) {
      if (this.#flags[page] & DIRTY) this.#writes.add(page, 1);
      else this.#reads.add(page, 1);
      this.#flags[page] = 0;
    }
    this.#scanned += this.#mapped;
    // Only after a flush are there translations to load again.
    if (this.#scans++ > 0)
      this.#refills += Math.min(this.#set.length, this.#context.tlbEntries * this.#context.liveVcpus());
    this.#set = [];
  }

  finish(ns: number): Observation {
    this.#read();
    const { costs, cyclesPerNs } = this.#context;
    return {
      pageReads: this.#reads.values,
      pageWrites: this.#writes.values,
      vmExits: this.#exits,
      costNs:
        this.#scanned * costs.scanNsPerPage +
        (this.#exits * costs.exitEntryCycles + this.#refills * costs.refillCycles) / cyclesPerNs,
      periods: this.#timer.completed,
      own: { scans: this.#scans, scannedPages: this.#scanned },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
