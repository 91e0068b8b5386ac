/** `--recorder valgrind`: unmodified executables, at machine level, beside other tools and answers derived by hand. */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { ensureValgrindTool } from '../../core/record/valgrind.js';
import { countsAlone, pagelens, read, report, root, scratch } from '../helpers/cli.js';
import { expectObjects } from '../helpers/knownObjects.js';
import { known, sourceOf } from '../programs/known/expected.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const machine = (name: string) => path.join(root, 'test/programs/machine', name);

/** Builds a program as its user would: without Pagelens. */
function built(source: string, ...flags: string[]): string {
  const program = path.join(folder, path.basename(source, path.extname(source)));
  execFileSync(source.endsWith('.cc') ? 'g++' : 'gcc', ['-g', '-O1', ...flags, source, '-o', program, '-pthread']);
  return program;
}

function recorded(args: readonly string[], expected = 0, env = {}): Promise<Report> {
  const options = ['--quiet', '--check', '--json', '-', ...countsAlone, '--recorder', 'valgrind'];
  return report(['profile', ...options, ...args], expected, { env });
}

const globalNamed = (found: Report, name: string) => {
  const rows = found.objects.filter(row => row.kind === 'global' && row.name === name);
  const sum = (of: 'reads' | 'writes') => rows.reduce((total, row) => total + row[of], 0);
  return { reads: sum('reads'), writes: sum('writes') };
};

test('every load and store of a whole process is counted, as lackey counts them', async () => {
  const program = built(machine('steps.c'), '-static', '-no-pie');
  const tool = await ensureValgrindTool(process.env);
  const own = path.dirname(realpathSync(path.join(tool.folder, 'default.supp')));
  const log = path.join(folder, 'lackey');
  // The start-up code looks at the environment, by words: it must lie on the stack as it does in the recorded run.
  const env = { ...process.env, VALGRIND_LIB: own.padEnd(tool.folder.length, '/') };
  execFileSync(tool.program, ['--tool=lackey', '--trace-mem=yes', `--log-file=${log}`, program], { env });
  const found = await recorded([program], 0, { VALGRIND_LIB: '' });
  const lines = readFileSync(log, 'utf8').split('\n');
  const of = (kind: string) => lines.filter(line => line.startsWith(` ${kind} `)).length;
  // lackey has two reads in a locked instruction: the load that valgrind makes of it, and the compare-and-swap's.
  const isLocked = (line: string, i: number) => line.startsWith(' M ') && lines[i - 1] === line.replace('M', 'L');
  const locked = lines.filter(isLocked).length;
  expect(locked).toBeGreaterThan(0);
  expect(found.program).toMatchObject({ recorder: 'valgrind', level: 'machine' });
  expect(found.accesses).toEqual({ reads: of('L') + of('M') - locked, writes: of('S') + of('M') });
});

test('an atomic read-modify-write is a read and a write, a failed compare-and-swap a read', async () => {
  const found = await recorded([built(machine('atomics.c'))]);
  expect(globalNamed(found, 'added')).toEqual({ reads: 300, writes: 300 });
  expect(globalNamed(found, 'kept')).toEqual({ reads: 200, writes: 0 });
  expect(globalNamed(found, 'taken')).toEqual({ reads: 100, writes: 100 });
  expect(globalNamed(found, 'pair')).toEqual({ reads: 50, writes: 50 });
});

describe('counts what the default recorder counts of heap and globals, in code that accesses all that it says', () => {
  // Not those of bulk operations, which the C library makes with instructions of its own choice.
  const programs = ['write-once.c', 'shared-page.c', 'straddle.c', 'reuse.c', 'globals.c', 'threads.c', 'scan.c'];
  test.each(known.filter(({ source }) => programs.includes(source)))('$source: $shows', async program => {
    expectObjects(await recorded([built(sourceOf(program), '-O2', '-fno-tree-vectorize')]), program);
  });
});

test('every form of allocation is an object of the place that calls for it', async () => {
  const source = machine('blocks.cc');
  const lineOf = (marker: string) =>
    read(source)
      .split('\n')
      .findIndex(line => line.endsWith(`// @${marker}`)) + 1;
  const found = await recorded([built(source)]);
  const blocks = Object.fromEntries(
    found.objects
      .filter(({ kind, file }) => kind === 'heap' && file === source)
      .map(({ line, bytes, writes }) => [line, { bytes, writes }]),
  );
  expect(blocks).toMatchObject({
    [lineOf('malloc')]: { bytes: 80, writes: 10 },
    [lineOf('aligned_alloc')]: { bytes: 128, writes: 10 },
    [lineOf('posix_memalign')]: { bytes: 96, writes: 10 },
    [lineOf('aligned_new')]: { bytes: 128 },
    [lineOf('nothrow')]: { bytes: 104, writes: 10 },
    // The block that a refused realloc left where it was, from then on by the name of that call.
    [lineOf('refused')]: { bytes: 80, writes: 10 },
    [lineOf('realloc')]: { bytes: 100000 },
  });
  expect(blocks[lineOf('array')]!.bytes).toBe(88);
});

test('handlers are recorded, on whatever stack, and also when they are left by a jump', async () => {
  const found = await recorded([built(machine('signals.c'))]);
  // One more read: main looks at the end.
  expect(globalNamed(found, 'handled')).toEqual({ reads: 61, writes: 60 });
  expect(globalNamed(found, 'done')).toEqual({ reads: 30, writes: 30 });
});

describe('processes', () => {
  test('a child and what it executes are recorded, with any environment', async () => {
    const found = await recorded([built(machine('family.c'))]);
    expect(found.program).toMatchObject({ processes: 3, exit: { status: 0 }, complete: true });
    expect(globalNamed(found, 'mine')).toEqual({ reads: 0, writes: 1000 + 2000 + 3000 });
  });

  test('a kill loses at most the access being recorded', async () => {
    const found = await recorded([built(machine('family.c')), 'KILL'], 4);
    expect(found.program.exit).toEqual({ signal: 'SIGKILL' });
    expect(globalNamed(found, 'mine')).toEqual({ reads: 0, writes: 500000 });
  });

  test('a library that is loaded while the program runs has source lines', async () => {
    const plugin = path.join(root, 'test/programs/record/plugin.c');
    execFileSync('gcc', ['-g', '-O1', '-shared', '-fPIC', plugin, '-o', path.join(folder, 'libplugin.so')]);
    const loader = built(path.join(root, 'test/programs/record/loader.c'), `-Wl,-rpath,${folder}`, '-ldl');
    const found = await recorded([loader]);
    expect(found.lines.filter(({ file }) => file === plugin).length).toBeGreaterThan(0);
  });
});

test('the default recorder’s warnings say by number what its hooks do not see', async () => {
  const source = path.join(root, 'test/programs/unseen/const-table.c');
  const constants = async (rounds: number) => {
    const options = ['--quiet', '--json', '-', '--policy', 'first-touch', '--count-unseen'];
    const { warnings } = await report(['profile', ...options, '--cflags', `-DROUNDS=${rounds}`, source]);
    const [libraries, table] = ['the C library', 'reads of constant data'].map(what =>
      warnings.find(warning => warning.startsWith(`not counted: ${what}`)),
    );
    expect(libraries).toMatch(/; at machine level valgrind counts [\d,]+ reads and [\d,]+ writes made there$/);
    const count = /; at machine level valgrind counts ([\d,]+) reads of such data by code with hooks$/.exec(
      table!,
    )![1]!;
    return Number(count.replaceAll(',', ''));
  };
  // Each round reads a constant table and two literals.
  expect((await constants(3000)) - (await constants(1000))).toBe(3 * 2000);
});

test('without a compiler for the tool, lackey counts the same at lines and globals', async () => {
  const program = known.find(({ source }) => source === 'globals.c')!;
  const found = await recorded([built(sourceOf(program), '-O2')], 0, { PAGELENS_CC: 'no-such-compiler' });
  expect(found.program).toMatchObject({ recorder: 'valgrind', level: 'machine', exit: { status: 0 }, complete: true });
  expect(found.warnings.join()).toMatch(/recorded by valgrind’s lackey, .* because PAGELENS_CC is "no-such-compiler"/);
  for (const { kind, name, reads, writes } of program.objects.filter(({ kind }) => kind === 'global')) {
    const row = found.objects.find(row => row.kind === kind && name!.test(row.name));
    expect(row, `${name}`).toMatchObject({ reads, writes });
  }
  expect(found.lines.some(({ file }) => file === sourceOf(program))).toBe(true);
});

describe('which recorder', () => {
  test('an executable without hooks is recorded as it is', async () => {
    const { status, stdout } = await pagelens(['profile', '--policy', 'first-touch', '/bin/true']);
    expect(status).toBe(0);
    expect(stdout).toContain('machine level: every load and store executed');
  });

  test('without valgrind the next step is told', async () => {
    const { status, stderr } = await pagelens(['profile', '/bin/true'], { env: { PATH: folder } });
    expect(status).toBe(3);
    expect(stderr).toMatch(/true was not built for recording: .* install valgrind .*\(apt-get install valgrind\)\n$/);
  });

  test('a source file is no executable', async () => {
    const { status, stderr } = await pagelens(['profile', '--recorder', 'valgrind', machine('steps.c')]);
    expect(status).toBe(2);
    expect(stderr).toContain('steps.c is a source file: --recorder valgrind records executables');
  });
});
