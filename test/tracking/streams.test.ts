/** Streams of walks, lines, mappings and samples: beside the machine's counters, brute force, and counts by hand. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EVENT_BRK,
  EVENT_MAP,
  EVENT_REMAP,
  EVENT_UNMAP,
  MAPPING_MAP,
  MAPPING_UNMAP,
  SAMPLE_READS,
  SAMPLE_WRITES,
} from '../../core/kernel/abi.js';
import {
  P_L1D_SETS,
  P_L1D_WAYS,
  P_L2_SETS,
  P_L2_WAYS,
  P_LLC_SETS,
  P_LLC_WAYS,
  SERVED_L1,
  SERVED_L2,
  SERVED_LLC,
  SERVED_MEMORY,
  STREAM_LINES,
  STREAM_MAPPINGS,
  STREAM_SAMPLES,
  STREAM_WALKS,
  WALK_DIRTY,
} from '../../core/kernel/abi-machine.js';
import { samplersOf } from '../../core/tracking/samples.js';
import { type Tracker, tracker } from '../../core/tracking/tracker.js';
import { type Access, Emulated } from '../machine/emulated.js';

const PAGE = 4096;
const LINE = 64;
const BOTH = SAMPLE_READS | SAMPLE_WRITES;
/** Caches of a few lines, so that every level serves some. */
const tiny = {
  [P_L1D_SETS]: 2,
  [P_L1D_WAYS]: 2,
  [P_L2_SETS]: 4,
  [P_L2_WAYS]: 2,
  [P_LLC_SETS]: 4,
  [P_LLC_WAYS]: 8,
};

/** The stream's records of `words` words. */
function records(e: Emulated, stream: number, words = 2): number[][] {
  const length = e.inspect.streamLength(stream);
  const all = new Uint32Array(e.inspect.memory.buffer, e.inspect.streamWords(stream), length);
  return Array.from({ length: length / words }, (_, i) => [...all.subarray(words * i, words * (i + 1))]);
}

const accesses = fc.array(
  fc.record({
    vcpu: fc.nat({ max: 1 }),
    // Eight pages, few lines of each: repeats, hits at each level and misses. The last line is straddled.
    address: fc
      .tuple(fc.nat({ max: 7 }), fc.constantFrom(0, 8, 64, 72, 448, 4092))
      .map(([page, at]) => page * PAGE + at),
    write: fc.boolean(),
  }),
  { minLength: 100, maxLength: 1500, size: 'max' },
);

describe('the stream of walks', () => {
  test('has one record for each TLB miss and one for each walk that only sets the dirty flag', () => {
    fc.assert(
      fc.property(accesses, run => {
        const e = new Emulated({}, {}, [0, 0]);
        e.inspect.streamWant(STREAM_WALKS);
        e.replay(run);
        const walks = records(e, STREAM_WALKS);
        const { tlbMisses, dirtyWalks } = e.machine.counts();
        expect(walks.filter(([, how]) => !(how & WALK_DIRTY))).toHaveLength(tlbMisses);
        expect(walks.filter(([, how]) => how & WALK_DIRTY)).toHaveLength(dirtyWalks);
      }),
      { numRuns: 30 },
    );
  });

  test('says page, vCPU and direction, in order', () => {
    const e = new Emulated({}, {}, [0, 0]);
    e.inspect.streamWant(STREAM_WALKS);
    e.read(0, 0);
    e.write(PAGE, 1);
    e.write(0, 0);
    expect(records(e, STREAM_WALKS)).toEqual([
      [0, 0],
      [1, (1 << 2) | 1],
      [0, WALK_DIRTY | 1],
    ]);
  });

  test('is empty when nobody wants it, and after it was taken', () => {
    const e = new Emulated();
    e.read(0);
    expect(e.inspect.streamLength(STREAM_WALKS)).toBe(0);
    e.inspect.streamWant(STREAM_WALKS);
    e.read(PAGE);
    e.inspect.streamsClear();
    expect(e.inspect.streamLength(STREAM_WALKS)).toBe(0);
  });
});

describe('the stream of lines that memory served', () => {
  test('has one record for each fill and each write-back', () => {
    const e = new Emulated(
      {},
      { ...tiny, [P_L1D_SETS]: 1, [P_L1D_WAYS]: 1, [P_L2_SETS]: 1, [P_L2_WAYS]: 1, [P_LLC_SETS]: 1, [P_LLC_WAYS]: 1 },
    );
    e.inspect.streamWant(STREAM_LINES);
    e.write(0);
    e.read(PAGE + LINE);
    e.read(2 * PAGE);
    // Line 0 leaves L1 for L2, then L2 for the LLC, each time one access later; there the next fill drives it out.
    e.read(3 * PAGE);
    const lines = records(e, STREAM_LINES);
    expect(lines.filter(([, back]) => !back).map(([line]) => line)).toEqual([0, 65, 128, 192]);
    expect(lines.filter(([, back]) => back).map(([line]) => line)).toEqual([0]);
    expect(e.machine.counts()).toMatchObject({ fills: 4, writeBacks: 1 });
  });

  test('agrees with the counters on generated runs', () => {
    fc.assert(
      fc.property(accesses, run => {
        const e = new Emulated({}, tiny, [0, 0]);
        e.inspect.streamWant(STREAM_LINES);
        e.replay(run);
        const lines = records(e, STREAM_LINES);
        const { fills, writeBacks } = e.machine.counts();
        expect([lines.filter(([, back]) => !back).length, lines.filter(([, back]) => back).length]).toEqual([
          fills,
          writeBacks,
        ]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('samples', () => {
  /** What served each access, from the counters of a machine that is given one access at a time. */
  function served(run: readonly Access[]): number[] {
    const e = new Emulated({}, tiny, [0, 0]);
    let before = e.machine.counts();
    return run.map(access => {
      e.replay([access]);
      const now = e.machine.counts();
      const by =
        now.fills > before.fills
          ? SERVED_MEMORY
          : now.llcHits > before.llcHits
            ? SERVED_LLC
            : now.l2Hits > before.l2Hits
              ? SERVED_L2
              : SERVED_L1;
      before = now;
      return by;
    });
  }

  const pageOf = (access: Access, run: readonly Access[]) => {
    const order = [...new Set(run.flatMap(a => [Math.floor(a.address / PAGE), Math.floor((a.address + 7) / PAGE)]))];
    return order.indexOf(Math.floor(access.address / PAGE));
  };
  const record = (run: readonly Access[], i: number, by: number) => [
    pageOf(run[i], run) * (PAGE / LINE) + Math.floor((run[i].address % PAGE) / LINE),
    (run[i].vcpu << 3) | (by << 1) | (run[i].write ? 1 : 0),
  ];
  const whole = accesses.map(run => run.filter(({ address }) => (address % PAGE) + 8 <= PAGE));

  test('of every 16th access, of every 20th write: these, with the level that served them, however repeated', () => {
    fc.assert(
      fc.property(whole, run => {
        const e = new Emulated({}, tiny, [0, 0]);
        for (const [i, [period, directions]] of [
          [16, BOTH],
          [20, SAMPLE_WRITES],
          [16, BOTH],
        ].entries()) {
          e.kernel.exports.addSampler(STREAM_SAMPLES + i, period, 0, 1, directions, 0);
          e.inspect.streamWant(STREAM_SAMPLES + i);
        }
        e.replay(run);
        const by = served(run);
        const all = run.map((_, i) => i);
        const every = (n: number, of: number[]) =>
          of.filter((_, k) => (k + 1) % n === 0).map(i => record(run, i, by[i]));
        expect(records(e, STREAM_SAMPLES)).toEqual(every(16, all));
        expect(records(e, STREAM_SAMPLES + 1)).toEqual(
          every(
            20,
            all.filter(i => run[i].write),
          ),
        );
        // Two samplers of the same access see the same.
        expect(records(e, STREAM_SAMPLES + 2)).toEqual(records(e, STREAM_SAMPLES));
      }),
      { numRuns: 60 },
    );
  });

  test('of every third access that the LLC or memory served', () => {
    fc.assert(
      fc.property(whole, run => {
        const e = new Emulated({}, tiny, [0, 0]);
        e.inspect.addSampler(STREAM_SAMPLES, 3, 0, 1, BOTH, SERVED_LLC);
        e.inspect.streamWant(STREAM_SAMPLES);
        e.replay(run);
        const by = served(run);
        const slow = run.flatMap((_, i) => (by[i] >= SERVED_LLC ? [i] : []));
        expect(records(e, STREAM_SAMPLES)).toEqual(slow.filter((_, k) => k % 3 === 2).map(i => record(run, i, by[i])));
      }),
      { numRuns: 60 },
    );
  });

  test('come at intervals of the period less at most the jitter, and not all alike', () => {
    const e = new Emulated();
    e.kernel.exports.addSampler(STREAM_SAMPLES, 100, 30, 7, BOTH, 0);
    e.inspect.streamWant(STREAM_SAMPLES);
    // Every access has a line of its own, so that the line says which it was.
    e.replay(Array.from({ length: 50_000 }, (_, i) => ({ vcpu: 0, address: i * LINE, write: false })));
    const at = records(e, STREAM_SAMPLES).map(([line]) => line);
    const intervals = at.map((line, i) => line - (at[i - 1] ?? -1));
    expect(Math.min(...intervals)).toBe(70);
    expect(Math.max(...intervals)).toBe(100);
    // The mean of uniform numbers from 70 to 100 is 85; its standard error with some 588 samples is 0.37.
    expect(Math.abs(50_000 / at.length - 85)).toBeLessThan(1.5);
  });

  test('change nothing that is counted', () => {
    fc.assert(
      fc.property(accesses, run => {
        const plain = new Emulated({}, tiny, [0, 0]);
        const sampled = new Emulated({}, tiny, [0, 0]);
        sampled.kernel.exports.addSampler(STREAM_SAMPLES, 17, 1, 5, SAMPLE_READS, 0);
        sampled.inspect.streamWant(STREAM_SAMPLES);
        for (const e of [plain, sampled]) e.replay(run);
        expect(sampled.machine.counts()).toEqual(plain.machine.counts());
        expect(sampled.finish()).toEqual(plain.finish());
      }),
      { numRuns: 30 },
    );
  });
});

describe('requests for samples', () => {
  const nothing = { create: (): Tracker => ({ onTime() {}, finish: () => null as never }) };
  const words = { label: '', summary: '', needs: '', parameters: {} };
  const table = {
    a: tracker({ ...words, ...nothing, samples: () => [{ accesses: 'all', period: 100, jitter: 0 }] }),
    b: tracker({
      ...words,
      ...nothing,
      samples: () => [
        { accesses: 'reads', servedFrom: SERVED_MEMORY, period: 50, jitter: 5 },
        { accesses: 'writes', period: 100, jitter: 0 },
      ],
    }),
    short: tracker({ ...words, ...nothing, samples: () => [{ accesses: 'all', period: 20, jitter: 5 }] }),
  };

  test('have a stream each, and the same seeds whoever else asks', () => {
    const both = samplersOf(table, ['a', 'b'], {});
    expect(
      both.map(({ stream, tracker: id, request, level }) => [stream - STREAM_SAMPLES, id, request, level]),
    ).toEqual([
      [0, 'a', 0, 0],
      [1, 'b', 0, SERVED_MEMORY],
      [2, 'b', 1, 0],
    ]);
    expect(samplersOf(table, ['b'], {}).map(({ seed }) => seed)).toEqual(both.slice(1).map(({ seed }) => seed));
  });

  test('closer than 16 accesses are refused', () => {
    expect(() => samplersOf(table, ['short'], {})).toThrow(/tracker short: a period of 20 less up to 5/);
  });
});

describe('the stream of mappings', () => {
  /** An event as docs/trace-records.md says: EVENT record, no hits before, no sequence number, zigzag fields. */
  function event(kind: number, fields: readonly number[]): number[] {
    return [0xf9, 0, kind, 0, ...fields.flatMap(varint)];
  }
  const zigzag = (value: number) => (value >= 0 ? 2 * value : -2 * value - 1);
  function varint(value: number): number[] {
    const bytes: number[] = [];
    for (let rest = value; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...bytes, rest];
      bytes.push((rest % 128) + 128);
    }
  }

  test('has the whole pages of what is unmapped, and every page that a mapping covers', () => {
    const e = new Emulated();
    e.inspect.streamWant(STREAM_MAPPINGS);
    const stream = e.kernel.createStream(0, 0, 0);
    // Fields are differences to the same field of the event before; the last of REMAP is plain.
    e.kernel.feed(
      stream,
      Uint8Array.from([
        ...event(EVENT_MAP, [zigzag(0x10_0000), zigzag(0x3800), 0, 0]),
        ...event(EVENT_UNMAP, [zigzag(0x800), zigzag(0x2800 - 0x3800)]),
        ...event(EVENT_BRK, [zigzag(0x50_0000 - 0x10_0800)]),
        ...event(EVENT_BRK, [zigzag(0x2000)]),
        ...event(EVENT_BRK, [zigzag(-0x1000)]),
        ...event(EVENT_REMAP, [
          zigzag(0x10_3000 - 0x50_1000),
          zigzag(0x1000 - 0x2800),
          zigzag(0x7000_0000_0000),
          0x2000,
        ]),
      ]),
    );
    expect(e.kernel.run(stream, 1n << 40n)).toEqual({ stop: 'input' });
    e.kernel.flush();
    expect(records(e, STREAM_MAPPINGS, 8).map(record => record.slice(0, 6))).toEqual([
      [MAPPING_MAP, 0, 0x100, 0, 4, 0],
      [MAPPING_UNMAP, 0, 0x101, 0, 2, 0],
      [MAPPING_MAP, 0, 0x500, 0, 2, 0],
      [MAPPING_UNMAP, 0, 0x501, 0, 1, 0],
      [MAPPING_UNMAP, 0, 0x103, 0, 1, 0],
      [MAPPING_MAP, 0, 0x0000_0000, 7, 2, 0],
    ]);
  });
});
