/**
 * A disk that becomes full while a program is recorded: what was recorded until then is a profile, without a hole. The
 * counts of the part that is kept are those of as long a beginning of the program's accesses, computed here.
 *
 * The small disk is a tmpfs in a mount namespace of the test's own, which needs no root where users may have namespaces.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { cli, type Outcome, read, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => path.join(folder, name);
const disk = file('disk');

const THREADS = 3;
const PAGES = 1024;

/** Each thread reads its own 4 MiB at random, all at once: every read costs bytes of the trace, 30 MB and more in all. */
const random = `#include <pthread.h>
#include <stdio.h>
static unsigned table[${THREADS}][${PAGES} * 1024] __attribute__((aligned(4096)));
static pthread_barrier_t start;
static void *walk(void *which) {
  const unsigned *mine = table[(long)which];
  unsigned x = (unsigned)(long)which, sum = 0;
  pthread_barrier_wait(&start);
  for (int i = 0; i < 5000000; i++) sum += mine[(x = x * 1664525u + 1013904223u) >> 12];
  return (void *)(long)sum;
}
int main(void) {
  pthread_t threads[${THREADS}];
  pthread_barrier_init(&start, 0, ${THREADS});
  for (long i = 0; i < ${THREADS}; i++) pthread_create(&threads[i], 0, walk, (void *)i);
  for (int i = 0; i < ${THREADS}; i++) pthread_join(threads[i], 0);
  puts("went on");
}
`;

/** Reads as the first thread of that does, and fills the disk itself before a given access. */
const filling = `#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static unsigned table[${PAGES} * 1024] __attribute__((aligned(4096)));
static char zeros[1 << 16];
int main(int argc, char **argv) {
  unsigned x = 0, sum = 0;
  for (int i = 0; i < atoi(argv[3]); i++) {
    if (i == atoi(argv[2])) {
      int file = open(argv[1], O_CREAT | O_WRONLY, 0600);
      for (size_t part = sizeof zeros; part > 0; part /= 2)
        while (write(file, zeros, part) == (ssize_t)part) {}
    }
    sum += table[(x = x * 1664525u + 1013904223u) >> 12];
  }
${Array.from({ length: 1000 }, (_, i) => `  table[${i}] = ${i};`).join('\n')}
  puts(sum ? "went on" : "all zero");
}
`;

/** Reads of each page by the first `reads` steps of a thread. */
function firstReads(thread: number, reads: number): number[] {
  const pages = new Array<number>(PAGES).fill(0);
  for (let i = 0, x = thread; i < reads; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    pages[x >>> 22]++;
  }
  return pages;
}

/** The kept part of a run is a beginning of what each thread did. */
function expectBeginning(report: Report, threads = THREADS): void {
  const rows = report.pageRows!.filter(({ object }) => object !== null && /^table\b/.test(String(object)));
  const reads = rows.sort((a, b) => a.page - b.page).map(row => row.reads);
  expect(reads).toHaveLength(threads * PAGES);
  for (let thread = 0; thread < threads; thread++) {
    const mine = reads.slice(thread * PAGES, (thread + 1) * PAGES);
    const kept = mine.reduce((sum, count) => sum + count, 0);
    expect(kept).toBeGreaterThan(10_000);
    expect(kept).toBeLessThan(5_000_000);
    expect(mine).toEqual(firstReads(thread, kept));
  }
}

function shell(script: string, inNamespace: boolean): Promise<Outcome> {
  const pagelens = `pagelens() { '${process.execPath}' '${cli}' "$@"; }`;
  const [command, ...args] = [...(inNamespace ? ['unshare', '--map-root-user', '--mount'] : []), 'bash', '-c'];
  return new Promise(resolve => {
    execFile(command, [...args, `${pagelens}\n${script}`], { cwd: folder }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

/** Runs a script where `disk` is a disk of this size. */
const onDisk = (size: string, script: string) =>
  shell(`mount -t tmpfs -o size=${size} tmpfs '${disk}'\n${script}`, true);

const mayMount =
  spawnSync('unshare', ['--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /tmp'], { stdio: 'ignore' })
    .status === 0;

const report = (name: string): Report => JSON.parse(read(file(name)));

beforeAll(async () => {
  mkdirSync(disk);
  writeFileSync(file('random.c'), random);
  writeFileSync(file('filling.c'), filling);
  const build = 'pagelens cc -O2 random.c -o random -pthread && pagelens cc -O2 filling.c -o filling';
  const built = await shell(build, false);
  expect(built).toMatchObject({ status: 0 });
});

const REASON =
  /recording stopped before the program ended because the disk of .*\/disk.* is full; the [\d,]+ accesses until then are kept\. Free some space, or choose another folder: with -o or --trace, or for temporary traces with TMPDIR/;

describe('a full disk', () => {
  test.for(['8m', '24m'])('of %s: the profile is of the beginning, and the reason is said', async (size, { skip }) => {
    skip(!mayMount, 'no mount namespaces here');
    const { status, stderr } = await onDisk(
      size,
      'TMPDIR=disk pagelens profile --quiet --check --page-rows --json profile.json random; s=$?; ls -A disk; exit $s',
    );
    expect(stderr).toMatch(REASON);
    expect(status).toBe(0);
    const { program, warnings } = report('profile.json');
    expect(program).toMatchObject({ complete: false, exit: { status: 0 } });
    expect(warnings[0]).toMatch(REASON);
    expectBeginning(report('profile.json'));
  });

  test('leaves a trace that replays to the same profile, and no scratch files', async ({ skip }) => {
    skip(!mayMount, 'no mount namespaces here');
    const { status, stdout, stderr } = await onDisk(
      '12m',
      `pagelens record -o disk/run.pltrace random && ls -A disk &&
       pagelens replay --quiet --check --page-rows --json replay.json disk/run.pltrace`,
    );
    expect(stderr).toMatch(REASON);
    expect(stderr).toContain('went on');
    expect(stdout).toBe('run.pltrace\n');
    expect(status).toBe(0);
    expect(report('replay.json').program).toMatchObject({ complete: false, exit: { status: 0 } });
    expect(report('replay.json').lines.some(line => line.file?.endsWith('/random.c'))).toBe(true);
    expectBeginning(report('replay.json'));
  });

  // At first the runtime has no room for a chunk; later, when it fills its chunks again, the trace has none for a block.
  test.for(['0', '2500000'])('that the program fills itself, at access %s', async (access, { skip }) => {
    skip(!mayMount, 'no mount namespaces here');
    const { status, stderr } = await onDisk(
      '64m',
      `pagelens record -o disk/run.pltrace filling disk/filled ${access} 5000000 &&
       pagelens replay --quiet --check --page-rows --json replay.json disk/run.pltrace`,
    );
    expect(stderr).toMatch(REASON);
    expect(stderr).toContain('all zero');
    expect(status).toBe(0);
    expect(report('replay.json').program).toMatchObject({ complete: false, exit: { status: 0 } });
    expectBeginning(report('replay.json'), 1);
  });

  test('that the program fills before it comes to new code, whose sites have no room', async ({ skip }) => {
    skip(!mayMount, 'no mount namespaces here');
    const { status, stderr } = await onDisk(
      '64m',
      `pagelens record -o disk/run.pltrace filling disk/filled 500 1000 &&
       pagelens replay --quiet --check --json replay.json disk/run.pltrace`,
    );
    expect(stderr).toMatch(REASON);
    expect(status).toBe(0);
    const { program, lines } = report('replay.json');
    expect(program).toMatchObject({ complete: false, exit: { status: 0 } });
    const first = filling.split('\n').indexOf('  table[0] = 0;') + 1;
    const stores = lines
      .map(({ line, writes }) => [line ?? 0, writes] as const)
      .filter(([line]) => line >= first)
      .sort(([a], [b]) => a - b);
    // More than the metadata's last page had room for would be 4096 bytes / 32 bytes a site.
    expect(stores.length).toBeLessThan(200);
    expect(stores).toEqual(stores.map((_, i) => [first + i, 1]));
  });
});

describe('a trace that may not grow', () => {
  test('is kept as far as it fits; the profile has its source lines all the same', async () => {
    const { status, stderr } = await shell(
      // 18 MiB: more than a block may have (16 MiB), so that the first one fits however late it is drained.
      `ulimit -f 18432
       pagelens profile --quiet --check --page-rows --json profile.json --trace cut.pltrace random`,
      false,
    );
    const reason =
      /because the trace reached the largest size that a file may have .*; what fitted into the trace is kept\. Raise the limit/;
    expect(stderr).toMatch(reason);
    expect(status).toBe(0);
    const { program, warnings, lines } = report('profile.json');
    expect(program).toMatchObject({ complete: false, exit: { status: 0 } });
    expect(warnings[0]).toMatch(reason);
    expect(lines.some(line => line.file?.endsWith('/random.c'))).toBe(true);

    const replayed = await shell('pagelens replay --quiet --check --page-rows --json replay.json cut.pltrace', false);
    expect(replayed.status).toBe(0);
    expect(report('replay.json').program).toMatchObject({ complete: false, exit: null });
    expect(report('replay.json').pageRows).toEqual(report('profile.json').pageRows);
  });
});
