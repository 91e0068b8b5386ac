/**
 * Records one run of a program into a trace file: builds it when it is a source file, starts it, drains what its
 * runtime writes while it runs, and ends the file with symbols and the way it ended.
 *
 * However the program ends (exit, crash, SIGKILL, cancellation), what was recorded until then is a whole trace. When the
 * disk is full recording ends alone: the program goes on, and has its time and its results.
 */

import { randomFillSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { version } from '../assets.js';
import type { CutReason } from '../model/cut.js';
import * as l10n from '../model/l10n.js';
import { type BurstOptions, startsClosed, type WindowOptions } from '../model/window.js';
import { globalsOf } from '../symbols/globals.js';
import { symbolsOf } from '../symbols/traceSymbols.js';
import type { HeaderBlock } from '../trace/blocks.js';
import { TraceFile } from '../trace/reader.js';
import { MAX_IN_FLIGHT, TraceWriter } from '../trace/writer.js';
import {
  askedWarning,
  Drain,
  type DrainedSites,
  type DrainProgress,
  RESERVE,
  type RequestedCut,
  type UnsavedBlocks,
} from './drain.js';
import { RecordError } from './errors.js';
import { type ExitReason, type Launched, launch, type ProgramStreams } from './launch.js';
import { askToStop, isAlive, newRunPage, type RunPageOptions } from './runDirectory.js';
import { finishRecording, recordingSink } from './sinkRecording.js';
import { prepareTarget, type RecorderChoice, type Target } from './target.js';
import { Windows, watchFunctions } from './window.js';

export interface RecordOptions {
  /** An executable built by `pagelens cc`, a script that starts such, or a source file to build. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** Default: this process's. */
  readonly workingDirectory?: string;
  /** The program's whole environment. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Flags for building a source file, such as `-O3 -DN=100 -lz`. */
  readonly cflags?: string;
  /** Default: `auto`. */
  readonly recorder?: RecorderChoice;
  /** Runs an instrumented program a second time, under valgrind, to say by number what its hooks do not see. */
  readonly countUnseen?: boolean;
  /** Recording ends, and the program goes on, when the trace has so many bytes ... */
  readonly traceLimit?: number;
  /** ... or the program has run for so many seconds. */
  readonly timeLimit?: number;
  /** Which part of the run is recorded. Default: all. */
  readonly window?: WindowOptions;
  /** Records bursts of the run, which stand for all of it. Default: the whole run. */
  readonly sample?: BurstOptions;
  /** Is given, when the program runs, what opens and closes the window by command. */
  readonly onWindow?: (set: (open: boolean) => void) => void;
  readonly traceFile: string;
  /** Default: standard error. */
  readonly streams?: ProgramStreams;
  /** The compiler's messages. Default: standard error. */
  readonly onMessage?: (text: string) => void;
  /** Cancels: rejects with the signal's reason before the program runs; ends the program and keeps the trace after. */
  readonly signal?: AbortSignal;
  /** Called after every pass of the drain, about 30 times a second. */
  readonly onProgress?: (progress: RecordProgress) => void;
}

export interface RecordProgress {
  readonly stage: 'build' | 'run' | 'symbols';
  readonly accesses: number;
  /** Over the last second or so. */
  readonly accessesPerSecond: number;
  readonly processes: number;
  readonly threads: number;
  /** Size of the trace file so far. */
  readonly bytes: number;
  /** Every segment that begins below this sequence number is in the file: what a live reader may replay. */
  readonly safeSeq: number;
  /** Recording has stopped for this; the program goes on. */
  readonly cut?: CutReason;
  /** No window of recording is open. */
  readonly paused?: boolean;
}

export interface RecordResult {
  readonly traceFile: string;
  readonly header: HeaderBlock;
  readonly exit: ExitReason;
  /** False when the recording lacks something; `warnings` says what. */
  readonly complete: boolean;
  /** Why recording stopped before the program ended, where the program did not. */
  readonly cut?: CutReason;
  /** The last blocks of the trace when the disk had no room for them: a replay of this recording can take them from here. */
  readonly unsaved: UnsavedBlocks | null;
  readonly cancelled: boolean;
  readonly accesses: number;
  readonly processes: number;
  readonly threads: number;
  readonly warnings: readonly string[];
}

/** Between passes of the drain; a pass that takes longer is followed at once. */
const POLL_MS = 30;
/** How long a cancelled program may take to end after SIGTERM. */
const TERMINATION_GRACE_MS = 1000;
/** What the writer may still have in hand when the disk is full: blocks of one chunk of the runtime at most. */
const RESERVE_BYTES = MAX_IN_FLIGHT << 20;
/** How long processes that the program left behind are recorded on. */
const ORPHAN_GRACE_MS = 5000;

/**
 * @throws RecordError (exit status 2 or 3) when the program cannot be built, started or recorded; TraceError when the
 *   trace cannot be written
 */
export async function record(options: RecordOptions): Promise<RecordResult> {
  const env = options.env ?? process.env;
  const workingDirectory = path.resolve(options.workingDirectory ?? process.cwd());
  const traceFile = path.resolve(options.traceFile);
  options.signal?.throwIfAborted();

  const window = options.window ?? {};
  const runDir = await makeRunDirectory(path.dirname(traceFile), {
    closed: startsClosed(window),
    bursts: options.sample,
  });
  // Also when this process ends early; the program would otherwise go on recording for nobody.
  let program: Launched | null = null;
  const cleanUp = () => {
    program?.signalGroup('SIGKILL');
    rmSync(runDir, { recursive: true, force: true });
  };
  process.once('exit', cleanUp);
  try {
    const target = await prepareTarget(options, workingDirectory, runDir, env);
    options.signal?.throwIfAborted();
    refuseWindow({ ...window, ...options.sample }, target);
    await watchFunctions(runDir, window, target.image);
    const header: HeaderBlock = {
      type: 'header',
      version: 1,
      tool: `pagelens ${version()}`,
      program: target.program,
      arguments: options.arguments,
      workingDirectory,
      recorder: target.recorder,
      level: target.recorder === 'instrument' ? 'source' : 'machine',
      compiler: target.info.compilers.join(', '),
      flags: summaryOf(target.info.flags),
    };
    const writer = await TraceWriter.create(traceFile);
    let unsaved: UnsavedBlocks | null = null;
    try {
      await writer.write(header);
      program = await launch({
        executable: target.executable,
        arguments: [...target.arguments, ...options.arguments],
        workingDirectory,
        env: target.env,
        streams: options.streams ?? { kind: 'standardError' },
        pipe: target.pipe !== undefined,
      });
      const result =
        target.pipe === undefined
          ? await drainAll(options, target, program, runDir, writer)
          : await readPipe(options, target, program, writer);
      unsaved = result.unsaved;
      // What left the program's group or outlived it is the user's; what a cancelled run left is not.
      if (!result.cancelled) program = null;
      return { traceFile, header, ...result };
    } finally {
      // The one failure that the result tells of.
      await writer.close().catch(error => {
        if (error !== unsaved?.failure) throw error;
      });
    }
  } finally {
    process.off('exit', cleanUp);
    program?.signalGroup('SIGKILL');
    await rm(runDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

const CANCELLED = l10n.kept('the recording was cancelled: what the program did until then is shown');

const RUN_PREFIX = '.pagelens-run-';

/** @throws RecordError for a window that the recorder cannot keep to */
function refuseWindow(window: WindowOptions, { recorder, pipe }: Target): void {
  if (pipe !== undefined && Object.keys(window).length > 0)
    throw new RecordError(
      recorder === 'wasm'
        ? l10n.kept('WebAssembly is recorded for the whole run: leave out --start-at, --stop-after and the like')
        : l10n.kept('lackey records whole runs only: windows need a compiler, and valgrind with its development files'),
      2,
    );
  if (recorder === 'qemu' && window.startAt !== undefined && window.startAt === window.stopAt)
    throw new RecordError(
      l10n.kept(
        '--start-at and --stop-at {0}: QEMU does not tell when a function returns; name another to stop at',
        window.startAt,
      ),
      2,
    );
}

async function makeRunDirectory(beside: string, page: RunPageOptions): Promise<string> {
  await sweep(beside);
  const make = (folder: string) => mkdtemp(path.join(folder, RUN_PREFIX));
  // Beside the trace, whose disk has room for it; where that folder is missing the writer says so clearly.
  const runDir = await make(beside).catch(() => make(tmpdir()));
  await writeFile(path.join(runDir, 'owner'), String(process.pid));
  await writeFile(path.join(runDir, 'run'), newRunPage(page));
  await reserve(path.join(runDir, RESERVE));
  return runDir;
}

/** Takes room that is given back when the disk is full: of a nearly full one a small part, so that recording begins. */
async function reserve(file: string): Promise<void> {
  try {
    const { bavail, bsize } = await statfs(path.dirname(file));
    // Random, since some file systems compress.
    await writeFile(
      file,
      randomFillSync(Buffer.allocUnsafe(Math.min(RESERVE_BYTES, Math.floor((bavail * bsize) / 8)))),
    );
  } catch {
    await rm(file, { force: true });
  }
}

/** Removes what recorders that were killed left here; a program of theirs that still runs stops recording. */
async function sweep(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names.filter(name => name.startsWith(RUN_PREFIX))) {
    const left = path.join(folder, name);
    const owner = Number(await readFile(path.join(left, 'owner'), 'utf8').catch(() => ''));
    // Without an owner it is being made just now.
    if (!owner || isAlive(owner)) continue;
    askToStop(left);
    await rm(left, { recursive: true, force: true });
  }
}

async function drainAll(
  options: RecordOptions,
  target: Target,
  program: Launched,
  runDir: string,
  writer: TraceWriter,
): Promise<Omit<RecordResult, 'traceFile' | 'header'>> {
  const { signal } = options;
  const windows = new Windows(runDir, options.window ?? {});
  const { sample } = options;
  const chosen = sample ? { bursts: sample } : { windows };
  const drain = new Drain({ runDir, writer, onModule: file => globalsOf(file), ...chosen });
  writer.makeRoom = () => drain.makeRoom();
  const rate = rateOver(1000);
  const tell = (stage: 'run' | 'symbols', progress: DrainProgress) => {
    const { accesses, processes, threads, safeSeq, cut } = progress;
    const accessesPerSecond = rate(accesses);
    options.onProgress?.({
      stage,
      accesses,
      accessesPerSecond,
      processes,
      threads,
      bytes: writer.bytesWritten,
      safeSeq,
      ...(cut && { cut }),
      ...(stage === 'run' && !windows.open && { paused: true }),
    });
  };

  const alarm = new Alarm();
  let exit: ExitReason | null = null;
  const ended = program.exited.then(reason => {
    exit = reason;
    alarm.wake();
  });
  signal?.addEventListener('abort', alarm.wake);

  // 1. While the program runs; then the processes that it left behind, for a while.
  let orphans: number[] = [];
  let orphansUntil = Number.POSITIVE_INFINITY;
  const limits = watchLimits(options, drain, writer);
  windows.start();
  if (!sample) options.onWindow?.(open => windows.set(open));
  while (!signal?.aborted) {
    if (exit) {
      orphansUntil = Math.min(orphansUntil, performance.now() + ORPHAN_GRACE_MS);
      orphans = await recordedProcesses(runDir);
      if (orphans.length === 0 || performance.now() >= orphansUntil) break;
    }
    tell('run', await drain.poll());
    if (!signal?.aborted) await alarm.wait(POLL_MS);
  }
  signal?.removeEventListener('abort', alarm.wake);
  clearInterval(limits);
  windows.stop();

  // 2. Cancelled: the recording stops at once, the program may end in order.
  const cancelled = signal?.aborted === true;
  if (cancelled) {
    askToStop(runDir);
    program.signalGroup('SIGTERM');
    if (!exit) await alarm.wait(TERMINATION_GRACE_MS);
    program.signalGroup('SIGKILL');
    await ended;
    orphans = [];
  }

  // 3. The rest, the names, the end.
  const warnings = await target.warnings();
  if (cancelled) warnings.unshift(CANCELLED);
  if (orphans.length > 0)
    warnings.unshift(
      l10n.kept(
        'the program ended before {0} of the processes that it started: those were recorded up to {1} s after its end',
        orphans.length,
        ORPHAN_GRACE_MS / 1000,
      ),
    );
  const last = await drain.poll();
  const summary = await drain.finish(exit!, {
    warnings,
    incomplete: cancelled || orphans.length > 0,
    symbols: async sites => {
      tell('symbols', last);
      return symbolsOf(sites.modules, columnsOf(sites));
    },
  });
  if (summary.unsaved && !(await isUsable(writer.path))) throw summary.unsaved.failure;
  if (summary.processes === 0 && !cancelled) throw await nothingRecorded(target, exit!);
  const { complete, cut, unsaved, accesses, processes, threads } = summary;
  return { exit: exit!, complete, cut, unsaved, cancelled, accesses, processes, threads, warnings: summary.warnings };
}

/** Reads what comes through the program's pipe; cancelled, the program ends, and what was read is kept. */
async function readPipe(
  options: RecordOptions,
  target: Target,
  program: Launched,
  writer: TraceWriter,
): Promise<Omit<RecordResult, 'traceFile' | 'header'>> {
  const { signal, onProgress } = options;
  const stop = () => program.signalGroup('SIGKILL');
  signal?.addEventListener('abort', stop);
  // A live replay opens the file at the first word of progress.
  await writer.flush();
  const rate = rateOver(1000);
  let told = Number.NEGATIVE_INFINITY;
  const tell = (accesses: number) => {
    const now = performance.now();
    if (now - told < POLL_MS) return;
    told = now;
    const figures = { accesses, accessesPerSecond: rate(accesses), bytes: writer.bytesWritten };
    onProgress?.({ stage: 'run', ...figures, processes: 1, threads: 1, safeSeq: 0 });
  };
  const chunks = new LimitedPipe(program.pipe!, options, writer);
  const sink = recordingSink(writer, path.basename(target.program));
  await target.pipe!(chunks, sink, program.pid, tell);
  const cancelled = signal?.aborted === true;
  const exit = await program.exited;
  if (chunks.bytes === 0 && !cancelled) throw await nothingRecorded(target, exit);
  const { cut } = chunks;
  const warnings = await target.warnings();
  if (cut) warnings.unshift(askedWarning(cut, sink.accesses));
  if (cancelled) sink.incomplete(CANCELLED);
  else if ('signal' in exit && target.lostToSignals) sink.incomplete(target.lostToSignals);
  const result = await finishRecording(sink, writer, exit, warnings, cut);
  signal?.removeEventListener('abort', stop);
  return { ...result, unsaved: null, cancelled, processes: 1, threads: 1 };
}

/** What comes through a pipe, up to a limit; the rest is read too, so that the program can go on. */
class LimitedPipe {
  bytes = 0;
  cut: RequestedCut | undefined;
  readonly #begin = performance.now();

  constructor(
    private readonly pipe: AsyncIterable<Uint8Array>,
    private readonly limits: Limits,
    private readonly writer: TraceWriter,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.pipe) {
      this.bytes += chunk.length;
      this.cut ??= limitReached(this.limits, this.writer.bytesWritten, this.#begin);
      if (!this.cut) yield chunk;
    }
  }
}

type Limits = Pick<RecordOptions, 'traceLimit' | 'timeLimit'>;

/** `begin`: when the program began, by performance.now(). */
function limitReached({ traceLimit, timeLimit }: Limits, bytes: number, begin: number): RequestedCut | undefined {
  if (traceLimit !== undefined && bytes >= traceLimit) return 'trace-limit';
  if (timeLimit !== undefined && performance.now() - begin >= timeLimit * 1000) return 'time-limit';
  return undefined;
}

/** Ends the recording at a limit, also in the middle of a pass of the drain, which a busy machine may make long. */
function watchLimits(limits: Limits, drain: Drain, writer: TraceWriter): NodeJS.Timeout {
  const begin = performance.now();
  const watch = setInterval(() => {
    const reached = limitReached(limits, writer.bytesWritten, begin);
    if (!reached) return;
    clearInterval(watch);
    drain.stop(reached);
  }, POLL_MS);
  // A drain that fails must not leave the thread running.
  return watch.unref();
}

/** Whether a trace that was cut has anything to show. */
async function isUsable(traceFile: string): Promise<boolean> {
  try {
    await (await TraceFile.open(traceFile)).close();
    return true;
  } catch {
    return false;
  }
}

async function nothingRecorded(target: Target, exit: ExitReason): Promise<RecordError> {
  const name = path.basename(target.program);
  const why = await target.whyNothing();
  const text =
    'signal' in exit
      ? l10n.kept('nothing was recorded: {0} was ended by {1} {2}', name, exit.signal, why)
      : l10n.kept('nothing was recorded: {0} ended with status {1} {2}', name, exit.status, why);
  return new RecordError(text, 3, { code: 'nothing-recorded' });
}

/** Process ids of the recorded processes that still run. */
async function recordedProcesses(runDir: string): Promise<number[]> {
  const names = (await readdir(runDir)).filter(name => /^p\d+\.meta$/.test(name));
  const pids = await Promise.all(
    names.map(async name => {
      // The first record: type, length, process, pid (runtime/layout.h).
      const file = await open(path.join(runDir, name), 'r');
      try {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
        return bytesRead === 16 ? buffer.readUInt32LE(12) : 0;
      } finally {
        await file.close();
      }
    }),
  );
  return pids.filter(pid => pid > 0 && isAlive(pid));
}

/** The sites of all blocks as one pair of columns. */
function columnsOf({ sites }: DrainedSites) {
  const count = sites.reduce((sum, block) => sum + block.module.length, 0);
  const module = new Uint32Array(count);
  const offset = new Float64Array(count);
  let at = 0;
  for (const block of sites) {
    module.set(block.module, at);
    offset.set(block.offset, at);
    at += block.module.length;
  }
  return { count, module, offset };
}

/** Waits that any of a few events cuts short; one timer and one promise a wait, however long the program runs. */
class Alarm {
  private ring = () => {};

  readonly wake = () => this.ring();

  wait(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, milliseconds);
      this.ring = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A gauge of a growing count: per second, over the last `window` milliseconds. */
function rateOver(window: number): (count: number) => number {
  const samples: { time: number; count: number }[] = [];
  return count => {
    const time = performance.now();
    samples.push({ time, count });
    while (samples.length > 2 && time - samples[1]!.time > window) samples.shift();
    const first = samples[0]!;
    return time > first.time ? ((count - first.count) * 1000) / (time - first.time) : 0;
  };
}

/** Builds of many files may have many sets of flags: the report names the first few. */
function summaryOf(flags: readonly string[]): string {
  const shown = flags.slice(0, 3).join('; ');
  return flags.length > 3 ? `${shown}; and ${flags.length - 3} more sets` : shown;
}
