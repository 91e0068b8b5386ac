/** Windows of recording: what is outside is in no count, and what was allocated there has its name. Counts by hand. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { countsAlone, pagelens, report, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = path.join(root, 'test/programs/windows/windows.c');
const threads = path.join(root, 'test/programs/windows/threads.c');

/**
 * A page has 512 longs. prepare: 2,048 writes; solve(2): 3 times 512 reads; finish: 1,024 writes; solve(0): 512 reads;
 * prepare. With `marks` 100, 200 and 300 reads before the last. And two reads to compare the argument, one to find it.
 */
const PREPARE = 2048;
const FINISH = 1024;

const BY_FUNCTION: readonly [options: string[], reads: number, writes: number, windows: number, pages: number][] = [
  // From the first solve to the end; and to the function that follows it, twice, the second time to the end.
  [['--start-at', 'solve'], 2048, FINISH + PREPARE, 1, 4],
  [['--start-at', 'solve', '--stop-at', 'finish'], 2048, PREPARE, 2, 4],
  // While it runs: its recursion does not close it.
  [['--start-at', 'solve', '--stop-at', 'solve'], 2048, 0, 2, 1],
  [['--stop-at', 'solve'], 0, PREPARE, 1, 4],
];

const array = ({ objects }: Report) => objects.find(({ name }) => name.startsWith('aligned_alloc in main'));

describe('an instrumented program', () => {
  const program = path.join(folder, 'windows-instrumented');
  beforeAll(async () => {
    expect(await pagelens(['cc', '-O2', source, '-o', program])).toMatchObject({ status: 0 });
  });
  const profiled = (options: readonly string[], ...args: string[]): Promise<Report> =>
    report(['profile', '--quiet', '--check', '--json', '-', ...countsAlone, ...options, program, ...args], 0);

  test.each(BY_FUNCTION)('%j', async (options, reads, writes, windows, pages) => {
    const found = await profiled(options);
    // It was allocated outside of every window but that of the last.
    expect(array(found)).toMatchObject({ kind: 'heap', blocks: 1, bytes: 16384, reads, writes, pages });
    const { reads: allReads, writes: allWrites } = found.accesses;
    expect(allWrites).toBe(writes);
    expect(allReads - reads).toBeLessThanOrEqual(2);
    const all = 2048 + 2 + 2 * PREPARE + FINISH;
    expect(found.program.window).toMatchObject({ windows, outside: all - allReads - allWrites });
    expect(found.warnings.join()).toContain(`recorded in windows (${windows})`);
  });

  test('pagelens_start and pagelens_stop', async () => {
    const found = await profiled(['--paused'], 'marks');
    expect(found.accesses).toEqual({ reads: 100 + 300, writes: 0 });
    expect(array(found)).toMatchObject({ reads: 400, writes: 0, pages: 1 });
    expect(found.program.window).toEqual({ windows: 2, outside: 2048 + 200 + 3 + 2 * PREPARE + FINISH });
  });

  test('of another thread: it follows at once', async () => {
    const found = await report(['profile', '--quiet', '--check', '--json', '-', ...countsAlone, '--paused', threads]);
    const named = (name: string) => found.objects.find(row => row.name === name);
    expect(named('mine')).toMatchObject({ kind: 'global', reads: 0, writes: 3000 });
    expect(named('others')).toMatchObject({ kind: 'global', reads: 0, writes: 5000 });
    expect(found.program.window).toMatchObject({ windows: 1 });
  });

  test('a function that is never entered is told of, and nothing is counted', async () => {
    const found = await profiled(['--start-at', 'nowhere']);
    expect(found.accesses).toEqual({ reads: 0, writes: 0 });
    expect(found.program.window).toMatchObject({ startAt: 'nowhere', windows: 0 });
    expect(found.warnings.join()).toContain('nowhere was never entered');
  });

  test('by time: what is later than the program is never reached', async () => {
    const found = await profiled(['--stop-after', '1000']);
    expect(array(found)).toMatchObject({ reads: 2048, writes: 2 * PREPARE + FINISH });
    expect(found.program.window).toEqual({ stopAfter: 1000, windows: 1, outside: 0 });
    const none = await profiled(['--start-after', '1000']);
    expect(none.accesses).toEqual({ reads: 0, writes: 0 });
    expect(none.warnings.join()).toContain('no window of recording was open');
  });
});

describe.each(['valgrind', 'qemu'])('under %s', recorder => {
  const program = path.join(folder, `windows-${recorder}`);
  const header = path.join(root, 'core/record/include');
  execFileSync('gcc', ['-g', '-O2', '-fno-tree-vectorize', `-I${header}`, source, '-o', program]);
  const profiled = (options: readonly string[], ...args: string[]): Promise<Report> => {
    const given = ['--quiet', '--check', '--json', '-', ...countsAlone, '--recorder', recorder, ...options];
    return report(['profile', ...given, program, ...args], 0);
  };
  /** Reads and writes of the lines of `sum` and `fill`. */
  const worked = ({ lines }: Report) => ({
    reads: lines.filter(({ function: name }) => name === 'sum').reduce((total, { reads }) => total + reads, 0),
    writes: lines.filter(({ function: name }) => name === 'fill').reduce((total, { writes }) => total + writes, 0),
  });

  test.each(BY_FUNCTION.slice(1, 3))('%j', async (options, reads, writes, windows) => {
    if (recorder === 'qemu' && options[1] === options[3]) {
      const { status, stderr } = await pagelens(['profile', '--recorder', recorder, ...options, program]);
      expect(status).toBe(2);
      expect(stderr).toContain('QEMU does not tell when a function returns');
      return;
    }
    const found = await profiled(options);
    expect(worked(found)).toEqual({ reads, writes });
    expect(found.program.window).toMatchObject({ windows });
    if (recorder === 'valgrind') expect(array(found)).toMatchObject({ blocks: 1, bytes: 16384, reads, writes });
  });

  test('pagelens_start and pagelens_stop', async () => {
    expect(worked(await profiled(['--paused'], 'marks'))).toEqual({ reads: 400, writes: 0 });
  });
});

describe('bursts of 65,536 accesses in ten times as many', () => {
  const source = path.join(root, 'test/programs/windows/long.c');
  const sampled = ['profile', '--quiet', '--check', '--json', '-', ...countsAlone, '--sample', '65536/589824'];

  test('stand for the whole run, with intervals that hold the true counts', async () => {
    const found = await report([...sampled, source]);
    const { sampling, window } = found.program;
    expect(window).toBeUndefined();
    expect(sampling).toMatchObject({ factor: 10, unit: 'accesses' });
    // 40 million accesses are 61.04 stretches.
    expect(sampling!.samples).toBeGreaterThanOrEqual(60);
    expect(sampling!.samples).toBeLessThanOrEqual(62);
    expect(sampling!.period / 655_360).toBeCloseTo(1, 2);
    const [reads, writes] = found.lines;
    for (const [row, name, count] of [
      [reads, 'reads', 30_000_000],
      [writes, 'writes', 10_000_000],
    ] as const) {
      const [low, high] = row!.interval95![name];
      expect(low).toBeLessThan(count);
      expect(high).toBeGreaterThan(count);
      // Three quarters and a quarter of 61 bursts: by Poisson's quantiles 46 is 33.7 to 61.4, and 15 is 8.4 to 24.7.
      expect(high - low).toBeGreaterThan(0.5 * count);
      expect(Math.abs(row![name] / count - 1)).toBeLessThan(0.05);
    }
    expect(found.objects[0]).toMatchObject({ kind: 'heap', blocks: 1, bytes: 40_000 });
    expect(found.trackers).toEqual([]);
  });

  test('that the run is too short for are told of', async () => {
    const file = path.join(folder, 'short.c');
    writeFileSync(file, 'static volatile int x;\nint main(void) { x = 1; return 0; }\n');
    const found = await report([...sampled, file]);
    expect(found.accesses).toEqual({ reads: 0, writes: 0 });
    expect(found.warnings.join()).toContain('no burst fell into the run: it made only 1 accesses');
  });
});

test.each([
  [['--sample', '10/1'], '--sample 10/1: must be ON/OFF, accesses in and between bursts, such as 1M/99M'],
  [
    ['--sample', '1M/9M', '--paused'],
    '--sample stands for the whole run: leave out --start-at, --stop-after and the like',
  ],
  [['--start-after', 'soon'], '--start-after soon: must be a number of seconds above 0'],
  [['--start-after', '2', '--stop-after', '1'], '--stop-after 1: must be later than --start-after 2'],
  [['--start-at', ' '], "--start-at: must be a function's name"],
])('%j is refused in one line', async (options, message) => {
  const { status, stderr } = await pagelens(['profile', ...options, source]);
  expect(status).toBe(2);
  expect(stderr).toBe(`pagelens: ${message}\n`);
});
