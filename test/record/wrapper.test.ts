/** What `pagelens cc` makes of a compiler's command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { leadingCompiler, readInvocation, splitWords } from '../../core/record/arguments.js';
import { wrappedArguments } from '../../core/record/wrapper.js';

const folder = mkdtempSync(path.join(tmpdir(), 'pagelens-wrapper-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** HOOKS and RUNTIME stand where the flags for compiling and for linking go. */
function wrap(line: string, family: 'gcc' | 'clang' = 'clang'): string {
  const args = splitWords(line);
  const compiler = { command: ['ccache', 'gcc'], family, compileFlags: ['HOOKS'] };
  return wrappedArguments(compiler, readInvocation(args), args, ['RUNTIME']).join(' ');
}

test('compiling alone adds hooks, and debug information that a user flag may override', () => {
  expect(wrap('-O2 -g3 -c a.c -o a.o')).toBe('gcc -g -O2 -g3 -c a.c -o a.o HOOKS');
  expect(wrap('-S a.cpp')).toBe('gcc -g -S a.cpp HOOKS');
  expect(wrap('-MMD -MF a.d -MT a.o -c a.c')).toBe('gcc -g -MMD -MF a.d -MT a.o -c a.c HOOKS');
});

test('linking alone adds the runtime, before every library of the user', () => {
  expect(wrap('main.o libx.a -lm -o prog')).toBe('gcc RUNTIME main.o libx.a -lm -o prog');
  expect(wrap('-shared -o libx.so x.o')).toBe('gcc RUNTIME -shared -o libx.so x.o');
  expect(wrap('-lfoo')).toBe('gcc RUNTIME -lfoo');
});

test('gcc gets the hooks also where it links: for objects of link-time optimisation its pass runs there', () => {
  expect(wrap('-flto main.o -o prog', 'gcc')).toBe('gcc RUNTIME -flto main.o -o prog HOOKS');
  expect(wrap('-r a.o b.o -o ab.o', 'gcc')).toBe('gcc -r a.o b.o -o ab.o HOOKS');
});

test('what would take away the lines is left out', () => {
  expect(wrap('-g0 -O2 -c a.c')).toBe('gcc -g -O2 -c a.c HOOKS');
  expect(wrap('-s -Wl,-s -Wl,--strip-all a.o -o a')).toBe('gcc RUNTIME a.o -o a');
});

test.each([
  ['/usr/bin/cc -c a.c', '/usr/bin/cc'],
  ['ccache g++-12 -c a.cc', 'ccache g++-12'],
  ['x86_64-linux-gnu-gcc a.o', 'x86_64-linux-gnu-gcc'],
  ['-c a.c', ''],
  ['a.c cc', ''],
  ['ccache', ''],
])('the compiler before the arguments, as launchers get it: %s', (line, words) => {
  expect(leadingCompiler(splitWords(line)).join(' ')).toBe(words);
});

test('the C++ library is linked shared: the runtime must find its operator new', () => {
  expect(wrap('-static-libstdc++ -static-libgcc a.o -o prog')).toBe('gcc RUNTIME -static-libgcc a.o -o prog');
});

test('one command that compiles and links gets both', () => {
  expect(wrap('a.c b.o -o prog')).toBe('gcc -g RUNTIME a.c b.o -o prog HOOKS');
  expect(wrap('-shared -fPIC x.c -o libx.so')).toBe('gcc -g RUNTIME -shared -fPIC x.c -o libx.so HOOKS');
});

test('preprocessing, questions to the compiler and relocatable links stay as they are', () => {
  for (const line of [
    '-E a.c',
    '-M a.c',
    '-MM -MF a.d a.c',
    '--version',
    '-v',
    '-print-prog-name=ld',
    '--print-search-dirs',
    '-dumpmachine',
    '-### a.c',
    '',
    '-r a.o b.o -o ab.o',
  ])
    expect(wrap(line)).toBe(`gcc ${line}`.trim());
});

test('-v beside an input still compiles with hooks', () => {
  expect(wrap('-v -c a.c')).toBe('gcc -g -v -c a.c HOOKS');
});

test('assembly gets no hooks, source on standard input gets them', () => {
  expect(wrap('-c start.s')).toBe('gcc -c start.s');
  expect(wrap('-x assembler -c start.c')).toBe('gcc -x assembler -c start.c');
  expect(wrap('-x c -c - -o a.o')).toBe('gcc -g -x c -c - -o a.o HOOKS');
  expect(wrap('-xc++ -c header.txt')).toBe('gcc -g -xc++ -c header.txt HOOKS');
  expect(wrap('-x c -x none -c a.o')).toBe('gcc -x c -x none -c a.o');
});

test('the value of an option is no input', () => {
  // Were `x.c` an input, this would compile.
  expect(wrap('-include x.c -D y.c --param z.c main.o')).toBe('gcc RUNTIME -include x.c -D y.c --param z.c main.o');
  expect(readInvocation(['-o', 'a.c']).action).toBe('information');
});

test('an @file is read for what it says and passed on as it is', () => {
  const file = path.join(folder, 'flags');
  writeFileSync(file, '-c "a file.c"\n-DX=\'1 2\' -o x.o');
  expect(wrap(`@${file}`)).toBe(`gcc -g @${file} HOOKS`);
  const nested = path.join(folder, 'nested');
  writeFileSync(nested, `@${file} -E`);
  expect(wrap(`@${nested}`)).toBe(`gcc @${nested}`);
  // One that is not there is a file name, for the compiler to complain about.
  expect(wrap('@missing')).toBe('gcc RUNTIME @missing');
});

test.each([
  ['-static a.c', /^-static cannot be recorded: .*; remove -static$/],
  ['-static-pie a.o', /^-static-pie cannot/],
  ['-m32 -c a.c', /^-m32 cannot be recorded: only 64-bit/],
  ['-fsanitize=address -c a.c', /^-fsanitize=address cannot be combined/],
  ['-fsanitize=undefined,thread a.o', /^-fsanitize=thread cannot be combined/],
  ['-fsanitize=leak a.o', /^-fsanitize=leak cannot/],
])('%s is refused with the reason', (line, reason) => {
  expect(readInvocation(splitWords(line)).refusal).toMatch(reason);
});

test.each([
  '-fsanitize=undefined -c a.c',
  '-fsanitize=address -fno-sanitize=address a.c',
  '-fsanitize=thread -fno-sanitize=all a.c',
  '-static-libgcc a.o',
  '-static-libstdc++ a.o',
  '-static --version',
  '-fsanitize=address -E a.c',
])('%s is not refused', line => {
  expect(readInvocation(splitWords(line)).refusal).toBeNull();
});

test('words are split as a shell does', () => {
  expect(splitWords(` -O2  -D'A B' -DC="d \\"e" f\\ g '' `)).toEqual(['-O2', '-DA B', '-DC=d "e', 'f g', '']);
});
