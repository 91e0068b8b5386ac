/**
 * The process that runs a rewritten WebAssembly program (prepare.ts says how it is started): WASI preview 1 is Node's own, the
 * hooks' records go to the pipe. The program has this process's standard streams, and of the file system its working
 * directory alone, as under other runtimes that are told `--dir=.`.
 *
 * Modules are compiled at once, not by promises: Node may crash when a process ends beside such a compilation
 * (nodejs/node issue 56236 has the stack).
 *
 * Ends as the program does: with its status, or after a trap with 134 (128 + SIGABRT), as shells know it of other runtimes.
 */
import { readFileSync, writeSync } from 'node:fs';
import process from 'node:process';
import { WASI } from 'node:wasi';
import { assetPath } from '../../assets.js';
import { HOOKS } from './rewrite.js';
import { RECORDS, type RunnerTask } from './runnerTask.js';
import { writtenBy } from './wasiWrites.js';

/** Exports of hooks/hooks.ts that the host calls. */
interface HookExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  handOver(): void;
  systemCall(number: number, result: number): void;
  kernelWrote(address: number, length: number): void;
}

const TRAPPED = 134;

function main(): number {
  // That Node's WASI is experimental is no concern of the program's user.
  process.removeAllListeners('warning');
  const [, , taskFile, ...programArguments] = process.argv;
  const task = JSON.parse(readFileSync(taskFile!, 'utf8')) as RunnerTask;
  const hooks = instantiate(assetPath('wasmHooks.wasm'), {
    hooks: { flush: (from: number, bytes: number) => send(new Uint8Array(hooks.memory.buffer, from, bytes)) },
    env: {
      abort: () => {
        throw new Error('the buffer of records is damaged');
      },
    },
  }) as HookExports;
  const wasi = new WASI({
    version: 'preview1',
    args: [task.name, ...programArguments],
    env: { ...task.env },
    preopens: { '.': task.workingDirectory },
    returnOnExit: true,
  });
  const imports = wasi.getImportObject() as Record<string, Record<string, Callable>>;
  let memory: WebAssembly.Memory | null = null;
  const told = Object.fromEntries(
    Object.entries(imports).map(([module, functions]) => [module, watched(functions, hooks, () => memory!)]),
  );
  const program = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(task.module)), {
    ...told,
    [HOOKS]: hooks,
  });
  memory = program.exports.memory as WebAssembly.Memory;
  try {
    return wasi.start(program);
  } catch (error) {
    // A trap is a WebAssembly.RuntimeError, a stack that overflows a RangeError, a thrown exception one of its own.
    process.stderr.write(`${task.name}: ${describe(error)}\n`);
    return TRAPPED;
  } finally {
    hooks.handOver();
  }
}

type Callable = (...args: readonly (number | bigint)[]) => number;

function instantiate(file: string, imports: WebAssembly.Imports): WebAssembly.Exports {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), imports).exports;
}

/** WASI's functions, which tell of their calls and of what they wrote into the program's memory. */
function watched(
  functions: Readonly<Record<string, Callable>>,
  hooks: HookExports,
  memory: () => WebAssembly.Memory,
): Record<string, Callable> {
  return Object.fromEntries(
    Object.entries(functions).map(([name, call], number) => [
      name,
      (...args: readonly (number | bigint)[]) => {
        const result = call(...args);
        hooks.systemCall(number, result);
        for (const [address, length] of writtenBy(name, args, result, memory().buffer))
          hooks.kernelWrote(address, length);
        return result;
      },
    ]),
  );
}

/** Waits where the recorder lags. */
function send(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(RECORDS, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function describe(error: unknown): string {
  const { name, message } = error instanceof Error ? error : { name: 'exception', message: 'it was not caught' };
  return name === 'RuntimeError' ? `trap: ${message}` : `${name}: ${message}`;
}

process.exitCode = main();
