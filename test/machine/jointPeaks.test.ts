/** Joint peaks of objects that attribution merges, against every moment of generated histories summed by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SITE_READ } from '../../core/kernel/abi.js';
import { jointPeaks } from '../../core/machine/jointPeaks.js';
import { Kernel } from '../../core/machine/kernel.js';
import { NONE } from '../../core/model/columns.js';

const HEAP = 1;
const OBJECTS = 5;
/** Far apart: blocks never overlap. */
const SPACING = 0x100_0000_0000n;

function rig() {
  const kernel = new Kernel({ pageSize: 4096, epochAccesses: 0 });
  const sites = Uint32Array.from({ length: OBJECTS }, (_, i) => i);
  kernel.defineRunSites(sites, new Uint16Array(OBJECTS).fill(SITE_READ));
  for (let process = 0; process < 2; process++) kernel.createThread(process);
  const scratch = kernel.exports.allocate(64);
  const objects = Array.from(sites, site => {
    kernel.u32(scratch, 1)[0] = site;
    return kernel.exports.stackObjectOfSites(HEAP, scratch, 1);
  });
  const { processRecord, allocBlock, freeBlock } = kernel.exports;
  const groups = (...members: number[][]) => {
    const groupOf = new Uint32Array(kernel.exports.objectCount.value).fill(NONE);
    for (const [group, list] of members.entries()) for (const member of list) groupOf[objects[member]] = group;
    return jointPeaks(kernel)(groupOf, members.length);
  };
  return {
    kernel,
    groups,
    allocate: (object: number, slot: number, size: number, process = 0) =>
      allocBlock(processRecord(process), BigInt(slot + 1) * SPACING, BigInt(size), objects[object]),
    free: (slot: number, process = 0) => freeBlock(processRecord(process), BigInt(slot + 1) * SPACING),
  };
}

describe('joint peaks', () => {
  it('are the most that a group had alive at once, in any history and grouping', () => {
    const step = fc.record({
      slot: fc.nat(7),
      object: fc.nat(OBJECTS - 1),
      // Small blocks, whole pages, ranges, and more than a 32-bit change.
      size: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 2 ** 39 })),
      free: fc.boolean(),
    });
    const property = fc.property(
      fc.array(step, { maxLength: 60 }),
      fc.array(fc.nat(2), { minLength: OBJECTS, maxLength: OBJECTS }),
      (steps, groupOf) => {
        const { groups, allocate, free } = rig();
        const live = new Map<number, { object: number; size: number }>();
        const peaks = [0, 0, 0];
        for (const { slot, object, size, free: frees } of steps) {
          if (frees) {
            free(slot);
            live.delete(slot);
          } else {
            // Where a block is still alive it is replaced, as by a program whose free was not seen.
            allocate(object, slot, size);
            live.set(slot, { object, size });
          }
          for (const group of peaks.keys()) {
            const members = [...live.values()].filter(block => groupOf[block.object] === group);
            peaks[group] = Math.max(
              peaks[group],
              members.reduce((sum, block) => sum + block.size, 0),
            );
          }
        }
        const members = peaks.map((_, group) => [...groupOf.keys()].filter(object => groupOf[object] === group));
        expect(groups(...members)).toEqual({ bytes: Float64Array.from(peaks), exact: true });
      },
    );
    fc.assert(property, { numRuns: 60, seed: 11 });
  });

  it('add up over processes: a fork doubles what is alive, an exit takes it away', () => {
    const { kernel, groups, allocate } = rig();
    const { processRecord, forkProcess, endProcess } = kernel.exports;
    allocate(0, 0, 1000);
    allocate(1, 1, 500);
    forkProcess(processRecord(0), processRecord(1));
    endProcess(processRecord(0));
    allocate(1, 2, 700, 1);
    // 1,500 twice; then 1,500 + 700.
    expect([...groups([0, 1], [2]).bytes]).toEqual([3000, 0]);
  });

  it('stay exact however often one call allocates and frees in turn', () => {
    const { groups, allocate, free } = rig();
    allocate(1, 1, 64);
    for (let turn = 0; turn < 3_000_000; turn++) {
      allocate(0, 0, 32);
      free(0);
    }
    expect(groups([0, 1])).toEqual({ bytes: Float64Array.of(96), exact: true });
  });

  it('are no longer exact once the log of changes was full', () => {
    const { groups, allocate, free } = rig();
    for (let turn = 0; turn < 1 << 20; turn++) {
      allocate(0, 0, 32);
      allocate(1, 1, 32);
      free(0);
      free(1);
    }
    expect(groups([0, 1]).exact).toBe(false);
  });
});
