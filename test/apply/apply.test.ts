/**
 * `pagelens apply`: programs that were never instrumented run with their allocations placed. What the kernel was asked
 * for the programs see themselves (get_mempolicy); the numbers of blocks are those of their loops.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pagelens } from '../helpers/cli.js';

const programs = path.resolve(__dirname, '../programs/apply');
const blocksSource = path.join(programs, 'blocks.c');
let folder: string;
let blocks: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pagelens-apply-test-'));
  blocks = compile('gcc', ['-O2', '-g', '-pthread', blocksSource], 'blocks');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(compiler: string, args: readonly string[], name: string): string {
  const file = path.join(folder, name);
  const { status, stderr } = spawnSync(compiler, [...args, '-o', file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** Number of the line of a source that holds `text`. */
function lineOf(file: string, text: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex(line => line.includes(text)) + 1
  );
}

const frame = (name: string, text: string) => ({
  function: name,
  file: `/elsewhere/blocks.c`,
  line: lineOf(blocksSource, text),
});
const wrapper = frame('xmalloc', 'malloc(bytes);');
const inMain = frame('main', '*hot = make_hot(BYTES), *cold');
const inWork = frame('work', '*hot = make_hot(bytes)');
const hot = frame('make_hot', '/* hot */');
const cold = frame('make_cold', '/* cold */');

interface Applied {
  readonly objects: readonly {
    readonly name: string;
    readonly blocks: number;
    readonly bytes: number;
    readonly impossible: boolean;
  }[];
  readonly [name: string]: unknown;
}

async function applied(
  objects: readonly object[],
  program: string,
  args: readonly string[] = [],
  options: readonly string[] = [],
) {
  const file = path.join(folder, 'placement.json');
  const json = path.join(folder, 'applied.json');
  const tiers = [{ id: 'fast' }, { id: 'slow' }];
  writeFileSync(file, JSON.stringify({ schema: 'pagelens-placement/1', tiers, objects }));
  rmSync(json, { force: true });
  const outcome = await pagelens(['apply', '--json', json, ...options, file, program, ...args]);
  const result: Applied | null = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : null;
  return { ...outcome, result, lines: outcome.stdout.trim().split('\n') };
}

describe('blocks of a C program', () => {
  const objects = [
    { kind: 'heap', name: 'hot of main', tier: 'fast', stack: [wrapper, hot, inMain] },
    { kind: 'heap', name: 'cold of main', tier: 'slow', stack: [wrapper, cold, inMain] },
    { kind: 'heap', name: 'hot of work', tier: 'fast', stack: [wrapper, hot, inWork] },
    {
      kind: 'heap',
      name: 'hot of the child',
      tier: 'fast',
      stack: [wrapper, hot, inWork, frame('main', 'work(NULL);')],
    },
    { kind: 'global', name: 'hot_table', tier: 'fast' },
    { kind: 'anonymous', name: 'mapped', tier: 'slow', stack: [frame('main', '/* mapped */')] },
    { kind: 'heap', name: 'aligned', tier: 'slow', stack: [frame('main', '/* aligned */')] },
    {
      kind: 'heap',
      name: 'gone',
      tier: 'slow',
      stack: [{ function: 'removed', file: '/elsewhere/blocks.c', line: 9999 }],
    },
  ];

  test('are placed where their stacks are named, and only those; threads and a forked child keep their contents', async () => {
    const { status, lines, stderr, result } = await applied(objects, blocks);
    expect(stderr).not.toContain('SIG');
    expect(status).toBe(0);
    expect(lines).toEqual([
      'hot bound',
      'cold bound',
      'other free',
      'grown hot bound',
      'hot_table bound',
      'mapped bound',
      'zeroed free',
      'child 0',
    ]);
    const counted = new Map(result!.objects.map(row => [row.name, row]));
    expect(counted.get('hot of main')).toMatchObject({ blocks: 1, bytes: 300 * 1024 });
    expect(counted.get('cold of main')).toMatchObject({ blocks: 1, bytes: 300 * 1024 });
    // Four threads of the parent, 20,000 rounds each, of 16 + 37 i mod 5,000 bytes.
    const bytes = Array.from({ length: 20_000 }, (_, i) => 16 + ((37 * i) % 5000)).reduce((a, b) => a + b, 0);
    expect(counted.get('hot of work')).toMatchObject({ blocks: 80_000, bytes: 4 * bytes });
    expect(counted.get('hot of the child')).toMatchObject({ blocks: 20_000, bytes });
    // Alignments 32 to 8,192, 100 bytes each.
    expect(counted.get('aligned')).toMatchObject({ blocks: 9, bytes: 900 });
    expect(counted.get('mapped')).toMatchObject({ blocks: 1, bytes: 16 * 4096 });
    expect(counted.get('gone')).toMatchObject({ blocks: 0, impossible: true });
    expect(stderr).toContain('1 objects cannot be in this build, the first: gone');
    expect(stderr).toMatch(/memory node|all tiers/);
  });

  test('lie at the same addresses whatever the tiers are', async () => {
    const source = path.join(folder, 'addresses.c');
    writeFileSync(
      source,
      '#include <stdio.h>\n#include <stdlib.h>\nint main(void) {\n' +
        '  char *a = malloc(50000); /* a */\n  char *b = malloc(500000); /* b */\n' +
        '  printf("%ld\\n", b > a ? 1l : 0l);\n  return a && b ? 0 : 1;\n}\n',
    );
    const program = compile('gcc', ['-O1', '-g', source], 'addresses');
    const objectsOf = (tier: string) =>
      ['/* a */', '/* b */'].map(text => ({
        kind: 'heap',
        name: text,
        tier,
        stack: [{ function: 'main', file: source, line: lineOf(source, text) }],
      }));
    const fast = await applied(objectsOf('fast'), program);
    const slow = await applied(objectsOf('slow'), program);
    expect(fast.result!.objects.map(({ blocks }) => blocks)).toEqual([1, 1]);
    expect(fast.stdout).toBe(slow.stdout);
  });

  test('that may be two objects of different tiers are left alone', async () => {
    const other = frame('other_caller', 'work(NULL);');
    const { result, lines } = await applied(
      [
        { kind: 'heap', name: 'one', tier: 'fast', stack: [wrapper, hot, other, inMain] },
        { kind: 'heap', name: 'two', tier: 'slow', stack: [wrapper, hot, inWork, inMain] },
      ],
      blocks,
    );
    expect(lines[0]).toBe('hot free');
    expect(result!.undecided).toEqual({ blocks: 1, bytes: 300 * 1024 });
  });

  test('a crash is told by the status, and what was placed until then is counted', async () => {
    const { status, stderr, result } = await applied(objects, blocks, ['crash']);
    expect(status).toBe(4);
    expect(stderr).toContain('was ended by SIGABRT');
    expect(result!.exit).toEqual({ signal: 'SIGABRT' });
  });

  test('a stripped program is placed by the debug information of the same build', async () => {
    const stripped = path.join(folder, 'stripped');
    spawnSync('strip', ['-o', stripped, blocks]);
    const without = await applied(objects, stripped);
    expect(without.lines[0]).toBe('hot free');
    const { lines, result } = await applied(objects, stripped, [], ['--symbols', blocks]);
    expect(lines.slice(0, 3)).toEqual(['hot bound', 'cold bound', 'other free']);
    expect(result!.objects[0]).toMatchObject({ blocks: 1 });
  });
});

test('a profile of the instrumented build places the plain one: new, exceptions, a library that is loaded late', async () => {
  const source = path.join(programs, 'objects.cc');
  const profile = path.join(folder, 'objects.pagelens');
  const made = await pagelens([
    'profile',
    '--quiet',
    '--tracker',
    'exact',
    '--mode',
    'native',
    '--save',
    profile,
    source,
  ]);
  expect(made).toMatchObject({ status: 0, stderr: 'sum 499501\n' });
  const written = await pagelens(['report', '--format', 'placement', profile]);
  const { objects } = JSON.parse(written.stdout);
  const pluginSource = path.join(programs, 'plugin.c');
  const place = { function: 'plugin_block', file: pluginSource, line: lineOf(pluginSource, '/* plug-in */') };
  // Called by main, through a pointer that dlsym gave.
  const caller = { function: 'main', file: source, line: lineOf(source, 'make()[5]') };
  objects.push({ kind: 'heap', name: 'plug-in', tier: 'slow', stack: [place, caller] });
  for (const object of objects) object.tier = object.name === 'plug-in' ? 'slow' : 'fast';

  const program = compile('g++', ['-O2', '-g', source, '-ldl'], 'objects');
  const plugin = compile('gcc', ['-O2', '-g', '-shared', '-fPIC', pluginSource], 'plugin.so');
  const { status, lines, result } = await applied(objects, program, [plugin], ['--module', plugin]);
  expect(status).toBe(0);
  // 0 + ... + 999 of the list, and 1 of the one behind the exception.
  expect(lines).toEqual(['plug-in 9', 'sum 499501']);
  const nodes = result!.objects.filter(({ name }) => name.includes('make_node'));
  expect(nodes.reduce((sum, row) => sum + row.blocks, 0)).toBe(1001);
  expect(nodes.reduce((sum, row) => sum + row.bytes, 0)).toBe(1001 * 4096);
  expect(result!.objects.find(({ name }) => name === 'plug-in')).toMatchObject({ blocks: 1, bytes: 100_000 });
});

describe('what cannot be done is one line that says why', () => {
  const one = [{ kind: 'global', name: 'hot_table', tier: 'fast' }];
  const refused = async (objects: readonly object[], program: string, options: readonly string[] = []) => {
    const { status, stderr } = await applied(objects, program, [], options);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return `${status} ${stderr}`;
  };

  test('a program that is not there, is no program, or is linked statically', async () => {
    expect(await refused(one, path.join(folder, 'nothing'))).toMatch(/^3 .*no such program/);
    expect(await refused(one, blocksSource)).toMatch(/^3 .*no 64-bit ELF program/);
    const fixed = compile('gcc', ['-O1', '-static', '-pthread', blocksSource], 'static');
    expect(await refused(one, fixed)).toMatch(/^3 .*linked statically/);
  });

  test('nodes that do not fit', async () => {
    expect(await refused(one, blocks, ['--nodes', '0'])).toMatch(/^2 .*1 nodes for 2 tiers/);
    expect(await refused(one, blocks, ['--nodes', '0,77'])).toMatch(/^2 .*node 77 of tier slow/);
  });

  test.each([
    ['text', 'hello', 'not JSON'],
    ['another schema', '{"schema":"other"}', '"schema" is not "pagelens-placement/1"'],
    ['no tiers', '{"schema":"pagelens-placement/1","tiers":[],"objects":[]}', '"tiers" has 0 entries'],
    [
      'an unknown tier',
      '{"schema":"pagelens-placement/1","tiers":[{"id":"a"}],"objects":[{"kind":"heap","name":"x","tier":"b"}]}',
      'objects[0].tier',
    ],
    [
      'no stack',
      '{"schema":"pagelens-placement/1","tiers":[{"id":"a"}],"objects":[{"kind":"heap","name":"x","tier":"a"}]}',
      'objects[0].stack is empty',
    ],
  ])('a placement file with %s', async (_, content, reason) => {
    const file = path.join(folder, 'bad.json');
    writeFileSync(file, content);
    const { status, stderr } = await pagelens(['apply', file, blocks]);
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
