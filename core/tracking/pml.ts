/**
 * Page Modification Logging as an access tracker, in the epoch loop of a minimal VMM (mechanisms.md, B.1, B.4, C):
 * each period { drain the log, clear A and D in the EPT, INVEPT, run }. A page is reported with the number of periods
 * in which it was logged: once a period at most, and only if it was written. Reads leave no entry. What was logged
 * after the last full period counts as well.
 *
 * The log is simulated per vCPU on the tracker's own flags: after the clear every page-table page is walked again, so
 * its EPT D flag goes 0 -> 1 and it takes an entry ("Accessed and Dirty Flags for EPT": the processor's accesses to
 * guest tables are writes); with 2 MiB pages all tables of a process share one EPT page. Every translation that sets A
 * or D checks the index, and a full log exits (reason 62) before the flag is set.
 */
import { SWEEP_SIZES, SWEEP_SMALLEST } from '../kernel/abi-machine.js';
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

export const pml = tracker({
  label: 'PML',
  summary: 'pages written in each period, from the log of EPT dirty flags; no reads, no counts',
  needs: 'Intel VT-x with EPT A/D flags and PML (Broadwell or later), and a hypervisor of your own or KVM patches',
  parameters: {
    periodSeconds: periodParameter(1, 'as for EPT D scans (RAMinate, L) and present-bit invalidation (B.4)'),
  },
  create: context => new PmlTracker(context, context.parameters.periodSeconds),
});

/** Log sizes simulated side by side: the configured one first, then the sweep's. */
class Logs {
  readonly #sizes: Float64Array;
  /** Entries in use, by vCPU and size. */
  readonly #used: Float64Array[] = [];
  readonly exits: Float64Array;

  constructor(sizes: readonly number[]) {
    this.#sizes = Float64Array.from(sizes);
    this.exits = new Float64Array(sizes.length);
  }

  /** A flag is about to be set on this vCPU: where the index is out of range, exit and drain. */
  beforeFlag(vcpu: number): Float64Array {
    const used = (this.#used[vcpu] ??= new Float64Array(this.#sizes.length));
    for (let i = 0; i < used.length; i++) {
      if (used[i] < this.#sizes[i]) continue;
      used[i] = 0;
      this.exits[i]++;
    }
    return used;
  }

  drainAll(): void {
    for (const used of this.#used) used?.fill(0);
  }
}

class PmlTracker implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  readonly #logs: Logs;
  readonly #periodsLogged = new PageColumn();
  /** Page-table pages whose D flag is set in this period. */
  readonly #tables = new Set<string>();
  readonly #levels: number;
  #entries = 0;
  #tableEntries = 0;
  #accessedInPeriod = 0;
  #refills = 0;
  #timerExits = 0;

  constructor(context: TrackerContext, seconds: number) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    this.#logs = new Logs([context.pmlEntries, ...sweepSizes]);
    this.#levels = context.pageSize === 4096 ? 4 : 1;
    context.arm({ access: true, write: true });
  }

  onFlag(event: Readonly<FlagEvent>): void {
    const { vcpu } = event;
    if (event.accessed) {
      this.#accessedInPeriod++;
      this.#walkTables(event);
    }
    const used = this.#logs.beforeFlag(vcpu);
    if (event.dirty) {
      this.#log(used);
      this.#periodsLogged.add(event.page, 1);
    }
  }

  /** The first access since the clear walks from the root down; tables not yet dirty are logged on the way. */
  #walkTables({ vcpu, table }: Readonly<FlagEvent>): void {
    const process = this.#context.processOf(vcpu);
    for (let level = this.#levels; level >= 1; level--) {
      const key = `${process}:${level}:${Math.floor(table / 512 ** (level - 1)) * (this.#levels > 1 ? 1 : 0)}`;
      if (this.#tables.has(key)) continue;
      this.#tables.add(key);
      this.#log(this.#logs.beforeFlag(vcpu));
      this.#tableEntries++;
    }
  }

  #log(used: Float64Array): void {
    this.#entries++;
    for (let i = 0; i < used.length; i++) used[i]++;
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#logs.drainAll();
    this.#tables.clear();
    this.#context.arm({ access: true, write: true });
    this.#timerExits += this.#context.liveVcpus();
    this.#endPeriod();
  }

  /** The clear flushes: what was in the TLBs and is used again must be walked again. */
  #endPeriod(): void {
    if (this.#timer.completed > 1)
      this.#refills += Math.min(this.#accessedInPeriod, this.#context.tlbEntries * this.#context.liveVcpus());
    this.#accessedInPeriod = 0;
  }

  finish(ns: number): Observation {
    if (this.#timer.completed > 0)
      this.#refills += Math.min(this.#accessedInPeriod, this.#context.tlbEntries * this.#context.liveVcpus());
    const [logFullExits, ...sweep] = this.#logs.exits;
    const exits = logFullExits + this.#timerExits;
    const { costs, cyclesPerNs } = this.#context;
    const costNs =
      (exits * costs.exitEntryCycles + this.#refills * costs.refillCycles) / cyclesPerNs +
      this.#entries * (costs.pmlDrainNsPerEntry + costs.scanNsPerPage);
    const own: Record<string, number> = {
      logEntries: this.#entries,
      tablePageEntries: this.#tableEntries,
      logFullExits,
    };
    for (const [i, entries] of sweepSizes.entries()) own[`logFullExitsAt${entries}Entries`] = sweep[i];
    return {
      pageReads: null,
      pageWrites: this.#periodsLogged.values,
      vmExits: exits,
      costNs,
      periods: this.#timer.completed,
      own,
      warnings: tooShort(this.#timer, ns),
    };
  }
}

const sweepSizes = Array.from({ length: SWEEP_SIZES }, (_, i) => SWEEP_SMALLEST << i);
