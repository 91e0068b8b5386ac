/** `CC="pagelens cc"` with a plain Makefile, and the wrapper's ways with a real compiler. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { assetPath } from '../../core/assets.js';
import { findCompiler } from '../../core/record/compiler.js';
import { readBuildInfo } from '../../core/record/executable.js';
import { record } from '../../core/record/record.js';
import { ensureRuntime } from '../../core/record/runtime.js';
import { compilers, environmentFor, programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('build');
let wrapper: string;

/** The wrapper as a program, in a folder that looks like dist/. */
beforeAll(async () => {
  const dist = path.join(folder, 'dist');
  mkdirSync(dist);
  await esbuild.build({
    stdin: {
      contents: `import { compilerWrapper } from './core/record/wrapper.js';
        const [language, ...args] = process.argv.slice(2);
        compilerWrapper(language === 'cc' ? 'c' : 'c++', args).then(status => { process.exitCode = status; });`,
      resolveDir: path.resolve(programs, '../..'),
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: path.join(dist, 'wrapper.cjs'),
  });
  for (const name of ['kernel.wasm', 'runtime', 'version']) symlinkSync(assetPath(name), path.join(dist, name));
  wrapper = `${process.execPath} ${path.join(dist, 'wrapper.cjs')}`;
});

function wrap(line: string, env = environmentFor('gcc')) {
  return spawnSync('sh', ['-c', `${wrapper} ${line}`], { cwd: folder, env, encoding: 'utf8' });
}

describe.each(compilers)('with %s', name => {
  const env = environmentFor(name);

  test('a Makefile with several files, an archive and a shared library works unchanged, also in parallel', async () => {
    const into = path.join(folder, `make-${name}`);
    mkdirSync(into);
    const variables = [`BUILD=${into}`, `CC=${wrapper} cc`, `CXX=${wrapper} c++`];
    const made = spawnSync('make', ['-j4', ...variables], { cwd: path.join(programs, 'make'), env, encoding: 'utf8' });
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);

    let output = '';
    const result = await record({
      program: path.join(into, 'prog'),
      arguments: [],
      env,
      traceFile: path.join(into, 'run.pltrace'),
      streams: { kind: 'text', onText: text => (output += text) },
    });
    // 3 * (0 + 1 + ... + 999)
    expect(output).toBe('1498500\n');
    expect(result).toMatchObject({ complete: true, exit: { status: 0 } });
    expect(result.header.compiler).toMatch(name === 'gcc' ? /^gcc/ : /clang version/);
    expect(result.header.flags).toMatch(/-O2/);
    if (name === 'gcc') {
      // Scalar loops: 1000 writes, 1000 reads and writes, 1000 reads; and a few for the vector itself.
      expect(result.accesses).toBeGreaterThanOrEqual(4000);
      expect(result.accesses).toBeLessThan(4100);
    }
  });

  test('an executable says by whom and how it was built', () => {
    writeFileSync(path.join(folder, 'm.c'), 'int main(void) { return 0; }');
    expect(wrap(`cc -O1 -std=c11 -DHIDDEN=1 -Wall m.c -o m-${name}`, env)).toMatchObject({ status: 0, stderr: '' });
    const info = readBuildInfo(path.join(folder, `m-${name}`));
    expect(info).toMatchObject({ kind: 'elf', hooks: true, families: [name] });
    expect(info.compilers).toHaveLength(1);
    expect(info.flags).toHaveLength(1);
    expect(info.flags[0]).toMatch(/^-O1 /);
    expect(info.flags[0]).not.toMatch(/HIDDEN|-Wall/);
  });
});

test('the exit status and the messages are the compiler’s', () => {
  writeFileSync(path.join(folder, 'bad.c'), 'int main(void) { return x; }');
  const wrapped = wrap('cc -c bad.c -o bad.o');
  const plain = spawnSync('gcc', ['-c', 'bad.c', '-o', 'bad.o'], { cwd: folder, encoding: 'utf8' });
  expect(wrapped).toMatchObject({ status: plain.status, stderr: plain.stderr, stdout: '' });
  expect(wrap('cc').status).toBe(spawnSync('gcc').status);
});

test('questions are answered by the compiler', () => {
  for (const line of ['--version', '-dumpmachine', '-print-file-name=libc.so', '-print-search-dirs'])
    expect(wrap(`cc ${line}`).stdout).toBe(spawnSync('gcc', [line], { encoding: 'utf8' }).stdout);
});

test('source on standard input, -S, -E, assembly and a relocatable link work', () => {
  const text = 'int f(int *p) { return *p; }';
  expect(wrap(`cc -O2 -x c -S - -o - <<'END'\n${text}\nEND`).stdout).toMatch(/call\s+__tsan_read4/);
  expect(wrap(`cc -E -x c - <<'END'\n${text}\nEND`).stdout).toContain(text);
  writeFileSync(path.join(folder, 'f.c'), text);
  writeFileSync(path.join(folder, 'g.s'), '.globl g\ng: ret\n.section .note.GNU-stack,"",@progbits\n');
  for (const line of ['cc -c f.c g.s', 'cc -r f.o g.o -o fg.o -nostdlib', 'cc -shared -fPIC f.c -o libf.so'])
    expect(wrap(line)).toMatchObject({ status: 0, stderr: '' });
  expect(readBuildInfo(path.join(folder, 'libf.so')).hooks).toBe(true);
});

test.each(compilers)('link-time optimisation by %s: an archive of such objects, inlined across files', async name => {
  const env = environmentFor(name);
  const at = path.join(folder, `lto-${name}`);
  mkdirSync(at);
  // 1000 elements at places that no compiler foresees, so that the loops stay scalar: each read and written by add(),
  // read by sum().
  writeFileSync(
    path.join(at, 'main.c'),
    `int numbers[1000];
    void add(int *p); int sum(int *p);
    int main(void) { add(numbers); return sum(numbers) % 100; }`,
  );
  const loop = 'unsigned x = 1; for (int i = 0; i < 1000; i++) { x = x * 1664525 + 1013904223;';
  writeFileSync(path.join(at, 'add.c'), `void add(int *p) { ${loop} p[x % 1000]++; } }`);
  writeFileSync(path.join(at, 'sum.c'), `int sum(int *p) { int s = 0; ${loop} s += p[x % 1000] > 0; } return s; }`);
  const ar = name === 'gcc' ? 'gcc-ar' : 'llvm-ar';
  const steps = [
    `${wrapper} cc -O2 -flto -c add.c sum.c`,
    `${ar} rcs libparts.a add.o sum.o`,
    `${wrapper} cc -O2 -flto -c main.c`,
    `${wrapper} cc -O2 -flto main.o -L. -lparts -o prog`,
  ];
  const built = spawnSync('sh', ['-c', steps.join(' && ')], { cwd: at, env, encoding: 'utf8' });
  expect(built).toMatchObject({ status: 0, stderr: '' });
  const { accesses, exit, header } = await record({
    program: path.join(at, 'prog'),
    arguments: [],
    env,
    traceFile: path.join(at, 'run.pltrace'),
  });
  // Every place is visited as often by sum() as by add(): all 1000 comparisons hold.
  expect(exit).toEqual({ status: 0 });
  expect(accesses).toBe(3000);
  expect(header.flags).toMatch(/^-O2 .*-flto/);
});

test('a C++ program that needs the library for nothing but operator new gets its memory', async () => {
  writeFileSync(
    path.join(folder, 'new.cc'),
    `struct alignas(64) Line { int value; };
    int main() {
      int *plain = new int[100]; Line *aligned = new Line;
      for (int i = 0; i < 100; i++) plain[i] = i;
      int wrong = (unsigned long)aligned % 64 != 0;
      delete[] plain; delete aligned; return wrong; }`,
  );
  // Linkers that are told to leave out what is not needed leave it out; here nobody names it.
  for (const line of ['c++ -O1 -std=c++17 -fno-exceptions -c new.cc', 'cc new.o -o new'])
    expect(wrap(line)).toMatchObject({ status: 0, stderr: '' });
  expect(readBuildInfo(path.join(folder, 'new')).hooks).toBe(true);
  expect(spawnSync('ldd', [path.join(folder, 'new')], { encoding: 'utf8' }).stdout).not.toMatch('libstdc++');
  expect(spawnSync(path.join(folder, 'new')).status).toBe(0);
});

test('what cannot be recorded is refused in one line', () => {
  expect(wrap('cc -static m.c -o s')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(/^pagelens cc: -static cannot be recorded: [^\n]*\n$/),
  });
});

test('a fortified build still calls the copy functions, so that their accesses are seen', () => {
  writeFileSync(
    path.join(folder, 'fortified.c'),
    '#include <string.h>\nvoid copy(char *a, const char *b) { memcpy(a, b, 40); }',
  );
  const { stdout } = wrap('cc -O2 -D_FORTIFY_SOURCE=2 -S fortified.c -o -');
  expect(stdout).toMatch(/(call|jmp)\s+memcpy/);
});

test('two that build the runtime at the same time get one whole runtime', async () => {
  const env = { ...environmentFor('gcc'), XDG_CACHE_HOME: path.join(folder, 'fresh') };
  const runtimes = await Promise.all([ensureRuntime(env), ensureRuntime(env)]);
  expect(new Set(runtimes.map(runtime => runtime.folder)).size).toBe(1);
  expect(existsSync(path.join(runtimes[0]!.folder, 'libpagelens.so'))).toBe(true);
  const left = readdirSync(path.join(folder, 'fresh/pagelens')).filter(name => name.endsWith('.tmp'));
  expect(left).toEqual([]);
});

test('a compiler is asked once', () => {
  const env = { ...environmentFor('gcc'), XDG_CACHE_HOME: path.join(folder, 'asked') };
  const first = findCompiler('c', env);
  // The answer is in the cache; a changed one there is believed, which shows that nobody asked again.
  const cache = path.join(folder, 'asked/pagelens');
  const file = path.join(cache, readdirSync(cache).find(name => name.startsWith('compiler-'))!);
  writeFileSync(file, JSON.stringify({ ...first, version: 'remembered' }));
  expect(findCompiler('c', env).version).toBe('remembered');
  // A damaged answer is asked for again.
  writeFileSync(file, '{');
  expect(findCompiler('c', env)).toEqual(first);
});
