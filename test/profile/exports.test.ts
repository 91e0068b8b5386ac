/**
 * Exports for other tools, read back by tools that are not ours: callgrind_annotate (valgrind), protoc by the published
 * definition of pprof's messages, go's pprof where it is, a Parquet reader.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { load } from '../../core/profile/file.js';
import { renderReport } from '../../core/profile/formats.js';
import { pagelens } from '../helpers/cli.js';
import { scratchFolder } from '../helpers/records.js';
import { sample } from './sample.js';

const folder = scratchFolder('exports');
const file = (name: string) => path.join(folder, name);

/** `walk`, inlined into `twice` twice, reads 10,000 numbers each time; `main` writes them, and a global. */
const source = `#include <stdlib.h>
static volatile long total;
static inline long walk(volatile long *p, int n) {
  long sum = 0;
  for (int i = 0; i < n; i++)
    sum += p[i];
  return sum;
}
__attribute__((noinline)) long twice(volatile long *p, int n) { return walk(p, n) + walk(p, n); }
int main(void) {
  volatile long *block = malloc(8 * 10000);
  for (int i = 0; i < 10000; i++)
    block[i] = i;
  total = twice(block, 10000);
  return 0;
}
`;
let profile: Profile;
const sum = (column: Iterable<number>) => [...column].reduce((a, b) => a + b, 0);

beforeAll(async () => {
  writeFileSync(file('walk.c'), source);
  const { status, stderr } = await pagelens(['profile', '--quiet', '--save', file('walk.pagelens'), file('walk.c')]);
  expect([status, stderr]).toEqual([0, '']);
  profile = await load(file('walk.pagelens'));
});

const installed = (program: string) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

test.each(['callgrind', 'pprof', 'speedscope', 'parquet'] as const)(
  '%s: the same profile gives the same bytes, on the command line too',
  async format => {
    const bytes = Buffer.from(renderReport(profile, format));
    expect(Buffer.from(renderReport(profile, format))).toEqual(bytes);
    const { stdout } = await pagelens(['report', '--format', format, file('walk.pagelens')]);
    // As a text, of which the bytes that are no text are lost.
    expect(stdout).toBe(bytes.toString('utf8'));
  },
);

describe('callgrind', () => {
  test('callgrind_annotate finds totals, functions and lines', () => {
    writeFileSync(file('walk.callgrind'), renderReport(profile, 'callgrind'));
    const text = execFileSync('callgrind_annotate', ['--threshold=100', '--auto=yes', file('walk.callgrind')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(text).toMatch(/20,000 \(100\.0%\)\s+10,001 \(100\.0%\).*PROGRAM TOTALS/);
    expect(text).toMatch(/20,000 \(100\.0%\)\s+0 .*walk\.c:walk/);
    expect(text).toMatch(/\s0\s+10,001 \(100\.0%\).*walk\.c:main/);
    expect(text).toMatch(/20,000 \(100\.0%\)\s+0\s.*sum \+= p\[i\];/);
  });

  test('costs add up to the totals, modules, unknown places and all', () => {
    const lines = renderReport(sample, 'callgrind').split('\n');
    const costs = lines.filter(line => /^\d/.test(line)).map(line => line.split(' ').map(Number));
    const total = [1, 2, 3, 4].map(column => sum(costs.map(row => row[column]!)));
    const { totals } = sample;
    expect(total).toEqual([totals.reads, totals.writes, totals.trafficReads, totals.trafficWrites]);
    expect(lines).toContain(`summary: ${total.join(' ')}`);
  });
});

/** What is needed of google/pprof's proto/profile.proto: names, numbers and types of fields. */
const definition = `syntax = "proto3";
package perftools.profiles;
message Profile { repeated ValueType sample_type = 1; repeated Sample sample = 2; repeated Mapping mapping = 3;
  repeated Location location = 4; repeated Function function = 5; repeated string string_table = 6;
  repeated int64 comment = 13; int64 default_sample_type = 14; }
message ValueType { int64 type = 1; int64 unit = 2; }
message Sample { repeated uint64 location_id = 1; repeated int64 value = 2; repeated Label label = 3; }
message Label { int64 key = 1; int64 str = 2; }
message Mapping { uint64 id = 1; uint64 memory_start = 2; uint64 memory_limit = 3; int64 filename = 5; int64 build_id = 6;
  bool has_functions = 7; bool has_filenames = 8; bool has_line_numbers = 9; bool has_inline_frames = 10; }
message Location { uint64 id = 1; uint64 mapping_id = 2; uint64 address = 3; repeated Line line = 4; }
message Line { uint64 function_id = 1; int64 line = 2; }
message Function { uint64 id = 1; int64 name = 2; int64 system_name = 3; int64 filename = 4; int64 start_line = 5; }
`;

describe('pprof', () => {
  test.runIf(installed('protoc'))('protoc reads it by the published definition; values add up to the totals', () => {
    writeFileSync(file('profile.proto'), definition);
    const decoded = (shown: Profile) =>
      execFileSync('protoc', ['--decode=perftools.profiles.Profile', `-I${folder}`, 'profile.proto'], {
        input: gunzipSync(renderReport(shown, 'pprof')),
        encoding: 'utf8',
      });
    const text = decoded(profile);
    // Nothing that the definition does not know.
    expect(text).not.toMatch(/^\s*\d+: /m);
    expect(text).toContain('string_table: "heap malloc in main (walk.c:11)"');
    for (const shown of [profile, sample]) {
      const values = [...decoded(shown).matchAll(/^sample \{[\s\S]*?^\}/gm)].map(([each]) =>
        [...each.matchAll(/^ {2}value: (\d+)/gm)].map(([, value]) => Number(value)),
      );
      const { totals } = shown;
      expect([0, 1, 2, 3].map(i => sum(values.map(row => row[i]!)))).toEqual([
        totals.reads,
        totals.writes,
        totals.trafficReads,
        totals.trafficWrites,
      ]);
    }
  });

  const go = (() => {
    try {
      execFileSync('go', ['tool', 'pprof', '-h'], { stdio: 'ignore' });
      return true;
    } catch (error) {
      return (error as { status?: number }).status === 2;
    }
  })();

  test.runIf(go)('go tool pprof names functions, callers and lines', () => {
    writeFileSync(file('walk.pprof'), renderReport(profile, 'pprof'));
    const top = execFileSync('go', ['tool', 'pprof', '-top', '-sample_index=reads', file('walk.pprof')], {
      encoding: 'utf8',
    });
    expect(top).toMatch(/20000\s+100%\s+100%\s+20000\s+100%\s+walk \(inline\)/);
    expect(top).toMatch(/0\s+0%\s+100%\s+20000\s+100%\s+twice/);
    const list = execFileSync('go', ['tool', 'pprof', '-list', 'walk', '-sample_index=reads', file('walk.pprof')], {
      encoding: 'utf8',
    });
    expect(list).toMatch(/20000\s+20000\s+6:\s+sum \+= p\[i\];/);
  });
});

describe('speedscope', () => {
  interface SpeedscopeFile {
    readonly $schema: string;
    readonly shared: { readonly frames: readonly { name: string; file?: string; line?: number }[] };
    readonly profiles: readonly {
      readonly type: string;
      readonly name: string;
      readonly unit: string;
      readonly startValue: number;
      readonly endValue: number;
      readonly samples: readonly (readonly number[])[];
      readonly weights: readonly number[];
    }[];
  }

  test.each([
    ['a recorded run', () => profile],
    ['a run with unknown places', () => sample],
  ])('%s: sampled profiles as the format’s schema has them, weights add up', (_, shown) => {
    const { totals } = shown();
    const written = JSON.parse(renderReport(shown(), 'speedscope')) as SpeedscopeFile;
    expect(written.$schema).toBe('https://www.speedscope.app/file-format-schema.json');
    for (const { type, unit, startValue, endValue, samples, weights } of written.profiles) {
      expect([type, unit, startValue]).toEqual(['sampled', 'none', 0]);
      expect(samples.length).toBe(weights.length);
      expect(sum(weights)).toBe(endValue);
      expect(samples.flat().every(frame => written.shared.frames[frame] !== undefined)).toBe(true);
    }
    expect(written.profiles[0]!.endValue).toBe(totals.reads + totals.writes);
  });

  test('stacks begin with the outermost caller and end with what was accessed', () => {
    const { shared, profiles } = JSON.parse(renderReport(profile, 'speedscope')) as SpeedscopeFile;
    const stacks = profiles[0]!.samples.map(stack => stack.map(frame => shared.frames[frame]!.name).join(' > '));
    expect(new Set(stacks)).toEqual(
      new Set([
        'main > [heap] malloc in main (walk.c:11)',
        'main > twice > walk > [heap] malloc in main (walk.c:11)',
        'main > [global] total',
      ]),
    );
  });
});

describe('Parquet', () => {
  test('an independent reader finds each row with its names, numbers and nulls', async () => {
    for (const shown of [profile, sample]) {
      const bytes = renderReport(shown, 'parquet');
      const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
      const rows = await parquetReadObjects({
        file: buffer,
        compressors: { GZIP: (input: Uint8Array) => gunzipSync(input) },
      });
      const { totals, pairs, objects } = shown;
      expect(rows.length).toBe(pairs.count);
      expect(sum(rows.map(row => Number(row.reads)))).toBe(totals.reads);
      expect(sum(rows.map(row => Number(row.writes)))).toBe(totals.writes);
      expect(sum(rows.map(row => Number(row.traffic_reads)))).toBe(totals.trafficReads);
      expect(rows.map(row => row.object)).toEqual(Array.from(pairs.object, row => objects.name[row]));
      expect(rows.filter(row => row.line === null).length).toBe(
        [...pairs.site].filter(site => shown.sites.line[site] === 0xffffffff).length,
      );
      const notes = Object.fromEntries(
        parquetMetadata(buffer).key_value_metadata!.map(({ key, value }) => [key, value]),
      );
      expect(notes['pagelens.table']).toBe('pagelens-pairs/1');
    }
  });

  test('magic numbers at both ends, and the length of the footer between', () => {
    const bytes = Buffer.from(renderReport(sample, 'parquet'));
    expect(bytes.subarray(0, 4).toString()).toBe('PAR1');
    expect(bytes.subarray(-4).toString()).toBe('PAR1');
    const footer = bytes.readUInt32LE(bytes.length - 8);
    expect(footer).toBeLessThan(bytes.length - 12);
    // The footer begins with field 1, an i32: version 1 as zigzag.
    expect([...bytes.subarray(bytes.length - 8 - footer, bytes.length - 6 - footer)]).toEqual([0x15, 2]);
  });
});

describe('reports to send around', () => {
  test('Markdown for a pull request: headings and tables alone', () => {
    const text = renderReport(profile, 'md');
    expect(text).toMatch(/^#+ /m);
    expect(text).toMatch(/^\|.*\|$/m);
    expect(text).not.toMatch(/<script|<style|<iframe/i);
  });
});

describe('numactl', () => {
  // One node is enough to see which policy the kernel was given.
  const env = { ...process.env, TIER_DRAM: '0', TIER_CXL: '0' };
  const script = (run: Profile) => {
    const name = file('place.numactl.sh');
    writeFileSync(name, renderReport(run, 'numactl'));
    return name;
  };
  const run = (args: string[]) => spawnSync('sh', args, { env, encoding: 'utf8' });

  test('gives the kernel each policy of the profile', () => {
    const placed = script(profile);
    const policies: Record<string, string> = {
      'first-touch': 'preferred',
      interleave: 'interleave',
      'all-fast': 'bind',
      'all-slow': 'bind',
    };
    for (const [id, policy] of Object.entries(policies)) {
      const { stdout, stderr } = run([placed, id, 'numactl', '--show']);
      expect([id, /^policy: (\S+)$/m.exec(stdout)?.[1], stderr]).toEqual([id, policy, '']);
    }
  });

  test('passes arguments and the exit status through, and says what policies there are', () => {
    const placed = script(profile);
    const { stdout, status } = run([placed, 'interleave', 'sh', '-c', 'echo "$1"; exit 3', 'sh', 'a  b']);
    expect([stdout, status]).toEqual(['a  b\n', 3]);
    const wrong = run([placed, 'none', 'true']);
    expect(wrong.stderr).toContain('policy none: it has first-touch, interleave, all-fast, all-slow');
    expect(wrong.status).toBe(2);
    expect(run([placed]).stderr).toContain('POLICY PROGRAM [ARGUMENTS]');
  });

  test('says what was modelled, and no name gets out of its comment', () => {
    const text = renderReport({ ...sample, program: { ...sample.program, path: '/x\nrm -rf "$HOME"' } }, 'numactl');
    expect(text).toContain('#   /x?rm -rf "$HOME"');
    expect(text).toContain('#   first-touch  1.50 (1.50 to 1.83)  DDR5 until it is full, then what is next to it');
    expect(text.split('\n').filter(line => line.startsWith('rm'))).toEqual([]);
  });
});
