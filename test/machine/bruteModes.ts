/**
 * The modes besides native and nested, as their definitions say, in plain sets and maps of pages: no generations, no
 * flags in entries, no work that two modes share.
 */
import { type Geometry, type Guest, Lru, leafOf, type Observer, span, type Walk } from './brute.js';

/** What one mode caches on one vCPU, and the references that it makes. */
class Walker {
  readonly psc: Lru<true, string>[];
  readonly eptPsc: Lru<true, string>[];
  readonly nestedTlb: Lru<true, string>;
  constructor(readonly g: Geometry) {
    this.psc = g.psc.map(n => new Lru(n));
    this.eptPsc = g.eptPsc.map(n => new Lru(n));
    this.nestedTlb = new Lru(g.nestedTlb);
  }

  /** Reads the guest's tables; those of a level below `translated` are translated first. Returns references, tables. */
  guest(guest: Guest, page: number, translated: number): { readonly references: number; readonly tables: number } {
    const { root } = this.g;
    const leaf = guest.levelOf(page);
    const prefix = (level: number) => `${Math.floor(page / span(level))}`;
    let start = root;
    for (let level = leaf + 1; level <= root; level++) {
      if (!this.psc[level - 2].get(prefix(level))) continue;
      start = level - 1;
      break;
    }
    let references = 0;
    for (let level = start; level >= leaf; level--) {
      if (level < translated) references += this.frame(guest, guest.tableFrame.get(guest.table(level, page))!);
      references++;
      if (level > leaf) this.psc[level - 2].set(prefix(level), true);
    }
    return { references, tables: start - leaf + 1 };
  }

  /** Translates a frame of 4 KiB of a guest-physical address space. Returns the references. */
  frame(guest: Guest, frame: number, space = 'ram'): number {
    const { eptRoot } = this.g;
    const eptLeaf = leafOf(frame, this.g.eptLeaf, this.g.eptShares);
    const prefix = (level: number) => `${guest.process} ${space} ${level} ${Math.floor(frame / span(level))}`;
    if (this.nestedTlb.get(prefix(eptLeaf))) return 0;
    let start = eptRoot;
    for (let level = eptLeaf + 1; level <= eptRoot; level++) {
      if (!this.eptPsc[level - 2].get(prefix(level))) continue;
      start = level - 1;
      break;
    }
    for (let level = start; level > eptLeaf; level--) this.eptPsc[level - 2].set(prefix(level), true);
    this.nestedTlb.set(prefix(eptLeaf), true);
    return start - eptLeaf + 1;
  }

  forgetTables(): void {
    for (const set of this.psc) set.clear();
  }

  forgetAll(): void {
    for (const set of [...this.psc, ...this.eptPsc]) set.clear();
    this.nestedTlb.clear();
  }
}

const EVERY = 99;

/** Counts by name; what was never counted is 0. */
export class Tally {
  readonly counts: Record<string, number> = {};
  add(name: string, amount = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + amount;
  }
}

abstract class Mode extends Tally implements Observer {
  readonly walkers: Walker[];
  readonly #backed = new Set<string>();
  constructor(
    readonly g: Geometry,
    vcpus: number,
  ) {
    super();
    this.walkers = Array.from({ length: vcpus }, () => new Walker(g));
  }
  fault(_process: number, _guest: Guest, _page: number, _written: readonly string[]): void {}
  walk(_walk: Walk): void {}
  l1Miss(_walk: Pick<Walk, 'vcpu' | 'guest' | 'page' | 'address' | 'process'>): void {}
  unmap(_process: number, _guest: Guest, _page: number): void {}
  flush(_process: number, _guest: Guest, _pages: readonly number[] | null, vcpus: readonly number[]): void {
    for (const vcpu of vcpus) this.walkers[vcpu].forgetTables();
  }

  /** Backs the host page of a frame; true the first time. */
  back(space: string, frame: number): boolean {
    const level = leafOf(frame, this.g.eptLeaf, this.g.eptShares);
    const key = `${space} ${level} ${Math.floor(frame / span(level))}`;
    if (this.#backed.has(key)) return false;
    this.#backed.add(key);
    return true;
  }
}

/** The monitor's shadow of one process's tables. */
class ShadowTables {
  /** Tables that the monitor write-protects. */
  readonly protected: Set<string>;
  /** Pages that it holds: whether writable. */
  readonly pages = new Map<number, boolean>();
  constructor(guest: Guest) {
    this.protected = new Set([guest.table(guest.g.root, 0)]);
  }

  /** Whether the walk is interrupted by a hidden fault. */
  hiddenFault({ guest, page, write }: Walk): boolean {
    const writable = this.pages.get(page);
    if (writable || (writable === false && !write)) return false;
    for (const { key } of guest.path(page)) this.protected.add(key);
    this.pages.set(page, guest.dirty.has(page));
    return true;
  }
}

export class Shadow extends Mode {
  readonly #tables = new Map<number, ShadowTables>();

  of(process: number, guest: Guest): ShadowTables {
    let tables = this.#tables.get(process);
    if (!tables) this.#tables.set(process, (tables = new ShadowTables(guest)));
    return tables;
  }

  override fault(process: number, guest: Guest, _page: number, written: readonly string[]): void {
    this.add('guest-page-fault');
    for (const table of written) if (this.of(process, guest).protected.has(table)) this.add('page-table-write');
  }
  override walk(walk: Walk): void {
    if (this.of(walk.process, walk.guest).hiddenFault(walk)) this.add('hidden-fault');
    this.add('references', walk.tables);
  }
  override unmap(process: number, guest: Guest, page: number): void {
    const tables = this.of(process, guest);
    tables.pages.delete(page);
    if (tables.protected.has(guest.leafTable(page))) this.add('page-table-write');
  }
  override flush(process: number, guest: Guest, pages: readonly number[] | null, vcpus: readonly number[]): void {
    super.flush(process, guest, pages, vcpus);
    if (pages) this.add('invlpg', pages.length * vcpus.length);
    else this.add('cr3-load', vcpus.length);
  }
}

export class Direct extends Mode {
  override fault(_process: number, _guest: Guest, _page: number, written: readonly string[]): void {
    this.add('forwarded-fault');
    this.add('hypercall');
    this.add('validated', written.length);
  }
  override walk({ tables }: Walk): void {
    this.add('references', tables);
  }
  override unmap(): void {
    this.add('validated');
  }
  override flush(): void {
    this.add('hypercall');
  }
}

export class Dsp extends Mode {
  /** Shadow tables of the processes that are shadowed now. */
  readonly #shadows = new Map<number, ShadowTables>();

  override fault(process: number, _guest: Guest, _page: number, written: readonly string[]): void {
    const shadow = this.#shadows.get(process);
    if (!shadow) return;
    this.add('guest-page-fault');
    for (const table of written) if (shadow.protected.has(table)) this.add('page-table-write');
  }
  override walk(walk: Walk): void {
    const { vcpu, process, guest, page, address } = walk;
    const walker = this.walkers[vcpu];
    const first = this.back(`${process}`, guest.frame(address));
    const shadow = this.#shadows.get(process);
    if (shadow) {
      if (shadow.hiddenFault(walk)) this.add('hidden-fault');
      this.add('references', walker.guest(guest, page, 0).references);
    } else {
      if (first) this.add('ept-violation');
      this.add('references', walker.guest(guest, page, EVERY).references + walker.frame(guest, guest.frame(address)));
    }
  }
  override unmap(process: number, guest: Guest, page: number): void {
    const shadow = this.#shadows.get(process);
    if (!shadow) return;
    shadow.pages.delete(page);
    if (shadow.protected.has(guest.leafTable(page))) this.add('page-table-write');
  }
  override flush(process: number, guest: Guest, pages: readonly number[] | null, vcpus: readonly number[]): void {
    super.flush(process, guest, pages, vcpus);
    if (!this.#shadows.has(process)) return;
    if (pages) this.add('invlpg', pages.length * vcpus.length);
    else this.add('cr3-load', vcpus.length);
  }

  /** `held`: entries in the TLBs of the process's vCPUs. */
  switch(process: number, guest: Guest, shadow: boolean, vcpus: readonly number[], held: number): void {
    if (this.#shadows.has(process) === shadow) return;
    if (shadow) this.#shadows.set(process, new ShadowTables(guest));
    else this.#shadows.delete(process);
    this.add('switches');
    this.add('dropped', held);
    for (const vcpu of vcpus) this.walkers[vcpu].forgetAll();
  }
}

/** The filter as F.3 describes it, with the kernel's random rows: xorshift32 from 0x9e3779b9, one byte of each number. */
export class EscapeFilter {
  readonly #rows: number[][] = [];
  readonly #bits = new Set<number>();
  constructor(badPages: number) {
    let x = 0x9e3779b9n;
    const random = () => {
      x ^= (x << 13n) & 0xffffffffn;
      x ^= x >> 17n;
      x ^= (x << 5n) & 0xffffffffn;
      return Number(x >> 24n);
    };
    for (let hash = 0; hash < 4; hash++) this.#rows.push(Array.from({ length: 32 }, random));
    for (let i = 0; i < badPages; i++) for (const bit of this.#hashes(2 ** i)) this.#bits.add(bit);
  }
  #hashes(page: number): number[] {
    return this.#rows.map(row => row.reduce((h, value, bit) => (Math.floor(page / 2 ** bit) % 2 ? h ^ value : h), 0));
  }
  has(page: number): boolean {
    return this.#hashes(page).every(bit => this.#bits.has(bit));
  }
}

abstract class Segments extends Mode {
  constructor(
    g: Geometry,
    vcpus: number,
    readonly filter: EscapeFilter,
    /** Whether the page is outside the primary region. */
    readonly outside: (process: number, page: number) => boolean,
  ) {
    super(g, vcpus);
  }
  escapes(guest: Guest, page: number): boolean {
    return this.filter.has(guest.dataFrame.get(page)! / span(this.g.leaf));
  }
}

export class VmmDirect extends Segments {
  override walk({ vcpu, guest, page, address, tables }: Walk): void {
    this.add('references', tables);
    this.add('checks', tables + 1);
    if (!this.escapes(guest, page)) return;
    this.add('escaped');
    this.add('references', this.walkers[vcpu].frame(guest, guest.frame(address)));
  }
}

export class GuestDirect extends Segments {
  override walk({ vcpu, process, guest, page, address }: Walk): void {
    const walker = this.walkers[vcpu];
    this.add('checks');
    if (this.outside(process, page)) {
      if (this.back(`ram ${process}`, guest.frame(address))) this.add('ept-violation');
      this.add('references', walker.guest(guest, page, EVERY).references + walker.frame(guest, guest.frame(address)));
      return;
    }
    this.add('segment');
    const frame = Math.floor(address / 4096);
    if (this.back(`segment ${process}`, frame)) this.add('ept-violation');
    this.add('references', walker.frame(guest, frame, 'segment'));
  }
}

export class DualDirect extends Segments {
  readonly #tlb: Lru<true>[][];
  constructor(...rest: ConstructorParameters<typeof Segments>) {
    super(...rest);
    const [g, vcpus] = rest;
    this.#tlb = Array.from({ length: vcpus }, () => Array.from({ length: g.l2Sets }, () => new Lru<true>(g.l2Ways)));
  }
  override l1Miss({ vcpu, process, guest, page, address }: Walk): void {
    this.add('checks');
    if (!this.outside(process, page) && !this.escapes(guest, page)) {
      this.add('segment');
      return;
    }
    const set = this.#tlb[vcpu][(page / span(this.g.leaf)) % this.g.l2Sets];
    if (set.get(page)) return;
    this.add('misses');
    set.set(page, true);
    this.#walk(vcpu, process, guest, page, address);
  }
  override walk({ vcpu, process, guest, page, address, again }: Walk): void {
    if (again) this.#walk(vcpu, process, guest, page, address);
  }
  #walk(vcpu: number, process: number, guest: Guest, page: number, address: number): void {
    const walker = this.walkers[vcpu];
    const escapes = this.escapes(guest, page);
    if (this.outside(process, page)) {
      const { references, tables } = walker.guest(guest, page, 0);
      this.add('references', references);
      this.add('checks', tables + 1);
    }
    if (!escapes) return;
    this.add('escaped');
    this.add('references', walker.frame(guest, guest.frame(address)));
  }
  override flush(process: number, guest: Guest, pages: readonly number[] | null, vcpus: readonly number[]): void {
    super.flush(process, guest, pages, vcpus);
    for (const vcpu of vcpus) {
      for (const set of this.#tlb[vcpu]) {
        if (pages) for (const page of pages) set.delete(page);
        else set.clear();
      }
    }
  }
}

function levelOf(table: string): number {
  return Number(table.split(':')[0]);
}

/** One process under agile paging. */
class AgileTables {
  /** Tables from which on the walk is nested. */
  nested = new Set<string>();
  /** Nested tables, those below included, written in this interval. */
  readonly written = new Set<string>();
  writes = new Map<string, number>();
  readonly shadow: ShadowTables;
  constructor(readonly guest: Guest) {
    this.shadow = new ShadowTables(guest);
  }

  /** The tables on the way from the root to a table, both included. */
  above(table: string): string[] {
    const [level, number] = table.split(':').map(Number);
    const keys = [];
    for (let up = level; up <= this.guest.g.root; up++) keys.push(`${up}:${Math.floor(number / 512 ** (up - level))}`);
    return keys.reverse();
  }
  isNested(table: string): boolean {
    return this.above(table).some(key => this.nested.has(key));
  }
  /** Level of the highest nested table on the way to a page; 0: none. */
  level(page: number): number {
    return this.guest.path(page).find(({ key }) => this.nested.has(key))?.level ?? 0;
  }
}

export class Agile extends Mode {
  readonly #tables = new Map<number, AgileTables>();
  /** Pages of the unmapping under way that were in shadowed tables. */
  #shadowed = 0;

  constructor(
    g: Geometry,
    vcpus: number,
    readonly limit: number,
    readonly running: (process: number) => readonly number[],
  ) {
    super(g, vcpus);
  }

  of(process: number, guest: Guest): AgileTables {
    let tables = this.#tables.get(process);
    if (!tables) this.#tables.set(process, (tables = new AgileTables(guest)));
    return tables;
  }

  override fault(process: number, guest: Guest, _page: number, written: readonly string[]): void {
    const tables = this.of(process, guest);
    if (!tables.isNested(written[0])) this.add('guest-page-fault');
    for (const table of written) this.#write(process, tables, table);
  }
  override unmap(process: number, guest: Guest, page: number): void {
    const tables = this.of(process, guest);
    const table = guest.leafTable(page);
    if (!tables.isNested(table)) this.#shadowed++;
    tables.shadow.pages.delete(page);
    this.#write(process, tables, table);
  }
  override flush(process: number, guest: Guest, pages: readonly number[] | null, vcpus: readonly number[]): void {
    super.flush(process, guest, pages, vcpus);
    if (pages) this.add('invlpg', this.#shadowed * vcpus.length);
    else if (!this.of(process, guest).isNested(guest.table(guest.g.root, 0))) this.add('cr3-load', vcpus.length);
    this.#shadowed = 0;
  }

  #write(process: number, tables: AgileTables, table: string): void {
    if (tables.isNested(table)) {
      tables.written.add(table);
      return;
    }
    if (!tables.shadow.protected.has(table)) return;
    this.add('page-table-write');
    const writes = (tables.writes.get(table) ?? 0) + 1;
    tables.writes.set(table, writes);
    if (writes < this.limit) return;
    this.add('toNested');
    tables.nested.add(table);
    tables.written.add(table);
    // Nothing of what lies in it is shadowed any more.
    for (const key of tables.shadow.protected) if (tables.isNested(key)) tables.shadow.protected.delete(key);
    for (const page of tables.shadow.pages.keys()) if (tables.level(page)) tables.shadow.pages.delete(page);
    this.#turned(process);
  }

  #turned(process: number): void {
    for (const vcpu of this.running(process)) this.walkers[vcpu].forgetTables();
  }

  override walk(walk: Walk): void {
    const { vcpu, process, guest, page, address } = walk;
    const tables = this.of(process, guest);
    const walker = this.walkers[vcpu];
    const first = this.back(`${process}`, guest.frame(address));
    const level = tables.level(page);
    this.add(`walks at ${level}`);
    if (level === 0) {
      if (tables.shadow.hiddenFault(walk)) this.add('hidden-fault');
    } else if (first) this.add('ept-violation');
    this.add('references', walker.guest(guest, page, level).references);
    if (level > 0) this.add('references', walker.frame(guest, guest.frame(address)));
  }

  interval(): void {
    for (const [process, tables] of this.#tables) {
      const before = tables.nested;
      const { guest } = tables;
      const wasNested = (key: string) => tables.above(key).some(up => before.has(up));
      const after = new Set<string>();
      let turned = 0;
      const all = [...guest.tableFrame.keys()].filter(wasNested).sort((a, b) => levelOf(b) - levelOf(a));
      for (const key of all) {
        this.add('checked');
        if (tables.above(key).some(up => after.has(up))) continue;
        if (tables.written.has(key)) after.add(key);
        else turned++;
      }
      this.add('toShadow', turned);
      tables.nested = after;
      tables.written.clear();
      tables.writes = new Map();
      // The root is shadowed whenever it is not nested: CR3 points to its shadow.
      if (!after.has(guest.table(guest.g.root, 0))) tables.shadow.protected.add(guest.table(guest.g.root, 0));
      if (turned > 0) this.#turned(process);
    }
  }
}

/** All of them as one observer. */
export class BruteModes implements Observer {
  readonly shadow: Shadow;
  readonly direct: Direct;
  readonly dsp: Dsp;
  readonly dualDirect: DualDirect;
  readonly vmmDirect: VmmDirect;
  readonly guestDirect: GuestDirect;
  readonly agile: Agile;
  readonly guests = new Map<number, Guest>();

  constructor(
    g: Geometry,
    n: number,
    settings: { readonly badPages: number; readonly agileWrites: number },
    outside: (process: number, page: number) => boolean,
    running: (process: number) => readonly number[],
  ) {
    const filter = new EscapeFilter(settings.badPages);
    this.shadow = new Shadow(g, n);
    this.direct = new Direct(g, n);
    this.dsp = new Dsp(g, n);
    this.dualDirect = new DualDirect(g, n, filter, outside);
    this.vmmDirect = new VmmDirect(g, n, filter, outside);
    this.guestDirect = new GuestDirect(g, n, filter, outside);
    this.agile = new Agile(g, n, settings.agileWrites, running);
  }

  get #all(): readonly Mode[] {
    return [this.shadow, this.direct, this.dsp, this.dualDirect, this.vmmDirect, this.guestDirect, this.agile];
  }
  fault(...of: Parameters<Observer['fault']>): void {
    for (const mode of this.#all) mode.fault(...of);
  }
  walk(walk: Walk): void {
    for (const mode of this.#all) mode.walk(walk);
  }
  l1Miss(miss: Walk): void {
    for (const mode of this.#all) mode.l1Miss(miss);
  }
  unmap(...of: Parameters<Observer['unmap']>): void {
    for (const mode of this.#all) mode.unmap(...of);
  }
  flush(...of: Parameters<Observer['flush']>): void {
    for (const mode of this.#all) mode.flush(...of);
  }
}
