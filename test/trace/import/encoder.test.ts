/** What the encoder of imports writes, the decoder of recordings reads: access by access, for any accesses. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BATCH,
  EVENT_ALLOC,
  EVENT_FREE,
  SITE_CLASS_MASK,
  SITE_RANGE_READ,
  STOP_ERROR,
  STOP_EVENT,
  STOP_INPUT,
} from '../../../core/kernel/abi.js';
import { Encoder } from '../../../core/machine/encoder.js';
import { instantiate } from '../../../core/machine/instance.js';

interface Decoder {
  readonly memory: WebAssembly.Memory;
  readonly batchSite: { readonly value: number };
  readonly batchAddress: { readonly value: number };
  readonly batchCount: { readonly value: number };
  readonly eventKind: { readonly value: number };
  readonly eventSeq: { readonly value: bigint };
  readonly eventA: { readonly value: bigint };
  readonly eventC: { readonly value: bigint };
  allocate(bytes: number): number;
  processCreate(): number;
  processAddSites(process: number, first: number, count: number, pc: number, kind: number, site: number): void;
  decoderCreate(process: number): number;
  decoderInput(decoder: number, bytes: number, length: number): void;
  decode(decoder: number, limit: number): number;
}

interface Access {
  readonly pc: bigint;
  readonly address: bigint;
  readonly kind: number;
  readonly length: number;
}

function encodeAll(accesses: readonly Access[]) {
  const encoder = new Encoder();
  const stream = encoder.stream();
  const parts: Uint8Array[] = [];
  let seq = 0;
  for (let from = 0; from < accesses.length; from += BATCH) {
    const batch = accesses.slice(from, from + BATCH);
    for (const [row, { pc, address, kind, length }] of batch.entries()) {
      const { columns } = encoder;
      columns.pc.set([Number(pc & 0xffffffffn), Number(pc >> 32n)], 2 * row);
      columns.address.set([Number(address & 0xffffffffn), Number(address >> 32n)], 2 * row);
      columns.kind[row] = kind;
      columns.length.set([length, 0], 2 * row);
    }
    for (let row = 0; row < batch.length; ) {
      row = encoder.encode(stream, row, batch.length);
      parts.push(encoder.take());
      if (row < batch.length) encoder.stamp(stream, ++seq);
    }
  }
  encoder.end(stream);
  parts.push(encoder.take());
  return { encoder, bytes: Buffer.concat(parts) };
}

function decoderOf(encoder: Encoder, bytes: Uint8Array) {
  const kernel = instantiate<Decoder>(() => {});
  const process = kernel.processCreate();
  const { pc, kind } = encoder.sites(0);
  const lend = (column: ArrayBufferView): number => {
    const at = kernel.allocate(Math.max(1, column.byteLength));
    new Uint8Array(kernel.memory.buffer).set(
      new Uint8Array(column.buffer as ArrayBuffer, column.byteOffset, column.byteLength),
      at,
    );
    return at;
  };
  const numbers = Uint32Array.from(pc, (_, i) => i);
  kernel.processAddSites(process, 0, pc.length, lend(pc), lend(kind), lend(numbers));
  const decoder = kernel.decoderCreate(process);
  kernel.decoderInput(decoder, lend(bytes), bytes.length);
  return { kernel, decoder, pc, kind };
}

/** The accesses as `pc kind address`, a range by the lines that it starts. */
function decodeAll({ kernel, decoder, pc, kind }: ReturnType<typeof decoderOf>): string[] {
  const found: string[] = [];
  for (;;) {
    const stop = kernel.decode(decoder, BATCH);
    expect(stop).not.toBe(STOP_ERROR);
    const count = kernel.batchCount.value;
    const sites = new Uint32Array(kernel.memory.buffer, kernel.batchSite.value, count);
    const addresses = new BigUint64Array(kernel.memory.buffer, kernel.batchAddress.value, count);
    for (let i = 0; i < count; i++) found.push(`${pc[sites[i]!]} ${kind[sites[i]!]} ${addresses[i]}`);
    if (stop === STOP_INPUT) return found;
  }
}

function expected(accesses: readonly Access[]): string[] {
  return accesses.flatMap(({ pc, address, kind, length }) => {
    if ((kind & SITE_CLASS_MASK) < SITE_RANGE_READ) return [`${pc} ${kind} ${address}`];
    const lines: string[] = [];
    for (let at = address; at < address + BigInt(length); at = (at & ~63n) + 64n) lines.push(`${pc} ${kind} ${at}`);
    return lines;
  });
}

/** Loops with strides, returns to old addresses, far jumps up to the end of the address space. */
const accesses = fc.array(
  fc.record({
    pc: fc.oneof(fc.bigInt({ min: 0x400000n, max: 0x400008n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    address: fc.oneof(
      fc.bigInt({ min: 0n, max: 64n }).map(i => 0x7f0000000000n + 8n * i),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 2n ** 13n }),
    ),
    kind: fc.constantFrom(0, 1, 3 << 3, (3 << 3) | 1, (2 << 3) | 64, 2, 3),
    length: fc.integer({ min: 1, max: 4096 }),
  }),
  { maxLength: 400 },
);

test('any accesses come back as they were', () => {
  fc.assert(
    fc.property(accesses, generated => {
      // Repeats teach the predictor: the same list three times.
      const list = [...generated, ...generated, ...generated];
      const { encoder, bytes } = encodeAll(list);
      const lines = expected(list);
      expect(decodeAll(decoderOf(encoder, bytes))).toEqual(lines);
      expect(encoder.accesses).toBe(lines.length);
    }),
    { numRuns: 60 },
  );
});

test('a loop longer than the steps between two stamps takes few bytes', () => {
  const list = Array.from({ length: 200_000 }, (_, i) => ({
    pc: 0x401000n,
    address: 0x10000n + 8n * BigInt(i),
    kind: 3 << 3,
    length: 0,
  }));
  const { encoder, bytes } = encodeAll(list);
  expect(decodeAll(decoderOf(encoder, bytes))).toEqual(expected(list));
  expect(bytes.length).toBeLessThan(64);
});

test('events carry their fields, and the site of a call', () => {
  const encoder = new Encoder();
  const stream = encoder.stream();
  encoder.event(stream, EVENT_ALLOC, 1, [0x5000n, 64n, 0x401234n, 0n]);
  encoder.event(stream, EVENT_FREE, 2, [0x5000n]);
  const { kernel, decoder } = decoderOf(encoder, encoder.take());
  expect(kernel.decode(decoder, BATCH)).toBe(STOP_EVENT);
  expect([kernel.eventKind.value, kernel.eventSeq.value, kernel.eventA.value, kernel.eventC.value]).toEqual([
    EVENT_ALLOC,
    1n,
    0x5000n,
    0x401234n,
  ]);
  expect(kernel.decode(decoder, BATCH)).toBe(STOP_EVENT);
  expect([kernel.eventKind.value, kernel.eventSeq.value, kernel.eventA.value]).toEqual([EVENT_FREE, 2n, 0x5000n]);
  expect(kernel.decode(decoder, BATCH)).toBe(STOP_INPUT);
});
