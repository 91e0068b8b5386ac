/** Packet traces of gem5, written here from its packet.proto and protoio.cc. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pagesOf, profileOf, recognised, refusal, survivesDamage } from './importing.js';

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const byte = Number(rest & 127n);
    if (rest < 128n) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}
const number = (field: number, value: bigint) => [...varint(BigInt(field << 3)), ...varint(value)];
const text = (field: number, value: string) => [(field << 3) | 2, value.length, ...Buffer.from(value)];
const message = (...fields: number[][]) => {
  const bytes = fields.flat();
  return [...varint(BigInt(bytes.length)), ...bytes];
};

interface Packet {
  readonly command: number;
  readonly address: bigint;
  readonly size: number;
  readonly flags?: number;
  readonly pc?: bigint;
}

function packets(list: readonly Packet[]): Buffer {
  return Buffer.from([
    ...Buffer.from('gem5'),
    ...message(text(1, 'system.monitor'), number(2, 0n), number(3, 10n ** 12n), [(4 << 3) | 2, 4, 8, 1, 18, 0]),
    ...list.flatMap(({ command, address, size, flags, pc }, tick) =>
      message(
        number(1, BigInt(tick)),
        number(2, BigInt(command)),
        number(3, address),
        number(4, BigInt(size)),
        flags === undefined ? [] : number(5, BigInt(flags)),
        number(6, 3n),
        pc === undefined ? [] : number(7, pc),
      ),
    ),
  ]);
}

const [READ_REQ, READ_RESP, WRITE_REQ, SWAP_REQ] = [1, 2, 4, 34];

const trace = packets([
  { command: READ_REQ, address: 0x80001000n, size: 8, pc: 0x10074n },
  { command: READ_RESP, address: 0x80001000n, size: 8, pc: 0x10074n },
  { command: WRITE_REQ, address: 0xff80001ffcn, size: 8, pc: 0x10078n },
  { command: READ_REQ, address: 0x80003000n, size: 4, flags: 0x100, pc: 0x1007cn },
  { command: SWAP_REQ, address: 0x80001008n, size: 4, pc: 0x10080n },
]);

test('requests count, responses and instruction fetches do not', async () => {
  const profile = await profileOf(trace);
  expect(pagesOf(profile)).toEqual(['80001: 2/1', 'ff80001: 0/1', 'ff80002: 0/0']);
  expect(profile.sites.count).toBe(4);
  expect(profile.warnings.slice(1)).toEqual([
    '1 instruction fetches do not count as accesses',
    '1 packets of other commands (responses, prefetches, upgrades) do not count',
  ]);
});

test('compressed as gem5 writes them', async () => {
  expect(pagesOf(await profileOf(gzipSync(trace)))).toEqual(pagesOf(await profileOf(trace)));
});

test('a cut file shows what precedes the cut', async () => {
  for (const cut of [trace.subarray(0, trace.length - 3), gzipSync(trace).subarray(0, -12)]) {
    const { program, totals } = await profileOf(cut, { from: 'gem5' });
    expect(program.complete).toBe(false);
    expect(totals.reads).toBeGreaterThanOrEqual(1);
  }
});

test('an absurd size is cut, and told of; ticks that go back change nothing', async () => {
  const { totals, warnings } = await profileOf(packets([{ command: READ_REQ, address: 0x1000n, size: 2 ** 31 }]));
  expect(totals.reads).toBe((4 << 20) / 64);
  expect(warnings.join()).toContain('1 accesses claim more than 4 MiB');
  const [first, second] = [0x1000n, 0x2000n].map(address => packets([{ command: READ_REQ, address, size: 8 }]));
  // A whole second trace behind the first: its ticks begin again, its header is no packet.
  const header = packets([]).length;
  expect(pagesOf(await profileOf(Buffer.concat([second!, first!.subarray(header)])))).toEqual(['1: 1/0', '2: 1/0']);
});

describe('what is refused', () => {
  test.each([
    ['another protobuf of gem5', Buffer.from([...Buffer.from('gem5'), ...message(number(1, 5n))]), /no packet header/],
    [
      'a length beyond all bounds',
      Buffer.from([...trace.subarray(0, 4), 0xff, 0xff, 0xff, 0xff, 0x0f]),
      /longer than 1 MiB/,
    ],
    ['text', Buffer.from(`gem5${'text '.repeat(40)}`), /no Protocol Buffer|no packet header/],
    ['nothing behind the magic number', Buffer.from('gem5'), /holds no access/],
  ])('%s', async (_, bytes, message) => {
    expect(await refusal(bytes, { from: 'gem5' })).toMatch(message);
  });
});

test('it is told by its magic number', () => expect(recognised(trace)).toBe('gem5'));

test('damage of any kind is survived', () => survivesDamage(trace, 'gem5'));
