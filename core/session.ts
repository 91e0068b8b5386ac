/**
 * Recording, replaying and opening as one call each, for the command line and the server. Both run in worker threads,
 * so that the caller's thread only passes progress on; a profile is replayed while it is still being recorded.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HeatSoFar } from './machine/liveHeat.js';
import { cutText } from './model/cut.js';
import { compact, whole } from './model/format.js';
import * as l10n from './model/l10n.js';
import type { Placement, Profile, ReplayOptions } from './model/profile.js';
import type { BurstOptions, WindowOptions } from './model/window.js';
import { placeable } from './placement/place-objects.js';
import { tierSet } from './placement/tiers.js';
import { load } from './profile/file.js';
import type { ProfileProgress } from './protocol.js';
import type { UnsavedBlocks } from './record/drain.js';
import type { RecordProgress, RecordResult } from './record/record.js';
import type { RecorderChoice } from './record/target.js';
import type { ImportTask, ImportTexts } from './replay/importTrace.js';
import { startThread } from './threads.js';
import { isOwnTrace } from './trace/import/input.js';
import { spoolTrace } from './trace/stdin.js';
import type { FromWorker, RecordTask, ReplayTask, Task, ToWorker } from './worker.js';

export interface RecordRequest {
  /** Executable or source file; relative to the working directory. */
  readonly program: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly cflags?: string;
  /** Default: `auto`. */
  readonly recorder?: RecorderChoice;
  readonly countUnseen?: boolean;
  readonly traceLimit?: number;
  readonly timeLimit?: number;
  readonly window?: WindowOptions;
  readonly sample?: BurstOptions;
  /** File for the program's standard output and error. */
  readonly programOutput?: string;
  /** Terminal device for the program's three standard streams. */
  readonly terminal?: string;
  readonly traceFile: string;
}

export interface ProfileRunRequest extends Omit<RecordRequest, 'traceFile'> {
  readonly options: ReplayOptions;
  /** Where to keep the trace; without it the trace is removed after the replay. */
  readonly traceFile?: string;
}

export interface SessionHooks {
  readonly onProgress?: (progress: ProfileProgress) => void;
  /** Hears of the heat while a program is profiled. */
  readonly onHeat?: (heat: HeatSoFar) => void;
  /** Receives what the program prints and the compiler says; without it both go to standard error. */
  readonly onOutput?: (text: string) => void;
  /** Is given what opens and closes the window of recording while the program runs. */
  readonly onWindow?: (set: (open: boolean) => void) => void;
  /** Cancels: the program is stopped, and what was recorded or replayed until then is the result. */
  readonly signal?: AbortSignal;
}

/** @throws RecordError, TraceError as `record` does */
export async function recordProgram(request: RecordRequest, hooks: SessionHooks = {}): Promise<RecordResult> {
  return recordInWorker(request, hooks, progress => hooks.onProgress?.(recordingProgress(progress)));
}

/** How a trace of another tool is read; without meaning for our own. */
export interface ImportRequest extends ImportTexts {
  /** Where to keep the `.pltrace` that is made of it; without it, it is removed after the replay. */
  readonly traceFile?: string;
}

/**
 * Replays a `.pltrace` file, a trace of another tool (`pagelens list formats`), or standard input for `-`.
 * @throws TraceError, UsageError
 */
export async function replayTrace(
  traceFile: string,
  options: ReplayOptions,
  hooks: SessionHooks = {},
  request: ImportRequest = {},
): Promise<Profile> {
  // A tiers file that cannot be used is told before the work, not after it.
  tierSet(options.tiers);
  // A worker has no standard input of its own, and replay jumps between streams: it gets a file.
  const spooled = traceFile === '-' ? await spoolTrace() : null;
  const file = spooled?.file ?? traceFile;
  let folder: string | null = null;
  try {
    if (await isOwnTrace(file))
      return await startReplay({ kind: 'replay', traceFile: file, options, live: false }, hooks).result;
    const { traceFile: kept, ...texts } = request;
    folder = kept ? null : await mkdtemp(path.join(tmpdir(), 'pagelens-'));
    const made = kept ?? path.join(folder!, 'import.pltrace');
    await importInWorker(
      { kind: 'import', file, name: spooled ? 'standard input' : file, traceFile: made, options: texts },
      hooks,
    );
    return await startReplay({ kind: 'replay', traceFile: made, options, live: false }, hooks).result;
  } catch (error) {
    // Messages name what the user gave, not where it was put.
    if (spooled && error instanceof Error) error.message = error.message.replaceAll(spooled.file, 'standard input');
    throw error;
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
    await spooled?.remove();
  }
}

async function importInWorker(task: ImportTask, hooks: SessionHooks): Promise<void> {
  const { worker, result } = runWorker<void>(task, message => {
    if (message.kind === 'progress') hooks.onProgress?.(message.progress);
  });
  listen(hooks.signal, result, () => worker.postMessage({ kind: 'cancel' } satisfies ToWorker));
  return result;
}

/** Opens a `.pagelens` file, or replays a trace, be it of another tool. @throws ProfileFileError, TraceError, UsageError */
export async function openProfile(file: string, options: ReplayOptions, hooks: SessionHooks = {}): Promise<Profile> {
  return file.endsWith('.pagelens') ? load(file) : replayTrace(file, options, hooks);
}

/** Whether a file is to be replayed before it can be shown. */
export function isTrace(file: string): boolean {
  return file.endsWith('.pltrace');
}

/** Places a run's objects in the tiers of the options. @throws UsageError for tiers that are not */
export async function placeAnew(profile: Profile, options: ReplayOptions): Promise<Placement> {
  return runWorker<Placement>({ kind: 'place', run: placeable(profile), options }, () => {}).result;
}

/** Records and replays at the same time. @throws RecordError, TraceError, UsageError */
export async function profileProgram(request: ProfileRunRequest, hooks: SessionHooks = {}): Promise<Profile> {
  const folder = request.traceFile ? null : await mkdtemp(path.join(tmpdir(), 'pagelens-'));
  const traceFile = request.traceFile ?? path.join(folder!, 'run.pltrace');
  let replay: ReplayHandle | null = null;
  let recording: RecordProgress | null = null;
  let replayed: ProfileProgress | null = null;
  const tell = () => {
    if (recording) hooks.onProgress?.(profilingProgress(recording, replayed));
  };
  const start = () =>
    startReplay(
      { kind: 'replay', traceFile, options: request.options, live: true, heat: hooks.onHeat !== undefined },
      {
        onHeat: hooks.onHeat,
        onProgress: now => {
          replayed = now;
          tell();
        },
      },
    );
  try {
    const { unsaved } = await recordInWorker({ ...request, traceFile }, hooks, progress => {
      recording = progress;
      if (progress.stage !== 'build') {
        // The header is in the file from the first pass of the drain on.
        replay ??= start();
        replay.safe(progress.safeSeq);
      }
      tell();
    });
    const rest = replay as ReplayHandle | null;
    const { recorded, cancel, result } = rest ?? start();
    recorded(unsaved);
    // A cancellation so far ended the program; what it had done is replayed. From here on it ends the replay.
    if (!hooks.signal?.aborted) listen(hooks.signal, result, cancel);
    return await result;
  } catch (error) {
    (replay as ReplayHandle | null)?.stop();
    throw error;
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

interface ReplayHandle {
  readonly result: Promise<Profile>;
  /** Every segment below this sequence number is in the file. */
  safe(seq: number): void;
  /** Nothing more comes into the file, which may have had no room for its last blocks. */
  recorded(unsaved: UnsavedBlocks | null): void;
  /** Ends the replay early, with the profile of what was replayed. */
  cancel(): void;
  /** Ends the worker; there is no result. */
  stop(): void;
}

function startReplay(task: ReplayTask, hooks: SessionHooks): ReplayHandle {
  const { worker, result } = runWorker<Profile>(task, message => {
    if (message.kind === 'progress') hooks.onProgress?.(message.progress);
    else if (message.kind === 'heat') hooks.onHeat?.(message.heat);
  });
  const send = (message: ToWorker) => worker.postMessage(message);
  const cancel = () => send({ kind: 'cancel' });
  listen(hooks.signal, result, cancel);
  // It may fail while the program is still being recorded, before anybody waits for it.
  result.catch(() => {});
  return {
    result,
    cancel,
    safe: seq => send({ kind: 'safe', seq }),
    recorded: unsaved => send({ kind: 'recorded', unsaved }),
    stop: () => void worker.terminate(),
  };
}

function recordInWorker(
  { environment, workingDirectory, ...request }: RecordRequest,
  hooks: SessionHooks,
  onProgress: (progress: RecordProgress) => void,
): Promise<RecordResult> {
  const task: RecordTask = {
    kind: 'record',
    ...request,
    workingDirectory,
    env: { ...process.env, ...environment } as Record<string, string>,
    captureOutput: hooks.onOutput !== undefined,
  };
  const { worker, result } = runWorker<RecordResult>(task, message => {
    if (message.kind === 'recording') onProgress(message.progress);
    else if (message.kind === 'output') hooks.onOutput?.(message.text);
  });
  listen(hooks.signal, result, () => worker.postMessage({ kind: 'cancel' } satisfies ToWorker));
  hooks.onWindow?.(open => worker.postMessage({ kind: 'window', open } satisfies ToWorker));
  return result;
}

/** Calls back when the signal fires before the result is there. */
function listen(signal: AbortSignal | undefined, result: Promise<unknown>, cancel: () => void): void {
  if (!signal) return;
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const remove = () => signal.removeEventListener('abort', cancel);
  result.then(remove, remove);
}

/** Starts the worker on a task; its result is a value or an error with the name and exit status that it had there. */
function runWorker<T>(task: Task, onMessage: (message: FromWorker) => void) {
  const worker = startThread(task);
  const result = new Promise<T>((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'done') resolve(message.value as T);
      else if (message.kind === 'failed') reject(Object.assign(new Error(message.message), message.details));
      else onMessage(message);
    });
    worker.on('error', reject);
    worker.on('exit', status => reject(new Error(`the ${task.kind} worker ended early (status ${status})`)));
  });
  return { worker, result };
}

function recordingProgress(progress: RecordProgress): ProfileProgress {
  const { stage, accesses, accessesPerSecond, cut, paused } = progress;
  const message = {
    build: l10n.t('building with access instrumentation'),
    run: cut
      ? l10n.t('{0} accesses, {1}; the program goes on', compact(accesses), l10n.shown(cutText(cut)))
      : paused
        ? l10n.t('recording rests: {0} accesses so far', compact(accesses))
        : l10n.t('recording: {0} accesses, {1}/s', compact(accesses), compact(accessesPerSecond)),
    symbols: l10n.t('{0} accesses recorded; resolving source lines', compact(accesses)),
  }[stage];
  return {
    stage,
    accesses,
    accessesPerSecond,
    pages: 0,
    fraction: null,
    message,
    ...(cut && { cut }),
    ...(paused && { paused }),
  };
}

function profilingProgress(recording: RecordProgress, replayed: ProfileProgress | null): ProfileProgress {
  const pages = replayed?.pages ?? 0;
  const base = recordingProgress(recording);
  if (base.stage === 'run') return { ...base, pages, message: l10n.t('{0}, {1} pages', base.message, whole(pages)) };
  if (base.stage === 'build' || !replayed) return base;
  // The recording is over: what is left is the replay of the rest.
  const fraction = recording.accesses > 0 ? Math.min(1, replayed.accesses / recording.accesses) : null;
  return { ...replayed, fraction };
}
