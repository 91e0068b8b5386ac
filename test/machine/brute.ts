/**
 * A brute-force machine: what the definitions say, in plain maps and arrays, without one shortcut of the real one.
 * Addresses stay below 2^48 and are numbers; every prefix is computed by division.
 */

/** LRU by insertion order of a Map; the last key is the most recent. */
class Lru<V> {
  readonly #entries = new Map<number, V>();
  constructor(readonly capacity: number) {}

  get(key: number): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: number, value: V): void {
    this.#entries.delete(key);
    if (this.capacity === 0) return;
    if (this.#entries.size === this.capacity) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, value);
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
  /** Paging-structure cache entries of levels 2, 3, 4. */
  readonly psc: readonly [number, number, number];
  readonly eptPsc: readonly [number, number, number];
  readonly nestedTlb: number;
  readonly pmlEntries: number;
  /** 1: 4 KiB pages, 2: 2 MiB, in both dimensions. */
  readonly leaf: 1 | 2;
}

const ROOT = 4;
const TABLE_FRAMES = 2 ** 25;

interface Flags {
  a: boolean;
  d: boolean;
}

class Vm {
  /** Guest entries by level and index prefix; EPT entries likewise. */
  readonly guest = new Map<string, Flags>();
  readonly ept = new Map<string, Flags>();
  /** Guest frame of a table (level, prefix) and of a page. */
  readonly tableFrame = new Map<string, number>([[`${ROOT}:0`, TABLE_FRAMES]]);
  readonly dataFrame = new Map<number, number>();
  readonly backed = new Set<number>();

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
  readonly eptPsc: Lru<true>[];
  readonly nestedTlb: Lru<{ dirty: boolean }>;
  log: number[] = [];
  constructor(
    readonly vm: Vm,
    g: Geometry,
  ) {
    this.l1 = Array.from({ length: g.l1Sets }, () => new Lru(g.l1Ways));
    this.l2 = Array.from({ length: g.l2Sets }, () => new Lru(g.l2Ways));
    this.psc = g.psc.map(n => new Lru(n));
    this.eptPsc = g.eptPsc.map(n => new Lru(n));
    this.nestedTlb = new Lru(g.nestedTlb);
  }
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
  readonly drained: number[] = [];
  readonly vcpus: Vcpu[];
  readonly #vms = new Map<number, Vm>();
  readonly #pageSize: number;

  constructor(
    readonly g: Geometry,
    readonly processes: readonly number[],
  ) {
    this.#pageSize = 4096 * 512 ** (g.leaf - 1);
    this.vcpus = processes.map(process => {
      let vm = this.#vms.get(process);
      if (!vm) this.#vms.set(process, (vm = new Vm()));
      return new Vcpu(vm, g);
    });
  }

  access(vcpu: number, address: number, write: boolean, size = 8): void {
    this.#page(this.vcpus[vcpu], address, write);
    const last = address + size - 1;
    const page = Math.floor(last / this.#pageSize);
    if (page !== Math.floor(address / this.#pageSize)) this.#page(this.vcpus[vcpu], page * this.#pageSize, write);
  }

  eptFlags(process: number, address: number): Flags | undefined {
    const vm = this.#vms.get(process)!;
    const frame = vm.dataFrame.get(Math.floor(address / this.#pageSize));
    return frame === undefined ? undefined : vm.ept.get(`${this.g.leaf}:${frame}`);
  }

  guestFlags(process: number, address: number): Flags | undefined {
    return this.#vms.get(process)!.guest.get(`${this.g.leaf}:${Math.floor(address / this.#pageSize)}`);
  }

  invept(): void {
    for (const v of this.vcpus) {
      for (const set of [...v.l1, ...v.l2, ...v.psc, ...v.eptPsc]) set.clear();
      v.nestedTlb.clear();
    }
  }

  #page(v: Vcpu, address: number, write: boolean): void {
    const page = Math.floor(address / this.#pageSize);
    const set1 = v.l1[page % this.g.l1Sets];
    const set2 = v.l2[page % this.g.l2Sets];
    let dirty: boolean;
    const hit1 = set1.get(page);
    if (hit1) dirty = hit1.dirty;
    else {
      this.l1Misses++;
      const hit2 = set2.get(page);
      if (hit2) dirty = hit2.dirty;
      else {
        this.misses++;
        dirty = this.#walk(v, page, address, write);
        set2.set(page, { dirty });
      }
    }
    if (write && !dirty) {
      this.dirtyWalks++;
      dirty = this.#walk(v, page, address, true);
      set2.set(page, { dirty: true });
    }
    set1.set(page, { dirty });
  }

  #walk(v: Vcpu, page: number, address: number, write: boolean): boolean {
    const { vm } = v;
    const { leaf } = this.g;
    const prefix = (level: number) => Math.floor(page / 512 ** (level - leaf));
    // The VMM maps the page: tables from the top, then the frame.
    if (!vm.dataFrame.has(page)) {
      for (let level = ROOT - 1; level >= leaf; level--) {
        const key = `${level}:${prefix(level + 1)}`;
        if (!vm.tableFrame.has(key)) vm.tableFrame.set(key, TABLE_FRAMES + vm.tableFrame.size);
      }
      vm.dataFrame.set(page, vm.dataFrame.size);
    }
    let start = ROOT;
    for (let level = leaf + 1; level <= ROOT; level++) {
      if (!v.psc[level - 2].get(prefix(level))) continue;
      start = level - 1;
      break;
    }
    for (let level = start; level >= leaf; level--) {
      const table = level === ROOT ? `${ROOT}:0` : `${level}:${prefix(level + 1)}`;
      this.#nested(v, vm.tableFrame.get(table)!, true);
      this.nativeReferences++;
      this.nestedReferences++;
      const entry = vm.flags(vm.guest, `${level}:${prefix(level)}`);
      entry.a = true;
      if (level === leaf && write) entry.d = true;
      if (level > leaf) v.psc[level - 2].set(prefix(level), true);
    }
    const frame = vm.dataFrame.get(page)!;
    if (!vm.backed.has(frame)) {
      this.violations++;
      vm.backed.add(frame);
    }
    const within = Math.floor((address % this.#pageSize) / 4096);
    this.#nested(v, frame * 512 ** (leaf - 1) + within, write);
    return vm.guest.get(`${leaf}:${page}`)!.d && vm.ept.get(`${leaf}:${frame}`)!.d;
  }

  /** Translates a guest frame of 4 KiB. */
  #nested(v: Vcpu, frame: number, write: boolean): void {
    const { vm } = v;
    const { leaf } = this.g;
    const prefix = (level: number) => Math.floor(frame / 512 ** (level - 1));
    const cached = v.nestedTlb.get(prefix(leaf));
    if (cached && (!write || cached.dirty)) return;
    let start = ROOT;
    for (let level = leaf + 1; level <= ROOT; level++) {
      if (!v.eptPsc[level - 2].get(prefix(level))) continue;
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
    for (let level = start; level > leaf; level--) v.eptPsc[level - 2].set(prefix(level), true);
    v.nestedTlb.set(prefix(leaf), { dirty: last.d });
  }
}
