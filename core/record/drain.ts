/**
 * Moves what recorded processes write into the trace file, while they run and after they died.
 *
 * A pass reads in the opposite order of the writing: sequence counter, control pages, metadata, and only then the
 * records. So whatever a record refers to (its site, the site's module) was read before it. What the counter and the
 * pages said in the pass before bounds what is completely in the file after this one (`safeSeq`): a copy of a page need
 * not show two fields of one moment, but what a later copy calls committed includes what an earlier one had. Chunks are
 * given back to their writer once their records are in the file, and removed when it has no use for them: a run of any
 * length needs little disk, memory is bounded by the writer's few blocks, and a drain that was killed can be followed by
 * another (`resume`) that loses nothing.
 *
 * When the disk is full, recording stops and the program goes on. What of the run directory is in memory or in the trace
 * is removed at once; the rest stays where it is until the program has ended, so that each chunk that is read then makes
 * the room which its block needs.
 */
import { open, readdir, rename, truncate, unlink } from 'node:fs/promises';
import path from 'node:path';
import { NONE } from '../model/columns.js';
import { type CutReason, cutReasons } from '../model/cut.js';
import type { BurstOptions, RunWindow } from '../model/window.js';
import type {
  Block,
  EndBlock,
  GlobalSymbol,
  ModuleBlock,
  ProcessBlock,
  SitesBlock,
  SymbolsBlock,
} from '../trace/blocks.js';
import { isFull, TraceError } from '../trace/error.js';
import { NO_LIMIT } from '../trace/merge.js';
import type { TraceFile } from '../trace/reader.js';
import { burstSampling, noBurst } from './bursts.js';
import {
  askToStop,
  type ControlPage,
  isAlive,
  MetaFile,
  type MetaRecord,
  readControlPage,
  readRunPage,
} from './runDirectory.js';
import { neverOpened, type Windows } from './window.js';

/** What the drain needs of `TraceWriter`. */
export interface BlockSink {
  write(block: Block): Promise<void>;
  flush(): Promise<void>;
}

export interface DrainOptions {
  readonly runDir: string;
  /** The header block is in it already. */
  readonly writer: BlockSink;
  /** Globals of a module, asked for once per (path, build id). A failure becomes a warning. */
  onModule(path: string): Promise<readonly GlobalSymbol[]>;
  /** Which part of the run is recorded. Without it: all. */
  readonly windows?: Windows;
  /** Only bursts are recorded: how long they are, and how far apart. */
  readonly bursts?: BurstOptions;
  /** What an earlier drain of this directory had written to the same file (see `TraceWriter.resume`). */
  readonly resume?: TraceFile;
}

export interface DrainProgress {
  /** Accesses recorded so far, whether drained yet or not. */
  readonly accesses: number;
  readonly processes: number;
  /** Streams of threads; those of signal handlers do not count. */
  readonly threads: number;
  /** Bytes of records drained, before compression. */
  readonly bytes: number;
  /** Every segment that begins below this number is completely in the file (see `MergeOrder.next`). */
  readonly safeSeq: number;
  /** Recording has stopped for this; the program goes on. */
  readonly cut?: CutReason;
}

export interface DrainSummary extends DrainProgress {
  readonly complete: boolean;
  /** The trace could not be written any more; it lacks these blocks, and perhaps some before them. */
  readonly unsaved: UnsavedBlocks | null;
  readonly warnings: readonly string[];
}

/** A limit that the user set. */
export type RequestedCut = 'trace-limit' | 'time-limit';

export function askedWarning(asked: RequestedCut, accesses: number): string {
  const kept = `the ${accesses.toLocaleString('en')} accesses until then are kept`;
  return `recording stopped before the program ended because ${cutReasons[asked]}; ${kept}`;
}

/** The last blocks of a trace that had no room for them. */
export interface UnsavedBlocks {
  readonly symbols: SymbolsBlock | null;
  readonly end: EndBlock;
  /** Why they were not written. */
  readonly failure: TraceError;
}

export interface FinishOptions {
  /** Warnings of the caller, placed before the drain's own. */
  readonly warnings?: readonly string[];
  /** The caller knows that the recording lacks something; `warnings` says what. */
  readonly incomplete?: boolean;
  /** Called when all sites are known, to give the block that precedes the end. A failure becomes a warning. */
  symbols?(sites: DrainedSites): Promise<SymbolsBlock | null>;
}

export interface DrainedSites {
  readonly modules: readonly ModuleBlock[];
  readonly sites: readonly SitesBlock[];
}

/** Fewer new bytes of a stream than this wait for more, so that blocks compress well and are not many ... */
const MIN_BLOCK_BYTES = 32 << 10;
/** ... but at each so-manieth pass everything is taken (about four times a second), and the dead are looked for. */
const FULL_PASS = 8;

/** PL_KEPT_CHUNKS of runtime/layout.h. */
const KEPT_CHUNKS = 8;

/** A file of the run directory that only takes up room, to be given up when the disk is full. */
export const RESERVE = 'reserve';

/** Sites in one block, 1.4 MiB. */
const MAX_BLOCK_SITES = 65536;

/** Said of a process that could not see into libc. */
const OUTSIDE_LIBC =
  'system calls and mappings that the C library makes inside itself (the reads and writes of stdio, what malloc maps) ' +
  'are not recorded: this kernel has no system call user dispatch (Linux 5.11 on x86-64), or a sandbox or valgrind stands in between';

/** PL_LOST_* of runtime/layout.h. */
const LOST_DISK = 1;
const LOST_STOPPED = 3;
const LOST_REASONS = [
  'for an unknown reason',
  'because the disk of the run directory is full',
  'at the size limit that was set',
  'because it was asked to stop',
  'for want of memory for the predictor',
  'because a file of the run directory could not be made (too many open files, a sandbox, a limit of file sizes)',
];

interface Stream {
  readonly stream: number;
  /** As read in this pass and in the one before; null before there is one. */
  control: ControlPage | null;
  before: ControlPage | null;
  /** Its process had died before `control` was read. */
  dead: boolean;
  /** Bytes of records handed to the writer. */
  done: number;
  /** Every segment of the stream that begins below this is handed to the writer. */
  doneSeq: number;
  /** Nothing more will come of it. */
  final: boolean;
  /** Files of chunks given back to the writer, oldest first. It may have taken any of them. */
  free: string[];
}

interface Process {
  readonly process: number;
  readonly meta: MetaFile;
  /** Null until its first record is read. */
  pid: number | null;
  alive: boolean;
  /** Its block is in the trace. */
  written: boolean;
  /** Its metadata was read after its death. */
  settled: boolean;
  readonly modules: Map<number, { readonly module: number; readonly base: bigint }>;
  /** Module records to skip, and the first site to take, after a resume. */
  modulesToSkip: number;
  firstSite: number;
}

export class Drain {
  private readonly runDir: string;
  private readonly writer: BlockSink;
  private readonly globalsOf: (path: string) => Promise<readonly GlobalSymbol[]>;

  private readonly windows: Windows | undefined;
  private readonly bursts: BurstOptions | undefined;

  private readonly streams = new Map<number, Stream>();
  /** Streams that may still grow, in order of number. */
  private active: Stream[] = [];
  private readonly processes = new Map<number, Process>();
  /** Streams that have a thread block; and how many of these are no signal handlers'. */
  private readonly announced = new Set<number>();
  private threads = 0;
  /** `path NUL build id` -> module number; and that module's globals. */
  private readonly moduleNumbers = new Map<string, number>();
  private readonly globals: Promise<readonly GlobalSymbol[]>[] = [];
  private readonly moduleBlocks: ModuleBlock[] = [];
  private readonly siteBlocks: SitesBlock[] = [];
  private readonly fileNames = new Set<string>();
  private readonly markNames = new Set<string>();

  private readonly warnings = new Set<string>();
  private readonly lost = new Map<number, Set<number>>();
  private incomplete = false;
  private passes = 0;
  /** The sequence counter as read in the pass before. */
  private nextSeqBefore = 0;
  private bytes = 0;
  private pending: Promise<unknown> = Promise.resolve();
  private finished = false;
  /** Chunks that the writer was given wholly, but may not have written yet. */
  private drained: { readonly stream: Stream; readonly file: string }[] = [];
  /** The disk is full: nothing is recorded any more. */
  private full = false;
  /** Recording was ended by `stop`. */
  private asked: RequestedCut | null = null;
  /** The trace cannot be written any more. */
  private failure: TraceError | null = null;
  private progress: DrainProgress = { accesses: 0, processes: 0, threads: 0, bytes: 0, safeSeq: 0 };

  constructor(options: DrainOptions) {
    this.runDir = options.runDir;
    this.writer = options.writer;
    this.windows = options.windows;
    this.bursts = options.bursts;
    this.globalsOf = path => options.onModule(path);
    if (options.resume) this.restore(options.resume);
  }

  /**
   * One pass, to be called about every 30 ms while the program runs. Passes never overlap: a call made during one
   * begins after it. When the disk is full, it stops the recording, and does nothing from then on.
   * @throws TraceError when the trace cannot be written for another reason, or the directory is no run directory
   */
  poll(): Promise<DrainProgress> {
    return this.enqueue(async () => {
      if (!this.full) await this.passIfRoom('running');
      return this.progressNow();
    });
  }

  /**
   * Removes what the run directory can do without, for a writer that found the disk full, and stops the recording. It may
   * be called during a pass. Resolves to false when there was nothing to remove.
   */
  async makeRoom(): Promise<boolean> {
    this.stopRecording();
    // The blocks of drained chunks that are not yet in the file are in the writer's memory.
    const files = [RESERVE, ...this.drained.splice(0).map(({ file }) => file)];
    for (const { free } of this.streams.values()) files.push(...free.splice(0));
    let made = false;
    for (const file of files) made = (await this.discard(file)) || made;
    return made;
  }

  /**
   * Drains what is left after the program ended, in whatever way, and writes symbols and end block. The writer stays
   * open. `exit`: how the program ended, null when nobody knows.
   */
  finish(exit: EndBlock['exit'], options: FinishOptions = {}): Promise<DrainSummary> {
    return this.enqueue(async () => {
      if (this.finished) throw new TraceError('the recording is finished already');
      this.finished = true;
      askToStop(this.runDir);
      // Twice, because a pass finalises only what the one before has seen ended.
      await this.passIfRoom('over');
      await this.passIfRoom('last');
      const symbols = await Promise.resolve({ modules: this.moduleBlocks, sites: this.siteBlocks })
        .then(sites => options.symbols?.(sites))
        .catch((error: Error) => {
          this.warnings.add(`source lines could not be resolved: ${error.message}`);
          return null;
        });
      const complete = !this.incomplete && options.incomplete !== true;
      const cut = this.cutReason();
      const warnings = [
        ...this.fullWarnings(),
        ...this.askedWarnings(),
        ...(options.warnings ?? []),
        ...this.warnings,
        ...this.lostWarnings(),
      ];
      const accesses: number[] = [];
      for (const { stream, control } of this.streams.values()) accesses[stream] = control?.accesses ?? 0;
      const window = this.windowSummary();
      if (window?.windows === 0) warnings.unshift(neverOpened(window));
      const sampling = this.bursts && burstSampling(this.bursts, this.controls());
      if (this.bursts && !sampling) warnings.unshift(noBurst(this.bursts, this.controls()));
      const end: EndBlock = {
        type: 'end',
        exit,
        complete,
        ...(cut && { cut }),
        ...(window && { window }),
        ...(sampling && { sampling }),
        warnings,
        accesses: Array.from(accesses, count => count ?? 0),
      };
      await this.ifRoom(async () => {
        if (symbols) await this.writer.write(symbols);
        await this.writer.write(end);
        await this.writer.flush();
      });
      const unsaved = this.failure && { symbols: symbols ?? null, end, failure: this.failure };
      return { ...this.progressNow(), complete, warnings, unsaved };
    });
  }

  private windowSummary(): RunWindow | undefined {
    return this.windows?.summary(this.controls().reduce((outside, { skipped }) => outside + skipped, 0));
  }

  private controls(): ControlPage[] {
    return [...this.streams.values()].flatMap(({ control }) => control ?? []);
  }

  private progressNow(): DrainProgress {
    const cut = this.cutReason();
    return { ...this.progress, ...(cut && { cut }) };
  }

  private passIfRoom(phase: 'running' | 'over' | 'last'): Promise<void> {
    return this.ifRoom(async () => {
      this.progress = await this.pass(phase);
    });
  }

  /** Does not even begin when the trace cannot be written any more; remembers it when that is found out. */
  private async ifRoom(work: () => Promise<void>): Promise<void> {
    if (this.failure) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TraceError && isFull(error))) throw error;
      this.failure = error;
      this.stopRecording();
      // The writer cuts the torn block off before it settles.
      await this.writer.flush().catch(() => {});
    }
  }

  /** Ends the recording, which is drained to its end; the program goes on. */
  stop(reason: RequestedCut): void {
    this.asked = reason;
    this.incomplete = true;
    askToStop(this.runDir);
  }

  private stopRecording(): void {
    this.full = true;
    this.incomplete = true;
    askToStop(this.runDir);
  }

  private enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.pending.then(work, work);
    this.pending = result.catch(() => {});
    return result;
  }

  private async pass(phase: 'running' | 'over' | 'last'): Promise<DrainProgress> {
    const full = phase !== 'running' || this.passes % FULL_PASS === 0;
    this.passes++;

    // 1. The counter of sequence numbers: segments that begin after this moment have a number from here on.
    const run = readRunPage(this.runDir);
    if (!run && phase === 'running')
      throw new TraceError(`${this.runDir} is no run directory: its file "run" is missing or damaged`);
    if (!run) this.lose('the run directory has lost its file "run"');
    else this.noteLost(run.lost);
    if (!run || phase !== 'running' || this.streams.size < run.nextStream || this.processes.size < run.nextProcess)
      await this.discover();

    // 2. Who is dead, and only then the control pages: those of the dead are final.
    if (full)
      for (const process of this.processes.values()) process.alive &&= process.pid === null || isAlive(process.pid);
    for (const stream of this.active) this.readControl(stream, phase === 'last');

    // 3. Metadata, which names everything that the records refer to.
    await this.drainMeta();
    if (phase === 'last') await this.announceNameless();

    // 4. Records.
    let safeSeq = this.nextSeqBefore;
    for (const stream of this.active) {
      if (!stream.final) await this.drainStream(stream, full, phase === 'last');
      safeSeq = Math.min(safeSeq, stream.doneSeq);
    }
    const ended = this.active.filter(stream => stream.final);
    this.active = this.active.filter(stream => !stream.final);
    this.nextSeqBefore = run?.nextSeq ?? this.nextSeqBefore;

    // 5. Only what is safely in the file may go.
    await this.writer.flush();
    for (const { stream, file } of this.drained.splice(0)) await this.giveBack(stream, file);
    for (const { free } of ended) await this.remove(free.splice(0));

    let accesses = 0;
    for (const { control } of this.streams.values()) accesses += control?.accesses ?? 0;
    return { accesses, processes: this.processes.size, threads: this.threads, bytes: this.bytes, safeSeq };
  }

  /** Finds control pages and metadata that are new. */
  private async discover(): Promise<void> {
    const names = await readdir(this.runDir).catch(() => [] as string[]);
    for (const name of names) {
      const stream = /^s(\d{1,7})\.ctl$/.exec(name);
      if (stream) this.streamOf(Number(stream[1]));
      const process = /^p(\d{1,7})\.meta$/.exec(name);
      if (process) this.processOf(Number(process[1]));
    }
    this.active.sort((a, b) => a.stream - b.stream);
  }

  private streamOf(number: number): Stream {
    let stream = this.streams.get(number);
    if (!stream) {
      stream = {
        stream: number,
        control: null,
        before: null,
        dead: false,
        done: 0,
        // It was not there in the pass before, so that its first segment begins later.
        doneSeq: this.nextSeqBefore,
        final: false,
        free: [],
      };
      this.streams.set(number, stream);
      this.active.push(stream);
    }
    return stream;
  }

  private processOf(number: number): Process {
    let process = this.processes.get(number);
    if (!process) {
      process = {
        process: number,
        meta: new MetaFile(path.join(this.runDir, `p${number}.meta`)),
        pid: null,
        alive: true,
        written: false,
        settled: false,
        modules: new Map(),
        modulesToSkip: 0,
        firstSite: 0,
      };
      this.processes.set(number, process);
    }
    return process;
  }

  private readControl(stream: Stream, last: boolean): void {
    stream.before = stream.control;
    const control = readControlPage(this.runDir, stream.stream);
    if (typeof control !== 'string') stream.control = control ?? stream.control;
    // Until the end it may be a page that is being filled in.
    else if (last) this.giveUp(stream, control);
    stream.dead = stream.control !== null && this.processes.get(stream.control.process)?.alive === false;
  }

  private async drainMeta(): Promise<void> {
    const read: { process: Process; records: readonly MetaRecord[] }[] = [];
    for (const process of [...this.processes.values()].sort((a, b) => a.process - b.process)) {
      if (process.settled) continue;
      const dead = !process.alive;
      const records = await process.meta.read();
      process.settled = dead;
      if (process.meta.damage) this.lose(`the metadata of process ${process.process} holds ${process.meta.damage}`);
      if (records.length > 0) read.push({ process, records });
      // Globals of all new modules are looked up at once; the blocks below wait for them in order.
      for (const record of records) if (record.type === 'module') this.numberModule(record.path, record.buildId);
    }
    for (const { process, records } of read) await this.takeMeta(process, records);
  }

  private numberModule(path: string, buildId: string): number {
    const key = `${path}\0${buildId}`;
    let number = this.moduleNumbers.get(key);
    if (number === undefined) {
      number = this.moduleNumbers.size;
      this.moduleNumbers.set(key, number);
      const found = Promise.resolve(path).then(this.globalsOf);
      this.globals[number] = found.catch((error: Error) => {
        this.warnings.add(`the globals of ${path} are unknown: ${error.message}`);
        return [];
      });
    }
    return number;
  }

  private async takeMeta(process: Process, records: readonly MetaRecord[]): Promise<void> {
    const number = process.process;
    let sites: Extract<MetaRecord, { type: 'site' }>[] = [];
    for (const record of records) {
      // A process's number is in its file name; a first record that is another is damage.
      if (process.pid === null && record.type !== 'process') {
        process.meta.damage = 'no process record';
        this.lose(`the metadata of process ${number} does not begin with the process`);
        return;
      }
      switch (record.type) {
        case 'process':
          process.pid = record.pid;
          // After exec the process id lives on, but the image before it, with all its threads, does not.
          for (const other of this.processes.values())
            if (other.pid === record.pid && other.process < number) other.alive = false;
          if (!process.written)
            await this.writer.write({
              type: 'process',
              process: number,
              pid: record.pid,
              parent: record.parent,
              ...(record.path ? { path: record.path } : {}),
              ...(record.insideLibc ? { insideLibc: true } : {}),
              ...(record.rank === null ? {} : { rank: record.rank }),
            } satisfies ProcessBlock);
          process.written = true;
          if (!record.insideLibc) this.warnings.add(OUTSIDE_LIBC);
          break;
        case 'thread':
          await this.announce(number, record.stream, record.tid, record.signal);
          break;
        case 'module': {
          const module = this.numberModule(record.path, record.buildId);
          process.modules.set(record.localModule, { module, base: record.base });
          if (process.modulesToSkip > 0) {
            process.modulesToSkip--;
            break;
          }
          const block: ModuleBlock = {
            type: 'module',
            process: number,
            module,
            path: record.path,
            buildId: record.buildId,
            base: String(record.base),
            segments: record.segments,
            globals: await this.globals[module],
          };
          this.moduleBlocks.push(block);
          await this.writer.write(block);
          break;
        }
        case 'site':
          if (record.localSite < process.firstSite) break;
          if (sites.length === MAX_BLOCK_SITES || (sites.length > 0 && record.localSite !== process.firstSite)) {
            await this.writeSites(process, sites);
            sites = [];
          }
          sites.push(record);
          process.firstSite = record.localSite + 1;
          break;
        case 'fileName': {
          const key = `${number}:${record.index}`;
          if (this.fileNames.has(key)) break;
          this.fileNames.add(key);
          await this.writer.write({ type: 'fileName', process: number, index: record.index, path: record.path });
          break;
        }
        case 'markName': {
          const key = `${number}:${record.index}`;
          if (this.markNames.has(key)) break;
          this.markNames.add(key);
          await this.writer.write({ type: 'markName', process: number, index: record.index, name: record.name });
          break;
        }
        case 'warning':
          this.warnings.add(record.text);
          break;
        case 'lost': {
          this.incomplete = true;
          const streams = this.lost.get(record.reason) ?? new Set();
          this.lost.set(record.reason, streams.add(record.stream));
          break;
        }
      }
    }
    if (sites.length > 0) await this.writeSites(process, sites);
  }

  private async writeSites(process: Process, sites: readonly Extract<MetaRecord, { type: 'site' }>[]): Promise<void> {
    const count = sites.length;
    const block = {
      type: 'sites',
      process: process.process,
      first: sites[0].localSite,
      pc: new BigUint64Array(count),
      kind: new Uint16Array(count),
      module: new Uint32Array(count),
      offset: new Float64Array(count),
    } as const satisfies SitesBlock;
    for (let i = 0; i < count; i++) {
      const { pc, kind, localModule } = sites[i];
      const module = process.modules.get(localModule);
      block.pc[i] = pc;
      block.kind[i] = kind;
      block.module[i] = module?.module ?? NONE;
      block.offset[i] = module ? Number(pc - module.base) : 0;
    }
    this.siteBlocks.push(block);
    await this.writer.write(block);
  }

  private async announce(process: number, stream: number, tid: number, signal: boolean): Promise<void> {
    if (this.announced.has(stream)) return;
    this.announced.add(stream);
    if (!signal) this.threads++;
    await this.writer.write({ type: 'thread', process, stream, tid, signal });
  }

  /** Streams of processes that were killed before they could say who they are. */
  private async announceNameless(): Promise<void> {
    for (const { stream, control } of this.active) {
      if (!control || control.committed === 0 || this.announced.has(stream)) continue;
      const process = this.processOf(control.process);
      if (!process.written) {
        // A thread's id stands for the unknown process id: they are equal for a first thread.
        await this.writer.write({ type: 'process', process: control.process, pid: control.tid, parent: null });
        process.written = true;
      }
      await this.announce(control.process, stream, control.tid, false);
    }
  }

  /** The writer fills a chunk again that it still has mapped: its latest few. Older ones are of no use to it. */
  private async giveBack(stream: Stream, file: string): Promise<void> {
    if (this.full) {
      await this.discard(file);
      return;
    }
    const free = `${file}.free`;
    await rename(path.join(this.runDir, file), path.join(this.runDir, free)).catch(() => {});
    stream.free.push(free);
    if (stream.free.length > KEPT_CHUNKS) await this.remove([stream.free.shift()!]);
  }

  private async remove(files: readonly string[]): Promise<void> {
    for (const file of files) await unlink(path.join(this.runDir, file)).catch(() => {});
  }

  /**
   * Gives a file's room back even while a process has it mapped, which no process touches any more. False when the
   * program had taken it to fill it again.
   */
  private async discard(file: string): Promise<boolean> {
    const gone = path.join(this.runDir, `${file}.gone`);
    try {
      await rename(path.join(this.runDir, file), gone);
    } catch {
      return false;
    }
    await truncate(gone).catch(() => {});
    await unlink(gone).catch(() => {});
    return true;
  }

  private async drainStream(stream: Stream, full: boolean, last: boolean): Promise<void> {
    const { control, before } = stream;
    if (!control || !this.announced.has(stream.stream)) {
      // A page that was never made: its thread recorded nothing.
      stream.final = last;
      if (!control) stream.doneSeq = this.nextSeqBefore;
      return;
    }
    const over = last || before?.state === 'ended' || stream.dead;
    const news = control.committed - stream.done;
    if (news > 0 && news < MIN_BLOCK_BYTES && !full && !over) return;

    const { chunkBytes } = control;
    while (stream.done < control.committed) {
      // What is left makes room for itself when the program has ended.
      if (this.full && !this.finished) return;
      const chunk = Math.floor(stream.done / chunkBytes);
      const start = stream.done % chunkBytes;
      const end = Math.min(chunkBytes, control.committed - chunk * chunkBytes);
      const file = `s${stream.stream}.${chunk}`;
      const data = await readRange(path.join(this.runDir, file), start, end);
      if (typeof data === 'string') {
        this.giveUp(stream, `its file ${file} ${data}`);
        return;
      }
      const done = end === chunkBytes || stream.dead;
      if (this.full && done) await this.discard(file);
      await this.writer.write({ type: 'stream', stream: stream.stream, data });
      stream.done += data.length;
      this.bytes += data.length;
      if (end === chunkBytes) this.drained.push({ stream, file });
    }
    // What was once handed over stays so: a bound never falls.
    stream.doneSeq = Math.max(stream.doneSeq, before?.state === 'running' ? before.lastSeq : this.nextSeqBefore);
    if (over) await this.close(stream, control);
  }

  /** The stream has ended: what was predicted correctly since its last record has left no bytes yet. */
  private async close(stream: Stream, control: ControlPage): Promise<void> {
    stream.final = true;
    stream.doneSeq = NO_LIMIT;
    const process = this.processes.get(control.process);
    if (control.state !== 'ended' && !stream.dead && process?.pid != null) {
      this.lose(
        `process ${process.pid} was still running when the recording ended; what it did from then on is missing`,
      );
      return;
    }
    if (control.heldSteps === null) {
      this.lose(`thread ${control.tid}: its control page is torn, so that its last accesses may be missing`);
      return;
    }
    const hits = control.steps - control.heldSteps;
    // A resumed trace that has them already is longer than the committed records.
    if (hits > 0 && stream.done === control.committed)
      await this.writer.write({ type: 'stream', stream: stream.stream, data: encodeHits(hits) });
  }

  private giveUp(stream: Stream, why: string): void {
    stream.final = true;
    stream.doneSeq = NO_LIMIT;
    this.lose(`recording of stream ${stream.stream} is damaged (${why}); what follows in it is missing`);
  }

  /** The recording lacks something. */
  private lose(warning: string): void {
    this.incomplete = true;
    this.warnings.add(warning);
  }

  /** Bits of the run page, which tell it also where the metadata had no room for a record. */
  private noteLost(bits: number): void {
    if (bits === 0) return;
    this.incomplete = true;
    for (const reason of LOST_REASONS.keys())
      if (bits & (1 << reason) && !this.lost.has(reason)) this.lost.set(reason, new Set());
    if (bits & (1 << LOST_DISK)) this.stopRecording();
  }

  private cutReason(): CutReason | undefined {
    if ((this.failure?.cause as NodeJS.ErrnoException | undefined)?.code === 'EFBIG') return 'file-limit';
    return this.full ? 'disk-full' : (this.asked ?? undefined);
  }

  /** What happened, how much there is, and what to do. */
  private fullWarnings(): string[] {
    if (!this.full) return [];
    const limit = this.cutReason() === 'file-limit';
    const why = limit
      ? 'the trace reached the largest size that a file may have (ulimit -f, or its file system)'
      : `the disk of ${path.dirname(this.runDir)} is full`;
    const kept = this.failure
      ? 'what fitted into the trace is kept'
      : `the ${this.progress.accesses.toLocaleString('en')} accesses until then are kept`;
    return [
      `recording stopped before the program ended because ${why}; ${kept}. ${limit ? 'Raise the limit' : 'Free some space'}, ` +
        'or choose another folder: with -o or --trace, or for temporary traces with TMPDIR in the environment',
    ];
  }

  private askedWarnings(): string[] {
    return this.asked ? [askedWarning(this.asked, this.progress.accesses)] : [];
  }

  private lostWarnings(): string[] {
    const told = this.full ? [LOST_DISK, LOST_STOPPED] : this.asked ? [LOST_STOPPED] : [];
    const lost = [...this.lost].filter(([reason]) => !told.includes(reason));
    return lost.map(([reason, streams]) => {
      const who = streams.size > 1 ? `recording of ${streams.size} threads` : 'recording of one thread';
      return `${who} stopped before the program ended ${LOST_REASONS[reason] ?? LOST_REASONS[0]}`;
    });
  }

  /** What an earlier drain has written is not written again. */
  private restore(trace: TraceFile): void {
    for (const { process } of trace.processes) {
      // Its metadata is read again from the start, because modules and warnings are needed.
      this.processOf(process).written = true;
    }
    for (const block of trace.modules) {
      const key = `${block.path}\0${block.buildId}`;
      this.moduleNumbers.set(key, block.module);
      this.globals[block.module] = Promise.resolve(block.globals);
      this.moduleBlocks.push(block);
      this.processOf(block.process).modulesToSkip++;
    }
    for (const block of trace.sites) {
      this.siteBlocks.push(block);
      this.processOf(block.process).firstSite = block.first + block.pc.length;
    }
    for (const { process, index } of trace.fileNames) this.fileNames.add(`${process}:${index}`);
    for (const { process, index } of trace.markNames) this.markNames.add(`${process}:${index}`);
    for (const { stream, signal } of trace.threads) {
      this.announced.add(stream);
      if (!signal) this.threads++;
      const state = this.streamOf(stream);
      state.done = trace.streamBytes(stream);
      this.bytes += state.done;
    }
  }
}

/** Bytes `start` to `end` of a file, or a phrase that says why not. */
async function readRange(file: string, start: number, end: number): Promise<Uint8Array | string> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => error);
  if (handle instanceof Error) return handle.code === 'ENOENT' ? 'is missing' : `cannot be read: ${handle.message}`;
  try {
    const bytes = Buffer.allocUnsafe(end - start);
    for (let done = 0; done < bytes.length; ) {
      const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) return 'is too short';
      done += bytesRead;
    }
    return bytes;
  } catch (error) {
    return `cannot be read: ${(error as Error).message}`;
  } finally {
    await handle.close();
  }
}

/** The tag of a record that holds nothing but a run of hits: PL_SPECIAL(PL_SPECIAL_HITS) of runtime/encoding.h. */
const TAG_HITS = 31 << 3;

/** A HITS record: tag, then the run as a varint (7 bits a byte, lowest first). `run`: 1 to 2^53 - 1 steps. */
export function encodeHits(run: number): Uint8Array {
  const bytes = [TAG_HITS];
  while (run >= 128) {
    bytes.push((run % 128) | 128);
    run = Math.floor(run / 128);
  }
  bytes.push(run);
  return Uint8Array.from(bytes);
}
