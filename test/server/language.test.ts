/** Marks in the source in a language that is none: what still has plain letters was not translated, unless it is data. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { messageOf } from '../../core/errors.js';
import { shown, speak } from '../../core/model/l10n.js';
import type { Profile } from '../../core/model/profile.js';
import { load } from '../../core/profile/file.js';
import { type ReportFormat, renderReport, reportFormats } from '../../core/profile/formats.js';
import type { RecordOptions } from '../../core/record/record.js';
import { prepareTarget } from '../../core/record/target.js';
import { endOfLineText, lensText, lensTooltip } from '../../core/server/annotations.js';
import { hoverText, lineHover, regionHover } from '../../core/server/hover.js';
import { regionsOf } from '../../core/server/regions.js';
import { State } from '../../core/server/state.js';
import { TraceFile } from '../../core/trace/reader.js';
import { collect } from '../../l10n/collect.mjs';
import { environmentFor, scratchFolder } from '../helpers/records.js';
import { profile } from './fixture.js';
import { seenAs } from './tracker.js';

/** Full-width letters, which no profile has; places for parts stay. */
const foreign = (text: string) =>
  text.replaceAll(/[A-Za-z]/g, letter => String.fromCharCode(letter.charCodeAt(0) + 0xfee0));

let foreignBundle: Record<string, string> = {};
beforeAll(async () => {
  const bundle = Object.fromEntries(Object.keys(await collect()).map(text => [text, foreign(text)]));
  foreignBundle = bundle;
  speak('de', bundle);
});
afterAll(() => speak('en', {}));

/** Names of the program, its tiers and policies, a tracker's label, units. */
const data =
  /\b(sum|fill|main|prog\.c|prog|table|log_count|stack of thread 1|HBM|DRAM|CXL|static-optimal|PML|KiB|ms|k)\b|&nbsp;/g;

const plain = (text: string) => text.replaceAll(data, ' ').match(/[A-Za-z]{2,}.*/g) ?? [];

function texts(whole: Profile, change: Parameters<State['select']>[0] = {}): string[] {
  const state = new State();
  state.show(whole, '/x.pagelens');
  state.select(change);
  const index = state.sourceIndex!;
  const made = { index, policy: 'static-optimal', baseline: null };
  const regions = regionsOf(index, index.rowsOf(0), 'static-optimal');
  return [
    ...regions.flatMap(region => [lensText(region, made), lensTooltip(region, index)]),
    ...regions.map(region => hoverText(made, [regionHover(region, made)], null, [])),
    hoverText(made, [lineHover(made, 0)], null, []),
    endOfLineText(1, 2000, 0.5, index.seen),
  ];
}

describe('nothing that was not translated', () => {
  const whole = profile('/prog.c');
  const times = {
    epochsPerBin: 2,
    start: Uint32Array.of(0, 1, 2),
    site: Uint32Array.of(2, 0),
    accesses: Float64Array.of(250, 600),
    trafficReads: Float64Array.of(0, 40),
    trafficWrites: Float64Array.of(30, 0),
  };
  const cases: readonly [string, Profile, Parameters<State['select']>[0]][] = [
    ['in the whole run', whole, {}],
    ['in a window', { ...whole, siteTimes: times }, { window: [0, 2] }],
    ['as a tracker sees it', { ...whole, trackers: [seenAs('pml', null, [9, 3, 2, 0, 0, 0, 0])] }, { tracker: 'pml' }],
    ['of a run that was cut', { ...whole, program: { ...whole.program, complete: false, cut: 'disk-full' } }, {}],
  ];
  test.each(cases)('%s', (_, shown, change) => {
    const all = texts(shown, change);
    expect(all.flatMap(plain)).toEqual([]);
    // Not for want of texts.
    expect(all.join('')).toMatch(/[\uff21-\uff5a]/);
  });

  test('in what is refused', () => {
    const state = new State();
    state.show(whole, '/x.pagelens');
    const refused = (change: Parameters<State['select']>[0]) => {
      try {
        state.select(change);
      } catch (error) {
        return (error as Error).message;
      }
      return 'not refused';
    };
    const messages = [
      refused({ window: [3, 99] }),
      refused({ focus: { kind: 'page', page: 99 } }),
      refused({ phase: '9' }),
    ];
    expect(messages.flatMap(plain)).toEqual([]);
  });
});

describe('the reasons of errors', () => {
  const folder = scratchFolder('language');
  const file = (name: string, content = '') => {
    const made = path.join(folder, name);
    writeFileSync(made, content);
    return made;
  };
  const target = (program: string, environment: NodeJS.ProcessEnv = environmentFor('gcc')) =>
    prepareTarget(
      { program, arguments: [], env: {}, traceFile: path.join(folder, 'x.pltrace') } as unknown as RecordOptions,
      folder,
      folder,
      environment,
    );
  // What is data: the file, tools and packages, options and formats.
  const cases: readonly [string, () => Promise<unknown>, string][] = [
    ['no profile', () => load(path.join(folder, 'missing.pagelens')), ''],
    ['an empty profile', () => load(file('empty.pagelens')), ''],
    ['a report for a profile', () => load(file('report.pagelens', '{"schema": "pagelens-report/1"}')), ''],
    ['no trace', () => TraceFile.open(path.join(folder, 'missing.pltrace')), ''],
    ['a folder for a trace', () => TraceFile.open(folder), ''],
    ['no program', () => target('missing'), 'missing'],
    ['a folder for a program', () => target(folder), ''],
    ['a program that is text', () => target(file('notes', 'nothing to run')), 'notes .cc .cpp .cxx .rs'],
    ['a source file without main', () => target(file('part.c', 'int part;')), ''],
    [
      'a source file that lacks another',
      () => target(file('user.c', 'int other(); int main() { return other(); }')),
      'other --cflags',
    ],
    [
      'no compiler',
      () => target(file('plain.c', 'int main;'), { PATH: folder, HOME: folder }),
      'gcc clang cc CC PATH C',
    ],
  ];
  test.each(cases)('%s', async (_, work, names) => {
    const message = await work().then(
      () => 'not refused',
      error => messageOf(error),
    );
    expect(message).toMatch(/^[\x20-\x7e]+$/);
    const paths = shown(message)
      .replaceAll(folder, '')
      .replaceAll(/[\w-]+\.(pagelens|pltrace|c)\b/g, '');
    const told = names.split(' ').reduce((text, name) => text.replaceAll(name, ''), paths);
    expect(plain(told)).toEqual([]);
  });
});

test.each(Object.keys(reportFormats) as ReportFormat[])('a report is the same bytes in every language: %s', format => {
  const whole = profile('/prog.c');
  const sampling = { event: 'loads', samples: 10, period: 100, least: 100, most: 100, factor: 100, unit: 'accesses' };
  const sampled = { ...whole, program: { ...whole.program, sampling } };
  const abroad = renderReport(sampled, format);
  speak('en', {});
  const english = renderReport(sampled, format);
  speak('de', foreignBundle);
  expect(abroad).toEqual(english);
});
