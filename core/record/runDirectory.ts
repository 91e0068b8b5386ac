/**
 * The run directory as the recorded processes leave it: what `runtime/layout.h` says, read from outside. The files of a
 * process that died, or is still writing, are read as they are; nothing here assumes that they are whole.
 */
import { closeSync, openSync, readlinkSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { NONE } from '../model/columns.js';
import { type BurstOptions, burstFactor } from '../model/window.js';
import { ioError } from '../trace/error.js';

export const RUN_PAGE_BYTES = 4096;
/** Where the page says that no window is open; behind it, how many were opened. */
const CLOSED = 448;

const STATES = new Map([
  [1, 'running'],
  [2, 'idle'],
  [3, 'ended'],
] as const);

/** `idle`: inside a blocking call, after a stamp. */
export type StreamState = 'running' | 'idle' | 'ended';

/** Counters of the file `run`. */
export interface RunPage {
  readonly nextSeq: number;
  readonly nextProcess: number;
  readonly nextStream: number;
  /** Bit r: something is missing for reason r (PL_LOST_*). */
  readonly lost: number;
  /** No window of recording is open. */
  readonly closed: boolean;
  /** Windows that the run's own processes opened. */
  readonly windows: number;
}

/** A stream's control page. */
export interface ControlPage {
  readonly process: number;
  readonly tid: number;
  readonly chunkBytes: number;
  readonly state: StreamState;
  /** Bytes of whole records, over all chunks. */
  readonly committed: number;
  /** Steps of the predictor; and those of them that the committed records hold (null: the page is torn). */
  readonly steps: number;
  readonly heldSteps: number | null;
  readonly accesses: number;
  /** Accesses outside of windows of recording. */
  readonly skipped: number;
  /** Bursts recorded, where the run is sampled. */
  readonly bursts: number;
  readonly lastSeq: number;
}

export type MetaRecord =
  | {
      readonly type: 'process';
      readonly process: number;
      readonly pid: number;
      readonly parent: { readonly process: number; readonly seq: number } | null;
      readonly path: string;
      /** System calls that libc makes inside itself are recorded too. */
      readonly insideLibc: boolean;
      /** Its rank in a parallel program; null where it is none. */
      readonly rank: number | null;
    }
  | { readonly type: 'thread'; readonly stream: number; readonly tid: number; readonly signal: boolean }
  | {
      readonly type: 'module';
      readonly localModule: number;
      readonly base: bigint;
      readonly segments: readonly { readonly offset: number; readonly size: number; readonly writable: boolean }[];
      readonly buildId: string;
      readonly path: string;
    }
  | {
      readonly type: 'site';
      readonly localSite: number;
      readonly kind: number;
      readonly pc: bigint;
      /** NONE: outside all modules. */
      readonly localModule: number;
    }
  | { readonly type: 'fileName'; readonly index: number; readonly path: string }
  | { readonly type: 'warning'; readonly text: string }
  | { readonly type: 'markName'; readonly index: number; readonly name: string }
  | { readonly type: 'lost'; readonly stream: number; readonly reason: number };

export interface RunPageOptions {
  /** Limit of all streams together; 0 for none. */
  readonly maxBytes?: number;
  /** No window of recording is open yet. */
  readonly closed?: boolean;
  /** Only bursts are recorded. */
  readonly bursts?: BurstOptions | undefined;
}

/**
 * The page `run` of a new run directory. Its owner is this process: programs that find it gone stop recording.
 */
export function newRunPage({ maxBytes = 0, closed = false, bursts }: RunPageOptions = {}): Uint8Array {
  const page = Buffer.alloc(RUN_PAGE_BYTES);
  page.write('PLRUN001', 'latin1');
  page.writeBigUInt64LE(1n, 64);
  page.writeBigUInt64LE(BigInt(maxBytes), 320);
  page.writeBigUInt64LE(BigInt(process.pid), 384);
  page.writeBigUInt64LE(startOf(process.pid), 392);
  page.writeBigUInt64LE(BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0), 400);
  page.writeBigUInt64LE(closed ? 1n : 0n, CLOSED);
  if (bursts) {
    page.writeBigUInt64LE(BigInt(bursts.on), CLOSED + 16);
    page.writeBigUInt64LE(BigInt(burstFactor(bursts) - 1), CLOSED + 24);
  }
  return page;
}

/** When a process started, in clock ticks since the system did: field 22 of its `stat`. */
function startOf(pid: number): bigint {
  const stat = readProc(`/proc/${pid}/stat`).toString('latin1');
  return BigInt(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 0);
}

/** Asks every process of the run to stop recording. Does nothing where there is no run any more. */
export function askToStop(runDir: string): void {
  writeFlag(runDir, 256, true);
}

/** Opens or closes the window of recording of every process. Returns whether that changed anything. */
export function writeWindow(runDir: string, open: boolean): boolean {
  return readRunPage(runDir)?.closed === open && writeFlag(runDir, CLOSED, !open);
}

/** False where there is no run any more. */
function writeFlag(runDir: string, at: number, flag: boolean): boolean {
  try {
    const file = openSync(path.join(runDir, 'run'), 'r+');
    try {
      writeSync(file, Uint8Array.of(flag ? 1 : 0, 0, 0, 0, 0, 0, 0, 0), 0, 8, at);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    // Without the page nobody is listening.
    return false;
  }
}

/** Null when there is no such page, or it is none. */
export function readRunPage(runDir: string): RunPage | null {
  const page = readStart(path.join(runDir, 'run'), CLOSED + 16);
  if (page?.toString('latin1', 0, 8) !== 'PLRUN001') return null;
  return {
    nextSeq: u64(page, 64),
    nextProcess: u64(page, 128),
    nextStream: u64(page, 192),
    lost: u64(page, 336),
    closed: u64(page, CLOSED) !== 0,
    windows: u64(page, CLOSED + 8),
  };
}

/** Null while the page is being made; a phrase when it is damaged. */
export function readControlPage(runDir: string, stream: number): ControlPage | string | null {
  const page = readStart(path.join(runDir, `s${stream}.ctl`), 160);
  if (!page || page.subarray(0, 8).every(byte => byte === 0)) return null;
  if (page.toString('latin1', 0, 8) !== 'PLSTR001') return 'its control page is damaged';
  const state = STATES.get(u64(page, 32) as 1 | 2 | 3);
  const chunkBytes = u64(page, 24);
  if (!state || chunkBytes < 4096 || chunkBytes > 16 << 20) return 'its control page is damaged';
  const committed = u64(page, 64);
  const steps = u64(page, 72);
  const entry = [128, 144].find(at => u64(page, at) === committed);
  return {
    process: u64(page, 8),
    tid: u64(page, 16),
    chunkBytes,
    state,
    committed,
    steps,
    heldSteps: entry === undefined ? null : u64(page, entry + 8),
    accesses: Math.max(0, steps + Number(page.readBigInt64LE(88))),
    skipped: u64(page, 96),
    bursts: u64(page, 120),
    lastSeq: u64(page, 80),
  };
}

/**
 * Reads a small page at once. Synchronously, because the pages are mapped by a running process and so always in memory:
 * the read is a copy of a few hundred bytes, a tenth of what a thread-pool round trip costs.
 */
function readStart(file: string, length: number): Buffer | null {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw ioError('read', file, error);
  }
  try {
    const bytes = Buffer.alloc(length);
    return readSync(handle, bytes, 0, length, 0) === length ? bytes : null;
  } finally {
    closeSync(handle);
  }
}

function u64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

const META_READ_BYTES = 1 << 20;
/** No record comes near; a length above it is damage. */
const MAX_META_RECORD_BYTES = 1 << 20;

/** Reads a process's `.meta` as it grows, whole records only. */
export class MetaFile {
  private position = 0;
  private rest: Buffer = Buffer.alloc(0);
  /** A phrase once the file is found to be damaged; nothing more is read then. */
  damage: string | null = null;

  constructor(private readonly file: string) {}

  /** The records written since the last call. */
  async read(): Promise<readonly MetaRecord[]> {
    const records: MetaRecord[] = [];
    if (this.damage) return records;
    let handle: Awaited<ReturnType<typeof open>>;
    try {
      handle = await open(this.file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return records;
      throw ioError('read', this.file, error);
    }
    try {
      const { size } = await handle.stat();
      while (this.position < size && !this.damage) {
        const bytes = Buffer.allocUnsafe(Math.min(META_READ_BYTES, size - this.position));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, this.position);
        if (bytesRead === 0) break;
        this.position += bytesRead;
        this.rest = this.parse(Buffer.concat([this.rest, bytes.subarray(0, bytesRead)]), records);
      }
    } finally {
      await handle.close();
    }
    return records;
  }

  /** Appends the whole records of `bytes` to `records`; returns what is left. */
  private parse(bytes: Buffer, records: MetaRecord[]): Buffer {
    let at = 0;
    while (bytes.length - at >= 8) {
      const type = bytes.readUInt32LE(at);
      const length = bytes.readUInt32LE(at + 4);
      const next = at + 8 + ((length + 7) & ~7);
      if (length > MAX_META_RECORD_BYTES) {
        this.damage = `a record of ${length} bytes`;
        break;
      }
      if (next > bytes.length) break;
      const record = metaRecord(type, bytes.subarray(at + 8, at + 8 + length));
      if (typeof record === 'string') {
        this.damage = record;
        break;
      }
      records.push(record);
      at = next;
    }
    return bytes.subarray(at);
  }
}

/** Payload bytes that each type has at least. */
const META_MINIMUM = [0, 24, 16, 24, 24, 8, 0, 8, 8];

/** A record, or a phrase that says what is wrong with it. */
function metaRecord(type: number, payload: Buffer): MetaRecord | string {
  if (type < 1 || type >= META_MINIMUM.length) return `a record of unknown type ${type}`;
  if (payload.length < META_MINIMUM[type]) return `a record of type ${type} with ${payload.length} bytes`;
  const u32 = (at: number) => payload.readUInt32LE(at);
  switch (type) {
    case 1: {
      const parent = u32(8);
      return {
        type: 'process',
        process: u32(0),
        pid: u32(4),
        parent: parent === NONE ? null : { process: parent, seq: u64(payload, 16) },
        path: text(payload, 24, payload.length - 24),
        insideLibc: (u32(12) & 1) !== 0,
        rank: (u32(12) & 2) !== 0 ? u32(12) >>> 8 : null,
      };
    }
    case 2:
      return { type: 'thread', stream: u32(0), tid: u32(4), signal: u32(8) !== 0 };
    case 3: {
      const count = u32(4);
      const ids = 16 + count * 24;
      if (ids + 8 > payload.length) return 'a module record that is too short';
      const idLength = u32(ids);
      const pathLength = u32(ids + 4);
      if (ids + 8 + idLength + pathLength > payload.length) return 'a module record that is too short';
      return {
        type: 'module',
        localModule: u32(0),
        base: payload.readBigUInt64LE(8),
        segments: Array.from({ length: count }, (_, i) => ({
          offset: u64(payload, 16 + i * 24),
          size: u64(payload, 24 + i * 24),
          writable: u64(payload, 32 + i * 24) !== 0,
        })),
        buildId: payload.toString('hex', ids + 8, ids + 8 + idLength),
        path: text(payload, ids + 8 + idLength, pathLength),
      };
    }
    case 4:
      return {
        type: 'site',
        localSite: u32(0),
        kind: u32(4),
        pc: payload.readBigUInt64LE(8),
        localModule: u32(16),
      };
    case 5:
    case 8: {
      if (8 + u32(4) > payload.length) return 'a name record that is too short';
      const name = text(payload, 8, u32(4));
      return type === 5 ? { type: 'fileName', index: u32(0), path: name } : { type: 'markName', index: u32(0), name };
    }
    case 6:
      return { type: 'warning', text: text(payload, 0, payload.length) };
    default:
      return { type: 'lost', stream: u32(0), reason: u32(4) };
  }
}

/** Text up to a terminating zero, if there is one. Bytes that are no UTF-8 are replaced. */
function text(payload: Buffer, start: number, length: number): string {
  const bytes = payload.subarray(start, start + length);
  const zero = bytes.indexOf(0);
  return bytes.toString('utf8', 0, zero < 0 ? bytes.length : zero);
}

/** Whether a process runs: neither gone nor a zombie (which has run its last instruction). */
export function isAlive(pid: number): boolean {
  let stat: Buffer;
  try {
    stat = readProc(`/proc/${pid}/stat`);
  } catch {
    return false;
  }
  // "pid (name) S ...": the name may hold anything, so the state is behind the last parenthesis.
  const state = stat.toString('latin1').match(/.*\) (.)/s)?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function readProc(file: string): Buffer {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(512);
    return bytes.subarray(0, readSync(handle, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(handle);
  }
}
