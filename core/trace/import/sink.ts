/**
 * Takes what an imported file says, access by access, and writes a `.pltrace` of it.
 *
 * A reader calls synchronously, and `room` now and then, which waits until the trace is written so far: memory stays
 * bounded by what is read between two calls. Order: as the calls come, over all threads; or by the time that
 * `time` tells, for files that hold one thread each.
 */
import {
  SITE_ATOMIC,
  SITE_CALL,
  SITE_CLASS_MASK,
  SITE_ENTRY,
  SITE_EXIT,
  SITE_RANGE_READ,
  SITE_READ,
  SITE_SIZE_SHIFT,
  SITE_WRITE,
} from '../../kernel/abi.js';
import { NONE } from '../../model/columns.js';
import type { Sampling } from '../../model/sampling.js';
import type { Block, EndBlock, HeaderBlock, ModuleBlock, SitesBlock, SymbolFrame } from '../blocks.js';
import { TraceError } from '../error.js';

/** What the sink needs of machine/encoder.ts. */
export interface RecordEncoder {
  readonly capacity: number;
  readonly columns: {
    readonly pc: Uint32Array;
    readonly address: Uint32Array;
    readonly kind: Uint16Array;
    readonly length: Uint32Array;
  };
  readonly siteCount: number;
  readonly accesses: number;
  stream(): number;
  sites(first: number): { readonly pc: BigUint64Array; readonly kind: Uint16Array };
  encode(stream: number, from: number, to: number): number;
  stamp(stream: number, seq: number): void;
  event(stream: number, kind: number, seq: number, fields: readonly bigint[]): void;
  unwind(stream: number, frames: number): void;
  end(stream: number): void;
  take(): Uint8Array;
}

/** What the sink needs of a TraceWriter. */
export interface BlockWriter {
  write(block: Block): Promise<void>;
}

/** What an access does. */
export const READ = SITE_READ;
export const WRITE = SITE_WRITE;
export const ATOMIC = SITE_ATOMIC;

/** Largest access; what is larger is a bulk operation, an access a started line. */
const MAX_ACCESS_BYTES = 64;
/** Each costs 130 KiB of the encoder's memory. */
const MAX_THREADS = 4096;
/** Records of a thread are kept until they fill a block of so many bytes. */
const BLOCK_BYTES = 1 << 16;
/** Longest bulk operation: what says more is damage, or would be replayed for hours. */
const MAX_RANGE_BYTES = 4 << 20;
/** The last page of the address space: no range reaches into it, so that none wraps around. */
const ADDRESS_END = 2 ** 64 - 4096;
/** Stamps that fit between two ticks of the clock that `time` tells. */
const STAMPS_A_TICK = 1024;

/** What is known of the program; '' is unknown. */
export interface ImportedProgram {
  readonly program?: string;
  readonly arguments?: readonly string[];
  readonly workingDirectory?: string;
}

/** A loaded file: where its code and data lie. */
export interface ImportedModule {
  readonly path: string;
  /** What is added to the file's virtual addresses. */
  readonly base: bigint;
  /** Bytes from `base` that belong to it. */
  readonly size: number;
  readonly buildId?: string;
  readonly segments?: ModuleBlock['segments'];
  readonly globals?: ModuleBlock['globals'];
  /** Where it lies is not known, only what its code is called: nothing can be looked up in its file. */
  readonly unplaced?: boolean;
}

interface Thread {
  readonly stream: number;
  readonly handle: number;
  readonly tid: number;
  parts: Uint8Array[];
  bytes: number;
  accesses: number;
  seq: number;
}

interface PlacedModule extends ImportedModule {
  readonly number: number;
}

export class ImportSink {
  /** What was found missing or strange; each becomes a warning of the report. */
  readonly warnings: string[] = [];
  #program: ImportedProgram = {};
  #sampling: Sampling | null = null;
  #complete = true;
  readonly #queue: Block[] = [];
  #begun = false;
  readonly #threads = new Map<number, Thread>();
  readonly #modules: PlacedModule[] = [];
  readonly #names = new Map<bigint, SymbolFrame>();
  #current: Thread | null = null;
  #rows = 0;
  #columns: RecordEncoder['columns'];
  /** Accesses that claimed more bytes than are taken. */
  #tooLong = 0;
  #sitesWritten = 0;
  /** Sites by module and offset, for whoever resolves them. */
  readonly #siteModule: number[] = [];
  readonly #siteOffset: number[] = [];
  #seq = 0;
  #timed = false;

  constructor(
    private readonly writer: BlockWriter,
    private readonly encoder: RecordEncoder,
    /** The header's fields that are not the file's: version of Pagelens, and the format imported. */
    private readonly header: { readonly tool: string; readonly format: string; readonly file: string },
  ) {
    this.#columns = encoder.columns;
  }

  /** Tells of the program; before the first access. */
  program(program: ImportedProgram): void {
    this.#program = { ...this.#program, ...program };
  }

  /** The counts stand for more than themselves. */
  sampled(sampling: Sampling): void {
    this.#sampling = sampling;
  }

  /** The file ends too early, or something of it cannot be used: `why` becomes a warning. */
  incomplete(why: string): void {
    this.#complete = false;
    this.warnings.push(why);
  }

  /** A module, before the accesses of its code. */
  module(module: ImportedModule): void {
    const number = this.#modules.length;
    this.#modules.push({ ...module, number });
    this.#begin();
    this.#queue.push({
      type: 'module',
      process: 0,
      module: number,
      path: module.path,
      buildId: module.buildId ?? '',
      base: String(module.base),
      segments: module.segments ?? [{ offset: 0, size: module.size, writable: false }],
      globals: module.globals ?? [],
    });
  }

  /** Function of the instruction at `address`, where the file itself names it. */
  name(address: bigint, frame: SymbolFrame): void {
    this.#names.set(address, frame);
  }

  /** Whether `name` was told of the address. */
  named(address: bigint): boolean {
    return this.#names.has(address);
  }

  /** What follows is done by this thread. */
  thread(tid: number): void {
    if (this.#current?.tid === tid) return;
    this.#encode();
    let thread = this.#threads.get(tid);
    if (!thread) {
      if (this.#threads.size === MAX_THREADS)
        throw new TraceError(`${this.header.file} has more than ${MAX_THREADS.toLocaleString('en')} threads`);
      this.#begin();
      const stream = this.#threads.size;
      thread = { stream, handle: this.encoder.stream(), tid, parts: [], bytes: 0, accesses: 0, seq: 0 };
      this.#threads.set(tid, thread);
      this.#queue.push({ type: 'thread', process: 0, stream, tid, signal: false });
    }
    this.#current = thread;
    // The order of the file: what this thread does from here on comes after what the others did.
    if (!this.#timed) this.#stamp(thread, ++this.#seq);
  }

  /**
   * What the thread does from here on happened at this time, in ticks from the run's start, which orders the threads.
   * To be told before a thread's first access.
   */
  time(tid: number, ticks: number): void {
    this.#timed = true;
    this.thread(tid);
    this.#encode();
    const thread = this.#current!;
    this.#stamp(thread, Math.max(thread.seq + 1, ticks * STAMPS_A_TICK + 1));
  }

  /**
   * One access of the thread named last. `pc`: address of the instruction, 0 when unknown; `kind`: READ or WRITE, with
   * ATOMIC; `size` in bytes, from 1. More than 64 bytes are a bulk operation, fewer when `bulk` says so.
   */
  access(
    pcLow: number,
    pcHigh: number,
    low: number,
    high: number,
    kind: number,
    size: number,
    bulk = size > MAX_ACCESS_BYTES,
  ): void {
    const row = this.#row(pcLow, pcHigh);
    const { address, kind: kinds, length } = this.#columns;
    address[2 * row] = low;
    address[2 * row + 1] = high;
    if (!bulk) {
      kinds[row] = kind | (sizeClass(low, size) << SITE_SIZE_SHIFT);
      return;
    }
    kinds[row] = (kind & SITE_CLASS_MASK) + SITE_RANGE_READ;
    const room = Math.max(1, ADDRESS_END - (high * 2 ** 32 + low));
    if (size > MAX_RANGE_BYTES) this.#tooLong++;
    const bytes = Math.min(size, MAX_RANGE_BYTES, room);
    length[2 * row] = bytes;
    length[2 * row + 1] = 0;
  }

  /** The function that the instruction calls begins. */
  enter(pcLow: number, pcHigh: number): void {
    const row = this.#row(pcLow, pcHigh);
    this.#columns.kind[row] = SITE_ENTRY;
  }

  /** It returns behind that instruction. */
  leave(pcLow: number, pcHigh: number): void {
    const row = this.#row(pcLow, pcHigh);
    this.#columns.kind[row] = SITE_EXIT;
  }

  /** An exception left this many calls of the current thread. */
  unwind(frames: number): void {
    this.#encode();
    if (!this.#current) this.thread(0);
    this.encoder.unwind(this.#current!.handle, frames);
    this.#collect(this.#current!);
  }

  /** A row of the batch for a step at this instruction. */
  #row(pcLow: number, pcHigh: number): number {
    if (this.#rows === this.encoder.capacity) this.#encode();
    // Taken once a batch: until it is encoded nothing else is asked of the encoder, so that its memory stays where it is.
    if (this.#rows === 0) this.#columns = this.encoder.columns;
    const row = this.#rows++;
    const { pc } = this.#columns;
    // Sites are return addresses: the instruction lies before.
    const next = pcLow === 0 && pcHigh === 0 ? 0 : pcLow + 1;
    pc[2 * row] = next;
    pc[2 * row + 1] = next > 0xffffffff ? pcHigh + 1 : pcHigh;
    return row;
  }

  /** An event of the current thread; EVENT_* of kernel/abi.ts says what the fields are. It takes a place in the order. */
  event(kind: number, fields: readonly bigint[]): void {
    this.#encode();
    const thread = this.#current!;
    thread.seq = this.#timed ? thread.seq + 1 : ++this.#seq;
    this.encoder.event(thread.handle, kind, thread.seq, fields);
    this.#collect(thread);
  }

  /** Accesses told of so far. */
  get accesses(): number {
    return this.encoder.accesses + this.#rows;
  }

  /** Waits until what was told so far is written. */
  async room(): Promise<void> {
    for (const block of this.#queue.splice(0)) await this.writer.write(block);
  }

  /** Where the sites of accesses lie, for symbols: those outside all modules have NONE. */
  get sites(): { readonly count: number; readonly module: Uint32Array; readonly offset: Float64Array } {
    return {
      count: this.#siteModule.length,
      module: Uint32Array.from(this.#siteModule),
      offset: Float64Array.from(this.#siteOffset),
    };
  }

  get modules(): readonly ImportedModule[] {
    return this.#modules;
  }

  /** Hands over what is left of the streams; then `sites` is whole. @throws TraceError when there was no access */
  async streamsEnd(): Promise<void> {
    this.#encode();
    if (this.#tooLong > 0)
      this.warnings.push(
        `${this.#tooLong.toLocaleString('en')} accesses claim more than 4 MiB and were taken for 4 MiB: the file may be damaged`,
      );
    if (this.encoder.accesses === 0) throw new TraceError(`${this.header.file} holds no access`);
    for (const thread of this.#threads.values()) {
      this.encoder.end(thread.handle);
      this.#collect(thread);
      this.#block(thread);
    }
    await this.room();
  }

  /** Names that the file gave, by module and offset, as symbols have them. */
  namesBySite(): ReadonlyMap<string, SymbolFrame> {
    const found = new Map<string, SymbolFrame>();
    for (const [address, frame] of this.#names) {
      const { module, offset } = this.#place(address + 1n);
      found.set(`${module}:${offset}`, frame);
    }
    return found;
  }

  /** What the end block says. */
  get end(): EndBlock {
    const accesses: number[] = [];
    for (const { stream, accesses: count } of this.#threads.values()) accesses[stream] = count;
    return {
      type: 'end',
      exit: null,
      complete: this.#complete,
      warnings: this.warnings,
      accesses,
      ...(this.#sampling && { sampling: this.#sampling }),
    };
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    const header: HeaderBlock = {
      type: 'header',
      version: 1,
      tool: this.header.tool,
      program: this.#program.program ?? '',
      arguments: this.#program.arguments ?? [],
      workingDirectory: this.#program.workingDirectory ?? '',
      recorder: 'import',
      level: 'machine',
      compiler: '',
      flags: '',
      imported: this.header.format,
    };
    this.#queue.push(header, { type: 'process', process: 0, pid: 0, parent: null });
  }

  /** Encodes the rows of the current thread. */
  #encode(): void {
    if (this.#rows === 0) return;
    const rows = this.#rows;
    this.#rows = 0;
    // Formats that know no threads tell of none.
    if (!this.#current) this.thread(0);
    const thread = this.#current!;
    const before = this.encoder.accesses;
    for (let row = 0; ; ) {
      row = this.encoder.encode(thread.handle, row, rows);
      if (row === rows) break;
      this.#stamp(thread, this.#timed ? thread.seq + 1 : ++this.#seq);
    }
    thread.accesses += this.encoder.accesses - before;
    this.#collect(thread);
  }

  #stamp(thread: Thread, seq: number): void {
    this.encoder.stamp(thread.handle, seq);
    thread.seq = seq;
    this.#collect(thread);
  }

  /** Takes the encoder's bytes; they are this thread's. */
  #collect(thread: Thread): void {
    const bytes = this.encoder.take();
    if (bytes.length === 0) return;
    thread.parts.push(bytes);
    thread.bytes += bytes.length;
    if (thread.bytes >= BLOCK_BYTES) this.#block(thread);
  }

  #block(thread: Thread): void {
    if (thread.bytes === 0) return;
    this.#newSites();
    this.#queue.push({ type: 'stream', stream: thread.stream, data: Buffer.concat(thread.parts) });
    thread.parts = [];
    thread.bytes = 0;
  }

  /** Sites stand before the records that use them. */
  #newSites(): void {
    const first = this.#sitesWritten;
    if (this.encoder.siteCount === first) return;
    const { pc, kind } = this.encoder.sites(first);
    const module = new Uint32Array(pc.length);
    const offset = new Float64Array(pc.length);
    for (let i = 0; i < pc.length; i++) {
      const place = this.#place(pc[i]!);
      module[i] = place.module;
      offset[i] = place.module === NONE ? 0 : place.offset;
      if ((kind[i]! & SITE_CLASS_MASK) !== SITE_CALL || place.module !== NONE) {
        this.#siteModule.push(place.module);
        this.#siteOffset.push(offset[i]!);
      }
    }
    this.#sitesWritten = first + pc.length;
    const block: SitesBlock = { type: 'sites', process: 0, first, pc, kind, module, offset };
    this.#queue.push(block);
  }

  /** The module loaded last that a return address lies in. */
  #place(pc: bigint): { module: number; offset: number } {
    for (let i = this.#modules.length - 1; i >= 0; i--) {
      const { base, size, number } = this.#modules[i]!;
      const offset = pc - base;
      if (offset > 0n && offset <= BigInt(size)) return { module: number, offset: Number(offset) };
    }
    return { module: NONE, offset: 0 };
  }
}

/** Bytes of the smallest page. */
const PAGE_BYTES = 4096;

/**
 * Base-2 logarithm of the size that a site has for an access of 1 to 64 bytes: sizes are powers of two, so an odd one
 * (10 bytes of a long double) counts as the next above, or below where that would reach a page more.
 */
function sizeClass(low: number, size: number): number {
  const up = 32 - Math.clz32(size - 1);
  const inPage = low % PAGE_BYTES;
  const pagesOf = (bytes: number) => Math.floor((inPage + bytes - 1) / PAGE_BYTES);
  return pagesOf(1 << up) > pagesOf(size) ? up - 1 : up;
}
