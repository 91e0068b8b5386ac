/** Comparing two profiles: rows matched by hand, changes counted by hand, budgets beside their schema. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { judge, parseBudget } from '../../core/profile/budget.js';
import { diffProfiles } from '../../core/profile/diff.js';
import { describeDiff } from '../../core/profile/diffText.js';
import { lastingName, matchProfiles } from '../../core/profile/matching.js';
import { documentText } from '../../core/profile/text.js';
import { type ProfileSpec, profileOf } from '../helpers/profile.js';

/** `fill` at 7 allocates two tables from one line each and writes them; `sum` reads the first. */
const spec: ProfileSpec = {
  file: '/src/prog.c',
  sha256: 'aaaa',
  functions: { sum: 2, fill: 7 },
  lines: [
    { line: 4, function: 'sum', object: 'malloc in fill (prog.c:8)', reads: 600, trafficReads: 40 },
    { line: 9, function: 'fill', object: 'malloc in fill (prog.c:8)', writes: 200 },
    { line: 10, function: 'fill', object: 'malloc in fill (prog.c:9)', writes: 100 },
  ],
  objects: [
    { name: 'malloc in fill (prog.c:8)', line: 8, page: 10, pages: 2, stack: ['fill prog.c:8', 'main prog.c:20'] },
    { name: 'malloc in fill (prog.c:9)', line: 9, page: 20, pages: 1, stack: ['fill prog.c:9', 'main prog.c:20'] },
  ],
};
const before = profileOf(spec);

/** Two lines were put before everything; `sum` reads half as often; the second table is three pages. */
const edited = profileOf({
  ...spec,
  sha256: 'bbbb',
  functions: { sum: 4, fill: 9 },
  lines: [
    { line: 6, function: 'sum', object: 'malloc in fill (prog.c:10)', reads: 300, trafficReads: 40 },
    { line: 11, function: 'fill', object: 'malloc in fill (prog.c:10)', writes: 200 },
    { line: 12, function: 'fill', object: 'malloc in fill (prog.c:11)', writes: 100 },
  ],
  objects: [
    { name: 'malloc in fill (prog.c:10)', line: 10, page: 10, pages: 2, stack: ['fill prog.c:10', 'main prog.c:22'] },
    { name: 'malloc in fill (prog.c:11)', line: 11, page: 20, pages: 3, stack: ['fill prog.c:11', 'main prog.c:22'] },
  ],
});

describe('matching', () => {
  const nameBefore = (now: Profile, matched: Uint32Array, name: string) =>
    before.objects.name[matched[now.objects.name.indexOf(name)]!];

  test('allocations that an edit above them moved are the same ones, in the order of the source', () => {
    const { objects, functions } = matchProfiles(before, edited);
    expect(nameBefore(edited, objects, 'malloc in fill (prog.c:10)')).toBe('malloc in fill (prog.c:8)');
    expect(nameBefore(edited, objects, 'malloc in fill (prog.c:11)')).toBe('malloc in fill (prog.c:9)');
    expect(edited.functions.name.map((_, row) => before.functions.name[functions[row]!])).toEqual(
      edited.functions.name,
    );
  });

  test('of three allocations where there were two, nobody can tell which is which', () => {
    const more = profileOf({
      ...spec,
      sha256: 'cccc',
      objects: [
        ...spec.objects,
        {
          name: 'malloc in fill (prog.c:30)',
          line: 30,
          page: 40,
          pages: 1,
          stack: ['fill prog.c:30', 'main prog.c:20'],
        },
      ],
    });
    const { objects } = matchProfiles(before, more);
    expect([...objects]).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
  });

  test('the call path tells apart what two callers allocate', () => {
    const two = (first: string, second: string): Profile =>
      profileOf({
        ...spec,
        lines: [
          { line: 4, function: 'sum', object: 'a', reads: 2 },
          { line: 4, function: 'sum', object: 'b', reads: 1 },
        ],
        objects: [
          { name: 'a', page: 1, pages: 1, stack: ['grow v.c:3', first] },
          { name: 'b', page: 2, pages: 1, stack: ['grow v.c:3', second] },
        ],
      });
    const same = (profile: Profile) => ({
      ...profile,
      objects: { ...profile.objects, name: profile.objects.name.map(() => 'malloc in grow (v.c:3)') },
    });
    // Before, `read` was the greater; now `parse` is: rows are sorted by accesses, so they changed places.
    const { objects } = matchProfiles(same(two('read m.c:1', 'parse m.c:9')), same(two('parse m.c:9', 'read m.c:1')));
    expect([...objects]).toEqual([1, 0]);
  });

  test('files in another folder are the same below the working directory, or by a name that is the only one', () => {
    const at = (file: string, workingDirectory: string): Profile => {
      const profile = profileOf({ ...spec, file });
      return { ...profile, program: { ...profile.program, workingDirectory } };
    };
    const matched = (a: Profile, b: Profile) => [...matchProfiles(a, b).files];
    expect(matched(at('/ci/1/src/prog.c', '/ci/1'), at('/ci/2/src/prog.c', '/ci/2'))).toEqual([0]);
    expect(matched(at('/a/prog.c', '/x'), at('/b/prog.c', '/y'))).toEqual([0]);
    expect(matched(at('/a/prog.c', '/x'), at('/b/other.c', '/y'))).toEqual([0xffffffff]);
  });

  test('lines of an unchanged file are themselves; of an edited one only with both texts', () => {
    expect([...matchProfiles(before, profileOf(spec)).lines]).toEqual([0, 1, 2]);
    const unknown = matchProfiles(before, edited);
    expect([...unknown.lines]).toEqual([0xffffffff, 0xffffffff, 0xffffffff]);
    expect([...unknown.unfollowed]).toEqual([0]);
    const followed = matchProfiles(before, edited, () => line => line - 2);
    expect([...followed.lines].map(row => before.lines.line[row])).toEqual([4, 9, 10]);
  });

  test('names last without their lines', () => {
    expect(lastingName('malloc in fill (prog.c:8)')).toBe('malloc in fill');
    expect(lastingName('operator new(unsigned long) in f(int) (a b.cc:12)')).toBe(
      'operator new(unsigned long) in f(int)',
    );
  });
});

describe('difference', () => {
  test('what changed, the greatest change first; what did not is left out', () => {
    const { totals, functions, objects } = diffProfiles(before, edited);
    expect(totals.find(({ metric }) => metric === 'accesses')).toMatchObject({ before: 900, now: 600 });
    expect(totals.find(({ metric }) => metric === 'pages')).toMatchObject({ before: 3, now: 5 });
    expect(functions.map(({ name }) => name)).toEqual(['sum']);
    expect(functions[0]).toMatchObject({
      before: { reads: 600, traffic: 40 },
      now: { reads: 300, traffic: 40 },
      line: 4,
    });
    // The first lost 300 reads; the second did as much as before and grew from one page to three.
    expect(objects.map(({ name, bytesBefore, bytesNow }) => [name, bytesBefore, bytesNow])).toEqual([
      ['malloc in fill (prog.c:10)', 8192, 8192],
      ['malloc in fill (prog.c:11)', 4096, 12288],
    ]);
  });

  test('new and gone rows are told as such', () => {
    const without = profileOf({
      ...spec,
      functions: { sum: 2 },
      lines: spec.lines.slice(0, 1),
      objects: spec.objects.slice(0, 1),
    });
    const { functions } = diffProfiles(before, without);
    expect(functions).toEqual([expect.objectContaining({ name: 'fill', now: null })]);
    expect(diffProfiles(without, before).functions).toEqual([expect.objectContaining({ name: 'fill', before: null })]);
  });

  test('equal runs differ in nothing', () => {
    const { functions, objects, lines, cautions } = diffProfiles(before, profileOf(spec));
    expect([functions, objects, lines, cautions]).toEqual([[], [], [], []]);
  });

  test('the text names every change with its unit, and what was not compared', () => {
    const text = documentText(describeDiff(diffProfiles(before, edited), null, '/src'));
    expect(text).toMatch(/Accesses +900 accesses +600 accesses +-33\.3 %/);
    expect(text).toMatch(/600 +300 +-50\.0 % +50\.0 % +sum {2}prog\.c:4/);
    expect(text).toMatch(/100 +100 +same +4 KiB +12 KiB +malloc in fill \(prog\.c:11\)/);
    expect(text).toContain('Lines are not compared in prog.c');
    expect(text).not.toContain('LINES');
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(100);
  });

  test('a run that is not comparable says why', () => {
    const other: Profile = {
      ...before,
      options: { ...before.options, machine: 'other' },
      program: { ...before.program, complete: false },
    };
    expect(diffProfiles(before, other).cautions).toEqual([
      'The emulated machine is not the same: test before, other now; figures that depend on it differ too',
      'The run now was cut short: less was recorded than it would have done.',
    ]);
  });
});

describe('budget', () => {
  const budget = (...limits: object[]) => parseBudget(JSON.stringify({ limits }), 'b.json');
  const broken = (...limits: object[]) =>
    judge(budget(...limits), before, edited)
      .findings.filter(finding => finding.broken)
      .map(({ metric, name, now, limit }) => [metric, name, now, limit]);

  test('an absolute limit holds up to its value', () => {
    expect(broken({ metric: 'accesses', max: 600 }, { metric: 'pages', max: 4 })).toEqual([['pages', '', 5, 4]]);
  });

  test('a relative limit is of the run before', () => {
    // 3 pages before, 5 now: 66.7 % more.
    expect(broken({ metric: 'pages', maxIncrease: '66%' })).toEqual([['pages', '', 5, 4.98]]);
    expect(broken({ metric: 'pages', maxIncrease: '67%' }, { metric: 'pages', maxIncrease: 2 })).toEqual([]);
    expect(broken({ metric: 'pages', maxIncrease: 1 })).toEqual([['pages', '', 5, 4]]);
  });

  test('a name with stars limits every allocation or function that it matches, each for itself', () => {
    expect(broken({ metric: 'allocationPeak', allocation: 'malloc in fill*', max: '8KiB' })).toEqual([
      ['allocationPeak', 'malloc in fill (prog.c:11)', 12288, 8192],
    ]);
    expect(broken({ metric: 'functionAccesses', function: 's?m', max: 100 })).toEqual([
      ['functionAccesses', 'sum', 300, 100],
    ]);
    expect(broken({ metric: 'slowdown', policy: 'first-touch', max: 1.5 })).toEqual([
      ['slowdown', 'first-touch', 1.7, 1.5],
    ]);
  });

  test('what was not there before may not grow by any share, but by an amount', () => {
    const without = profileOf({ ...spec, lines: spec.lines.slice(0, 2), objects: spec.objects.slice(0, 1) });
    const limits = budget(
      { metric: 'allocationAccesses', allocation: '*:9)', maxIncrease: '50%' },
      { metric: 'allocationAccesses', allocation: '*:9)', maxIncrease: 100 },
    );
    expect(judge(limits, without, before).findings.map(finding => finding.broken)).toEqual([true, false]);
  });

  test('a limit that speaks of nothing is told, since it may be misspelt', () => {
    const { findings, idle } = judge(budget({ metric: 'functionAccesses', function: 'smu', max: 1 }), before, edited);
    expect([findings, idle]).toEqual([[], ['functionAccesses of "smu": this run has no such thing']]);
  });

  const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../core/profile/budget.schema.json'), 'utf8'));
  const validate = new Ajv({ allErrors: true, strict: false }).compile(schema);
  const cases: readonly [unknown, string | null][] = [
    [{ limits: [] }, null],
    [{ $schema: 'x', limits: [{ metric: 'accesses', max: 0 }] }, null],
    [{ limits: [{ metric: 'allocationPeak', allocation: '*', max: '64MiB', maxIncrease: '5 %' }] }, null],
    [{ limits: [{ metric: 'slowdown', policy: 'oracle', max: 1.2 }] }, null],
    [{ limits: [{ metric: 'functionTraffic', function: 'f', maxIncrease: 3 }] }, null],
    [{ limits: {} }, '"limits" must be a list'],
    [{}, '"limits" must be a list'],
    [{ limits: [], extra: 1 }, 'the file has the unknown field "extra"'],
    [{ limits: [{ metric: 'heat', max: 1 }] }, 'limits[0].metric must be one of accesses, reads'],
    [{ limits: [{ metric: 'accesses' }] }, 'limits[0] needs "max" or "maxIncrease"'],
    [{ limits: [{ metric: 'accesses', max: -1 }] }, 'limits[0].max must be a number of accesses, 0 or more'],
    [{ limits: [{ metric: 'accesses', max: '1MiB' }] }, 'limits[0].max must be a number of accesses'],
    [{ limits: [{ metric: 'accesses', function: 'f', max: 1 }] }, 'limits[0].function: accesses does not take it'],
    [{ limits: [{ metric: 'functionAccesses', max: 1 }] }, 'limits[0].function must be a name'],
    [{ limits: [{ metric: 'allocationPeak', allocation: '', max: 1 }] }, 'limits[0].allocation must be a name'],
    [{ limits: [{ metric: 'pages', maxIncrease: 'a lot' }] }, 'or a share of the run before such as "5%"'],
    [{ limits: [{ metric: 'pages', max: 1, at: 2 }] }, 'limits[0] has the unknown field "at"'],
  ];
  test.each(cases)('%j is judged alike by the parser and the schema', (value, message) => {
    expect(validate(value)).toBe(message === null);
    const parse = () => parseBudget(JSON.stringify(value), 'b.json');
    if (message === null) expect(parse().length).toBeGreaterThanOrEqual(0);
    else expect(parse).toThrow(message);
  });

  test('what is no JSON is told with the file', () => {
    expect(() => parseBudget('{', 'b.json')).toThrow(/^b\.json: is not JSON/);
  });
});
