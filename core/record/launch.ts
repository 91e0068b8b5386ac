/** Starts the program to be recorded, in a process group of its own, and ends that group when asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants as fsConstants, openSync } from 'node:fs';
import process from 'node:process';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import type { FailureCode } from '../model/failure.js';
import * as l10n from '../model/l10n.js';
import { RecordError } from './errors.js';
import { type Refusal, refusalOf } from './permission.js';

/** Where the program's standard streams go. */
export type ProgramStreams =
  /** Input from ours; both outputs to our standard error, since standard output carries the report alone. */
  | { readonly kind: 'standardError' }
  /** Both outputs to a file, which is emptied first; input from ours, unless that is somebody else's to read. */
  | { readonly kind: 'file'; readonly path: string; readonly noInput?: boolean }
  /** All three to a terminal device. */
  | { readonly kind: 'terminal'; readonly path: string }
  /** No input; both outputs as text. */
  | { readonly kind: 'text'; readonly onText: (text: string) => void };

export interface LaunchOptions {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly streams: ProgramStreams;
  /** A pipe for what the program writes to file descriptor 3. */
  readonly pipe?: boolean;
}

export type ExitReason = { readonly status: number } | { readonly signal: string };

export interface Launched {
  readonly pid: number;
  /** Settles when the program itself has ended and, for text, all of its output has been handed over. */
  readonly exited: Promise<ExitReason>;
  /** Where it was asked for. */
  readonly pipe: Readable | null;
  /** Sends a signal to the program and all that it started and that stayed in its group. */
  signalGroup(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** It has no process groups. */
const isWindows = process.platform === 'win32';

/** Throws RecordError (exit status 3) when the program cannot be started. */
export async function launch(options: LaunchOptions): Promise<Launched> {
  const { streams } = options;
  const opened: number[] = [];
  let child: ChildProcess;
  try {
    child = spawn(options.executable, options.arguments, {
      cwd: options.workingDirectory,
      env: options.env,
      stdio: [...standardStreams(streams, opened), ...(options.pipe ? (['pipe'] as const) : [])],
      // Its own group: a terminal's Ctrl-C reaches the recorder alone, which then ends the program in order.
      detached: !isWindows,
    });
  } catch (error) {
    throw notStarted(options, error as NodeJS.ErrnoException);
  } finally {
    for (const fd of opened) closeSync(fd);
  }
  // Taken at once: what nobody reads when the program ends is thrown away by Node, and a short program is quick.
  const written = child.stdio[3] as Readable | undefined;
  const pipe = written ? pipeline(written, new PassThrough(), () => undefined) : null;
  // Output that is kept back in a child's pipe must not hold up the end when the child passed the pipe on.
  const exited = new Promise<ExitReason>(resolve =>
    child.once('exit', (status, signal) => {
      const reason = signal ? { signal } : { status: status ?? 0 };
      if (streams.kind !== 'text') resolve(reason);
      else {
        child.once('close', () => resolve(reason));
        setTimeout(() => resolve(reason), OUTPUT_GRACE_MS).unref();
      }
    }),
  );
  if (streams.kind === 'text')
    for (const pipe of [child.stdout, child.stderr]) pipe!.setEncoding('utf8').on('data', streams.onText);

  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', error => reject(notStarted(options, error)));
  });
  const pid = child.pid!;
  return {
    pid,
    exited,
    pipe,
    signalGroup(signal) {
      try {
        if (isWindows) child.kill(signal);
        else process.kill(-pid, signal);
      } catch {
        // The group is gone.
      }
    },
  };
}

/** How long after the program's end its pipes are waited for. */
const OUTPUT_GRACE_MS = 200;

function standardStreams(streams: ProgramStreams, opened: number[]): ('ignore' | 'pipe' | number)[] {
  const open = (path: string, flags: number) => {
    const fd = openSync(path, flags, 0o666);
    opened.push(fd);
    return fd;
  };
  switch (streams.kind) {
    case 'standardError':
      return [0, 2, 2];
    case 'file': {
      try {
        const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND } = fsConstants;
        // Appending, so that the two outputs do not overwrite each other.
        const fd = open(streams.path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
        return [streams.noInput ? 'ignore' : 0, fd, fd];
      } catch (error) {
        throw new RecordError(
          l10n.kept("cannot write the program's output to {0}: {1}", streams.path, reasonOf(error)),
          2,
        );
      }
    }
    case 'terminal': {
      const fd = open(streams.path, fsConstants.O_RDWR | fsConstants.O_NOCTTY);
      return [fd, fd, fd];
    }
    case 'text':
      return ['ignore', 'pipe', 'pipe'];
  }
}

const START_FAILURES: Readonly<Record<string, FailureCode>> = {
  EACCES: 'not-permitted',
  ENOENT: 'no-such-program',
  ENOEXEC: 'not-a-program',
};

function notStarted(options: LaunchOptions, error: NodeJS.ErrnoException): RecordError {
  if (error instanceof RecordError) return error;
  const { executable } = options;
  const refusal = error.code === 'EACCES' ? refusalOf(executable) : 'other';
  const code = refusal === 'noexec' ? 'mounted-noexec' : (START_FAILURES[error.code ?? ''] ?? 'other');
  return new RecordError(
    l10n.kept('{0} could not be started: {1}', executable, refusedText(refusal, reasonOf(error))),
    3,
    {
      code,
    },
  );
}

function refusedText(refusal: Refusal, reason: string): string {
  switch (refusal) {
    case 'no-execute-bit':
      return l10n.kept('{0}; nobody may execute it: chmod u+x it', reason);
    case 'noexec':
      return l10n.kept(
        '{0}; its file system is mounted with noexec: put it elsewhere (a source file is built in the folder of TMPDIR)',
        reason,
      );
    case 'other':
      return reason;
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: l10n.kept('there is no such file (or its interpreter, or the working directory, is missing)'),
    EACCES: l10n.kept('permission denied'),
    ENOEXEC: l10n.kept('it is not an executable of this machine'),
    EISDIR: l10n.kept('it is a directory'),
    E2BIG: l10n.kept('its arguments are too long'),
    ETXTBSY: l10n.kept('it is being written'),
  };
  return (code && reasons[code]) ?? message;
}
