/** The flags that a source file is compiled with, by `compile_commands.json` (Clang's "JSON Compilation Database"). */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { leadingCompiler, splitWords } from './arguments.js';

export interface CompileCommand {
  /** Relative paths of the flags are relative to it. Absolute. */
  readonly directory: string;
  readonly flags: readonly string[];
}

/** Where such files are looked for, in each folder from the source's upwards, as clangd does. */
const PLACES = ['compile_commands.json', 'build/compile_commands.json'];

/** What the build leaves behind is its own business, and so is what it makes of the command's dependencies. */
const WITH_FILE = /^-(o|MF|MT|MQ|MJ)$/;
const WITHOUT = /^-(c|M|MM|MD|MMD|MP|MG)$/;

/** null where no database knows the file; a database that cannot be read knows none. */
export function compileCommand(source: string): CompileCommand | null {
  for (let folder = path.dirname(source); ; folder = path.dirname(folder)) {
    for (const place of PLACES) {
      const command = entryOf(path.join(folder, place), source);
      if (command) return command;
    }
    if (folder === path.dirname(folder)) return null;
  }
}

interface Entry {
  readonly directory?: unknown;
  readonly file?: unknown;
  readonly command?: unknown;
  readonly arguments?: unknown;
}

function entryOf(database: string, source: string): CompileCommand | null {
  if (!existsSync(database)) return null;
  for (const { directory, file, command, arguments: list } of entriesOf(database)) {
    if (typeof directory !== 'string' || typeof file !== 'string') continue;
    const at = path.resolve(path.dirname(database), directory);
    if (!sameFile(path.resolve(at, file), source)) continue;
    const words = Array.isArray(list) ? list.map(String) : typeof command === 'string' ? splitWords(command) : [];
    return { directory: at, flags: flagsOf(words, at, source) };
  }
  return null;
}

function entriesOf(database: string): readonly Entry[] {
  try {
    const entries: unknown = JSON.parse(readFileSync(database, 'utf8'));
    return Array.isArray(entries) ? entries.filter(entry => typeof entry === 'object' && entry !== null) : [];
  } catch {
    return [];
  }
}

function sameFile(a: string, b: string): boolean {
  return a === b || (path.basename(a) === path.basename(b) && existsSync(a) && realpathSync(a) === realpathSync(b));
}

function flagsOf(words: readonly string[], directory: string, source: string): string[] {
  const compiler = Math.max(1, leadingCompiler(words).length);
  // `pagelens cc` of a build with hooks is two words, and may have the compiler behind it.
  const wrapped = /^(cc|c\+\+|fc)$/.test(words[1] ?? '') ? 2 + leadingCompiler(words.slice(2)).length : compiler;
  const flags: string[] = [];
  for (let i = wrapped; i < words.length; i++) {
    const word = words[i]!;
    if (WITH_FILE.test(word)) i++;
    else if (!WITHOUT.test(word) && !sameFile(path.resolve(directory, word), source)) flags.push(word);
  }
  return flags;
}
