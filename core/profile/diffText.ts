/** A comparison of two profiles as a document of tables, for a terminal. */
import path from 'node:path';
import type { Finding, Verdict } from './budget.js';
import { type Counts, changeOf, type DiffedObject, type DiffedRow, type ProfileDiff } from './diff.js';
import { bytes, count, percent } from './format.js';
import { units } from './metrics.js';
import type { Document, Section, Table } from './sections.js';

const shownRows = 15;

/** @param directory files are shown relative to it */
export function describeDiff(diff: ProfileDiff, verdict: Verdict | null, directory: string): Document {
  const rows = (title: string, what: string, changed: readonly DiffedRow[], nameOf: (row: DiffedRow) => string) =>
    rowsSection(title, what, changed, nameOf, diff.now.accesses);
  const place = ({ file, line }: DiffedRow) => `${path.relative(directory, file)}:${line}`;
  const sections = [
    ...(verdict ? [budgetSection(verdict)] : []),
    totalsSection(diff),
    rows('Functions', 'functions', diff.functions, row => `${row.name}  ${place(row)}`),
    objectsSection(diff.objects),
    ...(diff.lines.length > 0 || diff.unfollowed.length === 0
      ? [rows('Lines', 'lines', diff.lines, row => `${place(row)}  ${row.name}`)]
      : []),
    ...carefulSection(diff),
  ];
  return {
    title: [path.basename(diff.now.program), ...diff.now.arguments].join(' '),
    subtitle: 'what changed, whole runs',
    sections,
  };
}

function totalsSection({ totals }: ProfileDiff): Section {
  return {
    title: 'Totals',
    note: 'Of the whole run; the change in per cent of the run before.',
    table: {
      columns: [left('Figure'), right('Before'), right('Now'), right('Change'), { title: '', align: 'fill' }],
      rows: totals.map(({ label, unit, before, now }) => [
        label,
        before === null ? '–' : units[unit](before),
        now === null ? '–' : units[unit](now),
        before === null || now === null ? '–' : relative(before, now),
        '',
      ]),
    },
  };
}

function rowsSection(
  title: string,
  what: string,
  changed: readonly DiffedRow[],
  nameOf: (row: DiffedRow) => string,
  accesses: number,
): Section {
  if (changed.length === 0) return { title, remarks: [`No ${what} did more or less than before.`] };
  return {
    title,
    note: `The ${what} that changed, greatest change first. Accesses of the whole run; share: of the ${count(accesses)} accesses now.`,
    table: {
      columns: [right('Before'), right('Now'), right('Change'), right('Share'), { title: 'Name', align: 'fill' }],
      rows: changed
        .slice(0, shownRows)
        .map(row => [
          side(row.before),
          side(row.now),
          changeText(row),
          percent(accesses > 0 && row.now ? (row.now.reads + row.now.writes) / accesses : 0),
          nameOf(row),
        ]),
    },
    remarks: more(changed.length),
  };
}

function objectsSection(changed: readonly DiffedObject[]): Section {
  const title = 'Allocations';
  if (changed.length === 0) return { title, remarks: ['No allocation was used more or less, or grew or shrank.'] };
  return {
    title,
    note: 'The allocations that changed, greatest change first. Accesses of the whole run; peak: most bytes alive at once.',
    table: {
      columns: [
        right('Before'),
        right('Now'),
        right('Change'),
        right('Peak before'),
        right('Peak now'),
        { title: 'Name', align: 'fill' },
      ],
      rows: changed
        .slice(0, shownRows)
        .map(row => [
          side(row.before),
          side(row.now),
          changeText(row),
          row.before ? bytes(row.bytesBefore) : '–',
          row.now ? bytes(row.bytesNow) : '–',
          row.name,
        ]),
    },
    remarks: more(changed.length),
  };
}

function budgetSection({ findings, idle }: Verdict): Section {
  const broken = findings.filter(finding => finding.broken);
  const kept = findings.length - broken.length;
  const limits = (n: number) => `${n} ${n === 1 ? 'limit' : 'limits'}`;
  return {
    title: 'Budget',
    note: broken.length === 0 ? `Kept: ${limits(kept)}.` : `Broken: ${limits(broken.length)} of ${findings.length}.`,
    ...(broken.length > 0 ? { table: brokenTable(broken) } : {}),
    remarks: idle.map(sentence => `${sentence}; nothing was checked.`),
  };
}

/** One line a broken limit, for a log. */
export function brokenLines({ findings }: Verdict): string[] {
  return findings
    .filter(({ broken }) => broken)
    .map(
      ({ label, unit, now, rule, name }) =>
        `budget broken: ${label} (${name || wholeRun}): ${units[unit](now)}, ${rule}`,
    );
}

const wholeRun = 'the whole run';

function brokenTable(broken: readonly Finding[]): Table {
  return {
    columns: [left('Figure'), right('Now'), left('Allowed'), { title: 'Of', align: 'fill' }],
    rows: broken.map(({ label, unit, now, rule, name }) => [label, units[unit](now), rule, name || wholeRun]),
  };
}

function carefulSection({ cautions, unfollowed }: ProfileDiff): Section[] {
  const names = unfollowed.map(file => path.basename(file));
  const some = names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
  const lines = `Lines are not compared in ${some}: edited between the builds, whose texts are not at hand.`;
  const remarks = [...cautions, ...(names.length > 0 ? [lines] : [])];
  return remarks.length > 0 ? [{ title: 'What to be careful about', remarks }] : [];
}

/** `+12.0 %`, `new`, `gone`. */
function changeText(row: DiffedRow): string {
  if (!row.before) return 'new';
  if (!row.now) return 'gone';
  const before = row.before.reads + row.before.writes;
  return relative(before, before + changeOf(row));
}

function relative(before: number, now: number): string {
  if (before === now) return 'same';
  if (before === 0) return 'from none';
  const text = percent((now - before) / before);
  return now > before ? `+${text}` : text;
}

function side(counts: Counts | null): string {
  return counts ? count(counts.reads + counts.writes) : '–';
}

function more(rows: number): string[] {
  return rows > shownRows ? [`${rows - shownRows} more changed; --json lists them all.`] : [];
}

const left = (title: string) => ({ title, align: 'left' }) as const;
const right = (title: string) => ({ title, align: 'right' }) as const;
