/**
 * What the access hooks see and what they do not, beside valgrind, which sees every load and store executed. Each
 * program prints the address ranges of its arrays, and both sides count only accesses to them:
 *   machine: `valgrind --tool=lackey --trace-mem=yes` on the plain -O2 build;
 *   seen: the steps that the verifying build of the runtime writes down unpredicted, of the build for recording.
 * The expected counts follow from the C sources. A difference between the two is what a rule of unseen.ts warns about.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { SITE_CLASS_MASK, SITE_RANGE_READ, SITE_RANGE_WRITE, SITE_READ, SITE_WRITE } from '../../core/kernel/abi.js';
import { build } from '../../core/record/build.js';
import { onPath } from '../../core/record/compiler.js';
import { UNSEEN_RULES, unseenWarnings } from '../../core/record/unseen.js';
import { compilers, environmentFor, programs, scratchFolder } from '../helpers/records.js';
import { buildRuntime, makeRun, readRun } from './rundir.js';

const folder = scratchFolder('unseen');
const CFLAGS = '-O2 -mavx2';
/** The programs use 256-bit vectors. */
const hasAvx2 = /\bavx2\b/.test(execFileSync('cat', ['/proc/cpuinfo'], { encoding: 'utf8' }));

interface Counts {
  reads: number;
  writes: number;
}
type ByArray = Record<string, Counts>;

interface Ranges {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function rangesOf(output: string): Ranges[] {
  return [...output.matchAll(/^(\w+) ([0-9a-f]+) ([0-9a-f]+)$/gm)].map(([, name, from, to]) => ({
    name: name!,
    from: Number.parseInt(from!, 16),
    to: Number.parseInt(to!, 16),
  }));
}

function noCounts(ranges: readonly Ranges[]): ByArray {
  return Object.fromEntries(ranges.map(({ name }) => [name, { reads: 0, writes: 0 }]));
}

/** Bytes that the plain program loads and stores, by array. Bytes, since a copy of 40 is 3 accesses here and 5 there. */
async function machineBytes(program: string, compiler: string): Promise<ByArray> {
  const executable = path.join(folder, `${program}-plain-${compiler}`);
  execFileSync(compiler, [...CFLAGS.split(' '), path.join(programs, 'unseen', `${program}.c`), '-o', executable]);
  const child = spawn('valgrind', ['--tool=lackey', '--trace-mem=yes', '--log-fd=9', executable], {
    stdio: ['ignore', 'pipe', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'ignore', 'pipe'],
  });
  // The ranges are printed, and flushed, before the arrays are used: but the two pipes are not in step, so all
  // accesses of data are kept until both have ended. They are few thousand lines.
  let output = '';
  child.stdout!.setEncoding('utf8').on('data', text => {
    output += text;
  });
  const accesses: [kind: string, address: number, size: number][] = [];
  const lines = createInterface({ input: (child.stdio as unknown[])[9] as NodeJS.ReadableStream });
  lines.on('line', line => {
    const match = /^ ([LSM]) ([0-9a-f]+),(\d+)$/.exec(line);
    if (match) accesses.push([match[1]!, Number.parseInt(match[2]!, 16), Number(match[3])]);
  });
  const [status] = await Promise.all([
    new Promise(resolve => child.once('close', resolve)),
    new Promise(resolve => lines.once('close', resolve)),
  ]);
  expect(status).toBe(0);

  const ranges = rangesOf(output);
  const counts = noCounts(ranges);
  for (const [kind, address, size] of accesses)
    for (const { name, from, to } of ranges)
      if (address >= from && address < to) {
        if (kind !== 'S') counts[name]!.reads += size;
        if (kind !== 'L') counts[name]!.writes += size;
      }
  return counts;
}

let runtime: string;
beforeAll(async () => {
  runtime = path.join(folder, 'runtime');
  mkdirSync(runtime);
  symlinkSync(await buildRuntime({ verify: true }), path.join(runtime, 'libpagelens.so'));
});

/** Accesses that the hooks and the runtime's functions report, by array; a range is one per started 64-byte line. */
async function seen(program: string, compiler: 'gcc' | 'clang'): Promise<ByArray> {
  const env = environmentFor(compiler);
  const source = path.join(programs, 'unseen', `${program}.c`);
  const into = path.join(folder, compiler);
  mkdirSync(into, { recursive: true });
  const executable = await build({ source, folder: into, cflags: CFLAGS, env });
  const run = makeRun(folder);
  const output = execFileSync(executable, {
    env: { ...env, PAGELENS_RUN: run, LD_LIBRARY_PATH: runtime },
    encoding: 'utf8',
  });
  const ranges = rangesOf(output);
  const counts = noCounts(ranges);
  for (const { raw } of readRun(run).streams)
    for (let at = 0; at < raw.length; at += 8) {
      // Word 0: the site's kind above the bit that says "written"; bit 32 marks events.
      const word = Number(raw[at]!);
      if (word >= 2 ** 32) continue;
      const kind = (word >> 1) & SITE_CLASS_MASK;
      const address = Number(raw[at + 2]!);
      const range = ranges.find(({ from, to }) => address >= from && address < to);
      if (!range) continue;
      const length = Number(raw[at + 3]!);
      const lines = Math.floor((address + length - 1) / 64) - Math.floor(address / 64) + 1;
      if (kind === SITE_READ) counts[range.name]!.reads++;
      else if (kind === SITE_WRITE) counts[range.name]!.writes++;
      else if (kind === SITE_RANGE_READ) counts[range.name]!.reads += lines;
      else if (kind === SITE_RANGE_WRITE) counts[range.name]!.writes += lines;
    }
  return counts;
}

const reads = (count: number): Counts => ({ reads: count, writes: 0 });
const writes = (count: number): Counts => ({ reads: 0, writes: count });

interface Case {
  readonly program: string;
  /** What it is about, and the rules of unseen.ts that warn about what is not seen, by compiler. */
  readonly about: string;
  readonly rules: { readonly gcc: readonly string[]; readonly clang: readonly string[] };
  /** Bytes loaded and stored. */
  readonly machine: ByArray;
  /** The C library's copies of long ranges may load and store the last vector's bytes twice: share of the bytes. */
  readonly overlap?: number;
  readonly gcc: ByArray;
  readonly clang: ByArray;
}

const CASES: readonly Case[] = [
  {
    program: 'const-table',
    about:
      'constant tables and string literals are not seen (with gcc those through a pointer are), variable tables are',
    rules: { gcc: ['constant-tables'], clang: ['constant-tables-clang'] },
    machine: { constant: reads(4000), literal: reads(1000), pointed: reads(1000), variable: reads(4000) },
    gcc: { constant: reads(0), literal: reads(0), pointed: reads(1000), variable: reads(1000) },
    clang: { constant: reads(0), literal: reads(0), pointed: reads(0), variable: reads(1000) },
  },
  {
    program: 'local-array',
    about: 'a local array that does not leave its function is not seen',
    rules: { gcc: ['local-arrays'], clang: ['local-arrays'] },
    // 10000 of the elements lie in the window that is counted, each written once and read once.
    machine: { array: { reads: 40_000, writes: 40_000 } },
    gcc: { array: reads(0) },
    clang: { array: reads(0) },
  },
  {
    program: 'wide-vectors',
    about: '256-bit vectors are seen with gcc, not with clang; 128-bit vectors with both',
    rules: { gcc: [], clang: ['wide-vectors'] },
    // One element of each result is read in the end, for the sum.
    machine: {
      wideFrom: reads(32_000),
      wideTo: { reads: 8, writes: 32_000 },
      narrowFrom: reads(16_000),
      narrowTo: { reads: 8, writes: 16_000 },
    },
    gcc: {
      wideFrom: reads(1000),
      wideTo: { reads: 1, writes: 1000 },
      narrowFrom: reads(1000),
      narrowTo: { reads: 1, writes: 1000 },
    },
    clang: {
      wideFrom: reads(0),
      wideTo: { reads: 1, writes: 0 },
      narrowFrom: reads(1000),
      narrowTo: { reads: 1, writes: 1000 },
    },
  },
  {
    program: 'intrinsics',
    about: 'load and store intrinsics are seen, masked ones are not, streaming stores with clang alone',
    rules: { gcc: ['streaming-masked-gather'], clang: ['masked-gather'] },
    machine: {
      from: reads(16_000),
      to: writes(16_000),
      streamed: writes(16_000),
      maskedFrom: reads(32_000),
      maskedTo: writes(32_000),
    },
    gcc: { from: reads(1000), to: writes(1000), streamed: writes(0), maskedFrom: reads(0), maskedTo: writes(0) },
    clang: { from: reads(1000), to: writes(1000), streamed: writes(1000), maskedFrom: reads(0), maskedTo: writes(0) },
  },
  {
    program: 'gather',
    about: 'gathers are not seen',
    rules: { gcc: ['streaming-masked-gather'], clang: ['masked-gather'] },
    machine: { from: reads(32_000) },
    gcc: { from: reads(0) },
    clang: { from: reads(0) },
  },
  {
    program: 'fixed-copies',
    about: 'copies and fills of a constant length are seen once, __builtin_memcpy by name with clang alone',
    rules: { gcc: ['builtin-copies'], clang: [] },
    machine: {
      copyFrom: reads(400),
      copyTo: writes(400),
      bigFrom: reads(50_000),
      bigTo: writes(50_000),
      fill: writes(50_000),
      builtinFrom: reads(400),
      builtinTo: writes(400),
      smallFrom: reads(400),
      smallTo: writes(400),
      largeFrom: reads(50_000),
      largeTo: writes(50_000),
      hugeFrom: reads(200_000),
      hugeTo: writes(200_000),
    },
    overlap: 0.01,
    // Ten rounds of 1, 79 and 313 lines.
    gcc: {
      copyFrom: reads(10),
      copyTo: writes(10),
      bigFrom: reads(790),
      bigTo: writes(790),
      fill: writes(790),
      builtinFrom: reads(0),
      builtinTo: writes(0),
      smallFrom: reads(10),
      smallTo: writes(10),
      largeFrom: reads(790),
      largeTo: writes(790),
      hugeFrom: reads(3130),
      hugeTo: writes(3130),
    },
    clang: {
      copyFrom: reads(10),
      copyTo: writes(10),
      bigFrom: reads(790),
      bigTo: writes(790),
      fill: writes(790),
      builtinFrom: reads(10),
      builtinTo: writes(10),
      smallFrom: reads(10),
      smallTo: writes(10),
      largeFrom: reads(790),
      largeTo: writes(790),
      hugeFrom: reads(3130),
      hugeTo: writes(3130),
    },
  },
];

describe.skipIf(!hasAvx2).each(compilers)('%s', compiler => {
  test.each(CASES)('$program: $about', async ({ program, [compiler]: expected, rules }) => {
    expect(await seen(program, compiler)).toEqual(expected);
    // What is unseen is warned about in a build with these flags.
    const warnings = unseenWarnings([compiler], [CFLAGS]);
    for (const id of rules[compiler]) expect(warnings).toContain(UNSEEN_RULES.find(rule => rule.id === id)!.warning);
  });

  test.skipIf(!onPath('valgrind')).each(CASES)(
    '$program: valgrind counts what the source says',
    async ({ program, machine, overlap = 0 }) => {
      const counted = await machineBytes(program, compiler);
      expect(Object.keys(counted)).toEqual(Object.keys(machine));
      for (const [name, { reads, writes }] of Object.entries(machine))
        for (const [count, least] of [
          [counted[name]!.reads, reads],
          [counted[name]!.writes, writes],
        ] as const) {
          expect(count, name).toBeGreaterThanOrEqual(least);
          expect(count, name).toBeLessThanOrEqual(least * (1 + overlap));
        }
    },
  );
});

test('a warning is given only for the compiler and the flags that it is about', () => {
  const wide = UNSEEN_RULES.find(rule => rule.id === 'wide-vectors')!.warning;
  expect(unseenWarnings(['clang'], ['-O2 -g'])).not.toContain(wide);
  expect(unseenWarnings(['clang'], ['-O2', '-O2 -march=native'])).toContain(wide);
  // Flags that are not known may be any.
  expect(unseenWarnings(['clang'], [])).toContain(wide);
  expect(unseenWarnings(['gcc'], ['-O2 -mavx2'])).not.toContain(wide);
  expect(unseenWarnings([], [])).toEqual([]);
});
