/**
 * Entry of the worker threads: records, imports, replays, places anew, emulates the machine of a replay or keeps the profile, as
 * `workerData` says.
 */
import { availableParallelism } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { messageOf } from './errors.js';
import type { HeatSoFar } from './machine/liveHeat.js';
import type { ReplayOptions } from './model/profile.js';
import type { BurstOptions, WindowOptions } from './model/window.js';
import type { Placeable } from './placement/place-objects.js';
import type { ProfileProgress } from './protocol.js';
import type { UnsavedBlocks } from './record/drain.js';
import type { ProgramStreams } from './record/launch.js';
import type { RecordProgress } from './record/record.js';
import type { RecorderChoice } from './record/target.js';
import type { ImportTask } from './replay/importTrace.js';
import { type MachineTask, runMachineTask } from './replay/machineThread.js';
import { transferable } from './replay/transfer.js';
import { failureOf } from './server/failure.js';
import type { KeeperTask } from './server/keeper/thread.js';

export interface RecordTask {
  readonly kind: 'record';
  readonly program: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cflags?: string;
  readonly recorder?: RecorderChoice;
  readonly countUnseen?: boolean;
  readonly traceLimit?: number;
  readonly timeLimit?: number;
  readonly window?: WindowOptions;
  readonly sample?: BurstOptions;
  readonly programOutput?: string;
  readonly terminal?: string;
  readonly traceFile: string;
  /** Send the program's output and the compiler's messages instead of writing them to standard error. */
  readonly captureOutput: boolean;
}

export interface ReplayTask {
  readonly kind: 'replay';
  /** Path of a trace. */
  readonly traceFile: string;
  readonly options: ReplayOptions;
  /** The trace is still being recorded: go no further than `safe` allows, until `recorded`. */
  readonly live: boolean;
  /** Tell of the heat as it grows. */
  readonly heat?: boolean;
}

export interface PlaceTask {
  readonly kind: 'place';
  readonly run: Placeable;
  readonly options: ReplayOptions;
}

/** Tasks that end in a value. */
export type Task = RecordTask | ReplayTask | ImportTask | PlaceTask;

export type ToWorker =
  | { kind: 'cancel' }
  /** Opens or closes the window of recording. */
  | { kind: 'window'; open: boolean }
  | { kind: 'safe'; seq: number }
  | { kind: 'recorded'; unsaved: UnsavedBlocks | null };

export type FromWorker =
  | { kind: 'recording'; progress: RecordProgress }
  | { kind: 'progress'; progress: ProfileProgress }
  | { kind: 'heat'; heat: HeatSoFar }
  | { kind: 'output'; text: string }
  | { kind: 'done'; value: unknown }
  | { kind: 'failed'; message: string; details: Record<string, unknown> };

async function main(port: MessagePort, task: Task): Promise<void> {
  const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
  try {
    const value = await run(port, task, post);
    post({ kind: 'done', value }, transferable(value));
  } catch (error) {
    const { name, exitStatus, stack } = error as Error & { exitStatus?: number };
    const details = { name, stack, ...(exitStatus && { exitStatus }), failure: failureOf(error) };
    post({ kind: 'failed', message: messageOf(error), details });
  } finally {
    port.close();
  }
}

async function run(
  port: MessagePort,
  task: Task,
  post: (message: FromWorker, transfer?: ArrayBuffer[]) => void,
): Promise<unknown> {
  switch (task.kind) {
    case 'record':
      return runRecord(port, task, post);
    case 'replay':
      return runReplay(port, task, post);
    case 'import':
      return runImport(port, task, post);
    case 'place':
      return (await import('./placement/place-objects.js')).placeObjects(task.run, task.options);
  }
}

async function runRecord(port: MessagePort, task: RecordTask, post: (message: FromWorker) => void) {
  const { record } = await import('./record/record.js');
  const cancel = new AbortController();
  let setWindow = (_open: boolean): void => {};
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'cancel') cancel.abort(new Error('cancelled'));
    else if (message.kind === 'window') setWindow(message.open);
  });
  const onText = (text: string) => post({ kind: 'output', text });
  const { captureOutput, programOutput, terminal, kind: _, ...options } = task;
  return record({
    ...options,
    streams: streamsOf(task, onText),
    ...(captureOutput && { onMessage: onText }),
    signal: cancel.signal,
    onWindow: set => {
      setWindow = set;
    },
    onProgress: progress => post({ kind: 'recording', progress }),
  });
}

function streamsOf(task: RecordTask, onText: (text: string) => void): ProgramStreams {
  if (task.terminal) return { kind: 'terminal', path: task.terminal };
  if (task.programOutput) return { kind: 'file', path: task.programOutput, noInput: task.captureOutput };
  return task.captureOutput ? { kind: 'text', onText } : { kind: 'standardError' };
}

async function runReplay(
  port: MessagePort,
  task: ReplayTask,
  post: (message: FromWorker, transfer?: ArrayBuffer[]) => void,
) {
  const { LiveFeed, replay } = await import('./replay.js');
  const cancel = new AbortController();
  const feed = task.live ? new LiveFeed() : null;
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'cancel') cancel.abort(new Error('cancelled'));
    else if (message.kind === 'safe') feed?.safe(message.seq);
    else if (message.kind === 'recorded') feed?.recorded(message.unsaved);
  });
  return replay(task.traceFile, task.options, {
    feed,
    signal: cancel.signal,
    onProgress: progress => post({ kind: 'progress', progress }),
    parallel: availableParallelism() > 1,
    ...(task.heat && { onHeat: heat => post({ kind: 'heat', heat }, transferable(heat)) }),
  });
}

async function runImport(port: MessagePort, task: ImportTask, post: (message: FromWorker) => void) {
  const { importTrace } = await import('./replay/importTrace.js');
  const cancel = new AbortController();
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'cancel') cancel.abort(new Error('cancelled'));
  });
  return importTrace(task, {
    signal: cancel.signal,
    onProgress: progress => post({ kind: 'progress', progress }),
  });
}

async function keepProfile(port: MessagePort): Promise<void> {
  const [{ Keeper }, { keeperFiles }, { serveKeeper }] = await Promise.all([
    import('./server/keeper/keeper.js'),
    import('./server/keeper/files.js'),
    import('./server/keeper/thread.js'),
  ]);
  serveKeeper(port, new Keeper(keeperFiles));
}

const task = workerData as Task | MachineTask | KeeperTask;
if (task?.kind === 'machine') runMachineTask(task);
else if (task?.kind === 'keeper') void keepProfile(parentPort!);
else if (parentPort) void main(parentPort, task);
