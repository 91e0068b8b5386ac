/**
 * A folder with a `build.ninja`, as ninja itself tells of it (ninja manual, "Extra tools"): which targets are programs,
 * which files are made, and which compilers are called. Only texts are read here; running ninja is `ninja.ts`.
 */
import * as path from 'node:path';
import { isProgramName, makesOther } from './programNames.js';

/** One entry of `ninja -t compdb`. */
export interface NinjaCommand {
  readonly command: string;
  readonly output: string;
}

/** Lines of `ninja -t targets all`: `OUTPUT: RULE`. */
export function parseTargets(text: string): { readonly output: string; readonly rule: string }[] {
  return text.split('\n').flatMap(line => {
    const parts = /^(.+): (\S+)$/.exec(line);
    return parts ? [{ output: parts[1]!, rule: parts[2]! }] : [];
  });
}

/** Targets that link an executable, in alphabetical order. */
export function programsOf(commands: readonly NinjaCommand[]): string[] {
  return commands
    .filter(({ command, output }) => isProgramName(output) && /(^|\s)-o\s/.test(command) && !makesOther(command))
    .filter(({ command }) => compilersIn(command).length > 0)
    .map(({ output }) => output)
    .sort();
}

type Wrapper = 'cc' | 'c++' | 'fc';

/** With the prefix of a cross compiler and a version, but not `gcc-ar` and its like. */
const compilerName = /^(?:[\w.]+-)*(gcc|cc|clang|g\+\+|c\+\+|clang\+\+|gfortran|flang)(?:-\d[\d.]*)?$/;
const wrappers: Readonly<Record<string, Wrapper>> = {
  'g++': 'c++',
  'c++': 'c++',
  'clang++': 'c++',
  gfortran: 'fc',
  flang: 'fc',
};

/** Compilers that the commands call, as they name them: `gcc`, `/usr/bin/c++`. */
export function compilersOf(commands: readonly NinjaCommand[]): string[] {
  return [...new Set(commands.flatMap(({ command }) => compilersIn(command)))];
}

function compilersIn(command: string): string[] {
  return command.split(/[\s;&|()]+/).filter(word => compilerName.test(path.basename(word)));
}

/** The subcommand of `pagelens` that stands for a compiler. */
export function wrapperOf(compiler: string): Wrapper {
  return wrappers[compilerName.exec(path.basename(compiler))?.[1] ?? ''] ?? 'cc';
}

/** Under which name on the PATH a compiler is replaced: its own, but for one that is called by a path. */
export function replacementOf(compiler: string): string {
  return compiler.includes('/') ? `pagelens${compiler.replaceAll('/', '-')}` : compiler;
}

/** A ninja file that calls the replacements. The names are in it as ninja's commands have them, but for `$` escapes. */
export function withReplacements(text: string, compilers: readonly string[]): string {
  const called = compilers.filter(compiler => compiler.includes('/'));
  return called.reduce((changed, compiler) => {
    const exactly = new RegExp(`(?<![\\w./+$-])${compiler.replaceAll(/[.+]/g, '\\$&')}(?![\\w./+-])`, 'g');
    return changed.replaceAll(exactly, replacementOf(compiler));
  }, text);
}

/** Files that it includes. Names with variables are left out: ninja expands those as it reads. */
export function includedFiles(text: string): string[] {
  return [...text.matchAll(/^(?:include|subninja) +([^\s$]+)\s*$/gm)].map(match => match[1]!);
}
