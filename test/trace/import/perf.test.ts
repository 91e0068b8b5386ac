/**
 * perf script: samples of PEBS, IBS and SPE as its documentation and tools/perf/builtin-script.c give their lines, and
 * what the installed perf prints of page faults with addresses (memory events need a processor's PMU).
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { load, save } from '../../../core/profile/file.js';
import { toReport } from '../../../core/profile/report.js';
import { describe as sections } from '../../../core/profile/sections.js';
import { scratchFolder } from '../../helpers/records.js';
import { pagesOf, profileOf, profileOfFile, recognised, refusal, survivesDamage } from './importing.js';

/** A line as `perf script -F comm,tid,cpu,time,period,event,addr,data_src,weight,ip,sym,symoff,dso` prints it. */
function pebs(
  address: string,
  operation: 'LOAD' | 'STORE',
  level: string,
  weight: number,
  where: string,
  period = 1000,
) {
  const event = operation === 'LOAD' ? 'cpu/mem-loads,ldlat=30/P' : 'cpu/mem-stores/P';
  const source = `|OP ${operation}|LVL ${level}|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A             `;
  return `my app  4711/4712  [003]  9021.123456:       ${period} ${event}:     ${address}        68100142 ${source} ${weight}     ${where}\n`;
}

const samples = [
  pebs('7f0000001008', 'LOAD', 'L1 hit', 7, '401136 walk+0x10 (/opt/app)'),
  pebs('7f0000001010', 'LOAD', 'L1 hit', 9, '401136 walk+0x10 (/opt/app)'),
  pebs('7f0000001018', 'LOAD', 'Local RAM hit', 200, '401136 walk+0x10 (/opt/app)'),
  pebs(
    '7f0000005000',
    'STORE',
    'L1 hit',
    1,
    '401140 std::vector<int, std::allocator<int> >::push_back(int const&)+0x4 (/opt/app)',
  ),
].join('');

describe('PEBS', () => {
  test('counts are samples times period, loads and stores apart', async () => {
    const profile = await profileOf(samples);
    expect(pagesOf(profile)).toEqual(['7f0000001: 3000/0', '7f0000005: 0/1000']);
    expect(profile.totals).toMatchObject({ reads: 3000, writes: 1000 });
    expect(profile.program.sampling).toEqual({
      event: 'cpu/mem-loads,ldlat=30/P, cpu/mem-stores/P',
      samples: 4,
      period: 1000,
      least: 1000,
      most: 1000,
      factor: 1000,
      unit: 'accesses',
    });
  });

  test('code has the names that perf gave, and what served it is told as measured', async () => {
    const profile = await profileOf(samples);
    expect(profile.functions.name).toEqual(['walk', 'std::vector<int, std::allocator<int> >::push_back(int const&)']);
    expect(profile.warnings).toContain(
      'Measured: samples were served by L1 hit 75.0 %, Local RAM hit 25.0 %; mean weight 54.3 cycles.',
    );
  });

  test('what needs every access is left out', async () => {
    const { translation, trackers, missRatio, warnings } = await profileOf(samples);
    expect([translation.length, trackers.length, missRatio.pages.length]).toEqual([0, 0, 0]);
    expect(warnings[0]).toMatch(
      /^Sampled: counts are 4 samples of .* times 1,000 accesses each, with intervals of 95 %/,
    );
  });

  test('intervals go all the way into the reports', async () => {
    const profile = await profileOf(samples);
    const report = toReport(profile);
    // Exact Poisson limits of 3 events: 0.619 and 8.767; of none: 0 and 3.689 (Pearson and Hartley, table 40).
    const [low, high] = report.functions[0]!.interval95!.reads;
    expect(low / 1000).toBeCloseTo(0.619, 1);
    expect(high / 1000).toBeCloseTo(8.767, 1);
    const [none, upTo] = report.functions[0]!.interval95!.writes;
    expect(none).toBe(0);
    expect(upTo / 1000).toBeCloseTo(3.689, 0);
    const table = sections(profile).sections.find(({ title }) => title === 'Functions')!.table!;
    expect(table.columns.map(({ title }) => title).slice(0, 4)).toEqual(['share', '95 %', 'accesses', 'read']);
    // Wilson's interval of 3 in 4.
    expect(table.rows[0]!.slice(0, 3)).toEqual(['75.0 %', '30.1 to 95.4 %', '3,000']);
  });

  test('a period that varies counts as its mean, which is told', async () => {
    const profile = await profileOf(
      samples + pebs('7f0000009000', 'LOAD', 'L2 hit', 12, '401136 walk+0x10 (/opt/app)', 2000),
    );
    expect(profile.program.sampling).toMatchObject({ period: 1200, least: 1000, most: 2000 });
    expect(profile.totals.reads).toBe(4800);
    expect(profile.warnings.join()).toContain('varied from 1,000 to 2,000');
  });
});

test('IBS: an event that does not say what it does is told by the data source; what is neither does not count', async () => {
  const ibs = (address: string, source: string) =>
    `app 99 [000] 12.5:     262144       ibs_op//:   ${address}    229080144 ${source}    31    401150 main+0x20 (/opt/app)\n`;
  const profile = await profileOf(
    ibs('7ffc0010', '|OP LOAD|LVL L2 hit|SNP N/A|TLB N/A|LCK N/A|BLK  N/A') +
      ibs('7ffc1010', '|OP STORE|LVL N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A') +
      ibs('0', '|OP N/A|LVL N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A'),
  );
  expect(pagesOf(profile)).toEqual(['7ffc0: 262144/0', '7ffc1: 0/262144']);
  expect(profile.warnings.join('\n')).toContain('1 samples were no load or store, or had no address');
});

test('SPE: synthesised events, without data source or period', async () => {
  const profile = await profileOf(
    `dd 11 [001]  7.000001:   l1d-access:   ffff00001008   aaaabbbb0010 [unknown] ([unknown])
dd 11 [001]  7.000002:       memory:   ffff00002008   aaaabbbb0020 copy+0x4 (/bin/dd)
`,
    { from: 'perf' },
  );
  expect(pagesOf(profile)).toEqual(['ffff00001: 1/0', 'ffff00002: 1/0']);
  expect(profile.warnings.join('\n')).toMatch(/has no periods[\s\S]*2 samples do not say whether they load or store/);
});

test('of a call chain the first line is the instruction', async () => {
  const profile = await profileOf(
    `app 5/6 1.5:  100 cpu/mem-loads/:     7f0000001000
\t          401136 inner+0x10 (/opt/app)
\t          401200 outer+0x4 (/opt/app)

`,
  );
  expect(profile.functions.name).toEqual(['inner']);
  expect(profile.totals.reads).toBe(100);
});

test('samples out of order are the same; absurd periods and threads are passed over and told of', async () => {
  const lines = samples.trimEnd().split('\n');
  expect(pagesOf(await profileOf(`${lines.toReversed().join('\n')}\n`))).toEqual(pagesOf(await profileOf(samples)));
  const absurd = [
    pebs('7f0000001008', 'LOAD', 'L1 hit', 7, '401136 walk+0x10 (/opt/app)', 2 ** 63),
    samples.replace('4711/4712', '4711/99999999999999999999'),
  ].join('');
  const profile = await profileOf(absurd);
  expect(pagesOf(profile)).toEqual(['7f0000001: 2000/0', '7f0000005: 0/1000']);
  expect(profile.program.complete).toBe(true);
  expect(profile.warnings.join()).toContain('2 lines were passed over');
});

describe('what is refused', () => {
  test.each([
    [
      'samples without addresses',
      'app 5 1.5: 100 cycles:  0 401136 main+0x1 (/opt/app)\n',
      /has no samples with addresses: record with perf mem record/,
    ],
    ['nothing', '', /has no samples with addresses/],
    ['other text', 'PERF_RECORD_LOST\nhello\n', /has no samples with addresses/],
  ])('%s', async (_, text, message) => {
    expect(await refusal(text, { from: 'perf' })).toMatch(message);
  });
});

test('damage of any kind is survived', () => survivesDamage(Buffer.from(samples), 'perf'));

const perfWorks = (() => {
  try {
    execFileSync('perf', ['record', '-e', 'page-faults', '-c', '1', '-d', '-o', '/dev/null', 'true'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
})();

describe.runIf(perfWorks)('the real tool', () => {
  const folder = scratchFolder('perf');
  const [source, program, data, script] = ['touch.c', 'touch', 'perf.data', 'perf.txt'].map(name =>
    path.join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(
    source,
    `#include <stdlib.h>
int main(void) {
  volatile char *block = malloc(32 << 20);
  for (int at = 0; at < 32 << 20; at += 4096)
    block[at] = 1;
  return 0;
}
`,
  );

  test.each(['-no-pie', '-pie'])('page faults by line and page, linked with %s', async link => {
    execFileSync('gcc', ['-O1', '-g', link, '-o', program, source]);
    execFileSync('perf', ['record', '-e', 'page-faults', '-c', '1', '-d', '-o', data, program], { stdio: 'ignore' });
    const fields = 'comm,pid,tid,time,period,event,addr,ip,sym,symoff,dso';
    writeFileSync(
      script,
      execFileSync('perf', ['script', '-i', data, '-F', fields, '--show-mmap-events'], {
        maxBuffer: 64 << 20,
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const profile = await profileOfFile(script);
    const line = profile.lines.line.findIndex(
      (line, row) => profile.files[profile.lines.file[row]!]!.path === source && line === 5,
    );
    // Each page of the block faults once; the first may have been touched by malloc.
    expect(profile.lines.reads[line]! + profile.lines.writes[line]!).toBeGreaterThanOrEqual(8191);
    expect(profile.lines.reads[line]! + profile.lines.writes[line]!).toBeLessThanOrEqual(8193);
    expect(profile.program.sampling).toMatchObject({ event: 'page-faults', period: 1 });
    expect(recognised(execFileSync('head', ['-c', '65536', script]))).toBe('perf');
  });
});

test('counts beyond 2^32 in one bin of the heat are whole, also in a saved profile', async () => {
  const period = 2 ** 31;
  const profile = await profileOf(
    pebs('7f0000001008', 'LOAD', 'L1 hit', 7, '401136 walk+0x10 (/opt/app)', period).repeat(5),
  );
  expect([...profile.heat.reads]).toEqual([5 * period]);
  const file = path.join(scratchFolder('sampled'), 'sampled.pagelens');
  await save(profile, file);
  expect(toReport(await load(file))).toEqual(toReport(profile));
  expect([...(await load(file)).heat.reads]).toEqual([5 * period]);
});
