/**
 * Plain twins of the mechanisms that sample, count in a device, or look without a flush, written from mechanisms.md (A.3,
 * H.13, J): maps and lists, nothing cached.
 */
import { PROCESSES, Reference, SECOND_NS, type Seen } from './generatedRuns.js';

export type Values = Readonly<Record<string, number>>;

/** FNV-1a, never 0: the seed that goes with a name. */
function seedOf(text: string): bigint {
  let hash = 0x811c9dc5n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x01000193n) % 2n ** 32n;
  return hash || 1n;
}

/** xorshift32 (Marsaglia 2003): the next number of 32 bits. */
function xorshift(x: bigint): bigint {
  let y = (x ^ (x << 13n)) % 2n ** 32n;
  y ^= y >> 17n;
  return (y ^ (y << 5n)) % 2n ** 32n;
}

/** A timer that is due a period after it was last found due. */
class Every {
  #next: number;
  constructor(readonly seconds: number) {
    this.#next = seconds * SECOND_NS;
  }
  due(ns: number): boolean {
    if (ns < this.#next) return false;
    this.#next = ns + this.seconds * SECOND_NS;
    return true;
  }
}

function count<K>(counts: Map<K, number>, key: K, amount = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/**
 * A/D flags of the EPT, cleared without a flush: A is set by walks; D by writes that walk, or that find a translation which
 * was walked for a read while D was clear. TLBs are not told apart here: what one vCPU learns of D, all know (arms.ts).
 */
export class UnflushedFlags extends Reference {
  readonly #scan: Every;
  readonly #accessed = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #knownClean = new Set<string>();

  constructor({ periodSeconds }: Values) {
    super();
    this.#scan = new Every(periodSeconds);
  }

  access({ key, write, walks }: Seen): void {
    if (walks) this.#accessed.add(key);
    if (write && (walks || this.#knownClean.has(key))) {
      this.#accessed.add(key);
      this.#dirty.add(key);
      this.#knownClean.delete(key);
    } else if (walks && !this.#dirty.has(key)) this.#knownClean.add(key);
  }

  clock(ns: number): void {
    if (this.#scan.due(ns)) this.end();
  }

  override end(): void {
    for (const key of this.#accessed) this.tell(key, this.#dirty.has(key));
    this.#accessed.clear();
    this.#dirty.clear();
  }
}

interface Region {
  from: number;
  to: number;
  n: number;
  last: number;
  age: number;
}

/** J, DAMON: one random page a region and sample, its accessed flag cleared without a flush. */
export class Damon extends Reference {
  readonly #values: Values;
  readonly #sample: Every;
  readonly #update: Every;
  #random = seedOf('damon');
  /** By process, in order of appearance: which pages are mapped, and present. */
  readonly #mapped = new Map<number, Set<number>>();
  readonly #present = new Set<string>();
  readonly #accessed = new Set<string>();
  readonly #regions = new Map<number, Region[]>();
  #watched: { readonly region: Region; readonly key: string }[] = [];
  #checks = 0;
  #before = 0;

  constructor(values: Values) {
    super();
    this.#values = values;
    this.#sample = new Every(values.sampleSeconds);
    this.#update = new Every(values.updateSeconds);
    this.own.checks = 0;
  }

  access({ key, process, page, walks }: Seen): void {
    this.#present.add(key);
    this.#pages(process).add(page);
    if (walks) this.#accessed.add(key);
  }

  override unmap(key: string, process: number, page: number): void {
    this.#pages(process).delete(page);
    this.#present.delete(key);
    this.#accessed.delete(key);
  }

  clock(ns: number): void {
    if (!this.#sample.due(ns)) return;
    if (this.#regions.size > 0) this.#check();
    const update = this.#update.due(ns);
    if (this.#regions.size === 0 || update) for (const process of this.#mapped.keys()) this.#cover(process);
    this.#watched = [...this.#regions].flatMap(([process, regions]) =>
      regions.map(region => ({ region, key: `${process} ${region.from + this.#draw(region.to - region.from)}` })),
    );
    for (const { key } of this.#watched) this.#accessed.delete(key);
  }

  #pages(process: number): Set<number> {
    if (!this.#mapped.has(process)) this.#mapped.set(process, new Set());
    return this.#mapped.get(process)!;
  }

  /** Whole numbers from 0 to n - 1. */
  #draw(n: number): number {
    this.#random = xorshift(this.#random);
    return Math.floor((Number(this.#random) / 2 ** 32) * n);
  }

  /** The parts of the address space between its two largest gaps: [first page, behind the last]. */
  #ranges(process: number): [number, number][] {
    const pages = [...this.#mapped.get(process)!].sort((a, b) => a - b);
    if (pages.length === 0) return [];
    const gaps = pages.slice(1).map((page, i) => ({ at: i + 1, size: page - pages[i] - 1 }));
    const cuts = gaps
      .filter(({ size }) => size > 0)
      .sort((a, b) => b.size - a.size || a.at - b.at)
      .slice(0, 2)
      .map(({ at }) => at)
      .sort((a, b) => a - b);
    return [0, ...cuts].map((start, i) => [pages[start], pages[(cuts[i] ?? pages.length) - 1] + 1]);
  }

  #cover(process: number): void {
    const ranges = this.#ranges(process);
    const known = this.#regions.get(process);
    const fresh = (from: number, to: number): Region => ({ from, to, n: 0, last: 0, age: 0 });
    const covered: Region[] = [];
    if (known) {
      for (const [from, to] of ranges) {
        const inside = known.filter(region => region.from < to && region.to > from);
        if (inside.length === 0) covered.push(fresh(from, to));
        for (const [i, region] of inside.entries()) {
          if (i > 0 && inside[i - 1].to < region.from) covered.push(fresh(inside[i - 1].to, region.from));
          if (i === 0) region.from = from;
          if (i === inside.length - 1) region.to = to;
          covered.push(region);
        }
      }
    } else {
      const all = ranges.reduce((sum, [from, to]) => sum + to - from, 0);
      const piece = Math.max(1, Math.floor(all / this.#values.leastRegions));
      for (const [from, to] of ranges) {
        const pieces = Math.max(1, Math.floor((to - from) / piece));
        const size = Math.floor((to - from) / pieces);
        for (let i = 0; i < pieces; i++)
          covered.push(fresh(from + i * size, i < pieces - 1 ? from + (i + 1) * size : to));
      }
    }
    this.#regions.set(process, covered);
  }

  #check(): void {
    for (const { region, key } of this.#watched) {
      this.own.checks++;
      if (this.#present.has(key) && this.#accessed.has(key)) region.n++;
    }
    const { aggregateSeconds, sampleSeconds } = this.#values;
    if (++this.#checks < Math.max(1, Math.round(aggregateSeconds / sampleSeconds))) return;
    this.#checks = 0;
    this.#merge();
    for (const [process, regions] of this.#regions) {
      for (const region of regions) {
        for (let page = region.from; page < region.to; page++)
          if (region.n > 0 && this.#present.has(`${process} ${page}`)) this.tell(`${process} ${page}`, false, region.n);
        region.last = region.n;
        region.n = 0;
      }
    }
    this.#split();
  }

  /** Neighbours with counts at most a tenth of the greatest apart, up to all pages over the least number of regions. */
  #merge(): void {
    const all = [...this.#regions.values()].flat();
    const apart = Math.floor(Math.max(0, ...all.map(({ n }) => n)) / 10);
    const limit = Math.max(
      1,
      Math.floor(all.reduce((sum, { from, to }) => sum + to - from, 0) / this.#values.leastRegions),
    );
    for (const regions of this.#regions.values()) {
      for (const region of regions) region.age = Math.abs(region.n - region.last) > apart ? 0 : region.age + 1;
      for (let i = 1; i < regions.length; ) {
        const [a, b] = [regions[i - 1], regions[i]];
        if (a.to !== b.from || Math.abs(a.n - b.n) > apart || b.to - a.from > limit) {
          i++;
          continue;
        }
        const weighted = (x: number, y: number) =>
          Math.floor((x * (a.to - a.from) + y * (b.to - b.from)) / (b.to - a.from));
        a.n = weighted(a.n, b.n);
        a.age = weighted(a.age, b.age);
        a.to = b.to;
        regions.splice(i, 1);
      }
    }
  }

  #split(): void {
    const { mostRegions } = this.#values;
    const number = [...this.#regions.values()].flat().length;
    if (number > mostRegions / 2) return;
    const cuts = number === this.#before && number < mostRegions / 3 ? 2 : 1;
    this.#before = number;
    for (const regions of this.#regions.values()) {
      for (const region of [...regions]) {
        for (let cut = 0; cut < cuts && region.to - region.from > 2; cut++) {
          const size = Math.floor(((1 + this.#draw(9)) * (region.to - region.from)) / 10);
          if (size === 0) continue;
          regions.splice(regions.indexOf(region) + 1, 0, { ...region, from: region.from + size });
          region.to = region.from + size;
        }
      }
    }
  }
}

/** H.13, PEBS: every n-th load that is slow, and every n-th store. */
export class Pebs extends Reference {
  #loads = 0;
  #stores = 0;
  readonly #buffered = PROCESSES.map(() => 0);

  constructor(readonly values: Values) {
    super();
    Object.assign(this.own, { loadSamples: 0, storeSamples: 0, interrupts: 0 });
  }

  access({ key, vcpu, write, served }: Seen): void {
    const { loadPeriod, storePeriod, thresholdCycles, bufferRecords } = this.values;
    // What takes longer than the threshold: L1 hits take 4 cycles, L2's 12, the LLC's 42, memory 444 (A.4, I.1).
    const cycles = [4, 12, 42, 444][served];
    if (write ? ++this.#stores % storePeriod : cycles <= thresholdCycles || ++this.#loads % loadPeriod) return;
    this.tell(key, write);
    this.own[write ? 'storeSamples' : 'loadSamples']++;
    if (++this.#buffered[vcpu] < bufferRecords) return;
    this.#buffered[vcpu] = 0;
    this.own.interrupts++;
  }

  clock(): void {}
}

/** J, IBS op: the counter begins anew at a random number of 7 bits; a filter drops what memory did not serve. */
export class Ibs extends Reference {
  #random = seedOf('ibs 0');
  #left: number;

  constructor(readonly values: Values) {
    super();
    this.#left = this.#interval();
    Object.assign(this.own, { samples: 0, droppedSamples: 0 });
  }

  #interval(): number {
    this.#random = xorshift(this.#random);
    return this.values.period - (this.values.period % 16) - Number(this.#random % 128n);
  }

  access({ key, write, served }: Seen): void {
    if (--this.#left > 0) return;
    this.#left = this.#interval();
    if (this.values.l3MissOnly === 1 && served !== 3) {
      this.own.droppedSamples++;
      return;
    }
    this.own.samples++;
    this.tell(key, write);
  }

  clock(): void {}
}

/** J, CHMU: a counter a unit; at the epoch's end, or whenever a counter is at the threshold, a record of a list. */
export class HotPageUnit extends Reference {
  readonly #epoch: Every;
  readonly #read: Every;
  /** By order of first touch, as the units lie in the device. */
  readonly #counts = new Map<number, { readonly key: string; n: number }>();
  #list: { readonly key: string; readonly n: number }[] = [];

  constructor(readonly values: Values) {
    super();
    this.#epoch = new Every(values.epochSeconds);
    this.#read = new Every(values.readSeconds);
    Object.assign(this.own, { countedLines: 0, hotRecords: 0, lostRecords: 0 });
  }

  access({ memory }: Seen): void {
    const { operations, alwaysOn, threshold } = this.values;
    for (const { key, order, back } of memory) {
      if (operations === (back ? 1 : 2)) continue;
      this.own.countedLines++;
      const unit = this.#counts.get(order) ?? { key, n: 0 };
      this.#counts.set(order, unit);
      unit.n++;
      if (!alwaysOn || unit.n < threshold) continue;
      this.#record(unit);
      unit.n = 0;
    }
  }

  #record({ key, n }: { readonly key: string; readonly n: number }): void {
    if (this.#list.length < this.values.listEntries) {
      this.#list.push({ key, n });
      this.own.hotRecords++;
    } else this.own.lostRecords++;
  }

  clock(ns: number): void {
    if (this.#read.due(ns)) this.end();
    if (!this.#epoch.due(ns) || this.values.alwaysOn) return;
    for (const [, unit] of [...this.#counts].sort(([a], [b]) => a - b))
      if (unit.n >= this.values.threshold) this.#record(unit);
    this.#counts.clear();
  }

  override end(): void {
    for (const { key, n } of this.#list) this.tell(key, this.values.operations === 2, n);
    this.#list = [];
  }
}

/** J, NeoProf: a count-min sketch of all that memory serves, with a threshold that follows a share of its counters. */
export class NeoProf extends Reference {
  readonly #clear: Every;
  readonly #update: Every;
  readonly #read: Every;
  readonly #seeds: readonly bigint[];
  /** By row and place. */
  readonly #counters = new Map<string, number>();
  readonly #reported = new Set<string>();
  #buffer: string[] = [];
  #threshold = Number.POSITIVE_INFINITY;
  #percent: number;
  #lines = 0;
  #updatedAt = 0;

  constructor(readonly values: Values) {
    super();
    this.#clear = new Every(values.clearSeconds);
    this.#update = new Every(values.thresholdSeconds);
    this.#read = new Every(values.readSeconds);
    this.#seeds = Array.from({ length: values.rows }, (_, row) => seedOf(`neoprof ${row}`));
    this.#percent = values.firstPercent;
    Object.assign(this.own, {
      countedLines: 0,
      hotReports: 0,
      refusedByFullBuffer: 0,
      hotPercent: values.firstPercent,
    });
  }

  /** The finishing steps of MurmurHash3. */
  #place(order: number, seed: bigint): number {
    let h = (BigInt(order) ^ seed) % 2n ** 32n;
    h = ((h ^ (h >> 16n)) * 0x85ebca6bn) % 2n ** 32n;
    h = ((h ^ (h >> 13n)) * 0xc2b2ae35n) % 2n ** 32n;
    return Number((h ^ (h >> 16n)) % BigInt(this.values.width));
  }

  access({ memory }: Seen): void {
    for (const { key, order } of memory) {
      this.#lines++;
      this.own.countedLines++;
      const places = this.#seeds.map((seed, row) => `${row} ${this.#place(order, seed)}`);
      for (const place of places) count(this.#counters, place);
      const estimate = Math.min(...places.map(place => this.#counters.get(place)!));
      if (estimate < this.#threshold || this.#reported.has(key)) continue;
      if (this.#buffer.length === this.values.bufferEntries) {
        this.own.refusedByFullBuffer++;
        continue;
      }
      this.#buffer.push(key);
      this.#reported.add(key);
      this.own.hotReports++;
    }
  }

  clock(ns: number): void {
    if (this.#read.due(ns)) this.end();
    if (this.#update.due(ns)) this.#adapt(ns);
    if (!this.#clear.due(ns)) return;
    this.#counters.clear();
    this.#reported.clear();
  }

  /** p <- p (1 + B)^alpha within its bounds; nothing migrates. Then the threshold, from 64 bins of one row's counters. */
  #adapt(ns: number): void {
    const { alpha, deviceGBps, leastPercent, mostPercent, width } = this.values;
    const use = Math.min(1, (this.#lines * 64) / ((ns - this.#updatedAt) * deviceGBps));
    this.#percent = Math.min(mostPercent, Math.max(leastPercent, this.#percent * (1 + use) ** alpha));
    this.own.hotPercent = this.#percent;
    this.#updatedAt = ns;
    this.#lines = 0;
    const row = Array.from({ length: width }, (_, place) => this.#counters.get(`0 ${place}`) ?? 0);
    const bin = Math.ceil((Math.max(...row) + 1) / 64);
    // From above: lower ends of bins, as long as no more counters are above than the share allows; one bin at least.
    const ends = [...new Set(row.map(n => Math.floor(n / bin) * bin))].sort((a, b) => b - a);
    const fits = ends.filter(end => row.filter(n => n >= end).length <= (this.#percent / 100) * width);
    this.#threshold = Math.max(1, fits.at(-1) ?? ends[0]);
    this.own.thresholdLines = this.#threshold;
  }

  override end(): void {
    for (const key of this.#buffer) this.tell(key, false);
    this.#buffer = [];
  }
}
