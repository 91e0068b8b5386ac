/**
 * Trackers that take a permission from every page each period and are told by the EPT violation (exit reason 48) of the
 * first access that needs it; the handler gives the permission back, so that the rest of the period runs free.
 *
 * - Write protection, as KVM logs dirty pages without PML: pages written in each period. Reads pass unseen.
 * - Present-bit invalidation (mechanisms.md, B.4: of every page each second up to 96.22 % slowdown with 1 GiB): pages
 *   accessed in each period, as read or written by the access that trapped; a write behind a first read is not seen.
 *
 * Memory: a bit a page for what trapped in the period, and one for reads where these trap.
 */
import * as l10n from '../model/l10n.js';
import { bitmapBytes } from './memory.js';
import { Refills } from './pageFlags.js';
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

const parameters = { periodSeconds: periodParameter(1, 'B.4: present bits of every page each second') };
const needs = l10n.kept('a virtual machine with nested paging (any EPT or NPT), and hypervisor privilege');

export const writeProtection = tracker({
  label: 'Write protection',
  summary: 'pages written in each period, from the traps of write-protected pages; no reads, no counts',
  needs,
  parameters,
  create: context => new PageTraps(context, context.parameters.periodSeconds, { write: true }),
});

export const presentBit = tracker({
  label: 'Present-bit invalidation',
  summary: 'pages accessed in each period, read or written as their first access, from traps of absent pages',
  needs,
  parameters,
  create: context => new PageTraps(context, context.parameters.periodSeconds, { access: true }),
});

class PageTraps implements Tracker {
  readonly #context: TrackerContext;
  readonly #timer: Timer;
  readonly #arms: TrackerArms;
  readonly #refills: Refills;
  readonly #readings: Readings;
  #traps = 0;
  #trapsInPeriod = 0;
  #timerExits = 0;
  #changed = 0;
  #mapped = 0;

  constructor(context: TrackerContext, seconds: number, arms: TrackerArms) {
    this.#context = context;
    this.#timer = new Timer(seconds, context.timeScale);
    this.#arms = arms;
    this.#refills = new Refills(context);
    this.#readings = context.readings(arms.access ? 'both' : 'writes');
    context.arm(arms);
  }

  onFlag({ page, write }: Readonly<FlagEvent>): void {
    this.#traps++;
    this.#trapsInPeriod++;
    if (write) this.#readings.write(page);
    else this.#readings.read(page);
    this.#mapped = Math.max(this.#mapped, page + 1);
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    this.#endPeriod();
    this.#changed += this.#mapped;
    this.#timerExits += this.#context.liveVcpus();
    this.#context.arm(this.#arms);
  }

  #endPeriod(): void {
    this.#refills.endPeriod(this.#trapsInPeriod);
    this.#trapsInPeriod = 0;
  }

  finish(ns: number): Observation {
    this.#endPeriod();
    const { costs, cyclesPerNs } = this.#context;
    const cycles =
      this.#traps * (costs.exitEntryCycles + costs.eptViolationHandlerCycles) +
      this.#timerExits * costs.exitEntryCycles +
      this.#refills.total * costs.refillCycles;
    return {
      vmExits: this.#traps + this.#timerExits,
      costNs: cycles / cyclesPerNs + this.#changed * costs.scanNsPerPage,
      memoryBytes: (this.#arms.access ? 2 : 1) * bitmapBytes(this.#context.pages()),
      periods: this.#timer.completed,
      own: { traps: this.#traps, permissionsTaken: this.#changed },
      warnings: tooShort(this.#timer, ns),
    };
  }
}
