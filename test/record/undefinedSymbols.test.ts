/** A source file that does not link alone is told what is missing and where it is. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { build } from '../../core/record/build.js';
import type { RecordError } from '../../core/record/errors.js';
import { definingSiblings, undefinedSymbols } from '../../core/record/undefinedSymbols.js';

let folder: string;
const write = (name: string, text: string) => writeFileSync(path.join(folder, name), text);

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pagelens-symbols-'));
  write('main.c', 'int area(int); extern int scale; int main(void) { return area(scale); }\n');
  write('geometry.c', '#include <stdio.h>\nint\narea(int side)\n{\n  return side * side;\n}\n');
  write('settings.c', 'int scale = 3;\n');
  write('caller.c', 'int area(int);\nint twice(void) {\n  int scale = 2;\n  return area(scale);\n}\n');
  write('other.c', '// int area(int side) {\nint area(int);\nextern int scale;\nint main(void) { return area(1); }\n');
  write('broken.c', 'int main(void) { return 0 }\n');
});

const failureOf = (name: string, cflags = '') =>
  build({ source: path.join(folder, name), folder: path.join(folder), cflags, env: process.env, onMessage: () => {} })
    .then(() => null)
    .catch((error: RecordError) => error);

test('the messages of GNU ld, gold and lld', () => {
  expect(
    undefinedSymbols(
      [
        "/usr/bin/ld: /tmp/a.o: in function `main':",
        "main.c:3: undefined reference to `area'",
        "main.c:9: undefined reference to `area'",
        "b.cc:1: error: undefined reference to 'geometry::Shape::area(int) const'",
        'ld.lld: error: undefined symbol: scale',
        '>>> referenced by main.c:1',
      ].join('\n'),
    ),
  ).toEqual(['area', 'geometry::Shape::area(int) const', 'scale']);
});

describe('siblings', () => {
  const of = (...symbols: string[]) =>
    definingSiblings(path.join(folder, 'main.c'), symbols).map(file => path.basename(file));

  test('are those that define, not those that declare, call, comment or have a main of their own', () => {
    expect(of('area')).toEqual(['geometry.c']);
    expect(of('area', 'scale')).toEqual(['geometry.c', 'settings.c']);
    expect(of('nowhere')).toEqual([]);
  });
  test('a long table of numbers is passed over in no time', () => {
    write('table.c', `int table[] = {\n${'1234, 5678,\n'.repeat(50_000)}};\n`);
    const before = performance.now();
    expect(of('volume')).toEqual([]);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe('a build says by a stable code what failed', () => {
  test('undefined symbols, with the files to add', async () => {
    const error = await failureOf('main.c');
    expect(error?.message).toBe(
      'main.c was not built: area, scale are not defined in it; add geometry.c settings.c to --cflags',
    );
    expect(error?.failure).toMatchObject({
      code: 'undefined-symbols',
      symbols: ['area', 'scale'],
      siblings: ['geometry.c', 'settings.c'].map(name => path.join(folder, name)),
    });
  });
  test('and with them it is built', async () => {
    expect(await failureOf('main.c', `${folder}/geometry.c ${folder}/settings.c`)).toBeNull();
  });
  test('no main', async () => {
    expect((await failureOf('settings.c'))?.failure?.code).toBe('no-main');
  });
  test('what does not compile, with the messages', async () => {
    const failure = (await failureOf('broken.c'))?.failure;
    expect(failure?.code).toBe('not-compiled');
    expect(failure?.output).toMatch(/broken\.c:1:26: error: expected .;./);
  });
});
