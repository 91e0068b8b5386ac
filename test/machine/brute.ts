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
  /** Level of their leaves: 1 for 4 KiB pages, 2 for 2 MiB, 3 for 1 GiB. */
  readonly leaf: number;
  readonly eptLeaf: number;
  /** Cores that the threads share; 0 or absent: one each. */
  readonly cores?: number;
  /** Bytes of the pages that the run counts, where those are smaller than the guest's. */
  readonly countedSize?: number;
}

const TABLE_FRAMES = 2 ** 25;

interface Flags {
  a: boolean;
  d: boolean;
}

/** What a process's guest kernel has made: its page tables, and frames, in order. */
export class Guest {
  /** Guest frame of each table; a table's key is its level and what of a page number leads to it. */
  readonly tableFrame = new Map<string, number>();
  readonly dataFrame = new Map<number, number>();
  readonly present = new Set<number>();
  readonly dirty = new Set<number>();

  constructor(
    readonly g: Geometry,
    readonly process: number,
  ) {
    this.tableFrame.set(this.table(g.root, 0), TABLE_FRAMES);
  }

  table(level: number, page: number): string {
    return `${level}:${Math.floor(page / 512 ** (level - this.g.leaf + 1))}`;
  }

  /** The tables on the way to a page, the root first. */
  path(page: number): { readonly level: number; readonly key: string }[] {
    const levels = Array.from({ length: this.g.root - this.g.leaf + 1 }, (_, i) => this.g.root - i);
    return levels.map(level => ({ level, key: this.table(level, page) }));
  }

  /** A page fault: the entries written, by table, first the one in a table that was there before. */
  map(page: number): string[] {
    const path = this.path(page);
    const there = path.filter(({ key }) => this.tableFrame.has(key));
    const made = path.slice(there.length);
    for (const { key } of made) this.tableFrame.set(key, TABLE_FRAMES + this.tableFrame.size);
    if (!this.dataFrame.has(page)) this.dataFrame.set(page, this.dataFrame.size);
    this.present.add(page);
    return [there.at(-1)!.key, ...made.map(({ key }) => key)];
  }

  /** Guest frame of 4 KiB of an address. */
  frame(address: number): number {
    const size = 4096 * 512 ** (this.g.leaf - 1);
    const within = Math.floor((address % size) / 4096);
    return this.dataFrame.get(Math.floor(address / size))! * 512 ** (this.g.leaf - 1) + within;
  }
}

class Vm {
  readonly guestFlags = new Map<string, Flags>();
  readonly ept = new Map<string, Flags>();
  readonly backed = new Set<number>();
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

class Vcpu {
  readonly l1: Lru<{ dirty: boolean }>[];
  readonly l2: Lru<{ dirty: boolean }>[];
  readonly psc: Lru<true>[];
  /** Guest-physical mappings, known by the machine (its EPT's root) as well. */
  readonly eptPsc: Lru<true, string>[];
  readonly nestedTlb: Lru<{ dirty: boolean }, string>;
  log: number[] = [];
  constructor(
    /** Machine of the process that runs on it. */
    public vm: Vm,
    g: Geometry,
  ) {
    this.l1 = Array.from({ length: g.l1Sets }, () => new Lru(g.l1Ways));
    this.l2 = Array.from({ length: g.l2Sets }, () => new Lru(g.l2Ways));
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
  /** Number of the guest page. */
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
  readonly #pageSize: number;
  readonly #unitSize: number;

  constructor(
    readonly g: Geometry,
    readonly processes: readonly number[],
    readonly observer: Observer | null = null,
  ) {
    this.#pageSize = 4096 * 512 ** (g.leaf - 1);
    this.#unitSize = 4096 * 512 ** (Math.min(g.leaf, g.eptLeaf) - 1);
    for (const process of processes) if (!this.#vms.has(process)) this.#vms.set(process, new Vm(g, process));
    const own = g.cores ? processes.slice(0, g.cores) : processes;
    this.vcpus = own.map(process => new Vcpu(this.#vms.get(process)!, g));
  }

  access(thread: number, address: number, write: boolean, size = 8): void {
    const vcpu = this.g.cores ? thread % this.g.cores : thread;
    this.#run(vcpu, this.processes[thread]);
    this.#unit(vcpu, address, write);
    // A piece of the run's pages, which are 4 KiB unless the guest's are 2 MiB and counted so.
    const last = address + size - 1;
    const counted = this.g.countedSize ?? this.#pageSize;
    const page = Math.floor(last / counted);
    if (page !== Math.floor(address / counted)) this.#unit(vcpu, page * counted, write);
  }

  /** A thread of the process runs on the vCPU. */
  #run(vcpu: number, process: number): void {
    const v = this.vcpus[vcpu];
    const vm = this.#vms.get(process)!;
    if (v.vm === vm) return;
    v.vm = vm;
    this.contextSwitches++;
    for (const set of [...v.l1, ...v.l2, ...v.psc]) set.clear();
    this.observer?.flush(process, vm.guest, null, [vcpu]);
  }

  /** vCPUs, or cores, on which the process runs now. */
  running(process: number): number[] {
    return this.vcpus.flatMap((v, i) => (v.vm === this.#vms.get(process) ? [i] : []));
  }

  eptFlags(process: number, address: number): Flags | undefined {
    const vm = this.#vms.get(process)!;
    if (!vm.guest.dataFrame.has(Math.floor(address / this.#pageSize))) return undefined;
    const { eptLeaf } = this.g;
    return vm.ept.get(`${eptLeaf}:${Math.floor(vm.guest.frame(address) / 512 ** (eptLeaf - 1))}`);
  }

  guestFlags(process: number, address: number): Flags | undefined {
    return this.#vms.get(process)!.guestFlags.get(`${this.g.leaf}:${Math.floor(address / this.#pageSize)}`);
  }

  guestOf(process: number): Guest {
    return this.#vms.get(process)!.guest;
  }

  /** Entries in the second level of a vCPU's TLB. */
  held(vcpu: number): number {
    return this.vcpus[vcpu].l2.reduce((sum, set) => sum + set.size, 0);
  }

  invept(): void {
    for (const v of this.vcpus) {
      for (const set of [...v.l1, ...v.l2, ...v.psc, ...v.eptPsc]) set.clear();
      v.nestedTlb.clear();
    }
  }

  /** The process unmaps the guest pages that lie wholly in [start, end). */
  unmap(process: number, start: number, end: number): void {
    const vm = this.#vms.get(process);
    if (!vm) return;
    const { guest } = vm;
    const pages = [...guest.present]
      .filter(page => page * this.#pageSize >= start && (page + 1) * this.#pageSize <= end)
      .sort((a, b) => a - b);
    if (pages.length === 0) return;
    for (const page of pages) {
      this.unmapped++;
      guest.present.delete(page);
      guest.dirty.delete(page);
      vm.guestFlags.delete(`${this.g.leaf}:${page}`);
      this.observer?.unmap(process, guest, page);
    }
    const vcpus = this.running(process);
    const single = pages.length <= 33 && this.#unitSize === this.#pageSize;
    for (const i of vcpus) {
      const v = this.vcpus[i];
      for (const set of v.psc) set.clear();
      for (const set of [...v.l1, ...v.l2]) {
        if (single) for (const page of pages) set.delete(page);
        else set.clear();
      }
    }
    this.shootdowns += Math.max(0, vcpus.length - 1);
    this.observer?.flush(process, guest, single ? pages : null, vcpus);
  }

  #unit(vcpu: number, address: number, write: boolean): void {
    const v = this.vcpus[vcpu];
    const unit = Math.floor(address / this.#unitSize);
    const set1 = v.l1[unit % this.g.l1Sets];
    const set2 = v.l2[unit % this.g.l2Sets];
    let dirty: boolean;
    const hit1 = set1.get(unit);
    if (hit1) dirty = hit1.dirty;
    else {
      this.l1Misses++;
      const hit2 = set2.get(unit);
      if (hit2) dirty = hit2.dirty;
      else {
        this.misses++;
        dirty = this.#walk(vcpu, address, write, false);
        set2.set(unit, { dirty });
      }
      const page = Math.floor(address / this.#pageSize);
      this.observer?.l1Miss({ vcpu, process: v.vm.guest.process, guest: v.vm.guest, page, address });
    }
    if (write && !dirty) {
      this.dirtyWalks++;
      dirty = this.#walk(vcpu, address, true, true);
      set2.set(unit, { dirty: true });
    }
    set1.set(unit, { dirty });
  }

  #walk(vcpu: number, address: number, write: boolean, again: boolean): boolean {
    const v = this.vcpus[vcpu];
    const { vm } = v;
    const { guest } = vm;
    const { leaf, root } = this.g;
    const process = guest.process;
    const page = Math.floor(address / this.#pageSize);
    const prefix = (level: number) => Math.floor(page / 512 ** (level - leaf));
    const fault = !guest.present.has(page);
    if (fault) {
      this.faults++;
      const written = guest.map(page);
      this.observer?.fault(process, guest, page, written);
    }
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
      const entry = vm.flags(vm.guestFlags, `${level}:${prefix(level)}`);
      entry.a = true;
      if (level === leaf && write) entry.d = true;
      if (level > leaf) v.psc[level - 2].set(prefix(level), true);
    }
    const frame = guest.frame(address);
    const backing = Math.floor(frame / 512 ** (this.g.eptLeaf - 1));
    if (!vm.backed.has(backing)) {
      this.violations++;
      vm.backed.add(backing);
    }
    this.#nested(v, frame, write);
    const sets = write && !guest.dirty.has(page);
    if (write) guest.dirty.add(page);
    const tables = start - leaf + 1;
    this.observer?.walk({ vcpu, process, guest, page, address, write, fault, sets, again, tables });
    return guest.dirty.has(page) && vm.ept.get(`${this.g.eptLeaf}:${backing}`)!.d;
  }

  /** Translates a guest frame of 4 KiB. */
  #nested(v: Vcpu, frame: number, write: boolean): void {
    const { vm } = v;
    const { eptLeaf: leaf, eptRoot } = this.g;
    const prefix = (level: number) => Math.floor(frame / 512 ** (level - 1));
    const tag = (level: number) => `${vm.guest.process} ${prefix(level)}`;
    const cached = v.nestedTlb.get(tag(leaf));
    if (cached && (!write || cached.dirty)) return;
    let start = eptRoot;
    for (let level = leaf + 1; level <= eptRoot; level++) {
      if (!v.eptPsc[level - 2].get(tag(level))) continue;
      start = level - 1;
      break;
    }
    const entries = [];
    for (let level = start; level >= leaf; level--) entries.push(vm.flags(vm.ept, `${level}:${prefix(level)}`));
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
