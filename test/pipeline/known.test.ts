/**
 * The known-answer programs through the whole product: built, recorded, replayed, attributed, reported. The answers were
 * derived by hand (test/programs/known); both compilers must give them.
 */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { countsAlone, read, report, scratch } from '../helpers/cli.js';
import { type Known, known, markersOf, type Range, shownIn, sourceOf } from '../programs/known/expected.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function within(found: number, expected: number | Range, what: string): void {
  const [least, most] = typeof expected === 'number' ? [expected, expected] : expected;
  expect(found, what).toBeGreaterThanOrEqual(least);
  expect(found, what).toBeLessThanOrEqual(most);
}

function checkLines(program: Known, found: Report): void {
  const markers = markersOf(program);
  for (const [name, expected] of Object.entries(program.lines)) {
    const line = found.lines.find(row => row.file === sourceOf(program) && row.line === markers.get(name));
    expect([name, line?.reads ?? 0, line?.writes ?? 0]).toEqual([name, expected.reads, expected.writes]);
    if (expected.pages !== undefined) within(line!.pages, expected.pages, `pages of @${name}`);
  }
}

function checkObjects(program: Known, found: Report): void {
  const markers = markersOf(program);
  for (const expected of program.objects) {
    const what = expected.block ?? String(expected.name ?? expected.kind);
    const rows = found.objects.filter(
      row =>
        row.kind === expected.kind &&
        (expected.block === undefined ||
          (row.file === sourceOf(program) && row.line === markers.get(expected.block))) &&
        (expected.name === undefined || expected.name.test(row.name)),
    );
    expect(rows.length, `objects like ${what}`).toBe(1);
    const [row] = rows;
    if (expected.atLeast) {
      expect(row.reads, what).toBeGreaterThanOrEqual(expected.reads);
      expect(row.writes, what).toBeGreaterThanOrEqual(expected.writes);
    } else expect([what, row.reads, row.writes]).toEqual([what, expected.reads, expected.writes]);
    if (expected.pages !== undefined) within(row.pages, expected.pages, `pages of ${what}`);
    if (expected.bytes !== undefined) expect(row.bytes, `bytes of ${what}`).toBe(expected.bytes);
    if (expected.blocks !== undefined) expect(row.blocks, `blocks of ${what}`).toBe(expected.blocks);
    if (expected.density !== undefined) expect(row.density, `density of ${what}`).toBeCloseTo(expected.density, 5);
    if (expected.trafficReads !== undefined) expect(row.traffic.reads, what).toBe(expected.trafficReads);
  }
}

function checkPages(program: Known, found: Report, output: string): void {
  if (!program.pagesOf) return;
  const { address } = shownIn(output).get(program.pagesOf.shown)!;
  const first = Number(address / 4096n);
  const byPage = new Map(found.pageRows!.map(row => [row.page, row]));
  const rows = program.pagesOf.reads.map((_, i) => byPage.get(first + i));
  expect(rows.map(row => row?.reads ?? 0)).toEqual(program.pagesOf.reads);
  expect(rows.map(row => row?.writes ?? 0)).toEqual(program.pagesOf.writes);
}

describe.each(['gcc', 'clang'])('%s', compiler => {
  test.each(known)('$source: $shows', async program => {
    const output = path.join(folder, `${compiler}-${program.source}.txt`);
    const failed = !('status' in program.exit && program.exit.status === 0);
    const args = [
      'profile',
      ...countsAlone,
      '--quiet',
      '--json',
      '-',
      '--page-rows',
      '--check',
      '--program-output',
      output,
    ];
    const found = await report([...args, sourceOf(program)], failed ? 4 : 0, { env: { CC: compiler } });

    expect(found.program.exit).toEqual(program.exit);
    expect(found.program.complete).toBe(true);
    if (program.totals) expect(found.accesses).toEqual(program.totals);
    checkLines(program, found);
    checkObjects(program, found);
    checkPages(program, found, read(output));
  });
});
