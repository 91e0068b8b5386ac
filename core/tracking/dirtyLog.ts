/**
 * The Page Modification Log, as trackers simulate it on flags of their own (mechanisms.md, B.1): one log a vCPU, whose
 * index is checked before any accessed or dirty flag is set. A full log is drained, with a VM exit (reason 62), before
 * the flag is set. Entries have no time: the pages in a log become known when it is drained.
 */
import { logBytes } from './memory.js';
import type { FlagEvent, TrackerContext } from './tracker.js';

/** Logs of several sizes side by side, as they would fill with the same flags. */
export class DirtyLogs {
  readonly #sizes: Float64Array;
  readonly #drained: (page: number) => void;
  /** Data pages in the first size's log, by vCPU. */
  readonly #logged: number[][] = [];
  /** Entries in use, by vCPU and size. */
  readonly #used: Float64Array[] = [];
  /** Times that the log was full, by size. */
  readonly full: Float64Array;
  /** Entries logged. */
  entries = 0;
  /** Flag updates, each of which checked the index. */
  updates = 0;

  /** @param drained is told the data pages of the first size's log, each entry when it is drained */
  constructor(sizes: readonly number[], drained: (page: number) => void = () => {}) {
    this.#sizes = Float64Array.from(sizes);
    this.#drained = drained;
    this.full = new Float64Array(sizes.length);
  }

  /** A flag is about to be set on this vCPU; with `log` it is a dirty flag, which takes an entry: of a data page, or a table. */
  update(vcpu: number, log: boolean, page?: number): void {
    const used = (this.#used[vcpu] ??= new Float64Array(this.#sizes.length));
    this.updates++;
    for (let i = 0; i < used.length; i++) {
      if (used[i] >= this.#sizes[i]) {
        used[i] = 0;
        this.full[i]++;
        if (i === 0) this.#take(vcpu);
      }
      if (log) used[i]++;
    }
    if (!log) return;
    this.entries++;
    if (page !== undefined) (this.#logged[vcpu] ??= []).push(page);
  }

  #take(vcpu: number): void {
    for (const page of this.#logged[vcpu] ?? []) this.#drained(page);
    this.#logged[vcpu] = [];
  }

  /** Of the first size, a log for each vCPU that set a flag. */
  get memoryBytes(): number {
    return this.#used.filter(Boolean).length * logBytes(this.#sizes[0]);
  }

  /** Drains all logs, as the VMM does when its timer fires. */
  drain(): void {
    for (const used of this.#used) used?.fill(0);
    for (const vcpu of this.#logged.keys()) this.#take(vcpu);
  }
}

/**
 * The pages that hold guest page tables: the processor's accesses to them are writes for the EPT ("Accessed and Dirty
 * Flags for EPT"), so that after a clear the first walk through a table sets its page's D flag and logs it, also for a
 * read. With 2 MiB pages all tables of a process lie in one EPT page.
 */
export class TablePages {
  readonly #context: Pick<TrackerContext, 'processOf'>;
  readonly #levels: number;
  /** Dirty tables by level above the leaf; keys hold process and number. */
  readonly #dirty: Set<number>[];
  /** Entries logged for table pages. */
  logged = 0;

  constructor(context: Pick<TrackerContext, 'processOf' | 'pageSize'>) {
    this.#context = context;
    this.#levels = context.pageSize === 4096 ? 4 : 1;
    this.#dirty = Array.from({ length: this.#levels }, () => new Set<number>());
  }

  /** A page was accessed for the first time since the clear: its walk logs the tables that are clean, the root first. */
  walk({ vcpu, table }: Readonly<FlagEvent>, logs: DirtyLogs): void {
    const process = this.#context.processOf(vcpu) * 2 ** 32;
    for (let above = this.#levels - 1; above >= 0; above--) {
      const key = process + (this.#levels > 1 ? Math.floor(table / 512 ** above) : 0);
      if (this.#dirty[above].has(key)) continue;
      this.#dirty[above].add(key);
      this.logged++;
      logs.update(vcpu, true);
    }
  }

  clear(): void {
    for (const tables of this.#dirty) tables.clear();
  }
}
