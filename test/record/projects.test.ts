/**
 * Projects built unchanged by their own build systems, with the compilers behind `pagelens cc` and `pagelens c++` in each
 * of the ways that these are offered. One program, whose accesses are counted by hand in test/programs/make/main.c.
 */
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { countsAlone, report } from '../helpers/cli.js';
import { shell, withPagelens } from '../helpers/pagelensOnPath.js';
import { programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('projects');

const env = withPagelens(folder);
const wrapped = { ...env, CC: 'pagelens cc', CXX: 'pagelens c++' };

/** A fresh copy of the sources with the build files. */
function project(name: string): string {
  const at = path.join(folder, name);
  for (const part of ['make', 'projects']) cpSync(path.join(programs, part), at, { recursive: true });
  return at;
}

async function expectCounts(program: string): Promise<void> {
  expect(shell(program, folder, env)).toBe('1498500\n');
  const {
    lines,
    functions,
    program: about,
  } = await report(['profile', ...countsAlone, '--json', '-', '--check', '--quiet', program]);
  expect(about).toMatchObject({ complete: true, exit: { status: 0 } });
  const ofFile = (name: string) => lines.filter(line => path.basename(line.file ?? '') === name);
  const counts = (file: string) => {
    const of = ofFile(file);
    return [of.reduce((sum, line) => sum + line.reads, 0), of.reduce((sum, line) => sum + line.writes, 0)];
  };
  expect(counts('scale.c')).toEqual([1000, 1000]);
  expect(counts('sum.c')).toEqual([1000, 0]);
  expect(ofFile('table.cc')[0]).toMatchObject({ writes: 1000 });
  expect(functions.map(row => row.function)).toEqual(expect.arrayContaining(['scale', 'sum', 'make_table']));
}

test('CMake by CC and CXX', async () => {
  const at = project('cmake-variables');
  shell('cmake -S . -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build', at, wrapped);
  await expectCounts(path.join(at, 'build/prog'));
});

test('CMake by a toolchain file', async () => {
  const at = project('cmake-toolchain');
  const command = 'cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release';
  shell(`${command} -DCMAKE_TOOLCHAIN_FILE="$(pagelens toolchain cmake)" && cmake --build build`, at, env);
  await expectCounts(path.join(at, 'build/prog'));
});

test('CMake by launchers of compiler and linker, and with link-time optimisation', async () => {
  const at = project('cmake-launcher');
  const launchers = ['C', 'CXX'].flatMap(language =>
    ['COMPILER', 'LINKER'].map(
      tool => `-DCMAKE_${language}_${tool}_LAUNCHER="pagelens;${language === 'C' ? 'cc' : 'c++'}"`,
    ),
  );
  const optimised = '-DCMAKE_BUILD_TYPE=Release -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON';
  shell(`cmake -S . -B build ${optimised} ${launchers.join(' ')} && cmake --build build`, at, env);
  await expectCounts(path.join(at, 'build/prog'));
});

test('Meson by CC and CXX, and by a native file', async () => {
  const at = project('meson');
  shell('meson setup build && ninja -C build', at, wrapped);
  await expectCounts(path.join(at, 'build/prog'));
  shell('meson setup native --native-file "$(pagelens toolchain meson)" && ninja -C native', at, env);
  await expectCounts(path.join(at, 'native/prog'));
});

test('Ninja by a folder of compilers on the PATH', async () => {
  const at = project('ninja');
  shell('PATH="$(pagelens toolchain path):$PATH" ninja', at, env);
  await expectCounts(path.join(at, 'prog'));
});

test('autotools: configure finds what it finds without the wrapper, libtool links', async () => {
  const at = project('autotools');
  shell('autoreconf -fi', at, env);
  for (const [name, environment] of [
    ['plain', env],
    ['hooks', wrapped],
  ] as const) {
    mkdirSync(path.join(at, name));
    shell('../configure', path.join(at, name), environment);
  }
  const found = (name: string) => readFileSync(path.join(at, name, 'config.h'), 'utf8');
  expect(found('hooks')).toBe(found('plain'));
  shell('make -j2', path.join(at, 'hooks'), env);
  // A script of libtool's that starts the program with its libraries.
  await expectCounts(path.join(at, 'hooks/prog'));
}, 300_000);

test('the toolchain is made once, of the compilers that are wanted', () => {
  const kinds = (environment: NodeJS.ProcessEnv) =>
    ['cmake', 'meson', 'path'].map(kind => shell(`pagelens toolchain ${kind}`, folder, environment).trim());
  const first = kinds(env);
  expect(kinds(env)).toEqual(first);
  expect(new Set(first.map(path.dirname)).size).toBe(1);
  const [clang] = kinds({ ...env, CC: 'clang' });
  expect(clang).not.toBe(first[0]);
  expect(shell(`"$(dirname ${clang})/pagelens-cc" --version`, folder, env)).toMatch(/clang/);
});
