/**
 * Prepares a WebAssembly program for recording: its loads and stores are rewritten (rewrite.ts), and Node's own WASI runs
 * it (runner.ts). No tool is needed, so it works wherever Node does.
 *
 * Level: machine, that of WebAssembly: what the compiler keeps in WebAssembly's variables is no access, as what it keeps
 * in registers is none.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { assetPath } from '../../assets.js';
import { globalsOf } from '../../symbols/globals.js';
import { WasmError } from '../../symbols/wasm/binary.js';
import { WasmFile } from '../../symbols/wasm/file.js';
import { EXTERNAL, parseModule, type WasmModule } from '../../symbols/wasm/module.js';
import { RecordError } from '../errors.js';
import { type BuildInfo, NOTHING } from '../executable.js';
import type { ReadPipe } from '../sinkRecording.js';
import { readHooks, tellImage } from './read.js';
import { rewrite } from './rewrite.js';
import type { RunnerTask } from './runnerTask.js';

/** A program that is ready to be run, and read. */
export interface WasmProgram {
  readonly executable: string;
  /** What stands before the program's own. */
  readonly arguments: readonly string[];
  /** Of the process that runs it; the program's own is WASI's. */
  readonly env: NodeJS.ProcessEnv;
  readonly info: BuildInfo;
  readonly read: ReadPipe;
}

/** @throws RecordError (exit status 2) for a file that cannot be rewritten, or needs what is not there */
export async function prepareWasm(
  file: string,
  workingDirectory: string,
  runDir: string,
  env: NodeJS.ProcessEnv,
): Promise<WasmProgram> {
  const name = path.basename(file);
  try {
    const module = parseModule(await readFile(file));
    checkUsable(module);
    const { bytes, sites } = rewrite(module);
    const task: RunnerTask = { module: path.join(runDir, 'rewritten.wasm'), name, env: defined(env), workingDirectory };
    const taskFile = path.join(runDir, 'task.json');
    await writeFile(task.module, bytes);
    await writeFile(taskFile, JSON.stringify(task));
    const object = await WasmFile.open(file);
    const image = { path: file, module, globals: await globalsOf(file), buildId: (await object?.buildId()) ?? '' };
    return {
      executable: process.execPath,
      arguments: [assetPath('wasmRunner.cjs'), taskFile],
      // The editor's own executable is Node when it is told so; Windows needs to know where it is.
      env: defined({ ELECTRON_RUN_AS_NODE: process.versions.electron && '1', SystemRoot: env.SystemRoot }),
      info: { ...NOTHING, kind: 'other', compilers: object?.producers ?? [] },
      read: async (chunks, sink, _pid, onProgress) => {
        tellImage(image, sink);
        await readHooks(chunks, sites, sink, onProgress);
      },
    };
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
    throw new RecordError(`${name} cannot be recorded: ${error.message}`, 2, { code: 'not-a-program' });
  }
}

function defined(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** What runs under WASI preview 1: a command, whose imports are all WASI's. */
function checkUsable({ bytes, imports, exports, memoryPages }: WasmModule): void {
  const foreign = imports.find(({ module, kind }) => module !== WASI || kind !== EXTERNAL.function);
  if (foreign)
    throw new WasmError(
      `it imports ${foreign.module}.${foreign.name}: what is recorded are WASI programs (preview 1), as clang --target=wasm32-wasi and cargo build --target wasm32-wasip1 make them`,
    );
  const has = (name: string, kind: number) => exports.some(other => other.name === name && other.kind === kind);
  if (!has('_start', EXTERNAL.function)) throw new WasmError('it exports no _start: it is a library, not a program');
  if (memoryPages === null || !has('memory', EXTERNAL.memory)) throw new WasmError('it exports no memory');
  try {
    new WebAssembly.Module(bytes);
  } catch (error) {
    // Such as `WebAssembly.Module(): Compiling function #3 failed: ... @+123`.
    throw new WasmError(`this version of Node.js refuses it: ${(error as Error).message.replace(/^[^:]*: /, '')}`);
  }
}

const WASI = 'wasi_snapshot_preview1';
