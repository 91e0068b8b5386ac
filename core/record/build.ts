/** Builds one source file for recording: a .c, .cc, .cpp, .cxx or Fortran file straight from the editor. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { readInvocation, splitWords } from './arguments.js';
import { type Compiler, findCompiler, type Language } from './compiler.js';
import { RecordError } from './errors.js';
import { ensureRuntime } from './runtime.js';
import { wrappedArguments } from './wrapper.js';

const LANGUAGES: Readonly<Record<string, Language>> = {
  '.c': 'c',
  '.cc': 'c++',
  '.cp': 'c++',
  '.cpp': 'c++',
  '.cxx': 'c++',
  '.c++': 'c++',
  '.C': 'c++',
  '.f': 'fortran',
  '.F': 'fortran',
  '.f90': 'fortran',
  '.F90': 'fortran',
  '.f95': 'fortran',
  '.f03': 'fortran',
  '.f08': 'fortran',
};

/** The language of a source file by its name; null for anything else, such as an executable. */
export function sourceLanguage(file: string): Language | null {
  return LANGUAGES[path.extname(file)] ?? null;
}

export interface BuildOptions {
  /** Absolute path of the source. */
  readonly source: string;
  /** Where the executable goes. */
  readonly folder: string;
  /** The user's flags, such as `-O3 -march=native -lz`; without a -O in them, -O2. */
  readonly cflags: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** The compiler's messages, as they come, verbatim. Default: this process's standard error. */
  readonly onMessage?: (text: string) => void;
}

export interface Built {
  readonly executable: string;
  readonly compiler: Compiler;
}

/** Throws RecordError (exit status 3) when there is no compiler or the source does not compile. */
export async function build(options: BuildOptions): Promise<Built> {
  const { source, folder, env, signal } = options;
  const language = sourceLanguage(source)!;
  if (!existsSync(source) || !statSync(source).isFile()) throw new RecordError(`${source}: no such source file`);
  const words = splitWords(options.cflags);
  const executable = path.join(folder, path.basename(source, path.extname(source)));
  const optimised = words.some(word => /^-O/.test(word));
  // Libraries among the user's flags (-lz) must follow the source; -lm is harmless where it is not needed.
  const args = [...(optimised ? [] : ['-O2']), source, ...words, '-o', executable, '-lm', '-pthread'];
  const invocation = readInvocation(args);
  if (invocation.refusal) throw new RecordError(`--cflags: ${invocation.refusal}`, 2);
  if (invocation.action !== 'link')
    throw new RecordError('--cflags: -c, -S, -E and the like leave no program to run; remove them', 2);

  const compiler = findCompiler(language, env);
  const { linkFlags } = await ensureRuntime(env);
  const status = await run(compiler.command[0]!, wrappedArguments(compiler, invocation, args, linkFlags), options);
  signal?.throwIfAborted();
  if (status !== 0)
    throw new RecordError(
      `${path.basename(source)} was not built: ${compiler.command.join(' ')} ended with status ${status}`,
    );
  return { executable, compiler };
}

function run(program: string, args: readonly string[], { env, signal, onMessage }: BuildOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    const tell = onMessage ?? (text => process.stderr.write(text));
    child.stdout.setEncoding('utf8').on('data', tell);
    child.stderr.setEncoding('utf8').on('data', tell);
    child.once('error', error => (signal?.aborted ? resolve(1) : reject(error)));
    child.once('close', status => resolve(status ?? 1));
  });
}
