/**
 * Packet traces of gem5 (its src/proto/packet.proto; protoio.cc says how messages follow each other): `gem5`, then
 * messages of Protocol Buffers, each behind its length as a varint: a header (obj_id, ver, tick_freq), then packets (tick,
 * cmd, addr, size, flags, pkt_id, pc). Usually compressed by gzip.
 *
 * Packets are what a monitor saw on its port: addresses are physical unless the monitor sits before translation, and
 * behind a cache there are only its misses. Only requests count; instruction fetches do not.
 */
import { TraceError } from '../error.js';
import type { ImportFormat } from './format.js';
import { eachRecord } from './records.js';
import { ATOMIC, type ImportSink, READ, WRITE } from './sink.js';

const MAGIC = [0x67, 0x65, 0x6d, 0x35];

/** Request::INST_FETCH (src/mem/request.hh). */
const INSTRUCTION_FETCH = 0x100;

/** What a request does, by MemCmd::Command (src/mem/packet.hh); what is not here moves no data of the program. */
const COMMANDS: Readonly<Record<number, readonly number[]>> = {
  1: [READ], // ReadReq
  4: [WRITE], // WriteReq
  7: [WRITE], // WritebackDirty
  16: [WRITE], // WriteLineReq
  22: [READ], // ReadExReq
  24: [READ], // ReadCleanReq
  25: [READ], // ReadSharedReq
  26: [READ | ATOMIC], // LoadLockedReq
  27: [WRITE | ATOMIC], // StoreCondReq
  30: [READ | ATOMIC], // LockedRMWReadReq
  32: [WRITE | ATOMIC], // LockedRMWWriteReq
  34: [READ | ATOMIC, WRITE | ATOMIC], // SwapReq
};

/** Wire types of Protocol Buffers. */
const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

/** A longer message is damage: packets have some dozens of bytes, a header names its ports. */
const MAX_MESSAGE_BYTES = 1 << 20;

export const gem5: ImportFormat = {
  label: 'gem5 packet trace',
  summary:
    'Protocol Buffers of a communication monitor (plain or gzip): requests with address and size, pc where known',

  recognise(start) {
    return start.length >= MAGIC.length && MAGIC.every((byte, i) => start[i] === byte);
  },

  async read(input, sink) {
    const reader = new PacketReader(sink, input.name);
    const left = await eachRecord(
      input,
      bytes => reader.take(bytes),
      () => sink.room(),
    );
    if (left > 0 || input.cut)
      sink.incomplete('the file ends in the middle of a packet: only what precedes it is counted');
    reader.warn();
  },
};

class PacketReader {
  #started = false;
  #header = false;
  #skipped = 0;
  #fetches = 0;
  #withoutPc = false;
  readonly #message = new Message();

  constructor(
    private readonly sink: ImportSink,
    private readonly name: string,
  ) {}

  take(bytes: Uint8Array): number {
    let at = 0;
    if (!this.#started) {
      if (bytes.length < MAGIC.length) return 0;
      at = MAGIC.length;
      this.#started = true;
    }
    const message = this.#message;
    while (at < bytes.length) {
      const length = message.lengthAt(bytes, at);
      if (length === null) return at;
      if (length > MAX_MESSAGE_BYTES || length < 0) this.#damaged('a message is longer than 1 MiB');
      const from = message.at;
      if (from + length > bytes.length) return at;
      if (!message.read(bytes, from, from + length)) this.#damaged('a message is no Protocol Buffer');
      if (this.#header) this.#packet(message);
      // Field 1 of a header is a text, of a packet a number.
      else if (message.has(1) || !message.has(3)) this.#damaged('the first message is no packet header');
      this.#header = true;
      at = from + length;
    }
    return at;
  }

  #packet(message: Message): void {
    if (!message.has(2) || !message.has(3) || !message.has(4))
      this.#damaged('a packet has no command, address or size');
    if (message.low(5) & INSTRUCTION_FETCH) {
      this.#fetches++;
      return;
    }
    const kinds = COMMANDS[message.low(2)];
    const size = message.low(4);
    if (!kinds || size === 0) {
      this.#skipped++;
      return;
    }
    if (!message.has(7)) this.#withoutPc = true;
    for (const kind of kinds)
      this.sink.access(message.low(7), message.high(7), message.low(3), message.high(3), kind, size);
  }

  #damaged(what: string): never {
    throw new TraceError(`${this.name} is no packet trace of gem5, or damaged: ${what}`);
  }

  warn(): void {
    const { warnings } = this.sink;
    warnings.push(
      'Packets as gem5’s monitor saw them: physical addresses unless it sits before translation, and behind a cache only its misses.',
    );
    const grouped = (count: number) => count.toLocaleString('en');
    if (this.#fetches > 0) warnings.push(`${grouped(this.#fetches)} instruction fetches do not count as accesses`);
    if (this.#skipped > 0)
      warnings.push(
        `${grouped(this.#skipped)} packets of other commands (responses, prefetches, upgrades) do not count`,
      );
    if (this.#withoutPc) warnings.push('Packets have no program counter: what code made them is unknown.');
  }
}

/** The numbers of one message, by field number below 8, as two words; fields of other kinds are passed over. */
class Message {
  /** Behind the length that `lengthAt` read. */
  at = 0;
  readonly #low = new Uint32Array(8);
  readonly #high = new Uint32Array(8);
  #present = 0;
  #varintLow = 0;
  #varintHigh = 0;

  has(field: number): boolean {
    return (this.#present & (1 << field)) !== 0;
  }
  low(field: number): number {
    return this.#low[field]!;
  }
  high(field: number): number {
    return this.#high[field]!;
  }

  /** The length before a message; null when the bytes end within it, -1 when it is none. */
  lengthAt(bytes: Uint8Array, at: number): number | null {
    this.at = at;
    if (!this.#varint(bytes, bytes.length)) return bytes.length - at < 10 ? null : -1;
    return this.#varintHigh === 0 ? this.#varintLow : -1;
  }

  /** False for what is no message. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    this.#low.fill(0);
    this.#high.fill(0);
    this.#present = 0;
    this.at = from;
    while (this.at < to) {
      if (!this.#varint(bytes, to)) return false;
      const field = this.#varintLow >>> 3;
      const type = this.#varintLow & 7;
      if (type === VARINT) {
        if (!this.#varint(bytes, to)) return false;
        if (field < 8) {
          this.#low[field] = this.#varintLow;
          this.#high[field] = this.#varintHigh;
          this.#present |= 1 << field;
        }
      } else if (type === LENGTH) {
        if (!this.#varint(bytes, to) || this.#varintHigh > 0) return false;
        this.at += this.#varintLow;
      } else if (type === FIXED64) this.at += 8;
      else if (type === FIXED32) this.at += 4;
      else return false;
    }
    return this.at === to;
  }

  #varint(bytes: Uint8Array, end: number): boolean {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) return false;
      const byte = bytes[this.at++]!;
      const value = byte & 127;
      if (shift < 28) low |= value << shift;
      else if (shift === 28) {
        low |= value << 28;
        high = value >>> 4;
      } else if (shift < 64) high |= value << (shift - 32);
      if (byte < 128) {
        this.#varintLow = low >>> 0;
        this.#varintHigh = high >>> 0;
        return true;
      }
    }
    return false;
  }
}
