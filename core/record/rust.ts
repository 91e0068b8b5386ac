/**
 * `pagelens rustc` and `pagelens cargo`: Rust with access hooks, on the stable toolchain.
 *
 * Three of LLVM's passes run behind rustc's own. The coverage pass reports loads and stores, those of constants and of
 * local arrays among them; the race detector's pass reports what that one does not know: entries and exits of functions,
 * atomic operations, and copies, for which it must be forced upon every function. Older compilers cannot force it, and
 * would report atomic loads twice: there atomic read-modify-writes and copies of structures are unseen. The precompiled
 * standard library stays as it is, but for what is generic or inlined into the program's own crates.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import * as l10n from '../model/l10n.js';
import { cacheFolder, contentName, temporaryBeside, writeAtomically } from './cache.js';
import { onPath } from './compiler.js';
import { RecordError } from './errors.js';
import { toolchainProgram } from './toolchain.js';

const LOADS_AND_STORES = [
  '-sanitizer-coverage-level=1',
  '-sanitizer-coverage-trace-loads',
  '-sanitizer-coverage-trace-stores',
  // The coverage pass has reported them.
  '-tsan-instrument-memory-accesses=0',
];
const FORCED = '-force-attribute=sanitize_thread';
const WITHOUT_ATOMICS = '-tsan-instrument-atomics=0';

/** Atomic accesses become calls before the coverage pass looks for loads and stores. */
const PASSES = 'tsan-module,function(tsan),sancov-module';

/** What a command of cargo's tells the wrapper of rustc: crates for this target are the program's, others the build's. */
const TARGET_VARIABLE = 'PAGELENS_RUST_TARGET';
/** The wrapper of rustc that the user has. */
const WRAPPER_VARIABLE = 'PAGELENS_RUSTC_WRAPPER';

/**
 * rustc's arguments with ours: debug information that a later option may change, hooks, and a linker that puts the
 * runtime first. Stripping is left out. `linker` is `pagelens-cc`; `whole`: copies and atomics can be reported.
 */
export function rustArguments(args: readonly string[], linker: string, whole: boolean): string[] {
  const debug = args.includes('-g') ? [] : ['-C', 'debuginfo=2'];
  return [...debug, ...withoutStripping(args), ...hookArguments(whole), '-C', `linker=${linker}`];
}

function hookArguments(whole: boolean): string[] {
  const llvm = [...LOADS_AND_STORES, whole ? FORCED : WITHOUT_ATOMICS];
  return ['-C', `passes=${PASSES}`, ...llvm.flatMap(argument => ['-C', `llvm-args=${argument}`])];
}

/**
 * Whether this compiler's race detector can be forced upon every function: asked once, kept in the cache under the whole
 * version, since rustup's rustc is one file for all of its compilers.
 */
function reportsCopies(rustc: string, env: NodeJS.ProcessEnv): boolean {
  const version = answerOf([rustc, '-vV'], env);
  const folder = cacheFolder(env);
  const known = path.join(folder, `rustc-${contentName(version, hookArguments(true).join(' '))}.json`);
  if (existsSync(known)) return JSON.parse(readFileSync(known, 'utf8')) as boolean;
  const assembly = temporaryBeside(path.join(folder, 'probe.s'));
  const source = '#[no_mangle] pub fn copy(to: &mut [u64; 8], from: &[u64; 8]) { *to = *from }';
  const compile = (whole: boolean) => {
    const options = ['--crate-type=lib', '--emit=asm', '-O', ...hookArguments(whole)];
    return spawnSync(rustc, ['-', ...options, '-o', assembly], { input: source, env, encoding: 'utf8' });
  };
  try {
    const forced = compile(true).status === 0;
    const { status, stderr } = forced ? { status: 0, stderr: '' } : compile(false);
    if (status !== 0)
      throw new RecordError(
        l10n.kept('{0} cannot instrument accesses: {1}; install a newer one', rustc, stderr.trim().split('\n')[0]!),
      );
    const text = forced ? readFileSync(assembly, 'latin1') : '';
    const reports = text.includes('__tsan_memcpy');
    writeAtomically(known, String(reports));
    return reports;
  } finally {
    rmSync(assembly, { force: true });
  }
}

function withoutStripping(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-C' && args[i + 1]?.startsWith('strip=')) i++;
    else if (!args[i]!.startsWith('-Cstrip=')) kept.push(args[i]!);
  }
  return kept;
}

function hooked(rustc: string, args: readonly string[], env: NodeJS.ProcessEnv): string[] {
  return rustArguments(args, toolchainProgram('cc', env), reportsCopies(rustc, env));
}

/** The whole command of rustc for a program of the user's. @throws RecordError when there is no rustc or no C compiler */
export function rustcCommand(args: readonly string[], env: NodeJS.ProcessEnv): string[] {
  const rustc = findRust('rustc', env);
  return [rustc, ...hooked(rustc, args, env)];
}

/** Whether this run of rustc makes code of the program: not of a macro or build script that runs while it is built. */
export function makesProgram(args: readonly string[], target: string | undefined): boolean {
  if (!args.some(word => word.endsWith('.rs') || word === '-')) return false;
  return target === undefined || args.some((word, i) => word === `--target=${target}` || args[i - 1] === '--target');
}

/**
 * `pagelens rustc [RUSTC] ARGS`, also as cargo's RUSTC_WRAPPER. Returns the exit status of rustc.
 * @throws RecordError when there is no rustc or no C compiler to link with
 */
export function rustcWrapper(commandLine: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const named = /(^|\/)(clippy-driver|rustc)$/.test(commandLine[0] ?? '');
  const rustc = named ? commandLine[0]! : findRust('rustc', env);
  const args = named ? commandLine.slice(1) : commandLine;
  const words = [...(env[WRAPPER_VARIABLE] ? [env[WRAPPER_VARIABLE]] : []), rustc];
  const own = makesProgram(args, env[TARGET_VARIABLE]) ? hooked(rustc, args, env) : args;
  return run([...words, ...own], env);
}

/**
 * `pagelens cargo ARGS`: cargo, whose target is this machine by name, so that what runs during the build (macros, build
 * scripts) is told apart from the program, in a target folder of its own. Returns the exit status of cargo.
 * @throws RecordError when there is no cargo or rustc
 */
export function cargo(args: readonly string[], env: NodeJS.ProcessEnv = process.env): number {
  const program = findRust('cargo', env);
  const target = givenTarget(args) ?? env.CARGO_BUILD_TARGET ?? hostTarget(env);
  const variable = target.replaceAll('-', '_');
  return run([program, ...args], {
    ...env,
    CARGO_BUILD_TARGET: target,
    CARGO_TARGET_DIR: env.CARGO_TARGET_DIR ?? path.join(targetFolder(program, env), 'pagelens'),
    RUSTC_WRAPPER: toolchainProgram('rustc', env),
    ...(env.RUSTC_WRAPPER && { [WRAPPER_VARIABLE]: env.RUSTC_WRAPPER }),
    [TARGET_VARIABLE]: target,
    // C and C++ that build scripts compile for the program, by the names that the crate cc looks for.
    [`CC_${variable}`]: toolchainProgram('cc', env),
    [`CXX_${variable}`]: toolchainProgram('c++', env),
  });
}

function givenTarget(args: readonly string[]): string | undefined {
  const at = args.indexOf('--target');
  return at >= 0 ? args[at + 1] : args.find(word => word.startsWith('--target='))?.slice('--target='.length);
}

function hostTarget(env: NodeJS.ProcessEnv): string {
  const rustc = findRust('rustc', env);
  const host = /^host: (\S+)$/m.exec(answerOf([rustc, '-vV'], env))?.[1];
  if (!host) throw new RecordError(l10n.kept('{0} -vV does not name this machine: is it a Rust compiler?', rustc));
  return host;
}

/** Cargo's target folder; outside a package, where cargo will say so, the one of the working directory. */
function targetFolder(program: string, env: NodeJS.ProcessEnv): string {
  try {
    const text = answerOf([program, 'metadata', '--no-deps', '--format-version', '1', '--offline'], env);
    return (JSON.parse(text) as { target_directory: string }).target_directory;
  } catch {
    return path.resolve('target');
  }
}

function findRust(name: 'rustc' | 'cargo', env: NodeJS.ProcessEnv): string {
  const wanted = env[name.toUpperCase()] || name;
  const found = onPath(wanted, env);
  if (found) return found;
  throw new RecordError(l10n.kept('{0} was not found: install it (apt-get install {1}, or rustup)', wanted, name), 3, {
    code: 'no-compiler',
    package: name,
  });
}

function answerOf(words: readonly string[], env: NodeJS.ProcessEnv): string {
  return spawnSync(words[0]!, words.slice(1), { env, encoding: 'utf8', maxBuffer: 64 << 20 }).stdout ?? '';
}

function run(words: readonly string[], env: NodeJS.ProcessEnv): number {
  const { status, signal, error } = spawnSync(words[0]!, words.slice(1), { stdio: 'inherit', env });
  if (error) throw error;
  return signal ? 128 + constants.signals[signal] : (status ?? 1);
}
