/**
 * Reads a trace file: walks over the block headers, keeps what is rare in memory and where the stream blocks lie, and
 * reads those when they are asked for. Nothing in the file is believed before its checksum was compared, and nothing is
 * allocated before the file was seen to be long enough.
 *
 * A trace may be cut at any byte (the recorder was killed, the disk was full). What precedes the cut is used.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { NONE } from '../model/columns.js';
import * as l10n from '../model/l10n.js';
import type {
  EndBlock,
  FileNameBlock,
  GlobalSymbol,
  HeaderBlock,
  MarkNameBlock,
  ModuleBlock,
  ProcessBlock,
  SitesBlock,
  SymbolsBlock,
  ThreadBlock,
} from './blocks.js';
import { ioError, TraceError } from './error.js';
import {
  BLOCK_HEADER_BYTES,
  type BlockHeader,
  CODEC_DEFLATE_RAW,
  decodeBlockHeader,
  decodeFileHeader,
  FILE_HEADER_BYTES,
  FLAG_MORE,
  KNOWN_VERSIONS,
  MAX_JOINED_BYTES,
} from './format.js';
import { decodePayload, PayloadError, type StoredBlock } from './payload.js';
import { seemsToBe } from './sniff.js';

const inflate = promisify<Uint8Array, object, Buffer>(inflateRaw);

/** Bytes read at once while walking over headers: many small blocks cost one read. */
const WINDOW_BYTES = 64 << 10;

/** All blocks but the streams' may hold this much in all: more is no recording, but an attack on memory. */
const MAX_KEPT_BYTES = 1 << 30;

export interface Damage {
  /** Of the first byte that is not used. */
  readonly offset: number;
  /** A phrase, such as `the block header's checksum is wrong`. */
  readonly reason: string;
}

export interface OpenOptions {
  /** The file is still being written: it may have no stream block yet, and its torn end is not yet damage. */
  readonly live?: boolean;
}

/** Where a stream's blocks lie. */
interface StreamIndex {
  readonly position: number[];
  readonly rawLength: number[];
  readonly storedLength: number[];
  readonly codec: number[];
  readonly crc: number[];
  rawBytes: number;
}

export class TraceFile {
  private headerBlock: HeaderBlock | null = null;
  private readonly processList: ProcessBlock[] = [];
  private readonly threadList: ThreadBlock[] = [];
  private readonly moduleList: ModuleBlock[] = [];
  private readonly siteList: SitesBlock[] = [];
  private readonly fileNameList: FileNameBlock[] = [];
  private readonly markNameList: MarkNameBlock[] = [];
  private symbolsBlock: SymbolsBlock | null = null;
  private endBlock: EndBlock | null = null;

  private readonly processNumbers = new Set<number>();
  private readonly threadNumbers = new Set<number>();
  private readonly globalsOf = new Map<number, readonly GlobalSymbol[]>();
  private readonly nextSite = new Map<number, number>();
  private readonly index = new Map<number, StreamIndex>();
  private lastStreamBlock: { stream: number; offset: number } | null = null;

  /** First byte behind the last whole block, and that block's ordinal plus one. */
  private position = FILE_HEADER_BYTES;
  private blocks = 0;
  private size = 0;
  private keptBytes = 0;
  /** Parts of a continued block, and where its first part starts. */
  private parts: Uint8Array[] = [];
  private partsBytes = 0;
  private partsStart: { offset: number; blocks: number } | null = null;
  /** Damage that later bytes cannot mend; and the torn tail, which a live writer may complete. */
  private broken: Damage | null = null;
  private torn: Damage | null = null;

  private readonly window = Buffer.alloc(WINDOW_BYTES);
  private windowStart = 0;
  private windowLength = 0;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  /**
   * @throws TraceError with one line when the file is no trace, one of another version, or cut before its first whole
   * stream block.
   */
  static async open(path: string, { live = false }: OpenOptions = {}): Promise<TraceFile> {
    const handle = await open(path, 'r').catch(error => {
      throw ioError('read', path, error);
    });
    const trace = new TraceFile(path, handle);
    try {
      await trace.checkFile();
      await trace.refresh();
      if (!live) await trace.settle();
      trace.checkUsable(live);
      return trace;
    } catch (error) {
      await handle.close();
      throw error instanceof TraceError ? error : ioError('read', path, error);
    }
  }

  get header(): HeaderBlock {
    return this.headerBlock!;
  }
  get processes(): readonly ProcessBlock[] {
    return this.processList;
  }
  get threads(): readonly ThreadBlock[] {
    return this.threadList;
  }
  /** One for each process that has it loaded; the globals of equal numbers are one array. */
  get modules(): readonly ModuleBlock[] {
    return this.moduleList;
  }
  get sites(): readonly SitesBlock[] {
    return this.siteList;
  }
  get fileNames(): readonly FileNameBlock[] {
    return this.fileNameList;
  }
  get markNames(): readonly MarkNameBlock[] {
    return this.markNameList;
  }
  /** Null when the trace was cut before its symbols, or none were resolved. */
  get symbols(): SymbolsBlock | null {
    return this.symbolsBlock;
  }
  /** Null when the trace was cut, or is still being written. */
  get end(): EndBlock | null {
    return this.endBlock;
  }

  /** Why not all of the file is used; null when it ends with a whole block. A live file's tail may still mend. */
  get damage(): Damage | null {
    return this.broken ?? this.torn;
  }

  /** Whether the recorder finished, lost nothing, and the file is whole. */
  get complete(): boolean {
    return this.endBlock?.complete === true && this.damage === null;
  }

  /** The recorder's warnings, and what the file itself calls for. */
  get warnings(): readonly string[] {
    const own: string[] = [];
    if (this.damage)
      own.push(`the trace is damaged at byte ${this.damage.offset} (${this.damage.reason}); what precedes it was used`);
    else if (!this.endBlock)
      own.push('the trace was cut: it ends without its end block, so that some of the run may be missing');
    return [...(this.endBlock?.warnings ?? []), ...own];
  }

  /** Bytes up to the end of the last whole block, and the number of blocks there. */
  get wholeBytes(): number {
    return this.partsStart?.offset ?? this.position;
  }
  get blockCount(): number {
    return this.partsStart?.blocks ?? this.blocks;
  }

  /** Number of blocks that the stream has so far; 0 when there is no such stream. */
  streamBlocks(stream: number): number {
    return this.index.get(stream)?.position.length ?? 0;
  }

  /** Bytes of records that the stream has so far, inflated. */
  streamBytes(stream: number): number {
    return this.index.get(stream)?.rawBytes ?? 0;
  }

  /** Size of the file when it was last looked at, in bytes. */
  get fileBytes(): number {
    return this.size;
  }

  /**
   * The records in block `i` (from 0) of a stream. Calls may overlap.
   * @throws TraceError when the block is damaged; `damage` says so from then on.
   */
  async readStream(stream: number, i: number): Promise<Uint8Array> {
    const index = this.index.get(stream);
    if (!index || !(i >= 0 && i < index.position.length))
      throw new RangeError(`stream ${stream} has ${index?.position.length ?? 0} blocks; block ${i} was asked for`);
    try {
      const stored = await this.readExactly(index.position[i], index.storedLength[i]);
      return await unpack(stored, index.codec[i], index.rawLength[i], index.crc[i]);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw ioError('read', this.path, error);
      this.broken ??= { offset: index.position[i] - BLOCK_HEADER_BYTES, reason: error.message };
      throw new TraceError(
        l10n.kept('{0} is damaged at byte {1}: {2}', this.path, this.broken.offset, this.broken.reason),
      );
    }
  }

  /**
   * Indexes what was appended since. Returns whether anything was. Not to be called while another call of it is
   * pending.
   */
  async refresh(): Promise<boolean> {
    const before = this.blocks;
    this.torn = null;
    this.size = (await this.handle.stat()).size;
    while (!this.broken && this.position < this.size) {
      if (this.endBlock) {
        this.broken = { offset: this.position, reason: 'there are bytes behind the end block' };
        break;
      }
      const start = await this.peek(this.position, BLOCK_HEADER_BYTES);
      // A writer that found the disk full may have cut a torn block off since the file was measured.
      if (this.size - this.position < BLOCK_HEADER_BYTES || start.length < BLOCK_HEADER_BYTES) {
        this.torn = { offset: this.wholeBytes, reason: 'the last block is cut' };
        break;
      }
      const header = decodeBlockHeader(start, this.blocks);
      if (typeof header === 'string') {
        this.broken = { offset: this.position, reason: header };
        break;
      }
      const payload = this.position + BLOCK_HEADER_BYTES;
      if (payload + header.storedLength > this.size) {
        this.torn = { offset: this.wholeBytes, reason: 'the last block is cut' };
        break;
      }
      try {
        await this.take(header, payload);
      } catch (error) {
        if (!(error instanceof PayloadError)) throw error;
        this.broken = { offset: this.position, reason: error.message };
        break;
      }
      this.position = payload + header.storedLength;
      this.blocks++;
    }
    if (!this.damage && this.partsStart) this.torn = { offset: this.wholeBytes, reason: 'the last block is cut' };
    return this.blocks > before;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  /** Tells a trace from everything else by its first bytes. */
  private async checkFile(): Promise<void> {
    const stat = await this.handle.stat();
    if (stat.isDirectory())
      throw new TraceError(l10n.kept('cannot read {0}: {1}', this.path, l10n.kept('it is a directory')));
    if (!stat.isFile())
      throw new TraceError(
        l10n.kept('cannot read {0}: {1}', this.path, l10n.kept('it is not a regular file (use - for a pipe)')),
      );
    this.size = stat.size;
    const start = await this.peek(0, Math.min(stat.size, 4096));
    const version = decodeFileHeader(start);
    if (version !== null && KNOWN_VERSIONS.includes(version)) return;
    const known = KNOWN_VERSIONS.join(' and ');
    if (version !== null)
      throw new TraceError(
        l10n.kept(
          '{0} is a Pagelens trace of version {1}; this Pagelens reads .pltrace files of version {2}: update it, or record again',
          this.path,
          version,
          known,
        ),
      );
    throw new TraceError(
      l10n.kept(
        '{0} is no trace: it seems to be {1}; Pagelens reads .pltrace files of version {2}',
        this.path,
        seemsToBe(start),
        known,
      ),
    );
  }

  /** When no writer will go on: the last stream block of a cut trace is the one that a crash of the machine may spoil. */
  private async settle(): Promise<void> {
    if (this.endBlock || !this.lastStreamBlock) return;
    const { stream, offset } = this.lastStreamBlock;
    const index = this.index.get(stream)!;
    const last = index.position.length - 1;
    const stored = await this.readExactly(index.position[last], index.storedLength[last]);
    try {
      await unpack(stored, index.codec[last], index.rawLength[last], index.crc[last]);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      index.position.pop();
      index.rawBytes -= index.rawLength.pop()!;
      if (index.position.length === 0) this.index.delete(stream);
      this.broken = { offset, reason: error.message };
    }
  }

  private checkUsable(live: boolean): void {
    const where = this.damage ? ` at byte ${this.damage.offset} (${this.damage.reason})` : '';
    if (!this.headerBlock)
      throw new TraceError(
        l10n.kept('{0} is cut or damaged{1} before its header block: record again', this.path, where),
      );
    if (!live && !this.endBlock && this.index.size === 0)
      throw new TraceError(
        l10n.kept('{0} is cut or damaged{1} before its first block of accesses: record again', this.path, where),
      );
  }

  /** One block, whose bytes are all in the file. */
  private async take(header: BlockHeader, payload: number): Promise<void> {
    if (header.type === null) return;
    if (this.blocks === 0 && header.type !== 'header') throw new PayloadError('the first block is not the header');
    if (header.type === 'stream') {
      if (this.parts.length > 0) throw new PayloadError('a continued block is interrupted');
      this.takeStream(header, payload);
      return;
    }
    this.keptBytes += header.rawLength;
    if (this.keptBytes > MAX_KEPT_BYTES) throw new PayloadError('there is more than 1 GiB of names and sites');
    const stored = await this.readExactly(payload, header.storedLength);
    let raw = await unpack(stored, header.codec, header.rawLength, header.crc);
    if (header.flags & FLAG_MORE || this.partsStart) {
      this.partsStart ??= { offset: this.position, blocks: this.blocks };
      this.parts.push(raw);
      this.partsBytes += raw.length;
      if (this.partsBytes > MAX_JOINED_BYTES) throw new PayloadError('a continued block is too long');
      if (header.flags & FLAG_MORE) return;
      raw = Buffer.concat(this.parts);
      this.parts = [];
      this.partsBytes = 0;
      this.partsStart = null;
    }
    this.keep(decodePayload(header.type, raw));
  }

  private takeStream(header: BlockHeader, position: number): void {
    let index = this.index.get(header.stream);
    if (!index) {
      if (!this.threadNumbers.has(header.stream)) throw new PayloadError(`stream ${header.stream} has no thread block`);
      index = { position: [], rawLength: [], storedLength: [], codec: [], crc: [], rawBytes: 0 };
      this.index.set(header.stream, index);
    }
    index.position.push(position);
    index.rawLength.push(header.rawLength);
    index.storedLength.push(header.storedLength);
    index.codec.push(header.codec);
    index.crc.push(header.crc);
    index.rawBytes += header.rawLength;
    this.lastStreamBlock = { stream: header.stream, offset: position - BLOCK_HEADER_BYTES };
  }

  /** Files a block, after the rules that go beyond one block: what is referred to came before. */
  private keep(block: StoredBlock): void {
    if (block.type === 'process') {
      if (this.processNumbers.has(block.process)) throw new PayloadError(`process ${block.process} occurs twice`);
    } else if ('process' in block && !this.processNumbers.has(block.process))
      throw new PayloadError(`process ${block.process} has no process block`);
    switch (block.type) {
      case 'header':
        if (this.headerBlock) throw new PayloadError('there is a second header');
        this.headerBlock = block;
        break;
      case 'process':
        this.processNumbers.add(block.process);
        this.processList.push(block);
        break;
      case 'thread':
        if (this.threadNumbers.has(block.stream)) throw new PayloadError(`stream ${block.stream} occurs twice`);
        this.threadNumbers.add(block.stream);
        this.threadList.push(block);
        break;
      case 'module': {
        const globals = block.globals ?? this.globalsOf.get(block.module);
        if (!globals) throw new PayloadError(`module ${block.module} has no globals`);
        if (!this.globalsOf.has(block.module)) this.globalsOf.set(block.module, globals);
        this.moduleList.push({ ...block, globals });
        break;
      }
      case 'sites':
        if (block.first < (this.nextSite.get(block.process) ?? 0)) throw new PayloadError('site numbers go back');
        for (const module of block.module)
          if (module !== NONE && !this.globalsOf.has(module))
            throw new PayloadError(`module ${module} has no module block`);
        this.nextSite.set(block.process, block.first + block.pc.length);
        this.siteList.push(block);
        break;
      case 'fileName':
        this.fileNameList.push(block);
        break;
      case 'markName':
        this.markNameList.push(block);
        break;
      case 'symbols':
        this.symbolsBlock = this.symbolsBlock ? joinSymbols(this.symbolsBlock, block) : block;
        break;
      case 'end':
        this.endBlock = block;
        break;
    }
  }

  /** `length` bytes at `offset` through the window; fewer at the file's end. */
  private async peek(offset: number, length: number): Promise<Uint8Array> {
    const from = offset - this.windowStart;
    if (from < 0 || from + length > this.windowLength) {
      this.windowStart = offset;
      this.windowLength = (await this.handle.read(this.window, 0, WINDOW_BYTES, offset)).bytesRead;
      return this.window.subarray(0, Math.min(length, this.windowLength));
    }
    return this.window.subarray(from, from + length);
  }

  private async readExactly(position: number, length: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.handle.read(bytes, done, length - done, position + done);
      if (bytesRead === 0) throw new PayloadError('the file was shortened while it was read');
      done += bytesRead;
    }
    return bytes;
  }
}

function joinSymbols(a: SymbolsBlock, b: SymbolsBlock): SymbolsBlock {
  return {
    type: 'symbols',
    module: [...a.module, ...b.module],
    offset: [...a.offset, ...b.offset],
    frames: [...a.frames, ...b.frames],
    sources: [...a.sources, ...b.sources],
  };
}

/** @throws PayloadError */
async function unpack(stored: Uint8Array, codec: number, rawLength: number, crc: number): Promise<Uint8Array> {
  if (crc32(stored) !== crc) throw new PayloadError("a block's checksum is wrong");
  if (codec !== CODEC_DEFLATE_RAW) return stored;
  const raw = await inflate(stored, {
    maxOutputLength: Math.max(1, rawLength),
    chunkSize: Math.max(64, rawLength),
  }).catch(() => {
    throw new PayloadError('a block cannot be inflated');
  });
  if (raw.length !== rawLength) throw new PayloadError(`a block inflates to ${raw.length} bytes, not ${rawLength}`);
  return raw;
}
