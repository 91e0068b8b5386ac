/**
 * Writes a trace file block by block. Payloads are deflated on libuv's threads, a few at a time, and written in the
 * order of the calls, so that the recorder's main thread only copies.
 *
 * A block lies in the file whole or, after a crash, torn at the very end, where the reader sees it. When the disk is full
 * the writer asks for room and tries again, so that nothing that was handed over is lost as long as there is some.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Block, SymbolsBlock } from './blocks.js';
import { compress } from './compress.js';
import { ioError, isFull, TraceError } from './error.js';
import {
  encodeBlockHeader,
  encodeFileHeader,
  FLAG_MORE,
  MARKS_VERSION,
  MAX_JOINED_BYTES,
  MAX_RAW_BYTES,
  MAX_STREAMS,
  NO_STREAM,
} from './format.js';
import { encodePayload } from './payload.js';
import { TraceFile } from './reader.js';

/** Blocks being deflated or written at once: enough to keep libuv's four threads busy, few enough to bound memory. */
export const MAX_IN_FLIGHT = 4;

/** Chains of frames in one symbols block; of more, several blocks are made, which add up. */
const MAX_BLOCK_SYMBOLS = 65536;

export class TraceWriter {
  /** Settles when everything handed over so far is in the file (or has failed: see `failure`). */
  private tail: Promise<void> = Promise.resolve();
  private failure: TraceError | null = null;
  private inFlight = 0;
  /** The file has the version that marks call for. */
  private raised = false;
  /** Called when the disk is full, each time that it is: removes what it can do without. False: there was nothing. */
  makeRoom: () => Promise<boolean> = async () => false;
  private readonly waiting: (() => void)[] = [];

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private position: number,
    private nextNumber: number,
    /** Modules whose globals are in the file; later blocks of the same number leave them out. */
    private readonly modulesWithGlobals: Set<number>,
  ) {}

  /** Makes the file, or empties it. @throws TraceError when it cannot be written. */
  static async create(path: string): Promise<TraceWriter> {
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'w');
      const header = encodeFileHeader();
      await writeAll(handle, header, 0);
      return new TraceWriter(path, handle, header.length, 0, new Set());
    } catch (error) {
      await handle?.close().catch(() => {});
      throw ioError('write', path, error);
    }
  }

  /**
   * Goes on writing a trace whose recorder died: cuts what is behind its last whole block and appends there. `trace` is
   * what the file holds, for `DrainOptions.resume`; the caller closes it.
   * @throws TraceError when the file is no trace, or has its end block already.
   */
  static async resume(path: string): Promise<{ writer: TraceWriter; trace: TraceFile }> {
    const trace = await TraceFile.open(path, { live: true });
    let handle: FileHandle | undefined;
    try {
      if (trace.end) throw new TraceError(`${path} is finished: nothing can be added to it`);
      handle = await open(path, 'r+');
      await handle.truncate(trace.wholeBytes);
      const modules = new Set(trace.modules.map(m => m.module));
      return { writer: new TraceWriter(path, handle, trace.wholeBytes, trace.blockCount, modules), trace };
    } catch (error) {
      await handle?.close().catch(() => {});
      await trace.close();
      throw error instanceof TraceError ? error : ioError('write', path, error);
    }
  }

  /** Size of the file so far, in bytes; what is still being deflated is not in it. */
  get bytesWritten(): number {
    return this.position;
  }

  /**
   * Hands a block over; blocks are stored in the order of the calls. Resolves when there is room for the next, which
   * is before this one is in the file: a stream's `data` must stay as it is until `flush`.
   * @throws TraceError (now or from a later call) when the file cannot be written; nothing more is stored then.
   */
  async write(block: Block): Promise<void> {
    if (this.failure) throw this.failure;
    if (block.type === 'symbols' && block.module.length > MAX_BLOCK_SYMBOLS) {
      await Promise.all(slices(block).map(part => this.write(part)));
      return;
    }
    const stream = block.type === 'stream' ? block.stream : NO_STREAM;
    if (block.type === 'stream' && stream >= MAX_STREAMS)
      throw new RangeError(`stream number ${stream} is not below ${MAX_STREAMS}`);
    const payload = encodePayload(block, {
      omitGlobals: block.type === 'module' && this.modulesWithGlobals.has(block.module),
    });
    const limit = block.type === 'stream' ? MAX_RAW_BYTES : MAX_JOINED_BYTES;
    if (payload.length > limit)
      throw new RangeError(`a ${block.type} block of ${payload.length} bytes exceeds the limit of ${limit}`);
    if (block.type === 'module') this.modulesWithGlobals.add(block.module);
    if (block.type === 'markName') this.raiseVersion();

    // All parts are queued before the first wait, so that blocks of concurrent callers cannot come between them.
    let at = 0;
    do {
      const part = payload.subarray(at, at + MAX_RAW_BYTES);
      at += part.length;
      this.enqueue(block.type, stream, part, at < payload.length ? FLAG_MORE : 0);
    } while (at < payload.length);
    while (this.inFlight >= MAX_IN_FLIGHT) await new Promise<void>(resolve => this.waiting.push(resolve));
    if (this.failure) throw this.failure;
  }

  /** Resolves when every block handed over is in the file (in the system's cache: a crash of the machine may lose it). */
  async flush(): Promise<void> {
    await this.tail;
    if (this.failure) throw this.failure;
  }

  /** Flushes and closes; the file is closed even when that throws. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.handle.close();
    }
  }

  private async store(bytes: Uint8Array): Promise<void> {
    for (;;) {
      try {
        await writeAll(this.handle, bytes, this.position);
        return;
      } catch (error) {
        if (!isFull(error) || !(await this.makeRoom())) throw error;
      }
    }
  }

  /** Readers that do not know marks refuse the file, from before the first of them is in it. */
  private raiseVersion(): void {
    if (this.raised) return;
    this.raised = true;
    this.tail = this.tail.then(async () => {
      if (this.failure) return;
      await writeAll(this.handle, encodeFileHeader(MARKS_VERSION), 0).catch(error => {
        this.failure = ioError('write', this.path, error);
      });
    });
  }

  private enqueue(type: Block['type'], stream: number, raw: Uint8Array, flags: number): void {
    const number = this.nextNumber++;
    this.inFlight++;
    const compressed = compress(raw);
    // Its failure is met in the chain below; until then it must not count as unhandled.
    compressed.catch(() => {});
    this.tail = this.tail.then(async () => {
      try {
        const { codec, bytes: stored } = await compressed;
        if (this.failure) return;
        const header = encodeBlockHeader({
          type,
          codec,
          flags,
          number,
          stream,
          rawLength: raw.length,
          storedLength: stored.length,
          crc: crc32(stored),
        });
        await this.store(Buffer.concat([header, stored]));
        this.position += header.length + stored.length;
      } catch (error) {
        this.failure ??= ioError('write', this.path, error);
        // What is whole stays; if even this fails, the reader finds the torn block.
        await this.handle.truncate(this.position).catch(() => {});
      } finally {
        this.inFlight--;
        for (const resume of this.waiting.splice(0)) resume();
      }
    });
  }
}

function slices(block: SymbolsBlock): SymbolsBlock[] {
  const parts: SymbolsBlock[] = [];
  for (let from = 0; from < block.module.length; from += MAX_BLOCK_SYMBOLS) {
    const to = from + MAX_BLOCK_SYMBOLS;
    parts.push({
      type: 'symbols',
      module: block.module.slice(from, to),
      offset: block.offset.slice(from, to),
      frames: block.frames.slice(from, to),
      sources: from === 0 ? block.sources : [],
    });
  }
  return parts;
}

/** write(2) may take less than it was given: at the size limit, or when the disk is nearly full. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
