/** What the guest's kernel knows of its memory, beside plain sets. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAPPING_END, MAPPING_FORK, MAPPING_MAP, MAPPING_UNMAP } from '../../core/kernel/abi.js';
import { GuestMemory } from '../../core/tracking/guestMemory.js';
import { PageRanges } from '../../core/tracking/pageRanges.js';
import { PresentPages } from '../../core/tracking/presentPages.js';

test('ranges of pages agree with a set of pages', () => {
  const change = fc.record({ add: fc.boolean(), start: fc.nat({ max: 40 }), pages: fc.integer({ min: 1, max: 12 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), changes => {
      const ranges = new PageRanges();
      const plain = new Set<number>();
      for (const { add, start, pages } of changes) {
        if (add) ranges.add(start, start + pages);
        else ranges.remove(start, start + pages);
        for (let page = start; page < start + pages; page++) add ? plain.add(page) : plain.delete(page);
      }
      const listed = ranges.ranges.flatMap(({ start, end }) =>
        Array.from({ length: end - start }, (_, i) => start + i),
      );
      expect(listed).toEqual([...plain].sort((a, b) => a - b));
      for (let page = 0; page < 55; page++) expect(ranges.has(page)).toBe(plain.has(page));
      // None touches the next.
      for (const [i, { start }] of ranges.ranges.entries())
        if (i) expect(start).toBeGreaterThan(ranges.ranges[i - 1].end);
    }),
  );
});

test('present pages agree with a map, also when thousands come and go', () => {
  const step = fc.oneof(
    fc.record({ add: fc.nat({ max: 20_000 }), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ remove: fc.nat({ max: 20_000 }), count: fc.integer({ min: 1, max: 5000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.boolean(), (steps, look) => {
      const present = new PresentPages();
      const plain = new Map<number, number>();
      for (const one of steps) {
        if ('add' in one) {
          // Not in order of number.
          for (let i = 0; i < one.count; i++) {
            const number = one.add + ((i * 7919) % one.count);
            if (plain.has(number)) continue;
            present.add(number, number + 5);
            plain.set(number, number + 5);
          }
        } else {
          const gone: number[] = [];
          present.remove(one.remove, one.remove + one.count, page => gone.push(page));
          const expected = [...plain.keys()].filter(n => n >= one.remove && n < one.remove + one.count);
          for (const number of expected) plain.delete(number);
          expect(gone.sort((a, b) => a - b)).toEqual(expected.map(n => n + 5).sort((a, b) => a - b));
        }
        if (look) present.ordered();
      }
      for (let number = 0; number < 25_000; number += 97) expect(present.get(number)).toBe(plain.get(number) ?? -1);
      const { numbers, pages } = present.ordered();
      expect([...numbers]).toEqual([...plain.keys()].sort((a, b) => a - b));
      expect([...pages]).toEqual([...numbers].map(n => n + 5));
    }),
    { numRuns: 40 },
  );
});

describe('guest memory', () => {
  const record = (kind: number, process: number, first: number, pages: number) =>
    Uint32Array.from([kind, process, first, 0, pages, 0]);
  const make = () => new GuestMemory({ pageNumber: page => page + 100, processOf: vcpu => vcpu });
  const mapped = (memory: GuestMemory, process: number) =>
    memory.spaces.get(process)!.mapped.ranges.map(({ start, end }) => [start, end]);

  test('has a page from its first touch until it is unmapped', () => {
    const memory = make();
    memory.change(record(MAPPING_MAP, 0, 100, 10));
    for (const page of [3, 4, 3, 9]) memory.touched({ page, vcpu: 0 });
    expect(memory.presentPages).toBe(3);
    expect(memory.change(record(MAPPING_UNMAP, 0, 104, 6)).sort()).toEqual([4, 9]);
    expect(memory.presentPages).toBe(1);
    expect(mapped(memory, 0)).toEqual([[100, 104]]);
    memory.touched({ page: 4, vcpu: 0 });
    expect(memory.presentPages).toBe(2);
  });

  test('takes what is touched and was never mapped as mapped before the run', () => {
    const memory = make();
    memory.touched({ page: 1, vcpu: 0 });
    memory.touched({ page: 2, vcpu: 0 });
    expect(mapped(memory, 0)).toEqual([[101, 103]]);
  });

  test('a mapping over present pages takes them out; exec takes all', () => {
    const memory = make();
    memory.touched({ page: 1, vcpu: 0 });
    expect(memory.change(record(MAPPING_MAP, 0, 100, 5))).toEqual([1]);
    memory.touched({ page: 2, vcpu: 0 });
    memory.touched({ page: 3, vcpu: 1 });
    expect(memory.change(record(MAPPING_END, 0, 0, 0))).toEqual([2]);
    expect(mapped(memory, 0)).toEqual([]);
    expect(memory.presentPages).toBe(1);
  });

  test('a forked process begins with the mappings of its parent, and changes its own', () => {
    const memory = make();
    memory.change(record(MAPPING_MAP, 0, 100, 10));
    memory.change(record(MAPPING_FORK, 1, 0, 0));
    memory.change(record(MAPPING_UNMAP, 1, 100, 5));
    expect([mapped(memory, 0), mapped(memory, 1)]).toEqual([[[100, 110]], [[105, 110]]]);
  });
});
