import { truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drain, type DrainOptions, encodeHits } from '../../core/record/drain.js';
import type { Block, GlobalSymbol } from '../../core/trace/blocks.js';
import { TraceError } from '../../core/trace/error.js';
import { TraceFile } from '../../core/trace/reader.js';
import { TraceWriter } from '../../core/trace/writer.js';
import { header, NONE, temporaryFolder } from '../trace/blocks.js';
import { SyntheticRun } from './syntheticRun.js';

const folder = temporaryFolder();
let runs = 0;
const newRun = () => new SyntheticRun(path.join(folder, `run${runs++}`));
const noGlobals = async () => [];
const bytes = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 0x7f);

/** A sink in memory that checks the order which blocks.ts promises. */
class Memory {
  readonly blocks: Block[] = [];
  async write(block: Block): Promise<void> {
    const has = (type: Block['type'], key: (b: never) => boolean) =>
      this.blocks.some(b => b.type === type && key(b as never));
    if (block.type === 'stream') expect(has('thread', (b: { stream: number }) => b.stream === block.stream)).toBe(true);
    else if ('process' in block && block.type !== 'process')
      expect(has('process', (b: { process: number }) => b.process === block.process)).toBe(true);
    if (block.type === 'sites')
      for (const module of block.module)
        if (module !== NONE) expect(has('module', (b: { module: number }) => b.module === module)).toBe(true);
    expect(has('end', () => true)).toBe(false);
    this.blocks.push(block);
  }
  async flush(): Promise<void> {}
  of<T extends Block['type']>(type: T): Extract<Block, { type: T }>[] {
    return this.blocks.filter(b => b.type === type) as Extract<Block, { type: T }>[];
  }
  stream(stream: number): Buffer {
    return Buffer.concat(
      this.of('stream')
        .filter(b => b.stream === stream)
        .map(b => b.data),
    );
  }
}

function drainOf(run: SyntheticRun, onModule: DrainOptions['onModule'] = noGlobals) {
  const sink = new Memory();
  return { sink, drain: new Drain({ runDir: run.folder, writer: sink, onModule }) };
}

/** Polls through a whole cycle of passes, so that small amounts are taken too. */
async function pollFully(drain: Drain) {
  let progress = await drain.poll();
  for (let i = 0; i < 8; i++) progress = await drain.poll();
  return progress;
}

describe('the drain', () => {
  test('says when a process could not see into libc', async () => {
    const run = newRun();
    for (const process of [0, 1]) run.process(process, { insideLibc: false });
    const { sink, drain } = drainOf(run);
    const { complete, warnings } = await drain.finish({ status: 0 });
    expect(complete).toBe(true);
    expect(warnings).toEqual([
      expect.stringMatching(/^system calls and mappings that the C library makes inside itself/),
    ]);
    expect(sink.of('process').map(block => block.insideLibc)).toEqual([undefined, undefined]);
  });

  test('carries over everything that a process wrote, in the order that a reader needs', async () => {
    const run = newRun();
    run.process(0, { path: '/bin/program\0' });
    run.module(0, 0, { base: 0x5000_0000_0000n, path: '/bin/program', id: 'abcd' });
    run.module(0, 1, { base: 0x7fff_0000_0000n, path: '/lib/libc.so.6' });
    const main = run.stream(0, 0, 77);
    run.thread(0, 0, 77);
    run.site(0, 0, 24, 0x5000_0000_1234n, 0);
    run.site(0, 1, 25, 0x7fff_0000_0010n, 1);
    run.site(0, 2, 6, 0x10n);
    run.fileName(0, 0, '/etc/pässwd');
    main.record(bytes(100), 40).record(bytes(50, 2), 2).set({ pending: 5, adjust: -7 });
    const { sink, drain } = drainOf(run, async file =>
      file === '/bin/program' ? [{ name: 'g', offset: 8192, size: 8, file: '', line: 0 }] : [],
    );
    const summary = await drain.finish({ status: 3 });

    expect(sink.of('process')).toEqual([
      { type: 'process', process: 0, pid: 5_000_000, parent: null, path: '/bin/program', insideLibc: true },
    ]);
    expect(sink.of('thread')).toEqual([{ type: 'thread', process: 0, stream: 0, tid: 77, signal: false }]);
    const segments = [
      { offset: 0, size: 4096, writable: false },
      { offset: 8192, size: 4096, writable: true },
    ];
    expect(sink.of('module')).toEqual([
      {
        ...{ type: 'module', process: 0, module: 0, path: '/bin/program', buildId: 'abcd', segments },
        ...{ base: String(0x5000_0000_0000), globals: [{ name: 'g', offset: 8192, size: 8, file: '', line: 0 }] },
      },
      {
        ...{ type: 'module', process: 0, module: 1, path: '/lib/libc.so.6', buildId: '', segments },
        ...{ base: String(0x7fff_0000_0000), globals: [] },
      },
    ]);
    const [sites] = sink.of('sites');
    expect(sites.first).toBe(0);
    expect([...sites.pc]).toEqual([0x5000_0000_1234n, 0x7fff_0000_0010n, 0x10n]);
    expect([...sites.kind]).toEqual([24, 25, 6]);
    expect([...sites.module]).toEqual([0, 1, NONE]);
    expect([...sites.offset]).toEqual([0x1234, 0x10, 0]);
    expect(sink.of('fileName')).toEqual([{ type: 'fileName', process: 0, index: 0, path: '/etc/pässwd' }]);
    // The records, then the five steps that were predicted: tag 0xf8, run 5.
    expect([...sink.stream(0)]).toEqual([...main.written, 0xf8, 5]);
    expect(sink.of('end')).toEqual([
      // 40 + 2 + 5 steps, of which 7 were entries and exits.
      { type: 'end', exit: { status: 3 }, complete: true, warnings: [], accesses: [40] },
    ]);
    expect(summary).toMatchObject({ accesses: 40, processes: 1, threads: 1, bytes: 150, complete: true, warnings: [] });
  });

  test('follows a growing run over many chunks, removes what it has read, and loses nothing', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    const streams = [0, 1, 2].map(i => {
      const stream = run.stream(0, i, 100 + i);
      run.thread(0, i, 100 + i, i === 2);
      return stream;
    });
    const { sink, drain } = drainOf(run);
    for (let round = 0; round < 120; round++) {
      for (const [i, stream] of streams.entries())
        stream.record(bytes(100 + ((round * 997 + i * 313) % 1500), round), 3);
      if (round % 3 === 0) await drain.poll();
    }
    await pollFully(drain);
    for (const [i, stream] of streams.entries()) {
      expect(Buffer.compare(sink.stream(i), stream.written)).toBe(0);
      const last = Math.floor(stream.written.length / 8192);
      expect(run.exists(`s${i}.0`)).toBe(false);
      expect(run.exists(`s${i}.${last - 1}`)).toBe(false);
      // The latest eight are left for their writer, until it has ended.
      const free = () => [0, 1, last - 9, last - 8, last - 1].map(chunk => run.exists(`s${i}.${chunk}.free`));
      expect(last).toBeGreaterThan(10);
      expect(free()).toEqual([false, false, false, true, true]);
      stream.set({ state: 3 });
    }
    const summary = await drain.finish({ status: 0 });
    for (const i of streams.keys())
      for (let chunk = 0; chunk < 20; chunk++) expect(run.exists(`s${i}.${chunk}.free`)).toBe(false);
    expect(summary).toMatchObject({ accesses: 1080, threads: 2, complete: true });
    expect(sink.of('stream').every(b => b.data.length <= 8192)).toBe(true);
  });

  test('waits for the second half of a metadata record', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    const { sink, drain } = drainOf(run);
    const record = Buffer.alloc(8 + 24);
    record.writeUInt32LE(4, 0);
    record.writeUInt32LE(24, 4);
    record.writeUInt32LE(6, 12);
    record.writeBigUInt64LE(0x1234n, 16);
    record.writeUInt32LE(NONE, 24);
    for (let i = 0; i < record.length; i++) {
      run.metaBytes(0, record.subarray(i, i + 1));
      await drain.poll();
      expect(sink.of('sites')).toHaveLength(i === record.length - 1 ? 1 : 0);
    }
    expect([...sink.of('sites')[0].pc]).toEqual([0x1234n]);
  });

  test('numbers modules by path and build id over processes, and asks for the globals of each once', async () => {
    const run = newRun();
    for (const p of [0, 1, 2]) {
      run.process(p, p > 0 ? { parent: 0, forkSeq: 10 * p } : {});
      run.module(p, 0, { base: BigInt(p + 1) << 32n, path: '/bin/a', id: p === 2 ? 'ff' : '00' });
      run.module(p, 1, { base: 1n << 40n, path: '/lib/c', id: '11' });
      run.site(p, 0, 24, (BigInt(p + 1) << 32n) + 0x40n, 0);
    }
    const asked: string[] = [];
    const { sink, drain } = drainOf(run, async file => {
      asked.push(file);
      if (file === '/lib/c') throw new Error('not an ELF file');
      return [];
    });
    const { warnings } = await drain.finish({ status: 0 });
    expect(asked.sort()).toEqual(['/bin/a', '/bin/a', '/lib/c']);
    const numbers = sink.of('module').map(m => [m.process, m.path, m.buildId, m.module]);
    const of = (p: number, file: string) => numbers.find(([q, f]) => q === p && f === file)![3];
    expect(of(0, '/bin/a')).toBe(of(1, '/bin/a'));
    expect(of(0, '/bin/a')).not.toBe(of(2, '/bin/a'));
    expect(of(0, '/lib/c')).toBe(of(2, '/lib/c'));
    expect(sink.of('sites').map(s => s.offset[0])).toEqual([0x40, 0x40, 0x40]);
    expect(sink.of('process').map(p => p.parent)).toEqual([null, { process: 0, seq: 10 }, { process: 0, seq: 20 }]);
    expect(warnings).toEqual(['the globals of /lib/c are unknown: not an ELF file']);
  });

  test('splits many sites and gaps of their numbers into blocks', async () => {
    const run = newRun();
    run.process(0);
    const record = Buffer.alloc(32);
    record.writeUInt32LE(4, 0);
    record.writeUInt32LE(24, 4);
    record.writeUInt32LE(NONE, 24);
    const all: Buffer[] = [];
    for (let i = 0; i < 70_000; i++) {
      record.writeUInt32LE(i < 69_990 ? i : i + 5, 8);
      record.writeBigUInt64LE(BigInt(i), 16);
      all.push(Buffer.from(record));
    }
    run.metaBytes(0, Buffer.concat(all));
    const { sink, drain } = drainOf(run);
    await drain.finish(null);
    expect(sink.of('sites').map(s => [s.first, s.pc.length])).toEqual([
      [0, 65_536],
      [65_536, 69_990 - 65_536],
      [69_995, 10],
    ]);
    expect(sink.of('sites')[2].pc[9]).toBe(69_999n);
  });
});

describe('the watermark of the drain', () => {
  test('is the smallest last number of the running streams, one pass late', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    const a = run.stream(0, 0, 1).record(bytes(10)).set({ lastSeq: 5 });
    const b = run.stream(0, 1, 2).record(bytes(10)).set({ lastSeq: 8 });
    run.thread(0, 0, 1);
    run.thread(0, 1, 2);
    run.counters({ nextSeq: 9 });
    const { drain } = drainOf(run);
    expect((await drain.poll()).safeSeq).toBe(0);
    expect((await pollFully(drain)).safeSeq).toBe(5);
    // A thread in a blocking call or ended holds nobody back.
    a.set({ state: 2 });
    expect((await pollFully(drain)).safeSeq).toBe(8);
    b.set({ state: 3 });
    run.counters({ nextSeq: 30 });
    expect((await pollFully(drain)).safeSeq).toBe(30);
    // It woke up and took 30; what it wrote before is less than a block and not taken yet.
    await drain.poll();
    a.record(bytes(10)).set({ state: 1, lastSeq: 30 });
    run.counters({ nextSeq: 40 });
    for (let i = 0; i < 10; i++) expect((await drain.poll()).safeSeq).toBeLessThanOrEqual(30);
    expect((await drain.poll()).safeSeq).toBe(30);
  });

  test('passes a killed process, whose streams say that they run', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    run.process(1, { parent: 0, forkSeq: 3 });
    run.stream(0, 0, 1).record(bytes(10)).set({ lastSeq: 50 });
    run.stream(1, 1, 2).record(bytes(10)).set({ lastSeq: 7, pending: 300 });
    run.thread(0, 0, 1);
    run.thread(1, 1, 2);
    run.counters({ nextSeq: 60 });
    const { sink, drain } = drainOf(run);
    expect((await pollFully(drain)).safeSeq).toBe(50);
    // 300 = 2 * 128 + 44.
    expect([...sink.stream(1)]).toEqual([...bytes(10), 0xf8, 44 | 128, 2]);
  });

  test('never passes a segment that is not in the file, whatever the threads do between passes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.array(fc.nat(999), { maxLength: 120, size: 'max' })), async choices => {
        const run = newRun();
        run.process(0, { pid: process.pid });
        const { sink, drain } = drainOf(run);
        let nextSeq = 1;
        // Of each stream: its segments as (number, bytes committed when it was over).
        const segments: { seq: number; end: number }[][] = [];
        const streams: ReturnType<typeof run.stream>[] = [];
        for (const choice of choices) {
          const what = choice % 10;
          const which = Math.floor(choice / 10) % 4;
          const stream = streams[which];
          if (what === 0) {
            const { safeSeq } = await drain.poll();
            for (const [i, list] of segments.entries())
              for (const { seq, end } of list)
                if (seq < safeSeq)
                  expect(sink.stream(i).length, `segment ${seq} below ${safeSeq}`).toBeGreaterThanOrEqual(end);
          } else if (!stream) {
            if (streams.length > which) continue;
            streams.push(run.stream(0, streams.length, streams.length).set({ lastSeq: nextSeq - 1 }));
            run.thread(0, streams.length - 1, streams.length - 1);
            segments.push([]);
          } else if (stream.state !== 3) {
            // A numbered record ends the segment before it; committed first, then published.
            const numbered = what < 7 || stream.state === 2;
            if (numbered) {
              stream.record(bytes(5));
              const last = segments[which].at(-1);
              if (last) last.end = stream.written.length - 5;
              segments[which].push({ seq: nextSeq, end: Number.POSITIVE_INFINITY });
              stream.set({ state: 1, lastSeq: nextSeq++ });
              run.counters({ nextSeq });
            }
            if (what === 6) stream.set({ state: 2 });
            else if (what === 9 && numbered) stream.set({ state: 3 });
            else stream.record(bytes(what * 700, choice));
            if (stream.state !== 1) segments[which].at(-1)!.end = stream.written.length;
          }
        }
      }),
      { numRuns: 12, seed: 7 },
    );
  });
});

describe('what is damaged or lost', () => {
  test('a stream that says so makes the recording incomplete, and threads are counted', async () => {
    const run = newRun();
    run.process(0);
    for (const i of [0, 1, 2]) {
      run.stream(0, i, i).record(bytes(10)).set({ state: 3 });
      run.thread(0, i, i);
    }
    run.lost(0, 0, 2);
    run.lost(0, 1, 1);
    run.lost(0, 2, 1);
    run.warning(0, 'nested signal handlers beyond 4 are not recorded');
    const { drain } = drainOf(run);
    const { complete, warnings } = await drain.finish({ status: 0 }, { warnings: ['of the driver'] });
    expect(complete).toBe(false);
    expect(warnings).toEqual([
      'of the driver',
      'nested signal handlers beyond 4 are not recorded',
      'recording of one thread stopped before the program ended at the size limit that was set',
      'recording of 2 threads stopped before the program ended because the disk of the run directory is full',
    ]);
  });

  test('a full disk, told by the run page alone, stops the recording and is the reason', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    run.thread(0, 0, 1);
    const stream = run.stream(0, 0, 1).record(bytes(7000), 10);
    const { sink, drain } = drainOf(run);
    await drain.poll();
    expect(run.stopAsked).toBe(false);
    run.lostFor(1);
    expect(await drain.poll()).toMatchObject({ accesses: 10, cut: 'disk-full' });
    expect(run.stopAsked).toBe(true);
    // What the program still records before it heeds that waits for the end.
    stream.record(bytes(100, 2), 5).set({ state: 3 });
    await pollFully(drain);
    expect(sink.stream(0)).toHaveLength(7000);
    const { complete, warnings, accesses, unsaved } = await drain.finish({ status: 0 });
    expect(sink.stream(0)).toEqual(stream.written);
    expect({ complete, accesses, unsaved }).toEqual({ complete: false, accesses: 15, unsaved: null });
    expect(warnings).toEqual([expect.stringMatching(/disk of .* is full; the 15 accesses until then are kept/)]);
    expect(sink.of('end')).toMatchObject([{ complete: false, cut: 'disk-full' }]);
  });

  test('room is made of what the trace has, never of what it lacks', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    run.thread(0, 0, 1);
    // 8192 bytes a chunk: two that are full and one that is not.
    const stream = run.stream(0, 0, 1);
    for (let i = 0; i < 3; i++) stream.record(bytes(8000, i));
    writeFileSync(path.join(run.folder, 'reserve'), bytes(10));
    const { sink, drain } = drainOf(run);
    await pollFully(drain);
    for (let i = 3; i < 5; i++) stream.record(bytes(8000, i));
    expect(await drain.makeRoom()).toBe(true);
    expect(run.stopAsked).toBe(true);
    for (const gone of ['reserve', 's0.0.free', 's0.1.free']) expect(run.exists(gone)).toBe(false);
    for (const kept of ['s0.2', 's0.3', 's0.4']) expect(run.exists(kept)).toBe(true);
    expect(await drain.makeRoom()).toBe(false);
    stream.set({ state: 3 });
    await drain.finish({ status: 0 });
    expect(sink.stream(0)).toEqual(stream.written);
  });

  test('blocks that a full disk has no room for are handed to the caller', async () => {
    const run = newRun();
    run.process(0);
    run.thread(0, 0, 1);
    run.stream(0, 0, 1).record(bytes(100)).set({ state: 3 });
    const { sink, drain } = drainOf(run);
    const full = new TraceError('the disk is full', { cause: Object.assign(new Error(), { code: 'ENOSPC' }) });
    sink.write = async () => {
      throw full;
    };
    const symbols = { type: 'symbols', module: [], offset: [], frames: [], sources: [] } as const;
    const { unsaved, complete } = await drain.finish({ status: 3 }, { symbols: async () => symbols });
    expect(complete).toBe(false);
    expect(unsaved).toMatchObject({ symbols, end: { exit: { status: 3 }, complete: false, cut: 'disk-full' } });
    expect(unsaved!.failure).toBe(full);
    expect(sink.blocks).toEqual([]);
  });

  test('a missing or short chunk, a broken page and broken metadata become warnings; the rest is kept', async () => {
    const run = newRun();
    run.process(0);
    run.process(1);
    run.process(2);
    const streams = [0, 1, 2, 3, 4].map(i => {
      run.thread(0, i, i);
      const stream = run.stream(0, i, i);
      for (let k = 0; k < 4; k++) stream.record(bytes(7000, k));
      return stream.set({ state: 3 });
    });
    unlinkSync(path.join(run.folder, 's0.2'));
    truncateSync(path.join(run.folder, 's1.1'), 100);
    streams[2].poke(0, 0x41414141n);
    streams[3].poke(64, 1n << 60n);
    run.metaBytes(1, Buffer.alloc(64, 0x7f));
    writeFileSync(path.join(run.folder, 's5.ctl'), '');
    writeFileSync(path.join(run.folder, 's6.ctl'), Buffer.alloc(4096));
    const { sink, drain } = drainOf(run);
    const { complete, warnings } = await drain.finish({ signal: 'SIGKILL' });
    expect(complete).toBe(false);
    const found = [0, 1, 2, 3, 4].map(i => sink.stream(i).length);
    // Whole chunks of 8192 before the damage; stream 3 claims more than it has, stream 4 is whole.
    expect(found).toEqual([2 * 8192, 8192, 0, 3 * 8192 + 8192, 3 * 8192 + 7000]);
    expect([...warnings].sort()).toEqual([
      expect.stringContaining('stream 0 is damaged (its file s0.2 is missing)'),
      expect.stringContaining('stream 1 is damaged (its file s1.1 is too short)'),
      expect.stringContaining('stream 2 is damaged (its control page is damaged)'),
      expect.stringContaining('stream 3 is damaged (its file s3.4 is missing)'),
      expect.stringContaining('metadata of process 1 holds a record of'),
    ]);
  });

  test('a process that was killed before it said its name still counts', async () => {
    const run = newRun();
    run.stream(0, 0, 4_999_999).record(bytes(10));
    const { sink, drain } = drainOf(run);
    const { complete } = await drain.finish({ signal: 'SIGKILL' });
    expect(complete).toBe(true);
    expect(sink.of('process')).toEqual([{ type: 'process', process: 0, pid: 4_999_999, parent: null }]);
    expect(sink.stream(0)).toHaveLength(10);
  });

  test('a process that outlives the recording is asked to stop and named', async () => {
    const run = newRun();
    run.process(0, { pid: process.pid });
    run.stream(0, 0, 1).record(bytes(10)).set({ pending: 3 });
    run.thread(0, 0, 1);
    const { sink, drain } = drainOf(run);
    const { complete, warnings } = await drain.finish({ status: 0 });
    expect(run.stopAsked).toBe(true);
    expect(complete).toBe(false);
    expect(warnings[0]).toContain(`process ${process.pid} was still running`);
    expect(sink.stream(0)).toHaveLength(10);
  });

  test('a folder that is no run directory is refused at once', async () => {
    const { drain } = drainOf({ folder: path.join(folder, 'nowhere') } as SyntheticRun);
    await expect(drain.poll()).rejects.toThrow(TraceError);
    await expect(drain.poll()).rejects.toThrow('is no run directory');
  });

  test('symbols come before the end, and their failure is a warning', async () => {
    const run = newRun();
    run.process(0);
    run.module(0, 0, { base: 4096n, path: '/bin/a' });
    run.site(0, 0, 24, 4100n, 0);
    const good = drainOf(run);
    await good.drain.finish(null, {
      symbols: async ({ modules, sites }) => ({
        ...{ type: 'symbols', module: [modules[0].module], offset: [sites[0].offset[0]], frames: [[]], sources: [] },
      }),
    });
    expect(good.sink.of('symbols')[0].offset).toEqual([4]);
    const bad = drainOf(run);
    const { complete, warnings } = await bad.drain.finish(null, {
      symbols: () => Promise.reject(new Error('no tool')),
    });
    expect(complete).toBe(true);
    expect(warnings).toEqual(['source lines could not be resolved: no tool']);
    await expect(bad.drain.finish(null)).rejects.toThrow('finished already');
  });
});

test('a drain that was killed at any moment is followed by another that loses and repeats nothing', async () => {
  const run = newRun();
  const file = path.join(folder, 'resumed.pltrace');
  const globals: GlobalSymbol[] = [{ name: 'g', offset: 0, size: 8, file: '', line: 0 }];
  const asked: string[] = [];
  const onModule = async (name: string) => {
    asked.push(name);
    return globals;
  };
  run.process(0, { pid: process.pid });
  run.module(0, 0, { base: 4096n, path: '/bin/a' });
  run.thread(0, 0, 1);
  run.thread(0, 1, 2, true);
  const streams = [run.stream(0, 0, 1), run.stream(0, 1, 2)];
  let writer = await TraceWriter.create(file);
  await writer.write(header);
  let drain = new Drain({ runDir: run.folder, writer, onModule });
  for (let life = 0; life < 5; life++) {
    run.site(0, 2 * life, 24, BigInt(4096 + life), 0);
    run.site(0, 2 * life + 1, 25, BigInt(8192 + life));
    run.fileName(0, life, `/file/${life}`);
    if (life === 2) run.module(0, 1, { base: 1n << 32n, path: '/lib/b' });
    for (let k = 0; k < 9; k++) for (const s of streams) s.record(bytes(1000 + 200 * k, life * 10 + k));
    for (let k = 0; k < 9; k++) await drain.poll();
    // Killed: the last block is torn, nothing was closed properly.
    await writer.close();
    truncateSync(file, writer.bytesWritten - (life === 3 ? 0 : 7 * life));
    const resumed = await TraceWriter.resume(file);
    writer = resumed.writer;
    drain = new Drain({ runDir: run.folder, writer, onModule, resume: resumed.trace });
    await resumed.trace.close();
  }
  for (const s of streams) s.set({ pending: 2, state: 3 });
  const summary = await drain.finish({ status: 0 });
  await writer.close();
  expect(summary).toMatchObject({ complete: true, warnings: [], threads: 1, processes: 1 });
  const trace = await TraceFile.open(file);
  expect(trace.complete).toBe(true);
  expect(trace.modules.map(m => [m.module, m.path])).toEqual([
    [0, '/bin/a'],
    [1, '/lib/b'],
  ]);
  expect(asked).toEqual(['/bin/a', '/lib/b']);
  expect(trace.sites.flatMap(s => [...s.pc])).toEqual(
    [0, 1, 2, 3, 4].flatMap(life => [BigInt(4096 + life), BigInt(8192 + life)]),
  );
  expect(trace.fileNames.map(f => f.index)).toEqual([0, 1, 2, 3, 4]);
  for (const [i, s] of streams.entries()) {
    const parts: Uint8Array[] = [];
    for (let k = 0; k < trace.streamBlocks(i); k++) parts.push(await trace.readStream(i, k));
    expect(Buffer.compare(Buffer.concat(parts), Buffer.concat([s.written, Buffer.of(0xf8, 2)]))).toBe(0);
  }
  await trace.close();
});

test('a run of hits is a varint behind its tag', () => {
  expect([...encodeHits(1)]).toEqual([0xf8, 1]);
  expect([...encodeHits(128)]).toEqual([0xf8, 0x80, 1]);
  // 2^35: five groups of zeros, then 1.
  expect([...encodeHits(2 ** 35)]).toEqual([0xf8, 0x80, 0x80, 0x80, 0x80, 0x80, 1]);
});
