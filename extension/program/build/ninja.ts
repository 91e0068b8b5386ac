/** The programs of a `build.ninja`, and the copy of it that builds them with access hooks. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import * as path from 'node:path';
import { shellWord } from '../../../core/model/shell.js';
import {
  compilersOf,
  includedFiles,
  type NinjaCommand,
  parseTargets,
  programsOf,
  replacementOf,
  withReplacements,
  wrapperOf,
} from './ninjaFile.js';

const buildFile = 'build.ninja';

/** Reading the file takes a second for the largest projects. */
const timeLimitMs = 20_000;

export interface NinjaProject {
  /** Targets that link an executable. */
  readonly programs: readonly string[];
  /** Files that some rule makes. */
  readonly outputs: readonly string[];
  /** Compilers as the commands name them. */
  readonly compilers: readonly string[];
}

export function hasNinjaFile(folder: string): boolean {
  return existsSync(path.join(folder, buildFile));
}

/** Nothing is built: ninja's tools do not even make `build.ninja` anew. Rejects with ninja's message. */
export async function readNinja(folder: string, signal?: AbortSignal): Promise<NinjaProject> {
  const tool = (...args: string[]) => runTool(folder, args, signal);
  const targets = parseTargets(await tool('targets', 'all')).filter(({ rule }) => rule !== 'phony');
  const rules = [...new Set(targets.map(({ rule }) => rule))];
  const commands = rules.length > 0 ? (JSON.parse(await tool('compdb', ...rules)) as NinjaCommand[]) : [];
  return {
    programs: programsOf(commands),
    outputs: targets.map(({ output }) => output),
    compilers: compilersOf(commands),
  };
}

function runTool(folder: string, args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
  const limits = { timeout: timeLimitMs, maxBuffer: 256 << 20, ...(signal && { signal }) };
  return new Promise((resolve, reject) => {
    execFile('ninja', ['-t', ...args], { cwd: folder, ...limits }, (error, output, messages) => {
      if (!error) resolve(output);
      else reject(error.code === 1 && messages ? new Error(messages.trim()) : error);
    });
  });
}

/**
 * Puts the ninja files of a project into its mirror, calling the replacements. They are written anew each time: younger
 * than what they may be made from, they are not made again with the compilers that they had.
 */
export async function copyNinjaFiles(folder: string, mirror: string, compilers: readonly string[]): Promise<void> {
  const waiting = [buildFile];
  const done = new Set<string>();
  for (const name of waiting) {
    const from = path.resolve(folder, name);
    if (done.has(from) || !from.startsWith(folder + path.sep)) continue;
    done.add(from);
    const text = await readFile(from, 'utf8');
    waiting.push(...includedFiles(text));
    await replaceFile(path.join(mirror, path.relative(folder, from)), withReplacements(text, compilers));
  }
}

/** Never through a link: that one leads to the user's file. */
async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}

/** Scripts under the names of the compilers, each of which is the wrapper around that very compiler. */
export async function writeReplacements(
  folder: string,
  compilers: readonly string[],
  searchPath: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const compiler of compilers) {
    const wrapper = wrapperOf(compiler);
    const variable = { cc: 'PAGELENS_CC', 'c++': 'PAGELENS_CXX', fc: 'PAGELENS_FC' }[wrapper];
    // With the PATH that was there before, on which the compiler's name is the compiler.
    const script = `#!/bin/sh\nPATH=${shellWord(searchPath)} ${variable}=${shellWord(compiler)} exec pagelens ${wrapper} "$@"\n`;
    const file = path.join(folder, replacementOf(compiler));
    await replaceFile(file, script);
    await chmod(file, 0o755);
  }
}
