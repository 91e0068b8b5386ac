/** Fortran: a module and a program through `pagelens fc`, one file through `profile`; names as in the source. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { pagelens, report } from '../helpers/cli.js';
import { programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('fortran');
cpSync(path.join(programs, 'fortran'), folder, { recursive: true });

/** Derived in the comments of the sources. */
function expectNamedCounts({ objects, functions }: Report): void {
  const named = new Map(objects.map(row => [row.name.replace(/:\d+\)$/, ')'), row]));
  expect(named.get('allocate(grid) in program (heat.f90)')).toMatchObject({ reads: 2000, writes: 1000, bytes: 8000 });
  expect(named.get('fields::table')).toMatchObject({ reads: 2000, writes: 1000, bytes: 8000, line: 6 });
  expect(named.get('allocate(row,edge) in program (heat.f90)')).toMatchObject({
    reads: 750,
    writes: 750,
    bytes: 6000,
    blocks: 2,
  });
  expect(named.get('/corners/')).toMatchObject({ reads: 100, writes: 100, bytes: 800 });
  const names = functions.map(row => row.function);
  for (const name of ['program', 'fields::fill', 'add']) expect(names).toContain(name);
}

test.each(['-O0', '-O1', '-O2', '-O3', '-O2 -march=native'])(
  'a module and a program by pagelens fc %s',
  async flags => {
    for (const line of ['-c fields.f90', 'heat.f90 fields.o -o heat'])
      expect(await pagelens(['fc', ...flags.split(' '), ...line.split(' ')], { cwd: folder })).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
    expectNamedCounts(await report(['profile', '--json', '-', '--check', './heat'], 0, { cwd: folder }));
  },
);

test('one file is built by profile, and its module files are left nowhere', async () => {
  const source = path.join(folder, 'one.f90');
  const parts = ['fields.f90', 'heat.f90'].map(name => readFileSync(path.join(programs, 'fortran', name), 'utf8'));
  writeFileSync(source, parts.join(''));
  const cwd = scratchFolder('fortran-one');
  const { objects } = await report(['profile', '--json', '-', '--check', source], 0, { cwd });
  expect(objects.find(row => row.name === 'fields::table')).toMatchObject({ reads: 2000, writes: 1000 });
  expect(readdirSync(cwd)).toEqual([]);
});
