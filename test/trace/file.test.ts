import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import type { Block, ModuleBlock } from '../../core/trace/blocks.js';
import { TraceError } from '../../core/trace/error.js';
import { TraceFile } from '../../core/trace/reader.js';
import { spoolTrace } from '../../core/trace/stdin.js';
import { TraceWriter } from '../../core/trace/writer.js';
import { everyBlock, header, sites, temporaryFolder, writeTrace } from './blocks.js';

const folder = temporaryFolder();
let files = 0;
const newFile = () => path.join(folder, `${files++}.pltrace`);
const block = <T extends Block['type']>(type: T) => everyBlock.find(b => b.type === type) as Block & { type: T };
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable('it should have been refused'),
    (error: Error) => {
      expect(error).toBeInstanceOf(TraceError);
      expect(error.message).not.toContain('\n');
      return error.message;
    },
  );

/** A file made by hand from docs/trace-format.md, without the code under test. */
function byHand(
  blocks: { type: number; payload: Uint8Array; stream?: number; codec?: number; flags?: number; raw?: number }[],
) {
  const start = Buffer.alloc(16);
  start.write('\x89PLT\r\n\x1a\n', 'latin1');
  start.writeUInt32LE(1, 8);
  start.writeUInt32LE(crc32(start.subarray(0, 12)), 12);
  const parts: Uint8Array[] = [start];
  for (const [
    number,
    { type, payload, stream = 0xffffffff, codec = 0, flags = 0, raw = payload.length },
  ] of blocks.entries()) {
    const head = Buffer.alloc(32);
    head.write('PLBK', 'latin1');
    head[4] = type;
    head[5] = codec;
    head.writeUInt16LE(flags, 6);
    for (const [i, field] of [number, stream, raw, payload.length, crc32(payload)].entries())
      head.writeUInt32LE(field, 8 + 4 * i);
    head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
    parts.push(head, payload);
  }
  return Buffer.concat(parts);
}
const jsonOf = (value: object) => Buffer.from(JSON.stringify(value));
const { type: _, ...headerFields } = header;
const minimal = [
  { type: 1, payload: jsonOf(headerFields) },
  { type: 2, payload: jsonOf({ process: 0, pid: 1, parent: null }) },
  { type: 3, payload: jsonOf({ process: 0, stream: 0, tid: 1, signal: false }) },
];

describe('a trace file', () => {
  test('gives back every block that was written', async () => {
    const trace = await TraceFile.open(await writeTrace(newFile(), everyBlock));
    expect(trace.header).toEqual(header);
    const of = (type: string) => everyBlock.filter(b => b.type === type);
    expect(trace.processes).toEqual(of('process'));
    expect(trace.threads).toEqual(of('thread'));
    expect(trace.modules).toEqual(of('module'));
    expect(trace.sites).toEqual(of('sites'));
    expect(trace.fileNames).toEqual(of('fileName'));
    expect(trace.markNames).toEqual(of('markName'));
    expect(trace.symbols).toEqual(of('symbols')[0]);
    expect(trace.end).toEqual(of('end')[0]);
    expect(trace.streamBlocks(0)).toBe(2);
    expect(trace.streamBytes(0)).toBe(1001);
    expect([...(await trace.readStream(0, 0))]).toEqual(Array.from({ length: 1000 }, (_, i) => i % 7));
    expect([...(await trace.readStream(0, 1))]).toEqual([9]);
    expect([...(await trace.readStream(1, 0))]).toEqual([1, 2, 3]);
    expect(trace.streamBlocks(2)).toBe(0);
    expect(trace.damage).toBeNull();
    expect(trace.complete).toBe(true);
    expect(trace.warnings).toEqual(['a table was not seen']);
    await trace.close();
  });

  test('written by hand after the specification is read', async () => {
    const records = Buffer.from('the records of a stream, the records of a stream');
    const columns = Buffer.alloc(16 + 2 * 22);
    for (const [i, n] of [0, 5, 2, 0].entries()) columns.writeUInt32LE(n, 4 * i);
    columns.writeBigUInt64LE(0x401000n, 16);
    columns.writeBigUInt64LE(0x402000n, 24);
    columns.writeDoubleLE(0x1000, 32);
    columns.writeDoubleLE(0, 40);
    columns.writeUInt32LE(0, 48);
    columns.writeUInt32LE(0xffffffff, 52);
    columns.writeUInt16LE(24, 56);
    columns.writeUInt16LE(6, 58);
    const module = { process: 0, module: 0, path: '/a', buildId: '', base: '4194304', segments: [], globals: [] };
    const end = { exit: { status: 0 }, complete: true, warnings: [], accesses: [7] };
    const endBytes = jsonOf(end);
    const file = newFile();
    writeFileSync(
      file,
      byHand([
        ...minimal,
        { type: 4, payload: jsonOf(module) },
        { type: 200, payload: Buffer.from('from a later version') },
        { type: 5, payload: columns },
        { type: 7, payload: deflateRawSync(records), stream: 0, codec: 1, raw: records.length },
        { type: 9, payload: endBytes.subarray(0, 10), flags: 1 },
        { type: 9, payload: endBytes.subarray(10) },
      ]),
    );
    const trace = await TraceFile.open(file);
    expect(trace.modules).toEqual([{ type: 'module', ...module }]);
    expect(trace.sites[0].first).toBe(5);
    expect([...trace.sites[0].pc]).toEqual([0x401000n, 0x402000n]);
    expect([...trace.sites[0].offset]).toEqual([0x1000, 0]);
    expect([...trace.sites[0].module]).toEqual([0, 0xffffffff]);
    expect([...trace.sites[0].kind]).toEqual([24, 6]);
    expect(Buffer.from(await trace.readStream(0, 0))).toEqual(records);
    expect(trace.end).toEqual({ type: 'end', ...end });
    expect(trace.complete).toBe(true);
    await trace.close();
  });

  test('keeps the order of concurrent writes and stores each block as is best', async () => {
    const file = newFile();
    const writer = await TraceWriter.create(file);
    // In turn: all equal; noise; noise of three bits a byte, which codes shrink to 3/8 but repetitions do not.
    const data = Array.from({ length: 24 }, (_, i) => {
      const noise = new Uint8Array(randomBytes(i * 5000));
      return i % 3 === 0 ? new Uint8Array(300_000).fill(i) : i % 3 === 1 ? noise : noise.map(byte => byte & 7);
    });
    await Promise.all([
      ...everyBlock.slice(0, 4).map(b => writer.write(b)),
      ...data.map(bytes => writer.write({ type: 'stream', stream: 0, data: bytes })),
    ]);
    await writer.close();
    expect(writer.bytesWritten).toBe(statSync(file).size);
    const noise = (rest: number) => data.reduce((sum, bytes, i) => sum + (i % 3 === rest ? bytes.length : 0), 0);
    expect(writer.bytesWritten).toBeLessThan(noise(1) + noise(2) * 0.45 + 8 * 2000 + 28 * 32 + 2000);
    const trace = await TraceFile.open(file);
    for (const [i, bytes] of data.entries()) expect(Buffer.compare(await trace.readStream(0, i), bytes)).toBe(0);
    await trace.close();
  });

  test('splits a block that is longer than 16 MiB and joins it again', async () => {
    const name = 'x'.repeat(1000);
    const globals = Array.from({ length: 20_000 }, (_, i) => ({
      name: name + i,
      offset: i,
      size: 1,
      file: '',
      line: 0,
    }));
    const big: ModuleBlock = { ...block('module'), globals };
    const trace = await TraceFile.open(await writeTrace(newFile(), [header, block('process'), big, block('end')]));
    expect(trace.modules[0].globals).toHaveLength(20_000);
    expect(trace.modules[0].globals[19_999].name).toBe(`${name}19999`);
    expect(trace.blockCount).toBe(5);
    await trace.close();
  });

  test('keeps any number of symbols', async () => {
    const count = 150_000;
    const numbers = Array.from({ length: count }, (_, i) => i);
    const symbols: Block = {
      type: 'symbols',
      module: numbers.map(i => i % 3),
      offset: numbers,
      frames: numbers.map(i => [{ function: `f${i % 100}`, file: '/a.c', line: i, column: 1, startLine: 0 }]),
      sources: [{ path: '/a.c', sha256: '0'.repeat(64) }],
    };
    const trace = await TraceFile.open(await writeTrace(newFile(), [header, symbols, block('end')]));
    expect(trace.blockCount).toBe(5);
    expect(trace.symbols).toEqual(symbols);
    await trace.close();
  });

  test("stores a module's globals once for all processes", async () => {
    const globals = Array.from({ length: 1000 }, (_, i) => ({
      name: `g${Math.sin(i)}`,
      offset: i,
      size: 1,
      file: '',
      line: 0,
    }));
    const module: ModuleBlock = { ...block('module'), globals };
    const more = Array.from({ length: 50 }, (_, i) => ({ ...module, base: String(i) }));
    const one = await writeTrace(newFile(), [header, block('process'), module, block('end')]);
    const many = await writeTrace(newFile(), [header, block('process'), module, ...more, block('end')]);
    expect(statSync(many).size - statSync(one).size).toBeLessThan(50 * 250);
    const trace = await TraceFile.open(many);
    expect(trace.modules).toHaveLength(51);
    expect(trace.modules[50]).toEqual({ ...module, base: '49' });
    await trace.close();
  });

  test('without accesses is usable when it has its end', async () => {
    const trace = await TraceFile.open(await writeTrace(newFile(), [header, block('end')]));
    expect(trace.complete).toBe(true);
    await trace.close();
  });

  test('refuses misuse with both numbers', async () => {
    const writer = await TraceWriter.create(newFile());
    await expect(writer.write({ ...sites, kind: Uint16Array.of(1) })).rejects.toThrow('pc 3, kind 1');
    await expect(writer.write({ type: 'stream', stream: 2 ** 24, data: new Uint8Array(1) })).rejects.toThrow(
      RangeError,
    );
    const tooLong = new Uint8Array((16 << 20) + 1);
    await expect(writer.write({ type: 'stream', stream: 0, data: tooLong })).rejects.toThrow('16777217');
    await writer.close();
  });
});

describe('a full disk', () => {
  test('is named when the file is made', async () => {
    expect(await refusal(TraceWriter.create('/dev/full'))).toBe(
      'cannot write /dev/full: the disk is full; free some space or choose another place',
    );
  });

  test('loses nothing where room can be made, as often as that is needed', async () => {
    const file = newFile();
    const writer = await TraceWriter.create(file);
    const probe = await open(file, 'r');
    const prototype: FileHandle = Object.getPrototypeOf(probe);
    await probe.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    let asked = 0;
    writer.makeRoom = async () => {
      asked++;
      return true;
    };
    const fail = async () => {
      appendFileSync(file, 'half a block');
      throw full;
    };
    const spy = vi.spyOn(prototype, 'write').mockImplementationOnce(fail).mockImplementationOnce(fail);
    for (const b of everyBlock) await writer.write(b);
    await writer.close();
    spy.mockRestore();
    expect(asked).toBe(2);
    expect(readFileSync(file)).toEqual(readFileSync(await writeTrace(newFile(), everyBlock)));
  });

  test('is no damage to a reader that follows when a torn block is cut off under its eyes', async () => {
    const file = newFile();
    const writer = await TraceWriter.create(file);
    for (const b of everyBlock.slice(0, 7)) await writer.write(b);
    await writer.flush();
    const whole = writer.bytesWritten;
    const trace = await TraceFile.open(file, { live: true });
    appendFileSync(file, randomBytes(100));
    const probe = await open(file, 'r');
    const prototype: FileHandle = Object.getPrototypeOf(probe);
    const stat = prototype.stat;
    await probe.close();
    const spy = vi.spyOn(prototype, 'stat').mockImplementationOnce(async function (this: FileHandle) {
      const found = await stat.call(this);
      truncateSync(file, whole);
      return found;
    } as typeof stat);
    expect(await trace.refresh()).toBe(false);
    spy.mockRestore();
    expect(trace.damage).toEqual({ offset: whole, reason: 'the last block is cut' });
    await writer.write(everyBlock[7]);
    await writer.close();
    expect(await trace.refresh()).toBe(true);
    expect(trace.damage).toBeNull();
    await trace.close();
  });

  test('stops the writing and leaves what was whole', async () => {
    const file = newFile();
    const writer = await TraceWriter.create(file);
    for (const b of everyBlock.slice(0, 7)) await writer.write(b);
    await writer.flush();
    const whole = writer.bytesWritten;
    const probe = await open(file, 'r');
    const prototype: FileHandle = Object.getPrototypeOf(probe);
    await probe.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const spy = vi.spyOn(prototype, 'write').mockImplementationOnce(async () => {
      appendFileSync(file, 'half a block');
      throw full;
    });
    await writer.write(everyBlock[7]);
    expect(await refusal(writer.flush())).toContain('the disk is full');
    spy.mockRestore();
    expect(await refusal(writer.write(everyBlock[8]))).toContain('the disk is full');
    expect(await refusal(writer.close())).toContain('the disk is full');
    expect(statSync(file).size).toBe(whole);
    const trace = await TraceFile.open(file);
    expect(trace.streamBlocks(0)).toBe(1);
    expect(trace.complete).toBe(false);
    await trace.close();
  });
});

describe('a cut or damaged trace', () => {
  test('is used up to the last whole block, wherever it is cut', async () => {
    const bytes = readFileSync(await writeTrace(newFile(), everyBlock));
    const ends = blockEnds(bytes);
    const firstStream = everyBlock.findIndex(b => b.type === 'stream');
    const at = async (length: number, file: string) => {
      writeFileSync(file, bytes.subarray(0, length));
      const whole = ends.filter(end => end <= length).length;
      if (whole <= firstStream) {
        await refusal(TraceFile.open(file));
        return;
      }
      const trace = await TraceFile.open(file);
      expect(trace.complete).toBe(false);
      expect(trace.end).toBeNull();
      expect(trace.blockCount).toBe(whole);
      expect(trace.warnings).toHaveLength(1);
      expect(trace.damage).toEqual(
        length === ends[whole - 1] ? null : { offset: ends[whole - 1], reason: 'the last block is cut' },
      );
      await trace.close();
    };
    // Side by side: most of the time is waiting for the file system.
    let next = 0;
    const work = async (file: string) => {
      while (next < bytes.length) await at(next++, file);
    };
    await Promise.all(Array.from({ length: 8 }, () => work(newFile())));
  });

  test('is not believed where the last stream block is spoilt', async () => {
    const bytes = readFileSync(await writeTrace(newFile(), everyBlock));
    const ends = blockEnds(bytes);
    const file = newFile();
    // Cut behind the second stream block; its last byte lost to a crash of the machine.
    const second = everyBlock.findIndex(b => b.type === 'stream' && b.stream === 1);
    const cut = Buffer.from(bytes.subarray(0, ends[second]));
    cut[cut.length - 1] ^= 0xff;
    writeFileSync(file, cut);
    const trace = await TraceFile.open(file);
    expect(trace.streamBlocks(0)).toBe(1);
    expect(trace.streamBlocks(1)).toBe(0);
    expect(trace.damage).toEqual({ offset: ends[second - 1], reason: "a block's checksum is wrong" });
    await trace.close();
  });

  test('says so when a stream block in its middle is read', async () => {
    const bytes = readFileSync(await writeTrace(newFile(), everyBlock));
    const stream = everyBlock.findIndex(b => b.type === 'stream');
    bytes[blockEnds(bytes)[stream] - 1] ^= 1;
    const file = newFile();
    writeFileSync(file, bytes);
    const trace = await TraceFile.open(file);
    expect(trace.complete).toBe(true);
    expect(await refusal(trace.readStream(0, 0))).toContain('checksum');
    expect(trace.complete).toBe(false);
    expect([...(await trace.readStream(1, 0))]).toEqual([1, 2, 3]);
    await trace.close();
  });

  test('with bytes behind its end is not complete', async () => {
    const file = await writeTrace(newFile(), everyBlock);
    appendFileSync(file, 'x');
    const trace = await TraceFile.open(file);
    expect(trace.complete).toBe(false);
    expect(trace.damage!.reason).toBe('there are bytes behind the end block');
    await trace.close();
  });

  test.each([
    [
      'a deflate bomb',
      { type: 8, payload: deflateRawSync(Buffer.alloc(20 << 20)), codec: 1, raw: 20 << 20 },
      'more than',
    ],
    ['a false raw length', { type: 8, payload: Buffer.alloc(10), codec: 1, raw: 16 << 20 }, 'claims to inflate'],
    [
      'more bytes than announced',
      { type: 8, payload: deflateRawSync(Buffer.alloc(5000)), codec: 1, raw: 100 },
      'inflated',
    ],
    [
      'fewer bytes than announced',
      { type: 8, payload: deflateRawSync(Buffer.alloc(50)), codec: 1, raw: 100 },
      'not 100',
    ],
    ['an unknown codec', { type: 8, payload: Buffer.alloc(1), codec: 2 }, 'codec 2'],
    ['an unknown type', { type: 11, payload: Buffer.alloc(1) }, 'type 11'],
    ['a mark name of nobody', { type: 10, payload: jsonOf({ process: 7, index: 0, name: 'a' }) }, 'process 7'],
    ['a stream of nobody', { type: 7, payload: Buffer.alloc(1), stream: 1 }, 'no thread block'],
    ['text that is no JSON', { type: 8, payload: Buffer.from('{]') }, 'not JSON'],
    ['JSON that is no block', { type: 4, payload: Buffer.from('[1]') }, 'not an object'],
    ['a module of nobody', { type: 4, payload: jsonOf({ ...block('module'), process: 7 }) }, 'process 7'],
    ['a huge number', { type: 3, payload: jsonOf({ ...block('thread'), stream: 1e9 }) }, '"stream"'],
    ['sites that are too short', { type: 5, payload: Buffer.alloc(17) }, '17 bytes'],
  ])('with %s is used up to there', async (_, bad, reason) => {
    const file = newFile();
    writeFileSync(file, byHand([...minimal, { type: 7, payload: Buffer.from('abc'), stream: 0 }, bad]));
    const trace = await TraceFile.open(file);
    expect(trace.streamBlocks(0)).toBe(1);
    expect(trace.damage!.reason).toContain(reason);
    await trace.close();
  });
});

describe('what is no trace', () => {
  test.each([
    ['nothing', '', 'an empty file'],
    ['text', 'int main() { return 0; }\n', 'a text file'],
    ['JSON', '{"schema":"pagelens-report/1"}', 'JSON'],
    ['an executable', '\x7fELF\x02\x01\x01', 'an executable'],
    ['zeros', '\0'.repeat(5000), 'a file of zeros'],
    ['a text-mode copy', '\x89PLT\n\x1a\n', 'text mode'],
    ['noise', '\x01\x80\x03\xfe\x00zzz', 'binary data of an unknown kind'],
    ['a gzip file', gzipSync('x').toString('latin1'), 'gzip'],
  ])('is refused with what it seems to be: %s', async (_, content, expected) => {
    const file = newFile();
    writeFileSync(file, content, 'latin1');
    const message = await refusal(TraceFile.open(file));
    expect(message).toContain(expected);
    expect(message).toContain(file);
    expect(message).toContain('version 1');
  });

  test('is refused when its version is another', async () => {
    const bytes = byHand(minimal);
    bytes.writeUInt32LE(7, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
    const file = newFile();
    writeFileSync(file, bytes);
    expect(await refusal(TraceFile.open(file))).toMatch(/version 7; this Pagelens reads .* version 1/);
  });

  test('is refused when it is missing or a folder', async () => {
    expect(await refusal(TraceFile.open(path.join(folder, 'missing')))).toContain('there is no such file');
    mkdirSync(path.join(folder, 'sub'));
    expect(await refusal(TraceFile.open(path.join(folder, 'sub')))).toContain('directory');
  });
});

describe('a live trace', () => {
  test('grows in the reader while it is written, whatever part of a block has arrived', async () => {
    const bytes = readFileSync(await writeTrace(newFile(), everyBlock));
    const ends = blockEnds(bytes);
    const file = newFile();
    writeFileSync(file, bytes.subarray(0, ends[0]));
    const trace = await TraceFile.open(file, { live: true });
    let shown = 1;
    for (let length = ends[0]; length < bytes.length; length += 41) {
      writeFileSync(file, bytes.subarray(0, length));
      const whole = ends.filter(end => end <= length).length;
      expect(await trace.refresh()).toBe(whole > shown);
      shown = whole;
      expect(trace.blockCount).toBe(whole);
    }
    writeFileSync(file, bytes);
    await trace.refresh();
    expect(trace.complete).toBe(true);
    expect(trace.damage).toBeNull();
    expect([...(await trace.readStream(0, 1))]).toEqual([9]);
    await trace.close();
  });

  test('is resumed behind its last whole block', async () => {
    const file = await writeTrace(newFile(), everyBlock);
    const bytes = readFileSync(file);
    const ends = blockEnds(bytes);
    truncateSync(file, ends[8] + 5);
    const { writer, trace } = await TraceWriter.resume(file);
    expect(trace.streamBytes(0)).toBe(1000);
    await trace.close();
    for (const b of everyBlock.slice(9)) await writer.write(b);
    await writer.close();
    expect(Buffer.compare(readFileSync(file), bytes)).toBe(0);
    expect(await refusal(TraceWriter.resume(file))).toContain('is finished');
  });
});

describe('standard input', () => {
  test('is read like a file, of which nothing is left', async () => {
    const bytes = readFileSync(await writeTrace(newFile(), everyBlock));
    const spooled = await spoolTrace(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]));
    const trace = await TraceFile.open(spooled.file);
    expect(trace.complete).toBe(true);
    expect([...(await trace.readStream(1, 0))]).toEqual([1, 2, 3]);
    await trace.close();
    await spooled.remove();
    expect(existsSync(spooled.file)).toBe(false);
  });
});

/** End offset of every block, walked by the specification. */
function blockEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 16; at < bytes.length; ) {
    at += 32 + bytes.readUInt32LE(at + 20);
    ends.push(at);
  }
  return ends;
}
