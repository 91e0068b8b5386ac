/**
 * Generated runs of two processes and three threads that write, read and unmap pages of 4 KiB or 2 MiB, through the real
 * machine and the real trackers, and what plain models of the mechanisms share: each is told every access and when the
 * clock is read.
 */
import fc from 'fast-check';
import { EVENT_UNMAP } from '../../core/kernel/abi.js';
import {
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L1D_SETS,
  P_L1D_WAYS,
  P_L2_SETS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_L2_WAYS,
  P_LLC_SETS,
  P_LLC_WAYS,
  P_NESTED_TLB_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import { costsOf } from '../../core/machine/costs.js';
import { countedReplay } from '../../core/machine/results.js';
import { TrackerRun, trackerResults } from '../../core/tracking/run.js';
import { addSamplers, samplersOf } from '../../core/tracking/samples.js';
import { trackers } from '../../core/tracking/trackers.js';
import { Emulated } from '../machine/emulated.js';
import { NaiveCaches } from '../machine/naiveCaches.js';

/** Process of each vCPU. */
export const PROCESSES = [0, 0, 1];
export const LOG_ENTRIES = 4;
/** A tracker's second is so many modelled ns. */
export const SECOND_NS = 1000;
const TLB_WAYS = 3;
const BASE = 0x10_0000_0000;
/** One set a level, so that it does not matter where lines lie: lines of L1D, L2, LLC. */
const CACHE_LINES = [2, 3, 6] as const;
const LINES = 4;

export type Step =
  | {
      readonly kind: 'access';
      readonly vcpu: number;
      readonly page: number;
      readonly line: number;
      readonly write: boolean;
    }
  | { readonly kind: 'unmap'; readonly process: number; readonly page: number; readonly pages: number }
  | { readonly kind: 'clock' };

/** Runs over so many pages of each process, with up to so many steps. */
export function stepsOver(pages: number, maxLength: number): fc.Arbitrary<Step[]> {
  const page = fc.nat({ max: pages - 1 });
  const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('access' as const),
        vcpu: fc.nat({ max: PROCESSES.length - 1 }),
        page,
        line: fc.nat({ max: LINES - 1 }),
        write: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('unmap' as const),
        process: fc.nat({ max: 1 }),
        page,
        pages: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ kind: 'clock' as const }) },
  );
  // Arms are set anew when the trackers are next heard, so that the clock is read behind each unmapping.
  return fc
    .array(step, { minLength: 20, maxLength, size: 'max' })
    .map(run => run.flatMap((what): Step[] => (what.kind === 'unmap' ? [what, { kind: 'clock' }] : [what])));
}

/** Readings by `process page`: [reads, writes]; those of nothing left out. */
export type Told = Record<string, readonly [number, number]>;

export interface Outcome {
  readonly told: Record<string, Told>;
  readonly own: Record<string, Readonly<Record<string, number>>>;
  /** Modelled ns at each reading of the clock. */
  readonly times: readonly number[];
}

export function replayed(
  ids: readonly string[],
  run: readonly Step[],
  pageSize: 4096 | 2097152,
  parameters: Readonly<Record<string, number>>,
): Outcome {
  const [l1d, l2, llc] = CACHE_LINES;
  const overrides = {
    [P_L1_TLB_SETS]: 1,
    [P_L1_TLB_WAYS]: TLB_WAYS,
    [P_L2_TLB_SETS]: 1,
    [P_L2_TLB_WAYS]: 0,
    [P_NESTED_TLB_ENTRIES]: 0,
    [P_L1D_SETS]: 1,
    [P_L1D_WAYS]: l1d,
    [P_L2_SETS]: 1,
    [P_L2_WAYS]: l2,
    [P_LLC_SETS]: 1,
    [P_LLC_WAYS]: llc,
  };
  const e = new Emulated({ pageSize }, overrides, PROCESSES);
  addSamplers(
    e.kernel.exports,
    samplersOf(trackers, ids, parameters).filter(({ level }) => level === 0),
  );
  const trackerRun = new TrackerRun(e.inspect, ids, {
    parameters,
    costs: costsOf('skylake'),
    pageSize,
    pmlEntries: LOG_ENTRIES,
    cyclesPerNs: 4,
    timeScale: 1e9 / SECOND_NS,
    tlbEntries: TLB_WAYS,
  });
  let streams = 0;
  const times: number[] = [];
  for (const what of run) {
    if (what.kind === 'clock') {
      trackerRun.quantum();
      times.push(e.machine.modelledNs());
    } else if (what.kind === 'access')
      e.replay([{ vcpu: what.vcpu, address: BASE + what.page * pageSize + what.line * 64, write: what.write }]);
    else {
      // A stream of its own for each event, so that its fields are differences to nothing (docs/trace-records.md).
      const stream = e.kernel.createStream(what.process, PROCESSES.indexOf(what.process), streams++);
      const fields = [2 * (BASE + what.page * pageSize), 2 * what.pages * pageSize];
      e.kernel.feed(stream, Uint8Array.from([0xf9, 0, EVENT_UNMAP, 0, ...fields.flatMap(varint)]));
      e.kernel.run(stream, 1n << 40n);
      e.kernel.flush();
    }
  }
  const { pages, rowOfPage, epochs } = countedReplay(e.kernel, e.finish());
  const { reads, writes } = pages;
  const results = trackerResults(trackerRun.finish(), { reads, writes, rowOfPage, busyNs: 1, epochs: epochs.count });
  const told = Object.fromEntries(
    results.map(({ id, pageReads, pageWrites }) => {
      const rows = Array.from({ length: pages.count }, (_, row) => [
        `${pages.process[row]} ${pages.number[row] - BASE / pageSize}`,
        [pageReads?.[row] ?? 0, pageWrites?.[row] ?? 0],
      ]);
      return [id, Object.fromEntries(rows.filter(([, [r, w]]) => Number(r) + Number(w) > 0))];
    }),
  );
  return { told, own: Object.fromEntries(results.map(({ id, own }) => [id, own])), times };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** An access and what the machine did for it. */
export interface Seen {
  /** `process page`. */
  readonly key: string;
  readonly process: number;
  readonly page: number;
  readonly vcpu: number;
  readonly write: boolean;
  /** The TLB missed, or a write hit an entry that does not know of the dirty flag. */
  readonly walks: boolean;
  /** What served it: 0 L1D, 1 L2, 2 LLC, 3 memory. */
  readonly served: number;
  /** Lines that memory then served, and whether they were written back, by page; `order` in which pages were first touched. */
  readonly memory: readonly { readonly key: string; readonly order: number; readonly back: boolean }[];
}

/** What a mechanism is told of the run, by its definition. */
export abstract class Reference {
  readonly #told = new Map<string, [number, number]>();
  /** Figures of its own, by the names of the report. */
  readonly own: Record<string, number> = {};

  protected tell(key: string, write: boolean, amount = 1): void {
    const readings = this.#told.get(key) ?? [0, 0];
    readings[write ? 1 : 0] += amount;
    this.#told.set(key, readings);
  }

  abstract access(seen: Seen): void;
  unmap(_key: string, _process: number, _page: number): void {}
  /** The clock stands at so many modelled ns. */
  abstract clock(ns: number): void;
  end(): void {}

  get told(): Told {
    return Object.fromEntries(this.#told);
  }
}

/** One level of TLB a vCPU, in LRU order: which accesses walk. */
class Tlbs {
  readonly #entries = PROCESSES.map((): { key: string; dirty: boolean }[] => []);
  readonly #dirty = new Set<string>();

  /** True when the access walks: it misses, or writes to a page that the entry does not know to be dirty. */
  walks(key: string, write: boolean, vcpu: number): boolean {
    const entries = this.#entries[vcpu];
    const at = entries.findIndex(entry => entry.key === key);
    const known = at >= 0 ? entries.splice(at, 1)[0] : null;
    const walk = !known || (write && !known.dirty);
    if (write) this.#dirty.add(key);
    entries.unshift({ key, dirty: walk ? this.#dirty.has(key) : known!.dirty });
    entries.length = Math.min(entries.length, TLB_WAYS);
    return walk;
  }

  unmap(key: string): void {
    this.#dirty.delete(key);
    for (const entries of this.#entries) {
      const at = entries.findIndex(entry => entry.key === key);
      if (at >= 0) entries.splice(at, 1);
    }
  }
}

/** What a reference hears: an access, the pages of an unmapping, or (null) that the clock is read. */
type Heard = Seen | { readonly unmapped: readonly Pick<Seen, 'key' | 'process' | 'page'>[] } | null;

/** The run with what the machine did for each access, by plain TLBs and caches. */
export function heardOf(run: readonly Step[]): Heard[] {
  const tlbs = new Tlbs();
  const shape = CACHE_LINES.map(lines => [1, lines] as const);
  const caches = new NaiveCaches({ l1: shape[0], l2: shape[1], llc: shape[2] }, PROCESSES.length);
  const order: string[] = [];
  return run.map((what): Heard => {
    if (what.kind === 'clock') return null;
    if (what.kind === 'unmap') {
      const { process } = what;
      const unmapped = Array.from({ length: what.pages }, (_, i) => ({ process, page: what.page + i }));
      for (const { page } of unmapped) tlbs.unmap(`${process} ${page}`);
      return { unmapped: unmapped.map(page => ({ ...page, key: `${process} ${page.page}` })) };
    }
    const { vcpu, page, line, write } = what;
    const process = PROCESSES[vcpu];
    const key = `${process} ${page}`;
    if (!order.includes(key)) order.push(key);
    const before = caches.memory.length;
    const served = caches.access(vcpu, order.indexOf(key) * 64 + line, 0, write);
    const memory = caches.memory.slice(before).map(({ line: at, back }) => {
      const of = Math.floor(at / 64);
      return { key: order[of], order: of, back };
    });
    return { key, process, page, vcpu, write, walks: tlbs.walks(key, write, vcpu), served, memory };
  });
}

/** Lets a reference hear the run, with the clock as it stood in the replay. */
export function heardBy<R extends Reference>(reference: R, run: readonly Heard[], times: readonly number[]): R {
  let clocks = 0;
  for (const heard of run) {
    if (heard === null) reference.clock(times[clocks++]);
    else if ('unmapped' in heard)
      for (const { key, process, page } of heard.unmapped) reference.unmap(key, process, page);
    else reference.access(heard);
  }
  reference.end();
  return reference;
}
