/** Builds one source file for recording: a .c, .cc, .cpp, .cxx, Fortran or Rust file straight from the editor. */
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Failure } from '../model/failure.js';
import * as l10n from '../model/l10n.js';
import { isFortranFile } from '../model/languages.js';
import { readInvocation, splitWords } from './arguments.js';
import { compileCommand } from './compileCommands.js';
import { findCompiler, type Language } from './compiler.js';
import { RecordError } from './errors.js';
import { withHeader } from './header.js';
import { ensureRuntime } from './runtime.js';
import { rustcCommand } from './rust.js';
import { definingSiblings, undefinedSymbols } from './undefinedSymbols.js';
import { wrappedArguments } from './wrapper.js';

const LANGUAGES: Readonly<Record<string, Language>> = {
  '.c': 'c',
  '.cc': 'c++',
  '.cp': 'c++',
  '.cpp': 'c++',
  '.cxx': 'c++',
  '.c++': 'c++',
  '.C': 'c++',
};

/** The language of a source file by its name; null for anything else, such as an executable. */
export function sourceLanguage(file: string): Language | 'rust' | null {
  if (path.extname(file) === '.rs') return 'rust';
  return isFortranFile(file) ? 'fortran' : (LANGUAGES[path.extname(file)] ?? null);
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

/**
 * Returns the executable's path.
 * @throws RecordError (exit status 3) when there is no compiler or the source does not compile
 */
export async function build(options: BuildOptions): Promise<string> {
  const { source, folder, signal } = options;
  if (!existsSync(source) || !statSync(source).isFile())
    throw new RecordError(l10n.kept('{0}: no such source file', source), 3, { code: 'no-such-program' });
  const executable = path.join(folder, path.basename(source, path.extname(source)));
  const language = sourceLanguage(source)!;
  const known = language === 'rust' ? null : compileCommand(source);
  const command =
    language === 'rust'
      ? rustCommand(options, executable)
      : await compilerCommand(options, language, executable, known?.flags ?? []);
  const { status, messages } = await run(command, options, known?.directory);
  signal?.throwIfAborted();
  if (status !== 0) throw notBuilt(source, l10n.kept('{0} ended with status {1}', command[0]!, status), messages);
  return executable;
}

/** Without a name the edition would be the first of all; a file that is opened today was written for a later one. */
function rustCommand({ source, cflags, env }: BuildOptions, executable: string): string[] {
  const words = splitWords(cflags);
  const optimised = words.some(word => /^-O$|opt-level=/.test(word)) ? [] : ['-O'];
  const edition = words.some(word => word.startsWith('--edition')) ? [] : ['--edition=2021'];
  return rustcCommand([source, ...optimised, ...edition, ...words, '-o', executable], env);
}

async function compilerCommand(
  { source, folder, cflags, env }: BuildOptions,
  language: Language,
  executable: string,
  known: readonly string[],
): Promise<string[]> {
  const words = splitWords(cflags);
  const given = [...known, ...words];
  const optimised = given.some(word => /^-O/.test(word));
  // Module files are the build's, not the user's folder's; the compiler takes one such option.
  const modules = language === 'fortran' && !given.some(word => /^-J/.test(word)) ? ['-J', folder] : [];
  // Libraries among the user's flags (-lz) must follow the source; -lm is harmless where it is not needed.
  const before = [...(optimised ? [] : ['-O2']), ...modules, ...known];
  const args = [...before, source, ...words, '-o', executable, '-lm', '-pthread'];
  const invocation = readInvocation(args);
  if (invocation.refusal) {
    const whose = readInvocation([...before, source]).refusal ? 'compile_commands.json' : '--cflags';
    throw new RecordError(`${whose}: ${invocation.refusal}`, 2);
  }
  if (invocation.action !== 'link')
    throw new RecordError(l10n.kept('--cflags: -c, -S, -E and the like leave no program to run; remove them'), 2);

  const compiler = findCompiler(language, env);
  const { linkFlags } = await ensureRuntime(env);
  return [compiler.command[0]!, ...wrappedArguments(compiler, invocation, args, linkFlags)];
}

/** More of the compiler's messages than this nobody reads; the first are the telling ones. */
const MESSAGES_KEPT = 64 << 10;

function notBuilt(source: string, how: string, output: string): RecordError {
  const name = path.basename(source);
  const fail = (why: string, failure: Failure) =>
    new RecordError(l10n.kept('{0} was not built: {1}', name, why), 3, { ...failure, output });
  const symbols = undefinedSymbols(output);
  if (symbols.includes('main')) return fail(l10n.kept('it has no main; give the file that has'), { code: 'no-main' });
  if (symbols.length === 0) return fail(how, { code: 'not-compiled' });
  const siblings = definingSiblings(source, symbols);
  const files = siblings.map(file => path.basename(file)).join(' ');
  const next =
    siblings.length > 0
      ? l10n.kept('add {0} to --cflags', files)
      : l10n.kept('add the library or the files with them to --cflags');
  return fail(undefinedText(symbols, next), { code: 'undefined-symbols', symbols, siblings });
}

/** `a, b, c and 3 more are not defined in it; add ...` */
function undefinedText(symbols: readonly string[], next: string): string {
  const shown = symbols.slice(0, 3).join(', ');
  const more = symbols.length - 3;
  if (more > 0) return l10n.kept('{0} and {1} more are not defined in it; {2}', shown, more, next);
  return symbols.length > 1
    ? l10n.kept('{0} are not defined in it; {1}', shown, next)
    : l10n.kept('{0} is not defined in it; {1}', shown, next);
}

function run(
  [program, ...args]: readonly string[],
  { env, signal, onMessage }: BuildOptions,
  cwd?: string,
): Promise<{ status: number; messages: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, {
      env: withHeader(env),
      signal,
      cwd: cwd && existsSync(cwd) ? cwd : undefined,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let messages = '';
    const pass = onMessage ?? (text => process.stderr.write(text));
    const tell = (text: string) => {
      if (messages.length < MESSAGES_KEPT) messages += text;
      pass(text);
    };
    child.stdout.setEncoding('utf8').on('data', tell);
    child.stderr.setEncoding('utf8').on('data', tell);
    child.once('error', error => (signal?.aborted ? resolve({ status: 1, messages }) : reject(error)));
    child.once('close', status => resolve({ status: status ?? 1, messages }));
  });
}
