/** Templates, inlined functions, macros and headers show on what the programmer wrote, whichever compiler built it. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { load } from '../../core/profile/file.js';
import { partsOfSites } from '../../core/server/parts.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { regionsOf } from '../../core/server/regions.js';
import { pagelens, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (name: string) => path.join(root, 'test/programs/written', name);

/** Line of the comment that holds a marker. */
function lineOf(file: string, marker: string): number {
  const lines = readFileSync(source(file), 'utf8').split('\n');
  return lines.findIndex(line => new RegExp(`@${marker}[ *]`).test(line)) + 1;
}

describe.each(['g++', 'clang++'])('%s', compiler => {
  test('what is written once is one mark, and what the compiler made of it is its parts', async () => {
    const saved = path.join(folder, `${compiler}.pagelens`);
    const { status, stderr } = await pagelens(['profile', '--quiet', '--save', saved, source('written.cc')], {
      env: { CXX: compiler },
    });
    expect(status, stderr).toBe(0);
    const index = new ProfileIndex(await load(saved));
    const { lines, functions } = index.profile;
    const row = (file: string, marker: string) => {
      const number = index.fileOf(source(file));
      return index.rowsOf(number).lines.find(candidate => lines.line[candidate] === lineOf(file, marker))!;
    };
    const counts = (line: number) => [lines.reads[line], lines.writes[line]];
    const parts = (line: number) => partsOfSites(index, index.sitesOfLine(line)).map(part => [part.label, part.reads]);

    // 4,096 ints and 1,024 doubles, read by two instantiations of one line.
    expect(counts(row('table.h', 'sum-line'))).toEqual([4096 + 1024, 0]);
    expect(parts(row('table.h', 'sum-line'))).toEqual([
      ['sum<int>', 4096],
      ['sum<double>', 1024],
    ]);
    // An inlined function's line sums its callers; nothing of it is left on theirs.
    expect(counts(row('table.h', 'at-line'))).toEqual([4096 + 2048, 0]);
    expect(parts(row('table.h', 'at-line'))).toEqual([
      ['at inlined into forward', 4096],
      ['at inlined into backward', 2048],
    ]);
    // A macro shows where it is used: 1,024 elements are read and written; its definition has nothing.
    expect(counts(row('written.cc', 'expansion'))).toEqual([1024, 1024]);
    expect(row('table.h', 'macro')).toBeUndefined();

    const header = regionsOf(index, index.rowsOf(index.fileOf(source('table.h'))), '');
    expect(header.map(region => [region.line, region.several, region.reads, region.writes])).toEqual([
      // A template begins at the line of its name.
      [lineOf('table.h', 'sum'), '2 instantiations', 4096 + 1024, 0],
      [lineOf('table.h', 'at'), '', 4096 + 2048, 0],
    ]);
    expect(header[0].parts.map(({ label }) => label)).toEqual(['sum<int>', 'sum<double>']);
    expect(functions.name.filter(name => name.startsWith('at'))).toHaveLength(1);

    // Two allocations on one line: the ints are read 4,096 + 2,048 + 1,024 + 4,096 times and written 1,024 times, the
    // doubles 1,024 + 2,048 and 2,048 times.
    const main = regionsOf(index, index.rowsOf(index.fileOf(source('written.cc'))), '');
    const allocations = main.filter(({ kind, reads }) => kind === 'allocation' && reads > 0);
    expect(allocations.map(({ line, reads, writes }) => [line, reads, writes])).toEqual([
      [lineOf('written.cc', 'allocations'), 4096 + 2048 + 1024 + 4096 + 1024 + 2048, 1024 + 2048],
    ]);
  });
});
