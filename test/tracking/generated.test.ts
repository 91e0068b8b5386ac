/**
 * Trackers on generated runs of two processes and three threads that write, read and unmap pages of 4 KiB or 2 MiB, beside
 * plain sets of pages: what each mechanism's definition says of every access, unmapping and reading of the flags.
 *
 * Periods are so short that each reading of the clock ends one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trackers } from '../../core/tracking/trackers.js';
import {
  heardBy,
  heardOf,
  LOG_ENTRIES,
  PROCESSES,
  Reference,
  replayed,
  type Seen,
  stepsOver,
} from './generatedRuns.js';

const steps = stepsOver(10, 200);

/** Periods so short that each reading of the clock that finds it gone on ends one. */
function shortPeriods(ids: readonly string[]): Record<string, number> {
  const periods = ids.flatMap(id =>
    Object.keys(trackers[id].parameters)
      .filter(name => name.endsWith('Seconds'))
      .map(name => [`${id}.${name}`, 1e-6] as const),
  );
  return { ...Object.fromEntries(periods), 'prl.entries': LOG_ENTRIES };
}

/** A mechanism that acts whenever the clock has gone on: a thread behind the others does not move it. */
abstract class Periodic extends Reference {
  #now = 0;

  override clock(ns: number): void {
    if (ns > this.#now) this.period();
    this.#now = ns;
  }
  abstract period(): void;
  override end(): void {
    this.period();
  }
}

/** Flags that are read and cleared, with a flush. */
class Flags extends Periodic {
  protected readonly accessed = new Set<string>();
  protected readonly written = new Set<string>();

  access({ key, write }: Seen): void {
    this.accessed.add(key);
    if (write) this.written.add(key);
  }

  period(): void {
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

class Written extends Periodic {
  readonly #written = new Set<string>();

  access({ key, write }: Seen): void {
    if (write) this.#written.add(key);
  }

  period(): void {
    for (const key of this.#written) this.tell(key, true);
    this.#written.clear();
  }
}

class FirstAccess extends Periodic {
  readonly #seen = new Set<string>();

  access({ key, write }: Seen): void {
    if (!this.#seen.has(key)) this.tell(key, write);
    this.#seen.add(key);
  }

  period(): void {
    this.#seen.clear();
  }
}

/** Every page that is present loses its permission at the clock, and tells of its next access. */
class HintFaults extends Periodic {
  readonly #present = new Set<string>();
  #waiting = new Set<string>();

  access({ key, write }: Seen): void {
    this.#present.add(key);
    if (this.#waiting.delete(key)) this.tell(key, write);
  }

  override unmap(key: string): void {
    this.#present.delete(key);
    this.#waiting.delete(key);
  }

  period(): void {
    this.#waiting = new Set(this.#present);
  }

  override end(): void {}
}

/** A log a vCPU of every walk, whose last entry interrupts and logs nothing. */
class WalkLog extends Periodic {
  readonly #used = PROCESSES.map(() => 0);

  access({ key, walks, vcpu }: Seen): void {
    if (!walks) return;
    if (this.#used[vcpu] === LOG_ENTRIES - 1) {
      this.#used[vcpu] = 0;
      return;
    }
    this.#used[vcpu]++;
    this.tell(key, false);
  }

  period(): void {}
}

/** Accessed flags of guest page tables, cleared without a flush: set again by walks alone. */
class IdleFlags extends Periodic {
  readonly #accessed = new Set<string>();

  access({ key, walks }: Seen): void {
    if (walks) this.#accessed.add(key);
  }

  override unmap(key: string): void {
    this.#accessed.delete(key);
  }

  period(): void {
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

describe.each([4096, 2097152] as const)('with pages of %i bytes', pageSize => {
  const ids = Object.keys(references);

  test('each tells of every page what its definition says', () => {
    fc.assert(
      fc.property(steps, run => {
        const { told, times } = replayed(ids, run, pageSize, shortPeriods(ids));
        const heard = heardOf(run);
        for (const id of ids) expect(told[id], id).toEqual(heardBy(references[id](), heard, times).told);
      }),
      { numRuns: 60 },
    );
  });

  test('each tells alone what it tells among all', () => {
    fc.assert(
      fc.property(steps, run => {
        const every = Object.keys(trackers).filter(id => !trackers[id].samples);
        const { told } = replayed(every, run, pageSize, shortPeriods(every));
        for (const id of every)
          expect(replayed([id], run, pageSize, shortPeriods([id])).told, id).toEqual({ [id]: told[id] });
      }),
      { numRuns: 2 },
    );
  });
});
