/** What is started to record a program: the program itself, built if need be, or a tool that runs it. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as l10n from '../model/l10n.js';
import { isWasmFile } from '../symbols/wasm/file.js';
import { build, sourceLanguage } from './build.js';
import { onPath } from './compiler.js';
import { RecordError } from './errors.js';
import { type BuildInfo, readBuildInfo } from './executable.js';
import { LACKEY_ARGUMENTS, lackeyWarning, readLackey } from './lackey.js';
import { machineCounts } from './machineCounts.js';
import { architectureOf, ensureQemuPlugin, QEMU_LIMITS, X86_64 } from './qemu.js';
import type { RecordOptions } from './record.js';
import { ensureRuntime } from './runtime.js';
import type { ReadPipe } from './sinkRecording.js';
import { startedBy } from './starters.js';
import { unseenWarnings } from './unseen.js';
import { ensureValgrindTool, VALGRIND_LOG, type ValgrindTool, valgrindArguments } from './valgrind.js';
import { BUFFER_BYTES } from './wasm/hooks/records.js';
import { prepareWasm } from './wasm/prepare.js';

export type Recorder = 'instrument' | 'valgrind' | 'qemu' | 'wasm';
/**
 * `auto`: `instrument` for source and for what was built with hooks, `wasm` for WebAssembly, `qemu` for another
 * architecture's, else `valgrind`.
 */
export type RecorderChoice = 'auto' | Recorder;

/** Accesses in the buffer of a WebAssembly program, 8 bytes each. */
const BUFFER_RECORDS = BUFFER_BYTES / 8;

export interface Target {
  /** As the report names it: the source file, or the executable. Absolute. */
  readonly program: string;
  readonly recorder: Recorder;
  /** What is started, and what stands before the program's own arguments. */
  readonly executable: string;
  /** The executable that is recorded, whoever starts it. */
  readonly image: string;
  readonly arguments: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly info: BuildInfo;
  /** The program is recorded by what it writes to its pipe, which this reads. */
  readonly pipe?: ReadPipe;
  /** What is missing where a signal ended the program, as a warning. */
  readonly lostToSignals?: string;
  /** What the recorder could not see, once the program has ended. */
  warnings(): Promise<string[]>;
  /** Why nothing was recorded, behind how the program ended. */
  whyNothing(): Promise<string>;
}

/** @throws RecordError (exit status 3) when the program cannot be built, or not be recorded in this way */
export async function prepareTarget(
  options: RecordOptions,
  workingDirectory: string,
  runDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const program = locate(options.program, workingDirectory, env);
  const recorder = options.recorder ?? 'auto';
  if (sourceLanguage(program)) {
    if (recorder !== 'auto' && recorder !== 'instrument')
      throw new RecordError(
        l10n.kept(
          '{0} is a source file: --recorder {1} records executables; build it first',
          path.basename(program),
          recorder,
        ),
        2,
      );
    return instrumentedSource(program, options, workingDirectory, runDir, env);
  }
  if (await isWasmFile(program)) {
    if (recorder === 'valgrind' || recorder === 'qemu')
      throw new RecordError(
        `${path.basename(program)} is WebAssembly: --recorder wasm records it, ${recorder} does not`,
        2,
      );
    return rewritten(program, workingDirectory, runDir, env);
  }
  if (recorder === 'wasm')
    throw new RecordError(`${path.basename(program)} is no WebAssembly: --recorder wasm records nothing else`, 2);
  const info = readBuildInfo(program);
  checkKind(program, info);
  const foreign = info.kind === 'elf' && info.machine !== X86_64;
  if (recorder === 'qemu' || (recorder === 'auto' && foreign)) return underQemu(program, info, runDir, env);
  if (foreign)
    throw new RecordError(otherArchitecture(path.basename(program), architectureOf(info.machine)), 3, {
      code: 'not-a-program',
    });
  const plain = info.kind === 'elf' && !info.hooks;
  const started = plain && recorder !== 'valgrind' ? startedBy(program, options.arguments, workingDirectory) : null;
  if (started) {
    // To count beside it, what is started would have to be started alone.
    const alone = { ...options, countUnseen: false };
    return instrumented(program, program, started, await withRuntime(started, env), runDir, alone, workingDirectory);
  }
  if (recorder === 'valgrind' || (recorder === 'auto' && plain && onPath('valgrind', env)))
    return underValgrind(program, info, runDir, env);
  if (plain) throw notInstrumented(program, recorder);
  return instrumented(program, program, info, await withRuntime(info, env), runDir, options, workingDirectory);
}

async function instrumentedSource(
  program: string,
  options: RecordOptions,
  workingDirectory: string,
  runDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  options.onProgress?.({
    stage: 'build',
    accesses: 0,
    accessesPerSecond: 0,
    processes: 0,
    threads: 0,
    bytes: 0,
    safeSeq: 0,
  });
  const executable = await build({
    source: program,
    folder: runDir,
    cflags: options.cflags ?? '',
    env,
    signal: options.signal,
    onMessage: options.onMessage,
  });
  return instrumented(program, executable, readBuildInfo(executable), env, runDir, options, workingDirectory);
}

function instrumented(
  program: string,
  executable: string,
  info: BuildInfo,
  env: NodeJS.ProcessEnv,
  runDir: string,
  options: RecordOptions,
  workingDirectory: string,
): Target {
  const { arguments: args, signal, countUnseen } = options;
  const counted = { executable, arguments: args, workingDirectory, env, folder: runDir, signal };
  return {
    program,
    recorder: 'instrument',
    executable,
    image: executable,
    arguments: [],
    env: { ...env, PAGELENS_RUN: runDir },
    info,
    warnings: async () => {
      const counts = countUnseen && !signal?.aborted ? await machineCounts(counted) : null;
      return unseenWarnings(info.families, info.flags, counts);
    },
    whyNothing: async () =>
      info.kind === 'script' || !readBuildInfo(executable).hooks
        ? l10n.kept('and started no program that was built with CC="pagelens cc"')
        : l10n.kept('before its first instruction (its messages say why)'),
  };
}

async function underValgrind(
  program: string,
  info: BuildInfo,
  runDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  let tool: ValgrindTool;
  try {
    tool = await ensureValgrindTool(env);
  } catch (error) {
    const valgrind = onPath('valgrind', env);
    if (!valgrind || !(error instanceof RecordError)) throw error;
    return underLackey(program, info, valgrind, error.message.split('\n')[0]!, env);
  }
  const { program: valgrind, folder } = tool;
  // A program with hooks would record itself as well.
  const { PAGELENS_RUN: _, ...environment } = env;
  const messages = async () => {
    const text = await readFile(path.join(runDir, VALGRIND_LOG), 'utf8').catch(() => '');
    return text
      .split('\n')
      .map(line => line.replace(/^(?:==|--)\d+(?:==|--) ?/, '').trim())
      .filter(Boolean);
  };
  return {
    program,
    recorder: 'valgrind',
    executable: valgrind,
    image: program,
    arguments: [...valgrindArguments(runDir), program],
    env: { ...environment, VALGRIND_LIB: folder },
    info,
    warnings: async () => {
      const [first] = await messages();
      return first ? [`valgrind: ${first}`] : [];
    },
    whyNothing: async () => {
      const text = (await messages()).slice(0, 3).join(' ');
      return text
        ? l10n.kept('under valgrind before its first instruction: {0}', text)
        : l10n.kept('under valgrind before its first instruction (its messages say why)');
    },
  };
}

function underLackey(program: string, info: BuildInfo, valgrind: string, why: string, env: NodeJS.ProcessEnv): Target {
  const { PAGELENS_RUN: _, ...environment } = env;
  return {
    program,
    recorder: 'valgrind',
    executable: valgrind,
    image: program,
    arguments: [...LACKEY_ARGUMENTS, program],
    env: environment,
    info,
    pipe: readLackey,
    warnings: async () => [lackeyWarning(why)],
    whyNothing: async () => l10n.kept('under lackey before its first instruction (its messages say why)'),
  };
}

async function rewritten(
  program: string,
  workingDirectory: string,
  runDir: string,
  env: NodeJS.ProcessEnv,
): Promise<Target> {
  const prepared = await prepareWasm(program, workingDirectory, runDir, env);
  return {
    program,
    recorder: 'wasm',
    executable: prepared.executable,
    image: program,
    arguments: prepared.arguments,
    env: prepared.env,
    info: prepared.info,
    pipe: prepared.read,
    lostToSignals: l10n.kept(
      'the program was ended by a signal: what it did last, up to {0} accesses, is missing',
      BUFFER_RECORDS.toLocaleString('en'),
    ),
    warnings: async () => [],
    whyNothing: async () => 'before its first load, store or call (its messages say why)',
  };
}

async function underQemu(program: string, info: BuildInfo, runDir: string, env: NodeJS.ProcessEnv): Promise<Target> {
  if (info.kind !== 'elf')
    throw new RecordError(
      l10n.kept('{0} is a script: --recorder qemu records one executable', path.basename(program)),
      2,
    );
  const qemu = await ensureQemuPlugin(info.machine, env);
  const { PAGELENS_RUN: _, ...environment } = env;
  return {
    program,
    recorder: 'qemu',
    executable: qemu.program,
    image: program,
    arguments: [...qemu.arguments(runDir), program],
    env: environment,
    info,
    warnings: async () => [QEMU_LIMITS],
    whyNothing: async () => l10n.kept('under QEMU before its first instruction (its messages say why)'),
  };
}

function otherArchitecture(name: string, known: string | null): string {
  return known
    ? l10n.kept('{0} is a program of another architecture ({1}): --recorder qemu records it', name, known)
    : l10n.kept('{0} is a program of another architecture', name);
}

function checkKind(program: string, info: BuildInfo): void {
  const name = path.basename(program);
  if (info.kind === 'elf32')
    throw new RecordError(l10n.kept('{0} is no 64-bit program of this machine: only those are recorded', name), 3, {
      code: 'not-a-program',
    });
  if (info.kind === 'other')
    throw new RecordError(
      l10n.kept('{0} is neither an executable nor a source file ({1})', name, '.c, .cc, .cpp, .cxx, .f90, .rs'),
      3,
      { code: 'not-a-program' },
    );
}

function notInstrumented(program: string, recorder: RecorderChoice): RecordError {
  const asItIs =
    recorder === 'auto'
      ? l10n.kept('install valgrind to record it as it is (apt-get install valgrind)')
      : l10n.kept('--recorder valgrind records it as it is');
  return new RecordError(
    l10n.kept(
      '{0} was not built for recording: build it with {1} (such as: make clean && make {1}), or give its source file; {2}',
      path.basename(program),
      'CC="pagelens cc" CXX="pagelens c++"',
      asItIs,
    ),
    3,
    { code: 'not-instrumented' },
  );
}

function locate(program: string, workingDirectory: string, env: NodeJS.ProcessEnv): string {
  const file = path.resolve(workingDirectory, program);
  if (existsSync(file)) {
    if (statSync(file).isDirectory())
      throw new RecordError(l10n.kept('{0} is a directory, not a program', program), 3, { code: 'not-a-program' });
    return file;
  }
  const found = program.includes('/') || sourceLanguage(program) ? null : onPath(program, env);
  if (!found)
    throw new RecordError(l10n.kept('{0}: there is no such program or source file', program), 3, {
      code: 'no-such-program',
    });
  return found;
}

/**
 * An executable names the runtime that it was linked with by its folder in the cache, which may be gone or of another
 * version of Pagelens: then today's is put before it.
 */
async function withRuntime(info: BuildInfo, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const linked = info.runtimeFolder;
  try {
    const { folder } = await ensureRuntime(env);
    if (folder === linked) return env;
    return { ...env, LD_LIBRARY_PATH: [folder, env.LD_LIBRARY_PATH].filter(Boolean).join(':') };
  } catch (error) {
    // A machine without a compiler can still run what was built elsewhere.
    if (linked && existsSync(linked)) return env;
    throw error;
  }
}
