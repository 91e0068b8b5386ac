/** A tracker driven by hand: its arms, streams and clock are the test's, so that every event is known. */
import { QUANTUM } from '../../core/kernel/abi.js';
import { type CostValues, costsOf } from '../../core/machine/costs.js';
import { valuesOf } from '../../core/tracking/parameters.js';
import { randomOf } from '../../core/tracking/random.js';
import { Readings } from '../../core/tracking/readings.js';
import type { Observation, Tracker, TrackerArms } from '../../core/tracking/tracker.js';
import { trackers } from '../../core/tracking/trackers.js';

export const SECOND = 1e9;
export const costs = costsOf('skylake');

type Arms = Required<TrackerArms>;
const NONE: Arms = { access: false, write: false, walk: false, walkWrite: false };

export interface DrivenOptions {
  /** By name, without the tracker's id. */
  readonly parameters?: Readonly<Record<string, number>>;
  readonly pageSize?: number;
  /** Constants in place of the machine's. */
  readonly costs?: Partial<CostValues>;
  /** Virtual number of each page. */
  readonly pageNumber?: (page: number) => number;
}

export class Driven {
  readonly tracker: Tracker;
  #readings: Readings | null = null;
  /** Lists of pages that the tracker armed, in order. */
  readonly armed: number[][] = [];
  #everyPage: Arms = NONE;
  readonly #pages = new Map<number, Arms>();
  #now = 0;

  constructor(
    id: string,
    { parameters = {}, pageSize = 4096, costs: more = {}, pageNumber = page => page }: DrivenOptions = {},
  ) {
    const kind = trackers[id];
    const given = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`${id}.${name}`, value]));
    this.tracker = kind.create({
      parameters: valuesOf(id, kind.parameters, given),
      readings: told => (this.#readings = new Readings(told, { epochAccesses: QUANTUM })),
      arm: (arms, pages) => this.#set(arms, true, pages),
      disarm: (arms, pages) => this.#set(arms, false, pages),
      pages: () => this.#pages.size,
      pageNumber,
      stackDistances: () => new Float64Array(1),
      random: randomOf(id),
      processOf: vcpu => vcpu,
      liveVcpus: () => 1,
      costs: { ...costs, ...more },
      pageSize,
      pmlEntries: 512,
      cyclesPerNs: 4,
      timeScale: 1,
      tlbEntries: 1536,
    });
  }

  #set(arms: TrackerArms, to: boolean, pages?: ArrayLike<number>): void {
    const change = Object.fromEntries(Object.entries(arms).flatMap(([name, named]) => (named ? [[name, to]] : [])));
    if (pages) this.armed.push(Array.from(pages));
    else this.#everyPage = { ...this.#everyPage, ...change };
    for (const page of pages ? Array.from(pages) : this.#pages.keys())
      this.#pages.set(page, { ...(this.#pages.get(page) ?? this.#everyPage), ...change });
  }

  /** An access, which walks unless told otherwise; each vCPU is a process of its own. */
  touch(page: number, { write = false, walk = true, vcpu = 0 } = {}): void {
    const arms = this.#pages.get(page) ?? this.#everyPage;
    const accessed = arms.access || (walk && arms.walk);
    const dirty = write && (arms.write || (walk && arms.walkWrite));
    this.#pages.set(page, {
      access: false,
      walk: arms.walk && !walk,
      write: arms.write && !write,
      walkWrite: arms.walkWrite && !(write && walk),
    });
    if (accessed || dirty) this.tracker.onFlag?.({ page, vcpu, table: 0, accessed, dirty, write });
  }

  /** A change of mappings in process 0, in pages. */
  map(kind: number, first: number, pages: number): void {
    const words = (n: number) => [n % 2 ** 32, Math.floor(n / 2 ** 32)];
    this.tracker.onMappings?.(Uint32Array.from([kind, 0, ...words(first), ...words(pages)]));
  }

  /** Lines that memory served, each [line, written back]. */
  lines(lines: readonly (readonly [number, boolean])[]): void {
    this.tracker.onLines?.(Uint32Array.from(lines.flatMap(([line, back]) => [line, back ? 1 : 0])), {
      from: this.#now,
      to: this.#now,
    });
  }

  /** Lets the clock stand at this many seconds. */
  at(seconds: number): void {
    this.#now = Math.round(seconds * SECOND);
    this.tracker.onTime(this.#now);
  }

  /** What it saw by now, and its readings of pages. */
  finish(now = this.#now): Observation & { pageReads: Float64Array | null; pageWrites: Float64Array | null } {
    const seen = this.tracker.finish(now);
    const { reads = null, writes = null } = this.#readings?.totals() ?? {};
    return { ...seen, pageReads: reads, pageWrites: writes };
  }
}

/** Pages with a reading: page -> reading. */
export function readings(column: Float64Array | null): Record<number, number> {
  return Object.fromEntries(Array.from(column ?? [], (value, page) => [page, value]).filter(([, value]) => value > 0));
}
