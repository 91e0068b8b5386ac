/** The kernel's encoder (kernel/encode.ts) as the host sees it: batches of accesses in, the records of a stream out. */
import { BATCH } from '../kernel/abi.js';
import { guarded, instantiate } from './instance.js';

interface Global {
  readonly value: number;
}

interface EncoderExports {
  readonly memory: WebAssembly.Memory;
  readonly failure: Global;
  readonly encodePc: Global;
  readonly encodeAddress: Global;
  readonly encodeKind: Global;
  readonly encodeLength: Global;
  readonly encoded: Global;
  readonly encodedAccesses: { readonly value: bigint };
  encoderStart(): void;
  encoderStream(): number;
  encoderSiteCount(): number;
  encoderSitePcs(): number;
  encoderSiteKinds(): number;
  encoderTake(): number;
  encode(stream: number, from: number, to: number): number;
  encoderStamp(stream: number, seq: bigint): void;
  encoderEvent(stream: number, kind: number, seq: bigint, a: bigint, b: bigint, c: bigint, d: bigint): void;
  encoderUnwind(stream: number, frames: number): void;
  encoderEnd(stream: number): void;
}

/**
 * Columns of a batch in kernel memory. Addresses and return addresses are pairs of 32-bit words, the lower first, as
 * most formats' digits and bytes give them; `length` is of ranges alone, a pair too.
 */
export interface BatchColumns {
  readonly pc: Uint32Array;
  readonly address: Uint32Array;
  readonly kind: Uint16Array;
  readonly length: Uint32Array;
}

/** Encodes the streams of one process; its sites are numbered by return address and kind. */
export class Encoder {
  readonly capacity = BATCH;
  readonly #exports = instantiate<EncoderExports>(() => {});
  #columns: BatchColumns | null = null;

  constructor() {
    this.#exports.encoderStart();
  }

  /** To be taken anew for each batch: kernel memory grows, which detaches views. */
  get columns(): BatchColumns {
    const { memory, encodePc, encodeAddress, encodeKind, encodeLength } = this.#exports;
    if (this.#columns?.pc.buffer !== memory.buffer) {
      this.#columns = {
        pc: new Uint32Array(memory.buffer, encodePc.value, 2 * BATCH),
        address: new Uint32Array(memory.buffer, encodeAddress.value, 2 * BATCH),
        kind: new Uint16Array(memory.buffer, encodeKind.value, BATCH),
        length: new Uint32Array(memory.buffer, encodeLength.value, 2 * BATCH),
      };
    }
    return this.#columns;
  }

  /** A new stream's handle. */
  stream(): number {
    return guarded(this.#exports, () => this.#exports.encoderStream());
  }

  get siteCount(): number {
    return this.#exports.encoderSiteCount();
  }

  /** Return addresses and kinds of the sites from number `first` on. */
  sites(first: number): { readonly pc: BigUint64Array; readonly kind: Uint16Array } {
    const { memory, encoderSitePcs, encoderSiteKinds } = this.#exports;
    const count = this.siteCount - first;
    return {
      pc: new BigUint64Array(memory.buffer, (encoderSitePcs() >>> 0) + 8 * first, count).slice(),
      kind: Uint16Array.from(new Uint8Array(memory.buffer, (encoderSiteKinds() >>> 0) + first, count)),
    };
  }

  /** Accesses encoded so far, over all streams; each started line of a range is one. */
  get accesses(): number {
    return Number(this.#exports.encodedAccesses.value);
  }

  /** Encodes rows `from` to `to` of the batch; returns where it stopped, before `to` where a stamp is due. */
  encode(stream: number, from: number, to: number): number {
    return guarded(this.#exports, () => this.#exports.encode(stream, from, to));
  }

  /** `seq` is above all that the stream had. */
  stamp(stream: number, seq: number): void {
    this.#exports.encoderStamp(stream, BigInt(seq));
  }

  /** An event; EVENT_* of kernel/abi.ts says what the fields are. */
  event(stream: number, kind: number, seq: number, fields: readonly bigint[]): void {
    const [a = 0n, b = 0n, c = 0n, d = 0n] = fields;
    guarded(this.#exports, () => this.#exports.encoderEvent(stream, kind, BigInt(seq), a, b, c, d));
  }

  /** An exception left this many calls. */
  unwind(stream: number, frames: number): void {
    this.#exports.encoderUnwind(stream, frames);
  }

  /** The stream has no more steps. */
  end(stream: number): void {
    this.#exports.encoderEnd(stream);
  }

  /** The records made since the last call. */
  take(): Uint8Array {
    const { memory, encoded, encoderTake } = this.#exports;
    return new Uint8Array(memory.buffer, encoded.value, encoderTake()).slice();
  }
}
