/**
 * Page Reference Logging (Bitchebe et al., VEE 2021; mechanisms.md, B.5): a processor extension that logs the
 * guest-physical page of every EPT walk, for reads and writes alike, whatever its flags say. A full buffer does not stop
 * the virtual machine: an interrupt goes to a processor of the host, whose handler adds the buffer to the counters of the
 * virtual machine. Walks that find the handler still running are not logged.
 *
 * Index 0 raises the interrupt and logs nothing, so that a buffer of 512 entries takes 511 addresses. (A.2's walks
 * through page tables are EPT walks too; the authors count those of data pages, and so does this.)
 *
 * Working set, every `sampleSeconds` (the slides' *time*): dist[i] = pages with a count above `tau`. When dist has been
 * the same for `omegaSeconds` it is the working set; the counters begin anew for the next estimate.
 *
 * A page's reading is how often it was logged, known when the handler has its buffer, or when the estimate takes what lies
 * in the buffers (inferred; as does the end of the run). Reads and writes are not told apart and stand as reads.
 *
 * Memory: the buffers, and a counter a page of each virtual machine, whose width is not published: 4 bytes are assumed.
 */
import * as l10n from '../model/l10n.js';
import { logBytes } from './memory.js';
import { periodParameter } from './parameters.js';
import type { Readings } from './readings.js';
import {
  type Interval,
  type Observation,
  PageColumn,
  Timer,
  type Tracker,
  type TrackerContext,
  tooShort,
  tracker,
} from './tracker.js';

const parameters = {
  entries: {
    summary: 'entries of the log; one fewer is logged before the interrupt',
    unit: 'entries of 8 bytes, a vCPU',
    default: 512,
    minimum: 2,
    maximum: 65_536,
    whole: true,
    source: 'B.5: 512, also measured with 1,024',
  },
  tau: {
    summary: 'a page belongs to the working set when it was logged more often',
    unit: 'logged walks',
    default: 50,
    minimum: 0,
    maximum: 1e9,
    whole: true,
    source: 'B.5: τ = 50',
  },
  sampleSeconds: periodParameter(30, 'B.5: µ = 30 s'),
  omegaSeconds: {
    summary: 'how long the number of pages must stay the same',
    unit: 's of modelled time, stretched by --time-scale',
    default: 120,
    minimum: 0,
    maximum: 86_400,
    source: 'B.5: ω = 120 s',
  },
  epsilonPages: {
    summary: 'pages of the guest kernel, added to each estimate (ε)',
    unit: 'pages',
    default: 0,
    minimum: 0,
    maximum: 1e9,
    whole: true,
    source: 'B.5; 0, as the emulated guest has no kernel',
  },
  handlerNs: {
    summary: 'time from the interrupt to the index set back, in which walks are lost',
    unit: 'modelled ns',
    default: 0,
    minimum: 0,
    maximum: 1e9,
    source: 'B.5, table 2: 0.00 to 0.04 addresses lost a full log, less than the time of one walk [D]',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const prl = tracker({
  label: 'Page Reference Logging',
  summary:
    'how often each page was walked to (TLB misses), and the working set that this says; not stopped by full logs',
  needs: 'a processor with the PRL extension (simulated only), and hypervisor privilege',
  parameters,
  create: context => new PageReferenceLog(context, context.parameters),
});

/** Bytes of a page's counter. */
const COUNTER_BYTES = 4;

class PageReferenceLog implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #timer: Timer;
  readonly #readings: Readings;
  /** Counts of the running estimate, and how many pages are above tau. */
  #recent = new PageColumn();
  #above = 0;
  /** Buffers by vCPU: their entries, how many are in use, how many of these were taken, and until when (ns) it is closed. */
  readonly #buffers: Uint32Array[] = [];
  readonly #used: number[] = [];
  readonly #taken: number[] = [];
  readonly #closedUntil: number[] = [];
  /** dist[i] of the running estimate. */
  #dist: number[] = [];
  #logged = 0;
  #lost = 0;
  #full = 0;
  #estimates = 0;
  #lastEstimate = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#timer = new Timer(parameters.sampleSeconds, context.timeScale);
    this.#readings = context.readings('reads');
  }

  onWalks(walks: Uint32Array, { from, to }: Interval): void {
    // Walks are spread evenly over the quantum.
    const step = (2 * (to - from)) / walks.length;
    for (let at = 0, ns = from; at < walks.length; at += 2, ns += step) this.#walk(walks[at], walks[at + 1] >>> 2, ns);
  }

  #walk(page: number, vcpu: number, ns: number): void {
    if (ns < (this.#closedUntil[vcpu] ?? 0)) {
      this.#lost++;
      return;
    }
    const used = this.#used[vcpu] ?? 0;
    if (used === this.#parameters.entries - 1) {
      // Index 0: this walk raises the interrupt.
      this.#full++;
      this.#take(vcpu);
      this.#used[vcpu] = this.#taken[vcpu] = 0;
      this.#closedUntil[vcpu] = ns + this.#parameters.handlerNs;
      return;
    }
    (this.#buffers[vcpu] ??= new Uint32Array(this.#parameters.entries - 1))[used] = page;
    this.#used[vcpu] = used + 1;
    this.#logged++;
  }

  /** Adds to the counters what came into a buffer since. */
  #take(vcpu: number): void {
    const buffer = this.#buffers[vcpu];
    for (let at = this.#taken[vcpu] ?? 0; at < this.#used[vcpu]; at++) {
      const page = buffer[at];
      this.#readings.read(page);
      this.#recent.add(page, 1);
      if (this.#recent.values[page] === this.#parameters.tau + 1) this.#above++;
    }
    this.#taken[vcpu] = this.#used[vcpu];
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    for (const vcpu of this.#buffers.keys()) this.#take(vcpu);
    const { sampleSeconds, omegaSeconds } = this.#parameters;
    const dist = this.#dist;
    dist.push(this.#above);
    const before = dist[dist.length - 1 - Math.ceil(omegaSeconds / sampleSeconds)];
    if (before === undefined || before !== this.#above || this.#above === 0) return;
    this.#estimates++;
    this.#lastEstimate = this.#above;
    this.#dist = [];
    this.#recent = new PageColumn();
    this.#above = 0;
  }

  finish(ns: number): Observation {
    const { costs, cyclesPerNs } = this.#context;
    const { epsilonPages, tau, omegaSeconds } = this.#parameters;
    for (const vcpu of this.#buffers.keys()) this.#take(vcpu);
    const pages = this.#estimates > 0 ? this.#lastEstimate : this.#above;
    return {
      vmExits: 0,
      // The circuit is PML's without the check of the D flag (Td + Tc + Tl); the handler runs on another processor.
      costNs: (this.#logged * (costs.logDecrementCycles + costs.logCompareCycles + costs.logWriteCycles)) / cyclesPerNs,
      memoryBytes:
        this.#buffers.filter(Boolean).length * logBytes(this.#parameters.entries) +
        this.#context.pages() * COUNTER_BYTES,
      periods: this.#timer.completed,
      own: {
        loggedWalks: this.#logged,
        logFullEvents: this.#full,
        lostWalks: this.#lost,
        handlerMs: (this.#logged * costs.pmlDrainNsPerEntry) / 1e6,
        workingSetEstimates: this.#estimates,
        workingSetPages: pages + epsilonPages,
      },
      warnings: [
        ...tooShort(this.#timer, ns),
        ...(this.#estimates > 0
          ? []
          : [
              l10n.kept(
                'no working set yet: the pages logged more than {0} times never stayed as many for {1} s; workingSetPages is the number at the end',
                tau,
                omegaSeconds,
              ),
            ]),
      ],
    };
  }
}
