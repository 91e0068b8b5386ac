/**
 * What a recorded WebAssembly program's hooks wrote to the pipe, told to a sink: its image first, then record by record
 * (hooks/records.ts).
 *
 * The trace has the program's memory at its own addresses, from 0, and its code at CODE_BASE.
 */
import {
  EVENT_ALLOC,
  EVENT_FREE,
  EVENT_KERNEL_WRITE,
  EVENT_MAP,
  EVENT_SYSCALL,
  EVENT_THREAD_START,
  SITE_CALL,
  SITE_CLASS_MASK,
  SITE_RANGE_READ,
} from '../../kernel/abi.js';
import { CODE_BASE } from '../../symbols/wasm/file.js';
import { PAGE_BYTES, type WasmModule } from '../../symbols/wasm/module.js';
import type { GlobalSymbol } from '../../trace/blocks.js';
import { eachRecord, viewOf } from '../../trace/import/records.js';
import type { ImportSink } from '../../trace/import/sink.js';
import {
  FIRST_SITE,
  RECORD_ALLOC,
  RECORD_FREE,
  RECORD_KERNEL_WRITE,
  RECORD_LEAVE,
  RECORD_MAP,
  RECORD_SYSTEM_CALL,
  RECORD_UNWIND,
} from './hooks/records.js';
import type { WasmSites } from './rewrite.js';

export interface WasmImage {
  readonly path: string;
  readonly module: WasmModule;
  readonly globals: readonly GlobalSymbol[];
  readonly buildId: string;
}

/** Number of its one thread. */
const THREAD = 1;
const CODE_HIGH = CODE_BASE / 2 ** 32;

/** Tells the sink of the program's image: before the first access. */
export function tellImage({ path, module, globals, buildId }: WasmImage, sink: ImportSink): void {
  const data = [...module.data.map(({ address, size }) => ({ offset: address, size })), ...globals];
  const low = data.reduce((lowest, { offset }) => Math.min(lowest, offset), Number.POSITIVE_INFINITY);
  const high = data.reduce((highest, { offset, size }) => Math.max(highest, offset + size), 0);
  sink.module({
    path,
    base: 0n,
    size: CODE_BASE + module.bytes.length,
    buildId,
    segments: data.length > 0 ? [{ offset: low, size: high - low, writable: true }] : [],
    globals,
  });
  sink.thread(THREAD);
  const stack = stackOf(module, low, high);
  if (stack) sink.event(EVENT_THREAD_START, [BigInt(stack.low), BigInt(stack.high), BigInt(THREAD)]);
  const heap = Math.max(high, stack?.high ?? 0);
  const end = module.memoryPages! * PAGE_BYTES;
  if (end > heap) sink.event(EVENT_MAP, [BigInt(heap), BigInt(end - heap)]);
}

/**
 * The stack in memory (of what has an address): it ends where the linker's `__stack_pointer` begins, and starts behind the
 * data, or at 0 where it was put before them. Null without that name, or a first global that looks like it.
 */
function stackOf({ globals, globalNames }: WasmModule, dataLow: number, dataHigh: number) {
  const named = [...globalNames].find(([, name]) => name === '__stack_pointer')?.[0];
  const high = globals[named ?? 0];
  if (!high || high % STACK_ALIGNMENT !== 0) return null;
  return { low: high <= dataLow ? 0 : dataHigh < high ? dataHigh : 0, high };
}

const STACK_ALIGNMENT = 16;

/** Reads what the hooks wrote, record by record. */
export async function readHooks(
  chunks: AsyncIterable<Uint8Array>,
  sites: WasmSites,
  sink: ImportSink,
  onProgress: (accesses: number) => void,
): Promise<void> {
  const reader = new HookReader(sites, sink);
  const input = {
    name: 'the pipe of the program',
    cut: false,
    beside: async () => null,
    async *chunks() {
      yield* chunks;
    },
  };
  await eachRecord(
    input,
    bytes => reader.take(bytes),
    async () => {
      await sink.room();
      onProgress(sink.accesses);
    },
  );
}

/** Bulk operations are told in parts of so many bytes, which is the sink's limit. */
const PART_BYTES = 4 << 20;

class HookReader {
  readonly #code: Uint32Array;
  readonly #kind: Uint8Array;
  readonly #size: Uint8Array;
  readonly #offset: Float64Array;
  /** Sites of the calls that have not returned. */
  readonly #calls: number[] = [];

  constructor(
    sites: WasmSites,
    private readonly sink: ImportSink,
  ) {
    this.#code = Uint32Array.from(sites.code);
    this.#kind = Uint8Array.from(sites.kind);
    this.#size = Uint8Array.from(sites.size);
    this.#offset = Float64Array.from(sites.offset);
  }

  /** Uses whole records; returns how many bytes they were. */
  take(bytes: Uint8Array): number {
    const view = viewOf(bytes);
    const { sink } = this;
    const code = this.#code;
    const kinds = this.#kind;
    const end = bytes.length - 8;
    let at = 0;
    while (at <= end) {
      const word = view.getUint32(at, true);
      const value = view.getUint32(at + 4, true);
      const site = word - FIRST_SITE;
      if (site < 0) {
        const long = word > RECORD_FREE;
        if (long && at + 8 > end) break;
        this.#told(word, value, long ? view.getUint32(at + 8, true) : 0);
        at += long ? 16 : 8;
        continue;
      }
      const kind = kinds[site]!;
      const what = kind & SITE_CLASS_MASK;
      if (what < SITE_RANGE_READ) {
        const address = value + this.#offset[site]!;
        // Only what traps lies beyond 32 bits.
        if (address < 2 ** 32) sink.access(code[site]!, CODE_HIGH, address, 0, kind, this.#size[site]!);
        at += 8;
      } else if (what === SITE_CALL) {
        this.#calls.push(site);
        sink.enter(code[site]!, CODE_HIGH);
        at += 8;
      } else {
        if (at + 8 > end) break;
        this.#range(site, what - SITE_RANGE_READ, value, view.getUint32(at + 8, true));
        at += 16;
      }
    }
    return at;
  }

  /** Parts begin at lines, so that each line counts once. */
  #range(site: number, kind: number, address: number, length: number): void {
    const end = address + length;
    for (let from = address; from < end; ) {
      const to = Math.min(end, Math.floor(from / PART_BYTES) * PART_BYTES + PART_BYTES);
      this.sink.access(this.#code[site]!, CODE_HIGH, from, 0, kind, to - from, true);
      from = to;
    }
  }

  #told(record: number, value: number, more: number): void {
    const { sink } = this;
    switch (record) {
      case RECORD_LEAVE: {
        const site = this.#calls.pop();
        if (site !== undefined) sink.leave(this.#code[site]!, CODE_HIGH);
        break;
      }
      case RECORD_UNWIND:
        this.#calls.length = Math.max(0, this.#calls.length - value);
        sink.unwind(value);
        break;
      case RECORD_FREE:
        sink.event(EVENT_FREE, [BigInt(value)]);
        break;
      case RECORD_MAP:
        sink.event(EVENT_MAP, [BigInt(value), BigInt(more)]);
        break;
      case RECORD_KERNEL_WRITE:
        sink.event(EVENT_KERNEL_WRITE, [BigInt(value), BigInt(more)]);
        break;
      case RECORD_SYSTEM_CALL:
        sink.event(EVENT_SYSCALL, [BigInt(value), BigInt(more), 0n]);
        break;
      default:
        sink.event(EVENT_ALLOC, [BigInt(value), BigInt(more), 0n, BigInt(record - RECORD_ALLOC)]);
    }
  }
}
