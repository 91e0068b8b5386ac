/** What a build left behind: the programs that can be profiled, and sources that are known by their own names. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { build } from '../../core/record/build.js';
import { findPrograms } from '../../core/record/programs.js';
import { compilerWrapper } from '../../core/record/wrapper.js';
import { failureOf } from '../../core/server/failure.js';
import { ioError } from '../../core/trace/error.js';

let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'pagelens-left-')));
  writeFileSync(path.join(folder, 'prog.c'), 'int main(void) { return 0; }\n');
});

test('programs with hooks are found wherever they lie, the latest first; plain ones, scripts and libraries are not', async () => {
  const source = path.join(folder, 'prog.c');
  for (const [name, age] of [
    ['old', 100],
    ['deep/er/new', 10],
    ['.git/hidden', 1],
  ] as const) {
    const into = path.join(folder, name);
    mkdirSync(into, { recursive: true });
    const executable = await build({ source, folder: into, cflags: '', env: process.env, onMessage: () => {} });
    const built = Date.now() / 1000 - age;
    utimesSync(executable, built, built);
  }
  expect(spawnSync('gcc', [source, '-o', path.join(folder, 'plain')]).status).toBe(0);
  writeFileSync(path.join(folder, 'run.sh'), '#!/bin/sh\n');
  chmodSync(path.join(folder, 'run.sh'), 0o755);
  spawnSync('cp', [path.join(folder, 'old/prog'), path.join(folder, 'libold.so')]);
  const found = await findPrograms(folder);
  expect(found.map(file => path.relative(folder, file))).toEqual(['deep/er/new/prog', 'old/prog']);
  expect(await findPrograms(path.join(folder, 'nowhere'))).toEqual([]);
});

test('what is compiled in a mirror of the sources names the sources', async () => {
  const mirror = path.join(folder, 'mirror');
  mkdirSync(mirror);
  symlinkSync(path.join(folder, 'prog.c'), path.join(mirror, 'prog.c'));
  const env = { ...process.env, PAGELENS_PREFIX_MAP: `${mirror}=/where/it/is` };
  const object = path.join(mirror, 'prog.o');
  const before = process.cwd();
  try {
    process.chdir(mirror);
    expect(await compilerWrapper('c', ['-c', 'prog.c', '-o', object], env)).toBe(0);
  } finally {
    process.chdir(before);
  }
  const lines = spawnSync('readelf', ['--debug-dump=info', object], { encoding: 'utf8' }).stdout;
  expect(lines).toMatch(/DW_AT_comp_dir.*\/where\/it\/is\n/);
  expect(lines).not.toContain(mirror);
});

test('failures of the system have a code of their own, also behind a message in words', () => {
  const system = (code: string) => Object.assign(new Error(code), { code });
  expect(failureOf(system('EACCES'))).toEqual({ code: 'not-permitted' });
  expect(failureOf(ioError('write', '/x', system('ENOSPC')))).toEqual({ code: 'disk-full' });
  expect(failureOf(system('ENOENT'))).toEqual({ code: 'other' });
  expect(failureOf('text')).toEqual({ code: 'other' });
});
