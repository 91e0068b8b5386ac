/** `pagelens diff` as a build server runs it: statuses, streams, and the same bytes every time. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProfileDiff } from '../../core/profile/diff.js';
import { save } from '../../core/profile/file.js';
import { pagelens, root, scratch } from '../helpers/cli.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from '../server/fixture.js';

const cwd = scratch();
const file = (name: string, text?: string) => {
  const full = path.join(cwd, name);
  if (text !== undefined) writeFileSync(full, text);
  return full;
};
const budget = (name: string, ...limits: object[]) => file(name, JSON.stringify({ limits }));

beforeAll(async () => {
  const { lines, ...rest } = spec('/src/prog.c');
  await save(profileOf({ ...rest, lines }), file('old.pagelens'));
  // `sum` reads the table 900 times instead of 600.
  const more = lines.map(line => (line.reads === 600 ? { ...line, reads: 900 } : line));
  await save(profileOf({ ...rest, lines: more }), file('new.pagelens'));
});

describe('diff', () => {
  test('prints what changed and ends with 0, with or without a budget that is kept', async () => {
    const plain = await pagelens(['diff', 'old.pagelens', 'new.pagelens'], { cwd });
    expect([plain.status, plain.stderr]).toEqual([0, '']);
    expect(plain.stdout).toMatch(/Accesses +1,000 accesses +1,300 accesses +\+30\.0 %/);
    expect(plain.stdout).toMatch(/700 +1,000 +\+42\.9 % +76\.9 % +sum/);
    const kept = budget('kept.json', { metric: 'accesses', maxIncrease: '30%' });
    const judged = await pagelens(['diff', '--budget', kept, 'old.pagelens', 'new.pagelens'], { cwd });
    expect(judged.status).toBe(0);
    expect(judged.stdout).toContain('Kept: 1 limit.');
  });

  test('a broken budget ends with 1 and names figure, value, limit and whose it is', async () => {
    const limits = budget('broken.json', { metric: 'functionAccesses', function: 'sum', max: 800 });
    const { status, stdout } = await pagelens(['diff', '--budget', limits, 'old.pagelens', 'new.pagelens'], { cwd });
    expect(status).toBe(1);
    expect(stdout).toMatch(/Accesses of a function +1,000 accesses +at most 800 accesses +sum/);
    const quiet = await pagelens(['diff', '--quiet', '--budget', limits, 'old.pagelens', 'new.pagelens'], { cwd });
    expect(quiet).toEqual({
      status: 1,
      stdout: '',
      stderr: 'pagelens: budget broken: Accesses of a function (sum): 1,000 accesses, at most 800 accesses\n',
    });
  });

  test('--json gives the whole comparison and the verdict, the same bytes every time', async () => {
    const limits = budget('both.json', { metric: 'reads', max: 5 }, { metric: 'writes', max: 9999 });
    const args = ['diff', '--json', '-', '--budget', limits, 'old.pagelens', 'new.pagelens'];
    const [first, second] = [await pagelens(args, { cwd }), await pagelens(args, { cwd: root })].map(run => run.stdout);
    const parsed = JSON.parse(first!) as ProfileDiff & { budget: { findings: { broken: boolean }[] } };
    expect(parsed.schema).toBe('pagelens-diff/1');
    expect(parsed.functions).toEqual([
      {
        name: 'sum',
        file: '/src/prog.c',
        line: 2,
        before: { reads: 700, writes: 0, traffic: 50 },
        now: { reads: 1000, writes: 0, traffic: 50 },
      },
    ]);
    expect(parsed.budget.findings.map(finding => finding.broken)).toEqual([true, false]);
    // From another folder the names are not there: given by path they compare alike.
    expect(second).toBe('');
    const elsewhere = [...args.slice(0, -2), file('old.pagelens'), file('new.pagelens')];
    expect((await pagelens(elsewhere, { cwd: root })).stdout).toBe(first);
  });

  test.each([
    [['old.pagelens'], 'NEW is missing'],
    [[], 'OLD is missing'],
    [['old.pagelens', 'new.pagelens', 'more.pagelens'], 'OLD and NEW are taken; more.pagelens is too much'],
    [['old.pagelens', 'nothing.pagelens'], 'nothing.pagelens: cannot be read: there is no such file'],
    [['-', 'new.pagelens'], 'diff compares two files; - is not one'],
    [['--save', 'x', 'old.pagelens', 'new.pagelens'], "Unknown option '--save'"],
    [['--budget', 'none.json', 'old.pagelens', 'new.pagelens'], 'none.json'],
  ])('%j is refused in one line with status 2', async (args, message) => {
    const { status, stdout, stderr } = await pagelens(['diff', ...args], { cwd });
    expect([status, stdout, stderr.split('\n').length]).toEqual([2, '', 2]);
    expect(stderr).toContain(message);
  });

  test('traces are replayed with the options given', async () => {
    const trace = path.join(root, 'core/sample/raytracer.pltrace');
    const { status, stdout } = await pagelens(['diff', '--tracker', 'exact', '--mode', 'native', trace, trace], {
      cwd,
    });
    expect(status).toBe(0);
    expect(stdout).toContain('No functions did more or less than before.');
  });
});
