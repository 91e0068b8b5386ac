/**
 * Runs an unmodified program with its allocations placed (`pagelens apply`): makes the plan for this build of it, and
 * starts it with the preload library. Nothing but the environment of the program changes.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { assetPath } from '../assets.js';
import { UsageError } from '../errors.js';
import { compileOnce, sourcesOf } from '../record/compileOnce.js';
import { findCompiler } from '../record/compiler.js';
import { RecordError } from '../record/errors.js';
import { ElfFile } from '../symbols/elf.js';
import { globalsOf } from '../symbols/globals.js';
import { findTool, runTool } from '../symbols/tools.js';
import { callSites } from './callSites.js';
import { type Applied, bytesOfCounters, readCounters } from './counters.js';
import { memoryNodes, nodesOfTiers } from './nodes.js';
import type { PlacementFile } from './placementFile.js';
import { makePlan, type PlanModule } from './plan.js';

const LIBRARY = 'libpagelens-placement.so';
const FLAGS = [
  ...['-std=gnu11', '-O2', '-g', '-fPIC', '-fvisibility=hidden', '-fexceptions', '-fno-builtin'],
  '-fno-omit-frame-pointer',
];

export interface ApplyOptions {
  readonly placement: PlacementFile;
  /** As typed: a path, or a name on PATH. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** Text of `--nodes`. */
  readonly nodes?: string;
  /** The same build with its debug information, when the program is stripped. */
  readonly symbols?: string;
  /** Absolute: libraries that the program loads while it runs. */
  readonly libraries?: readonly string[];
}

export interface ApplyResult extends Applied {
  readonly exit: { readonly status: number } | { readonly signal: string };
  readonly nodes: readonly number[];
  readonly machineNodes: readonly number[];
}

/**
 * @throws UsageError for nodes that do not fit, RecordError (3) when the program cannot be started or cannot be placed.
 */
export async function apply(options: ApplyOptions): Promise<ApplyResult> {
  const executable = executableOf(options.program);
  const machineNodes = memoryNodes();
  const nodes = nodesOfTiers(options.placement.tiers, machineNodes, options.nodes);
  const modules = await modulesOf(executable, options);
  const plan = makePlan(options.placement, modules, nodes);
  const library = await preloadLibrary();

  const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-apply-'));
  try {
    const planFile = path.join(folder, 'plan');
    const countsFile = path.join(folder, 'counts');
    writeFileSync(planFile, plan.bytes);
    writeFileSync(countsFile, Buffer.alloc(bytesOfCounters(plan)));
    const preload = [library, process.env.LD_PRELOAD].filter(Boolean).join(':');
    const exit = await run(executable, options.arguments, {
      ...process.env,
      LD_PRELOAD: preload,
      PAGELENS_PLAN: planFile,
      PAGELENS_PLAN_COUNTS: countsFile,
    });
    const applied = readCounters(readFileSync(countsFile), plan, options.placement.objects);
    return { ...applied, exit, nodes, machineNodes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function executableOf(program: string): string {
  const file = program.includes('/') ? path.resolve(program) : findTool(program);
  if (file === null || !existsSync(file)) throw new RecordError(`${program}: no such program`, 3);
  if (statSync(file).isDirectory()) throw new RecordError(`${program} is a folder, not a program`, 3);
  return file;
}

/** The executable and the libraries of its own that it is linked with; those of the system hold no call of the user's. */
async function modulesOf(executable: string, { symbols, libraries = [] }: ApplyOptions): Promise<PlanModule[]> {
  const real = realpathSync(executable);
  const elf = await ElfFile.open(real);
  if (!elf)
    throw new RecordError(`${executable} is no 64-bit ELF program; apply places what a compiled program allocates`, 3);
  const dynamic = elf.sections.some(({ name }) => name === '.interp');
  await elf.close();
  if (!dynamic)
    throw new RecordError(
      `${executable} is linked statically, so no library can be loaded before it; link it without -static`,
      3,
    );
  if (symbols !== undefined && !existsSync(symbols)) throw new UsageError(`--symbols ${symbols}: no such file`);
  const missing = libraries.find(file => !existsSync(file));
  if (missing !== undefined) throw new UsageError(`--module ${missing}: no such file`);
  const files = [...new Set([real, ...(await librariesOf(real)), ...libraries.map(file => realpathSync(file))])];
  return Promise.all(
    files.map(file => moduleOf(file, file === real && symbols !== undefined ? path.resolve(symbols) : file)),
  );
}

async function moduleOf(file: string, debugFile: string): Promise<PlanModule> {
  const sites = await callSites(file, debugFile);
  if (!sites)
    throw new RecordError('objdump, which finds the calls of a program, is missing or failed; install binutils', 3);
  return { path: file, sites, globals: await globalsOf(debugFile) };
}

/** Folders of the system's libraries. */
const SYSTEM = /^\/(?:usr\/)?lib(?:32|64|x32)?\//;

/** As the loader finds them, without links; empty when it does not say. */
async function librariesOf(executable: string): Promise<string[]> {
  const ldd = findTool('ldd');
  const text = ldd ? await runTool(ldd, [executable], '') : null;
  const files = [...(text ?? '').matchAll(/^\t(?:\S+ => )?(\/.*) \(0x[0-9a-f]+\)$/gm)].map(match => match[1]!);
  return [...new Set(files.filter(file => !SYSTEM.test(file) && existsSync(file)).map(file => realpathSync(file)))];
}

async function preloadLibrary(): Promise<string> {
  const folder = await compileOnce(
    {
      title: 'the library that places allocations',
      prefix: 'placement',
      product: LIBRARY,
      sources: sourcesOf(assetPath('preload')),
      flags: FLAGS,
      link: (objects, product) => ['-shared', ...objects, '-o', product, `-Wl,-soname,${LIBRARY}`, '-ldl', '-lpthread'],
      package: 'libc6-dev',
    },
    findCompiler('c', process.env),
    process.env,
  );
  return path.join(folder, LIBRARY);
}

/** Runs the program on our own standard streams. Ctrl-C reaches it as well as us: its end is ours. */
function run(
  executable: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ status: number } | { signal: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(executable, args, { env, stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    const ignore = () => {};
    process.on('SIGINT', ignore);
    process.on('SIGTERM', pass);
    const settled = () => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', pass);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settled();
      reject(
        new RecordError(
          `${executable} cannot be started: ${error.code === 'EACCES' ? 'permission denied' : error.message}`,
          3,
        ),
      );
    });
    child.once('exit', (status, signal) => {
      settled();
      resolve(signal ? { signal } : { status: status ?? 0 });
    });
  });
}

/** Name of an error number, such as EPERM. */
export function errorName(number: number): string {
  return Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
}
