/**
 * The merge order against executions made up by a scheduler that knows the truth: vector clocks say what happened
 * before what, and the addresses that blocks really had say which allocation followed which free.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MergeOrder, NO_LIMIT } from '../../core/trace/merge.js';

interface Step {
  readonly id: number;
  readonly clock: readonly number[];
  readonly thread: number;
  /** Heap address allocated (positive) or freed (negative), 0 for none. */
  readonly heap: number;
}

/** A record of a stream: its number (0: none, it belongs to the segment before it) and what it does. */
interface Entry {
  readonly seq: number;
  readonly step: Step | null;
}

/**
 * Runs `threads` threads under a random interleaving. Sequence numbers are taken as the runtime takes them: a release
 * before it is visible, an acquire after it; a plain acquire load only reads the counter; a free before, an
 * allocation after the memory changes hands.
 */
function execute(threads: number, choices: readonly number[]): { streams: Entry[][]; steps: Step[] } {
  let nextSeq = 1;
  const streams: Entry[][] = [];
  const clocks: number[][] = [];
  const steps: Step[] = [];
  const lock: (number[] | null)[] = [null, null, null];
  const freeAddresses = [1, 2, 3];
  const owned: number[] = [];
  // A thread in the middle of an operation of two moments goes on with this when it is scheduled next.
  const rest: ((() => void) | null)[] = [];
  const lastStamp: number[] = [];
  const join = (into: number[], from: readonly number[]) => {
    for (const [i, value] of from.entries()) into[i] = Math.max(into[i], value);
  };
  const step = (thread: number, seq: number, heap = 0) => {
    clocks[thread][thread]++;
    const made: Step = { id: steps.length, clock: [...clocks[thread]], thread, heap };
    steps.push(made);
    streams[thread].push({ seq, step: made });
  };
  const stamp = (thread: number, seq: number) => {
    streams[thread].push({ seq, step: null });
    lastStamp[thread] = seq;
  };
  for (let t = 0; t < threads; t++) {
    streams.push([]);
    clocks.push(new Array<number>(threads).fill(0));
    rest.push(null);
    lastStamp.push(0);
    stamp(t, nextSeq++);
  }
  for (const choice of choices) {
    const thread = choice % threads;
    const what = Math.floor(choice / threads) % 8;
    const which = Math.floor(choice / threads / 8) % lock.length;
    const going = rest[thread];
    if (going) {
      rest[thread] = null;
      going();
    } else if (what < 3) step(thread, 0);
    else if (what === 3) {
      // Release: number first, and only in a later moment visible.
      stamp(thread, nextSeq++);
      rest[thread] = () => {
        step(thread, 0);
        lock[which] ??= new Array<number>(threads).fill(0);
        join(lock[which], clocks[thread]);
      };
    } else if (what === 4 || what === 5) {
      // Acquire: seen first, numbered later; half of them plain loads.
      const seen = lock[which] && [...lock[which]];
      rest[thread] = () => {
        if (what === 4) stamp(thread, nextSeq++);
        else if (nextSeq !== lastStamp[thread]) stamp(thread, nextSeq);
        if (seen) join(clocks[thread], seen);
        step(thread, 0);
      };
    } else if (what === 6) {
      const address = owned.shift();
      if (address === undefined) continue;
      step(thread, nextSeq++, -address);
      rest[thread] = () => {
        freeAddresses.push(address);
      };
    } else {
      const address = freeAddresses.pop();
      if (address === undefined) continue;
      rest[thread] = () => {
        step(thread, nextSeq++, address);
        owned.push(address);
      };
    }
  }
  return { streams, steps };
}

/** Replays through the merge as the kernel does: until a numbered record at the limit. `safe` gives live watermarks. */
function replay(streams: readonly Entry[][], safe?: () => number): Step[] {
  const merge = new MergeOrder();
  const places = streams.map(() => 0);
  const order: Step[] = [];
  for (const stream of streams.keys()) merge.add(stream, 0);
  for (let idle = 0; merge.size > 0; ) {
    const turn = merge.next(safe?.());
    if (!turn) {
      expect(safe && idle++ < 10_000).toBe(true);
      continue;
    }
    const entries = streams[turn.stream];
    let at = places[turn.stream];
    while (at < entries.length && entries[at].seq < turn.limitSeq) {
      const { step } = entries[at++];
      if (step) order.push(step);
    }
    places[turn.stream] = at;
    if (at === entries.length) merge.end(turn.stream);
    else merge.advance(turn.stream, entries[at].seq);
  }
  return order;
}

/** Segment by segment, the smallest (number, stream) first: the definition, without a heap or limits. */
function definition(streams: readonly Entry[][]): Step[] {
  const segments = streams.flatMap((entries, stream) => {
    const cut: { seq: number; stream: number; index: number; steps: Step[] }[] = [];
    for (const { seq, step } of entries) {
      if (seq > 0) cut.push({ seq, stream, index: cut.length, steps: [] });
      if (step) cut.at(-1)!.steps.push(step);
    }
    return cut;
  });
  segments.sort((a, b) => a.seq - b.seq || a.stream - b.stream || a.index - b.index);
  return segments.flatMap(s => s.steps);
}

// Without bias towards small numbers and short lists, so that all threads do all things.
const executions = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.noBias(fc.array(fc.nat((1 << 20) - 1), { maxLength: 150, size: 'max' })))
  .map(([threads, choices]) => execute(threads, choices));

describe('the merge order', () => {
  test('respects happens-before, loses no step, and equals its definition', () => {
    let ordered = 0;
    fc.assert(
      fc.property(executions, ({ streams, steps }) => {
        const order = replay(streams);
        expect(order).toHaveLength(steps.length);
        const when = new Map(order.map((step, i) => [step, i]));
        for (const a of steps)
          for (const b of steps) {
            if (a === b || !a.clock.every((value, i) => value <= b.clock[i])) continue;
            if (a.thread !== b.thread) ordered++;
            if (when.get(a)! >= when.get(b)!) expect.unreachable(`step ${a.id} ran after step ${b.id}`);
          }
        expect(order.map(s => s.id)).toEqual(definition(streams).map(s => s.id));
      }),
      { numRuns: 400, seed: 4 },
    );
    // The schedules did contain what is tested.
    expect(ordered).toBeGreaterThan(1000);
  });

  test('lets no address be allocated twice without a free between', () => {
    let reused = 0;
    fc.assert(
      fc.property(executions, ({ streams }) => {
        const alive = new Set<number>();
        const ever = new Set<number>();
        for (const { heap } of replay(streams)) {
          if (heap > 0) {
            expect(alive.has(heap)).toBe(false);
            if (ever.has(heap)) reused++;
            alive.add(heap);
            ever.add(heap);
          } else if (heap < 0) expect(alive.delete(-heap)).toBe(true);
        }
      }),
      { numRuns: 400, seed: 5 },
    );
    expect(reused).toBeGreaterThan(100);
  });

  test('is the same when the watermark rises bit by bit', () => {
    fc.assert(
      fc.property(executions, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1 }), ({ streams }, rises) => {
        let safeSeq = 0;
        let i = 0;
        const live = replay(streams, () => (safeSeq += 1 + rises[i++ % rises.length]));
        expect(live.map(s => s.id)).toEqual(definition(streams).map(s => s.id));
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  test('runs a single stream to its end without a stop', () => {
    const merge = new MergeOrder();
    merge.add(3, 1);
    expect(merge.next()).toEqual({ stream: 3, limitSeq: NO_LIMIT });
    merge.end(3);
    expect(merge.next()).toBeNull();
  });

  test('gives equal numbers to the lower stream first', () => {
    const merge = new MergeOrder();
    merge.add(2, 10);
    merge.add(1, 10);
    expect(merge.next()).toEqual({ stream: 1, limitSeq: 11 });
    merge.advance(1, 11);
    expect(merge.next()).toEqual({ stream: 2, limitSeq: 11 });
    merge.advance(2, 12);
    expect(merge.next()).toEqual({ stream: 1, limitSeq: 13 });
  });

  test('gives nobody a turn whose segment may not be whole yet', () => {
    const merge = new MergeOrder();
    merge.add(0, 5);
    merge.add(1, 9);
    expect(merge.next(5)).toBeNull();
    expect(merge.next(7)).toEqual({ stream: 0, limitSeq: 7 });
    expect(merge.next(20)).toEqual({ stream: 0, limitSeq: 10 });
  });

  test('refuses unknown, repeated and backward streams', () => {
    const merge = new MergeOrder();
    merge.add(0, 5);
    expect(() => merge.add(0, 6)).toThrow('added twice');
    expect(() => merge.advance(1, 6)).toThrow('not in the merge');
    expect(() => merge.advance(0, 4)).toThrow('from 5 to 4');
  });
});
