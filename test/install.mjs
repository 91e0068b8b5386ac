/**
 * Gets what the tests need and the machine lacks: npm's packages, Debian's programs, and the VS Code of the end-to-end
 * tests. Imports only `node:` modules, since it is what installs the others.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Debian's package and one program of it, by which it is recognised; null: it has none. */
const PACKAGES = [
  ['chromium', 'chromium'],
  ['gcc', 'gcc'],
  ['g++', 'g++'],
  ['clang', 'clang'],
  ['lld', 'wasm-ld'],
  ['wasi-libc', null],
  ['libclang-rt-dev-wasm32', null],
  ['llvm', 'llvm-symbolizer'],
  ['libomp-dev', null],
  ['gfortran', 'gfortran'],
  ['dpkg-dev', 'dpkg-source'],
  ['openmpi-bin', 'mpirun'],
  ['libopenmpi-dev', 'mpicc'],
  ['rustc', 'rustc'],
  ['cargo', 'cargo'],
  ['make', 'make'],
  ['cmake', 'cmake'],
  ['ninja-build', 'ninja'],
  ['meson', 'meson'],
  ['autoconf', 'autoreconf'],
  ['automake', 'automake'],
  ['libtool', 'libtoolize'],
  ['git', 'git'],
  ['binutils', 'readelf'],
  ['python3', 'python3'],
  ['numactl', 'numactl'],
  ['valgrind', 'valgrind'],
  ['qemu-user', 'qemu-aarch64'],
  ['gcc-aarch64-linux-gnu', 'aarch64-linux-gnu-gcc'],
  ['strace', 'strace'],
  ['protobuf-compiler', 'protoc'],
];

/** Throws with one line that says what to do when something is missing and cannot be installed. */
export function installDependencies() {
  installNodeModules();
  installPackages();
}

function installNodeModules() {
  // A link leads to the modules of another checkout: they are that one's to install.
  if (lstatSync(path.join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return;
  const time = name => statSync(path.join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (time('node_modules/.package-lock.json') >= time('package-lock.json')) return;
  console.log('installing dependencies (npm ci)');
  run('npm', ['ci', '--no-audit', '--no-fund']);
}

function installPackages() {
  const isThere = (name, program) => (program === null ? isInstalled(name) : onPath(program));
  const missing = () => PACKAGES.filter(([name, program]) => !isThere(name, program)).map(([name]) => name);
  const wanted = missing();
  if (wanted.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${wanted.join(' ')}`;
  if (process.getuid?.() !== 0 || !onPath('apt-get'))
    throw new Error(`the tests need ${wanted.join(', ')}: run  sudo ${command}`);
  console.log(`installing ${wanted.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // The lists of a fresh container are empty or old: refresh them only when they do not suffice.
  const install = () => spawnSync('sh', ['-c', command], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  if (!install()) {
    run('apt-get', ['update', '-qq'], env);
    if (!install()) throw new Error(`${command} failed`);
  }
  const left = missing();
  if (left.length > 0) throw new Error(`still missing after the installation: ${left.join(', ')}`);
}

/** Of a package without a program; where there is no dpkg, its test tells. */
function isInstalled(name) {
  const { stdout, error } = spawnSync('dpkg', ['-s', name], { encoding: 'utf8' });
  return Boolean(error) || stdout.includes('\nStatus: install ok installed\n');
}

export function onPath(program) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map(folder => path.join(folder, program))
    .some(file => {
      try {
        accessSync(file, constants.X_OK);
        return existsSync(file);
      } catch {
        return false;
      }
    });
}

function run(program, args, env = process.env) {
  const { status, error } = spawnSync(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error || status !== 0) throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`);
}
