/**
 * Finds the compilers of the machine and learns once what each can do.
 *
 * An answer costs two to ten runs of the compiler (20 ms each), and the wrapper needs it for every file of a build:
 * so it is kept in the cache, under the identity of the compiler's file.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as l10n from '../model/l10n.js';
import { cacheFolder, contentName, writeAtomically } from './cache.js';
import { RecordError } from './errors.js';
import { candidateFlags, type Family, gccSpecs } from './flags.js';

export type Language = 'c' | 'c++' | 'fortran';

export interface Compiler {
  /** Program and its own first arguments, such as `['gcc']` or `['ccache', 'gcc', '-m64']`. */
  readonly command: readonly string[];
  readonly language: Language;
  readonly family: Family;
  /** First line of `--version`, such as `gcc (Debian 12.2.0-14) 12.2.0`. */
  readonly version: string;
  /** The flags that make it report accesses: behind the user's own when compiling. Those that this compiler knows. */
  readonly compileFlags: readonly string[];
  /** Identifies this very compiler: changes when it is updated. */
  readonly identity: string;
}

interface Names {
  readonly own: string;
  readonly usual: string;
  readonly defaults: readonly string[];
  readonly package: string;
  readonly title: string;
}

const NAMES: Record<Language, Names> = {
  c: { own: 'PAGELENS_CC', usual: 'CC', defaults: ['gcc', 'clang', 'cc'], package: 'gcc', title: 'C' },
  'c++': { own: 'PAGELENS_CXX', usual: 'CXX', defaults: ['g++', 'clang++', 'c++'], package: 'g++', title: 'C++' },
  fortran: {
    own: 'PAGELENS_FC',
    usual: 'FC',
    defaults: ['gfortran'],
    package: 'gfortran',
    title: 'Fortran',
  },
};

/**
 * The compiler for a language: PAGELENS_CC, else CC, else gcc, else clang (and so for C++ and Fortran).
 * CC is passed over when it names Pagelens: make hands `CC="pagelens cc"` down to what it starts.
 */
export function findCompiler(language: Language, env: NodeJS.ProcessEnv = process.env): Compiler {
  const names = NAMES[language];
  for (const variable of [names.own, names.usual]) {
    const words = (env[variable] ?? '').split(/\s+/).filter(Boolean);
    if (words.length === 0 || words.some(word => /^pagelens(-\w.*)?(\.cmd)?$|^cli\.cjs$/.test(path.basename(word))))
      continue;
    const program = onPath(words[0]!, env);
    if (!program)
      throw new RecordError(
        l10n.kept(
          '{0} is "{1}", but {2} was not found: install it or unset {0}',
          variable,
          env[variable] ?? '',
          words[0]!,
        ),
        3,
        { code: 'no-compiler', package: names.package },
      );
    return learn(words, program, language, env);
  }
  for (const name of names.defaults) {
    const program = onPath(name, env);
    if (program) return learn([name], program, language, env);
  }
  throw new RecordError(
    l10n.kept(
      'no {0} compiler found (looked for {1} on PATH): install {2} (apt-get install {2}) or set {3}',
      names.title,
      names.defaults.join(', '),
      names.package,
      names.usual,
    ),
    3,
    { code: 'no-compiler', package: names.package },
  );
}

/** The compiler of these words, such as `['ccache', '/usr/bin/gcc-12']`. */
export function compilerOf(
  words: readonly string[],
  language: Language,
  env: NodeJS.ProcessEnv = process.env,
): Compiler {
  const program = onPath(words[0]!, env);
  if (program) return learn(words, program, language, env);
  throw new RecordError(l10n.kept('{0} was not found: install it or name another compiler', words[0]!), 3, {
    code: 'no-compiler',
    package: NAMES[language].package,
  });
}

/** A folder of `pagelens toolchain path`, whose compilers are ourselves. */
export function isToolchainPath(folder: string): boolean {
  return /\/toolchain-[0-9a-f]{20}\/bin\/?$/.test(folder);
}

/** Absolute path of a program, as a shell would find it, but never ourselves; null when there is none. */
export function onPath(name: string, env: NodeJS.ProcessEnv = process.env): string | null {
  const candidates = name.includes('/')
    ? [path.resolve(name)]
    : (env.PATH ?? '')
        .split(path.delimiter)
        .filter(folder => folder !== '' && !isToolchainPath(folder))
        .map(folder => path.join(folder, name));
  for (const candidate of candidates) {
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not here.
    }
  }
  return null;
}

function learn(words: readonly string[], program: string, language: Language, env: NodeJS.ProcessEnv): Compiler {
  // Where we hide the compiler of that name, its own path leads to it.
  const hidden = (env.PATH ?? '').split(path.delimiter).some(isToolchainPath);
  const command = hidden ? [program, ...words.slice(1)] : words;
  const identity = identityOf(command, program, env);
  const folder = cacheFolder(env);
  const asked = JSON.stringify(
    ['gcc' as const, 'clang' as const].map(family => candidateFlags(family, language, folder)),
  );
  const file = path.join(folder, `compiler-${contentName(language, identity, asked)}.json`);
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as Compiler;
    if (known.compileFlags.length > 0) {
      ensureSpecs(folder, known.family);
      return { ...known, command };
    }
  } catch {
    // Not asked before.
  }
  const compiler = probe(command, language, identity, folder, env);
  writeAtomically(file, JSON.stringify(compiler));
  return compiler;
}

/** The flags name it; it may have been cleaned away. */
function ensureSpecs(folder: string, family: Family): void {
  const file = path.join(folder, gccSpecs.name);
  if (family === 'gcc' && !existsSync(file)) writeAtomically(file, gccSpecs.content);
}

/** The files behind the command's words (`ccache gcc` has two), with size and time of change. */
function identityOf(command: readonly string[], program: string, env: NodeJS.ProcessEnv): string {
  const parts = [program, ...command.slice(1)].map((word, i) => {
    const found = i === 0 ? program : word.startsWith('-') ? null : onPath(word, env);
    if (!found) return word;
    const real = realpathSync(found);
    const { size, mtimeMs } = statSync(real);
    return `${found} ${real} ${size} ${mtimeMs}`;
  });
  return parts.join('\n');
}

function probe(
  command: readonly string[],
  language: Language,
  identity: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Compiler {
  const run = (args: readonly string[], input = '') =>
    spawnSync(command[0]!, [...command.slice(1), ...args], {
      input,
      encoding: 'utf8',
      // Messages are read below, so they must be in English.
      env: { ...env, LC_ALL: 'C' },
    });
  const name = command.join(' ');

  // 1. Who is it?
  const asked = run(['--version']);
  const version = (asked.stdout ?? '').split('\n')[0]!.trim();
  if (asked.status !== 0 || !version) throw new RecordError(l10n.kept('{0} --version failed: is it a compiler?', name));
  const dialect = language === 'fortran' ? 'f95' : language;
  // Not from the text: `true --version` names the Free Software Foundation as well.
  const macros = run(['-dM', '-E', '-x', language === 'fortran' ? 'f95-cpp-input' : language, '-']).stdout ?? '';
  const family: Family | null = macros.includes('#define __clang__ ')
    ? 'clang'
    : macros.includes('#define __GNUC__ ')
      ? 'gcc'
      : null;
  if (!family)
    throw new RecordError(
      l10n.kept('{0} is neither gcc nor clang ({1}): set {2}', name, version, NAMES[language].usual),
    );

  // 2. Which of our flags does it know? Usually all, which one run tells.
  ensureSpecs(folder, family);
  const source = language === 'fortran' ? 'end\n' : 'int pagelens_probe;\n';
  const knows = (flags: readonly string[]) =>
    run(
      [...flags, ...(language === 'fortran' ? [] : ['-Werror']), '-c', '-x', dialect, '-', '-o', '/dev/null'],
      source,
    );
  const groups = candidateFlags(family, language, folder);
  let compileFlags = groups.flatMap(group => group.flags);
  if (knows(compileFlags).status !== 0) {
    const required = groups.filter(group => group.required).flatMap(group => group.flags);
    const outcome = knows(required);
    if (outcome.status !== 0)
      throw new RecordError(
        l10n.kept(
          '{0} ({1}) cannot instrument accesses: {2}; set {3} to another gcc or clang',
          name,
          version,
          (outcome.stderr ?? '').trim().split('\n')[0]!,
          NAMES[language].usual,
        ),
      );
    compileFlags = [];
    for (const group of groups)
      if (group.required || knows([...required, ...group.flags]).status === 0) compileFlags.push(...group.flags);
  }
  return { command, language, family, version, compileFlags, identity };
}
