/** Globals, build ids and source hashes against nm, readelf and sha256sum; and files that lie. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildIdOf, globalsOf } from '../../core/symbols/globals.js';
import { readSources } from '../../core/symbols/sources.js';
import { symbolize } from '../../core/symbols/symbolize.js';
import { symbolsOf } from '../../core/symbols/traceSymbols.js';
import { compile, has, instructions, programs, scratch } from './build.js';

const shapes = path.join(programs, 'shapes.cpp');

/** Data symbols with size as nm lists them: address and size -> file:line. */
function byNm(file: string): Map<string, string> {
  const found = new Map<string, string>();
  const text = execFileSync('nm', ['--print-size', '--line-numbers', file], { encoding: 'utf8' });
  for (const line of text.split('\n')) {
    const [, address, size, place] = /^([0-9a-f]+) ([0-9a-f]+) [BbDdRrVu] \S+(?:\t(.*))?$/.exec(line) ?? [];
    if (address)
      found.set(`${Number.parseInt(address, 16)}+${Number.parseInt(size!, 16)}`, place ? path.normalize(place) : '');
  }
  return found;
}

describe('globals', () => {
  test.each(['g++ -gdwarf-4', 'g++ -gdwarf-5', 'clang++ -gdwarf-4', 'clang++ -gdwarf-5'])(
    '%s: the same objects and declarations as nm finds',
    async command => {
      const [compiler, flag] = command.split(' ') as [string, string];
      if (!has(compiler)) return;
      const file = compile(compiler, 'shapes.cpp', [flag, '-O2']);
      const globals = await globalsOf(file);
      const expected = byNm(file);
      // The one thread-local, whose "address" is its place in the thread's block: nm cannot tell.
      expected.delete('0+4');
      const ours = new Map(globals.map(global => [`${global.offset}+${global.size}`, global]));
      expect([...ours.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [key, place] of expected)
        if (place !== '') expect(`${ours.get(key)!.file}:${ours.get(key)!.line}`).toBe(place);
    },
  );

  test('statics of files, functions and classes have readable names; thread-locals are left out', async () => {
    const file = compile('g++', 'shapes.cpp', ['-g', '-O2']);
    const globals = await globalsOf(file);
    const byName = new Map(globals.map(global => [global.name, global]));
    expect(byName.get('table')).toMatchObject({ size: 4000, file: shapes, line: 8 });
    expect(byName.get('weights')).toMatchObject({ size: 32, file: shapes, line: 9 });
    expect(byName.get('geometry::Counter::members')).toMatchObject({ size: 256, file: shapes, line: 17 });
    expect(byName.get('bump(int)::counter')).toMatchObject({ size: 8, file: shapes, line: 43 });
    expect(byName.has('perThread')).toBe(false);
    const offsets = globals.map(global => global.offset);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });

  test('a static of a C function loses the number that gcc adds', async () => {
    const names = (await globalsOf(compile('gcc', 'shapes.c', ['-g']))).map(global => global.name);
    expect(names).toEqual(expect.arrayContaining(['calls', 'marks', 'shared']));
  });

  test('a stripped shared library still has its exported objects', async () => {
    const file = compile('gcc', 'shapes.c', ['-shared', '-fPIC', '-s']);
    const globals = await globalsOf(file);
    expect(globals.find(global => global.name === 'shared')).toMatchObject({ size: 16, file: '', line: 0 });
  });
});

test('the build id is the one that readelf prints, and empty without one', async () => {
  const file = compile('gcc', 'shapes.c', ['-Wl,--build-id=sha1']);
  const printed = /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', file], { encoding: 'utf8' }))![1];
  expect(await buildIdOf(file)).toBe(printed);
  expect(await buildIdOf(compile('gcc', 'shapes.c', ['-Wl,--build-id=none']))).toBe('');
  expect(await buildIdOf(shapes)).toBe('');
  expect(await buildIdOf('/nowhere')).toBe('');
});

test('sources are hashed as sha256sum does, once each, in order, without those that are gone', async () => {
  const one = path.join(scratch, 'one.c');
  const two = path.join(scratch, 'two.c');
  writeFileSync(one, 'abc');
  writeFileSync(two, '');
  expect(await readSources([two, one, two, '/nowhere/gone.c', ''])).toEqual([
    // FIPS 180-2, appendix B.1: the digest of "abc"; and the well-known one of nothing.
    { path: one, sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
    { path: two, sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  ]);
});

describe('the symbols of a trace', () => {
  test('a rebuilt program is not taken for the recorded one', async () => {
    const file = compile('gcc', 'shapes.c', ['-g', '-Wl,--build-id=sha1']);
    const buildId = await buildIdOf(file);
    const [offset] = instructions(file, /^main$/) as [number];
    const sites = {
      count: 3,
      module: Uint32Array.of(5, 0xffff_ffff, 5),
      offset: Float64Array.of(offset + 1, 7, offset + 1),
    };
    const module = (id: string) => [{ module: 5, path: file, buildId: id, globals: [] }];
    const same = await symbolsOf(module(buildId), sites, { sameBuildOnly: true });
    expect(same.module).toEqual([5]);
    expect(same.offset).toEqual([offset + 1]);
    expect(same.frames[0]![0]).toMatchObject({ function: 'main', line: 7 });
    expect(same.sources.map(source => source.path)).toContain(path.join(programs, 'shapes.c'));
    const other = await symbolsOf(module('00ff'), sites, { sameBuildOnly: true });
    expect(other.frames).toEqual([]);
    const unknown = await symbolsOf(module(''), sites, { sameBuildOnly: true });
    expect(unknown.frames).toEqual([]);
  });
});

test('a damaged executable yields nothing or something, but never an error', async () => {
  const file = compile('g++', 'shapes.cpp', ['-g', '-O2']);
  const whole = readFileSync(file);
  const offsets = instructions(file, /^main$/).slice(0, 8);
  const damaged = path.join(scratch, 'damaged');
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 60 }),
      fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { maxLength: 2 }),
      fc.integer({ min: 100, max: whole.length }),
      async (changes, headerChanges, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        for (const [at, value] of headerChanges) bytes[at] = value;
        writeFileSync(damaged, bytes);
        expect(await globalsOf(damaged)).toBeInstanceOf(Array);
        expect(typeof (await buildIdOf(damaged))).toBe('string');
        const [chains] = await symbolize([{ path: damaged, offsets }], undefined, ['dwarf']);
        expect(chains).toHaveLength(offsets.length);
      },
    ),
    { numRuns: 60, seed: 20 },
  );
});
