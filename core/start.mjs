/**
 * `npm start [-- [OPTIONS] PROGRAM ARGS...]`: profiles a program straight after cloning; without one, the bundled
 * sample. Imports only `node:` modules, since it is what installs the others.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const dist = path.join(root, 'dist');
/** npm runs scripts in the package's folder and says here where the user was. */
const workingDirectory = process.env.INIT_CWD ?? process.cwd();

/** Options of `pagelens profile` without a value: what follows any other is not the program. */
const FLAGS = new Set('--page-rows --check --quiet --verbose --kernel-integration --help -h'.split(' '));

install();
build();
process.exitCode = pagelens(commandLine(process.argv.slice(2)));

/** `npm ci`, unless node_modules is at least as new as the lock file. */
function install() {
  const lock = modified(path.join(root, 'package-lock.json'));
  if (modified(path.join(root, 'node_modules/.package-lock.json')) >= lock) return;
  note('installing dependencies (npm ci)');
  // Its output goes to standard error: standard output carries the report alone.
  run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: ['ignore', 2, 2] });
}

/** Builds dist/ when a source is newer than the last build that succeeded here. */
function build() {
  const stamp = path.join(dist, '.built-by-start');
  const folders = ['core', 'extension', 'webview'].map(name => path.join(root, name));
  const files = ['esbuild.mjs', 'package.json'].map(name => path.join(root, name));
  const newest = Math.max(...files.map(modified), ...folders.map(newestIn));
  if (existsSync(path.join(dist, 'cli.cjs')) && modified(stamp) > newest) return;
  note('building');
  run(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, '');
}

function commandLine(args) {
  if (hasProgram(args)) return ['profile', ...args];
  if (hasCompiler()) return ['profile', ...args, path.join(dist, 'sample/raytracer.c')];
  note('no C compiler found (apt-get install gcc): replaying the bundled trace of a smaller frame instead');
  return ['replay', ...args, path.join(dist, 'sample/raytracer.pltrace')];
}

function hasProgram(args) {
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith('-') || args[i] === '-') return true;
    if (!FLAGS.has(args[i]) && !args[i].includes('=')) i++;
  }
  return false;
}

/** As core/record/compiler.ts looks for one: a compiler that the user names is the user's to get right. */
function hasCompiler() {
  if (process.env.PAGELENS_CC || process.env.CC) return true;
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return ['gcc', 'clang', 'cc'].some(name => folders.some(folder => isExecutable(path.join(folder, name))));
}

function pagelens(args) {
  const { status, signal, error } = spawnSync(process.execPath, [path.join(dist, 'cli.cjs'), ...args], {
    cwd: workingDirectory,
    stdio: 'inherit',
  });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  return status ?? 1;
}

function run(program, args, options) {
  const { status, error } = spawnSync(program, args, options);
  if (error || status !== 0) {
    note(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
    process.exit(status || 1);
  }
}

function note(text) {
  process.stderr.write(`pagelens: ${text}\n`);
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function newestIn(folder) {
  if (!existsSync(folder)) return 0;
  const times = readdirSync(folder, { withFileTypes: true }).map(entry => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? newestIn(file) : modified(file);
  });
  return Math.max(modified(folder), ...times);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
