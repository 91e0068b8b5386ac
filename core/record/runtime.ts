/**
 * The recorder's runtime, built from the C sources that ship with the package, once for each compiler and version of
 * the sources (about a second), and kept in the cache.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { assetPath } from '../assets.js';
import { cacheFolder, contentName, temporaryBeside } from './cache.js';
import { type Compiler, findCompiler } from './compiler.js';
import { RecordError } from './errors.js';

export const RUNTIME_NAME = 'libpagelens.so';

export interface Runtime {
  /** Absolute; holds libpagelens.so. */
  readonly folder: string;
  /** What links a program against it: before the user's own libraries, so that its allocation functions are found first. */
  readonly linkFlags: readonly string[];
}

/** How the runtime itself is compiled; core/record/runtime/README.md has the reasons. */
const BUILD_FLAGS = [
  ...['-std=gnu11', '-O2', '-g', '-fPIC', '-fvisibility=hidden', '-ftls-model=initial-exec'],
  // C++ exceptions pass through operator new, and its clean-up must run then.
  ...['-fexceptions', '-fno-builtin', '-fno-stack-protector', '-fomit-frame-pointer'],
];
const BUILD_LIBRARIES = ['-ldl', '-lpthread'];

/** Concurrent calls, of any number of processes, each get a whole runtime. */
export async function ensureRuntime(env: NodeJS.ProcessEnv = process.env): Promise<Runtime> {
  const compiler = findCompiler('c', env);
  const sources = sourceFiles(assetPath('runtime'));
  const name = contentName(
    compiler.identity,
    BUILD_FLAGS.join(' '),
    ...sources.flatMap(file => [path.basename(file), readFileSync(file)]),
  );
  const folder = path.join(cacheFolder(env), `runtime-${name}`);
  if (!existsSync(path.join(folder, RUNTIME_NAME))) await buildRuntime(compiler, sources, folder, env);
  return {
    folder,
    linkFlags: [
      `-L${folder}`,
      '-Wl,--push-state,--no-as-needed',
      '-lpagelens',
      '-Wl,--pop-state',
      `-Wl,-rpath,${folder}`,
    ],
  };
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => /\.[ch]$/.test(name))
    .sort()
    .map(name => path.join(folder, name))
    .filter(file => statSync(file).isFile());
}

async function buildRuntime(
  compiler: Compiler,
  sources: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const building = temporaryBeside(folder);
  await mkdir(building, { recursive: true });
  const call = async (args: readonly string[]) => {
    const { status, output } = await run(compiler.command[0]!, [...compiler.command.slice(1), ...args], env);
    if (status !== 0)
      throw new RecordError(
        `the recorder's runtime does not build with ${compiler.version} (install libc6-dev when headers are missing):\n${output}`,
        3,
        { code: 'no-compiler', package: 'libc6-dev' },
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
        await call([...BUILD_FLAGS, '-c', source, '-o', object]);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    const library = path.join(building, RUNTIME_NAME);
    await call(['-shared', ...objects.sort(), '-o', library, `-Wl,-soname,${RUNTIME_NAME}`, ...BUILD_LIBRARIES]);
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
