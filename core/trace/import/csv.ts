/**
 * Any table of accesses: a line an access, cells apart by comma, tab, semicolon, bar or blanks; quoted as in RFC 4180. A
 * first line without numbers names the columns. `--columns` says which is what, by name or by number from 1:
 *
 *   address=addr      first byte, or `page=lbn`: number of a page, or of what stands for one
 *   unit=512          bytes that one of `address` is; 1 unless told
 *   base=16           of addresses and program counters without 0x; 10 unless told
 *   size=len          bytes; without it an access is of its first byte alone
 *   op=rw             read or write; without it all are reads. r, read, load, ld, l, 0 are reads; w, write, store, st, s,
 *                     1 are writes; `write=2a/2b` names other words for writes, then all others are reads
 *   pc=ip             program counter
 *   thread=tid        number of the thread
 *
 * Without `--columns` the usual names are looked for, of which an address must be there.
 */
import { TraceError } from '../error.js';
import type { ImportFormat } from './format.js';
import { eachLine, firstLines } from './lines.js';
import { type ImportSink, READ, WRITE } from './sink.js';
import { Strange } from './strange.js';

/** Columns by what they hold, and the names by which they are found. */
const COLUMNS = {
  address: ['address', 'addr', 'vaddr', 'virtual_address', 'data_address'],
  page: [],
  size: ['size', 'len', 'length', 'bytes'],
  op: ['op', 'rw', 'type', 'kind', 'access'],
  pc: ['pc', 'ip', 'rip', 'instruction'],
  thread: ['thread', 'tid'],
} as const satisfies Record<string, readonly string[]>;

const SETTINGS = ['unit', 'base', 'write'] as const;

type Column = keyof typeof COLUMNS;

const DELIMITERS = [',', '\t', ';', '|'];
const READS = new Set(['r', 'read', 'load', 'ld', 'l', '0']);
const WRITES = new Set(['w', 'write', 'store', 'st', 's', '1']);
const PAGE_BYTES = 4096n;

export const csv: ImportFormat = {
  label: 'Table (CSV)',
  summary: 'a line an access, columns by their names or by --columns address=2,size=len,op=rw,pc=ip,thread=tid',

  recognise(start, whole) {
    const [first = '', second = ''] = firstLines(start, whole);
    const header = cellsOf(first, delimiterOf(first)).map(cell => cell.toLowerCase());
    const at = header.findIndex(name => (COLUMNS.address as readonly string[]).includes(name));
    return header.length > 1 && at >= 0 && /^(0x)?[0-9a-f]+$/i.test(cellsOf(second, delimiterOf(first))[at] ?? '');
  },

  async read(input, sink, { columns }) {
    const reader = new TableReader(sink, input.name, columns);
    const decoder = (text: Uint8Array, from: number, to: number) =>
      reader.line(Buffer.from(text.buffer, text.byteOffset + from, to - from).toString('utf8'));
    const rest = await eachLine(input, decoder, () => sink.room());
    // The last line of a table needs no end.
    if (rest.length > 0 && !input.cut) decoder(rest, 0, rest.length);
    if (input.cut) sink.incomplete('the file ends in the middle of a line: only what precedes it is counted');
    reader.warn();
  },
};

class TableReader {
  #lines = 0;
  #delimiter = ',';
  #at: Partial<Record<Column, number>> = {};
  readonly #wanted: ReadonlyMap<string, string>;
  readonly #unit: bigint;
  readonly #hexadecimal: boolean;
  readonly #writes: ReadonlySet<string> | null;
  readonly #strange = new Strange('cells that are no numbers, or an unknown word for what was done');

  constructor(
    private readonly sink: ImportSink,
    private readonly name: string,
    columns: string | undefined,
  ) {
    this.#wanted = wantedColumns(columns);
    this.#unit = this.#wanted.has('page') ? PAGE_BYTES : BigInt(positive('unit', this.#wanted.get('unit') ?? '1'));
    const base = this.#wanted.get('base') ?? '10';
    if (base !== '10' && base !== '16') throw new TraceError(`--columns base=${base}: must be 10 or 16`);
    this.#hexadecimal = base === '16';
    const writes = this.#wanted.get('write');
    this.#writes = writes === undefined ? null : new Set(writes.toLowerCase().split('/'));
  }

  line(text: string): void {
    this.#lines++;
    if (this.#lines === 1) {
      this.#delimiter = delimiterOf(text);
      const cells = cellsOf(text, this.#delimiter);
      const isHeader = cells.every(cell => !/^(0x)?[0-9a-f]+$/i.test(cell) || !/\d/.test(cell));
      this.#place(isHeader ? cells.map(cell => cell.toLowerCase()) : [], cells.length);
      if (isHeader) return;
    }
    if (text.trim() === '' || text.startsWith('#')) return;
    if (this.#access(cellsOf(text, this.#delimiter))) this.#strange.record();
    else this.#strange.line();
  }

  /** Finds the columns. */
  #place(names: readonly string[], count: number): void {
    for (const column of Object.keys(COLUMNS) as Column[]) {
      const wanted = this.#wanted.get(column);
      const found =
        wanted === undefined
          ? this.#wanted.size === 0 || column !== 'address'
            ? names.findIndex(name => (COLUMNS[column] as readonly string[]).includes(name))
            : -1
          : /^\d+$/.test(wanted) && !names.includes(wanted)
            ? Number(wanted) - 1
            : names.indexOf(wanted.toLowerCase());
      if (wanted !== undefined && (found < 0 || found >= count))
        throw new TraceError(
          `--columns ${column}=${wanted}: ${this.name} has no such column; it has ${names.length > 0 ? names.join(', ') : `${count} without names`}`,
        );
      if (found >= 0) this.#at[column] = found;
    }
    if (this.#at.address === undefined && this.#at.page === undefined)
      throw new TraceError(
        `${this.name} does not name a column of addresses: say which it is, such as --columns address=2`,
      );
  }

  #access(cells: readonly string[]): boolean {
    const at = this.#at;
    const place = this.#number(cells[(at.address ?? at.page)!]);
    const size = at.size === undefined ? 1 : decimal(cells[at.size]);
    const pc = at.pc === undefined ? 0n : this.#number(cells[at.pc]);
    const thread = at.thread === undefined ? 0 : decimal(cells[at.thread]);
    const kind = at.op === undefined ? READ : this.#kind(cells[at.op]);
    if (place === null || pc === null || kind === null || size < 1 || thread < 0) return false;
    const address = BigInt.asUintN(64, place * this.#unit);
    if (at.thread !== undefined) this.sink.thread(thread);
    this.sink.access(
      Number(pc & 0xffffffffn),
      Number(pc >> 32n),
      Number(address & 0xffffffffn),
      Number(address >> 32n),
      kind,
      size,
    );
    return true;
  }

  #kind(word: string | undefined): number | null {
    const lower = word?.toLowerCase() ?? '';
    if (this.#writes) return this.#writes.has(lower) ? WRITE : READ;
    return READS.has(lower) ? READ : WRITES.has(lower) ? WRITE : null;
  }

  #number(cell: string | undefined): bigint | null {
    if (cell === undefined) return null;
    if (/^0x[0-9a-f]{1,16}$/i.test(cell)) return BigInt(cell);
    if (this.#hexadecimal) return /^[0-9a-f]{1,16}$/i.test(cell) ? BigInt(`0x${cell}`) : null;
    return /^\d{1,20}$/.test(cell) ? BigInt.asUintN(64, BigInt(cell)) : null;
  }

  warn(): void {
    this.#strange.warn(this.sink);
    if (this.#at.size === undefined)
      this.sink.warnings.push(
        'The table has no sizes: each access counts on its first byte, and touches no other page.',
      );
    if (this.#at.op === undefined) this.sink.warnings.push('The table does not tell reads from writes: all are reads.');
  }
}

/** @throws TraceError for a name that is none */
function wantedColumns(text: string | undefined): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  const known: readonly string[] = [...Object.keys(COLUMNS), ...SETTINGS];
  for (const part of text?.split(',') ?? []) {
    const [name = '', value = ''] = part.split('=').map(side => side.trim());
    if (!known.includes(name) || value === '')
      throw new TraceError(`--columns ${part}: must be NAME=COLUMN; known names: ${known.join(', ')}`);
    wanted.set(name, value);
  }
  return wanted;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TraceError(`--columns ${name}=${text}: must be a whole number above 0`);
}

/** -1 for what is no number below 2^53. */
function decimal(cell: string | undefined): number {
  const value = cell !== undefined && /^(0x[0-9a-f]+|\d+)$/i.test(cell) ? Number(cell) : -1;
  return Number.isSafeInteger(value) ? value : -1;
}

/** What stands most often in the first line; blanks where nothing else does. */
function delimiterOf(line: string): string {
  const counts = DELIMITERS.map(delimiter => line.split(delimiter).length - 1);
  const most = Math.max(...counts);
  return most > 0 ? DELIMITERS[counts.indexOf(most)]! : ' ';
}

function cellsOf(line: string, delimiter: string): string[] {
  if (delimiter === ' ') return line.trim().split(/\s+/);
  if (!line.includes('"')) return line.split(delimiter).map(cell => cell.trim());
  const cells: string[] = [];
  const quoted = new RegExp(
    `\\s*(?:"((?:[^"]|"")*)"|([^${delimiter === '|' ? '\\|' : delimiter}]*))\\s*(?:${delimiter === '|' ? '\\|' : delimiter}|$)`,
    'y',
  );
  while (quoted.lastIndex < line.length) {
    const match = quoted.exec(line);
    if (!match) break;
    cells.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
  }
  return cells;
}
