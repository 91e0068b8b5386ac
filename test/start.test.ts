/** `npm start`: what it installs, builds and runs, in a package whose build and command line are stand-ins that tell. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { scratchFolder } from './helpers/records.js';

const folder = scratchFolder('start');
const project = path.join(folder, 'project');
const elsewhere = path.join(folder, 'elsewhere');
const log = path.join(folder, 'log');

/** Tools of the stand-in's own: no compiler among them unless a test adds one. */
const tools = path.join(folder, 'tools');

function write(name: string, content: string, mode = 0o644) {
  const file = path.join(project, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
}

beforeEach(() => {
  for (const name of [project, elsewhere, tools, log]) rmSync(name, { recursive: true, force: true });
  for (const name of [project, elsewhere, tools]) mkdirSync(name);
  mkdirSync(path.join(project, 'core'));
  copyFileSync(new URL('../core/start.mjs', import.meta.url), path.join(project, 'core/start.mjs'));
  write('package.json', '{}');
  write('package-lock.json', '{}');
  write('node_modules/.package-lock.json', '{}');
  // The build writes a command line that prints where it runs and with what.
  write(
    'esbuild.mjs',
    `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(log)}, 'build\\n');
     mkdirSync('dist', { recursive: true });
     writeFileSync('dist/cli.cjs', 'console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)])); process.exitCode = 4;');`,
  );
  writeFileSync(path.join(tools, 'npm'), `#!/bin/sh\necho "npm $*" >> ${log}\n`, { mode: 0o755 });
  // Older than what is built from them in the same moment.
  for (const name of ['package.json', 'package-lock.json', 'esbuild.mjs', 'core/start.mjs', 'core'])
    utimesSync(path.join(project, name), 1e9, 1e9);
});

function start(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [path.join(project, 'core/start.mjs'), ...args], {
    cwd: project,
    env: { PATH: `${tools}:/nowhere`, INIT_CWD: elsewhere },
    encoding: 'utf8',
  });
  return { stdout, stderr, status, ran: stdout ? (JSON.parse(stdout) as string[]) : null };
}

const logged = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
const addCompiler = (name: string) => writeFileSync(path.join(tools, name), '', { mode: 0o755 });
const sample = (name: string) => path.join(project, 'dist/sample', name);

test('a program is profiled from the folder in which the user was, with the exit status of the profile', () => {
  const { ran, status } = start('prog.c', '--json', '-x');
  expect(ran).toEqual([elsewhere, 'profile', 'prog.c', '--json', '-x']);
  expect(status).toBe(4);
});

test('without a program it is the bundled sample, with the options that were given', () => {
  addCompiler('gcc');
  expect(start().ran).toEqual([elsewhere, 'profile', sample('raytracer.c')]);
  expect(start('--json', '-', '--check').ran).toEqual([
    elsewhere,
    'profile',
    '--json',
    '-',
    '--check',
    sample('raytracer.c'),
  ]);
});

test.each(['gcc', 'clang', 'cc'])('%s alone is a compiler', name => {
  addCompiler(name);
  expect(start().ran![1]).toBe('profile');
});

test('without a program and without a compiler the bundled trace is replayed, and that is said', () => {
  const { ran, stderr } = start();
  expect(ran).toEqual([elsewhere, 'replay', sample('raytracer.pltrace')]);
  expect(stderr).toMatch(/no C compiler found .*replaying the bundled trace of a smaller frame/);
  // A program was asked for: that is never replaced by the trace.
  expect(start('prog.c').ran).toEqual([elsewhere, 'profile', 'prog.c']);
});

test('the build runs when a source is newer, and not again', () => {
  start('a');
  start('a');
  expect(logged()).toEqual(['build']);
  const later = Date.now() / 1000 + 5;
  write('core/deep/new.ts', '');
  utimesSync(path.join(project, 'core/deep/new.ts'), later, later);
  start('a');
  expect(logged()).toEqual(['build', 'build']);
});

test('dependencies are installed when they are missing or older than the lock file', () => {
  const installed = path.join(project, 'node_modules/.package-lock.json');
  utimesSync(installed, 9e8, 9e8);
  start('a');
  rmSync(path.join(project, 'node_modules'), { recursive: true });
  start('a');
  expect(logged().filter(line => line.startsWith('npm'))).toEqual(Array(2).fill('npm ci --no-audit --no-fund'));
});

test('a build that fails ends it with a message and nothing on standard output', () => {
  write('esbuild.mjs', 'process.exit(5);');
  const { stdout, stderr, status } = start('a');
  expect({ stdout, status }).toEqual({ stdout: '', status: 5 });
  expect(stderr).toMatch(/esbuild\.mjs failed/);
});
