/**
 * Reads a compiler's command line as far as the wrapper must know it: what is asked for (compile, link, ...), whether
 * sources are among the inputs, and what cannot be recorded. It never changes an argument.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { isFortranFile } from '../model/languages.js';

export interface Invocation {
  /** `information`: nothing is compiled (--version, -print-...). `preprocess`: -E, -M, -MM. */
  readonly action: 'information' | 'preprocess' | 'compile' | 'link';
  /** Whether a source file that the compiler proper reads (no assembly, no object) is among the inputs. */
  readonly sources: boolean;
  readonly shared: boolean;
  /** `-r`: the result is linked again later. */
  readonly relocatable: boolean;
  /** Why this cannot be recorded, with what to do; null when it can. */
  readonly refusal: string | null;
}

/** What runs a compiler that follows it on the command line. */
const LAUNCHER = /^(ccache|sccache|distcc|icecc|buildcache)$/;
/** With a prefix for the target and a version: `x86_64-linux-gnu-g++-12`. */
const COMPILER = /^(?!pagelens)([\w.]+-)*(cc|gcc|clang|c\+\+|g\+\+|clang\+\+|f77|f95|gfortran)(-[\d.]+)?$/;

/**
 * The compiler's own words where the command line begins with them, as behind a compiler launcher of CMake's:
 * `/usr/bin/cc -c a.c` or `ccache g++-12 -c a.cc`. Empty where it begins with an argument.
 */
export function leadingCompiler(args: readonly string[]): readonly string[] {
  const launchers = args.findIndex(word => !LAUNCHER.test(path.basename(word)));
  return launchers >= 0 && COMPILER.test(path.basename(args[launchers]!)) ? args.slice(0, launchers + 1) : [];
}

/** Options whose value is the next argument (GCC manual, section 3.1 to 3.17; clang's in addition). */
const WITH_VALUE = new Set([
  ...['-o', '-x', '-I', '-L', '-D', '-U', '-l', '-u', '-z', '-T', '-e', '-B', '-A', '-G', '-J', '-h'],
  ...['-include', '-imacros', '-isystem', '-iquote', '-idirafter', '-iprefix', '-iwithprefix', '-iwithprefixbefore'],
  ...['-isysroot', '-imultilib', '-MF', '-MT', '-MQ', '-MJ', '-Xlinker', '-Xassembler', '-Xpreprocessor', '-Xclang'],
  ...['-mllvm', '-aux-info', '--param', '-dumpbase', '-dumpdir', '-dumpbase-ext', '-wrapper', '-arch', '-target'],
  ...['--sysroot', '-soname', '-rpath', '-gcc-toolchain', '-Tdata', '-Tbss', '-Ttext', '-ivfsoverlay'],
]);

const SOURCE = /\.(c|i|ii|cc|cp|cxx|cpp|c\+\+|C|CPP|m|mi|mm|M)$/;
const INFORMATION =
  /^(--version|--help(=.*)?|--target-help|-dump(version|fullversion|machine|specs)|-print-.*|--print-.*|-###|-qversion)$/;

/** Sanitizers that keep shadow memory or hooks of their own; `undefined` and its parts go along with recording. */
const CONFLICTING = [
  'thread',
  'address',
  'kernel-address',
  'hwaddress',
  'kernel-hwaddress',
  'memory',
  'leak',
  'memtag',
];

export function readInvocation(args: readonly string[]): Invocation {
  let action: Invocation['action'] = 'link';
  let information = false;
  let inputs = 0;
  let sources = false;
  let shared = false;
  let relocatable = false;
  let language = '';
  const sanitizers = new Set<string>();
  let refusal: string | null = null;

  const words = expandFiles(args);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '-' || !word.startsWith('-')) {
      inputs++;
      sources ||= language
        ? !/^(assembler|none)/.test(language)
        : word !== '-' && (SOURCE.test(word) || isFortranFile(word));
      continue;
    }
    const value = WITH_VALUE.has(word) ? (words[++i] ?? '') : '';
    if (word === '-c' || word === '-S' || word === '-fsyntax-only') {
      if (action === 'link') action = 'compile';
    } else if (word === '-E' || word === '-M' || word === '-MM') action = 'preprocess';
    else if (word === '-x') language = value === 'none' ? '' : value;
    else if (word.startsWith('-x') && word.length > 2) language = word === '-xnone' ? '' : word.slice(2);
    else if (word === '-shared' || word === '--shared') shared = true;
    else if (word === '-r') relocatable = true;
    else if (word.startsWith('-l')) inputs++;
    else if (INFORMATION.test(word)) information = true;
    else if (word.startsWith('-fsanitize='))
      for (const name of word.slice('-fsanitize='.length).split(',')) sanitizers.add(name);
    else if (word.startsWith('-fno-sanitize='))
      for (const name of word.slice('-fno-sanitize='.length).split(',')) {
        if (name === 'all') sanitizers.clear();
        else sanitizers.delete(name);
      }
    else if (word === '-static' || word === '--static' || word === '-static-pie')
      refusal ??=
        `${word} cannot be recorded: the runtime takes the place of malloc, memcpy and pthread functions, ` +
        `which needs dynamic linking; remove ${word}`;
    else if (word === '-m32' || word === '-mx32')
      refusal ??= `${word} cannot be recorded: only 64-bit programs are; remove ${word}`;
  }

  const conflict = CONFLICTING.find(name => sanitizers.has(name));
  if (conflict)
    refusal ??=
      `-fsanitize=${conflict} cannot be combined with recording: both need the compiler's access hooks or the ` +
      `allocation functions for themselves; remove it`;
  // A static archive of flags for a later link is fine; only what is linked or compiled now can be refused.
  if (information || inputs === 0) action = 'information';
  if (action === 'information' || action === 'preprocess') refusal = null;
  return { action, sources, shared, relocatable, refusal };
}

/** `@file` in its place, as the compiler itself does it: words split at white space, quotes and backslashes heeded. */
function expandFiles(args: readonly string[], depth = 0): string[] {
  return args.flatMap(arg => {
    if (!arg.startsWith('@') || arg.length === 1 || depth > 20) return [arg];
    try {
      return expandFiles(splitWords(readFileSync(path.resolve(arg.slice(1)), 'utf8')), depth + 1);
    } catch {
      // As gcc: a file that cannot be read stands for itself.
      return [arg];
    }
  });
}

/** Splits text into words as libiberty's buildargv does; also what `--cflags "..."` means. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\' && quote !== "'" && i + 1 < text.length) {
      word += text[++i];
      started = true;
    } else if (quote) {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      started = true;
    } else if (/\s/.test(char)) {
      if (started) words.push(word);
      word = '';
      started = false;
    } else {
      word += char;
      started = true;
    }
  }
  if (started) words.push(word);
  return words;
}
