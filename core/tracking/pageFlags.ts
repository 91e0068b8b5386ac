/** What trackers that read flags by the clock share: the flags that are set, and what flushing them costs. */
import type { TrackerContext } from './tracker.js';

export const ACCESSED = 1;
export const DIRTY = 2;

/** Accessed and dirty flags by kernel page number, with a list of the pages that have one. */
export class PageFlags {
  #flags = new Uint8Array(1024);
  #set: number[] = [];

  /** Sets flags of a page. Returns those that were not set before. */
  set(page: number, flags: number): number {
    if (page >= this.#flags.length) {
      const larger = new Uint8Array(Math.max(page + 1, this.#flags.length * 2));
      larger.set(this.#flags);
      this.#flags = larger;
    }
    const before = this.#flags[page];
    if (before === 0) this.#set.push(page);
    this.#flags[page] = before | flags;
    return flags & ~before;
  }

  /** Pages with a flag, those dropped since included. */
  get count(): number {
    return this.#set.length;
  }

  /** Forgets the flags of a page, whose entry went. */
  drop(page: number): void {
    if (page < this.#flags.length) this.#flags[page] = 0;
  }

  /** Hands out the flags of each page that has one, in the order in which the first was set, and clears them. */
  take(each: (page: number, flags: number) => void): void {
    for (const page of this.#set) {
      if (this.#flags[page] === 0) continue;
      each(page, this.#flags[page]);
      this.#flags[page] = 0;
    }
    this.#set = [];
  }
}

/**
 * Translations that are walked again because a flush dropped them: of the pages accessed since, as many as the TLBs of
 * all vCPUs hold at most.
 */
export class Refills {
  total = 0;
  readonly #context: Pick<TrackerContext, 'tlbEntries' | 'liveVcpus'>;
  #flushed = false;

  constructor(context: Pick<TrackerContext, 'tlbEntries' | 'liveVcpus'>) {
    this.#context = context;
  }

  /** A period of `accessed` pages ends; before the first there was no flush. */
  endPeriod(accessed: number): void {
    if (this.#flushed) this.total += Math.min(accessed, this.#context.tlbEntries * this.#context.liveVcpus());
    this.#flushed = true;
  }
}
