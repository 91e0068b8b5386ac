/** The report for a terminal: 100 columns at most. */
import { shortFunctionName } from '../model/names.js';
import type { Profile } from '../model/profile.js';
import { type Document, describe, type Section, type Table, type TextOptions } from './sections.js';

const WIDTH = 100;
/** Columns below which a cut name says nothing. */
const SHORTEST_NAME = 8;

export interface TerminalOptions extends TextOptions {
  /** Emphasis by ANSI escape sequences, for a terminal. */
  readonly colour?: boolean;
}

export function toText(profile: Profile, options: TerminalOptions = {}): string {
  return documentText(describe(profile, options), options);
}

export function documentText(document: Document, options: Pick<TerminalOptions, 'colour'> = {}): string {
  const bold = (text: string): string => (options.colour ? `\x1b[1m${text}\x1b[22m` : text);
  const dim = (text: string): string => (options.colour ? `\x1b[2m${text}\x1b[22m` : text);
  const lines: string[] = [];
  const titleWidth = WIDTH - document.subtitle.length - 2;
  const title = cut(printable(document.title), titleWidth);
  lines.push(`${bold(title)}${' '.repeat(titleWidth - width(title) + 2)}${dim(document.subtitle)}`);
  for (const section of document.sections) lines.push('', ...sectionLines(section, bold, dim));
  return `${lines.map(line => line.trimEnd()).join('\n')}\n`;
}

type Style = (text: string) => string;

function sectionLines(section: Section, bold: Style, dim: Style): string[] {
  const lines: string[] = [bold(section.title.toUpperCase())];
  if (section.note) lines.push(...wrap(section.note, WIDTH - 2).map(line => dim(`  ${line}`)));
  const facts = section.facts ?? [];
  const nameWidth = Math.max(0, ...facts.map(([name]) => width(name)));
  for (const [name, value] of facts) {
    const [first, ...more] = wrap(printable(value), WIDTH - nameWidth - 4);
    lines.push(`  ${name.padEnd(nameWidth)}  ${first ?? ''}`);
    for (const line of more) lines.push(`  ${' '.repeat(nameWidth)}  ${line}`);
  }
  if (section.table) {
    if (facts.length > 0) lines.push('');
    lines.push(...tableLines(section.table, dim));
  }
  const remarks = section.remarks ?? [];
  if (section.table && remarks.length > 0) lines.push('');
  for (const remark of remarks) {
    const [first, ...more] = wrap(printable(remark), WIDTH - 4);
    lines.push(`  • ${first ?? ''}`, ...more.map(line => `    ${line}`));
  }
  return lines;
}

function tableLines({ columns, rows }: Table, dim: Style): string[] {
  const cells = rows.map(row => row.map(printable));
  const widths = columns.map((column, i) => Math.max(width(column.title), ...cells.map(row => width(row[i]!))));
  // Columns that say nothing (no tier while nothing is placed) take no room.
  const shown = columns.map((column, i) => column.align === 'fill' || cells.some(row => row[i] !== ''));
  const left = (): number =>
    WIDTH - columns.reduce((sum, { align }, i) => sum + (shown[i] ? (align === 'fill' ? 2 : widths[i]! + 2) : 0), 0);
  const wanted = Math.max(0, ...columns.map(({ align }, i) => (align === 'fill' ? widths[i]! : 0)));
  for (const [i, column] of columns.entries()) if (column.wide && left() < wanted) shown[i] = false;
  const fill = Math.max(12, left());
  const lay = (row: readonly string[]): string =>
    row
      .map((cell, i) => {
        const { align } = columns[i]!;
        if (!shown[i]) return '';
        if (align === 'fill') return `  ${cutName(cell, fill)}`;
        const padding = ' '.repeat(widths[i]! - width(cell));
        return align === 'right' ? `  ${padding}${cell}` : `  ${cell}${padding}`;
      })
      .join('');
  return [dim(lay(columns.map(column => column.title))), ...cells.map(lay)];
}

/** Width in columns; every character that we print takes one. */
function width(text: string): number {
  return [...text].length;
}

function cut(text: string, limit: number): string {
  const letters = [...text];
  return letters.length <= limit ? text : `${letters.slice(0, limit - 1).join('')}…`;
}

/** Where a region is: `dir/file.c:12` beside a function's or global's name, `(file.c:12)` behind an allocation's. */
const PLACE = /\(?[^\s(]+:\d+\)?(?=$| {2})/u;

/** Shortens a region's name. File and line are what one looks up: folders go first, then the end of the name. */
function cutName(text: string, limit: number): string {
  if (width(text) <= limit) return text;
  const match = PLACE.exec(text);
  if (!match) return cut(text, limit);
  const before = text.slice(0, match.index);
  const after = text.slice(match.index + match[0].length);
  const room = limit - width(before) - width(after);
  const folders = match[0].split('/');
  let place = match[0];
  while (width(place) > room && folders.length > 1) {
    folders.shift();
    place = `…/${folders.join('/')}`;
  }
  if (width(place) <= room) return `${before}${place}${after}`;
  const left = limit - width(place);
  if (left < SHORTEST_NAME) return cut(text, limit);
  if (before === '') {
    const name = after.trimStart();
    const gap = after.slice(0, after.length - name.length);
    return `${place}${gap}${shortenName(name, left - gap.length)}`;
  }
  const name = before.trimEnd();
  const gap = before.slice(name.length);
  return `${shortenName(name, left - gap.length)}${gap}${place}`;
}

/** Gives up template arguments first, then namespaces and classes from the outermost, then the end. */
function shortenName(text: string, limit: number): string {
  const { verb = '', name = '' } = /^(?<verb>\S+ in )?(?<name>.*)$/su.exec(text)!.groups!;
  const room = limit - width(verb);
  let short = /::|</.test(name) ? shortFunctionName(name, true) : name;
  let dropped = '';
  // What stands in brackets, or is an operator's name, has no qualifiers.
  for (let at = short.search(QUALIFIER); width(dropped + short) > room && at > 0; at = short.search(QUALIFIER)) {
    short = short.slice(at + 2);
    dropped = '…';
  }
  return `${verb}${cut(dropped + short, room)}`;
}

/** The end of a leading namespace or class. */
const QUALIFIER = /(?<=^\w+)::/u;
/** Names come from the program: control characters must not reach the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function wrap(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && width(line) + 1 + width(word) > limit) {
      lines.push(line);
      line = '';
    }
    // A word longer than the line, such as a path: broken, never lost.
    let rest = word;
    while (width(rest) > limit) {
      const letters = [...rest];
      lines.push(letters.slice(0, limit).join(''));
      rest = letters.slice(limit).join('');
    }
    line = line === '' ? rest : `${line} ${rest}`;
  }
  lines.push(line);
  return lines;
}
