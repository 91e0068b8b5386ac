/**
 * Trackers on generated runs of two processes and three threads that write, read and unmap pages of 4 KiB or 2 MiB, beside
 * plain sets of pages: what each mechanism's definition says of every access, unmapping and reading of the flags.
 *
 * Periods are so short that each reading of the clock ends one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EVENT_UNMAP } from '../../core/kernel/abi.js';
import {
  P_L1_TLB_SETS,
  P_L1_TLB_WAYS,
  P_L2_TLB_SETS,
  P_L2_TLB_WAYS,
  P_NESTED_TLB_ENTRIES,
} from '../../core/kernel/abi-machine.js';
import { costsOf } from '../../core/machine/costs.js';
import { countedReplay } from '../../core/machine/results.js';
import { TrackerRun, trackerResults } from '../../core/tracking/run.js';
import { trackers } from '../../core/tracking/trackers.js';
import { Emulated } from '../machine/emulated.js';

/** Process of each vCPU. */
const PROCESSES = [0, 0, 1];
const PAGES = 10;
const TLB_WAYS = 3;
const BASE = 0x10_0000_0000;
const LOG_ENTRIES = 4;

type Step =
  | { readonly kind: 'access'; readonly vcpu: number; readonly page: number; readonly write: boolean }
  | { readonly kind: 'unmap'; readonly process: number; readonly page: number; readonly pages: number }
  | { readonly kind: 'clock' };

const page = fc.nat({ max: PAGES - 1 });
const step = fc.oneof<fc.WeightedArbitrary<Step>[]>(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      vcpu: fc.nat({ max: PROCESSES.length - 1 }),
      page,
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
/** Arms are set anew when the trackers are next heard, so that the clock is read behind each unmapping. */
const steps = fc
  .array(step, { minLength: 20, maxLength: 200, size: 'max' })
  .map(run => run.flatMap((what): Step[] => (what.kind === 'unmap' ? [what, { kind: 'clock' }] : [what])));

/** Readings by `process page`: [reads, writes]; those of nothing left out. */
type Told = Record<string, readonly [number, number]>;

interface Outcome {
  readonly told: Record<string, Told>;
  /** For each reading of the clock whether it had gone on: a thread behind the others does not move it. */
  readonly moved: readonly boolean[];
}

function replayed(ids: readonly string[], run: readonly Step[], pageSize: 4096 | 2097152): Outcome {
  const overrides = {
    [P_L1_TLB_SETS]: 1,
    [P_L1_TLB_WAYS]: TLB_WAYS,
    [P_L2_TLB_SETS]: 1,
    [P_L2_TLB_WAYS]: 0,
    [P_NESTED_TLB_ENTRIES]: 0,
  };
  const e = new Emulated({ pageSize }, overrides, PROCESSES);
  const periods = ids.flatMap(id =>
    Object.keys(trackers[id].parameters)
      .filter(name => name.endsWith('Seconds'))
      .map(name => [`${id}.${name}`, 1e-6] as const),
  );
  const trackerRun = new TrackerRun(e.inspect, ids, {
    parameters: { ...Object.fromEntries(periods), 'prl.entries': LOG_ENTRIES },
    costs: costsOf('skylake'),
    pageSize,
    pmlEntries: LOG_ENTRIES,
    cyclesPerNs: 4,
    timeScale: 1e6,
    tlbEntries: TLB_WAYS,
  });
  let streams = 0;
  const times: number[] = [0];
  for (const what of run) {
    if (what.kind === 'clock') {
      trackerRun.quantum();
      times.push(e.machine.modelledNs());
    } else if (what.kind === 'access')
      e.replay([{ vcpu: what.vcpu, address: BASE + what.page * pageSize, write: what.write }]);
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
  return { told, moved: times.slice(1).map((ns, i) => ns > times[i]) };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

/** What a mechanism is told of the run, by its definition. */
abstract class Reference {
  readonly #told = new Map<string, [number, number]>();

  protected tell(key: string, write: boolean, amount = 1): void {
    const readings = this.#told.get(key) ?? [0, 0];
    readings[write ? 1 : 0] += amount;
    this.#told.set(key, readings);
  }

  abstract access(key: string, write: boolean, vcpu: number): void;
  unmap(_key: string): void {}
  abstract clock(): void;
  end(): void {
    this.clock();
  }

  get told(): Told {
    return Object.fromEntries(this.#told);
  }
}

/** Flags that are read and cleared, with a flush. */
class Flags extends Reference {
  protected readonly accessed = new Set<string>();
  protected readonly written = new Set<string>();

  access(key: string, write: boolean): void {
    this.accessed.add(key);
    if (write) this.written.add(key);
  }

  clock(): void {
    for (const key of this.accessed) this.tell(key, this.written.has(key));
    this.accessed.clear();
    this.written.clear();
  }
}

/** The same of guest page tables: an entry that is cleared takes its flags along. */
class GuestFlags extends Flags {
  override unmap(key: string): void {
    this.accessed.delete(key);
    this.written.delete(key);
  }
}

class Written extends Reference {
  readonly #written = new Set<string>();

  access(key: string, write: boolean): void {
    if (write) this.#written.add(key);
  }

  clock(): void {
    for (const key of this.#written) this.tell(key, true);
    this.#written.clear();
  }
}

class FirstAccess extends Reference {
  readonly #seen = new Set<string>();

  access(key: string, write: boolean): void {
    if (!this.#seen.has(key)) this.tell(key, write);
    this.#seen.add(key);
  }

  clock(): void {
    this.#seen.clear();
  }
}

/** Every page that is present loses its permission at the clock, and tells of its next access. */
class HintFaults extends Reference {
  readonly #present = new Set<string>();
  #waiting = new Set<string>();

  access(key: string, write: boolean): void {
    this.#present.add(key);
    if (this.#waiting.delete(key)) this.tell(key, write);
  }

  override unmap(key: string): void {
    this.#present.delete(key);
    this.#waiting.delete(key);
  }

  clock(): void {
    this.#waiting = new Set(this.#present);
  }

  override end(): void {}
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

/** A log a vCPU of every walk, whose last entry interrupts and logs nothing. */
class WalkLog extends Reference {
  readonly #tlbs = new Tlbs();
  readonly #used = PROCESSES.map(() => 0);

  access(key: string, write: boolean, vcpu: number): void {
    if (!this.#tlbs.walks(key, write, vcpu)) return;
    if (this.#used[vcpu] === LOG_ENTRIES - 1) {
      this.#used[vcpu] = 0;
      return;
    }
    this.#used[vcpu]++;
    this.tell(key, false);
  }

  override unmap(key: string): void {
    this.#tlbs.unmap(key);
  }

  clock(): void {}
}

/** Accessed flags of guest page tables, cleared without a flush: set again by walks alone. */
class IdleFlags extends Reference {
  readonly #tlbs = new Tlbs();
  readonly #accessed = new Set<string>();

  access(key: string, write: boolean, vcpu: number): void {
    if (this.#tlbs.walks(key, write, vcpu)) this.#accessed.add(key);
  }

  override unmap(key: string): void {
    this.#tlbs.unmap(key);
    this.#accessed.delete(key);
  }

  clock(): void {
    for (const key of this.#accessed) this.tell(key, false);
    this.#accessed.clear();
  }
}

const references: Readonly<Record<string, () => Reference>> = {
  pml: () => new Written(),
  'pml-read-write': () => new Flags(),
  spml: () => new Written(),
  epml: () => new Written(),
  prl: () => new WalkLog(),
  'write-protection': () => new Written(),
  'present-bit': () => new FirstAccess(),
  'ept-ad-scan': () => new Flags(),
  'guest-pte-scan': () => new GuestFlags(),
  'idle-pages': () => new IdleFlags(),
  'numa-hint-faults': () => new HintFaults(),
};

function expectedOf(id: string, run: readonly Step[], moved: readonly boolean[]): Told {
  const reference = references[id]();
  let clocks = 0;
  for (const what of run) {
    if (what.kind === 'clock') {
      if (moved[clocks++]) reference.clock();
    } else if (what.kind === 'access') reference.access(`${PROCESSES[what.vcpu]} ${what.page}`, what.write, what.vcpu);
    else for (let i = 0; i < what.pages; i++) reference.unmap(`${what.process} ${what.page + i}`);
  }
  reference.end();
  return reference.told;
}

describe.each([4096, 2097152] as const)('with pages of %i bytes', pageSize => {
  const ids = Object.keys(references);

  test('each tells of every page what its definition says', () => {
    fc.assert(
      fc.property(steps, run => {
        const { told, moved } = replayed(ids, run, pageSize);
        for (const id of ids) expect(told[id], id).toEqual(expectedOf(id, run, moved));
      }),
      { numRuns: 60 },
    );
  });

  test('each tells alone what it tells among all', () => {
    fc.assert(
      fc.property(steps, run => {
        const every = Object.keys(trackers).filter(id => !trackers[id].samples);
        const { told } = replayed(every, run, pageSize);
        for (const id of every) expect(replayed([id], run, pageSize).told, id).toEqual({ [id]: told[id] });
      }),
      { numRuns: 2 },
    );
  });
});
