/**
 * Real programs, built unchanged through the wrappers by their own build systems: make, autotools, CMake (C++), Meson.
 * What they do is what they do without us, their totals add up, and 99.5 % of the accesses reach a line and an object.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { report } from '../helpers/cli.js';
import { shell, withPagelens } from '../helpers/pagelensOnPath.js';
import { scratchFolder } from '../helpers/records.js';
import { debianSource } from './debianSources.js';

const folder = scratchFolder('real-projects');
const env = withPagelens(folder);

interface Project {
  readonly package: string;
  readonly buildSystem: string;
  /** Lines of shell in the folder of the sources. */
  readonly build: string;
  readonly program: string;
  /** In the folder of the sources. */
  readonly arguments: readonly string[];
  /** A file that the program writes; its standard output where there is none. */
  readonly output?: string;
  /** Functions that are surely at work. */
  readonly functions: readonly string[];
}

const projects: readonly Project[] = [
  {
    package: 'bzip2',
    buildSystem: 'make',
    build: 'make -e -j2 libbz2.a && make -e bzip2',
    program: 'bzip2',
    arguments: ['-9', '-c', 'bzip2.c'],
    functions: ['BZ2_compressBlock', 'BZ2_blockSort'],
  },
  {
    package: 'libyaml',
    buildSystem: 'autotools',
    build: './bootstrap && ./configure --disable-shared && make -j2 && make -C tests run-parser-test-suite',
    program: 'tests/run-parser-test-suite',
    arguments: ['examples/yaml-version.yaml'],
    functions: ['yaml_parser_scan', 'yaml_parser_update_buffer'],
  },
  {
    package: 'libjsoncpp',
    buildSystem: 'CMake',
    build:
      'cmake -B build -DCMAKE_BUILD_TYPE=Release -DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF -DBUILD_STATIC_LIBS=OFF ' +
      '-DBUILD_OBJECT_LIBS=OFF && cmake --build build -j2 --target jsontestrunner_exe',
    program: 'build/bin/jsontestrunner_exe',
    arguments: ['test/data/legacy_test_complex_01.json'],
    output: 'test/data/legacy_test_complex_01.actual',
    functions: ['Json::OurReader::readToken(Json::OurReader::Token&)'],
  },
  {
    package: 'lz4',
    buildSystem: 'Meson',
    build: 'meson setup build contrib/meson -Dprograms=true && ninja -C build',
    program: 'build/meson/programs/lz4',
    arguments: ['-9', '-c', 'lib/lz4.c'],
    functions: ['LZ4HC_Insert'],
  },
];

test.each(projects)(
  '$package by $buildSystem',
  async project => {
    const source = debianSource(project.package, folder);
    const plain = `${source}-plain`;
    cpSync(source, plain, { recursive: true });
    shell(project.build, plain, env);
    shell(project.build, source, { ...env, CC: 'pagelens cc', CXX: 'pagelens c++' });

    // 1. Without us.
    const written = execFileSync(path.join(plain, project.program), project.arguments, { cwd: plain, env });
    const expected = project.output ? readFileSync(path.join(plain, project.output)) : written;
    // 2. Recorded.
    const output = path.join(folder, `${project.package}.out`);
    const args = ['profile', '--json', '-', '--check', '--quiet', '--program-output', output];
    const result = await report([...args, project.program, ...project.arguments], 0, { cwd: source, env });
    const found = readFileSync(project.output ? path.join(source, project.output) : output);
    expect(found.equals(expected)).toBe(true);

    const { accesses, unattributed, objects, functions, program } = result;
    expect(program).toMatchObject({ complete: true, exit: { status: 0 } });
    const total = accesses.reads + accesses.writes;
    expect(total).toBeGreaterThan(5000);
    expect(unattributed.reads + unattributed.writes).toBeLessThanOrEqual(total * 0.005);
    const nowhere = objects.find(row => row.kind === 'unattributed');
    expect((nowhere?.reads ?? 0) + (nowhere?.writes ?? 0)).toBeLessThanOrEqual(total * 0.005);
    expect(functions.map(row => row.function)).toEqual(expect.arrayContaining([...project.functions]));
  },
  600_000,
);
