/** `--recorder qemu`: unmodified executables, also of another architecture, beside answers derived by hand. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { pagelens, report, root, scratch } from '../helpers/cli.js';
import { known, markersOf, sourceOf } from '../programs/known/expected.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const machine = (name: string) => path.join(root, 'test/programs/machine', name);
const COMPILERS = { 'x86-64': 'gcc', AArch64: 'aarch64-linux-gnu-gcc' } as const;

function built(compiler: string, source: string, ...flags: string[]): string {
  const program = path.join(folder, `${path.basename(source, '.c')}-${compiler}`);
  execFileSync(compiler, ['-g', '-O2', '-fno-tree-vectorize', ...flags, source, '-o', program, '-pthread']);
  return program;
}

function recorded(args: readonly string[], expected = 0): Promise<Report> {
  const options = ['--quiet', '--check', '--json', '-', '--policy', 'first-touch', '--recorder', 'qemu'];
  return report(['profile', ...options, ...args], expected);
}

const globalNamed = (found: Report, name: string) => {
  const row = found.objects.find(row => row.kind === 'global' && row.name === name);
  return { reads: row?.reads, writes: row?.writes };
};

describe.each(Object.entries(COMPILERS))('a program of %s', (_name, compiler) => {
  test('has its accesses counted at the lines and globals that they belong to', async () => {
    const program = known.find(({ source }) => source === 'globals.c')!;
    const found = await recorded([built(compiler, sourceOf(program))]);
    expect(found.program).toMatchObject({ recorder: 'qemu', level: 'machine' });
    expect(found.warnings.join()).toContain('objects are globals, stacks and mappings');
    for (const { kind, name, reads, writes } of program.objects.filter(({ kind }) => kind === 'global')) {
      const row = found.objects.find(row => row.kind === kind && name!.test(row.name));
      expect(row, `${name}`).toMatchObject({ reads, writes });
    }
  });

  test('has each thread’s accesses, also where threads contend', async () => {
    const program = known.find(({ source }) => source === 'threads.c')!;
    const found = await recorded([built(compiler, sourceOf(program))]);
    expect(found.program.threads).toBe(5);
    const line = markersOf(program).get('count');
    const row = found.lines.find(row => row.file === sourceOf(program) && row.line === line);
    expect(row).toMatchObject({ reads: 40000, writes: 40000 });
    expect(found.objects.filter(({ kind }) => kind === 'stack').length).toBe(5);
    // What malloc maps; no blocks in it.
    expect(found.objects.some(({ kind }) => kind === 'anonymous')).toBe(true);
    expect(found.objects.some(({ kind }) => kind === 'heap')).toBe(false);
  });

  test('is linked statically as well', async () => {
    const program = known.find(({ source }) => source === 'globals.c')!;
    const found = await recorded([built(compiler, sourceOf(program), '-static')]);
    const [first] = program.objects.filter(({ kind }) => kind === 'global');
    const row = found.objects.find(row => row.kind === 'global' && first!.name!.test(row.name));
    expect(row).toMatchObject({ reads: first!.reads, writes: first!.writes });
  });
});

test('an atomic read-modify-write is a read and a write', async () => {
  const found = await recorded([built('gcc', machine('atomics.c'))]);
  expect(globalNamed(found, 'added')).toEqual({ reads: 300, writes: 300 });
  expect(globalNamed(found, 'taken')).toEqual({ reads: 100, writes: 100 });
});

test('a child is recorded, and a program that it executes is told to be missing', async () => {
  const found = await recorded([built('gcc', machine('family.c'))]);
  expect(found.program).toMatchObject({ processes: 2, exit: { status: 0 } });
  expect(globalNamed(found, 'mine')).toEqual({ reads: 0, writes: 1000 + 2000 });
  expect(found.warnings.join()).toContain('what the program executed in its place was not recorded');
});

test('a kill loses at most the access being recorded', async () => {
  const found = await recorded([built('gcc', machine('family.c')), 'KILL'], 4);
  expect(found.program.exit).toEqual({ signal: 'SIGKILL' });
  expect(globalNamed(found, 'mine')).toEqual({ reads: 0, writes: 500000 });
});

test('a program of another architecture is recorded without asking, where QEMU is there', async () => {
  const { source } = known[0]!;
  const program = built('aarch64-linux-gnu-gcc', path.join(root, 'test/programs/known', source), '-static');
  const { status, stdout } = await pagelens(['profile', '--policy', 'first-touch', program]);
  expect(stdout).toContain('machine level: every load and store executed');
  expect(status).toBe(0);
  const without = await pagelens(['profile', program], { env: { PATH: folder } });
  expect(without.status).toBe(3);
  expect(without.stderr).toContain("qemu-aarch64 was not found: install QEMU's user mode (apt-get install qemu-user)");
});
