/**
 * A brute-force machine: what the definitions say, in plain maps and arrays, without one shortcut of the real one.
 * Addresses stay below 2^48 and are numbers; every prefix is computed by division.
 */

/** LRU by insertion order of a Map; the last key is the most recent. */
export class Lru<V, K = number> {
  readonly #entries = new Map<K, V>();
  constructor(readonly capacity: number) {}

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    if (this.capacity === 0) return;
    if (this.#entries.size === this.capacity) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, value);
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}

export interface Shares {
  readonly of2m: number;
  readonly of1g: number;
}

export interface TlbShape {
  readonly sets: number;
  readonly ways: number;
}

export interface Geometry {
  readonly l1Sets: number;
  readonly l1Ways: number;
  readonly l2Sets: number;
  readonly l2Ways: number;
  /** Paging-structure cache entries of levels 2, 3, 4, 5. */
  readonly psc: readonly [number, number, number, number];
  readonly eptPsc: readonly [number, number, number, number];
  readonly nestedTlb: number;
  readonly pmlEntries: number;
  /** Levels of the guest's tables and of the EPT: 4 or 5. */
  readonly root: number;
  readonly eptRoot: number;
  /** Level of their smallest leaves: 1 for 4 KiB pages, 2 for 2 MiB, 3 for 1 GiB. */
  readonly leaf: number;
  readonly eptLeaf: number;
  /** Per cent of the ranges of 2 MiB, and of 1 GiB, that one leaf maps; absent: none. */
  readonly shares?: Shares;
  readonly eptShares?: Shares;
  /** L1 and L2 of translations of levels 2 and 3 above the smallest; null: in those of the smallest. */
  readonly large?: readonly (TlbShape | null)[][];
  /** Cores that the threads share; 0 or absent: one each. */
  readonly cores?: number;
  /** Bytes of the pages that the run counts, the guest's smallest or smaller. */
  readonly countedSize: number;
}

const TABLE_FRAMES = 2 ** 25;

/** Pages of 4 KiB that an entry of a level maps. */
export function span(level: number): number {
  return 512 ** (level - 1);
}

/**
 * Level of the leaf that maps a page, or frame, of 4 KiB: Fibonacci hashing of the ranges' numbers, 16 bits of it as parts
 * of 65,536.
 */
export function leafOf(number: number, smallest: number, shares: Shares = { of2m: 0, of1g: 0 }): number {
  for (const [level, percent] of [[3, shares.of1g] as const, [2, shares.of2m] as const]) {
    const range = BigInt(Math.floor(number / span(level)));
    const hash = Number((((range + 1n) * 0x9e3779b1n) % 2n ** 32n) / 2n ** 16n);
    if (level > smallest && Math.floor((hash * 100) / 65536) < percent) return level;
  }
  return smallest;
}

interface Flags {
  a: boolean;
  d: boolean;
}

/** What a process's guest kernel has made: its page tables, and frames, in order. A page is named by its first 4 KiB. */
export class Guest {
  /** Guest frame of each table; a table's key is its level and what of a page number leads to it. */
  readonly tableFrame = new Map<string, number>();
  /** First frame of 4 KiB of each page. */
  readonly dataFrame = new Map<number, number>();
  readonly present = new Set<number>();
  readonly dirty = new Set<number>();

  constructor(
    readonly g: Geometry,
    readonly process: number,
  ) {
    this.tableFrame.set(this.table(g.root, 0), TABLE_FRAMES);
  }

  /** Level of the entry that maps the page. */
  levelOf(page: number): number {
    return leafOf(page, this.g.leaf, this.g.shares);
  }

  pageOf(address: number): number {
    const number = Math.floor(address / 4096);
    return number - (number % span(this.levelOf(number)));
  }

  table(level: number, page: number): string {
    return `${level}:${Math.floor(page / span(level + 1))}`;
  }

  /** The table with the page's entry. */
  leafTable(page: number): string {
    return this.table(this.levelOf(page), page);
  }

  /** The tables on the way to a page, the root first. */
  path(page: number): { readonly level: number; readonly key: string }[] {
    const levels = Array.from({ length: this.g.root - this.levelOf(page) + 1 }, (_, i) => this.g.root - i);
    return levels.map(level => ({ level, key: this.table(level, page) }));
  }

  /** A page fault: the entries written, by table, first the one in a table that was there before. */
  map(page: number): string[] {
    const path = this.path(page);
    const there = path.filter(({ key }) => this.tableFrame.has(key));
    const made = path.slice(there.length);
    for (const { key } of made) this.tableFrame.set(key, TABLE_FRAMES + this.tableFrame.size);
    if (!this.dataFrame.has(page)) this.dataFrame.set(page, this.#freeFrames(span(this.levelOf(page))));
    this.present.add(page);
    return [there.at(-1)!.key, ...made.map(({ key }) => key)];
  }

  /** The lowest aligned frames that no page has. */
  #freeFrames(frames: number): number {
    const taken = [...this.dataFrame].map(([page, first]) => ({ first, end: first + span(this.levelOf(page)) }));
    let at = 0;
    while (taken.some(({ first, end }) => first < at + frames && end > at)) at += frames;
    return at;
  }

  /** Guest frame of 4 KiB of an address. */
  frame(address: number): number {
    const page = this.pageOf(address);
    return this.dataFrame.get(page)! + Math.floor(address / 4096) - page;
  }
}

/** Key of the entry of a level that leads to, or maps, a page or frame of 4 KiB. */
function entryOf(level: number, number: number): string {
  return `${level}:${Math.floor(number / span(level))}`;
}

class Vm {
  readonly guestFlags = new Map<string, Flags>();
  readonly ept = new Map<string, Flags>();
  readonly backed = new Set<string>();
  readonly guest: Guest;

  constructor(g: Geometry, process: number) {
    this.guest = new Guest(g, process);
  }

  flags(of: Map<string, Flags>, key: string): Flags {
    let flags = of.get(key);
    if (!flags) of.set(key, (flags = { a: false, d: false }));
    return flags;
  }
}

type TlbSet = Lru<{ dirty: boolean }, string>;

class Vcpu {
  /** Sets by level of the translation: those of larger ones may be the smallest's. */
  readonly l1: TlbSet[][];
  readonly l2: TlbSet[][];
  readonly psc: Lru<true>[];
  /** Guest-physical mappings, known by the machine (its EPT's root) as well. */
  readonly eptPsc: Lru<true, string>[];
  readonly nestedTlb: Lru<{ dirty: boolean }, string>;
  log: number[] = [];
  get tlbs(): TlbSet[] {
    return [...this.l1.flat(), ...this.l2.flat()];
  }
  constructor(
    /** Machine of the process that runs on it. */
    public vm: Vm,
    g: Geometry,
  ) {
    const sets = (shape: TlbShape): TlbSet[] => Array.from({ length: shape.sets }, () => new Lru(shape.ways));
    const smallest = [sets({ sets: g.l1Sets, ways: g.l1Ways }), sets({ sets: g.l2Sets, ways: g.l2Ways })];
    [this.l1, this.l2] = smallest.map((own, which) =>
      Array.from({ length: 4 }, (_, level) => {
        const shape = level > Math.min(g.leaf, g.eptLeaf) ? g.large?.[level - 2][which] : null;
        return shape ? sets(shape) : own;
      }),
    );
    this.psc = g.psc.map(n => new Lru(n));
    this.eptPsc = g.eptPsc.map(n => new Lru(n));
    this.nestedTlb = new Lru(g.nestedTlb);
  }
}

/** A walk to a page, as the other modes (bruteModes.ts) hear of it. */
export interface Walk {
  readonly vcpu: number;
  readonly process: number;
  readonly guest: Guest;
  /** The guest page: its first 4 KiB. */
  readonly page: number;
  readonly address: number;
  readonly write: boolean;
  /** It follows a guest page fault. */
  readonly fault: boolean;
  /** It sets the guest's dirty flag. */
  readonly sets: boolean;
  /** Made again to set a dirty flag: no miss. */
  readonly again: boolean;
  /** Tables read natively. */
  readonly tables: number;
}

export interface Observer {
  fault(process: number, guest: Guest, page: number, written: readonly string[]): void;
  walk(walk: Walk): void;
  l1Miss(walk: Pick<Walk, 'vcpu' | 'guest' | 'page' | 'address' | 'process'>): void;
  unmap(process: number, guest: Guest, page: number): void;
  /** After the last `unmap`: translations of `pages`, or of all (null), go on these vCPUs. */
  flush(process: number, guest: Guest, pages: readonly number[] | null, vcpus: readonly number[]): void;
}

export class BruteMachine {
  l1Misses = 0;
  misses = 0;
  dirtyWalks = 0;
  nativeReferences = 0;
  nestedReferences = 0;
  violations = 0;
  pmlFull = 0;
  pmlLogged = 0;
  faults = 0;
  unmapped = 0;
  shootdowns = 0;
  contextSwitches = 0;
  readonly drained: number[] = [];
  readonly vcpus: Vcpu[];
  readonly #vms = new Map<number, Vm>();

  constructor(
    readonly g: Geometry,
    readonly processes: readonly number[],
    readonly observer: Observer | null = null,
  ) {
    for (const process of processes) if (!this.#vms.has(process)) this.#vms.set(process, new Vm(g, process));
    const own = g.cores ? processes.slice(0, g.cores) : processes;
    this.vcpus = own.map(process => new Vcpu(this.#vms.get(process)!, g));
  }

  access(thread: number, address: number, write: boolean, size = 8): void {
    const vcpu = this.g.cores ? thread % this.g.cores : thread;
    this.#run(vcpu, this.processes[thread]);
    this.#translate(vcpu, address, write);
    const last = address + size - 1;
    const counted = this.g.countedSize;
    const page = Math.floor(last / counted);
    if (page !== Math.floor(address / counted)) this.#translate(vcpu, page * counted, write);
  }

  /** A thread of the process runs on the vCPU. */
  #run(vcpu: number, process: number): void {
    const v = this.vcpus[vcpu];
    const vm = this.#vms.get(process)!;
    if (v.vm === vm) return;
    v.vm = vm;
    this.contextSwitches++;
    for (const set of [...v.tlbs, ...v.psc]) set.clear();
    this.observer?.flush(process, vm.guest, null, [vcpu]);
  }

  /** vCPUs, or cores, on which the process runs now. */
  running(process: number): number[] {
    return this.vcpus.flatMap((v, i) => (v.vm === this.#vms.get(process) ? [i] : []));
  }

  eptFlags(process: number, address: number): Flags | undefined {
    const vm = this.#vms.get(process)!;
    if (!vm.guest.dataFrame.has(vm.guest.pageOf(address))) return undefined;
    return vm.ept.get(this.#eptKey(vm.guest.frame(address)));
  }

  guestFlags(process: number, address: number): Flags | undefined {
    const { guest, guestFlags } = this.#vms.get(process)!;
    return guestFlags.get(entryOf(guest.levelOf(Math.floor(address / 4096)), Math.floor(address / 4096)));
  }

  /** The leaf entry of the EPT that maps a frame. */
  #eptKey(frame: number): string {
    return entryOf(leafOf(frame, this.g.eptLeaf, this.g.eptShares), frame);
  }

  /** The entry that the TLBs hold for an address of a mapped page: of its guest page or of the EPT, the smaller. */
  #unit(guest: Guest, address: number): { readonly level: number; readonly number: number; readonly key: string } {
    const own = guest.levelOf(Math.floor(address / 4096));
    const nested = leafOf(guest.frame(address), this.g.eptLeaf, this.g.eptShares);
    const level = Math.min(own, nested);
    const number = Math.floor(address / 4096 / span(level));
    return { level, number, key: `${level}:${number}` };
  }

  guestOf(process: number): Guest {
    return this.#vms.get(process)!.guest;
  }

  /** Translations in the second level of a vCPU's TLB, and of pages without one in a first level of their own. */
  held(vcpu: number): number {
    const v = this.vcpus[vcpu];
    const smallest = Math.min(this.g.leaf, this.g.eptLeaf);
    const held = new Set(v.l2[smallest]);
    for (let level = smallest + 1; level <= 3; level++) {
      const second = v.l2[level] !== v.l2[smallest] ? v.l2[level] : null;
      const first = v.l1[level] !== v.l1[smallest] ? v.l1[level] : null;
      const ways = (second ?? v.l2[smallest])[0].capacity;
      for (const set of (ways > 0 ? second : first) ?? []) held.add(set);
    }
    return [...held].reduce((sum, set) => sum + set.size, 0);
  }

  invept(): void {
    for (const v of this.vcpus) {
      for (const set of [...v.tlbs, ...v.psc, ...v.eptPsc]) set.clear();
      v.nestedTlb.clear();
    }
  }

  /** The process unmaps the guest pages that lie wholly in [start, end). */
  unmap(process: number, start: number, end: number): void {
    const vm = this.#vms.get(process);
    if (!vm) return;
    const { guest } = vm;
    const pages = [...guest.present]
      .filter(page => page * 4096 >= start && (page + span(guest.levelOf(page))) * 4096 <= end)
      .sort((a, b) => a - b);
    if (pages.length === 0) return;
    for (const page of pages) {
      this.unmapped++;
      guest.present.delete(page);
      guest.dirty.delete(page);
      vm.guestFlags.delete(entryOf(guest.levelOf(page), page));
      this.observer?.unmap(process, guest, page);
    }
    const vcpus = this.running(process);
    const whole = (page: number) => this.#unit(guest, page * 4096).level === guest.levelOf(page);
    const single = pages.length <= 33 && pages.every(whole);
    for (const i of vcpus) {
      const v = this.vcpus[i];
      for (const set of v.psc) set.clear();
      for (const set of v.tlbs) {
        if (single) for (const page of pages) set.delete(this.#unit(guest, page * 4096).key);
        else set.clear();
      }
    }
    this.shootdowns += Math.max(0, vcpus.length - 1);
    this.observer?.flush(process, guest, single ? pages : null, vcpus);
  }

  #translate(vcpu: number, address: number, write: boolean): void {
    const v = this.vcpus[vcpu];
    const { guest } = v.vm;
    const page = guest.pageOf(address);
    const fault = !guest.present.has(page);
    if (fault) {
      this.faults++;
      const written = guest.map(page);
      this.observer?.fault(guest.process, guest, page, written);
    }
    const { level, number, key: unit } = this.#unit(guest, address);
    const set1 = v.l1[level][number % v.l1[level].length];
    const set2 = v.l2[level][number % v.l2[level].length];
    let dirty: boolean;
    const hit1 = set1.get(unit);
    if (hit1) dirty = hit1.dirty;
    else {
      this.l1Misses++;
      const hit2 = set2.get(unit);
      if (hit2) dirty = hit2.dirty;
      else {
        this.misses++;
        dirty = this.#walk(vcpu, address, write, fault, false);
        set2.set(unit, { dirty });
      }
      this.observer?.l1Miss({ vcpu, process: guest.process, guest, page, address });
    }
    if (write && !dirty) {
      this.dirtyWalks++;
      dirty = this.#walk(vcpu, address, true, false, true);
      set2.set(unit, { dirty: true });
    }
    set1.set(unit, { dirty });
  }

  #walk(vcpu: number, address: number, write: boolean, fault: boolean, again: boolean): boolean {
    const v = this.vcpus[vcpu];
    const { vm } = v;
    const { guest } = vm;
    const { root } = this.g;
    const process = guest.process;
    const page = guest.pageOf(address);
    const leaf = guest.levelOf(page);
    const prefix = (level: number) => Math.floor(page / span(level));
    let start = root;
    for (let level = leaf + 1; level <= root; level++) {
      if (!v.psc[level - 2].get(prefix(level))) continue;
      start = level - 1;
      break;
    }
    for (let level = start; level >= leaf; level--) {
      this.#nested(v, guest.tableFrame.get(guest.table(level, page))!, true);
      this.nativeReferences++;
      this.nestedReferences++;
      const entry = vm.flags(vm.guestFlags, entryOf(level, page));
      entry.a = true;
      if (level === leaf && write) entry.d = true;
      if (level > leaf) v.psc[level - 2].set(prefix(level), true);
    }
    const frame = guest.frame(address);
    const backing = this.#eptKey(frame);
    if (!vm.backed.has(backing)) {
      this.violations++;
      vm.backed.add(backing);
    }
    this.#nested(v, frame, write);
    const sets = write && !guest.dirty.has(page);
    if (write) guest.dirty.add(page);
    const tables = start - leaf + 1;
    this.observer?.walk({ vcpu, process, guest, page, address, write, fault, sets, again, tables });
    return guest.dirty.has(page) && vm.ept.get(backing)!.d;
  }

  /** Translates a guest frame of 4 KiB. */
  #nested(v: Vcpu, frame: number, write: boolean): void {
    const { vm } = v;
    const { eptRoot } = this.g;
    const leaf = leafOf(frame, this.g.eptLeaf, this.g.eptShares);
    const tag = (level: number) => `${vm.guest.process} ${entryOf(level, frame)}`;
    const cached = v.nestedTlb.get(tag(leaf));
    if (cached && (!write || cached.dirty)) return;
    let start = eptRoot;
    for (let level = leaf + 1; level <= eptRoot; level++) {
      if (!v.eptPsc[level - 2].get(tag(level))) continue;
      start = level - 1;
      break;
    }
    const entries = [];
    for (let level = start; level >= leaf; level--) entries.push(vm.flags(vm.ept, entryOf(level, frame)));
    this.nestedReferences += entries.length;
    const last = entries[entries.length - 1];
    const logs = write && !last.d;
    if (logs || entries.some(entry => !entry.a)) {
      if (v.log.length === this.g.pmlEntries) {
        this.pmlFull++;
        this.drained.push(...v.log);
        v.log = [];
      }
    }
    for (const entry of entries) entry.a = true;
    if (logs) {
      last.d = true;
      v.log.push(frame * 4096);
      this.pmlLogged++;
    }
    for (let level = start; level > leaf; level--) v.eptPsc[level - 2].set(tag(level), true);
    v.nestedTlb.set(tag(leaf), { dirty: last.d });
  }
}
