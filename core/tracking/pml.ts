/**
 * Page Modification Logging as an access tracker, in the epoch loop of a minimal VMM (mechanisms.md, B.1, B.4, C):
 * each period { drain the log, clear A and D in the EPT, INVEPT, run }. A page is reported with the number of periods
 * in which it was logged: once a period at most, and only if it was written. Reads leave no entry. What was logged
 * after the last full period counts as well. Pages become known where the log is drained: when full, or at the period.
 *
 * Memory: the logs, and the dirty bitmap that they are drained into.
 */
import { SWEEP_SIZES, SWEEP_SMALLEST } from '../kernel/abi-machine.js';
import { loggingCycles } from '../machine/costs.js';
import { DirtyLogs, TablePages } from './dirtyLog.js';
import { bitmapBytes } from './memory.js';
import { Refills } from './pageFlags.js';
import { periodParameter } from './parameters.js';
import {
  type FlagEvent,
  type Observation,
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

const sweepSizes = Array.from({ length: SWEEP_SIZES }, (_, i) => SWEEP_SMALLEST << i);

class PmlTracker implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  /** The configured size first, then the sweep's. */
  readonly #logs: DirtyLogs;
  readonly #tables: TablePages;
  readonly #refills: Refills;
  #accessedInPeriod = 0;
  #timerExits = 0;

  constructor(context: TrackerContext, seconds: number) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    const readings = context.readings('writes');
    this.#logs = new DirtyLogs([context.pmlEntries, ...sweepSizes], page => readings.write(page));
    this.#tables = new TablePages(context);
    this.#refills = new Refills(context);
    context.arm({ access: true, write: true });
  }

  onFlag(event: Readonly<FlagEvent>): void {
    if (event.accessed) {
      this.#accessedInPeriod++;
      this.#tables.walk(event, this.#logs);
    }
    this.#logs.update(event.vcpu, event.dirty, event.page);
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#endPeriod();
    this.#tables.clear();
    this.#context.arm({ access: true, write: true });
    this.#timerExits += this.#context.liveVcpus();
  }

  #endPeriod(): void {
    this.#logs.drain();
    this.#refills.endPeriod(this.#accessedInPeriod);
    this.#accessedInPeriod = 0;
  }

  finish(ns: number): Observation {
    this.#endPeriod();
    const { entries, updates, full } = this.#logs;
    const [logFullExits, ...sweep] = full;
    const { costs, cyclesPerNs } = this.#context;
    const cycles =
      loggingCycles(costs, { updates, logged: entries, full: logFullExits }) +
      this.#timerExits * costs.exitEntryCycles +
      this.#refills.total * costs.refillCycles;
    const own: Record<string, number> = {
      logEntries: entries,
      tablePageEntries: this.#tables.logged,
      logFullExits,
    };
    for (const [i, size] of sweepSizes.entries()) own[`logFullExitsAt${size}Entries`] = sweep[i];
    return {
      vmExits: logFullExits + this.#timerExits,
      // Each entry is drained, and its page's flag cleared.
      costNs: cycles / cyclesPerNs + entries * (costs.pmlDrainNsPerEntry + costs.scanNsPerPage),
      memoryBytes: this.#logs.memoryBytes + bitmapBytes(this.#context.pages()),
      periods: this.#timer.completed,
      own,
      warnings: tooShort(this.#timer, ns),
    };
  }
}
