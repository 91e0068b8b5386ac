/**
 * One program counted three ways, line by line:
 *   report    what `pagelens profile` says of the build with access hooks;
 *   plain     what valgrind counts in the same compiler's build with the same flags but for the hooks;
 *   hooked    what valgrind counts in the very executable that was profiled, its hooks emptied: what each call of a hook
 *             reports, and the loads and stores that the code around the hooks makes.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { findCompiler } from '../../core/record/compiler.js';
import { RUNTIME_NAME } from '../../core/record/runtime.js';
import { countsAlone, pagelens, report } from './cli.js';
import { type ByMemory, type Executed, executedInstructions, MEMORIES, nowhere } from './lackey.js';
import { libraryCalls, type Place, placesOf } from './machineCode.js';

const execute = promisify(execFile);

export interface Program {
  /** Absolute. */
  readonly source: string;
  readonly args: readonly string[];
}

/** The reads, or the writes, of some code. */
export interface Counts {
  readonly plain: ByMemory;
  readonly hooked: ByMemory;
  /** What hooks report: single accesses, and ranges, which count one for each started 64-byte line. */
  readonly hooks: ByMemory;
  /** Those of `hooks` that are of ranges. */
  ranges: number;
  /** Bytes of what single accesses do to `data`: the plain build's, and as the hooks report. */
  plainBytes: number;
  hookBytes: number;
}

export interface LineCounts {
  readonly file: string;
  readonly line: number;
  readonly kind: 'reads' | 'writes';
  report: number;
  /** Mangled name of each function that holds code of the line, and what that code does. */
  readonly parts: Map<string, Counts>;
  /** The line calls functions of libraries, which may load, store and copy on its behalf. */
  callsLibrary: boolean;
}

export const noCounts = (): Counts => ({
  plain: nowhere(),
  hooked: nowhere(),
  hooks: nowhere(),
  ranges: 0,
  plainBytes: 0,
  hookBytes: 0,
});

export function addCounts(to: Counts, from: Counts): void {
  for (const side of ['plain', 'hooked', 'hooks'] as const)
    for (const memory of MEMORIES) to[side][memory] += from[side][memory];
  to.ranges += from.ranges;
  to.plainBytes += from.plainBytes;
  to.hookBytes += from.hookBytes;
}

/** gcc's and clang's hooks by what they report; a number is a size in bytes. */
const HOOKS = {
  reads:
    /^__tsan_(?:(?:unaligned_)?(?:volatile_)?read(?<single>\d+)|(?:unaligned_)?read_write(?<both>\d+)|vptr_read|read_range)$/,
  writes:
    /^__tsan_(?:(?:unaligned_)?(?:volatile_)?write(?<single>\d+)|(?:unaligned_)?read_write(?<both>\d+)|vptr_update|write_range)$/,
} as const;
const KINDS = ['reads', 'writes'] as const;
const isHook = (name: string) => KINDS.some(kind => HOOKS[kind].test(name));

/**
 * A hook that does nothing but load one byte where it is told of an access, and two bytes of each started 64-byte line
 * where it is told of a range: by which valgrind's log shows what was reported. A range as long as one instruction can
 * access is a single access (gcc calls the range hook for a field that may be unaligned).
 */
function emptied(hook: string): string {
  const work = /^__tsan_(mem\w+)$/.exec(hook);
  if (work) return `jmp ${work[1]}@plt`;
  if (!isHook(hook)) return 'ret';
  const single = 'movb (%rdi), %al; ret';
  if (!hook.endsWith('_range')) return single;
  return [
    'cmp $16, %rsi; ja 1f; lea -1(%rsi), %rax; test %rax, %rsi; jnz 1f; test %rsi, %rsi; jz 4f',
    single,
    '1: add %rdi, %rsi; jmp 3f',
    '2: movw (%rdi), %ax; or $63, %rdi; inc %rdi',
    '3: cmp %rsi, %rdi; jb 2b',
    '4: ret',
  ].join('\n');
}

/** What switches the hooks on, and makes them report more: everything else is common to both builds. */
const HOOK_FLAGS = /^-(?:specs=.*|fsanitize=thread|fno-sanitize-link-runtime)$/;

/** The flags of a recording but for the hooks. */
function plainFlags(flags: readonly string[]): string[] {
  const hookOption = (i: number) => flags[i] === '-mllvm' && flags[i + 1]!.startsWith('-tsan-');
  return flags.filter((flag, i) => !HOOK_FLAGS.test(flag) && !hookOption(i) && !(i > 0 && hookOption(i - 1)));
}

/**
 * Every line with an access in any of the three, its reads and its writes apart.
 * Builds in `folder`, and runs there. Throws when a build or a run fails.
 */
export async function countLines(
  { source, args }: Program,
  compiler: 'gcc' | 'clang',
  folder: string,
): Promise<LineCounts[]> {
  const language = source.endsWith('.c') ? 'c' : 'c++';
  const env = { ...process.env, PAGELENS_CC: compiler, PAGELENS_CXX: compiler === 'gcc' ? 'g++' : 'clang++' };
  const common = [
    ...['-O2', '-g', '-no-pie', '-fno-pie'],
    // Valgrind 3.19 and binutils 2.40 stumble over clang's DWARF 5.
    ...(compiler === 'clang' ? ['-gdwarf-4'] : []),
    // Bound at its start: no instructions of the dynamic linker between a call of a hook and the hook.
    '-Wl,-z,now',
    ...[source, '-lm'],
  ];
  const name = path.join(folder, `${path.basename(source)}-${compiler}`);
  const [plainFile, hookedFile, emptyRuntime] = [`${name}-plain`, `${name}-hooked`, `${name}-runtime`];

  const { command, compileFlags } = findCompiler(language, env);
  const [program = '', ...first] = command;
  const [built] = await Promise.all([
    pagelens([language === 'c' ? 'cc' : 'c++', ...common, '-o', hookedFile], { env }),
    execute(program, [...first, ...common, ...plainFlags(compileFlags), '-o', plainFile]),
  ]);
  if (built.status !== 0) throw new Error(`${source} was not built: ${built.stderr}`);

  const calls = libraryCalls(hookedFile);
  await makeEmptyRuntime(emptyRuntime, new Set(calls.values()), source);
  const hookCalls = new Set([...calls.keys()].filter(address => isHook(calls.get(address)!)));
  const [profile, plain, hooked] = await Promise.all([
    report(['profile', '--quiet', '--check', '--json', '-', ...countsAlone, hookedFile, ...args], 0, {
      env,
    }),
    executedInstructions(plainFile, args, { folder }),
    executedInstructions(hookedFile, args, {
      folder,
      env: { ...process.env, LD_LIBRARY_PATH: emptyRuntime },
      calls: hookCalls,
    }),
  ]);
  if (profile.lines.length === 0) throw new Error(`the report of ${source} has no lines`);

  const lines = new Map<string, LineCounts>();
  const lineOf = (file: string, line: number, kind: 'reads' | 'writes'): LineCounts => {
    // Headers are named by way of `..`.
    const normal = path.normalize(file);
    const key = `${normal}:${line} ${kind}`;
    let found = lines.get(key);
    if (!found) {
      found = { file: normal, line, kind, report: 0, parts: new Map(), callsLibrary: false };
      lines.set(key, found);
    }
    return found;
  };
  const partOf = (place: Place, kind: 'reads' | 'writes'): Counts => {
    const { parts } = lineOf(place.file, place.line, kind);
    let part = parts.get(place.function);
    if (!part) parts.set(place.function, (part = noCounts()));
    return part;
  };
  for (const row of profile.lines)
    for (const kind of KINDS) lineOf(row.file ?? '', row.line ?? 0, kind).report += row[kind];
  forEachPlace(plainFile, plain, (place, executed) => {
    for (const kind of KINDS) {
      const part = partOf(place, kind);
      addCounts(part, { ...noCounts(), plain: executed[kind] });
      part.plainBytes += kind === 'reads' ? executed.dataBytesRead : executed.dataBytesWritten;
    }
  });
  forEachPlace(hookedFile, hooked, (place, executed, address) => {
    const called = calls.get(address) ?? '';
    const inLibrary = called !== '' && (!called.startsWith('__tsan_') || called.startsWith('__tsan_mem'));
    for (const kind of KINDS) {
      const part = partOf(place, kind);
      addCounts(part, { ...noCounts(), hooked: executed[kind] });
      if (inLibrary) lineOf(place.file, place.line, kind).callsLibrary = true;
      const hook = HOOKS[kind].exec(called);
      if (!hook) continue;
      const { shown, shownTwice } = executed;
      addCounts(part, { ...noCounts(), hooks: shown });
      addCounts(part, { ...noCounts(), hooks: shownTwice });
      for (const memory of MEMORIES) part.ranges += shownTwice[memory];
      // A hook without a number is of a pointer, or of a range of a length that is not known here.
      part.hookBytes += shown.data * Number(hook.groups!.single ?? hook.groups!.both ?? 8);
    }
  });
  return [...lines.values()];
}

function forEachPlace(
  executable: string,
  instructions: ReadonlyMap<number, Executed>,
  use: (place: Place, executed: Executed, address: number) => void,
): void {
  const places = placesOf(executable);
  for (const [address, executed] of instructions) {
    const place = places.get(address);
    if (place) use(place, executed, address);
  }
}

/** A library under the runtime's name with these functions' hooks, emptied, and nothing else. */
async function makeEmptyRuntime(folder: string, functions: ReadonlySet<string>, source: string): Promise<void> {
  const assembly = ['.section .note.GNU-stack,"",@progbits', '.text'];
  for (const hook of functions) {
    if (hook.startsWith('__tsan_atomic'))
      throw new Error(`${source} calls ${hook}: hooks that do the program's work cannot be emptied`);
    if (hook.startsWith('__tsan_'))
      assembly.push(`.globl ${hook}`, `.type ${hook},@function`, `${hook}:`, emptied(hook));
  }
  await mkdir(folder);
  const linking = execute('gcc', ['-shared', '-x', 'assembler', '-', '-o', path.join(folder, RUNTIME_NAME)]);
  linking.child.stdin!.end(`${assembly.join('\n')}\n`);
  await linking;
}
