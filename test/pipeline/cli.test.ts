/** The command line as its contract says (design, section 4): exit statuses, streams, determinism, cut traces. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pagelens, read, report, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => path.join(folder, name);

/** 2,000 pages written in three rounds, by two threads, then read. */
const program = `#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static unsigned long *block;
static void *half(void *from) {
  for (int round = 0; round < 3; round++)
    for (long page = 0; page < 1000; page++) block[((long)from + page) * 512] += page;
  return 0;
}
int main(void) {
  block = calloc(2000, 4096);
  pthread_t other;
  pthread_create(&other, 0, half, (void *)1000);
  half(0);
  pthread_join(other, 0);
  unsigned long sum = 0;
  for (int round = 0; round < 200; round++)
    for (long i = 0; i < 2000 * 512; i += 64) sum += block[i];
  printf("sum %lu\\n", sum);
  return 0;
}
`;

beforeAll(() => writeFileSync(file('pages.c'), program));

describe('usage', () => {
  test.each([
    [[], /usage: pagelens profile/],
    [['fly'], /unknown command fly; known: profile, record/],
    [['profile'], /PROGRAM is missing/],
    [['profile', '--wings', 'x.c'], /Unknown option '--wings'/],
    [['record', 'x.c'], /record needs -o/],
    [['replay', '--machine', 'abacus', 'x'], /--machine abacus: unknown; known: .*skylake/],
    [['replay', '--tracker', 'pml,nose', 'x'], /--tracker nose: unknown; known: exact, pml/],
    [['replay', '--epoch', '0', 'x'], /--epoch 0: must be/],
    [['replay', '--capacity', 'much', 'x'], /--capacity much: must be a size/],
    [['replay', '--tiers', '/no/such.json', 'x'], /\/no\/such\.json/],
    [['report', '--format', 'pdf', 'x'], /--format pdf: unknown; known: text, json, csv, html, md/],
    [['list', 'birds'], /list birds: unknown; known: recorders/],
    [['profile', '/no/such/program.c'], /there is no such program or source file/],
    [['replay', '/no/such.pltrace'], /there is no such file/],
    [['report', '/no/such.pagelens'], /no such file/],
  ])('pagelens %j is refused in one line with status 2 or 3', async (args, message) => {
    const { status, stdout, stderr } = await pagelens(args);
    expect(status).toBe(args[0] === 'profile' && args[1]?.startsWith('/no') ? 3 : 2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    if (args.length > 0) expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each(['recorders', 'formats', 'machines', 'modes', 'trackers', 'classifiers', 'policies', 'tiers'])(
    'list %s names its ids, and as JSON the same',
    async kind => {
      const text = (await pagelens(['list', kind])).stdout.trimEnd().split('\n');
      const rows = JSON.parse((await pagelens(['list', kind, '--json'])).stdout);
      expect(text.map(line => line.split(' ')[0])).toEqual(rows.map((row: { id: string }) => row.id));
      expect(rows.length).toBeGreaterThan(0);
    },
  );
});

describe('a program that fails', () => {
  test('without a compiler the message names what to install, status 3', async () => {
    mkdirSync(file('bin'), { recursive: true });
    const env = { PATH: file('bin'), CC: undefined, CXX: undefined };
    const { status, stderr } = await pagelens(['profile', file('pages.c')], { env });
    expect(status).toBe(3);
    expect(stderr).toMatch(/no C compiler.*apt-get install/);
  });

  test('a source file that does not compile: the compiler speaks, status 3', async () => {
    writeFileSync(file('wrong.c'), 'int main(void) { return nothing; }\n');
    const { status, stdout, stderr } = await pagelens(['profile', file('wrong.c')]);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/wrong\.c:1:\d+: error: .*nothing/);
  });

  test('a non-zero status: the profile is written and says so, status 4', async () => {
    writeFileSync(
      file('seven.c'),
      '#include <stdlib.h>\nint main(void) { volatile int *p = malloc(4); *p = 1; return 7; }\n',
    );
    const { status, stdout, stderr } = await pagelens(['profile', '--json', '-', file('seven.c')]);
    expect(status).toBe(4);
    expect(JSON.parse(stdout).program.exit).toEqual({ status: 7 });
    expect(stderr).toMatch(/ended with status 7/);
  });

  test.each([
    ['abort()', 'SIGABRT'],
    ['raise(SIGKILL)', 'SIGKILL'],
  ])('%s: the signal is told, what was done until then is counted', async (call, signal) => {
    const source = file(`${signal}.c`);
    writeFileSync(
      source,
      `#include <signal.h>\n#include <stdlib.h>\nint main(void) { volatile char *p = malloc(100);\nfor (int i = 0; i < 100; i++) p[i] = 1;\n${call}; }\n`,
    );
    const found = await report(['profile', '--json', '-', '--check', source], 4);
    expect(found.program.exit).toEqual({ signal });
    expect(found.accesses).toEqual({ reads: 0, writes: 100 });
  });

  test('_exit in the middle loses nothing', async () => {
    writeFileSync(
      file('leave.c'),
      '#include <stdlib.h>\n#include <unistd.h>\nint main(void) { volatile char *p = malloc(100);\nfor (int i = 0; i < 100; i++) p[i] = 1;\n_exit(0); }\n',
    );
    expect((await report(['profile', '--json', '-', file('leave.c')])).accesses).toEqual({ reads: 0, writes: 100 });
  });
});

describe('one trace', () => {
  let first: string;

  beforeAll(async () => {
    const { status, stderr } = await pagelens(['record', '-o', file('pages.pltrace'), file('pages.c')]);
    expect(stderr).toMatch(/sum \d+/);
    expect(status).toBe(0);
    first = (await pagelens(['replay', '--json', '-', '--page-rows', '--check', file('pages.pltrace')])).stdout;
  });

  test('its totals are those of the program', () => {
    // calloc's zeroes are the library's. 6,000 read-modify-writes; 200 x 16,000 reads; and `block` itself, a global,
    // read before the loops as often as the compiler likes and written once.
    const { accesses, pages, objects } = JSON.parse(first);
    const heap = objects.find((row: { kind: string }) => row.kind === 'heap');
    expect([heap.reads, heap.writes, heap.pages]).toEqual([3_206_000, 6000, 2000]);
    expect(accesses.writes).toBe(6001);
    expect(pages.reads).toBe(accesses.reads);
  });

  test('gives the same report, byte for byte, every time', async () => {
    const second = await pagelens(['replay', '--json', '-', '--page-rows', file('pages.pltrace')]);
    expect(second.stdout).toBe(first);
  });

  test('gives it from standard input, and when program and source are gone', async () => {
    const trace = readFileSync(file('pages.pltrace'));
    rmSync(file('pages.c'));
    const piped = await pagelens(['replay', '--json', '-', '--page-rows', '-'], { input: trace });
    writeFileSync(file('pages.c'), program);
    expect(piped.stdout).toBe(first);
  });

  test('a profile that was replayed while it was recorded equals the replay of its trace', async () => {
    const kept = file('live.pltrace');
    const live = await pagelens(['profile', '--quiet', '--trace', kept, '--json', '-', '--page-rows', file('pages.c')]);
    expect(live.status).toBe(0);
    const again = await pagelens(['replay', '--json', '-', '--page-rows', kept]);
    expect(again.stdout).toBe(live.stdout);
  });

  test('a saved profile gives the report of the run, in every format', async () => {
    const saved = file('pages.pagelens');
    const text = await pagelens(['replay', '--save', saved, file('pages.pltrace')]);
    expect((await pagelens(['report', saved])).stdout).toBe(text.stdout);
    expect((await pagelens(['report', '--json', '-', '--page-rows', saved])).stdout).toBe(first);
    expect((await pagelens(['report', '--format', 'csv', saved])).stdout).toMatch(/pages\.c/);
    expect((await pagelens(['report', '--format', 'md', saved])).stdout).toMatch(/^#/);
    expect((await pagelens(['report', '--format', 'html', saved])).stdout).toMatch(/^<!doctype html>/i);
  });

  test('a tracker alone gives the row that it has among all', async () => {
    const all = JSON.parse(first).trackers;
    // Each third one by the command; all of them in test/tracking/trackers.test.ts.
    for (const row of all.filter((_: unknown, i: number) => i % 3 === 1)) {
      // Nor does it matter which modes are replayed beside it.
      const one = ['--tracker', row.id, '--mode', 'nested'];
      const alone = await report(['replay', ...one, '--page-rows', '--json', '-', file('pages.pltrace')]);
      expect(alone.trackers).toEqual([row]);
    }
  });

  test('a mode alone gives the row that it has among all', async () => {
    const all = JSON.parse(first).translation;
    for (const row of all) {
      const one = ['--mode', row.mode, '--tracker', 'exact'];
      const alone = await report(['replay', ...one, '--json', '-', file('pages.pltrace')]);
      expect(alone.translation).toEqual([row]);
    }
  });

  test('cut anywhere it either replays, incomplete and warned, or is refused in one line', async () => {
    const whole = readFileSync(file('pages.pltrace'));
    const cut = file('cut.pltrace');
    let replayed = 0;
    let refused = 0;
    for (const share of [0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999]) {
      writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * share)));
      const { status, stdout, stderr } = await pagelens(['replay', '--json', '-', '--check', '--quiet', cut]);
      if (status === 0) {
        const found = JSON.parse(stdout);
        expect(found.program.complete).toBe(false);
        expect(found.warnings.join(' ')).toMatch(/cut/);
        replayed++;
      } else {
        expect([status, stdout]).toEqual([2, '']);
        expect(stderr.trimEnd().split('\n')).toHaveLength(1);
        refused++;
      }
    }
    expect(replayed).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });

  test('standard input is called by its name in errors', async () => {
    const { status, stderr } = await pagelens(['replay', '-'], { input: Buffer.from('hello') });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^pagelens: standard input is no trace: it seems to be a text file/);
  });

  test.each([
    ['text', 'no trace at all\n'],
    ['zeroes', '\0'.repeat(5000)],
    ['an ELF file', readFileSync('/bin/true')],
  ])('%s is refused in one line', async (_, content) => {
    writeFileSync(file('garbage.pltrace'), content);
    const { status, stdout, stderr } = await pagelens(['replay', file('garbage.pltrace')]);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/garbage\.pltrace is no trace/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

test('what the program prints goes to standard error, or where --program-output says', async () => {
  const plain = await pagelens(['profile', '--json', '-', file('pages.c')]);
  expect(() => JSON.parse(plain.stdout)).not.toThrow();
  expect(plain.stderr).toMatch(/^sum \d+$/m);
  const output = file('output.txt');
  const kept = await pagelens(['profile', '--quiet', '--program-output', output, file('pages.c')]);
  expect(kept.stdout + kept.stderr).toBe('');
  expect(read(output)).toMatch(/^sum \d+\n$/);
});

test('--cflags takes flags, which begin with a dash', async () => {
  writeFileSync(
    file('flag.c'),
    '#include <stdlib.h>\nint main(void) { volatile char *p = malloc(COUNT);\nfor (int i = 0; i < COUNT; i++) p[i] = 1; return 0; }\n',
  );
  const found = await report(['profile', '--cflags', '-O1 -DCOUNT=123', '--json', '-', file('flag.c'), '--json', 'x']);
  expect(found.accesses).toEqual({ reads: 0, writes: 123 });
  expect(found.program.arguments).toEqual(['--json', 'x']);
});

test('the bundled sample is there', () => {
  expect(existsSync(path.join(root, 'dist/sample/raytracer.c'))).toBe(true);
});
