/** A profile as a tracker sees it: every expected figure is worked out by hand in the comments. */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { project } from '../../core/server/projection.js';
import { inWindow, wholeBins } from '../../core/server/window.js';
import { profileOf } from '../helpers/profile.js';
import { spec } from './fixture.js';
import { seenAs, toldIn } from './tracker.js';

/**
 * Pages in their order: log_count (49 reads, 1 write), table five times (120 reads, 50 writes each), stack (100 reads).
 * Pairs: line 4 reads table 600 times and the stack 100 times, line 9 writes table, line 13 log_count.
 */
const exact = profileOf({ ...spec('/prog.c'), epochs: 2 });

const tracker = (reads: number[] | null, writes: number[] | null) => seenAs('pml', reads, writes);

const rows = (profile: Profile) =>
  Array.from(profile.lines.line, (line, row) => [line, profile.lines.reads[row], profile.lines.writes[row]]);

describe('as a tracker sees it', () => {
  test('a mechanism that sees writes alone tells of the lines that write, and of nothing else', () => {
    // log_count was logged in 9 periods, two pages of the table in 3 and 2.
    const { profile, objectRow } = project(exact, tracker(null, [9, 3, 2, 0, 0, 0, 0]));
    expect([...profile.pages.writes]).toEqual([9, 3, 2, 0, 0, 0, 0]);
    // Of 14 readings 80 % are 11.2: log_count (9) and the first page of the table (12 so far) are hot, 2 is warm.
    expect([...profile.pages.hotness]).toEqual([0, 0, 1, 2, 2, 2, 2]);
    expect(profile.objects.name).toEqual(['log_count', 'table', 'stack of thread 1']);
    expect([...profile.objects.writes]).toEqual([9, 5, 0]);
    expect([...profile.objects.pages]).toEqual([1, 2, 0]);
    // Exact order: table, stack, log_count.
    expect([...objectRow]).toEqual([1, 2, 0]);
    expect(rows(profile)).toEqual([
      [13, 0, 9],
      [9, 0, 5],
      [4, 0, 0],
    ]);
    expect(profile.functions.name).toEqual(['main', 'fill', 'sum']);
    // The line's function and the policies' tiers moved along.
    expect(profile.functions.name[profile.lines.function[0]]).toBe('main');
    expect([...profile.placement.policies[0].tierOfObject]).toEqual([2, 0, 1]);
    expect(profile.totals).toMatchObject({ reads: 0, writes: 14, pagesTouched: 3, pagesRead: 0, pagesWritten: 3 });
  });

  test('an object read by two lines is shared between them by their exact parts', () => {
    // The table's pages were found accessed in 30 periods; 10 on the stack. Only line 4 reads either.
    const { profile } = project(exact, tracker([0, 10, 10, 10, 0, 0, 10], null));
    expect(rows(profile)[0]).toEqual([4, 40, 0]);
    const sites = Array.from(profile.sites.reads);
    expect(sites).toEqual([30, 10, 0, 0]);
  });

  test('a page reported as written whose object was only read goes to the lines that read it', () => {
    const { profile } = project(exact, tracker(null, [0, 0, 0, 0, 0, 0, 4]));
    expect(profile.objects.name[0]).toBe('stack of thread 1');
    expect(rows(profile)[0]).toEqual([4, 0, 4]);
  });

  test('totals are conserved over pages, objects, pairs, lines and the heat', () => {
    const { profile } = project(exact, tracker([1, 2, 3, 4, 5, 6, 7], [7, 6, 5, 4, 3, 2, 1]));
    const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);
    for (const table of [
      profile.pages,
      profile.objects,
      profile.pairs,
      profile.lines,
      profile.functions,
      profile.heat,
    ]) {
      expect(sum(table.reads)).toBeCloseTo(28, 4);
      expect(sum(table.writes)).toBeCloseTo(28, 4);
    }
    expect(profile.unattributed.reads).toBeCloseTo(0, 9);
  });

  /** Rows of the heat that have a reading: [epoch, page, reads, writes]. */
  const told = ({ heat }: Profile) =>
    Array.from(heat.page, (page, row) => {
      const bin = heat.start.findIndex((from, at) => row >= from && row < heat.start[at + 1]);
      return [bin * heat.epochsPerBin, page, heat.reads[row], heat.writes[row]];
    }).filter(([, , reads, writes]) => reads + writes > 0);

  test('readings lie where the tracker came to know them, whatever the exact counts say', () => {
    // log_count is accessed in both epochs, the stack too; a log told of the one in the second epoch alone.
    const heat = toldIn(2, [
      { bin: 0, page: 3, writes: 2 },
      { bin: 1, page: 0, writes: 7 },
      { bin: 1, page: 3, writes: 1 },
    ]);
    const { profile } = project(exact, seenAs('pml', null, [7, 0, 0, 3, 0, 0, 0], heat));
    expect(told(profile)).toEqual([
      [0, 3, 0, 2],
      [1, 0, 0, 7],
      [1, 3, 0, 1],
    ]);
    // Traffic is not what a page tracker sees: it stays as counted, on each page in each epoch.
    const traffic = ({ heat: { start, page, trafficReads, trafficWrites } }: Profile) =>
      Array.from(page, (number, row) => [row < start[1], number, trafficReads[row], trafficWrites[row]]).filter(
        ([, , reads, writes]) => Number(reads) + Number(writes) > 0,
      );
    expect(traffic(profile)).toEqual(traffic(exact));
    expect(traffic(profile).length).toBeGreaterThan(0);
    const second = inWindow(profile, [1, 2], exact);
    expect([...second.pages.writes]).toEqual([7, 0, 0, 1, 0, 0, 0]);
    expect(second.totals).toMatchObject({ writes: 8, pagesTouched: 2 });
  });

  test('bins are those of the coarser of the two', () => {
    const many = profileOf({ ...spec('/prog.c'), epochs: 10 });
    const heat = toldIn(3, [{ bin: 2, page: 1, reads: 5 }], 4);
    const { profile } = project(many, seenAs('prl', [0, 5, 0, 0, 0, 0, 0], null, heat));
    expect(profile.heat.epochsPerBin).toBe(4);
    expect(told(profile)).toEqual([[8, 1, 5, 0]]);
    expect(wholeBins(profile, [5, 6])).toEqual([4, 8]);
  });

  test('a profile that was saved without times has them in one bin', () => {
    const { profile } = project(exact, tracker([7, 0, 0, 0, 0, 0, 2], null));
    expect(profile.heat.epochsPerBin).toBe(2);
    expect(told(profile)).toEqual([
      [0, 0, 7, 0],
      [0, 6, 2, 0],
    ]);
  });

  test('the exact counts through the same door are the exact counts, where no page is shared', () => {
    const { profile } = project(exact, tracker([...exact.pages.reads], [...exact.pages.writes]));
    expect(rows(profile)).toEqual(rows(exact));
    expect([...profile.objects.reads]).toEqual([...exact.objects.reads]);
  });
});

describe('in a window', () => {
  test('pages, objects and totals are those of its epochs, lines those of the run', () => {
    const second = inWindow(exact, [1, 2]);
    // Whole numbers are split with the remainder first: 49 reads are 25 and 24, 1 write is 1 and 0.
    expect([second.pages.reads[0], second.pages.writes[0]]).toEqual([24, 0]);
    const table = second.objects.name.indexOf('table');
    expect([second.objects.reads[table], second.objects.writes[table]]).toEqual([300, 125]);
    expect(second.totals).toMatchObject({ reads: 24 + 300 + 50, writes: 125, modelledNs: 1e6, pagesTouched: 7 });
    expect(second.totals.pagesWritten).toBe(5);
    expect(second.lines).toBe(exact.lines);
    expect(second.objects.name).toEqual(exact.objects.name);
  });

  test('the whole run as a window is the whole run', () => {
    const whole = inWindow(exact, [0, 2]);
    expect(whole.totals).toEqual(exact.totals);
    expect([...whole.pages.reads]).toEqual([...exact.pages.reads]);
    expect([...whole.objects.trafficWrites]).toEqual([...exact.objects.trafficWrites]);
  });

  test('a bin of several epochs is not cut', () => {
    const coarse = profileOf({ ...spec('/prog.c'), epochs: 10, epochsPerBin: 4 });
    expect(wholeBins(coarse, [5, 6])).toEqual([4, 8]);
    expect(wholeBins(coarse, [9, 10])).toEqual([8, 10]);
    expect(inWindow(coarse, [5, 6]).totals.modelledNs).toBe(4e6);
  });

  test('as a tracker sees it, pages without a reading are not touched', () => {
    const { profile } = project(exact, tracker(null, [9, 3, 2, 0, 0, 0, 0]));
    expect(inWindow(profile, [0, 1], exact).totals.pagesTouched).toBe(3);
  });
});
