/** Whatever the bytes are, the reader gives a trace or one clear line, and never data that was not written. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TraceError } from '../../core/trace/error.js';
import { TraceFile } from '../../core/trace/reader.js';
import { everyBlock, temporaryFolder, writeTrace } from './blocks.js';

const folder = temporaryFolder();
const file = path.join(folder, 'fuzz.pltrace');

/** Opens, reads everything, closes. Null when it was refused. */
async function readAll(bytes: Uint8Array): Promise<Map<number, Uint8Array[]> | null> {
  writeFileSync(file, bytes);
  let trace: TraceFile;
  try {
    trace = await TraceFile.open(file);
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    expect((error as Error).message).not.toContain('\n');
    return null;
  }
  const streams = new Map<number, Uint8Array[]>();
  try {
    for (const { stream } of trace.threads) {
      const blocks: Uint8Array[] = [];
      streams.set(stream, blocks);
      for (let i = 0; i < trace.streamBlocks(stream); i++) blocks.push(await trace.readStream(stream, i));
    }
    expect(trace.warnings.length).toBeGreaterThanOrEqual(trace.complete ? 0 : 1);
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    expect(trace.complete).toBe(false);
  } finally {
    await trace.close();
  }
  return streams;
}

test('random mutations, cuts and repetitions of a trace give its records or none', async () => {
  const original = readFileSync(await writeTrace(path.join(folder, 'whole.pltrace'), everyBlock));
  const whole = await readAll(original);
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('set'), at: fc.nat(), to: fc.nat(255), length: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ kind: fc.constant('cut'), at: fc.nat(), to: fc.nat(), length: fc.nat() }),
    fc.record({ kind: fc.constant('repeat'), at: fc.nat(), to: fc.nat(), length: fc.nat(2000) }),
    fc.record({ kind: fc.constant('drop'), at: fc.nat(), to: fc.nat(), length: fc.nat(2000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async edits => {
      let bytes = Buffer.from(original);
      for (const { kind, at: where, to, length } of edits) {
        const at = where % (bytes.length + 1);
        const piece = bytes.subarray(at, at + length);
        if (kind === 'set') piece.fill(to);
        else if (kind === 'cut') bytes = bytes.subarray(0, at);
        else if (kind === 'repeat') bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
        else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      }
      const found = await readAll(bytes);
      for (const [stream, blocks] of found ?? [])
        for (const [i, block] of blocks.entries())
          expect(Buffer.compare(block, whole!.get(stream)![i]), `stream ${stream}, block ${i}`).toBe(0);
    }),
    { numRuns: 1500, seed: 1 },
  );
});

test('payloads that are wrong behind right checksums never crash the reader', async () => {
  const original = readFileSync(await writeTrace(path.join(folder, 'whole.pltrace'), everyBlock));
  const blocks: { head: Buffer; raw: Buffer }[] = [];
  for (let at = 16; at < original.length; ) {
    const head = original.subarray(at, at + 32);
    const stored = original.subarray(at + 32, at + 32 + head.readUInt32LE(20));
    blocks.push({ head, raw: head[5] === 1 ? inflateRawSync(stored) : stored });
    at += 32 + stored.length;
  }
  const pick = fc.nat(blocks.length - 1);
  const change = fc.record({
    block: pick,
    at: fc.nat(),
    to: fc.constantFrom(0, 1, 0x22, 0x2c, 0x30, 0x39, 0x5b, 0x65, 0x7d, 0x80, 0xff),
    headAt: fc.option(fc.integer({ min: 4, max: 20 }), { nil: undefined, freq: 4 }),
    insert: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async changes => {
      const parts: Uint8Array[] = [original.subarray(0, 16)];
      for (const [number, { head, raw }] of blocks.entries()) {
        let payload = Buffer.from(raw);
        const newHead = Buffer.from(head);
        for (const c of changes.filter(c => c.block === number)) {
          const at = c.at % (payload.length + 1);
          if (c.headAt !== undefined) newHead[c.headAt] = c.to;
          else if (c.insert) payload = Buffer.concat([payload.subarray(0, at), Buffer.of(c.to), payload.subarray(at)]);
          else payload.subarray(at, at + 1).fill(c.to);
        }
        const stored = newHead[5] === 1 ? deflateRawSync(payload) : payload;
        if (changes.every(c => c.headAt === undefined)) newHead.writeUInt32LE(payload.length, 16);
        newHead.writeUInt32LE(stored.length, 20);
        newHead.writeUInt32LE(crc32(stored), 24);
        newHead.writeUInt32LE(crc32(newHead.subarray(0, 28)), 28);
        parts.push(newHead, stored);
      }
      await readAll(Buffer.concat(parts));
    }),
    { numRuns: 1500, seed: 2 },
  );
});

test('random bytes are refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, prefixed) => {
      const start = readFileSync(path.join(folder, 'whole.pltrace')).subarray(0, 16);
      expect(await readAll(prefixed ? Buffer.concat([start, bytes]) : bytes)).toBeNull();
    }),
    { numRuns: 300, seed: 3 },
  );
});
