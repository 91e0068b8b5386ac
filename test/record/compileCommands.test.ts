/** A source file is built with the flags that a compilation database has for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { compileCommand } from '../../core/record/compileCommands.js';
import { record } from '../../core/record/record.js';
import { environmentFor, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('compile-commands');
const source = path.join(folder, 'src/main.c');
mkdirSync(path.join(folder, 'src'));
mkdirSync(path.join(folder, 'build'));
mkdirSync(path.join(folder, 'include'));
writeFileSync(path.join(folder, 'include/size.h'), '#define SIZE (10 * FACTOR)\n');
// FACTOR * 10 writes; without the flags it does not even compile.
writeFileSync(
  source,
  '#include "size.h"\nvolatile int all[SIZE];\nint main(void) { for (int i = 0; i < SIZE; i++) all[i] = i; return 0; }\n',
);
const database = (entry: object) =>
  writeFileSync(
    path.join(folder, 'build/compile_commands.json'),
    JSON.stringify([{ directory: path.join(folder, 'build'), file: '../src/main.c', ...entry }]),
  );

test.each([
  ['cc -I../include "-DFACTOR=5" -O1 -MD -MF a.d -o main.o -c ../src/main.c'],
  ['ccache /usr/bin/gcc-12 -I../include -DFACTOR=5 -O1 -c ../src/main.c -o main.o'],
  ['pagelens cc /usr/bin/cc -I../include -DFACTOR=5 -O1 -c ../src/main.c'],
])('of %s the flags are taken', command => {
  database({ command });
  expect(compileCommand(source)).toEqual({
    directory: path.join(folder, 'build'),
    flags: ['-I../include', '-DFACTOR=5', '-O1'],
  });
});

test('profile builds with them, in the folder that they are relative to', async () => {
  database({ arguments: ['cc', '-I../include', '-DFACTOR=5', '-c', '../src/main.c'] });
  const result = await record({
    program: source,
    arguments: [],
    env: environmentFor('gcc'),
    traceFile: path.join(folder, 'run.pltrace'),
  });
  expect(result).toMatchObject({ accesses: 50, exit: { status: 0 } });
});

test('a file that no database knows, and a database that is none, change nothing', () => {
  database({ file: '../src/other.c', command: 'cc -c ../src/other.c' });
  expect(compileCommand(source)).toBeNull();
  writeFileSync(path.join(folder, 'build/compile_commands.json'), '{"not": [');
  expect(compileCommand(source)).toBeNull();
});
