/**
 * What the readable exports say, once for all of them: a title, facts, and tables of formatted cells. `text`, `md` and
 * `html` only lay it out. Every table names its denominator and window.
 */
import path from 'node:path';
import { NONE } from '../model/columns.js';
import { cutText } from '../model/cut.js';
import { tierOfFunction, tierOfLine, tierOfObject } from '../model/lineTiers.js';
import { shortFunctionName } from '../model/names.js';
import { CLASS_NAMES, COLD, HOT, type Profile, type TranslationRow, WARM } from '../model/profile.js';
import { type Sampling, shareIntervalText } from '../model/sampling.js';
import type { RunWindow } from '../model/window.js';
import { bytes, count, duration, factor, grouped, percent, score, shareOf, wholePercent } from './format.js';
import { phaseRows } from './phaseRows.js';

export interface Column {
  readonly title: string;
  /** `right` for numbers; `fill` takes what width is left, and is cut when that is not enough. */
  readonly align: 'left' | 'right' | 'fill';
  /** Left out, first to last, where the width does not do for the whole of what fills. */
  readonly wide?: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export interface Section {
  readonly title: string;
  /** Denominator, window, how to read it. */
  readonly note?: string;
  readonly facts?: readonly (readonly [name: string, value: string])[];
  readonly table?: Table;
  /** Sentences below the table. */
  readonly remarks?: readonly string[];
}

export interface Document {
  readonly title: string;
  readonly subtitle: string;
  readonly sections: readonly Section[];
}

export interface TextOptions {
  /** Rows of each table; 15 unless told. */
  readonly rows?: number;
  /** Files are shown relative to this folder; the program's working directory unless told. */
  readonly directory?: string;
}

export function describe(profile: Profile, options: TextOptions = {}): Document {
  const context = {
    profile,
    rows: options.rows ?? 15,
    directory: options.directory ?? profile.program.workingDirectory,
  };
  const sections = [
    runSection(context),
    totalsSection(context),
    ...(profile.totals.reads + profile.totals.writes > 0 ? accessSections(context) : []),
    unseenSection(context),
    warningsSection(context),
  ];
  const { program } = profile;
  return {
    title: program.path
      ? [relative(context.directory, program.path), ...program.arguments].join(' ')
      : `Unknown program, imported from ${program.imported}`,
    subtitle: `Pagelens ${profile.tool.version}`,
    sections: sections.filter(section => section !== null),
  };
}

/** What says something only of a run that did something. */
function accessSections(context: Context): (Section | null)[] {
  return [
    linesSection(context),
    functionsSection(context),
    objectsSection(context),
    regionsSection(context),
    phasesSection(context),
    workingSetSection(context),
    missRatioSection(context),
    translationSection(context),
    exitsSection(context),
    pmlSweepSection(context),
    trackersSection(context),
    placementSection(context),
  ];
}

interface Context {
  readonly profile: Profile;
  readonly rows: number;
  readonly directory: string;
}

function runSection({ profile }: Context): Section {
  const { program, options, totals, epochs } = profile;
  const level =
    program.level === 'source'
      ? 'source level: what the compiler’s instrumentation reports'
      : 'machine level: every load and store executed';
  const built = [program.compiler || 'unknown compiler', program.flags].filter(Boolean).join(', ');
  const { imported, sampling } = program;
  const facts: [string, string][] = imported
    ? [['Imported', `from ${imported}; machine level: the accesses that the file holds`]]
    : [
        ['Recorded at', level],
        ['Built with', built],
      ];
  if (sampling) facts.push(['Sampled', sampledText(sampling)]);
  if (program.window) facts.push(['Recorded', windowsText(program.window, totals)]);
  facts.push(['Ended', exitText(program)]);
  if (program.processes > 1 || program.threads > 1)
    facts.push(['Ran', `${plural(program.processes, 'process', 'processes')}, ${plural(program.threads, 'thread')}`]);
  const scale = options.timeScale === 1 ? '' : `, time scale ${options.timeScale}`;
  facts.push([
    'Window',
    `${program.window ? 'what was recorded' : 'the whole run'}: ${duration(totals.modelledNs)} modelled${scale}, ${plural(epochs.count, 'epoch')} of ${grouped(epochs.accesses)} accesses`,
  ]);
  facts.push(['Machine', `${options.machine} (modelled), ${bytes(options.pageSize)} pages`]);
  return { title: 'Run', facts };
}

function windowsText(window: RunWindow, { reads, writes }: Profile['totals']): string {
  const { startAt, stopAt, startAfter, stopAfter, windows, outside } = window;
  const how = [
    startAt !== undefined && (startAt === stopAt ? `while ${startAt} runs` : `from entering ${startAt}`),
    stopAt !== undefined && startAt !== stopAt && `to entering ${stopAt}`,
    startAfter !== undefined && `from ${startAfter} s`,
    stopAfter !== undefined && `to ${stopAfter} s`,
  ].filter(Boolean);
  const all = reads + writes + outside;
  const part = `${grouped(reads + writes)} of ${grouped(all)} accesses (${shareOf(reads + writes, all)})`;
  return `${[plural(windows, 'window'), ...how].join(' ')}: ${part}`;
}

function sampledText({ event, samples, period, unit }: Sampling): string {
  return `counts are ${count(samples)} samples of ${event} times ${grouped(period)} ${unit}; intervals of 95 %`;
}

function exitText({ exit, complete, cut }: Profile['program']): string {
  const how =
    exit === null ? 'unknown' : 'signal' in exit ? `by signal ${exit.signal}` : `with exit status ${exit.status}`;
  return complete ? how : `${how}; ${cut ? cutText(cut) : 'the recording is incomplete'}`;
}

function totalsSection({ profile }: Context): Section {
  const { totals, pages, options, distribution } = profile;
  const accesses = totals.reads + totals.writes;
  if (accesses === 0) {
    return {
      title: 'Totals',
      remarks: ['No access was recorded: the program made none, or only such as are listed below as not counted.'],
    };
  }
  const traffic = totals.trafficReads + totals.trafficWrites;
  const classes = [HOT, WARM, COLD].map(id =>
    pages.hotness.reduce((sum, hotness) => sum + (hotness === id ? 1 : 0), 0),
  );
  const facts: [string, string][] = [
    [
      'Accesses',
      `${count(accesses)}: ${count(totals.reads)} reads (${shareOf(totals.reads, accesses)}), ${count(totals.writes)} writes (${shareOf(totals.writes, accesses)})`,
    ],
    [
      'Traffic',
      `${count(traffic)} cache lines (${bytes(traffic * 64)}): ${count(totals.trafficReads)} filled, ${count(totals.trafficWrites)} written back; modelled`,
    ],
    [
      'Pages',
      `${count(totals.pagesTouched)} touched (${bytes(totals.pagesTouched * options.pageSize)}): ${count(totals.pagesRead)} read, ${count(totals.pagesWritten)} written`,
    ],
    [
      'Hotness',
      `${count(classes[0]!)} hot pages receive ${percent(options.hotShare)} of the accesses, ${count(classes[1]!)} are warm, ${count(classes[2]!)} cold`,
    ],
    ['Density', `${percent(distribution.density)} of the 64-byte lines of the touched pages were used`],
  ];
  const { unattributed } = profile;
  const lost = unattributed.reads + unattributed.writes;
  if (lost > 0)
    facts.push(['No line', `${count(lost)} accesses (${shareOf(lost, accesses)}): ${unattributed.why.join('; ')}`]);
  return { title: 'Totals', facts };
}

const SHARE_COLUMN: Column = { title: 'share', align: 'right' };
const ACCESSES_COLUMN: Column = { title: 'accesses', align: 'right' };
const READ_COLUMN: Column = { title: 'read', align: 'right' };

/** Share and count; of a sampled run the share's interval between. */
function regionColumns({ program }: Profile, accesses: Column = ACCESSES_COLUMN): Column[] {
  const interval: Column[] = program.sampling ? [{ title: '95 %', align: 'right' }] : [];
  return [SHARE_COLUMN, ...interval, accesses, READ_COLUMN];
}

const CLASS_COLUMNS = [
  { title: 'class', align: 'left' },
  { title: 'tier', align: 'left' },
] as const;

function linesSection({ profile, rows, directory }: Context): Section | null {
  const { lines, functions } = profile;
  if (lines.count === 0) return null;
  return {
    title: 'Hot lines',
    note: shareNote(profile, lines.count, rows),
    table: {
      columns: [
        ...regionColumns(profile),
        { title: 'pages', align: 'right' },
        { title: 'traffic', align: 'right' },
        ...CLASS_COLUMNS,
        { title: 'line', align: 'fill' },
      ],
      rows: first(lines.count, rows).map(row => [
        ...regionCells(profile, lines.reads[row]!, lines.writes[row]!),
        count(lines.pages[row]!),
        count(lines.trafficReads[row]! + lines.trafficWrites[row]!),
        CLASS_NAMES[lines.hotness[row]!]!,
        tierOfLine(profile, row),
        `${relative(directory, profile.files[lines.file[row]!]!.path)}:${lines.line[row]!}  ${shortFunctionName(functions.name[lines.function[row]!]!)}`,
      ]),
    },
  };
}

function functionsSection({ profile, rows, directory }: Context): Section | null {
  const { functions } = profile;
  const active = first(functions.count, functions.count).filter(
    row => functions.reads[row]! + functions.writes[row]! > 0,
  );
  if (active.length === 0) return null;
  return {
    title: 'Functions',
    note: `${shareNote(profile, active.length, rows)}; a function’s own lines, wherever they were inlined`,
    table: {
      columns: [
        ...regionColumns(profile),
        { title: 'pages', align: 'right' },
        { title: 'traffic', align: 'right' },
        ...CLASS_COLUMNS,
        { title: 'function', align: 'fill' },
      ],
      rows: active
        .slice(0, rows)
        .map(row => [
          ...regionCells(profile, functions.reads[row]!, functions.writes[row]!),
          count(functions.pages[row]!),
          count(functions.trafficReads[row]! + functions.trafficWrites[row]!),
          CLASS_NAMES[functions.hotness[row]!]!,
          tierOfFunction(profile, row),
          `${shortFunctionName(functions.name[row]!)}${placeText(profile, directory, functions.file[row]!, functions.startLine[row]!)}`,
        ]),
    },
  };
}

function objectsSection({ profile, rows, directory }: Context): Section {
  const { objects } = profile;
  // An allocation that nothing touches is news; an empty remainder is not.
  const shown = first(objects.count, objects.count).filter(
    row => objects.kind[row] !== 'unattributed' || objects.reads[row]! + objects.writes[row]! + objects.pages[row]! > 0,
  );
  return {
    title: 'Objects',
    note: `${shareNote(profile, shown.length, rows)}; size is the peak alive at once`,
    table: {
      columns: [
        ...regionColumns(profile, { ...ACCESSES_COLUMN, wide: true }),
        { title: 'size', align: 'right' },
        { title: 'pages', align: 'right' },
        { title: 'dense', align: 'right', wide: true },
        { title: 'traffic', align: 'right' },
        ...CLASS_COLUMNS,
        { title: 'object', align: 'fill' },
      ],
      rows: shown.slice(0, rows).map(row => {
        const kind = objects.kind[row]!;
        // An allocation's name says where it is.
        const place = kind === 'global' ? placeText(profile, directory, objects.file[row]!, objects.line[row]!) : '';
        return [
          ...regionCells(profile, objects.reads[row]!, objects.writes[row]!),
          sizeText(profile, row),
          count(objects.pages[row]!),
          wholePercent(objects.density[row]!, 1),
          count(objects.trafficReads[row]! + objects.trafficWrites[row]!),
          CLASS_NAMES[objects.hotness[row]!]!,
          tierOfObject(profile, row),
          `${objects.name[row]!}${place}`,
        ];
      }),
    },
  };
}

function sizeText({ objects }: Profile, row: number): string {
  if (objects.bytes[row] === 0) return '–';
  return `${objects.bytesAtMost?.[row] === 1 ? 'at most ' : ''}${bytes(objects.bytes[row]!)}`;
}

function regionsSection({ profile, rows }: Context): Section | null {
  const { regions } = profile;
  if (!regions) return null;
  return {
    title: 'Regions and phases',
    note: `as the program calls them; ${shareNote(profile, regions.count, rows)}; they overlap, and a row holds what is inside it`,
    table: {
      columns: [
        ...regionColumns(profile),
        { title: 'pages', align: 'right' },
        { title: 'traffic', align: 'right' },
        { title: 'times', align: 'right' },
        { title: 'kind', align: 'left' },
        { title: 'name', align: 'fill' },
      ],
      rows: first(regions.count, rows).map(row => [
        ...regionCells(profile, regions.reads[row]!, regions.writes[row]!),
        count(regions.pages[row]!),
        count(regions.trafficReads[row]! + regions.trafficWrites[row]!),
        count(regions.times[row]!),
        regions.kind[row]!,
        regions.name[row]!,
      ]),
    },
  };
}

function phasesSection({ profile, rows }: Context): Section | null {
  const phases = phaseRows(profile);
  if (phases.length < 2) return null;
  return {
    title: 'Phases',
    note: `stretches of epochs in which the same code uses the same data; ${shareNote(profile, phases.length, rows)}`,
    table: {
      columns: [
        ...regionColumns(profile),
        { title: 'traffic', align: 'right' },
        { title: 'epochs', align: 'right' },
        { title: 'modelled time', align: 'right' },
        { title: 'mostly', align: 'fill' },
      ],
      rows: phases
        .slice(0, rows)
        .map(({ epoch, epochs, startNs, endNs, reads, writes, traffic, function: code, object }) => [
          ...regionCells(profile, reads, writes),
          count(traffic.reads + traffic.writes),
          epochs === 1 ? `${epoch}` : `${epoch}–${epoch + epochs - 1}`,
          duration(endNs - startNs),
          [code && shortFunctionName(code), object].filter(Boolean).join(', '),
        ]),
    },
  };
}

function workingSetSection({ profile }: Context): Section | null {
  const { epochs, distribution, options } = profile;
  if (epochs.count === 0) return null;
  const total = epochs.pages.reduce((sum, pages) => sum + pages, 0);
  const peak = epochs.pages.reduce((most, pages) => Math.max(most, pages), 0);
  const withSize = (pages: number): string => `${count(pages)} pages (${bytes(pages * options.pageSize)})`;
  return {
    title: 'Working set',
    note: `distinct pages touched in an epoch of ${grouped(epochs.accesses)} accesses`,
    facts: [
      ['Mean', withSize(total / epochs.count)],
      ['Peak', withSize(peak)],
      ['Change', `${percent(distribution.workingSetAlteration)} of the pages of two neighbouring epochs, on average`],
      ['Over time', sparkline(epochs.pages, 72)],
    ],
  };
}

const BLOCKS = '▁▂▃▄▅▆▇█';

/** Columns of at most `width`; each the maximum of the values that it stands for. */
function sparkline(values: Float64Array, width: number): string {
  const columns = Math.min(width, values.length);
  const peaks = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns);
    const to = Math.floor(((i + 1) * values.length) / columns);
    return values.subarray(from, to).reduce((most, value) => Math.max(most, value), 0);
  });
  const top = Math.max(...peaks, 1);
  return peaks.map(peak => BLOCKS[Math.min(BLOCKS.length - 1, Math.floor((peak / top) * BLOCKS.length))]).join('');
}

function missRatioSection({ profile }: Context): Section | null {
  const { missRatio, options, totals } = profile;
  if (missRatio.pages.length === 0) return null;
  const sizes: number[] = [];
  for (let size = 16; size < totals.pagesTouched; size *= 4) sizes.push(size);
  sizes.push(totals.pagesTouched);
  return {
    title: 'Miss ratio',
    note: 'share of accesses that miss a fully associative LRU memory of that size (exact stack distances)',
    table: {
      columns: [
        { title: 'pages', align: 'right' },
        { title: 'size', align: 'right' },
        { title: 'misses', align: 'right' },
      ],
      rows: sizes.map(size => [count(size), bytes(size * options.pageSize), percent(missRatioAt(profile, size))]),
    },
  };
}

/** The curve falls in steps: what holds at a size is the last point at or below it; below the first, everything misses. */
function missRatioAt({ missRatio }: Profile, size: number): number {
  let ratio = 1;
  for (const [i, pages] of missRatio.pages.entries()) {
    if (pages > size) break;
    ratio = missRatio.missRatio[i]!;
  }
  return ratio;
}

function translationSection({ profile }: Context): Section | null {
  const { translation, totals } = profile;
  if (translation.length === 0) return null;
  const accesses = totals.reads + totals.writes;
  return {
    title: 'Address translation',
    note: 'modelled; overhead in per cent of the native run time',
    table: {
      columns: [
        { title: 'mode', align: 'left' },
        { title: 'TLB misses', align: 'right' },
        { title: 'per 1,000', align: 'right' },
        { title: 'walk refs', align: 'right' },
        { title: 'VM exits', align: 'right' },
        { title: 'overhead', align: 'right' },
        { title: 'what it does', align: 'fill' },
      ],
      rows: translation.map(row => [
        row.mode,
        count(row.tlbMisses),
        accesses > 0 ? ((row.tlbMisses / accesses) * 1000).toFixed(2) : '–',
        count(row.walkReferences),
        count(Object.values(row.vmExits).reduce((sum, exits) => sum + exits, 0)),
        `${row.overheadPercent.toFixed(1)} %`,
        modeRemark(row),
      ]),
    },
    remarks: guestRemarks(translation[0]!),
  };
}

/** What a mode did of its own, in a few words. */
function modeRemark({ own }: TranslationRow): string {
  const of = (name: string) => count(own[name] ?? 0);
  if (own.decisionsTaken !== undefined) return `${of('decisionsTaken')} decisions, ${of('switches')} switches`;
  if (own.tablesTurnedNested !== undefined)
    return `turned: ${of('tablesTurnedNested')} nested, ${of('tablesTurnedShadow')} back`;
  if (own.segmentTranslations !== undefined) return `${of('segmentTranslations')} by segment`;
  if (own.escapedWalks !== undefined) return `${of('escapedWalks')} walks past the filter`;
  if (own.validatedEntries !== undefined) return `${of('validatedEntries')} entries validated`;
  return '';
}

/** What the guest's kernel does in every mode. */
function guestRemarks({ own }: TranslationRow): string[] {
  if (own.guestPageFaults === undefined) return [];
  const { guestPageFaults, unmappedPages = 0, tlbShootdowns = 0, contextSwitches = 0 } = own;
  return [
    `in every mode: ${count(guestPageFaults)} guest page faults, ${count(unmappedPages)} pages unmapped, ` +
      `${count(tlbShootdowns)} shootdowns of other vCPUs, ${count(contextSwitches)} context switches`,
  ];
}

function exitsSection({ profile }: Context): Section | null {
  const rows = profile.translation.flatMap(({ mode, vmExits }) =>
    Object.entries(vmExits)
      .filter(([, exits]) => exits > 0)
      .map(([reason, exits], i) => [i === 0 ? mode : '', reason, count(exits)]),
  );
  if (rows.length === 0) return null;
  return {
    title: 'VM exits',
    note: 'modelled; of the whole run',
    table: {
      columns: [
        { title: 'mode', align: 'left' },
        { title: 'reason', align: 'left' },
        { title: 'exits', align: 'right' },
      ],
      rows,
    },
  };
}

function pmlSweepSection({ profile }: Context): Section | null {
  const sweep = profile.translation.find(row => row.pmlSweep)?.pmlSweep;
  if (!sweep?.some(({ exits }) => exits > 0)) return null;
  return {
    title: 'Page Modification Log by size',
    note: 'modelled, mode nested: each page is logged when first written; overhead of the native run time',
    table: {
      columns: [
        { title: 'entries', align: 'right' },
        { title: 'log-full exits', align: 'right' },
        { title: 'overhead', align: 'right' },
        { title: '', align: 'fill' },
      ],
      rows: sweep.map(({ entries, exits, overheadPercent }) => [
        grouped(entries),
        count(exits),
        `${overheadPercent.toFixed(2)} %`,
        entries === profile.options.pmlEntries ? 'as replayed' : '',
      ]),
    },
  };
}

/** In `PolicyResult.tierOfObject`: in several tiers. */
const SPLIT = 255;

/** Fewer periods than this say nothing about a mechanism (design, section 2, "modelled time"). */
const ENOUGH_PERIODS = 10;

function trackersSection({ profile }: Context): Section | null {
  const { trackers } = profile;
  if (trackers.length === 0) return null;
  return {
    title: 'Trackers',
    note: 'the 10 % most accessed pages against as many of its own; rank: correlation with all counts; WS: its pages against the touched ones, relative; exits, overhead of the native run time and memory are modelled, what it costs',
    table: {
      columns: [
        { title: 'tracker', align: 'left' },
        { title: 'prec.', align: 'right' },
        { title: 'recall', align: 'right' },
        { title: 'F1', align: 'right' },
        { title: 'rank', align: 'right' },
        { title: 'WS error', align: 'right' },
        { title: 'overhead', align: 'right' },
        { title: 'exits', align: 'right' },
        { title: 'memory', align: 'right' },
        { title: 'periods', align: 'right' },
      ],
      rows: trackers.map(tracker => [
        tracker.id,
        score(tracker.precision),
        score(tracker.recall),
        score(tracker.f1),
        score(tracker.rankCorrelation),
        tracker.workingSetError === null ? '–' : percent(tracker.workingSetError),
        `${tracker.overheadPercent.toFixed(1)} %`,
        count(tracker.vmExits),
        tracker.memoryBytes === undefined ? '–' : bytes(tracker.memoryBytes),
        tracker.periods === null ? '–' : count(tracker.periods),
      ]),
    },
    remarks: trackerRemarks(trackers),
  };
}

/** Warnings, each once: many trackers have the same period. */
function trackerRemarks(trackers: Profile['trackers']): string[] {
  const ids = new Map<string, string[]>();
  for (const { id, periods, warnings } of trackers) {
    const untold =
      periods !== null && periods < ENOUGH_PERIODS && !warnings.some(warning => warning.startsWith('too short'))
        ? [`too short: ${plural(periods, 'period')} completed; raise --time-scale`]
        : [];
    for (const warning of [...untold, ...warnings]) ids.set(warning, [...(ids.get(warning) ?? []), id]);
  }
  return Array.from(ids, ([warning, of]) => `${of.join(', ')}: ${warning}`);
}

function placementSection({ profile }: Context): Section | null {
  const { placement } = profile;
  if (placement.tiers.length === 0) return null;
  const rows = [...placement.policies, placement.oracle].filter(
    (policy, i, all) => all.findIndex(other => other.id === policy.id) === i,
  );
  return {
    title: 'Placement',
    note: 'modelled run time over that with everything in the fastest tier; range over the stated assumptions',
    facts: placement.tiers.map(tier => [
      tier.id,
      `${tier.name}: ${bytes(tier.capacityBytes)}, ${tier.readLatencyNs} ns read, ${tier.writeLatencyNs} ns write`,
    ]),
    table: {
      columns: [
        { title: 'policy', align: 'left' },
        { title: 'slowdown', align: 'right' },
        { title: 'range', align: 'right' },
        { title: `traffic in ${placement.tiers[placement.fastestTier ?? 0]!.id}`, align: 'right' },
        { title: 'migrated', align: 'right' },
        { title: '', align: 'fill' },
      ],
      rows: rows.map(policy => [
        policy.id,
        factor(policy.modelledSlowdown),
        `${factor(policy.modelledSlowdownRange[0])} – ${factor(policy.modelledSlowdownRange[1])}`,
        percent(policy.fastTierHitRatio),
        count(policy.migratedPages),
        policy.id === placement.recommended ? 'recommended' : policy.id === placement.oracle.id ? 'bound' : '',
      ]),
    },
    remarks: [...worthOfCapacity(placement), ...tooLarge(profile), ...placement.assumptions],
  };
}

/** What more or less of the fastest tier would change. */
function worthOfCapacity({ capacityCurve: curve, tiers }: Profile['placement']): string[] {
  if (!curve) return [];
  const { id, capacityBytes } = tiers[curve.tier]!;
  const step = bytes(curve.stepBytes);
  const fewer = curve.stepBytes <= capacityBytes ? `, ${step} less: ${factor(curve.atLess)}` : '';
  const more = `With objects cut anywhere, ${bytes(capacityBytes)} of ${id} give ${factor(curve.at)}; ${step} more: ${factor(curve.atMore)}${fewer}.`;
  if (curve.knee === null) return [more];
  const knee = bytes(curve.capacityBytes[curve.knee]!);
  return [`${more} From ${knee} on (${factor(curve.modelledSlowdown[curve.knee]!)}) more is worth clearly less.`];
}

/** Why the recommendation splits objects: what does not fit whole cannot be placed by where it is allocated. */
function tooLarge({ placement, objects }: Profile): string[] {
  const recommended = placement.policies.find(({ id }) => id === placement.recommended);
  const fastest = placement.tiers[placement.fastestTier ?? 0]!;
  const split = first(objects.count, objects.count).filter(
    row =>
      recommended?.tierOfObject[row] === SPLIT &&
      objects.kind[row] !== 'unattributed' &&
      objects.touchedBytes[row]! > fastest.capacityBytes,
  );
  const names = new Set(split.map(row => `${objects.name[row]!} (${bytes(objects.touchedBytes[row]!)})`));
  if (names.size === 0) return [];
  const some = [...names].slice(0, 3).join(', ');
  const more = names.size > 3 ? ` and ${names.size - 3} more` : '';
  return [`Larger than ${fastest.id}, so that no policy can place them there whole (tier mixed): ${some}${more}.`];
}

/** How the recorder's warnings of what it cannot see begin: every run has them, so they are one list. */
const NOT_COUNTED = 'not counted: ';

function unseenSection({ profile }: Context): Section | null {
  const remarks = profile.warnings
    .filter(warning => warning.startsWith(NOT_COUNTED))
    .map(warning => warning.slice(NOT_COUNTED.length));
  if (remarks.length === 0) return null;
  return { title: 'Not counted', note: 'what the compiler does not report; it is in no figure above', remarks };
}

function warningsSection({ profile }: Context): Section | null {
  // A tracker's warnings stand below the trackers.
  const told = new Set(profile.trackers.flatMap(({ id, warnings }) => warnings.map(text => `tracker ${id}: ${text}`)));
  const remarks = profile.warnings.filter(warning => !told.has(warning) && !warning.startsWith(NOT_COUNTED));
  return remarks.length > 0 ? { title: 'Warnings', remarks } : null;
}

function regionCells({ totals, program: { sampling } }: Profile, reads: number, writes: number): string[] {
  const accesses = reads + writes;
  const all = totals.reads + totals.writes;
  return [
    shareOf(accesses, all),
    ...(sampling ? [shareIntervalText(accesses, all, sampling, percent)] : []),
    count(accesses),
    wholePercent(reads, accesses),
  ];
}

function shareNote({ totals }: Profile, total: number, rows: number): string {
  const shown = total > rows ? `the first ${rows} of ${grouped(total)}; ` : '';
  return `${shown}share of ${count(totals.reads + totals.writes)} accesses`;
}

function placeText(profile: Profile, directory: string, file: number, line: number): string {
  if (file === NONE) return '';
  return `  ${relative(directory, profile.files[file]!.path)}${line > 0 ? `:${line}` : ''}`;
}

/** Relative to the folder where it lies below it or near it; else its last two names, which tell files apart. */
function relative(directory: string, file: string): string {
  if (!path.isAbsolute(file) || directory === '') return file;
  const near = path.relative(directory, file);
  if (near !== '' && near.length < file.length && !near.startsWith('../../')) return near;
  const names = file.split('/');
  return names.length > 3 ? `…/${names.slice(-2).join('/')}` : file;
}

function first(total: number, rows: number): number[] {
  return Array.from({ length: Math.min(total, rows) }, (_, row) => row);
}

function plural(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}
