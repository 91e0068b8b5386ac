/** The data caches as a naive simulator: lists, straight from the rules in kernel/cache.ts. */

export interface Shape {
  readonly l1: readonly [number, number];
  readonly l2: readonly [number, number];
  readonly llc: readonly [number, number];
}

interface Line {
  readonly line: number;
  /** Site that last wrote it; -1 clean. */
  writer: number;
}

/** Three levels as lists, most recent first, straight from the rules in kernel/cache.ts. */
export class NaiveCaches {
  readonly #l1: Line[][][];
  readonly #l2: Line[][][];
  readonly #llc: Line[][];
  /** `reads:site`, `writes:site`, `readPage:page`, `writePage:page` -> lines. */
  readonly traffic = new Map<string, number>();
  /** Lines that memory served, in order; whether written back. */
  readonly memory: { readonly line: number; readonly back: boolean }[] = [];

  constructor(
    readonly shape: Shape,
    vcpus: number,
  ) {
    const level = ([sets]: readonly [number, number]) => Array.from({ length: sets }, (): Line[] => []);
    this.#l1 = Array.from({ length: vcpus }, () => level(shape.l1));
    this.#l2 = Array.from({ length: vcpus }, () => level(shape.l2));
    this.#llc = level(shape.llc);
  }

  /**
   * `line` is the physical line: PageIndex * 64 + line in the page. Returns what served it: 0 L1D, 1 L2, 2 LLC, 3 memory.
   */
  access(vcpu: number, line: number, site: number, write: boolean): number {
    const l1 = this.#set(this.#l1[vcpu], line);
    const writer = write ? site : -1;
    const hit = this.#front(l1, line);
    if (hit) {
      if (write) hit.writer = site;
      return 0;
    }
    const l2 = this.#set(this.#l2[vcpu], line);
    let served = 1;
    if (!this.#front(l2, line)) {
      served = 2;
      const llc = this.#set(this.#llc, line);
      if (!this.#front(llc, line)) {
        served = 3;
        this.#charge('read', site, line);
        this.#toMemory(this.#insert(llc, this.shape.llc[1], { line, writer: -1 }));
      }
      this.#toLlc(this.#insert(l2, this.shape.l2[1], { line, writer: -1 }));
    }
    this.#toL2(vcpu, this.#insert(l1, this.shape.l1[1], { line, writer }));
    return served;
  }

  end(vcpu: number): void {
    for (const [index, set] of this.#l1[vcpu].entries()) {
      this.#l1[vcpu][index] = [];
      for (const line of set) this.#toL2(vcpu, line);
    }
    for (const [index, set] of this.#l2[vcpu].entries()) {
      this.#l2[vcpu][index] = [];
      for (const line of set) this.#toLlc(line);
    }
  }

  #toL2(vcpu: number, victim: Line | undefined): void {
    if (!victim || victim.writer < 0) return;
    const set = this.#set(this.#l2[vcpu], victim.line);
    const there = set.find(l => l.line === victim.line);
    if (there) there.writer = victim.writer;
    else this.#toLlc(this.#insert(set, this.shape.l2[1], victim));
  }

  #toLlc(victim: Line | undefined): void {
    if (!victim || victim.writer < 0) return;
    const set = this.#set(this.#llc, victim.line);
    const there = set.find(l => l.line === victim.line);
    if (there) there.writer = victim.writer;
    else this.#toMemory(this.#insert(set, this.shape.llc[1], victim));
  }

  #toMemory(victim: Line | undefined): void {
    if (victim && victim.writer >= 0) this.#charge('write', victim.writer, victim.line);
  }

  #charge(kind: 'read' | 'write', site: number, line: number): void {
    this.memory.push({ line, back: kind === 'write' });
    for (const key of [`${kind}:${site}`, `${kind}Page:${Math.floor(line / 64)}`])
      this.traffic.set(key, (this.traffic.get(key) ?? 0) + 1);
  }

  #set(level: Line[][], line: number): Line[] {
    return level[line % level.length];
  }

  #front(set: Line[], line: number): Line | undefined {
    const at = set.findIndex(l => l.line === line);
    if (at < 0) return undefined;
    const [hit] = set.splice(at, 1);
    set.unshift(hit);
    return hit;
  }

  #insert(set: Line[], ways: number, line: Line): Line | undefined {
    set.unshift({ ...line });
    return set.length > ways ? set.pop() : undefined;
  }
}
