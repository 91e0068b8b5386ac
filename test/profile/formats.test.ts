/** The readable exports of a profile whose figures are known (sample.ts). */
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { toCsv } from '../../core/profile/csv.js';
import { bytes, count, duration, percent } from '../../core/profile/format.js';
import { toHtml } from '../../core/profile/html.js';
import { toMarkdown } from '../../core/profile/md.js';
import { toText } from '../../core/profile/text.js';
import { inPhases, sample } from './sample.js';

function withFunction(name: string): Profile {
  return { ...sample, functions: { ...sample.functions, name: sample.functions.name.with(0, name) } };
}

describe('numbers', () => {
  test.each([
    [0, '0'],
    [2104, '2,104'],
    [99_999, '99,999'],
    [100_000, '100 k'],
    [999_499, '999 k'],
    [999_500, '1.00 M'],
    [26_700_000, '26.7 M'],
    [1.234e9, '1.23 G'],
    [5.6e13, '56.0 T'],
  ])('the count %d reads %s', (value, text) => expect(count(value)).toBe(text));

  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [99.5 * 1024, '99.5 KiB'],
    [8.2 * 2 ** 20, '8.20 MiB'],
    [2 ** 40 * 5000, '5000 TiB'],
    [Number.POSITIVE_INFINITY, 'unbounded'],
  ])('the size %d reads %s', (value, text) => expect(bytes(value)).toBe(text));

  test('shares and times', () => {
    expect([0, 0.0004, 0.38123, 1].map(percent)).toEqual(['0.0 %', '<0.1 %', '38.1 %', '100.0 %']);
    expect([-0.0004, -0.25].map(percent)).toEqual(['-<0.1 %', '-25.0 %']);
    expect([850, 12_300_000, 2.4e9].map(duration)).toEqual(['850 ns', '12.3 ms', '2.40 s']);
  });
});

describe('text', () => {
  const text = toText(sample);
  const lines = text.split('\n');

  test('fits 100 columns', () => {
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(100);
  });

  test('several phases are a table, one alone is the whole run', () => {
    const told = toText(inPhases);
    expect(told).toMatch(
      /^PHASES\n +stretches of epochs in which the same code uses the same data; share of 1,000 accesses$/m,
    );
    expect(told).toMatch(/^ +60\.0 % +600 +100 % +8 +0–1 +1\.00 ms +dot, malloc in parse_scene \(scene\.c:42\)$/m);
    expect(told).toMatch(/^ +40\.0 % +400 +61 % +12 +2–3 +1\.00 ms +main, palette$/m);
    expect(text).not.toContain('PHASES');
  });

  test('says program, compiler, level, window and denominator', () => {
    expect(text).toMatch(/^raytracer 320 240 +Pagelens 0\.1\.0$/m);
    expect(text).toContain('gcc (Debian 12.2.0-14) 12.2.0, -O2 -g');
    expect(text).toContain('source level');
    expect(text).toContain('2.00 ms modelled, 1 epoch of 2,000 accesses');
    expect(text).toContain('share of 1,000 accesses');
  });

  test('a line’s row has share, accesses, reads, pages, traffic, class, tier and the relative place', () => {
    const row = lines.find(line => line.includes('vec.h:5'))!;
    expect(row.trim().split(/\s{2,}/)).toEqual(['75.0 %', '750', '100 %', '3', '10', 'hot', 'dram', 'vec.h:5', 'dot']);
  });

  test('an object’s row has its share, reads, size, pages, density, traffic, class and tier', () => {
    const row = lines.find(line => line.includes('malloc in parse_scene (scene.c:42)'))!;
    expect(row.trim().split(/\s{2,}/)).toEqual([
      '80.0 %',
      '81 %',
      '5.66 KiB',
      '2',
      '25 %',
      '14',
      'hot',
      'dram',
      'malloc in parse_scene (scene.c:42)',
    ]);
  });

  test('a size that is only a bound says so', () => {
    const bound = { ...sample, objects: { ...sample.objects, bytesAtMost: Uint8Array.of(1, 0, 0, 0) } };
    expect(toText(bound)).toMatch(/at most 5\.66 KiB .*parse_scene/);
    expect(toText(bound).match(/at most/g)).toHaveLength(1);
  });

  /** What a hot line's row says of the place, when the file is called so and the function so. */
  const lineRow = (file: string, name: string): string => {
    const files = sample.files.map(({ sha256 }) => ({ path: `/w/${file}`, sha256 }));
    const renamed = { ...withFunction(name), files };
    return toText(renamed)
      .split('\n')
      .find(line => line.includes('75.0 %'))!
      .replace(/^.*dram {2}/, '');
  };

  test.each([
    ['vec.h', 'dot', 'vec.h:5  dot'],
    ['source/geometry/vec.h', 'dot', 'source/geometry/vec.h:5  dot'],
    ['library/source/geometry/primitives/vec.h', 'dot_product', '…/geometry/primitives/vec.h:5  dot_product'],
    ['a/b/vec.h', `d${'x'.repeat(80)}`, `vec.h:5  d${'x'.repeat(80)}`],
  ])('a place too long for its column loses folders before the file or the line: %s %s', (file, name, whole) => {
    const shown = lineRow(file, name);
    if (name.length < 80) expect(shown).toBe(whole);
    else expect(shown).toMatch(/^…\/vec\.h:5 {2}dx{20,}…$/);
  });

  test.each([
    [
      'engine::scene::detail::Builder<engine::real<double>, 4>::accumulate_surface(int) const',
      '…/vec.h:5  …Builder::accumulate_surface',
    ],
    [`ns::${'f'.repeat(50)}`, `…/vec.h:5  …${'f'.repeat(31)}…`],
    ['std::operator<<char, std::char_traits<char> >(std::s const&)', '…/vec.h:5  …operator<<char, std::char_trait…'],
  ])('a C++ name too long for its column loses template arguments, then namespaces: %s', (name, whole) => {
    expect(lineRow('library/vec.h', name)).toBe(whole);
  });

  test('an allocation keeps its place when its function’s name is too long', () => {
    const name = `malloc in ${'deep::'.repeat(20)}parse (scene.c:42)`;
    const long = { ...sample, objects: { ...sample.objects, name: sample.objects.name.with(0, name) } };
    const row = toText(long)
      .split('\n')
      .find(line => line.includes('malloc in'))!;
    expect(row).toMatch(/ malloc in …deep::deep::parse \(scene\.c:42\)$/);
    expect(row.length).toBeLessThanOrEqual(100);
    // What the other columns imply made room.
    expect(row).not.toContain('25 %');
  });

  test('what every run leaves out is a list of its own', () => {
    const warnings = ['not counted: reads of constants (gcc)', 'the disk is full', 'not counted: gathers (gcc)'];
    const shown = toText({ ...sample, warnings });
    expect(shown).toMatch(/NOT COUNTED\n[^•]*• reads of constants \(gcc\)\n {2}• gathers \(gcc\)\n/);
    expect(shown).toMatch(/WARNINGS\n {2}• the disk is full\n$/);
  });

  test('traffic is that of the tier that serves the run fastest', () => {
    expect(text).toContain('traffic in cxl');
    expect(toText({ ...sample, placement: { ...sample.placement, fastestTier: 0 } })).toContain('traffic in dram');
  });

  test('an object larger than the fastest tier is named as the reason of a split', () => {
    const placement = {
      ...sample.placement,
      fastestTier: 0,
      tiers: sample.placement.tiers.map(tier => ({
        ...tier,
        capacityBytes: tier.id === 'dram' ? 4096 : tier.capacityBytes,
      })),
      policies: sample.placement.policies.map(policy => ({ ...policy, tierOfObject: Uint8Array.of(255, 1, 1, 255) })),
    };
    expect(toText({ ...sample, placement }).replaceAll(/\s+/g, ' ')).toContain(
      '• Larger than dram, so that no policy can place them there whole (tier mixed): malloc in parse_scene (scene.c:42) (5.66 KiB). •',
    );
    expect(text).not.toContain('Larger than');
  });

  test('a mode shows its exits in sum and by reason, and what it did of its own', () => {
    const guest = { guestPageFaults: 12, unmappedPages: 3, tlbShootdowns: 1, contextSwitches: 0 };
    const row = { ...sample.translation[0]!, vmExits: {}, own: guest };
    const agile = {
      ...row,
      mode: 'agile',
      vmExits: { 'page-table-write': 7, 'hidden-fault': 5, invlpg: 0 },
      own: { ...guest, tablesTurnedNested: 2, tablesTurnedShadow: 1 },
    };
    const shown = toText({ ...sample, translation: [row, agile] });
    expect(shown).toMatch(/^ +native +4 +\S+ +16 +0 +1\.[23] %$/m);
    expect(shown).toMatch(/^ +agile +4 +\S+ +16 +12 +1\.[23] % +turned: 2 nested, 1 back$/m);
    expect(shown).toMatch(/^ +agile +page-table-write +7$/m);
    expect(shown).toMatch(/^ +hidden-fault +5$/m);
    expect(shown).not.toMatch(/invlpg/);
    expect(shown).toContain('12 guest page faults, 3 pages unmapped, 1 shootdowns of other vCPUs, 0 context');
  });

  test('the sweep over log sizes marks the size that was replayed', () => {
    const pmlSweep = [
      { entries: 256, exits: 12345, overheadPercent: 1.5 },
      { entries: 512, exits: 6172, overheadPercent: 0.754 },
    ];
    const swept = toText({ ...sample, translation: [{ ...sample.translation[0]!, mode: 'nested', pmlSweep }] });
    expect(swept).toMatch(/^ +256 +12,345 +1\.50 %$/m);
    expect(swept).toMatch(/^ +512 +6,172 +0\.75 % +as replayed$/m);
    expect(text).not.toContain('MODIFICATION LOG');
  });

  test('says what reached no line and why, what is too short, and the warnings', () => {
    expect(text).toContain('75 accesses (7.5 %): libnoise.so: no line information (70 accesses)');
    expect(text).toContain('pml: too short: 4 periods completed');
    expect(text).toContain('• Reads of constant tables are not seen.');
  });

  test('a run without accesses says so, and shows no empty tables', () => {
    const nothing = toText({ ...sample, totals: { ...sample.totals, reads: 0, writes: 0 } });
    expect(nothing).toContain('• No access was recorded');
    expect(nothing.match(/^[A-Z ]+$/gm)).toEqual(['RUN', 'TOTALS', 'WARNINGS']);
  });

  test('an incomplete recording and a signal are told', () => {
    const crashed = toText({ ...sample, program: { ...sample.program, exit: { signal: 'SIGSEGV' }, complete: false } });
    expect(crashed).toContain('by signal SIGSEGV; the recording is incomplete');
  });

  test('escape sequences appear on request only, and never from the program’s names', () => {
    const hostile = withFunction('evil\x1b[31m\x07\nname');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(toText(hostile)).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    expect(toText(sample, { colour: true })).toContain('\x1b[1mHOT LINES\x1b[22m');
  });

  test('long names are cut, long words wrapped, within the width', () => {
    const long = withFunction(`f${'x'.repeat(300)}`);
    const wide = toText({ ...long, warnings: [`/very/long/${'p'.repeat(250)}`] });
    for (const line of wide.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
    expect(wide).toContain('…');
  });
});

/** Cells by RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/y;
  let row: string[] = [];
  for (let match = cell.exec(text); match; match = cell.exec(text)) {
    row.push(match[1]!.startsWith('"') ? match[1]!.slice(1, -1).replaceAll('""', '"') : match[1]!);
    if (match[2] === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

describe('CSV', () => {
  test('has a row for each line, function and object, equally wide, with exact counts', () => {
    const [header, ...rows] = parseCsv(toCsv(sample));
    for (const row of rows) expect(row).toHaveLength(header!.length);
    const tally = (table: string) => rows.filter(row => row[0] === table).length;
    expect([tally('line'), tally('function'), tally('object')]).toEqual([3, 5, 4]);
    const at = (name: string) => header!.indexOf(name);
    const reads = rows.filter(row => row[0] === 'object').reduce((sum, row) => sum + Number(row[at('reads')]), 0);
    expect(reads).toBe(845);
  });

  test('commas, quotes and line breaks in names survive', () => {
    const name = 'f<a, "b">(\r\n)';
    expect(parseCsv(toCsv(withFunction(name)))[1]![2]).toBe(name);
  });
});

describe('HTML', () => {
  const html = toHtml(sample);

  test('loads nothing and runs nothing', () => {
    expect(html).not.toMatch(/<script|<link|<img|src=|href=|url\(|@import|https?:/i);
    expect(html).toContain("default-src 'none'");
  });

  test('names of the program cannot become markup', () => {
    const hostile = toHtml(withFunction('<script>alert("x")</script>'));
    expect(hostile).not.toContain('<script');
    expect(hostile).toContain('&lt;script&gt;alert');
  });

  test('opens and closes every element', () => {
    const open = [...html.matchAll(/<([a-z][a-z0-9]*)[\s>]/g)].map(match => match[1]!);
    const close = [...html.matchAll(/<\/([a-z][a-z0-9]*)>/g)].map(match => match[1]!);
    expect(open.filter(name => name !== 'meta').sort()).toEqual(close.sort());
  });
});

test('Markdown tables are equally wide in every row, and names cannot break out of a cell', () => {
  const markdown = toMarkdown(withFunction('a|b<b>*c*'));
  const tables = markdown.split('\n\n').filter(part => part.startsWith('|'));
  expect(tables.length).toBeGreaterThan(4);
  for (const table of tables) {
    const widths = table.split('\n').map(row => row.split(/(?<!\\)\|/).length);
    expect(new Set(widths).size).toBe(1);
  }
  expect(markdown).toContain('a\\|b');
  expect(markdown).not.toContain('<b>');
});

test('a file below the folder shows relatively, one far away by its last two names', () => {
  const vec = sample.files.findIndex(source => source.path === '/w/vec.h');
  const moved = (path: string) => toText({ ...sample, files: sample.files.with(vec, { path, sha256: '' }) });
  expect(moved('/w/src/deep/vec.h')).toContain('  src/deep/vec.h:5  dot');
  expect(moved('/usr/include/c++/12/bits/vec.h')).toContain('  …/bits/vec.h:5  dot');
});
