/**
 * NeoProf (Zhou et al., NeoMem, arXiv 2403.18702; mechanisms.md, J): the memory device counts the pages of all accesses
 * that reach it in a count-min sketch. A page whose estimate reaches the threshold goes into the hot buffer, once until
 * the sketch is cleared; the host empties the buffer every 10 ms. What finds it full comes again with its next access.
 *
 * The threshold adapts every second: the host reads a histogram of the counters in 64 bins and sets it so that a share p
 * of them is above it, where p <- p (1 + B)^alpha / (1 + P)^beta between its bounds: B the use of the device's bandwidth
 * since the last update, P the share of pages that went to and fro. Before the first update nothing is reported. A
 * tracker migrates nothing: P is 0, and the quota of migration (256 MB/s) limits nothing.
 *
 * Published are the constants; inferred are the bins (of equal width up to the greatest counter of one row), that p is a
 * share of all counters of a row, and alpha. All memory of the run is taken to be on the device. It gets fills and
 * write-backs, does not tell them apart, and never hears of what caches serve. The sketch overcounts where pages share
 * counters, never undercounts.
 *
 * A page's reading is how often it was reported, known when the host empties the buffer; it stands as reads. What is in the
 * buffer at the end of the run is read then.
 *
 * Memory, on the device: the sketch and the hot buffer.
 */
import { CountMinSketch } from './countMin.js';
import { periodParameter } from './parameters.js';
import { seedOf } from './random.js';
import type { Readings } from './readings.js';
import { type Observation, Timer, type Tracker, type TrackerContext, tooShort, tracker } from './tracker.js';

const whole = (summary: string, unit: string, value: number, maximum: number, source: string) => ({
  summary,
  unit,
  default: value,
  minimum: 1,
  maximum,
  whole: true,
  source,
});
const percent = (summary: string, value: number, source: string) => ({
  summary,
  unit: '% of the counters of a row',
  default: value,
  minimum: 1e-6,
  maximum: 100,
  source,
});

const parameters = {
  width: whole('counters of a row of the sketch (W)', 'counters of 16 bits', 524_288, 2 ** 26, 'J: W = 512K'),
  rows: whole('rows of the sketch (D)', 'rows', 2, 16, 'J: D = 2'),
  bufferEntries: whole('pages that the hot buffer holds', 'pages of 8 bytes', 16_384, 2 ** 24, 'J: hot buffer 16 K'),
  clearSeconds: periodParameter(5, 'J: sketch cleared every 5 s'),
  thresholdSeconds: periodParameter(1, 'J: threshold update every 1 s'),
  readSeconds: periodParameter(0.01, 'J: migration every 10 ms'),
  firstPercent: percent('p at first', 0.1, 'J: p init 0.1 %'),
  leastPercent: percent('least p', 0.01, 'J: 0.01-1.56 %'),
  mostPercent: percent('greatest p', 1.56, 'J: 0.01-1.56 %'),
  alpha: {
    summary: 'how much the use of the bandwidth raises p',
    unit: 'exponent',
    default: 1,
    minimum: 0,
    maximum: 16,
    source: 'assumption [U]; J has the formula without it',
  },
  deviceGBps: {
    summary: 'bandwidth of the device',
    unit: 'GB/s',
    default: 24,
    minimum: 0.1,
    maximum: 10_000,
    source: 'I.1: CXL-A [P Melody]',
  },
} as const;

type Values = { readonly [Name in keyof typeof parameters]: number };

export const neoprof = tracker({
  label: 'NeoProf',
  summary: 'the pages with most accesses to memory, from a sketch in the memory device; nothing that caches serve',
  needs: 'memory behind a CXL device with NeoProf (an FPGA prototype), and its kernel patches',
  parameters,
  create: context => new NeoProf(context, context.parameters),
});

const BINS = 64;
const ENTRY_BYTES = 8;
const LINE_BYTES = 64;

class NeoProf implements Tracker {
  readonly #context: TrackerContext;
  readonly #parameters: Values;
  readonly #clearing: Timer;
  readonly #updating: Timer;
  readonly #reading: Timer;
  readonly #linesInPage: number;
  readonly #sketch: CountMinSketch;
  /** Reported since the sketch was cleared. */
  readonly #reported = new Set<number>();
  readonly #readings: Readings;
  /** Pages in the hot buffer. */
  #buffer: number[] = [];
  #threshold = Number.POSITIVE_INFINITY;
  #percent: number;
  #updatedAt = 0;
  #linesSinceUpdate = 0;
  #lines = 0;
  #hot = 0;
  #full = 0;

  constructor(context: TrackerContext, parameters: Values) {
    this.#context = context;
    this.#parameters = parameters;
    this.#clearing = new Timer(parameters.clearSeconds, context.timeScale);
    this.#updating = new Timer(parameters.thresholdSeconds, context.timeScale);
    this.#reading = new Timer(parameters.readSeconds, context.timeScale);
    this.#linesInPage = context.pageSize / LINE_BYTES;
    const seeds = Array.from({ length: parameters.rows }, (_, row) => seedOf(`neoprof ${row}`));
    this.#sketch = new CountMinSketch(parameters.width, seeds);
    this.#percent = parameters.firstPercent;
    this.#readings = context.readings('reads');
  }

  onLines(lines: Uint32Array): void {
    for (let at = 0; at < lines.length; at += 2) {
      const page = Math.floor(lines[at] / this.#linesInPage);
      if (this.#sketch.add(page) >= this.#threshold && !this.#reported.has(page)) this.#report(page);
    }
    this.#linesSinceUpdate += lines.length / 2;
    this.#lines += lines.length / 2;
  }

  #report(page: number): void {
    if (this.#buffer.length === this.#parameters.bufferEntries) {
      this.#full++;
      return;
    }
    this.#buffer.push(page);
    this.#hot++;
    this.#reported.add(page);
  }

  onTime(ns: number): void {
    if (this.#reading.due(ns)) this.#emptyBuffer();
    if (this.#updating.due(ns)) this.#update(ns);
    if (this.#clearing.due(ns)) {
      this.#sketch.clear();
      this.#reported.clear();
    }
  }

  #emptyBuffer(): void {
    for (const page of this.#buffer) this.#readings.read(page);
    this.#buffer = [];
  }

  #update(ns: number): void {
    const { alpha, deviceGBps, leastPercent, mostPercent } = this.#parameters;
    // GB/s are bytes per ns.
    const use = Math.min(1, (this.#linesSinceUpdate * LINE_BYTES) / ((ns - this.#updatedAt) * deviceGBps));
    this.#percent = Math.min(mostPercent, Math.max(leastPercent, this.#percent * (1 + use) ** alpha));
    this.#threshold = thresholdFor(this.#percent / 100, this.#sketch.histogram(BINS), this.#sketch.width);
    this.#updatedAt = ns;
    this.#linesSinceUpdate = 0;
  }

  finish(ns: number): Observation {
    this.#emptyBuffer();
    return {
      vmExits: 0,
      costNs: (this.#hot + this.#updating.completed * BINS) * this.#context.costs.deviceReadNs,
      memoryBytes: this.#sketch.bytes + this.#parameters.bufferEntries * ENTRY_BYTES,
      periods: this.#updating.completed,
      own: {
        countedLines: this.#lines,
        hotReports: this.#hot,
        refusedByFullBuffer: this.#full,
        hotPercent: this.#percent,
        ...(Number.isFinite(this.#threshold) && { thresholdLines: this.#threshold }),
      },
      warnings: tooShort(this.#updating, ns),
    };
  }
}

/**
 * The lower end of the lowest bin in use down to which at most `share` of the counters lie, but at least that of the
 * highest bin in use, and at least 1.
 */
export function thresholdFor(
  share: number,
  { counters, binWidth }: { readonly counters: Uint32Array; readonly binWidth: number },
  width: number,
): number {
  let lowest = -1;
  let above = 0;
  for (let bin = counters.length - 1; bin >= 0; bin--) {
    if (counters[bin] === 0) continue;
    above += counters[bin];
    if (lowest >= 0 && above > share * width) break;
    lowest = bin;
  }
  return Math.max(1, lowest * binWidth);
}
