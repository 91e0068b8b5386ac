/** The report: valid by its schema, the names of design section 5, and figures counted by hand (attribution/run.ts). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../core/model/profile.js';
import { renderReport } from '../../core/profile/formats.js';
import { reportText, toReport } from '../../core/profile/report.js';
import { inPhases, sample } from './sample.js';

const schema = JSON.parse(readFileSync(path.resolve(__dirname, '../../core/profile/report.schema.json'), 'utf8'));
const validate = new Ajv2020({ strict: true, strictTypes: false, allErrors: true }).compile(schema);

/** What a reader of the file sees. */
const parsed = (profile: Profile, pageRows = false) => JSON.parse(reportText(toReport(profile, { pageRows })));
const report = parsed(sample, true);
const pmlSweep = [{ entries: 64, exits: 3, overheadPercent: 1 / 3 }];

describe('the schema', () => {
  test('accepts the report, with and without page rows', () => {
    validate(report);
    expect(validate.errors).toBeNull();
    validate(parsed(sample));
    expect(validate.errors).toBeNull();
    expect(parsed(sample)).not.toHaveProperty('pageRows');
  });

  test('accepts the report of a run without accesses, ended by a signal', () => {
    const empty = parsed({
      ...sample,
      program: { ...sample.program, exit: { signal: 'SIGSEGV' }, complete: false },
      translation: [],
      trackers: [],
    });
    validate(empty);
    expect(validate.errors).toBeNull();
  });

  test.each([
    ['a name too many', (r: typeof report) => ({ ...r, extra: 1 })],
    ['a missing part', ({ objects: _, ...r }: typeof report) => r],
    ['a fractional count', (r: typeof report) => ({ ...r, accesses: { reads: 0.5, writes: 1 } })],
    [
      'an unknown class',
      (r: typeof report) => ({ ...r, lines: [{ ...r.lines[0], hotness: { class: 'tepid', perPagePerSecond: 1 } }] }),
    ],
    [
      'a share above one',
      (r: typeof report) => ({ ...r, missRatio: { ...r.missRatio, points: [{ pages: 1, missRatio: 1.5 }] } }),
    ],
    ['an unknown kind', (r: typeof report) => ({ ...r, objects: [{ ...r.objects[0], kind: 'pile' }] })],
  ])('refuses %s', (_, spoil) => {
    expect(validate(spoil(report))).toBe(false);
  });

  test('names every part that design section 5 names', () => {
    const parts =
      'schema tool machine epochAccesses program pageSize accesses traffic pages lines functions objects temperature distribution workingSet missRatio translation trackers placement unattributed warnings';
    expect(schema.required).toEqual(expect.arrayContaining(parts.split(' ')));
    expect(Object.keys(report)).toEqual(expect.arrayContaining([...parts.split(' '), 'pageRows']));
  });
});

describe('the report', () => {
  test('states the totals, and the pages sum up to them', () => {
    expect(report.accesses).toEqual({ reads: 845, writes: 155 });
    expect(report.traffic).toEqual({ reads: 16, writes: 4 });
    expect(report.pages).toEqual({ touched: 4, read: 4, written: 3, reads: 845, writes: 155 });
  });

  test('lists phases with what happened in them; their counts add up to the totals', () => {
    const told = parsed(inPhases);
    validate(told);
    expect(validate.errors).toBeNull();
    expect(told.phases).toEqual([
      {
        ...{ epoch: 0, epochs: 2, startNs: 0, endNs: 1e6, reads: 600, writes: 0, share: 0.6 },
        ...{ traffic: { reads: 8, writes: 0 }, function: 'dot', object: 'malloc in parse_scene (scene.c:42)' },
      },
      {
        ...{ epoch: 2, epochs: 2, startNs: 1e6, endNs: 2e6, reads: 245, writes: 155, share: 0.4 },
        ...{ traffic: { reads: 8, writes: 4 }, function: 'main', object: 'palette' },
      },
    ]);
    // A run of one phase is that phase.
    expect(report.phases).toMatchObject([{ epoch: 0, epochs: 1, endNs: 2e6, reads: 845, writes: 155, share: 1 }]);
  });

  test('lists lines with absolute file, function, class, rate and tier', () => {
    expect(report.lines[0]).toEqual({
      file: '/w/vec.h',
      line: 5,
      function: 'dot',
      reads: 750,
      writes: 0,
      pages: 3,
      traffic: { reads: 10, writes: 0 },
      hotness: { class: 'hot', perPagePerSecond: 125000 },
      tier: 'dram',
    });
  });

  test('lists functions that did something; what has no file says null', () => {
    expect(report.functions.map((row: { function: string }) => row.function)).toEqual([
      'dot',
      'main',
      'libnoise.so+0x40',
      'outer',
      '[outside modules]+0xffff',
    ]);
    expect(report.functions[0]).toMatchObject({ file: '/w/vec.h', startLine: 4 });
    expect(report.functions[2]).toMatchObject({ file: null, startLine: null });
  });

  test('lists objects with their stacks, and splits as mixed', () => {
    expect(report.objects[0]).toMatchObject({
      kind: 'heap',
      name: 'malloc in parse_scene (scene.c:42)',
      file: '/w/scene.c',
      line: 42,
      stack: ['xmalloc /w/util.c:7', 'parse_scene /w/scene.c:42'],
      bytes: 5800,
      bytesAtMost: false,
      blocks: 3,
      density: 0.25,
      tier: 'dram',
    });
    expect(report.objects[3]).toMatchObject({ kind: 'unattributed', line: null, tier: 'mixed' });
  });

  test('page rows carry page number, object and class', () => {
    expect(report.pageRows[2]).toEqual({
      process: 0,
      page: 0x404,
      reads: 125,
      writes: 0,
      object: 'palette',
      objectRow: 1,
      // 125 accesses on one page in 2 ms.
      hotness: { class: 'hot', perPagePerSecond: 62500 },
    });
  });

  test('rounds derived figures to six digits and keeps counts exact', () => {
    expect(report.placement.policies[0]).toMatchObject({
      fastTierHitRatio: 0.333333,
      modelledSlowdownRange: [1.5, 1.83333],
    });
    expect(report.translation[0].relayCycles).toBe(1234.57);
    const large = { ...sample, totals: { ...sample.totals, reads: 9_007_199_254_740_991 } };
    expect(parsed(large).accesses.reads).toBe(9_007_199_254_740_991);
  });

  test('a mode’s own figures stand beside the fixed ones, and DSP’s decisions with six digits', () => {
    const decision = {
      process: 0,
      seconds: 5.000000012,
      faultsPerThousand: 1 / 3,
      missesPerThousand: 0,
      ratio: null,
      historicRatio: 2 / 3,
      rule: 4,
      paging: 'nested',
      switched: false,
    } as const;
    const row = { ...sample.translation[0]!, mode: 'dsp', own: { switches: 0, mode: 7 }, decisions: [decision] };
    const made = parsed({ ...sample, translation: [row] });
    expect(made.translation[0]).toMatchObject({
      mode: 'dsp',
      switches: 0,
      decisions: [{ ...decision, seconds: 5, faultsPerThousand: 0.333333, historicRatio: 0.666667 }],
    });
    expect(report.translation[0]).not.toHaveProperty('decisions');
  });

  test('a tracker’s own figures stand beside the fixed ones and never hide them', () => {
    expect(report.trackers[0]).toMatchObject({
      id: 'pml',
      logEntries: 17,
      precision: 1,
      f1: 0.666667,
      rankCorrelation: null,
    });
  });

  test('lists with the pages what trackers told of them, and when', () => {
    expect(parsed(sample).trackers[0]).not.toHaveProperty('readings');
    const { trackers, pageRows } = toReport(sample, { pageRows: true });
    // One epoch; PML tells of writes alone: rows 0, 1 and 3 of the page table.
    const pages = [0, 1, 3].map(row => pageRows![row]!.page);
    expect(trackers[0]!.readings).toEqual(
      [2, 1, 1].map((writes, i) => ({ epoch: 0, epochs: 1, process: 0, page: pages[i], reads: null, writes })),
    );
  });

  test('has no infinities: an unbounded tier says null', () => {
    expect(report.placement.tiers[1].capacityBytes).toBeNull();
  });

  test('is the same, byte for byte, whatever order a profile’s members were made in', () => {
    const turned = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(turned)
        : typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, member]) => [name, turned(member)]),
            )
          : value;
    // Reasons of exits and a mechanism's own figures have the order that their maker gave them.
    const translation = sample.translation.map(row => ({ ...row, pmlSweep }));
    const made = { ...sample, translation };
    const other = turned(made) as Profile;
    expect(Object.keys(other)).not.toEqual(Object.keys(made));
    const kept = {
      ...other,
      trackers: other.trackers.map((tracker, i) => ({ ...tracker, own: made.trackers[i]!.own })),
    };
    expect(reportText(toReport(kept, { pageRows: true }))).toBe(reportText(toReport(made, { pageRows: true })));
  });

  test('has the sweep over log sizes where there was one, and the bound where one is known', () => {
    const swept = parsed({ ...sample, translation: [{ ...sample.translation[0]!, pmlSweep }] });
    validate(swept);
    expect(validate.errors).toBeNull();
    expect(swept.translation[0].pmlSweep).toEqual([{ entries: 64, exits: 3, overheadPercent: 0.333333 }]);
    expect(report.translation[0]).not.toHaveProperty('pmlSweep');
    const bounds = report.placement.policies.map((row: { modelledSlowdownBound: number }) => row.modelledSlowdownBound);
    expect(bounds).toEqual([null, 1.2]);
    expect(report.placement.fastestTier).toBe('cxl');
  });

  test('is the same, byte for byte, for the same profile', () => {
    const again = structuredClone(sample);
    for (const format of ['text', 'json', 'csv', 'html', 'md'] as const)
      expect(renderReport(again, format)).toBe(renderReport(sample, format));
  });
});
