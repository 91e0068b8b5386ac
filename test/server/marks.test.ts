/** What one mark says: sums of what was written once, and the share of the run before. Numbers by hand. */
import { describe, expect, test } from 'vitest';
import { percent } from '../../core/model/format.js';
import type { Focus } from '../../core/protocol.js';
import { lensText, lensTooltip } from '../../core/server/annotations.js';
import { Baseline } from '../../core/server/baseline.js';
import { focusLines, sourceFocus } from '../../core/server/focusLines.js';
import { hoverText, lineHover, regionHover } from '../../core/server/hover.js';
import { shareOfLine, shareOfRegion, wasText } from '../../core/server/previous.js';
import { ProfileIndex } from '../../core/server/profileIndex.js';
import { project } from '../../core/server/projection.js';
import { regionsOf } from '../../core/server/regions.js';
import { seenBy } from '../../core/server/seen.js';
import { Snapshots, sha256 } from '../../core/server/snapshots.js';
import { type ProfileSpec, profileOf } from '../helpers/profile.js';
import { spec as programSpec } from './fixture.js';
import { seenAs } from './tracker.js';

const spec: ProfileSpec = {
  file: '/p/vec.h',
  sha256: 'x',
  // Two instantiations of a template, and a function on the line of an allocation.
  functions: { 'sum<int>': 2, 'sum<double>': 2, make: 5, main: 9 },
  lines: [
    { line: 3, function: 'sum<int>', object: 'ints', reads: 500, hotness: 0 },
    { line: 3, function: 'sum<double>', object: 'doubles', reads: 200, hotness: 1 },
    { line: 5, function: 'make', object: 'ints', writes: 250, hotness: 1 },
    { line: 10, function: 'main', object: 'count', reads: 40, writes: 10, hotness: 2 },
  ],
  objects: [
    { name: 'ints', line: 5, page: 16, pages: 3, hotness: 0, stack: ['make /p/vec.h:5', 'main /p/vec.h:10'] },
    { name: 'doubles', line: 5, page: 32, pages: 2, hotness: 1, tier: 1, stack: ['make /p/vec.h:5', 'test /p/t.c:3'] },
    { name: 'count', kind: 'global', line: 1, page: 48, pages: 1, hotness: 2 },
    { name: 'other', kind: 'global', line: 1, page: 49, pages: 1, hotness: 2 },
  ],
};
const index = new ProfileIndex(profileOf(spec));
const shown = { index, policy: 'static-optimal', baseline: null };
const regions = () => regionsOf(index, index.rowsOf(0), 'static-optimal');
const at = (line: number, kind: string) => regions().find(region => region.line === line && region.kind === kind)!;

describe('what is written once is one mark', () => {
  test('instantiations of a template are summed in one lens; pages that they may share are an upper bound', () => {
    const sum = at(2, 'function');
    expect(lensText(sum, shown)).toBe(
      '2 instantiations · hot · 70 % of accesses · 100 % read, 0 % write · ≤ 5 pages (20 KiB) · mixed',
    );
    expect(sum.name).toBe('sum');
    expect(sum.parts).toEqual([
      { label: 'sum<int>', reads: 500, writes: 0 },
      { label: 'sum<double>', reads: 200, writes: 0 },
    ]);
    // 700 accesses on at most 5 pages in 4 ms.
    expect(sum.perPagePerSecond).toBe(35_000);
    expect(lensTooltip(sum, index).split('\n')[0]).toBe(
      'sum (sum of 2 instantiations): accesses by its own lines, wherever they were inlined',
    );
  });

  test('the rank of a sum is that of its accesses: 700 of 1,000 is above every function', () => {
    expect(at(2, 'function').percentile).toBe(100);
    expect(at(5, 'function').percentile).toBe(75);
  });

  test('two allocations on a line, and two globals of one declaration, are one lens each', () => {
    expect(lensText(at(5, 'allocation'), shown)).toBe(
      '2 allocations · hot · 95 % of accesses · 74 % read, 26 % write · ≤ 5 pages (20 KiB) · mixed',
    );
    // 750 of the 950 accesses go to HBM: 79 %, less than a tier needs.
    const globals = at(1, 'allocation');
    expect([globals.several, globals.reads, globals.writes]).toEqual(['2 globals', 40, 10]);
  });

  test('an allocation that is reached by two call paths is one allocation, with the callers as its parts', () => {
    const stacks = ['main /p/vec.h:10', 'test /p/t.c:3'].map(caller => ['make /p/vec.h:5', caller]);
    const objects = spec.objects.map((object, i) => (i < 2 ? { ...object, stack: stacks[i] } : object));
    const { profile } = new ProfileIndex(profileOf({ ...spec, objects }));
    const name = profile.objects.name.map(known => (known === 'doubles' ? 'ints' : known));
    const one = new ProfileIndex({ ...profile, objects: { ...profile.objects, name } });
    const region = regionsOf(one, one.rowsOf(0), '').find(({ line, kind }) => line === 5 && kind === 'allocation')!;
    expect([region.name, region.several]).toEqual(['ints', '']);
    expect(region.parts).toEqual([
      { label: 'main vec.h:10', reads: 500, writes: 250 },
      { label: 'test t.c:3', reads: 200, writes: 0 },
    ]);
  });

  test('a function and an allocation on one line are two regions, the hotter one first', () => {
    expect(
      regions()
        .filter(({ line }) => line === 5)
        .map(({ kind }) => kind),
    ).toEqual(['allocation', 'function']);
  });
});

describe('as a tracker sees it', () => {
  // Readings: log_count 9, two pages of the table 3 and 2: 14 in all.
  const exact = new ProfileIndex(profileOf(programSpec('/prog.c')));
  const projected = project(exact.profile, seenAs('pml', null, [9, 3, 2, 0, 0, 0, 0]));
  const seen = new ProfileIndex(projected.profile, seenBy('pml'), exact, projected.objectRow);
  const pml = { index: seen, policy: 'static-optimal', baseline: null };
  const regionAt = (line: number) =>
    regionsOf(seen, seen.rowsOf(0), 'static-optimal').find(region => region.line === line)!;

  test('a lens of an allocation has the pages that were reported, one of a function has none', () => {
    expect(lensText(regionAt(8), pml)).toBe(
      'hot · 36 % of PML readings · 0 % read, 100 % write · 2 pages (8 KiB) · HBM',
    );
    expect(lensText(regionAt(7), pml)).toBe('hot · 36 % of PML readings · 0 % read, 100 % write · HBM');
    expect(lensTooltip(regionAt(7), seen)).toContain(
      'pages: not known, since PML reports pages, not which code touched them',
    );
  });

  test('the hover says whose pages these are, and of code that they are not known', () => {
    const table = hoverText(pml, [regionHover(regionAt(8), pml)], null, []);
    // 2 of the 3 pages that have a reading.
    expect(table).toContain('| Pages | &nbsp;2 pages (8 KiB) | &nbsp;&nbsp;67 % of the pages that PML reported |');
    const fill = hoverText(pml, [regionHover(regionAt(7), pml)], null, []);
    expect(fill).toContain(
      '| Pages | &nbsp;– | &nbsp;&nbsp;not known: PML reports pages, not which code touched them |',
    );
    expect(fill).not.toContain('per page');
    const line = hoverText(pml, [lineHover(pml, 0)], null, []);
    expect(line).toContain('| Pages | &nbsp;– |');
  });
});

describe('the run before', () => {
  const text = ['// vec', 'a', 'sum line', 'b', 'make', 'c', 'd', 'e', 'main', 'count'].join('\n');
  const longer = `// one more line\n${text}`;

  /** The same program with `reads` reads in `sum<int>`, built from another text. */
  function ranBefore(built: string, reads: number, down = 0) {
    const moved = {
      ...spec,
      sha256: sha256(built),
      functions: Object.fromEntries(Object.entries(spec.functions).map(([name, line]) => [name, line + down])),
      lines: spec.lines.map((line, i) => ({ ...line, line: line.line + down, ...(i === 0 ? { reads } : {}) })),
      objects: spec.objects.map(object => ({ ...object, line: object.line! + down })),
    };
    return new ProfileIndex(profileOf(moved));
  }
  const now = new ProfileIndex(profileOf({ ...spec, sha256: sha256(text) }));
  const line = (number: number) => now.profile.lines.line.indexOf(number);

  test('a line is followed by the two texts; its share then is of the accesses then', () => {
    const snapshots = new Snapshots();
    for (const known of [text, longer]) snapshots.keep(sha256(known), known);
    const baseline = new Baseline(ranBefore(longer, 1500, 1), now.profile, snapshots);
    // 1,500 + 200 of 2,000.
    expect(shareOfLine(baseline, line(3))).toBe(0.85);
    expect(shareOfRegion(baseline, at(2, 'function'))).toBe(0.85);
    expect(lensText(at(2, 'function'), { ...shown, baseline })).toContain('70 % of accesses, was 85 %');
    // 250 of 2,000, on another line of the text before.
    expect(shareOfLine(baseline, line(5))).toBe(0.125);
  });

  test('without the text before nothing is said of lines, and functions are known by name', () => {
    const baseline = new Baseline(ranBefore(longer, 1500, 1), now.profile, new Snapshots());
    expect(shareOfLine(baseline, line(3))).toBeNull();
    expect(shareOfRegion(baseline, at(2, 'function'))).toBe(0.85);
  });

  test('with the same text lines are where they were', () => {
    const baseline = new Baseline(ranBefore(text, 1500), now.profile, new Snapshots());
    expect(shareOfLine(baseline, line(3))).toBe(0.85);
  });

  test('a function that was not there is not said to have been 0 %', () => {
    const other = { ...spec, sha256: 'y', functions: { ...spec.functions, make: 40 } };
    const { make, ...rest } = other.functions;
    const renamed = { ...other, functions: { ...rest, build: make } };
    const lines = renamed.lines.map(line => (line.function === 'make' ? { ...line, function: 'build' } : line));
    const baseline = new Baseline(new ProfileIndex(profileOf({ ...renamed, lines })), now.profile, new Snapshots());
    expect(shareOfRegion(baseline, at(5, 'function'))).toBeNull();
  });

  test.each([
    [0.12, 0.38, 'was 38 %'],
    [0.376, 0.374, ''],
    [0.384, 0.375, ''],
    [0.39, 0.38, 'was 38 %'],
    [0.012, 0.014, 'was 1.4 %'],
    [0.0121, 0.0124, ''],
    [0.5, 0, 'was 0 %'],
    [0.5, null, ''],
  ])('%d now and %s before reads "%s"', (share, then, expected) => {
    expect(wasText(share, then, percent)).toBe(expected);
  });
});

describe('a focus as lines', () => {
  const lines = (focus: Focus) => focusLines(index, index.rowsOf(0), sourceFocus(index.profile, focus)!);
  const row = (name: string) => index.profile.objects.name.indexOf(name);

  test('a line is itself, in its own file only', () => {
    expect(lines({ kind: 'line', file: '/p/vec.h', line: 3 })).toEqual([3]);
    expect(lines({ kind: 'line', file: '/p/other.h', line: 3 })).toEqual([]);
  });
  test('an allocation is where it was made, and where it is used', () => {
    expect(lines({ kind: 'object', object: row('ints') })).toEqual([3, 5]);
    expect(lines({ kind: 'object', object: row('count') })).toEqual([1, 10]);
  });
  test('a page is the allocation that has most of it', () => {
    const page = [...index.profile.pages.number].indexOf(33);
    expect(lines({ kind: 'page', page })).toEqual([3, 5]);
  });
});
