/**
 * What a program with hooks does at machine level, counted by a second run under the Valgrind tool: what its hooks did not
 * see can be named by number. That run's output goes nowhere, and it has no input.
 */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { readBuildInfo } from './executable.js';
import { launch } from './launch.js';
import { RUNTIME_NAME } from './runtime.js';
import { ensureValgrindTool, VALGRIND_OPTIONS } from './valgrind.js';

export interface Counts {
  readonly reads: number;
  readonly writes: number;
}

/** Accesses, wherever they go unless said. */
export interface MachineCounts {
  /** By code that has no hooks: libraries, the dynamic loader. */
  readonly libraries: Counts;
  /** By code with hooks, of memory that nobody writes: literals, constant tables. */
  readonly constants: Counts;
  /** By code with hooks, of stacks: spilled registers, return addresses and the calls of hooks included. */
  readonly stack: Counts;
}

export interface CountedProgram {
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly workingDirectory: string;
  readonly env: NodeJS.ProcessEnv;
  /** For the file of counts. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}

/** Null when the program was killed before it could be counted. @throws RecordError when valgrind or a compiler is missing */
export async function machineCounts(program: CountedProgram): Promise<MachineCounts | null> {
  const { PAGELENS_RUN: _, ...env } = program.env;
  const { program: valgrind, folder } = await ensureValgrindTool(env);
  const file = path.join(program.folder, 'tally');
  await rm(file, { force: true });
  const run = await launch({
    executable: valgrind,
    arguments: [...VALGRIND_OPTIONS, `--tally=${file}`, program.executable, ...program.arguments],
    workingDirectory: program.workingDirectory,
    env: { ...env, VALGRIND_LIB: folder },
    streams: { kind: 'text', onText: () => {} },
  });
  const stop = () => run.signalGroup('SIGKILL');
  program.signal?.addEventListener('abort', stop);
  await run.exited;
  program.signal?.removeEventListener('abort', stop);
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? null : sum(text, hasHooks);
}

/** @param text a line for each module of each process: reads of stack, constants, data, writes of the same, path */
export function sum(text: string, hooks: (module: string) => boolean): MachineCounts {
  const none = () => ({ reads: 0, writes: 0 });
  const counts = { libraries: none(), constants: none(), stack: none() };
  const add = (to: { reads: number; writes: number }, reads: number, writes: number) => {
    to.reads += reads;
    to.writes += writes;
  };
  for (const line of text.split('\n')) {
    const match = /^(\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (.+)$/.exec(line);
    // Our own runtime is no part of the program.
    if (!match || path.basename(match[7]!) === RUNTIME_NAME) continue;
    const [stackRead, constantRead, dataRead, stackWritten, constantWritten, dataWritten] = match
      .slice(1, 7)
      .map(Number);
    if (hooks(match[7]!)) {
      add(counts.stack, stackRead!, stackWritten!);
      add(counts.constants, constantRead!, constantWritten!);
    } else {
      add(counts.libraries, stackRead! + constantRead! + dataRead!, stackWritten! + constantWritten! + dataWritten!);
    }
  }
  return counts;
}

function hasHooks(module: string): boolean {
  return existsSync(module) && readBuildInfo(module).hooks;
}
