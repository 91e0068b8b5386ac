/**
 * `pagelens toolchain KIND`: the compilers with access hooks in the form that a build system wants. Everything lies in
 * one folder of the cache, named by its content, and stays right as long as Pagelens and the compilers stay where they
 * are.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { assetPath } from '../assets.js';
import { launcherScript } from '../model/shell.js';
import { leadingCompiler } from './arguments.js';
import { cacheFolder, contentName, temporaryBeside } from './cache.js';
import { findCompiler, type Language, onPath } from './compiler.js';
import { includeFolder } from './header.js';

export const TOOLCHAIN_KINDS = {
  cmake: 'a toolchain file: cmake -DCMAKE_TOOLCHAIN_FILE="$(pagelens toolchain cmake)"',
  meson: 'a native file: meson setup --native-file "$(pagelens toolchain meson)"',
  include: 'the folder of pagelens.h: cc -I"$(pagelens toolchain include)"',
  path: 'a folder of compilers by their usual names: PATH="$(pagelens toolchain path):$PATH"',
} as const;

export type ToolchainKind = keyof typeof TOOLCHAIN_KINDS;

const FILES: Readonly<Record<Exclude<ToolchainKind, 'include'>, string>> = {
  cmake: 'pagelens.cmake',
  meson: 'pagelens.ini',
  path: 'bin',
};

const COMMANDS: Readonly<Record<Language, string>> = { c: 'cc', 'c++': 'c++', fortran: 'fc' };

/** Absolute path of the file or folder. @throws RecordError when there is no C compiler */
export function toolchain(kind: ToolchainKind, env: NodeJS.ProcessEnv = process.env): string {
  return kind === 'include' ? includeFolder() : path.join(toolchainFolder(env), FILES[kind]);
}

/** Absolute path of a wrapper that is one word. @throws RecordError when there is no C compiler */
export function toolchainProgram(command: 'cc' | 'c++' | 'rustc', env: NodeJS.ProcessEnv): string {
  return path.join(toolchainFolder(env), `pagelens-${command}`);
}

function toolchainFolder(env: NodeJS.ProcessEnv): string {
  const name = contentName(...toolchainFiles('', env).flat());
  const folder = path.join(cacheFolder(env), `toolchain-${name}`);
  if (!existsSync(folder)) writeFolder(folder, toolchainFiles(folder, env));
  return folder;
}

type File = readonly [name: string, content: string];

/** The files of `folder`; some name others by their absolute path. */
function toolchainFiles(folder: string, env: NodeJS.ProcessEnv): File[] {
  const wrappers = languages(env).map(([language, words]): readonly [Language, File] => {
    const command = COMMANDS[language];
    return [language, [`pagelens-${command}`, script(command, words)]];
  });
  const programs = new Map(wrappers.map(([language, [name]]) => [language, path.join(folder, name)]));
  return [
    ...wrappers.map(([, file]) => file),
    ['pagelens-rustc', script('rustc', [])],
    [FILES.cmake, cmakeFile(programs)],
    [FILES.meson, mesonFile(programs)],
    ...usualNames(env).map((name): File => [`bin/${name}`, script(commandOf(name), [onPath(name, env)!])]),
  ];
}

/** The compilers of the languages that this machine has, each with its absolute path: C, and what else there is. */
function languages(env: NodeJS.ProcessEnv): [Language, string[]][] {
  const found: [Language, string[]][] = [];
  for (const language of ['c', 'c++', 'fortran'] as const) {
    try {
      const [program, ...rest] = findCompiler(language, env).command;
      found.push([language, [onPath(program!, env)!, ...rest]]);
    } catch (error) {
      if (language === 'c') throw error;
    }
  }
  return found;
}

function script(command: string, compiler: readonly string[]): string {
  return launcherScript(process.execPath, assetPath('cli.cjs'), [command, ...compiler]);
}

const CMAKE_LANGUAGES: Readonly<Record<Language, string>> = { c: 'C', 'c++': 'CXX', fortran: 'Fortran' };

function cmakeFile(programs: ReadonlyMap<Language, string>): string {
  const lines = [...programs].map(
    ([language, program]) => `set(CMAKE_${CMAKE_LANGUAGES[language]}_COMPILER "${program}")`,
  );
  return ['# Compilers with the access hooks of Pagelens.', ...lines, ''].join('\n');
}

const MESON_LANGUAGES: Readonly<Record<Language, string>> = { c: 'c', 'c++': 'cpp', fortran: 'fortran' };

function mesonFile(programs: ReadonlyMap<Language, string>): string {
  const lines = [...programs].map(([language, program]) => `${MESON_LANGUAGES[language]} = '${program}'`);
  return ['# Compilers with the access hooks of Pagelens.', '[binaries]', ...lines, ''].join('\n');
}

const FOR_THIS_MACHINE = /^(x86_64(-\w+)*-)?[a-z+]+(-\d+)?$/;

/** Names on the PATH that mean a compiler for this machine: `gcc`, `g++-12`, `x86_64-linux-gnu-gcc`. */
function usualNames(env: NodeJS.ProcessEnv): string[] {
  const folders = (env.PATH ?? '').split(path.delimiter).filter(folder => path.isAbsolute(folder));
  const names = folders.flatMap(folder => (existsSync(folder) ? readdirSync(folder) : []));
  return [...new Set(names)]
    .filter(name => FOR_THIS_MACHINE.test(name) && leadingCompiler([name]).length > 0 && onPath(name, env))
    .sort();
}

function commandOf(name: string): string {
  if (/^gfortran/.test(name)) return COMMANDS.fortran;
  return /\+\+/.test(name) ? COMMANDS['c++'] : COMMANDS.c;
}

function writeFolder(folder: string, files: readonly File[]): void {
  const making = temporaryBeside(folder);
  try {
    for (const [name, content] of files) {
      const file = path.join(making, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content, { mode: content.startsWith('#!') ? 0o755 : 0o644 });
    }
    renameSync(making, folder);
  } catch (error) {
    // Another process was quicker with the same content.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}
