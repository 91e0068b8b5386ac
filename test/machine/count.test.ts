import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SITE_RANGE_READ, SITE_READ, SITE_SIZE_SHIFT, SITE_UNALIGNED, SITE_WRITE } from '../../core/kernel/abi.js';
import { Kernel, type KernelOptions } from '../../core/machine/kernel.js';
import { type MachineCountsOfRun, MachineHalf } from '../../core/machine/machineHalf.js';
import { type CountedReplay, countedReplay } from '../../core/machine/results.js';
import { type Access, Reference, type Site } from './reference.js';

const HEAP = 1;
const ANONYMOUS = 5;

/** Eight sites: reads and writes of 1, 8, 16 and 64 bytes. */
const SITES: Site[] = [1, 8, 16, 64].flatMap(bytes => [
  { bytes, write: false },
  { bytes, write: true },
]);

function kindOf(site: Site): number {
  return (site.write ? SITE_WRITE : SITE_READ) | (Math.log2(site.bytes) << SITE_SIZE_SHIFT) | SITE_UNALIGNED;
}

interface Rig {
  readonly kernel: Kernel;
  /** The other half, without a machine: distances and epochs. */
  readonly half: MachineHalf;
  /** vCPU of each of the two processes. */
  readonly vcpus: number[];
  /** Heap object `o` is the one allocated by site `o - 1`. */
  object(number: number): number;
  access(accesses: readonly Access[]): void;
}

const halves = new WeakMap<Kernel, MachineHalf>();
const results = new WeakMap<Kernel, MachineCountsOfRun>();

function rig(given: Partial<KernelOptions> = {}, limits?: [bigint, number, number]): Rig {
  const options = { pageSize: 4096, epochAccesses: 0, ...given } as const;
  const half = new MachineHalf(options);
  const kernel = new Kernel({ ...options, deliver: messages => half.deliver(messages) });
  halves.set(kernel, half);
  if (limits) {
    kernel.exports.setEpochLimits(...limits);
    half.exports.setEpochLimits(...limits);
  }
  kernel.defineRunSites(
    Uint32Array.from(SITES, (_, i) => i),
    Uint16Array.from(SITES, kindOf),
  );
  const vcpus = [kernel.createThread(0), kernel.createThread(1), kernel.createThread(2)];
  const scratch = kernel.exports.allocate(64);
  return {
    kernel,
    half,
    vcpus,
    object(number) {
      kernel.u32(scratch, 1)[0] = number - 1;
      return kernel.exports.stackObjectOfSites(HEAP, scratch, 1);
    },
    access(accesses) {
      for (let from = 0; from < accesses.length; ) {
        let to = from;
        while (to < accesses.length && accesses[to].process === accesses[from].process) to++;
        const part = accesses.slice(from, to);
        kernel.access(
          vcpus[part[0].process],
          Uint32Array.from(part, a => a.site),
          BigUint64Array.from(part, a => BigInt(a.address)),
        );
        from = to;
      }
    },
  };
}

function process(kernel: Kernel, number: number): number {
  return kernel.exports.processRecord(number);
}

function finish(kernel: Kernel): CountedReplay {
  kernel.finish();
  results.set(kernel, halves.get(kernel)!.finish());
  return countedReplay(kernel, results.get(kernel)!);
}

/** Ends the run, if it has not ended. */
function distances(kernel: Kernel): Float64Array {
  if (!results.has(kernel)) finish(kernel);
  return results.get(kernel)!.distances;
}

/** Everything that the reference knows, compared. `objects` maps its numbers to the kernel's. */
function agree(counted: CountedReplay, kernel: Kernel, reference: Reference, objects: number[]): void {
  const back = new Map(objects.map((kernelNumber, o) => [kernelNumber, o]));
  const { pairs, pages } = counted;
  const pairCounts = Object.fromEntries(
    Array.from({ length: pairs.count }, (_, p) => [
      `${pairs.site[p]}/${back.get(pairs.object[p])}`,
      pairs.reads[p] + pairs.writes[p],
    ]),
  );
  expect(pairCounts).toEqual(Object.fromEntries(reference.pairs));

  const names = Array.from({ length: pages.count }, (_, row) => `${pages.process[row]}/${pages.number[row]}`);
  expect(new Set(names)).toEqual(reference.touched);
  for (const [row, name] of names.entries()) {
    expect(pages.reads[row], name).toBe(reference.pageReads.get(name) ?? 0);
    expect(pages.writes[row], name).toBe(reference.pageWrites.get(name) ?? 0);
    expect(pages.linesUsed[row], name).toBe(reference.pageLines.get(name)?.size ?? 0);
    const owners = objects.map((o, i) => [reference.pageObject.get(`${name}/${i}`) ?? 0, o]);
    const most = Math.max(...owners.map(([n]) => n));
    if (most > 0) expect(pages.object[row]).toBe(Math.min(...owners.filter(([n]) => n === most).map(([, o]) => o)));
  }

  for (let site = 0; site < SITES.length; site++)
    expect(counted.pageSets.ofSites(Uint32Array.of(site))).toBe(reference.sitePages.get(site)?.size ?? 0);
  const union = new Set([...(reference.sitePages.get(1) ?? []), ...(reference.sitePages.get(4) ?? [])]);
  expect(counted.pageSets.ofSites(Uint32Array.of(1, 4))).toBe(union.size);
  for (const [i, object] of objects.entries()) {
    expect(counted.objects.pages[object], `pages of ${i}`).toBe(reference.objectPages.get(i)?.size ?? 0);
    expect(counted.objects.linesUsed[object], `lines of ${i}`).toBe(reference.objectLines.get(i)?.size ?? 0);
  }
  const both = new Set([...(reference.objectPages.get(0) ?? []), ...(reference.objectPages.get(1) ?? [])]);
  expect(counted.pageSets.ofObjects(Uint32Array.from(objects.slice(0, 2)))).toBe(both.size);

  const histogram = Array.from(distances(kernel));
  while (histogram.length > 1 && histogram.at(-1) === 0) histogram.pop();
  const expected = reference.histogram();
  while (expected.length > 1 && expected.at(-1) === 0) expected.pop();
  expect(histogram).toEqual(expected);
  conserved(counted);
}

/** Design 3.1, for reads, writes and traffic apart. */
function conserved(counted: CountedReplay): void {
  const total = (column: ArrayLike<number>): number => Array.from(column).reduce((a, b) => a + b, 0);
  for (const column of ['reads', 'writes', 'trafficReads', 'trafficWrites'] as const) {
    const sums = [counted.sites, counted.pairs, counted.objects, counted.pages, counted.epochs, counted.heat].map(
      table => total(table[column]),
    );
    expect(sums, column).toEqual(sums.map(() => counted.totals[column]));
  }
}

type Step =
  | { readonly op: 'access'; readonly accesses: Access[] }
  | { readonly op: 'alloc'; readonly process: number; readonly slot: number; readonly object: number }
  | { readonly op: 'free'; readonly process: number; readonly slot: number };

const BASE = 0x5000_0000_0000;
/** Places of blocks, without overlaps: small, odd, 8-byte-aligned, across tiles, whole tiles, hundreds of tiles. */
const SLOTS: { address: number; size: number }[] = [
  { address: BASE + 0x10, size: 24 },
  { address: BASE + 0x30, size: 13 },
  { address: BASE + 0x40, size: 8 },
  { address: BASE + 0x48, size: 8 },
  { address: BASE + 0x50, size: 3 },
  { address: BASE + 0x80, size: 1000 },
  { address: BASE + 0xff0, size: 40 },
  { address: BASE + 0x1020, size: 8100 },
  { address: BASE + 0x3000, size: 4096 },
  { address: BASE + 0x4000, size: 12288 },
  { address: BASE + 0x7ff7, size: 9 },
  { address: BASE + 0x8001, size: 5 },
  { address: BASE + 0x9010, size: 80 * 4096 },
];
const END = BASE + 0x5a100;

const address = fc.oneof(
  { weight: 4, arbitrary: fc.nat({ max: 0x1100 }).map(n => BASE + n) },
  { weight: 4, arbitrary: fc.nat({ max: 0xa000 }).map(n => BASE + n) },
  { weight: 1, arbitrary: fc.nat({ max: END - BASE }).map(n => BASE + n) },
  { weight: 1, arbitrary: fc.nat({ max: 1 << 26 }).map(n => 0x40_0000 + n) },
);
const access = fc.record({
  process: fc.nat({ max: 1 }),
  site: fc.nat({ max: SITES.length - 1 }),
  address,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('access' as const), accesses: fc.array(access, { maxLength: 60 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('alloc' as const),
      process: fc.nat({ max: 1 }),
      slot: fc.nat({ max: SLOTS.length - 1 }),
      object: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('free' as const),
      process: fc.nat({ max: 1 }),
      slot: fc.nat({ max: SLOTS.length - 1 }),
    }),
  },
);

/** Plays steps on both. The kernel's 16-byte granules may own slack, so accesses to it are moved to the block. */
function play(
  steps: readonly Step[],
  { kernel, access, object }: Rig,
  reference: Reference,
  live: Set<string>,
): number[] {
  const objects = [0, 1, 2, 3].map(o => (o ? object(o) : 0));
  for (const step of steps) {
    if (step.op === 'access') {
      const moved = step.accesses.map(a => ({
        ...a,
        address: outOfSlack(a.address, slot => live.has(`${a.process}/${slot}`)),
      }));
      access(moved);
      for (const a of moved) reference.access(a);
    } else {
      const key = `${step.process}/${step.slot}`;
      const { address, size } = SLOTS[step.slot];
      if (step.op === 'alloc') {
        kernel.exports.allocBlock(process(kernel, step.process), BigInt(address), BigInt(size), objects[step.object]);
        reference.own(step.process, address, size, step.object);
        live.add(key);
      } else {
        kernel.exports.freeBlock(process(kernel, step.process), BigInt(address));
        reference.own(step.process, address, size, 0);
        live.delete(key);
      }
    }
  }
  return objects;
}

/** An address in what may be the unused rest of a block's last granule, and in no live block, moves into the block. */
function outOfSlack(address: number, owned: (slot: number) => boolean): number {
  if (SLOTS.some((slot, i) => owned(i) && within(slot, address))) return address;
  for (const slot of SLOTS) {
    const end = slot.address + slot.size;
    if (address >= end && address < Math.ceil(end / 16) * 16) return end - 1;
  }
  return address;
}

function within(slot: { address: number; size: number }, address: number): boolean {
  return address >= slot.address && address < slot.address + slot.size;
}

describe('counting', () => {
  it('agrees with the plain model on generated programs of two processes with equal addresses', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), steps => {
        const machine = rig();
        const reference = new Reference(SITES);
        const objects = play(steps, machine, reference, new Set());
        agree(finish(machine.kernel), machine.kernel, reference, objects);
      }),
      { numRuns: 100 },
    );
  });

  it('agrees with the plain model on 2 MiB pages', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), steps => {
        const machine = rig({ pageSize: 2097152 });
        const reference = new Reference(SITES, 2097152);
        const objects = play(steps, machine, reference, new Set());
        agree(finish(machine.kernel), machine.kernel, reference, objects);
      }),
      { numRuns: 50 },
    );
  });

  it('counts a straddling access once, on the page of its first byte, and touches both pages', () => {
    const { kernel, access } = rig();
    access([{ process: 0, site: 3, address: BASE + 4092 }]);
    const { pages, totals, epochs, sites } = finish(kernel);
    expect([...pages.writes]).toEqual([1, 0]);
    expect([...pages.linesUsed]).toEqual([1, 1]);
    expect(totals).toMatchObject({ reads: 0, writes: 1, pagesTouched: 2, pagesRead: 0, pagesWritten: 1 });
    expect([epochs.pages[0], epochs.pagesWritten[0], epochs.entered[0]]).toEqual([2, 1, 2]);
    expect(sites.writes[3]).toBe(1);
  });

  it('a piece of a bulk operation stays within its line whatever its site says of sizes', () => {
    const { kernel, vcpus } = rig();
    kernel.defineRunSites(Uint32Array.of(8), Uint16Array.of(SITE_RANGE_READ | (6 << SITE_SIZE_SHIFT)));
    // 100 bytes from 4060: two pieces in page 0 (4060, 4096 - 36 bytes), one from each started line of page 1.
    kernel.access(vcpus[0], Uint32Array.of(8, 8, 8), BigUint64Array.of(4060n, 4096n, 4160n));
    const { pages, totals } = finish(kernel);
    expect(totals.reads).toBe(3);
    expect([...pages.reads]).toEqual([1, 2]);
    expect([...pages.linesUsed]).toEqual([1, 2]);
  });

  it('what the kernel writes touches pages and is no access', () => {
    const { kernel, access } = rig();
    access([{ process: 0, site: 0, address: 0x1000 }]);
    kernel.exports.touchAddress(process(kernel, 0), 0x2000n);
    kernel.exports.touchAddress(process(kernel, 0), 0x1000n);
    const { totals, pages, epochs } = finish(kernel);
    expect(totals).toMatchObject({ reads: 1, writes: 0, pagesTouched: 2, pagesRead: 1, pagesWritten: 0 });
    expect([...pages.linesUsed]).toEqual([1, 0]);
    expect(epochs.pages[0]).toBe(2);
  });

  it('is the same however the accesses are cut into calls', () => {
    const stream = Array.from({ length: 40_000 }, (_, i) => ({
      process: 0,
      site: i % 8,
      address: BASE + ((i * 7919) % 300_000),
    }));
    const whole = rig();
    whole.access(stream);
    const cut = rig();
    for (let i = 0; i < stream.length; i += 997) cut.access(stream.slice(i, i + 997));
    const plain = ({ pageSets: _, jointPeaks: __, ...rest }: CountedReplay): unknown => rest;
    expect(plain(finish(cut.kernel))).toEqual(plain(finish(whole.kernel)));
  });

  it('traffic is charged to pair and page, and to epochs in which the page was not touched', () => {
    const { kernel, half, access } = rig({ epochAccesses: 2 });
    // The machine half learns of pages with their batch.
    const addTraffic = (pair: number, page: number, isWrite: number) => {
      kernel.flush();
      half.exports.addTraffic(pair, page, isWrite);
    };
    access([
      { process: 0, site: 1, address: 0x1000 },
      { process: 0, site: 0, address: 0x2000 },
    ]);
    addTraffic(1, 1, 0);
    access([
      { process: 0, site: 0, address: 0x2000 },
      { process: 0, site: 0, address: 0x2000 },
    ]);
    access([{ process: 0, site: 0, address: 0x2000 }]);
    // In epoch 2, a dirty line of page 0 leaves the cache.
    addTraffic(0, 0, 1);
    access([{ process: 0, site: 0, address: 0x2000 }]);
    // Behind its end, another one: it belongs to the last epoch.
    addTraffic(0, 0, 1);
    const counted = finish(kernel);
    conserved(counted);
    expect(counted.totals).toMatchObject({ trafficReads: 1, trafficWrites: 2 });
    expect([...counted.pages.trafficWrites]).toEqual([2, 0]);
    expect([...counted.sites.trafficWrites.subarray(0, 2)]).toEqual([0, 2]);
    expect([...counted.epochs.trafficReads]).toEqual([0, 1, 0]);
    expect([...counted.epochs.trafficWrites]).toEqual([0, 0, 2]);
    expect([...counted.epochs.pages]).toEqual([2, 1, 1]);
    expect([...counted.epochs.left]).toEqual([0, 1, 0]);
    // Heat by bin: the rows of epoch 2 are both pages, the one only written back and the one touched.
    expect([...counted.heat.page.subarray(counted.heat.start[2])]).toEqual([0, 1]);
    expect([...counted.heat.trafficWrites.subarray(counted.heat.start[2])]).toEqual([2, 0]);
  });
});

describe('stack distance', () => {
  const page = (n: number): Access => ({ process: 0, site: 0, address: n * 4096 });

  it('gives the worked vector of mechanisms.md E.5: A B C A B D A', () => {
    const { kernel, access } = rig();
    access([...'ABCABDA'].map(letter => page(letter.charCodeAt(0))));
    const { missRatio } = finish(kernel);
    // Four first accesses, three at distance 3.
    expect([...distances(kernel)]).toEqual([4, 0, 0, 3, 0]);
    expect([...missRatio.pages]).toEqual([1, 2, 3, 4]);
    expect([...missRatio.missRatio]).toEqual([1, 1, 4 / 7, 4 / 7]);
  });

  it('a cyclic scan of M pages misses always below M and never from M on', () => {
    const pages = 3000;
    const { kernel, access } = rig();
    access(Array.from({ length: pages * 10 }, (_, i) => page(i % pages)));
    const { missRatio } = finish(kernel);
    expect(missRatio.pages.length).toBeLessThanOrEqual(512);
    expect(missRatio.pages.at(-1)).toBe(pages);
    for (let i = 0; i < missRatio.pages.length; i++)
      expect(missRatio.missRatio[i]).toBe(missRatio.pages[i] < pages ? 1 : 0.1);
  });

  it('agrees with a list through renumberings of times', () => {
    // 180,000 accesses over 700 pages: more list exits than the 65,536 times of the first table.
    let seed = 12345;
    const random = (): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed / 2 ** 32;
    };
    const { kernel, access } = rig();
    const stream = Array.from({ length: 180_000 }, () => Math.floor(700 * random() ** 3));
    access(stream.map(page));
    const stack: number[] = [];
    const expected = new Array<number>(701).fill(0);
    for (const p of stream) {
      const position = stack.indexOf(p);
      expected[position + 1]++;
      if (position >= 0) stack.splice(position, 1);
      stack.unshift(p);
    }
    const distinct = new Set(stream).size;
    expect([...distances(kernel)]).toEqual(expected.slice(0, distinct + 1));
  });

  it('grows its table of times with the pages', () => {
    // 70,000 pages twice in order: every second access at distance 70,000.
    const { kernel, access } = rig();
    access(Array.from({ length: 140_000 }, (_, i) => page(i % 70_000)));
    const histogram = distances(kernel);
    expect([histogram[0], histogram[70_000]]).toEqual([70_000, 70_000]);
  });
});

describe('epochs', () => {
  const stream = (length: number): Access[] =>
    Array.from({ length }, (_, i) => ({
      process: i % 3 ? 0 : 1,
      site: (i * 5) % 8,
      address: 0x1_0000 + ((i * i * 31) % 90_001) + (i > length / 2 ? 0x2_0000 : 0),
    }));

  function compare(counted: CountedReplay, reference: Reference): void {
    const { epochs, heat, pages } = counted;
    const expected = reference.epochs(epochs.accesses);
    expect(epochs.count).toBe(expected.length);
    for (const [e, epoch] of expected.entries()) {
      const before = e ? expected[e - 1].pages : new Set<string>();
      const figures = [
        epochs.reads,
        epochs.writes,
        epochs.pages,
        epochs.pagesRead,
        epochs.pagesWritten,
        epochs.entered,
        epochs.left,
      ];
      const rows = [...epoch.rows.values()];
      expect(figures.map(column => column[e])).toEqual([
        epoch.reads,
        epoch.writes,
        epoch.pages.size,
        rows.filter(([reads]) => reads > 0).length,
        rows.filter(([, writes]) => writes > 0).length,
        [...epoch.pages].filter(page => !before.has(page)).length,
        [...before].filter(page => !epoch.pages.has(page)).length,
      ]);
    }
    for (let bin = 0; bin * heat.epochsPerBin < expected.length; bin++) {
      const merged = new Map<string, [number, number]>();
      for (const { rows } of expected.slice(bin * heat.epochsPerBin, (bin + 1) * heat.epochsPerBin))
        for (const [page, [reads, writes]] of rows) {
          const sum = merged.get(page) ?? [0, 0];
          merged.set(page, [sum[0] + reads, sum[1] + writes]);
        }
      const rows = new Map<string, [number, number]>();
      for (let i = heat.start[bin]; i < heat.start[bin + 1]; i++) {
        if (i > heat.start[bin]) expect(heat.page[i]).toBeGreaterThan(heat.page[i - 1]);
        const name = `${pages.process[heat.page[i]]}/${pages.number[heat.page[i]]}`;
        rows.set(name, [heat.reads[i], heat.writes[i]]);
      }
      expect(rows).toEqual(merged);
    }
    conserved(counted);
  }

  function replayed(accesses: Access[], options: Partial<KernelOptions>, limits?: [bigint, number, number]) {
    const { kernel, access } = rig(options, limits);
    const reference = new Reference(SITES);
    access(accesses);
    for (const a of accesses) reference.access(a);
    return { counted: finish(kernel), reference };
  }

  it('of a given length end at exact accesses', () => {
    const { counted, reference } = replayed(stream(5000), { epochAccesses: 300 });
    expect(counted.epochs.accesses).toBe(300);
    compare(counted, reference);
  });

  it('double when all are full, as if they had been longer from the start', () => {
    // 8 epochs of 16 fill at 128 accesses, of 32 at 256, ... of 256 at 2048; the eighth of 512 begins at 3584.
    for (const [length, expected] of [
      [3500, 512],
      [3700, 1024],
    ]) {
      const { counted, reference } = replayed(stream(length), {}, [16n, 8, 6_000_000]);
      expect(counted.epochs.accesses).toBe(expected);
      compare(counted, reference);
    }
  });

  it('double when the heat has too many rows', () => {
    const { counted, reference } = replayed(stream(4000), {}, [64n, 512, 400]);
    expect(counted.epochs.accesses).toBeGreaterThan(64);
    expect(counted.heat.page.length).toBeLessThanOrEqual(400 + 46 * 2);
    compare(counted, reference);
  });

  it('of a given length stay, and the bins of the heat widen, when it has too many rows', () => {
    const { counted, reference } = replayed(stream(4000), { epochAccesses: 50 }, [0n, 512, 300]);
    expect(counted.epochs.accesses).toBe(50);
    expect(counted.heat.epochsPerBin).toBeGreaterThan(1);
    compare(counted, reference);
  });
});

describe('objects', () => {
  const A = 1;
  const B = 2;
  const read = (address: number, process = 0): Access => ({ process, site: 0, address });

  /** Reads of each object number 0 .. */
  function reads(kernel: Kernel): number[] {
    return [...finish(kernel).objects.reads];
  }

  it('memory that is freed and allocated again counts for its owner at the time', () => {
    const { kernel, access, object } = rig();
    const p = process(kernel, 0);
    const [a, b] = [object(A), object(B)];
    kernel.exports.allocBlock(p, 0x1010n, 32n, a);
    access([read(0x1010), read(0x102f)]);
    kernel.exports.freeBlock(p, 0x1010n);
    access([read(0x1010)]);
    kernel.exports.allocBlock(p, 0x1010n, 16n, b);
    access([read(0x1010), read(0x1020)]);
    kernel.exports.freeBlock(p, 0x9999n);
    expect(reads(kernel)).toEqual([2, 2, 1]);
  });

  it('peak bytes and blocks are those asked for, through every way of recording a block', () => {
    const { kernel, object } = rig();
    const p = process(kernel, 0);
    const a = object(A);
    const sizes = [1, 13, 16, 24, 100, 4095, 4096, 5000, 40_000, 10_000_000];
    // 16 bytes apart at least, at the alignment that malloc gives, in turn freed and allocated again.
    let at = 0x10_0010n;
    const places = sizes.map(size => {
      const place = at;
      at += (BigInt(size) + 31n) & ~15n;
      return place;
    });
    for (let round = 0; round < 3; round++) {
      for (const [i, size] of sizes.entries()) kernel.exports.allocBlock(p, places[i], BigInt(size), a);
      for (const place of places) kernel.exports.freeBlock(p, place);
    }
    kernel.exports.allocBlock(p, places[3], 24n, a);
    const { objects } = finish(kernel);
    expect(objects.bytes[a]).toBe(sizes.reduce((x, y) => x + y));
    expect(objects.blocks[a]).toBe(31);
  });

  it('neighbours of one allocation site are separate blocks', () => {
    const { kernel, access, object } = rig();
    const p = process(kernel, 0);
    const a = object(A);
    for (const at of [0x1000n, 0x1010n, 0x1020n]) kernel.exports.allocBlock(p, at, 16n, a);
    kernel.exports.freeBlock(p, 0x1010n);
    access([read(0x100f), read(0x1010), read(0x101f), read(0x1020)]);
    expect(reads(kernel)).toEqual([2, 2]);
  });

  it('reserving 100 GiB costs nothing until it is touched', () => {
    const { kernel, access, object } = rig();
    const before = kernel.memoryBytes;
    kernel.exports.allocBlock(process(kernel, 0), 0x7000_0000_0010n, 100n << 30n, object(A));
    access([read(0x7000_0000_0000), read(0x7000_0000_0010), read(0x7000_0000_0010 + 50 * 2 ** 30)]);
    expect(kernel.memoryBytes - before).toBeLessThan(8 << 20);
    expect(reads(kernel)).toEqual([1, 2]);
  });

  it('innermost wins: a block in a mapping, a stack in a block; and what lies beneath shows again', () => {
    const { kernel, access, object } = rig();
    const p = process(kernel, 0);
    const mapping = kernel.exports.plainObject(ANONYMOUS, 7, 7);
    const block = object(A);
    kernel.exports.mapRange(p, 0x10_0000n, 0x10_0000n, mapping, 0);
    kernel.exports.allocBlock(p, 0x10_0100n, 0x8_0000n, block);
    kernel.exports.addStack(p, 0x11_0000n, 0x11_8000n, 4);
    const probes = [
      read(0x10_0000),
      read(0x10_0100),
      read(0x11_0000),
      read(0x11_7fff),
      read(0x11_8000),
      read(0x18_0100),
    ];
    access(probes);
    kernel.exports.removeStack(p, 0x11_0000n, 0x11_8000n);
    access(probes);
    kernel.exports.freeBlock(p, 0x10_0100n);
    access(probes);
    kernel.exports.unmapRange(p, 0x11_0000n, 0x1000n);
    access(probes);
    const { objects } = finish(kernel);
    const stack = objects.kind.indexOf('stack');
    expect(objects.thread[stack]).toBe(4);
    // mapping: 2, 2, 6, 5 of the six probes; block: 2, 4; stack: 2; unattributed: the unmapped one.
    expect([objects.reads[mapping], objects.reads[block], objects.reads[stack], objects.reads[0]]).toEqual([
      15, 6, 2, 1,
    ]);
    expect(objects.bytes[stack]).toBe(0x8000);
  });

  it('a mapping keeps its object when it moves', () => {
    const { kernel, access } = rig();
    const p = process(kernel, 0);
    const mapping = kernel.exports.plainObject(ANONYMOUS, 1, 1);
    kernel.exports.mapRange(p, 0x10_0000n, 0x2000n, mapping, 0);
    access([read(0x10_1000)]);
    kernel.exports.remapRange(p, 0x10_0000n, 0x2000n, 0x20_0000n, 0x4000n);
    access([read(0x10_1000), read(0x20_3fff)]);
    const { objects } = finish(kernel);
    expect([objects.reads[mapping], objects.reads[0]]).toEqual([2, 1]);
    expect(objects.bytes[mapping]).toBe(0x4000);
  });

  it('the brk heap belongs to what it grew by', () => {
    const { kernel, access } = rig();
    const p = process(kernel, 0);
    const brk = kernel.exports.plainObject(ANONYMOUS, 2, 2);
    kernel.exports.setBreak(p, 0x60_0100n, brk);
    kernel.exports.setBreak(p, 0x60_2100n, brk);
    access([read(0x60_00ff), read(0x60_0100), read(0x60_20ff), read(0x60_2100)]);
    kernel.exports.setBreak(p, 0x60_1100n, brk);
    access([read(0x60_20ff), read(0x60_10ff)]);
    const { objects } = finish(kernel);
    expect([objects.reads[brk], objects.reads[0]]).toEqual([3, 3]);
  });

  it('globals own their exact bytes, the rest of the image is the module', () => {
    const { kernel, access } = rig();
    kernel.defineModule({
      type: 'module',
      process: 0,
      module: 5,
      path: '/a',
      buildId: '',
      base: String(0x5555_0000_0000),
      segments: [
        { offset: 0, size: 0x1000, writable: false },
        { offset: 0x3000, size: 0x2345, writable: true },
      ],
      globals: [
        { name: 'big', offset: 0x3010, size: 0x1800, file: '', line: 0 },
        { name: 'alias of big', offset: 0x3010, size: 0x1800, file: '', line: 0 },
        { name: 'byte', offset: 0x3003, size: 1, file: '', line: 0 },
        { name: 'empty', offset: 0x3005, size: 0, file: '', line: 0 },
        { name: 'word', offset: 0x3008, size: 4, file: '', line: 0 },
      ],
    });
    const at = (offset: number): Access => read(0x5555_0000_0000 + offset);
    // Before, in and behind `byte`; `word`; `big` over two tiles; behind it; the other segment; no segment.
    const offsets = [
      0x3002, 0x3003, 0x3004, 0x3008, 0x300b, 0x300c, 0x3010, 0x480f, 0x4810, 0x5344, 0x5345, 0xfff, 0x2000,
    ];
    access(offsets.map(at));
    const { objects } = finish(kernel);
    const byGlobal = new Map<number, number>();
    for (let o = 1; o < objects.count; o++) {
      expect(objects.module[o]).toBe(5);
      byGlobal.set(objects.global[o], objects.reads[o]);
    }
    expect(byGlobal).toEqual(
      new Map([
        [0xffff_ffff, 6],
        [2, 1],
        [4, 2],
        [0, 2],
      ]),
    );
    expect(objects.reads[0]).toBe(2);
    const image = objects.global.indexOf(0xffff_ffff, 1);
    expect(objects.bytes[image]).toBe(0x1000 + 0x2345 - 0x1800 - 1 - 4);
  });

  it('a forked child has the blocks of the moment of the fork, and its own pages', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), fc.array(step, { maxLength: 15 }), (before, after) => {
        const machine = rig();
        const reference = new Reference(SITES);
        const parentOnly = (steps: readonly Step[]): Step[] =>
          steps.map(s =>
            s.op === 'access' ? { ...s, accesses: s.accesses.map(a => ({ ...a, process: 0 })) } : { ...s, process: 0 },
          );
        const live = new Set<string>();
        play(parentOnly(before), machine, reference, live);
        const { exports } = machine.kernel;
        exports.forkProcess(process(machine.kernel, 0), process(machine.kernel, 1));
        reference.fork(0, 1);
        for (const key of [...live]) live.add(`1/${key.split('/')[1]}`);
        const objects = play(after, machine, reference, live);
        // A grandchild that never touched anything before inherits through its parent.
        exports.forkProcess(process(machine.kernel, 1), process(machine.kernel, 2));
        reference.fork(1, 2);
        const inherited = new Set([...live].filter(key => key.startsWith('1/')));
        play(
          after.filter(s => s.op !== 'access'),
          machine,
          reference,
          live,
        );
        const probes = SLOTS.map(slot =>
          read(
            outOfSlack(slot.address, i => inherited.has(`1/${i}`)),
            2,
          ),
        );
        machine.access(probes);
        for (const probe of probes) reference.access(probe);
        agree(finish(machine.kernel), machine.kernel, reference, objects);
      }),
      { numRuns: 120 },
    );
  });

  it('an ended process owns nothing, its child goes on with its copy', () => {
    const { kernel, access, object } = rig();
    const [parent, child] = [process(kernel, 0), process(kernel, 1)];
    const a = object(A);
    kernel.exports.allocBlock(parent, 0x1010n, 100n, a);
    kernel.exports.forkProcess(parent, child);
    kernel.exports.endProcess(parent);
    access([read(0x1010, 1)]);
    kernel.exports.allocBlock(child, 0x3000n, 50n, a);
    const { objects } = finish(kernel);
    expect(objects.reads[a]).toBe(1);
    // 100 in each of the two, then 150 in the child.
    expect(objects.bytes[a]).toBe(200);
  });

  it('a recursive builder is one object whatever its depth', () => {
    const { kernel } = rig();
    const scratch = kernel.exports.allocate(64);
    const stack = (...sites: number[]): number => {
      kernel.u32(scratch, sites.length).set(sites);
      return kernel.exports.stackObjectOfSites(HEAP, scratch, sites.length);
    };
    expect(stack(3, 5, 5, 5, 1)).toBe(stack(3, 5, 1));
    expect(stack(3, 5, 6, 5, 6, 1)).toBe(stack(3, 5, 6, 5, 1));
    expect(stack(3, 5, 1)).not.toBe(stack(3, 1));
    const { objects } = finish(kernel);
    expect([...objects.stackSites.subarray(objects.stackStart[1], objects.stackStart[2])]).toEqual([3, 5, 1]);
  });

  it('stacks of threads are objects of their own', () => {
    const { kernel, access } = rig();
    const p = process(kernel, 0);
    kernel.exports.addStack(p, 0x7ff0_0000_0008n, 0x7ff0_0000_2008n, 0);
    kernel.exports.addStack(p, 0x7ff0_0001_0000n, 0x7ff0_0001_2000n, 1);
    access([read(0x7ff0_0000_0007), read(0x7ff0_0000_0008), read(0x7ff0_0000_2007), read(0x7ff0_0001_1fff)]);
    const { objects } = finish(kernel);
    expect(objects.kind.slice(1)).toEqual(['stack', 'stack']);
    expect([...objects.reads]).toEqual([1, 2, 1]);
  });
});
