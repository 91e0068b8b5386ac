/**
 * DynamoRIO's drmemtrace, offline traces after post-processing (its clients/drcachesim/common/trace_entry.h): entries of a
 * type (u16), a size (u16) and an address (u64, or u32 of 32-bit programs), little-endian; a file a thread, or a core, in
 * chunks of a zip file, or gzip. What the file type's markers say is told as warnings; `modules.log` beside the traces
 * says where executables lie, `funclist.log` which functions were recorded: of malloc and its like come allocations.
 *
 * Threads are put in order by the time-stamp markers (microseconds). Raw traces need the program's instructions to be
 * decoded, which is what drmemtrace's own post-processing does; they are refused with that advice.
 */
import { ALLOC_CALLOC, ALLOC_MALLOC, ALLOC_NEW, ALLOC_REALLOC, EVENT_ALLOC, EVENT_FREE } from '../../kernel/abi.js';
import { TraceError } from '../error.js';
import type { ImportFormat, ImportOptions } from './format.js';
import { contentStart, type ImportInput } from './input.js';
import { eachRecord, viewOf } from './records.js';
import { type ImportSink, READ, WRITE } from './sink.js';

// trace_type_t
const TYPE = {
  read: 0,
  write: 1,
  firstInstruction: 10,
  lastInstruction: 16,
  bundle: 17,
  thread: 22,
  threadExit: 23,
  process: 24,
  header: 25,
  footer: 26,
  marker: 28,
  noFetch: 29,
  maybeFetch: 30,
  sysenter: 31,
  takenJump: 48,
  untakenJump: 49,
} as const;
/** Types end here (TRACE_TYPE_INVALID); what is above is damage. */
const TYPES = 50;

// trace_marker_type_t
const MARKER = {
  timestamp: 2,
  functionId: 4,
  returnAddress: 5,
  argument: 6,
  returnValue: 7,
  fileType: 9,
  version: 12,
  windowId: 14,
  systemCallStart: 27,
  systemCallEnd: 28,
  switchStart: 34,
  switchEnd: 35,
} as const;

/** offline_file_type_t: parts of the run that are not in the trace. */
const FILTERED: readonly (readonly [bits: number, what: string])[] = [
  [0x1, 'The trace was filtered by a simulated cache: accesses that hit it are missing.'],
  [0x100, 'The trace was filtered by a simulated data cache: accesses that hit it are missing.'],
  [0x4, 'The trace has instructions only, no accesses.'],
  [0x2000, 'The first part of the trace, up to a marker, was filtered by a simulated cache.'],
];

/** Oldest and newest trace_version_t whose entries are these. */
const VERSIONS = { least: 1, most: 7 };

/** Of traces before markers of versions: a header, then the thread. */
const SECOND_TYPES: readonly number[] = [TYPE.marker, TYPE.thread, TYPE.process];

const ENTRY_BYTES = 12;
const ENTRY_BYTES_32 = 8;

/** The first records of a raw thread file (offline_entry_t): kinds in the top 3 bits of header, thread and process. */
const RAW_KINDS = [0xc0, 0x40, 0x60] as const;

/** Raw files, mostly compressed in ways that are not read here: by lz4, which is the tool's choice, or Snappy. */
const RAW_NAME = /\.raw(?:\.(?:gz|zlib|sz|lz4|zst|pt))?$/;

export const drmemtrace: ImportFormat = {
  label: 'DynamoRIO drmemtrace',
  summary: 'post-processed offline traces: a folder, or one thread (zip, gzip), with modules.log for symbols',

  recognise(start) {
    return entryBytes(start) !== null || isRaw(start);
  },

  named: name => RAW_NAME.test(name),

  async read(input, sink, options) {
    const shards: ImportInput[] = [];
    for (const part of input.parts ?? [input]) {
      const { start } = await contentStart(part, 4096);
      if (entryBytes(start) !== null) shards.push(part);
      else if (isRaw(start) || RAW_NAME.test(part.name))
        throw new TraceError(
          `${part.name} is a raw trace of drmemtrace: post-process it first (drraw2trace -indir FOLDER, or ` +
            'drrun -t drmemtrace -indir FOLDER -tool basic_counts), then replay FOLDER',
        );
    }
    if (shards.length === 0) throw new TraceError(`${input.name} holds no trace of drmemtrace`);
    await tellModules(input, sink, options);
    const functions = allocatorsOf((await input.beside('funclist.log'))?.toString('latin1') ?? '');
    const base = await firstTime(shards);
    const shared = new Shared(functions, base);
    for (const shard of shards) {
      const reader = new ShardReader(sink, shard.name, shared);
      const left = await eachRecord(
        shard,
        bytes => reader.take(bytes),
        () => sink.room(),
      );
      if (left > 0 || shard.cut || !reader.ended)
        sink.incomplete(`${shard.name} is cut: only what precedes the cut is counted`);
    }
    shared.warn(sink);
  },
};

/** Bytes of an entry; null for what is no post-processed trace. */
function entryBytes(start: Uint8Array): number | null {
  if (start.length < 2 * ENTRY_BYTES) return null;
  const view = viewOf(start);
  const version = view.getUint32(4, true);
  if (view.getUint16(0, true) !== TYPE.header || version < VERSIONS.least || version > VERSIONS.most) return null;
  for (const bytes of [ENTRY_BYTES, ENTRY_BYTES_32]) {
    if (bytes === ENTRY_BYTES && view.getUint32(8, true) !== 0) continue;
    if (SECOND_TYPES.includes(view.getUint16(bytes, true))) return bytes;
  }
  return null;
}

function isRaw(start: Uint8Array): boolean {
  return RAW_KINDS.every((kind, record) => {
    const [top = 0, third = 1] = [start[8 * record + 7], start[8 * record + 5]];
    // Behind the header: numbers of 32 bits.
    return (top & 0xe0) === kind && (record === 0 || (top === kind && third === 0));
  });
}

/** Where the run's clock begins: the earliest time stamp, in microseconds. */
async function firstTime(shards: readonly ImportInput[]): Promise<bigint> {
  let first: bigint | null = null;
  for (const shard of shards) {
    const { start } = await contentStart(shard, 1 << 16);
    const bytes = entryBytes(start)!;
    const view = viewOf(start);
    for (let at = 0; at + bytes <= start.length; at += bytes) {
      if (view.getUint16(at, true) !== TYPE.marker || view.getUint16(at + 2, true) !== MARKER.timestamp) continue;
      const time = bytes === ENTRY_BYTES ? view.getBigUint64(at + 4, true) : BigInt(view.getUint32(at + 4, true));
      if (first === null || time < first) first = time;
      break;
    }
  }
  return first ?? 0n;
}

/** A recorded function that allocates or frees: which argument says what. */
interface Allocator {
  readonly allocates?: number;
  /** Index of the argument with the size; with a second, their product. */
  readonly size?: number;
  readonly count?: number;
  /** Index of the argument with the block that is given up. */
  readonly frees?: number;
}

/** By the function's name; `operator new` and `delete` by their mangled beginnings. */
function allocatorOf(name: string): Allocator | null {
  if (/^(__libc_)?malloc$|^tc_malloc$/.test(name)) return { allocates: ALLOC_MALLOC, size: 0 };
  if (/^(__libc_)?calloc$|^tc_calloc$/.test(name)) return { allocates: ALLOC_CALLOC, size: 1, count: 0 };
  if (/^(__libc_)?realloc$|^tc_realloc$/.test(name)) return { allocates: ALLOC_REALLOC, size: 1, frees: 0 };
  if (/^(__libc_)?free$|^tc_free$/.test(name)) return { frees: 0 };
  if (/^_Zn[wa]/.test(name)) return { allocates: ALLOC_NEW, size: 0 };
  if (/^_Zd[la]/.test(name)) return { frees: 0 };
  return null;
}

/** Lines of funclist.log: `id,arguments,address,library!function`; words may stand before the last. */
function allocatorsOf(list: string): ReadonlyMap<number, Allocator> {
  const found = new Map<number, Allocator>();
  for (const line of list.split('\n')) {
    const [, id, name] = /^(\d+),\d+,.*?([^,!]+)\s*$/.exec(line) ?? [];
    const allocator = name === undefined ? null : allocatorOf(name.trim());
    if (allocator) found.set(Number(id), allocator);
  }
  return found;
}

/** What a file's image has at most: half of the addresses that a program has. */
const MAX_IMAGE_BYTES = 1n << 46n;

/** Lines of modules.log: `id, containing_id, start, end, entry, offset, ..., path`; the first of a file is its start. */
async function tellModules(input: ImportInput, sink: ImportSink, { image }: ImportOptions): Promise<void> {
  const list = (await input.beside('modules.log'))?.toString('latin1');
  if (list === undefined) return;
  const columns =
    /^Columns: (.*)$/m
      .exec(list)?.[1]
      ?.split(', ')
      .map(name => name.trim()) ?? [];
  const preferred = columns.indexOf('preferred_base');
  const files = new Map<string, { path: string; start: bigint; end: bigint; preferred: bigint | null }>();
  for (const line of list.split('\n')) {
    const cells = line.split(',').map(cell => cell.trim());
    const [, containing, start, end] = cells as [string, string, string, string];
    const address = /^0x[0-9a-fA-F]{1,16}$/;
    if (!address.test(start ?? '') || !address.test(end ?? '')) continue;
    const file = files.get(containing);
    if (file) {
      file.end = BigInt(end) > file.end ? BigInt(end) : file.end;
      continue;
    }
    const own = preferred >= 0 && address.test(cells[preferred] ?? '') ? BigInt(cells[preferred]!) : null;
    files.set(containing, { path: cells.at(-1)!, start: BigInt(start), end: BigInt(end), preferred: own });
  }
  let strange = 0;
  for (const { path, start, end, preferred: own } of files.values()) {
    const file = path.startsWith('/') ? await image?.(path) : null;
    // Its addresses begin at the preferred base: 0 of what can lie anywhere, the place itself of what cannot.
    const base = start - (own ?? (file?.relocatable === false ? start : 0n));
    if (end <= start || end - start > MAX_IMAGE_BYTES || base < 0n) {
      strange++;
      continue;
    }
    const size = Number(end - start);
    if (file) sink.module({ ...file, base });
    else sink.module({ path, base: start, size, unplaced: true, segments: [{ offset: 0, size, writable: true }] });
  }
  if (strange > 0)
    sink.warnings.push(
      `${strange} files of modules.log lie where none can: it may be damaged, their code has no names`,
    );
}

/** What the shards of one trace share. */
class Shared {
  fileType = 0;
  kernel = 0;
  /** There are several windows; the number of the first that was met. */
  #windows = false;
  #first = -1;
  constructor(
    readonly functions: ReadonlyMap<number, Allocator>,
    readonly base: bigint,
  ) {}

  window(number: number): void {
    if (this.#first < 0) this.#first = number;
    this.#windows ||= number !== this.#first;
  }

  warn({ warnings }: ImportSink): void {
    for (const [bits, what] of FILTERED) if (this.fileType & bits) warnings.push(what);
    if (this.#windows) warnings.push('The trace has windows of the run: what lies between them is missing.');
    if (this.kernel > 0)
      warnings.push(
        `${this.kernel.toLocaleString('en')} accesses of the kernel, in system calls and switches, do not count.`,
      );
    if (this.functions.size === 0)
      warnings.push('No allocations are recorded (drmemtrace -record_heap): heap memory belongs to no allocation.');
  }
}

/** A call of a recorded function that has not returned yet. */
interface Call {
  readonly id: number;
  readonly caller: bigint;
  readonly arguments: bigint[];
}

/** Calls may be left by jumps, so that they never return: deeper ones push them out. */
const MAX_DEPTH = 256;

class ShardReader {
  /** The footer was met. */
  ended = false;
  #bytes = 0;
  #pcLow = 0;
  #pcHigh = 0;
  #next = 0n;
  #thread = 0;
  #inKernel = false;
  #function = -1;
  readonly #calls: Call[] = [];

  constructor(
    private readonly sink: ImportSink,
    private readonly name: string,
    private readonly shared: Shared,
  ) {}

  take(bytes: Uint8Array): number {
    if (this.#bytes === 0) {
      const found = entryBytes(bytes);
      if (found === null) return 0;
      this.#bytes = found;
    }
    const view = viewOf(bytes);
    const step = this.#bytes;
    const end = bytes.length - step;
    let at = 0;
    for (; at <= end; at += step) {
      const type = view.getUint16(at, true);
      const size = view.getUint16(at + 2, true);
      const low = view.getUint32(at + 4, true);
      const high = step === ENTRY_BYTES ? view.getUint32(at + 8, true) : 0;
      if (type <= TYPE.write) this.#access(low, high, type === TYPE.write ? WRITE : READ, size);
      else if (isInstruction(type)) {
        this.#pcLow = low;
        this.#pcHigh = high;
        this.#next = (BigInt(high) << 32n) + BigInt(low + size);
      } else if (type >= TYPES) throw new TraceError(`${this.name} is damaged: there is no entry of type ${type}`);
      else this.#other(type, size, low, high, bytes.subarray(at + 4, at + step));
    }
    return at;
  }

  #access(low: number, high: number, kind: number, size: number): void {
    if (this.#inKernel) {
      this.shared.kernel++;
      return;
    }
    this.sink.access(this.#pcLow, this.#pcHigh, low, high, kind, Math.max(1, size));
  }

  #other(type: number, size: number, low: number, high: number, value: Uint8Array): void {
    if (type === TYPE.thread) {
      this.#thread = low;
      this.sink.thread(low);
    } else if (type === TYPE.marker) this.#marker(size, low, high);
    else if (type === TYPE.footer) this.ended = true;
    else if (type === TYPE.bundle) {
      // Lengths of the instructions that follow the one before; the last is what accesses next.
      for (const length of value.subarray(0, size)) {
        this.#pcLow = Number(this.#next & 0xffffffffn);
        this.#pcHigh = Number(this.#next >> 32n);
        this.#next += BigInt(length);
      }
    }
  }

  #marker(kind: number, low: number, high: number): void {
    const value = () => (BigInt(high) << 32n) | BigInt(low);
    switch (kind) {
      case MARKER.timestamp: {
        const ticks = Number(value() - this.shared.base);
        if (ticks >= 0 && ticks < 2 ** 42) this.sink.time(this.#thread, ticks);
        break;
      }
      case MARKER.fileType:
        this.shared.fileType |= low;
        break;
      case MARKER.windowId:
        this.shared.window(low);
        break;
      case MARKER.systemCallStart:
      case MARKER.switchStart:
        this.#inKernel = true;
        break;
      case MARKER.systemCallEnd:
      case MARKER.switchEnd:
        this.#inKernel = false;
        break;
      case MARKER.functionId:
        this.#function = low;
        break;
      case MARKER.returnAddress:
        if (this.#calls.length === MAX_DEPTH) this.#calls.shift();
        this.#calls.push({ id: this.#function, caller: value(), arguments: [] });
        break;
      case MARKER.argument: {
        const call = this.#calls.at(-1);
        if (call?.id === this.#function && call.arguments.length < MAX_DEPTH) call.arguments.push(value());
        break;
      }
      case MARKER.returnValue:
        this.#returned(value());
        break;
    }
  }

  /** The function named last returns: the innermost of its calls, with those within that were left. */
  #returned(result: bigint): void {
    const at = this.#calls.findLastIndex(({ id }) => id === this.#function);
    if (at < 0) return;
    const [call] = this.#calls.splice(at) as [Call];
    const allocator = this.shared.functions.get(call.id);
    // An allocator that calls another (calloc, operator new) is the one that the program called.
    if (!allocator || this.#calls.some(({ id }) => this.shared.functions.has(id))) return;
    const { arguments: given, caller } = call;
    const freed = allocator.frees === undefined ? 0n : (given[allocator.frees] ?? 0n);
    if (freed !== 0n) this.sink.event(EVENT_FREE, [freed]);
    if (allocator.allocates === undefined || result === 0n) return;
    const size = (given[allocator.size!] ?? 0n) * (allocator.count === undefined ? 1n : (given[allocator.count] ?? 0n));
    const kind = BigInt(allocator.allocates);
    this.sink.event(EVENT_ALLOC, [result, BigInt.asUintN(47, size), caller, kind]);
  }
}

function isInstruction(type: number): boolean {
  return (
    (type >= TYPE.firstInstruction && type <= TYPE.lastInstruction) ||
    (type >= TYPE.noFetch && type <= TYPE.sysenter) ||
    type === TYPE.takenJump ||
    type === TYPE.untakenJump
  );
}
