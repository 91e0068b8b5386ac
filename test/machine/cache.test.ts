/** The data caches beside a naive simulator: what memory serves, and which pair and page it is charged to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { P_L1D_SETS, P_L1D_WAYS, P_L2_SETS, P_L2_WAYS, P_LLC_SETS, P_LLC_WAYS } from '../../core/kernel/abi-machine.js';
import { countedReplay } from '../../core/machine/results.js';
import { type Access, Emulated } from './emulated.js';
import { NaiveCaches, type Shape } from './naiveCaches.js';

/** Traffic of a replay by site and by kernel page, in the naive simulator's keys. */
function trafficOf(e: Emulated): Map<string, number> {
  const { pairs, pages, rowOfPage } = countedReplay(e.kernel, e.finish());
  const traffic = new Map<string, number>();
  const add = (key: string, n: number) => n && traffic.set(key, (traffic.get(key) ?? 0) + n);
  for (let pair = 0; pair < pairs.count; pair++) {
    add(`read:${pairs.site[pair]}`, pairs.trafficReads[pair]);
    add(`write:${pairs.site[pair]}`, pairs.trafficWrites[pair]);
  }
  for (const [page, row] of rowOfPage.entries()) {
    add(`readPage:${page}`, pages.trafficReads[row]);
    add(`writePage:${page}`, pages.trafficWrites[row]);
  }
  return traffic;
}

const sorted = (traffic: Map<string, number>) => [...traffic].sort(([a], [b]) => (a < b ? -1 : 1));

const level = (sets: number[], ways: number) =>
  fc.tuple(fc.constantFrom(...sets), fc.integer({ min: 1, max: ways })) as fc.Arbitrary<[number, number]>;
const shape: fc.Arbitrary<Shape> = fc.record({
  l1: level([1, 2, 4], 9),
  l2: level([1, 2, 8], 6),
  // The shared cache's number of sets need not be a power of two.
  llc: level([1, 3, 8, 11], 6),
});
const access: fc.Arbitrary<Access & { end: boolean }> = fc.record({
  vcpu: fc.nat({ max: 1 }),
  address: fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 4095 })).map(([page, offset]) => page * 4096 + offset),
  write: fc.boolean(),
  size: fc.constantFrom(1, 2, 4, 8, 16, 32, 64),
  end: fc.integer({ min: 0, max: 60 }).map(n => n === 0),
});

function withShape({ l1, l2, llc }: Shape): Emulated {
  return new Emulated(
    {},
    {
      [P_L1D_SETS]: l1[0],
      [P_L1D_WAYS]: l1[1],
      [P_L2_SETS]: l2[0],
      [P_L2_WAYS]: l2[1],
      [P_LLC_SETS]: llc[0],
      [P_LLC_WAYS]: llc[1],
    },
    [0, 0],
  );
}

describe('the caches', () => {
  test('agree with a naive simulator on every fill and write-back, by site and page', () => {
    fc.assert(
      fc.property(shape, fc.array(access, { maxLength: 250, size: 'max' }), (s, accesses) => {
        const e = withShape(s);
        const naive = new NaiveCaches(s, 3);
        const index = new Map<number, number>();
        const physical = (address: number) => {
          const page = Math.floor(address / 4096);
          if (!index.has(page)) index.set(page, index.size);
          return index.get(page)! * 64 + Math.floor((address % 4096) / 64);
        };
        // A vCPU that ends empties its caches into the shared one; the next thread takes its place.
        let second = 1;
        for (const { end, ...a } of accesses) {
          const vcpu = a.vcpu === 0 ? 0 : second;
          e.replay([{ ...a, vcpu }]);
          const site = Math.log2(a.size!) * 2 + (a.write ? 1 : 0);
          const first = physical(a.address);
          const last = physical(a.address + a.size! - 1);
          naive.access(vcpu === 0 ? 0 : 1, first, site, a.write);
          if (last !== first) naive.access(vcpu === 0 ? 0 : 1, last, site, a.write);
          if (end && vcpu !== 0) {
            e.inspect.vcpuEnd(vcpu);
            naive.end(1);
            second = e.kernel.createThread(0);
          }
        }
        expect(sorted(trafficOf(e))).toEqual(sorted(naive.traffic));
      }),
      { numRuns: 120 },
    );
  });

  test('serve a second scan of what fits in them, and nothing of what does not', () => {
    const scan = (bytes: number): Access[] =>
      Array.from({ length: bytes / 64 }, (_, i) => ({ vcpu: 0, address: i * 64, write: false }));
    const small = new Emulated();
    small.replay(scan(1 << 20));
    small.replay(scan(1 << 20));
    // 1 MiB fits in the 8 MiB last-level cache: 16,384 lines are filled once.
    expect(small.machine.counts()).toMatchObject({ fills: 16384, llcHits: 16384, writeBacks: 0 });
    const large = new Emulated();
    large.replay(scan(16 << 20));
    large.replay(scan(16 << 20));
    // A cyclic scan of twice the cache under LRU never hits.
    expect(large.machine.counts()).toMatchObject({ fills: 2 * 262144, llcHits: 0 });
  });

  test('charge a write-back to the site that last wrote the line, though others read it after and evict it', () => {
    const e = withShape({ l1: [1, 1], l2: [1, 1], llc: [1, 1] });
    e.replay([
      { vcpu: 0, address: 0, write: true, size: 4 },
      { vcpu: 0, address: 0, write: true, size: 8 },
      { vcpu: 0, address: 0, write: false, size: 16 },
      { vcpu: 0, address: 64, write: false, size: 16 },
      { vcpu: 0, address: 128, write: false, size: 16 },
      { vcpu: 0, address: 192, write: false, size: 16 },
    ]);
    // Each miss pushes the dirty line one level down: L1D to L2, L2 to LLC, and the last out of the LLC.
    const traffic = trafficOf(e);
    expect(traffic.get('write:7') ?? 0).toBe(1);
    expect(traffic.get('write:5')).toBeUndefined();
    expect(traffic.get('read:5')).toBe(1);
    expect(traffic.get('read:8')).toBe(3);
  });

  test('count lines still dirty at the end of the run as no traffic', () => {
    const e = new Emulated();
    e.write(0);
    expect(countedReplay(e.kernel, e.finish()).totals).toMatchObject({ trafficReads: 1, trafficWrites: 0 });
  });
});
