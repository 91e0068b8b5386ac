/**
 * ESX statistical sampling (Waldspurger, OSDI 2002; mechanisms.md, E.1): each period the hypervisor draws 100 random
 * pages of the virtual machine's memory, takes their translations away, and counts how many are touched: t. The share
 * f = t / n of the memory is active. Of three moving averages, a slow one, a fast one, and the fast one with the running
 * period in it, the greatest is used, so that growth shows at once and shrinking slowly.
 *
 * It says how much memory is active, not which: it has no page columns, and so no scores. The standard deviation of f is
 * sqrt(f (1 - f) / n), at most 0.05 for n = 100; the interval is Wilson's for 95 %, which holds for shares near 0 and 1
 * too. The estimate can never be above the allocation.
 *
 * Memory: the numbers of the drawn pages, 8 bytes each.
 */
import { wilson } from '../model/intervals.js';
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

const gain = (summary: string, value: number) => ({
  summary,
  unit: 'weight of the newest period, of 1',
  default: value,
  minimum: 0.001,
  maximum: 1,
  source: 'assumption: the gains are not published (E.1 [U])',
});

const parameters = {
  periodSeconds: periodParameter(30, 'E.1: 30 s of the VM; later versions 60 s'),
  samples: {
    summary: 'pages drawn each period',
    unit: 'pages',
    default: 100,
    minimum: 1,
    maximum: 1e6,
    whole: true,
    source: 'E.1: n = 100',
  },
  slowGain: gain('gain of the slow average', 0.1),
  fastGain: gain('gain of the fast averages', 0.5),
  allocationMiB: {
    summary: "the virtual machine's memory; 0: what the program has touched by then",
    unit: 'MiB',
    default: 0,
    minimum: 0,
    maximum: 1 << 20,
    source: 'pages are drawn from the allocation (E.1); the recorded program has none of its own',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const esxSampling = tracker({
  label: 'ESX sampling',
  summary: 'how much memory is active, from 100 random pages a period; not which pages',
  needs: 'a hypervisor that can take away single translations (any), and its privilege',
  parameters,
  create: context => new EsxSampling(context, context.parameters),
});

class EsxSampling implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #timer: Timer;
  readonly #drawn = new Set<number>();
  readonly #touched = new Set<number>();
  #allocation = 0;
  #slow: number | null = null;
  #fast: number | null = null;
  /** The last full period. */
  #last = { touched: 0, drawn: 0, pages: 0 };
  #sumOfShares = 0;
  #periodsDrawn = 0;
  #traps = 0;
  #invalidated = 0;
  #exits = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#timer = new Timer(parameters.periodSeconds, context.timeScale);
    this.#draw();
  }

  /** Draws pages without repetition; page numbers are guest-physical frames, in the order of first touch. */
  #draw(): void {
    const { allocationMiB, samples } = this.#parameters;
    const { pageSize } = this.#context;
    this.#allocation = allocationMiB > 0 ? Math.floor((allocationMiB * 2 ** 20) / pageSize) : this.#context.pages();
    const wanted = Math.min(samples, this.#allocation);
    while (this.#drawn.size < wanted) this.#drawn.add(this.#context.random(this.#allocation));
    if (wanted === 0) return;
    this.#context.arm({ access: true }, [...this.#drawn]);
    this.#invalidated += wanted;
    this.#exits += this.#context.liveVcpus();
  }

  onFlag({ page }: Readonly<FlagEvent>): void {
    this.#traps++;
    this.#touched.add(page);
  }

  onTime(ns: number): void {
    if (!this.#timer.due(ns)) return;
    if (this.#drawn.size > 0) {
      const share = this.#touched.size / this.#drawn.size;
      const { slowGain, fastGain } = this.#parameters;
      this.#slow = average(this.#slow, share, slowGain);
      this.#fast = average(this.#fast, share, fastGain);
      this.#sumOfShares += share;
      this.#periodsDrawn++;
      this.#last = { touched: this.#touched.size, drawn: this.#drawn.size, pages: this.#allocation };
      this.#context.disarm({ access: true }, [...this.#drawn]);
    }
    this.#drawn.clear();
    this.#touched.clear();
    this.#draw();
  }

  /** The greatest of the three averages, 0 to 1. */
  #active(): number {
    const running = this.#drawn.size > 0 ? this.#touched.size / this.#drawn.size : 0;
    const withRunning = average(this.#fast, running, this.#parameters.fastGain);
    return Math.max(this.#slow ?? 0, this.#fast ?? 0, withRunning);
  }

  finish(ns: number): Observation {
    const { costs, cyclesPerNs } = this.#context;
    const { touched, drawn, pages } = this.#last;
    const { low, high } = wilson(touched, drawn);
    const cycles =
      this.#traps * (costs.exitEntryCycles + costs.eptViolationHandlerCycles) + this.#exits * costs.exitEntryCycles;
    return {
      vmExits: this.#traps + this.#exits,
      costNs: cycles / cyclesPerNs + this.#invalidated * costs.scanNsPerPage,
      memoryBytes: 8 * Math.min(this.#parameters.samples, this.#allocation),
      periods: this.#timer.completed,
      own: {
        sampledPages: this.#invalidated,
        allocationPages: this.#allocation,
        activePages: this.#active() * this.#allocation,
        meanActiveShare: this.#periodsDrawn > 0 ? this.#sumOfShares / this.#periodsDrawn : 0,
        lastPeriodActivePages: drawn > 0 ? (touched / drawn) * pages : 0,
        lastPeriodActivePagesLow95: low * pages,
        lastPeriodActivePagesHigh95: high * pages,
      },
      warnings: tooShort(this.#timer, ns),
    };
  }
}

/** The exponentially weighted moving average with a new value in it; null: there was none before. */
function average(before: number | null, value: number, weight: number): number {
  return before === null ? value : before + weight * (value - before);
}
