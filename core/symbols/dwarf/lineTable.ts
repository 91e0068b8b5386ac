/** The line number table of one compilation unit: address -> file, line, column. DWARF 2 to 5 (DWARF 5, section 6.2). */
import path from 'node:path';
import type { Cursor } from './cursor.js';

/** Where strings of the table's header may lie. */
export interface LineStrings {
  text(section: 'str' | 'lineStr', offset: number): string;
}

interface Sequence {
  readonly start: number;
  /** One past the last address. */
  readonly end: number;
  readonly firstRow: number;
  readonly lastRow: number;
}

export class LineTable {
  private constructor(
    private readonly sequences: readonly Sequence[],
    private readonly address: Float64Array,
    private readonly fileIndex: Uint32Array,
    private readonly line: Uint32Array,
    private readonly column: Uint32Array,
    private readonly files: readonly string[],
  ) {}

  /** Absolute name of a file by its number in the unit; '' when there is none. */
  file(index: number): string {
    return this.files[index] ?? '';
  }

  /** Row that covers an address, or -1. Of rows with one address the last counts, as in other readers. */
  rowAt(address: number): number {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.sequences[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const sequence = this.sequences[low - 1];
    if (!sequence || address >= sequence.end) return -1;
    let first = sequence.firstRow;
    let last = sequence.lastRow;
    while (first < last) {
      const middle = (first + last) >> 1;
      if (this.address[middle]! <= address) first = middle + 1;
      else last = middle;
    }
    return first - 1;
  }

  place(row: number): { file: string; line: number; column: number } {
    return { file: this.file(this.fileIndex[row]!), line: this.line[row]!, column: this.column[row]! };
  }

  /** Nearest row at or before `row`, not below address `from`, that has a line; -1 when none has. */
  withLine(row: number, from: number): number {
    let at = row;
    while (at >= 0 && this.address[at]! >= from) {
      if (this.line[at]! > 0) return at;
      // Rows before the first of a sequence belong to other code; their addresses are not comparable.
      if (this.sequences.some(sequence => sequence.firstRow === at)) return -1;
      at--;
    }
    return -1;
  }

  /** Runs a line number program. `compDir` resolves relative names. */
  static read(cursor: Cursor, compDir: string, strings: LineStrings): LineTable {
    // 1. The header.
    const { length, offsetSize } = cursor.initialLength();
    const end = Math.min(cursor.at + length, cursor.end);
    const version = cursor.u16();
    if (version < 2 || version > 5) throw new RangeError(`line table of version ${version}`);
    if (version >= 5) cursor.skip(2);
    const headerLength = cursor.offset(offsetSize);
    const program = cursor.at + headerLength;
    const minimumLength = cursor.u8();
    if (version >= 4) cursor.skip(1);
    cursor.skip(1);
    const lineBase = (cursor.u8() << 24) >> 24;
    const lineRange = cursor.u8();
    const opcodeBase = cursor.u8();
    if (lineRange === 0 || program > end) throw new RangeError('damaged line table');
    const operands = [0];
    for (let opcode = 1; opcode < opcodeBase; opcode++) operands.push(cursor.u8());
    const files = version >= 5 ? namesV5(cursor, offsetSize, compDir, strings) : namesV2(cursor, compDir);

    // 2. The program: each opcode adds at most one row.
    cursor.at = program;
    const capacity = end - program;
    const address = new Float64Array(capacity);
    const fileIndex = new Uint32Array(capacity);
    const line = new Uint32Array(capacity);
    const column = new Uint32Array(capacity);
    const sequences: Sequence[] = [];
    let rows = 0;
    let firstRow = 0;
    let pc = 0;
    let file = 1;
    let currentLine = 1;
    let currentColumn = 0;
    const addRow = (): void => {
      address[rows] = pc;
      fileIndex[rows] = file;
      line[rows] = currentLine;
      column[rows] = currentColumn;
      rows++;
    };
    while (cursor.at < end) {
      const opcode = cursor.u8();
      if (opcode >= opcodeBase) {
        const adjusted = opcode - opcodeBase;
        pc += Math.floor(adjusted / lineRange) * minimumLength;
        currentLine += lineBase + (adjusted % lineRange);
        addRow();
        continue;
      }
      switch (opcode) {
        case 0: {
          const size = cursor.uleb();
          const next = cursor.at + size;
          const extended = size > 0 ? cursor.u8() : 0;
          if (extended === 1) {
            // End of sequence. Discarded functions are left by the linker at address 0 or -1: no code of the file.
            if (rows > firstRow && address[firstRow]! > 0 && pc > address[firstRow]!)
              sequences.push({ start: address[firstRow]!, end: pc, firstRow, lastRow: rows });
            else rows = firstRow;
            firstRow = rows;
            pc = 0;
            file = 1;
            currentLine = 1;
            currentColumn = 0;
          } else if (extended === 2) {
            pc = size - 1 === 8 ? cursor.u64() : cursor.u32();
          }
          cursor.at = Math.max(cursor.at, next);
          break;
        }
        case 1:
          addRow();
          break;
        case 2:
          pc += cursor.uleb() * minimumLength;
          break;
        case 3:
          currentLine += cursor.sleb();
          break;
        case 4:
          file = cursor.uleb();
          break;
        case 5:
          currentColumn = cursor.uleb();
          break;
        case 8:
          pc += Math.floor((255 - opcodeBase) / lineRange) * minimumLength;
          break;
        case 9:
          pc += cursor.u16();
          break;
        default:
          // Flags that are not read (statement, block, prologue, isa), and opcodes of the future.
          for (let i = operands[opcode]!; i > 0; i--) cursor.uleb();
      }
    }
    sequences.sort((a, b) => a.start - b.start);
    return new LineTable(
      sequences,
      address.slice(0, rows),
      fileIndex.slice(0, rows),
      line.slice(0, rows),
      column.slice(0, rows),
      files,
    );
  }
}

/** A folder that is relative itself (a mapped prefix, as a distribution's builds have) leaves the name relative. */
function joined(folder: string, name: string): string {
  return path.isAbsolute(name) ? path.normalize(name) : path.join(folder || '/', name);
}

/** File names of versions 2 to 4: numbered from 1; directory 0 is that of the compilation. */
function namesV2(cursor: Cursor, compDir: string): string[] {
  const text = (): string => {
    const start = cursor.stringAt();
    return cursor.bytes.toString('utf8', start, cursor.at - 1);
  };
  const folders = [compDir];
  for (let name = text(); name !== ''; name = text()) folders.push(joined(compDir, name));
  const files = [''];
  for (let name = text(); name !== ''; name = text()) {
    const folder = folders[cursor.uleb()] ?? compDir;
    cursor.uleb();
    cursor.uleb();
    files.push(joined(folder, name));
  }
  return files;
}

const CONTENT_PATH = 1;
const CONTENT_DIRECTORY = 2;

/** File names of version 5: numbered from 0, each a list of described fields. */
function namesV5(cursor: Cursor, offsetSize: 4 | 8, compDir: string, strings: LineStrings): string[] {
  const folders = entries(cursor, offsetSize, strings).map(entry => joined(compDir, entry.name));
  return entries(cursor, offsetSize, strings).map(entry => joined(folders[entry.directory] ?? '/', entry.name));
}

function entries(cursor: Cursor, offsetSize: 4 | 8, strings: LineStrings): { name: string; directory: number }[] {
  const formats: { content: number; form: number }[] = [];
  for (let count = cursor.u8(); count > 0; count--) formats.push({ content: cursor.uleb(), form: cursor.uleb() });
  const result: { name: string; directory: number }[] = [];
  const count = cursor.uleb();
  // Each entry takes at least a byte; an absurd count in a damaged header ends here.
  if (count > cursor.end - cursor.at || (count > 0 && formats.length === 0)) throw new RangeError('damaged line table');
  for (let i = 0; i < count; i++) {
    let name = '';
    let directory = 0;
    for (const { content, form } of formats) {
      const value = field(cursor, form, offsetSize, strings);
      if (content === CONTENT_PATH) name = String(value);
      else if (content === CONTENT_DIRECTORY) directory = Number(value);
    }
    result.push({ name, directory });
  }
  return result;
}

function field(cursor: Cursor, form: number, offsetSize: 4 | 8, strings: LineStrings): string | number {
  switch (form) {
    case 0x08: {
      const start = cursor.stringAt();
      return cursor.bytes.toString('utf8', start, cursor.at - 1);
    }
    case 0x1f:
      return strings.text('lineStr', cursor.offset(offsetSize));
    case 0x0e:
      return strings.text('str', cursor.offset(offsetSize));
    case 0x0b:
      return cursor.u8();
    case 0x05:
      return cursor.u16();
    case 0x06:
      return cursor.u32();
    case 0x07:
      return cursor.u64();
    case 0x0f:
      return cursor.uleb();
    case 0x1e: // data16: the MD5 of the file
      cursor.skip(16);
      return 0;
    case 0x09:
      cursor.skip(cursor.uleb());
      return 0;
    default:
      throw new RangeError(`form 0x${form.toString(16)} in a line table`);
  }
}
