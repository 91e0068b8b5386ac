/** Rust through `pagelens cargo`, `pagelens rustc` and `profile`: counts derived by hand in the source. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { makesProgram, rustArguments } from '../../core/record/rust.js';
import { pagelens, report } from '../helpers/cli.js';
import { programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('rust');
cpSync(path.join(programs, 'rust'), folder, { recursive: true });
const version = execFileSync('rustc', ['-vV'], { encoding: 'utf8' });
const host = /^host: (.*)$/m.exec(version)![1]!;
/** Compilers before it cannot have the race detector forced upon every function; a warning says what is missing then. */
const whole = Number(/^LLVM version: (\d+)/m.exec(version)![1]) >= 16;

function expectCounts({ objects, functions, program, warnings }: Report, file: string): void {
  const of = (name: string) => objects.find(row => row.name.replace(/:\d+\)$/, ')') === name);
  expect(of('counts::TABLE')).toMatchObject({ reads: 1000, writes: 1000, bytes: 4000 });
  expect(of('counts::SQUARES')).toMatchObject({ reads: 1000, writes: 0, bytes: 8000 });
  expect(of('c_numbers')).toMatchObject({ reads: 1000, writes: 1000 });
  const points = objects.find(row => row.bytes === 16_000)!;
  expect(points).toMatchObject({ kind: 'heap', name: expect.stringMatching(`in counts::main \\(${file}:`) });
  expect(points.reads).toBe(2000);
  expect(functions.map(row => row.function)).toEqual(expect.arrayContaining(['counts::scramble', 'counts::total']));
  const old = warnings.some(warning => /copied structures/.test(warning));
  expect(old).toBe(!whole);
  expect(of('counts::COUNTER')).toMatchObject(whole ? { reads: 401, writes: 400 } : { reads: 1, writes: 0 });
  if (whole) {
    expect(points.writes).toBe(2000);
    expect(of('counts::FROM')).toMatchObject({ reads: 8, writes: 1 });
    expect(of('counts::TO')).toMatchObject({ reads: 1, writes: 8 });
    expect(program.compiler).toMatch(/^rustc version /);
  }
  expect(warnings).toContainEqual(expect.stringMatching(/^not counted: the precompiled part of Rust/));
}

describe.each(['release', 'debug'])('a package with a macro, a build script and C, %s', profile => {
  test('is built by pagelens cargo and recorded', async () => {
    const args = ['cargo', 'build', ...(profile === 'release' ? ['--release'] : [])];
    const { status, stderr } = await pagelens(args, { cwd: folder });
    expect(status, stderr).toBe(0);
    const program = path.join(folder, 'target/pagelens', host, profile, 'counts');
    expect(execFileSync(program, { encoding: 'utf8' })).toBe('249750 400 332053180 9\n');
    expectCounts(await report(['profile', '--json', '-', '--check', '--quiet', program]), 'main.rs');
    // The package's own target folder is left as it was.
    expect(existsSync(path.join(folder, 'target', profile))).toBe(false);
  });
});

test('one file is built by profile', async () => {
  const source = readFileSync(path.join(folder, 'src/main.rs'), 'utf8')
    .replace('macros::thousand!()', '1000')
    .replace(/extern "C" \{[^}]*\}/, '')
    .replace('c_increment();', '');
  const file = path.join(folder, 'counts.rs');
  writeFileSync(file, source);
  const { objects } = await report(['profile', '--json', '-', '--check', '--quiet', file]);
  expect(objects.find(row => row.name === 'counts::TABLE')).toMatchObject({ reads: 1000, writes: 1000 });
});

test('the compiler’s own refusal is passed on, as is its exit status', async () => {
  writeFileSync(path.join(folder, 'wrong.rs'), 'fn main() { wrong }');
  const { status, stderr } = await pagelens(['rustc', path.join(folder, 'wrong.rs')]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/error\[E0425\]/);
});

test('what a command line becomes', () => {
  const args = ['--crate-name', 'a', 'src/main.rs', '-C', 'strip=symbols', '-Cstrip=debuginfo', '-C', 'opt-level=3'];
  const made = rustArguments(args, '/cc', true).join(' ');
  expect(made).toMatch(/^-C debuginfo=2 --crate-name a src\/main.rs -C opt-level=3 -C passes=\S+ .*-C linker=\/cc$/);
  expect(rustArguments(['-g', 'a.rs'], '/cc', true)[0]).toBe('-g');
});

test('macros and build scripts, which run during the build, are left alone', () => {
  expect(makesProgram(['src/main.rs', '--target', 'x86_64-unknown-linux-gnu'], 'x86_64-unknown-linux-gnu')).toBe(true);
  expect(makesProgram(['build.rs'], 'x86_64-unknown-linux-gnu')).toBe(false);
  expect(makesProgram(['-vV'], undefined)).toBe(false);
  expect(makesProgram(['main.rs'], undefined)).toBe(true);
});
