/**
 * PML for guest processes: Out of Hypervisor (Bitchebe and Tchana, SC 2022; mechanisms.md, B.6).
 *
 * - SPML, in software: the guest asks by hypercalls; the processor logs guest-physical addresses into the hypervisor's
 *   buffer, a full one exits, and its entries are copied to a ring that the tracking process reads. That process must find
 *   the virtual address of each page (reverse mapping), which takes it most of its time.
 * - EPML, a processor extension: the virtual address is logged as well, into a buffer that the guest owns. A full buffer
 *   interrupts the guest, without an exit; nothing needs to be mapped back.
 *
 * Both collect the pages that the process wrote, each once a period, of its data pages alone: what holds page tables has
 * no virtual address in the process. The tracking process runs beside the tracked one: its time is told
 * (`trackerMs`), and is not in the overhead.
 *
 * Memory: the logs, and the ring, which holds what is logged between two collections.
 */
import { loggingCycles } from '../machine/costs.js';
import { DirtyLogs, TablePages } from './dirtyLog.js';
import { LOG_ENTRY_BYTES } from './memory.js';
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

const parameters = {
  periodSeconds: periodParameter(1, 'as for PML; the users (CRIU, Boehm) collect when they need to'),
};

export const spml = tracker({
  label: 'SPML (OoH)',
  summary: 'pages that the process wrote in each period, from PML by hypercalls and reverse mapping',
  needs: 'Intel VT-x with PML, a hypervisor and a guest kernel with the OoH patches',
  parameters,
  create: context => new GuestLog(context, context.parameters.periodSeconds, false),
});

export const epml = tracker({
  label: 'EPML (OoH)',
  summary: 'pages that the process wrote in each period, logged by the processor into a buffer of the guest',
  needs: 'a processor with the EPML extension (simulated only), and a guest kernel with the OoH patches',
  parameters,
  create: context => new GuestLog(context, context.parameters.periodSeconds, true),
});

/** Hypercalls a period: logging is switched off to collect, then on again. */
const HYPERCALLS_A_PERIOD = 2;

class GuestLog implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  /** It logs virtual addresses, for the guest. */
  readonly #extended: boolean;
  readonly #logs: DirtyLogs;
  readonly #tables: TablePages;
  readonly #refills: Refills;
  #accessedInPeriod = 0;
  #dataEntries = 0;
  /** Of the period, and of the one with most. */
  #inRing = 0;
  #mostInRing = 0;
  #collections = 0;

  constructor(context: TrackerContext, seconds: number, extended: boolean) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    this.#extended = extended;
    const readings = context.readings('writes');
    this.#logs = new DirtyLogs([context.pmlEntries], page => readings.write(page));
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
    if (!event.dirty) return;
    this.#dataEntries++;
    this.#inRing++;
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#collect();
    this.#context.arm({ access: true, write: true });
  }

  #collect(): void {
    this.#logs.drain();
    this.#tables.clear();
    this.#collections++;
    this.#mostInRing = Math.max(this.#mostInRing, this.#inRing);
    this.#inRing = 0;
    this.#refills.endPeriod(this.#accessedInPeriod);
    this.#accessedInPeriod = 0;
  }

  finish(ns: number): Observation {
    this.#collect();
    const { costs, cyclesPerNs } = this.#context;
    const { entries, updates } = this.#logs;
    const [full] = this.#logs.full;
    const hypercalls = this.#extended ? 0 : this.#collections * HYPERCALLS_A_PERIOD;
    const cycles =
      loggingCycles(costs, { updates, logged: entries, full: this.#extended ? 0 : full }) +
      // A guest's interrupt enters and leaves its kernel as a system call does.
      (this.#extended ? full * costs.systemCallCycles : 0) +
      this.#refills.total * costs.refillCycles;
    const mapped = this.#extended ? 0 : this.#dataEntries;
    return {
      vmExits: this.#extended ? 0 : full + hypercalls,
      costNs: cycles / cyclesPerNs + entries * costs.ringCopyNsPerEntry + hypercalls * costs.hypercallNs,
      memoryBytes: this.#logs.memoryBytes + this.#mostInRing * LOG_ENTRY_BYTES,
      periods: this.#timer.completed,
      own: {
        logEntries: entries,
        fullBuffers: full,
        hypercalls,
        reverseMappedPages: mapped,
        trackerMs: (mapped * costs.reverseMapNsPerPage + this.#dataEntries * costs.ringCopyNsPerEntry) / 1e6,
      },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
