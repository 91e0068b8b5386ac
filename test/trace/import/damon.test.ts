/** DAMON's results in each form that damo writes, made here from its definitions (src/_damo_records.py). */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pagesOf, profileOf, recognised, refusal, survivesDamage } from './importing.js';

type Region = readonly [start: number, end: number, accesses: number];
/** Two snapshots: of three pages from 5 on, found 2 and 1 times; of one page at 0x90. */
const snapshots: readonly (readonly Region[])[] = [
  [
    [0x5000, 0x8000, 2],
    [0x8000, 0x20000, 0],
    [0x90000, 0x91000, 20],
  ],
  [[0x5000, 0x8000, 1]],
];
const pages = ['5: 3/0', '6: 3/0', '7: 3/0', '90: 20/0'];

const raw = `base_time_absolute: 8 m 59.809 s
data source: unknown

${snapshots
  .map(
    (regions, i) => `monitoring_start:          ${i}04.599 ms
monitoring_end:            ${i + 1}04.599 ms
monitoring_duration:       103.991 ms
target_id: 18446623438842320000
nr_regions: ${regions.length}
# start_addr     end_addr        length  nr_accesses   age
${regions.map(([start, end, accesses]) => `${start.toString(16)}-${end.toString(16)} (  12.000 KiB)          ${accesses}    -1\n`).join('')}`,
  )
  .join('\n')}`;

const events = snapshots
  .flatMap((regions, i) =>
    regions.map(
      ([start, end, accesses]) =>
        `kdamond.0  4452 [000] 8287${i}.315633: damon:damon_aggregated: target_id=18446623435582458880 nr_regions=${regions.length} ${start}-${end}: ${accesses} 3\n`,
    ),
  )
  .join('');

/** As json.dumps(indent=4) writes the records, numbers with commas between thousands. */
const record = JSON.stringify(
  [
    {
      kdamond_idx: null,
      intervals: null,
      target_id: 0,
      snapshots: snapshots.map((regions, i) => ({
        start_time: `${i}00,000`,
        end_time: `${i + 1}00,000`,
        regions: regions.map(([start, end, accesses]) => ({
          start: start.toLocaleString('en'),
          end: end.toLocaleString('en'),
          nr_accesses: { samples: accesses, percent: null },
          age: { usec: null, aggr_intervals: 3 },
        })),
        total_bytes: '1,000',
        damos_stats: null,
      })),
      data_source: 'unknown',
    },
  ],
  null,
  4,
);

describe.each([
  ['damo report raw', raw],
  ['damon_aggregated events', events],
  ['records', record],
  ['records on one line', JSON.stringify(JSON.parse(record))],
  ['records compressed', deflateSync(record)],
] as const)('%s', (_, content) => {
  test('each page of a region has the accesses that the checks of the region found', async () => {
    const profile = await profileOf(content);
    expect(pagesOf(profile)).toEqual(pages);
    expect(profile.program).toMatchObject({ imported: 'damon', complete: true });
  });

  test('the checks are what intervals rest on', async () => {
    const { program } = await profileOf(content);
    // 2 + 1 checks stand for three pages each, 20 for one: 29 page checks by 23.
    expect(program.sampling).toEqual({
      event: 'DAMON checks that found an access',
      samples: 23,
      period: 1,
      least: 1,
      most: 3,
      factor: 1,
      unit: 'pages',
    });
  });
});

test('of very many page checks an access stands for several, of very many pages one for its neighbours', async () => {
  const gibibyte = 2 ** 30;
  const event = (from: number, bytes: number, accesses: number) =>
    `kdamond.0 1 [000] 1.0: damon:damon_aggregated: target_id=0 nr_regions=2 ${from}-${from + bytes}: ${accesses} 0\n`;
  // 2^19 pages by 64 checks, which is twice what is replayed; and twice as many pages as are told.
  const profile = await profileOf(event(0, 2 * gibibyte, 64) + event(0, 4096 * 4, 2));
  expect(profile.program.sampling).toMatchObject({ factor: 4, samples: 66 });
  expect(profile.totals.reads).toBe(2 ** 25 + 8);
  expect(profile.pages.count).toBe(2 ** 18);
  // Both pages of each pair by 64 checks; of the last region's 8 checks the 4th is on page 1 and the 8th on page 3.
  expect(pagesOf(profile).slice(0, 3)).toEqual(['0: 132/0', '2: 132/0', '4: 128/0']);
  expect(profile.warnings.join('\n')).toMatch(
    /one access stands for 4 of them[\s\S]*one page in 2 stands for its neighbours/,
  );
});

test('records are found wherever the chunks end that the file is read in', async () => {
  // More than a chunk of 1 MiB; the regions lie beside each other, so that a number cut in two would show as a gap.
  const regions = Array.from({ length: 20_000 }, (_, i) => ({
    start: (2 ** 40 + 4096 * i).toLocaleString('en'),
    end: (2 ** 40 + 4096 * (i + 1)).toLocaleString('en'),
    nr_accesses: { samples: 1, percent: null },
  }));
  const profile = await profileOf(JSON.stringify([{ target_id: 0, snapshots: [{ regions }] }], null, 4));
  expect(profile.pages.count).toBe(20_000);
  expect(profile.program.sampling).toMatchObject({ samples: 20_000, most: 1 });
});

test('the region that damo adds to a single snapshot says nothing', async () => {
  const profile = await profileOf(
    `${events}kdamond.0 1 [000] 9.0: damon:damon_aggregated: target_id=18446623435582458880 nr_regions=1 0-0: -1 -1\n`,
  );
  expect(pagesOf(profile)).toEqual(pages);
});

test('a cut file shows what precedes the cut', async () => {
  for (const content of [raw.slice(0, -20), record.slice(0, record.length / 2), deflateSync(record).subarray(0, -10)]) {
    const { program } = await profileOf(content, { from: 'damon' });
    expect(program.complete).toBe(false);
  }
});

describe('what is refused', () => {
  test.each([
    ['nothing', ''],
    ['no region', 'target_id: 5\n'],
    ['other JSON', '[{"a": 1}]'],
    ['a region that no memory has', 'target_id: 5\n0-ffffffffffffffff (1 B) 5 1\n'],
    ['more accesses than there are checks', 'target_id: 5\n5000-8000 (1 B) 99999999999999999999 1\n'],
    ['binary data', '\0\x01\x02\xff\xfe\n\x03'],
    ['regions backwards', 'target_id: 5\n8000-5000 (1 B) 5 1\n'],
  ])('%s', async (_, content) => {
    expect(await refusal(content, { from: 'damon' })).toBe('FILE holds no region that DAMON saw accessed');
  });
});

test('they are told by their content', () => {
  for (const content of [raw, events, record]) expect(recognised(content)).toBe('damon');
});

test.each([
  ['text', Buffer.from(raw)],
  ['JSON', Buffer.from(record)],
])('damage of any kind is survived: %s', (_, content) => survivesDamage(content, 'damon', {}, 10));
