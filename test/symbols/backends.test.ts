/**
 * The readers of debug information against each other, on a C++ program with templates, inlining, virtual calls and
 * lambdas: llvm-symbolizer, addr2line and our own DWARF reader must tell the same story of every instruction.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseAddr2line } from '../../core/symbols/addr2line.js';
import { type BackendId, symbolize } from '../../core/symbols/symbolize.js';
import type { SymbolFrame } from '../../core/trace/blocks.js';
import { compile, has, instructions, programs, scratch } from './build.js';

const shapes = path.join(programs, 'shapes.cpp');

async function chainsBy(backend: BackendId, file: string, offsets: readonly number[]): Promise<SymbolFrame[][]> {
  const [chains] = await symbolize([{ path: file, offsets }], undefined, [backend]);
  return chains!;
}

/** The demanglers differ in how they write lambdas, constructors in templates, and where they put a space. */
function sameName(name: string): string {
  return name
    .replace(/\{lambda\(.*?\)#\d+\}|'lambda\d*'\(.*?\)|\$_\d+/g, 'lambda')
    .replace(/\(.*/, '')
    .replace(/^void /, '')
    .replace(/\s|<.*/g, '');
}

const places = (chain: readonly SymbolFrame[]) => chain.map(frame => `${frame.file}:${frame.line}`);

/** Instructions behind a function's end are padding: only what has a line and a function is compared. */
function coded(chains: readonly SymbolFrame[][], offsets: readonly number[]): number[] {
  return [...offsets.keys()].filter(
    i => chains[i]!.length > 0 && chains[i]!.every(frame => frame.line > 0 && frame.function !== ''),
  );
}

describe.each(['g++', 'clang++'])('%s', compiler => {
  describe.each([4, 5])('DWARF %i', version => {
    test.each(['-O0', '-O2'])('%s: every reader gives the same lines, columns and functions', async level => {
      if (!has(compiler) || !has('llvm-symbolizer')) return;
      const file = compile(compiler, 'shapes.cpp', [`-gdwarf-${version}`, level]);
      const offsets = instructions(file, /^(_Z|main)(?!.*@plt)/);
      const llvm = await chainsBy('llvm-symbolizer', file, offsets);
      const binutils = await chainsBy('addr2line', file, offsets);
      const own = await chainsBy('dwarf', file, offsets);
      const rows = coded(llvm, offsets);
      expect(rows.length).toBeGreaterThan(500);
      expect(rows.some(i => llvm[i]!.length >= 3)).toBe(level === '-O2');

      const differing = { own: 0, binutils: 0, columns: 0, starts: 0, names: 0 };
      for (const i of rows) {
        const expected = llvm[i]!;
        const same = (chain: readonly SymbolFrame[]) => places(chain).join() === places(expected).join();
        if (!same(own[i]!)) differing.own++;
        if (!same(binutils[i]!)) differing.binutils++;
        else {
          if (binutils[i]!.some((frame, f) => frame.column !== expected[f]!.column)) differing.columns++;
          if (binutils[i]!.some((frame, f) => frame.startLine !== expected[f]!.startLine)) differing.starts++;
          if (binutils[i]!.some((frame, f) => sameName(frame.function) !== sameName(expected[f]!.function)))
            differing.names++;
        }
      }
      expect(differing.own).toBe(0);
      expect(differing.binutils).toBeLessThanOrEqual(rows.length * 0.005);
      expect(differing.columns).toBe(0);
      expect(differing.starts).toBe(0);
      expect(differing.names).toBeLessThanOrEqual(rows.length * 0.005);
    });
  });
});

describe('symbolize', () => {
  test('an inlined function shows with its caller, both with line, column and start line', async () => {
    const source = path.join(scratch, 'inline.c');
    writeFileSync(
      source,
      [
        'int cells[64];', // 1
        'static inline __attribute__((always_inline))', // 2
        'void bump(int i) {', // 3
        '  cells[i] += 3;', // 4
        '}', // 5
        'void step(int i) {', // 6
        '    bump(i);', // 7
        '}', // 8
        'int main(int c, char **v) { (void)v; step(c); return cells[1]; }', // 9
      ].join('\n'),
    );
    const file = compile('gcc', source, ['-O2', '-g']);
    for (const backend of ['llvm-symbolizer', 'addr2line', 'dwarf'] as const) {
      const chains = await chainsBy(backend, file, instructions(file, /^step$/));
      const inlined = chains.find(chain => chain.length === 2);
      expect(inlined, backend).toBeDefined();
      expect(inlined![0]).toMatchObject({ function: 'bump', file: source, line: 4, startLine: 3 });
      expect(inlined![1]).toMatchObject({ function: 'step', file: source, line: 7, column: 5, startLine: 6 });
    }
  });

  test('a return address is looked up one byte lower, at the call', async () => {
    const file = compile('gcc', shapes.replace('.cpp', '.c'), ['-O0', '-g']);
    const text = execFileSync('objdump', ['-d', '--no-show-raw-insn', file], { encoding: 'utf8' });
    const lines = text.slice(text.indexOf('<main>:')).split('\n');
    const call = lines.findIndex(line => /call.*<mark>/.test(line));
    const next = Number.parseInt(/^\s*([0-9a-f]+):/.exec(lines[call + 1]!)![1]!, 16);
    const [[plain], [returned]] = (await symbolize([
      { path: file, offsets: [next] },
      { path: file, offsets: [next], returnAddress: true },
    ])) as [SymbolFrame[][], SymbolFrame[][]];
    // The call is the whole of line 8, what follows it is line 9.
    expect(returned![0]).toMatchObject({ function: 'main', line: 8 });
    expect(plain![0]!.line).toBe(9);
  });

  test('files are absolute even when the compiler was given a relative name in a folder of its own', async () => {
    copyFileSync(path.join(programs, 'shapes.c'), path.join(scratch, 'relative.c'));
    execFileSync('gcc', ['-g', '-o', 'relative', './relative.c'], { cwd: scratch });
    const file = path.join(scratch, 'relative');
    for (const backend of ['llvm-symbolizer', 'addr2line', 'dwarf'] as const) {
      const chains = await chainsBy(backend, file, instructions(file, /^main$/).slice(0, 1));
      expect(chains[0]![0]!.file).toBe(path.join(scratch, 'relative.c'));
    }
  });

  test('without debug information the function is named by the ELF symbols, and when they are stripped by nothing', async () => {
    const file = compile('g++', 'shapes.cpp', ['-O0', '-g0']);
    const inBump = instructions(file, /^_ZL4bumpi$/)[2]!;
    const [[chain]] = (await symbolize([{ path: file, offsets: [inBump] }])) as [SymbolFrame[][]];
    expect(chain).toEqual([{ function: 'bump(int)', file: '', line: 0, column: 0, startLine: 0 }]);
    execFileSync('strip', [file]);
    const [[stripped]] = (await symbolize([{ path: file, offsets: [inBump] }])) as [SymbolFrame[][]];
    expect(stripped).toEqual([]);
  });

  test('compressed debug sections are read by every reader', async () => {
    const file = compile('gcc', 'shapes.c', ['-g', '-gz=zlib']);
    const offsets = instructions(file, /^main$/);
    const own = await chainsBy('dwarf', file, offsets);
    expect(own.map(places)).toEqual((await chainsBy('addr2line', file, offsets)).map(places));
    expect(own[0]![0]!.function).toBe('main');
  });

  test('missing and strange files give empty chains', async () => {
    const garbage = path.join(scratch, 'garbage');
    writeFileSync(garbage, 'not an executable');
    const requests = ['/nowhere/at/all', garbage, scratch].map(file => ({ path: file, offsets: [16, 17] }));
    expect(await symbolize(requests)).toEqual([
      [[], []],
      [[], []],
      [[], []],
    ]);
  });

  test('cancelling stops with the reason given', async () => {
    const file = compile('gcc', 'shapes.c', ['-g']);
    const reason = new Error('cancelled');
    await expect(symbolize([{ path: file, offsets: [4096] }], AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

test('the output of addr2line is read as binutils documents it, unknown parts and discriminators included', () => {
  const output = [
    '0x0000000000001162',
    'dot',
    '/a/vec.h:5 (discriminator 2)',
    'shade',
    '/a/main.c:20',
    '0x0000000000001163',
    '??',
    '??:0',
    '0x0000000000001164',
    'start',
    '/a/b:c.c:?',
    '',
  ].join('\n');
  const frame = (name: string, file: string, line: number) => ({ function: name, file, line, column: 0, startLine: 0 });
  expect(parseAddr2line(output)).toEqual([
    [frame('dot', '/a/vec.h', 5), frame('shade', '/a/main.c', 20)],
    [],
    [frame('start', '/a/b:c.c', 0)],
  ]);
});

test('a file that the debug information names relatively is believed only where it is found', async () => {
  copyFileSync(path.join(programs, 'shapes.c'), path.join(scratch, 'mapped.c'));
  execFileSync('gcc', ['-g', `-ffile-prefix-map=${scratch}=.`, '-o', 'mapped', 'mapped.c'], { cwd: scratch });
  const offsets = instructions(path.join(scratch, 'mapped'), /^main$/).slice(0, 1);
  const [[beside]] = (await symbolize([{ path: path.join(scratch, 'mapped'), offsets }])) as [SymbolFrame[][]];
  expect(beside![0]).toMatchObject({ function: 'main', file: path.join(scratch, 'mapped.c'), line: 7 });
  const moved = path.join(mkdtempSync(path.join(scratch, 'away-')), 'mapped');
  copyFileSync(path.join(scratch, 'mapped'), moved);
  const [[away]] = (await symbolize([{ path: moved, offsets }])) as [SymbolFrame[][]];
  expect(away).toEqual([{ function: 'main', file: '', line: 0, column: 0, startLine: 0 }]);
});
