/**
 * Merged profiles. What a merge must give is known: one run that does the same in several processes has the same totals,
 * lines, functions, objects and pages.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mergeProfiles } from '../../core/merging/merge.js';
import type { Profile } from '../../core/model/profile.js';
import { load } from '../../core/profile/file.js';
import type { Report } from '../../core/profile/report.js';
import { pagelens, report } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('merge');
const file = (name: string) => path.join(folder, name);
const COUNTS = [1000, 20_000, 100_000] as const;

/** `work` touches as many numbers as it is told, once to write and three times to read, and adds to a table each time. */
const source = `
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile int table[1000];
static void work(int count) {
  volatile int *block = malloc(count * sizeof(int));
  for (int i = 0; i < count; i++) block[i] = i;
  for (int k = 0; k < 3; k++)
    for (int i = 0; i < count; i++) table[i % 1000] += block[i];
}
int main(int arguments, char **words) {
  if (arguments == 2) { work(atoi(words[1])); return 0; }
  for (int i = 1; i < arguments; i++) {
    pid_t pid = fork();
    if (pid == 0) { work(atoi(words[i])); _exit(0); }
    waitpid(pid, 0, 0);
  }
  return 0;
}`;

beforeAll(async () => {
  writeFileSync(file('work.c'), source);
  expect(await pagelens(['cc', '-O1', 'work.c', '-o', 'work'], { cwd: folder })).toMatchObject({ status: 0 });
  for (const count of COUNTS) {
    const args = ['profile', '--quiet', '--tracker', 'exact', '--save', `${count}.pagelens`, './work', String(count)];
    expect(await pagelens(args, { cwd: folder })).toMatchObject({ status: 0, stderr: '' });
  }
});

const inputs = COUNTS.map(count => `${count}.pagelens`);

async function merged(names: readonly string[], out: string): Promise<Report> {
  const done = await pagelens(['merge', '--check', '-o', out, ...names], { cwd: folder });
  expect(done).toMatchObject({ status: 0, stdout: '' });
  return report(['report', '--json', '-', '--check', '--quiet', out], 0, { cwd: folder });
}

describe('three runs', () => {
  const total = COUNTS.reduce((sum, count) => sum + count, 0);

  test('are the sums of what each did', async () => {
    const { accesses, pages, objects, lines, program, workingSet } = await merged(inputs, 'all.pagelens');
    // By hand: 3 reads of the block and of the table a number; one write of the block, three of the table. And one read
    // of words[1] in each run.
    expect(accesses).toEqual({ reads: 6 * total + 3, writes: 4 * total });
    const table = objects.find(row => row.name === 'table')!;
    expect(table).toMatchObject({ reads: 3 * total, writes: 3 * total, bytes: 3 * 4000 });
    const block = objects.find(row => row.name.startsWith('malloc in work'))!;
    expect(block).toMatchObject({ reads: 3 * total, writes: total, blocks: 3, bytes: 4 * total });
    expect(lines.reduce((sum, line) => sum + line.reads, 0)).toBe(accesses.reads);
    expect(program).toMatchObject({ processes: 3, threads: 3, complete: true, exit: { status: 0 } });
    // Epochs stand side by side: the first of all three, then what the longer runs go on with.
    const alone = await Promise.all(
      inputs.map(name => report(['report', '--json', '-', '--quiet', name], 0, { cwd: folder })),
    );
    expect(pages.touched).toBe(alone.reduce((sum, run) => sum + run.pages.touched, 0));
    expect(workingSet.length).toBeLessThanOrEqual(Math.max(...alone.map(run => run.workingSet.length)));
  });

  test('are what one run counts that does the same in three processes', async () => {
    const together = await report(
      ['profile', '--json', '-', '--tracker', 'exact', '--quiet', './work', ...COUNTS.map(String)],
      0,
      { cwd: folder },
    );
    const apart = await merged(inputs, 'again.pagelens');
    const ofWork = ({ lines }: Report) =>
      lines
        .filter(line => line.function === 'work')
        .map(({ line, reads, writes, pages }) => [line, reads, writes, pages]);
    expect(ofWork(apart)).toEqual(ofWork(together));
    const block = ({ objects }: Report) => objects.find(row => row.name.startsWith('malloc in work'))!;
    const { reads, writes, blocks, bytes } = block(together);
    expect(block(apart)).toMatchObject({ reads, writes, blocks });
    // Its peak was at one time; those of runs apart may not have been.
    expect(block(apart).bytes).toBeGreaterThanOrEqual(bytes);
  });

  test('give the same bytes in whatever order they are named', async () => {
    const orders = [inputs, inputs.toReversed(), [inputs[1]!, inputs[0]!, inputs[2]!]];
    const files = [];
    for (const [i, names] of orders.entries()) {
      await merged(names, `order${i}.pagelens`);
      files.push(readFileSync(file(`order${i}.pagelens`)));
    }
    expect(files[1]!.equals(files[0]!)).toBe(true);
    expect(files[2]!.equals(files[0]!)).toBe(true);
  });

  test('can be merged in steps: the counts are the same', async () => {
    const once = await merged(inputs, 'once.pagelens');
    await merged(inputs.slice(0, 2), 'step.pagelens');
    const steps = await merged(['step.pagelens', inputs[2]!], 'steps.pagelens');
    for (const name of ['accesses', 'traffic', 'pages'] as const) expect(steps[name]).toEqual(once[name]);
    const rows = ({ lines }: Report) => lines.map(({ line, reads, writes, pages }) => [line, reads, writes, pages]);
    expect(rows(steps)).toEqual(rows(once));
  });
});

describe('epochs of several lengths', () => {
  test('are put together, and their working sets counted anew from the pages of each', async () => {
    const args = ['profile', '--quiet', '--tracker', 'exact', '--epoch', '4096', '--save', 'fine.pagelens', './work'];
    expect(await pagelens([...args, '20000'], { cwd: folder })).toMatchObject({ status: 0 });
    const [fine, coarse] = [await load(file('fine.pagelens')), await load(file('20000.pagelens'))];
    expect(coarse.epochs.accesses).toBe(4 * fine.epochs.accesses);
    // The same run, once in quarters: joined they are the epochs of the other.
    const { epochs } = mergeProfiles([fine, coarse]);
    const halves = (name: 'reads' | 'writes' | 'pages' | 'pagesRead' | 'pagesWritten' | 'entered' | 'left') =>
      epochs[name].map(value => value / 2);
    for (const name of ['reads', 'writes', 'pages', 'pagesRead', 'pagesWritten', 'entered', 'left'] as const)
      expect([...halves(name)], name).toEqual([...coarse.epochs[name]]);
  });
});

describe('is refused, in one line', () => {
  let profiles: Profile[];
  beforeAll(async () => {
    profiles = [await load(file(inputs[0]!)), await load(file(inputs[1]!))];
  });

  test('one profile alone', () => {
    expect(() => mergeProfiles(profiles.slice(0, 1))).toThrow('merge takes two profiles or more');
  });

  test('different levels, which have no total', () => {
    const [first, second] = profiles as [Profile, Profile];
    const machine: Profile = { ...second, program: { ...second.program, level: 'machine' } };
    expect(() => mergeProfiles([first, machine])).toThrow(/source and machine level: they have no total/);
  });

  test('different options, which it names', () => {
    const [first, second] = profiles as [Profile, Profile];
    const other: Profile = { ...second, options: { ...second.options, pageSize: 2_097_152 } };
    expect(() => mergeProfiles([first, other])).toThrow(/pageSize: 4096 and 2097152/);
  });

  test('no output, a file that is none', async () => {
    expect(await pagelens(['merge', ...inputs], { cwd: folder })).toMatchObject({
      status: 2,
      stderr: 'pagelens: merge needs -o OUT.pagelens\n',
    });
    execFileSync('sh', ['-c', 'echo nothing > text.pagelens'], { cwd: folder });
    const { status, stderr } = await pagelens(['merge', '-o', 'x', inputs[0]!, 'text.pagelens'], { cwd: folder });
    expect(status).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
