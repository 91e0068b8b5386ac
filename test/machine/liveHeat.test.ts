/** The map that grows with a replay, beside the tables that the same replay ends with. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SITE_READ, SITE_SIZE_SHIFT, SITE_WRITE } from '../../core/kernel/abi.js';
import { Kernel, type KernelOptions } from '../../core/machine/kernel.js';
import { type HeatSoFar, LiveHeat } from '../../core/machine/liveHeat.js';
import { MachineHalf } from '../../core/machine/machineHalf.js';
import { countedReplay } from '../../core/machine/results.js';

const halves = new WeakMap<Kernel, MachineHalf>();

/** Site 0 reads a byte, site 1 writes one; two processes with a vCPU each. */
function kernelOf(options: Partial<KernelOptions>, limits: [bigint, number, number]) {
  const all = { pageSize: 4096, epochAccesses: 0, ...options } as const;
  const half = new MachineHalf(all);
  const kernel = new Kernel({ ...all, deliver: messages => half.deliver(messages) });
  halves.set(kernel, half);
  kernel.exports.setEpochLimits(...limits);
  kernel.defineRunSites(Uint32Array.of(0, 1), Uint16Array.of(SITE_READ, SITE_WRITE | (0 << SITE_SIZE_SHIFT)));
  const vcpus = [kernel.createThread(0), kernel.createThread(1)];
  return {
    kernel,
    access: (process: number, pages: readonly number[]) =>
      kernel.access(
        vcpus[process],
        Uint32Array.from(pages, page => page % 2),
        BigUint64Array.from(pages, page => BigInt(page) * 4096n + 8n),
      ),
  };
}

/** Blocks by columns from the finished run's own tables. */
function bruteForce(kernel: Kernel, { bytesPerRow, columns }: HeatSoFar) {
  const { pages, heat, epochs } = countedReplay(kernel, halves.get(kernel)!.finish());
  const perBlock = bytesPerRow / kernel.pageSize;
  const sums = new Map<string, number[][]>();
  const bins = Math.floor(epochs.count / heat.epochsPerBin);
  const binsPerColumn = 2 ** Math.max(0, Math.ceil(Math.log2(bins / 256)));
  for (let page = 0; page < pages.count; page++) {
    const key = `${pages.process[page]}:${Math.floor(pages.number[page] / perBlock)}`;
    if (!sums.has(key)) sums.set(key, [new Array<number>(columns).fill(0), new Array<number>(columns).fill(0)]);
  }
  for (let bin = 0; bin < bins; bin++) {
    for (let row = heat.start[bin]; row < heat.start[bin + 1]; row++) {
      const page = heat.page[row];
      const sum = sums.get(`${pages.process[page]}:${Math.floor(pages.number[page] / perBlock)}`)!;
      sum[0][Math.floor(bin / binsPerColumn)] += heat.reads[row];
      sum[1][Math.floor(bin / binsPerColumn)] += heat.writes[row];
    }
  }
  return sums;
}

function expectSame(heat: HeatSoFar, sums: ReturnType<typeof bruteForce>): void {
  expect(heat.rows).toBe(sums.size);
  for (let row = 0; row < heat.rows; row++) {
    const [reads, writes] = sums.get(`${heat.process[row]}:${heat.block[row]}`)!;
    expect([...heat.reads.subarray(row * heat.columns, (row + 1) * heat.columns)]).toEqual(reads);
    expect([...heat.writes.subarray(row * heat.columns, (row + 1) * heat.columns)]).toEqual(writes);
  }
}

describe('the map that grows', () => {
  test('is what the finished tables say, however often and whenever it was looked at (generated)', () => {
    const chunk = fc.tuple(
      fc.integer({ min: 0, max: 1 }),
      fc.array(
        fc.integer({ min: 0, max: 3000 }).map(page => page * page),
        { minLength: 1, maxLength: 400 },
      ),
      fc.boolean(),
    );
    fc.assert(
      fc.property(
        fc.array(chunk, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(0, 5),
        fc.constantFrom(40, 100_000),
        (chunks, epochAccesses, rowLimit) => {
          const { kernel, access } = kernelOf({ epochAccesses }, [7n, 8, rowLimit]);
          const live = new LiveHeat(kernel);
          for (const [process, pages, look] of chunks) {
            access(process, pages);
            if (look) live.read();
          }
          kernel.finish();
          const heat = live.read();
          if (!heat) return;
          expect(heat.rows).toBeLessThanOrEqual(128);
          expect(heat.columns).toBeLessThanOrEqual(256);
          expectSame(heat, bruteForce(kernel, heat));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('has the pages themselves as rows where they fit, ascending', () => {
    const { kernel, access } = kernelOf({ epochAccesses: 4 }, [4n, 512, 1000]);
    // Two epochs of four: pages 9 9 2 2, then 2 2 2 9; page 9 is written, 2 is read.
    access(0, [9, 9, 2, 2, 2, 2, 2, 9]);
    const heat = new LiveHeat(kernel).read()!;
    expect([heat.columns, heat.rows, heat.bytesPerRow, heat.accessesPerColumn]).toEqual([2, 2, 4096, 4]);
    expect([...heat.block]).toEqual([2, 9]);
    expect([...heat.reads]).toEqual([2, 3, 0, 0]);
    expect([...heat.writes]).toEqual([0, 0, 2, 1]);
    expect([heat.accesses, heat.pages]).toEqual([8, 2]);
  });

  test('is not there before the first whole epoch', () => {
    const { kernel, access } = kernelOf({ epochAccesses: 100 }, [100n, 512, 1000]);
    access(0, [1, 2, 3]);
    expect(new LiveHeat(kernel).read()).toBeNull();
  });
});
