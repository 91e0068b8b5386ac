/**
 * Programs of ours in C that are built on the user's machine on first use: once for each compiler and content, about a
 * second each, kept in the cache.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import * as l10n from '../model/l10n.js';
import { cacheFolder, contentName, temporaryBeside } from './cache.js';
import type { Compiler } from './compiler.js';
import { RecordError } from './errors.js';

export interface Compilation {
  /** What it is, in a message: `the recorder's runtime`. */
  readonly title: string;
  /** What its folder in the cache begins with. */
  readonly prefix: string;
  /** What is built: a file name. */
  readonly product: string;
  /** Absolute; each `.c` becomes an object. All take part in the name of the result, headers too. */
  readonly sources: readonly string[];
  /** What else the result depends on, such as the version of a library. */
  readonly identity?: string;
  readonly flags: readonly string[];
  /** The command line that makes the product of the objects. */
  link(objects: readonly string[], product: string): readonly string[];
  /** Debian's package to name when it does not build. */
  readonly package: string;
}

/** The folder with the product. Concurrent calls, of any number of processes, each get a whole one. */
export async function compileOnce(
  compilation: Compilation,
  compiler: Compiler,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const { prefix, product, sources, flags, identity = '' } = compilation;
  const name = contentName(
    compiler.identity,
    flags.join(' '),
    identity,
    ...sources.flatMap(file => [path.basename(file), readFileSync(file)]),
  );
  const folder = path.join(cacheFolder(env), `${prefix}-${name}`);
  if (!existsSync(path.join(folder, product))) await compile(compilation, compiler, folder, env);
  return folder;
}

/** The C files and headers of a folder, in order of name. */
export function sourcesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => /\.[ch]$/.test(name))
    .sort()
    .map(name => path.join(folder, name));
}

async function compile(
  { title, product, sources, flags, link, package: missing }: Compilation,
  compiler: Compiler,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const building = temporaryBeside(folder);
  await mkdir(building, { recursive: true });
  const call = async (args: readonly string[]) => {
    const { status, output } = await run(compiler.command[0]!, [...compiler.command.slice(1), ...args], env);
    if (status !== 0)
      throw new RecordError(
        l10n.kept(
          '{0} does not build with {1} (install {2} when headers are missing):{3}',
          title,
          compiler.version,
          missing,
          `\n${output}`,
        ),
        3,
        { code: 'no-compiler', package: missing },
      );
  };
  try {
    // The files side by side: somebody is waiting for the first recording.
    const objects: string[] = [];
    const waiting = sources.filter(file => file.endsWith('.c'));
    const work = async () => {
      for (let source = waiting.shift(); source; source = waiting.shift()) {
        const object = path.join(building, `${path.basename(source, '.c')}.o`);
        objects.push(object);
        await call([...flags, '-c', source, '-o', object]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    await call(link(objects.sort(), path.join(building, product)));
    for (const object of objects) rmSync(object);
    await rename(building, folder).catch((error: NodeJS.ErrnoException) => {
      // Another process was quicker with the same content.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (text: string) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (status, signal) =>
      resolve({ status: status ?? 1, output: signal ? `${output}ended by ${signal}` : output }),
    );
  });
}
