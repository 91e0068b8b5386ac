/**
 * PML for reads and writes, the vmmload way (Nguyen et al., "Honey, I Shrunk the Guests", 2025; mechanisms.md, C).
 *
 * Published: one user process in a minimal virtual machine with one guest address space; "read and write statistics"
 * from PML; the pattern metrics. Not published: how reads are logged, as PML logs a data page only when it is written.
 *
 * Inferred here, from what the hardware can do (C, alternative 2): a walk through a guest table writes to the table's page
 * (its accessed flag), so that page's EPT D flag goes 0 to 1 and it is logged for reads as well. Each period the VMM
 * drains the log; of every leaf table in it, it reads the 512 guest entries: accessed but clean is a read, dirty a
 * write. Then it clears both kinds of flags and flushes. Tables that no walk came through are not read at all.
 * A page counts once a period as read or as written; what was logged after the last full period counts as well.
 *
 * Memory: the logs, and a bit a page for reads and one for writes.
 */
import { loggingCycles } from '../machine/costs.js';
import { DirtyLogs, TablePages } from './dirtyLog.js';
import { bitmapBytes } from './memory.js';
import { ACCESSED, DIRTY, PageFlags, Refills } from './pageFlags.js';
import { periodParameter } from './parameters.js';
import type { Readings } from './readings.js';
import {
  type FlagEvent,
  type Observation,
  Timer,
  type Tracker,
  type TrackerContext,
  tooShort,
  tracker,
} from './tracker.js';

const ENTRIES_OF_TABLE = 512;

export const pmlReadWrite = tracker({
  label: 'PML, reads and writes',
  summary: 'pages read and pages written in each period: the log says which page tables were walked, their entries how',
  needs: 'Intel VT-x with EPT A/D flags and PML, and a minimal hypervisor that owns the guest page tables (vmmload)',
  parameters: { periodSeconds: periodParameter(1, 'as for PML; the period of vmmload is not published') },
  create: context => new PmlReadWrite(context, context.parameters.periodSeconds),
});

class PmlReadWrite implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  readonly #logs: DirtyLogs;
  readonly #tables: TablePages;
  readonly #flags = new PageFlags();
  readonly #refills: Refills;
  readonly #readings: Readings;
  /** Leaf tables, by process and number: all so far, and those walked through in this period. */
  readonly #known = new Set<number>();
  readonly #walked = new Set<number>();
  #scanned = 0;
  #timerExits = 0;

  constructor(context: TrackerContext, seconds: number) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    this.#logs = new DirtyLogs([context.pmlEntries]);
    this.#tables = new TablePages(context);
    this.#refills = new Refills(context);
    this.#readings = context.readings('both');
    context.arm({ access: true, write: true });
  }

  onFlag(event: Readonly<FlagEvent>): void {
    if (event.accessed) {
      this.#tables.walk(event, this.#logs);
      this.#walked.add(this.#context.processOf(event.vcpu) * 2 ** 32 + event.table);
    }
    this.#logs.update(event.vcpu, event.dirty);
    this.#flags.set(event.page, (event.accessed ? ACCESSED : 0) | (event.dirty ? DIRTY : 0));
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#read();
    this.#context.arm({ access: true, write: true });
    this.#timerExits += this.#context.liveVcpus();
  }

  #read(): void {
    this.#refills.endPeriod(this.#flags.count);
    this.#logs.drain();
    this.#tables.clear();
    this.#flags.take((page, flags) => (flags & DIRTY ? this.#readings.write(page) : this.#readings.read(page)));
    for (const table of this.#walked) this.#known.add(table);
    // Large pages: all tables lie in one EPT page, and its entry in the log does not say which was walked.
    const scanned = this.#context.pageSize === 4096 ? this.#walked : this.#known;
    this.#scanned += scanned.size * ENTRIES_OF_TABLE;
    this.#walked.clear();
  }

  finish(ns: number): Observation {
    this.#read();
    const { entries, updates, full } = this.#logs;
    const { costs, cyclesPerNs } = this.#context;
    const cycles =
      loggingCycles(costs, { updates, logged: entries, full: full[0] }) +
      this.#timerExits * costs.exitEntryCycles +
      this.#refills.total * costs.refillCycles;
    return {
      vmExits: full[0] + this.#timerExits,
      costNs: cycles / cyclesPerNs + entries * costs.pmlDrainNsPerEntry + this.#scanned * costs.scanNsPerPage,
      memoryBytes: this.#logs.memoryBytes + 2 * bitmapBytes(this.#context.pages()),
      periods: this.#timer.completed,
      own: {
        logEntries: entries,
        tablePageEntries: this.#tables.logged,
        logFullExits: full[0],
        scannedEntries: this.#scanned,
      },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
