/**
 * Real programs, built unchanged through the wrappers by their own build systems: make, autotools, CMake (C++), Meson.
 * They do what they should, their totals add up, and 99.5 % of the accesses reach a line and an object.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { countsAlone, report } from '../helpers/cli.js';
import { withPagelens } from '../helpers/pagelensOnPath.js';
import { scratchFolder } from '../helpers/records.js';
import { debianSource } from './debianSources.js';

const folder = scratchFolder('real-projects');
const env = withPagelens(folder);
const run = promisify(execFile);

interface Project {
  readonly package: string;
  readonly buildSystem: string;
  /** Lines of shell in the folder of the sources. */
  readonly build: string;
  readonly program: string;
  /** In the folder of the sources; `input` is a file there. */
  readonly arguments: readonly string[];
  readonly input?: string;
  readonly variables?: Readonly<Record<string, string>>;
  /** Functions that are surely at work. */
  readonly functions: readonly string[];
  /** What the program must have written, given its folder, by somebody else's word. */
  readonly expected: (source: string, output: Buffer) => { found: Buffer; wanted: Buffer };
}

const ENTRIES = 500;

const projects: readonly Project[] = [
  {
    package: 'bzip2',
    buildSystem: 'make',
    build: 'make -e -j2 bzip2',
    program: 'bzip2',
    arguments: ['-9', '-c', 'bzip2.c'],
    // Where its own tests find its library.
    variables: { LD_LIBRARY_PATH: '.' },
    functions: ['BZ2_compressBlock', 'mainSort'],
    // Python's module, with the system's library.
    expected: (source, found) => {
      const script = 'import bz2, sys; sys.stdout.buffer.write(bz2.compress(open("bzip2.c", "rb").read(), 9))';
      return { found, wanted: execFileSync('python3', ['-c', script], { cwd: source }) };
    },
  },
  {
    package: 'libyaml',
    buildSystem: 'autotools',
    build: './bootstrap && ./configure --disable-static && make -j2 && make -C tests run-parser-test-suite',
    // A script of libtool's.
    program: 'tests/run-parser-test-suite',
    arguments: ['input'],
    input: '- a\n'.repeat(ENTRIES),
    functions: ['yaml_parser_fetch_next_token'],
    // The events of a sequence of ENTRIES values, in the notation of the YAML test suite.
    expected: (_, found) => ({
      found,
      wanted: Buffer.from(`+STR\n+DOC\n+SEQ\n${'=VAL :a\n'.repeat(ENTRIES)}-SEQ\n-DOC\n-STR\n`),
    }),
  },
  {
    package: 'libjsoncpp',
    buildSystem: 'CMake',
    build:
      'cmake -B build -DCMAKE_BUILD_TYPE=Release -DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF -DBUILD_STATIC_LIBS=OFF ' +
      '-DBUILD_OBJECT_LIBS=OFF && cmake --build build -j2 --target jsontestrunner_exe',
    program: 'build/bin/jsontestrunner_exe',
    arguments: ['test/data/legacy_test_complex_01.json'],
    functions: ['Json::OurReader::readToken(Json::OurReader::Token&)'],
    // The project's own expectation.
    expected: source => {
      const data = (ending: string) => readFileSync(path.join(source, `test/data/legacy_test_complex_01.${ending}`));
      return { found: data('actual'), wanted: data('expected') };
    },
  },
  {
    package: 'lz4',
    buildSystem: 'Meson',
    build: 'meson setup build contrib/meson -Dprograms=true && ninja -C build',
    program: 'build/meson/programs/lz4',
    arguments: ['-9', '-c', 'lib/lz4.c'],
    functions: ['LZ4HC_Insert'],
    expected: (source, output) => ({
      found: execFileSync(path.join(source, 'build/meson/programs/lz4'), ['-d', '-c'], { input: output }),
      wanted: readFileSync(path.join(source, 'lib/lz4.c')),
    }),
  },
];

test.each(projects)(
  '$package by $buildSystem',
  async project => {
    const source = debianSource(project.package, folder);
    await run('sh', ['-ec', project.build], {
      cwd: source,
      env: { ...env, CC: 'pagelens cc', CXX: 'pagelens c++' },
      maxBuffer: 64 << 20,
    });
    if (project.input) writeFileSync(path.join(source, 'input'), project.input);
    const output = path.join(folder, `${project.package}.out`);
    const result = await report(
      [
        'profile',
        ...countsAlone,
        '--json',
        '-',
        '--check',
        '--quiet',
        '--program-output',
        output,
        project.program,
        ...project.arguments,
      ],
      0,
      { cwd: source, env: { ...env, ...project.variables } },
    );
    const { found, wanted } = project.expected(source, readFileSync(output));
    expect(found.equals(wanted)).toBe(true);

    const { accesses, unattributed, objects, functions, program } = result;
    expect(program).toMatchObject({ complete: true, exit: { status: 0 } });
    const total = accesses.reads + accesses.writes;
    expect(total).toBeGreaterThan(10_000);
    expect(unattributed.reads + unattributed.writes).toBeLessThanOrEqual(total * 0.005);
    const nowhere = objects.find(row => row.kind === 'unattributed');
    expect((nowhere?.reads ?? 0) + (nowhere?.writes ?? 0)).toBeLessThanOrEqual(total * 0.005);
    expect(functions.map(row => row.function)).toEqual(expect.arrayContaining([...project.functions]));
  },
  600_000,
);
