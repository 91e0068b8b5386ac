/** What a program says of itself by `pagelens.h`, through each recorder: counts by hand from the programs' sources. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { load } from '../../core/profile/file.js';
import type { Report } from '../../core/profile/report.js';
import { onPath } from '../../core/record/compiler.js';
import { choosablePhases } from '../../core/server/phases.js';
import { countsAlone, pagelens, report, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (name: string) => path.join(root, 'test/programs/marks', name);
const header = path.join(root, 'core/record/include');

const profiled = (args: readonly string[], env = {}): Promise<Report> =>
  report(['profile', '--quiet', '--check', '--json', '-', ...countsAlone, ...args], 0, { env });

const regionsOf = ({ regions }: Report) =>
  regions.map(({ kind, name, times, reads, writes, pages }) => ({ kind, name, times, reads, writes, pages }));

/** A page has 512 longs; `grid` has 4 pages, the other array 2. */
const MARKS = [
  // Three turns of outer, and the 512 reads behind them.
  { kind: 'phase', name: 'work', times: 1, reads: 3 * (1024 + 512) + 512, writes: 3 * 512, pages: 3 },
  { kind: 'region', name: 'outer', times: 3, reads: 3 * (1024 + 512), writes: 3 * 512, pages: 3 },
  { kind: 'phase', name: 'set-up', times: 1, reads: 0, writes: 6 * 512, pages: 6 },
  { kind: 'region', name: 'inner', times: 3, reads: 3 * 512, writes: 0, pages: 1 },
  { kind: 'region', name: 'left open', times: 1, reads: 512, writes: 0, pages: 1 },
];

describe.each(['gcc', 'clang'].filter(compiler => onPath(compiler)))('built with %s', compiler => {
  test('regions, phases and tags have the counts of what happened in them', async () => {
    const trace = path.join(folder, `${compiler}.pltrace`);
    const flags = compiler === 'clang' ? '-O2 -fno-vectorize -fno-unroll-loops' : '-O2';
    const found = await profiled(['--cflags', flags, '--trace', trace, source('marks.c')], { CC: compiler });
    expect(regionsOf(found)).toEqual(MARKS);
    const [work] = found.regions;
    expect(work!.share).toBeCloseTo((5120 + 1536) / (5120 + 4608), 5);
    // Three turns of 1,024 reads and 512 writes, behind 4 pages of 512 writes; the other array keeps its own name.
    const grid = found.objects.find(({ name }) => name === 'grid');
    expect(grid).toMatchObject({ kind: 'heap', blocks: 1, bytes: 16384, reads: 3072, writes: 3584, pages: 4 });
    expect(grid!.file).toBe(source('marks.c'));
    const other = found.objects.find(({ name }) => name.startsWith('aligned_alloc'));
    expect(other).toMatchObject({ blocks: 1, bytes: 8192, reads: 2048, writes: 1024, pages: 2 });
    // Older readers refuse it by its version.
    expect(readFileSync(trace).readUInt32LE(8)).toBe(2);
  });
});

test('each thread has its regions, recursion counts once, a phase lies around them', async () => {
  const found = await profiled(['--cflags', '-O2 -std=c++11', source('threads.cc')]);
  const named = (name: string) => found.regions.find(row => row.name === name);
  // What the library of threads does is not built with hooks, but for its inline functions: at least.
  expect(named('worker')).toMatchObject({ kind: 'region', times: 2, reads: 0, writes: 3050, pages: 2 });
  expect(named('deep')).toMatchObject({ kind: 'region', times: 1, reads: 0, writes: 50, pages: 1 });
  expect(named('one')).toMatchObject({ kind: 'phase', times: 1, reads: 0, writes: 100, pages: 1 });
  // The main thread's own, without those of the workers.
  const across = named('across')!;
  expect(across.writes).toBeGreaterThanOrEqual(300);
  expect(across.writes).toBeLessThan(1000);
  expect(named('two')!.writes).toBe(found.accesses.writes - 100);
  const arena = found.objects.find(({ name }) => name === 'arena');
  expect(arena).toMatchObject({ kind: 'anonymous', bytes: 4 * 4096, writes: 100 + 200 + 3050 + 7, pages: 4 });
});

test('a trace without marks stays one that older readers take', async () => {
  const trace = path.join(folder, 'none.pltrace');
  const file = path.join(folder, 'none.c');
  writeFileSync(file, 'static volatile int x;\nint main(void) { x = 1; return 0; }\n');
  const found = await profiled(['--trace', trace, file]);
  expect(found.regions).toEqual([]);
  expect(readFileSync(trace).readUInt32LE(8)).toBe(1);
});

test('the editor offers the stretches of what was named, before those that it detected', async () => {
  const saved = path.join(folder, 'phases.pagelens');
  await profiled(['--epoch', '512', '--save', saved, source('marks.c')]);
  const phases = choosablePhases(await load(saved));
  const named = phases.filter(({ named }) => named);
  expect(phases.slice(0, named.length)).toEqual(named);
  // Set-up is 3,072 of 9,728 accesses: epochs 0 to 6 of 512. A turn is 2,048: behind set-up, and behind each other.
  expect(named.map(({ named, window, share }) => [named, window, Math.round(share * 9728)])).toEqual([
    [{ name: 'work', number: 1, of: 1 }, [6, 19], 6656],
    [{ name: 'outer', number: 1, of: 3 }, [6, 10], 2048],
    [{ name: 'outer', number: 2, of: 3 }, [10, 14], 2048],
    [{ name: 'outer', number: 3, of: 3 }, [14, 18], 2048],
    [{ name: 'set-up', number: 1, of: 1 }, [0, 6], 3072],
    [{ name: 'inner', number: 1, of: 3 }, [8, 9], 512],
    [{ name: 'inner', number: 2, of: 3 }, [12, 13], 512],
    [{ name: 'inner', number: 3, of: 3 }, [16, 17], 512],
    [{ name: 'left open', number: 1, of: 1 }, [18, 19], 512],
  ]);
  expect(new Set(phases.map(({ id }) => id)).size).toBe(phases.length);
});

const native = (compiler: string, ...flags: string[]): string => {
  const program = path.join(folder, `marks-${compiler}${flags.join('')}`);
  const options = ['-g', '-O2', '-fno-tree-vectorize', `-I${header}`, ...flags, source('marks.c'), '-o', program];
  execFileSync(compiler, options);
  return program;
};

/** At machine level the marks' own loads and stores, and those of the calls around, are counted too: a few of each. */
function expectAtMachineLevel(found: Report): void {
  for (const { kind, name, times, reads, writes, pages } of MARKS.filter(({ name }) => !/work|open/.test(name))) {
    const row = found.regions.find(row => row.kind === kind && row.name === name);
    expect(row, name).toMatchObject({ kind, times });
    expect(row!.reads - reads).toBeGreaterThanOrEqual(0);
    expect(row!.reads - reads).toBeLessThan(60);
    expect(row!.writes - writes).toBeGreaterThanOrEqual(0);
    expect(row!.writes - writes).toBeLessThan(120);
    expect(row!.pages).toBeGreaterThanOrEqual(pages);
    expect(row!.pages).toBeLessThanOrEqual(pages + 3);
  }
  expect(found.regions.map(({ name }) => name).sort()).toEqual(MARKS.map(({ name }) => name).sort());
}

test('under valgrind an unmodified program is heard, by gcc and with blocks named', async () => {
  const found = await profiled(['--recorder', 'valgrind', native('gcc')]);
  expectAtMachineLevel(found);
  const grid = found.objects.find(({ name }) => name === 'grid');
  expect(grid).toMatchObject({ kind: 'heap', blocks: 1, bytes: 16384, reads: 3072, writes: 3584, pages: 4 });
});

test.each([['gcc'], ['aarch64-linux-gnu-gcc', '-static']])('under QEMU, built with %s', async (compiler, ...flags) => {
  const found = await profiled(['--recorder', 'qemu', native(compiler!, ...flags)]);
  expectAtMachineLevel(found);
  // Blocks of the heap are not known there, and nothing else begins at that address.
  expect(found.objects.some(({ name }) => name === 'grid')).toBe(false);
});

test.each([['gcc'], ['g++', '-x', 'c++'], ['gcc', '-DPAGELENS_DISABLE']])(
  'unrecorded, a program built with %s %s does what it does without',
  (compiler, ...flags) => {
    // Warnings are errors: the header goes into other people's builds.
    const strict = ['-Wall', '-Wextra', '-Wpedantic', '-Wconversion', '-Werror', `-I${header}`];
    const program = path.join(folder, `plain-${compiler}${flags.length}`);
    const standard = compiler === 'g++' ? '-std=c++11' : '-std=c11';
    const file = path.join(folder, 'plain.c');
    writeFileSync(
      file,
      '#include <pagelens.h>\n#include <stddef.h>\nint main(void) { pagelens_phase("a"); pagelens_region_begin("b"); ' +
        'pagelens_region_end("b"); pagelens_tag(NULL, "c"); return 0; }\n',
    );
    execFileSync(compiler!, [...flags, standard, ...strict, file, '-o', program]);
    expect(execFileSync(program)).toHaveLength(0);
  },
);

test('the folder of the header is printed for builds without the wrappers', async () => {
  const { status, stdout } = await pagelens(['toolchain', 'include']);
  expect(status).toBe(0);
  expect(readFileSync(path.join(stdout.trim(), 'pagelens.h'), 'utf8')).toBe(
    readFileSync(path.join(header, 'pagelens.h'), 'utf8'),
  );
});
