/**
 * What Pagelens itself reads from DWARF 2 to 5: the inline chain of an address with lines, columns and start lines, and
 * where a variable at an address is declared. Units are parsed when first asked for.
 *
 * It completes addr2line, which tells neither columns nor start lines nor declarations, and stands in where no tool is
 * installed. Split DWARF (.dwo) and the shared files of dwz are not followed. A damaged unit knows nothing.
 */
import { stat } from 'node:fs/promises';
import type { SymbolFrame } from '../../trace/blocks.js';
import { cString, ElfFile } from '../elf.js';
import { WasmFile } from '../wasm/file.js';
import { Cursor } from './cursor.js';
import {
  ABSTRACT_ORIGIN,
  type Abbreviation,
  ADDR_BASE,
  Attributes,
  BYTE_SIZE,
  CALL_COLUMN,
  CALL_FILE,
  CALL_LINE,
  COMP_DIR,
  COUNT,
  DECL_FILE,
  DECL_LINE,
  FORM_ADDR,
  FORM_ADDRX,
  FORM_LINE_STRP,
  FORM_RNGLISTX,
  FORM_STRING,
  FORM_STRP,
  FORM_STRX,
  HIGH_PC,
  LINKAGE_NAME,
  LOCATION,
  LOW_PC,
  NAME,
  RANGES,
  RNGLISTS_BASE,
  readAbbreviations,
  SPECIFICATION,
  STMT_LIST,
  STR_OFFSETS_BASE,
  TAG_ARRAY,
  TAG_INLINED_SUBROUTINE,
  TAG_POINTER,
  TAG_SUBPROGRAM,
  TAG_SUBRANGE,
  TAG_VARIABLE,
  TYPE,
  UPPER_BOUND,
} from './die.js';
import { LineTable } from './lineTable.js';

/** Larger debug information is left to the tools: our reader keeps it in memory. Bytes. */
const INFO_LIMIT = 256 << 20;

/** References from an instance to its origin and on to its declaration are short; damaged files may hold circles. */
const ORIGIN_DEPTH = 8;
/** As are types: typedefs, qualifiers, arrays of arrays. */
const TYPE_DEPTH = 32;

/** Addresses [from, to), flat: from, to, from, to. */
type Ranges = readonly number[];

interface Unit {
  readonly version: number;
  readonly addressSize: number;
  readonly offsetSize: 4 | 8;
  readonly start: number;
  readonly end: number;
  /** First entry. */
  readonly root: number;
  readonly abbreviations: Map<number, Abbreviation>;
  compDir: string;
  lineOffset: number;
  low: number;
  strOffsetsBase: number;
  addrBase: number;
  rnglistsBase: number;
  ranges: Ranges;
  scopes: Scopes | null;
  lines: LineTable | null | undefined;
}

/** Functions and inlined calls of a unit in the order of their entries: what lies inside follows, `end` says how far. */
interface Scope {
  readonly entry: number;
  readonly ranges: Ranges;
  readonly inlined: boolean;
  readonly callFile: number;
  readonly callLine: number;
  readonly callColumn: number;
  end: number;
}

interface Scopes {
  readonly all: readonly Scope[];
  /** Numbers of the functions that are not inlined, by address: from, to, scope, ascending. */
  readonly functions: readonly (readonly [number, number, number])[];
  /** Entry of the variable at an address. */
  readonly variables: ReadonlyMap<number, number>;
}

const NO_SCOPES: Scopes = { all: [], functions: [], variables: new Map() };

type Sections = Record<
  'info' | 'abbrev' | 'str' | 'line' | 'lineStr' | 'ranges' | 'rnglists' | 'addr' | 'strOffsets',
  Buffer
>;

/** The file read last: its chains, its line-0 fixes and its variables are asked for one after the other. */
let latest: { key: string; info: Promise<DebugInfo | null> } | null = null;

export class DebugInfo {
  private readonly units: readonly Unit[];
  private readonly attributes = new Attributes();
  private readonly names = new Map<number, { name: string; startLine: number }>();
  /** Code of the units by address: from, to, unit, ascending. */
  private readonly code: readonly (readonly [number, number, Unit])[];

  private constructor(private readonly sections: Sections) {
    this.units = this.readUnits();
    const code: [number, number, Unit][] = [];
    for (const unit of this.units)
      for (let r = 0; r < unit.ranges.length; r += 2) code.push([unit.ranges[r]!, unit.ranges[r + 1]!, unit]);
    this.code = code.sort((a, b) => a[0] - b[0]);
  }

  /** Debug information of a file; null when it has none that this reader knows. Never throws. */
  static async read(file: string): Promise<DebugInfo | null> {
    try {
      const { size, mtimeMs, ino } = await stat(file);
      const key = `${file}\0${size}\0${mtimeMs}\0${ino}`;
      if (latest?.key !== key) latest = { key, info: DebugInfo.load(file) };
      return await latest.info;
    } catch {
      return null;
    }
  }

  private static async load(file: string): Promise<DebugInfo | null> {
    const object = (await ElfFile.open(file)) ?? (await WasmFile.open(file));
    if (!object) return null;
    try {
      if (object.sizeOf('.debug_info') > INFO_LIMIT) return null;
      const none = Buffer.alloc(0);
      const content = async (name: string): Promise<Buffer> => (await object.content(name)) ?? none;
      const sections = {
        info: await content('.debug_info'),
        abbrev: await content('.debug_abbrev'),
        str: await content('.debug_str'),
        line: await content('.debug_line'),
        lineStr: await content('.debug_line_str'),
        ranges: await content('.debug_ranges'),
        rnglists: await content('.debug_rnglists'),
        addr: await content('.debug_addr'),
        strOffsets: await content('.debug_str_offsets'),
      };
      if (sections.info.length === 0 || sections.info.length > INFO_LIMIT) return null;
      return new DebugInfo(sections);
    } catch {
      return null;
    } finally {
      await object.close();
    }
  }

  /** The inline chain at a virtual address, innermost first; empty when no function is known there. Names mangled. */
  chain(address: number): SymbolFrame[] {
    const unit = this.unitAt(address);
    if (!unit) return [];
    const scopes = this.scopesOf(unit);
    const innermostLast = scopesAt(scopes, address);
    if (innermostLast.length === 0) return [];
    const lines = this.linesOf(unit);
    const row = lines?.rowAt(address) ?? -1;
    let place = row >= 0 ? lines!.place(row) : { file: '', line: 0, column: 0 };
    const frames: SymbolFrame[] = [];
    for (const scope of innermostLast.reverse()) {
      const { name, startLine } = this.functionOf(scope.entry);
      frames.push({ function: name, ...place, startLine });
      place = { file: lines?.file(scope.callFile) ?? '', line: scope.callLine, column: scope.callColumn };
    }
    return frames;
  }

  /**
   * The last line before an address whose own line is 0, within the innermost function or inlined call that holds it;
   * null when that has none.
   */
  nearestLine(address: number): { file: string; line: number; column: number } | null {
    const unit = this.unitAt(address);
    const lines = unit && this.linesOf(unit);
    if (!unit || !lines) return null;
    const innermost = scopesAt(this.scopesOf(unit), address).at(-1);
    const range = innermost && rangeAt(innermost.ranges, address);
    if (range === undefined || range < 0) return null;
    const row = lines.withLine(lines.rowAt(address), innermost!.ranges[range]!);
    return row < 0 ? null : lines.place(row);
  }

  /** Where the variable that starts at a virtual address is declared (its definition, if that is told apart). */
  variableAt(address: number): { file: string; line: number } | null {
    for (const unit of this.units) {
      const entry = this.scopesOf(unit).variables.get(address);
      if (entry === undefined) continue;
      for (const { unit: home, attributes } of this.origins(entry)) {
        if (!attributes.has(DECL_LINE)) continue;
        const line = attributes.number(DECL_LINE);
        // A definition in the file of its declaration may leave the file out.
        const file = attributes.has(DECL_FILE) ? attributes.number(DECL_FILE) : this.declaredFile(entry);
        return { file: this.linesOf(home)?.file(file) ?? '', line };
      }
    }
    return null;
  }

  /** Variables at fixed addresses, with the sizes of their types in bytes (0: not known). Names mangled. */
  *variables(): Generator<{ address: number; name: string; size: number }> {
    for (const unit of this.units)
      for (const [address, entry] of this.scopesOf(unit).variables)
        yield { address, name: this.functionOf(entry).name, size: this.sizeOf(entry) };
  }

  /** Size of what an entry says its type is. */
  private sizeOf(entry: number): number {
    let next = -1;
    for (const { attributes } of this.origins(entry)) {
      next = attributes.has(TYPE) ? attributes.number(TYPE) : -1;
      if (next >= 0) break;
    }
    let elements = 1;
    for (let depth = 0; depth < TYPE_DEPTH && next >= 0; depth++) {
      const unit = this.unitOfEntry(next);
      if (!unit) return 0;
      try {
        const cursor = new Cursor(this.sections.info, next, unit.end);
        const abbreviation = this.readEntry(unit, cursor);
        const { attributes } = this;
        if (!abbreviation) return 0;
        if (attributes.has(BYTE_SIZE)) return elements * attributes.number(BYTE_SIZE);
        if (abbreviation.tag === TAG_POINTER) return elements * unit.addressSize;
        next = attributes.has(TYPE) ? attributes.number(TYPE) : -1;
        if (abbreviation.tag === TAG_ARRAY) elements *= this.elementsOf(unit, cursor);
      } catch (error) {
        if (error instanceof RangeError) return 0;
        throw error;
      }
    }
    return 0;
  }

  /** Of an array, by its dimensions, which are its children; 0 when it has none or they are not known. */
  private elementsOf(unit: Unit, cursor: Cursor): number {
    const { attributes } = this;
    let elements = -1;
    for (;;) {
      const child = this.readEntry(unit, cursor);
      if (!child) return Math.max(elements, 0);
      if (child.tag !== TAG_SUBRANGE) continue;
      const bound = attributes.has(COUNT) ? COUNT : UPPER_BOUND;
      // Bounds that are computed are those of no variable with a fixed address.
      if (!attributes.has(bound) || attributes.length[bound]! > 0) return 0;
      elements = Math.abs(elements) * (attributes.number(bound) + (bound === UPPER_BOUND ? 1 : 0));
    }
  }

  private declaredFile(entry: number): number {
    for (const { attributes } of this.origins(entry))
      if (attributes.has(DECL_FILE)) return attributes.number(DECL_FILE);
    return 0;
  }

  // -- Units

  private readUnits(): Unit[] {
    const { info, abbrev } = this.sections;
    const units: Unit[] = [];
    const abbreviations = new Map<number, Map<number, Abbreviation>>();
    let at = 0;
    try {
      while (at < info.length) {
        const cursor = new Cursor(info, at);
        const { length, offsetSize } = cursor.initialLength();
        const end = cursor.at + length;
        if (length === 0 || end > info.length) break;
        const start = at;
        at = end;
        const version = cursor.u16();
        if (version < 2 || version > 5) continue;
        let kind = 1;
        let addressSize = 8;
        let abbrevOffset: number;
        if (version >= 5) {
          kind = cursor.u8();
          addressSize = cursor.u8();
          abbrevOffset = cursor.offset(offsetSize);
          // Skeletons have an id; type units hold neither code nor variables.
          if (kind === 4 || kind === 5) cursor.skip(8);
          if (kind === 2 || kind === 6) continue;
        } else {
          abbrevOffset = cursor.offset(offsetSize);
          addressSize = cursor.u8();
        }
        let table = abbreviations.get(abbrevOffset);
        if (!table) {
          table = readAbbreviations(new Cursor(abbrev, abbrevOffset));
          abbreviations.set(abbrevOffset, table);
        }
        const unit: Unit = {
          version,
          addressSize,
          offsetSize,
          start,
          end,
          root: cursor.at,
          abbreviations: table,
          compDir: '',
          lineOffset: -1,
          low: 0,
          strOffsetsBase: 0,
          addrBase: 0,
          rnglistsBase: 0,
          ranges: [],
          scopes: null,
          lines: undefined,
        };
        this.readRoot(unit);
        units.push(unit);
      }
    } catch (error) {
      // What was read before the damage stays of use.
      if (!(error instanceof RangeError)) throw error;
    }
    return units;
  }

  private readRoot(unit: Unit): void {
    const { attributes } = this;
    if (!this.readEntry(unit, new Cursor(this.sections.info, unit.root, unit.end))) return;
    // The bases first: the other attributes may need them.
    unit.strOffsetsBase = attributes.number(STR_OFFSETS_BASE);
    unit.addrBase = attributes.number(ADDR_BASE);
    unit.rnglistsBase = attributes.number(RNGLISTS_BASE);
    unit.compDir = this.string(unit, COMP_DIR);
    unit.lineOffset = attributes.has(STMT_LIST) ? attributes.number(STMT_LIST) : -1;
    unit.low = attributes.has(LOW_PC) ? this.address(unit, LOW_PC) : 0;
    unit.ranges = this.ranges(unit);
  }

  private unitAt(address: number): Unit | null {
    const holder = lastFrom(this.code, address);
    return holder && address < holder[1] ? holder[2] : null;
  }

  private linesOf(unit: Unit): LineTable | null {
    if (unit.lines !== undefined) return unit.lines;
    unit.lines = null;
    if (unit.lineOffset >= 0) {
      try {
        const cursor = new Cursor(this.sections.line, unit.lineOffset);
        unit.lines = LineTable.read(cursor, unit.compDir, {
          text: (section, offset) => cString(this.sections[section], offset),
        });
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    }
    return unit.lines;
  }

  // -- Entries

  /** Reads the entry at the cursor into `attributes`; null at the end of a list of children. */
  private readEntry(unit: Unit, cursor: Cursor): Abbreviation | null {
    const code = cursor.uleb();
    if (code === 0) return null;
    const abbreviation = unit.abbreviations.get(code);
    if (!abbreviation) throw new RangeError('an unknown abbreviation');
    this.attributes.read(cursor, abbreviation, unit);
    return abbreviation;
  }

  /** Walks all entries of a unit once. */
  private scopesOf(unit: Unit): Scopes {
    if (unit.scopes) return unit.scopes;
    const all: Scope[] = [];
    const variables = new Map<number, number>();
    const { attributes } = this;
    // Scope that each open entry is, or -1.
    const open: number[] = [];
    try {
      const cursor = new Cursor(this.sections.info, unit.root, unit.end);
      do {
        const entry = cursor.at;
        const abbreviation = this.readEntry(unit, cursor);
        if (!abbreviation) {
          const closed = open.pop();
          if (closed !== undefined && closed >= 0) all[closed]!.end = all.length;
          continue;
        }
        let scope = -1;
        const { tag } = abbreviation;
        if (tag === TAG_SUBPROGRAM || tag === TAG_INLINED_SUBROUTINE) {
          const ranges = this.ranges(unit);
          if (ranges.length > 0) {
            scope = all.length;
            all.push({
              entry,
              ranges,
              inlined: tag === TAG_INLINED_SUBROUTINE,
              callFile: attributes.number(CALL_FILE),
              callLine: attributes.number(CALL_LINE),
              callColumn: attributes.number(CALL_COLUMN),
              end: all.length + 1,
            });
          }
        } else if (tag === TAG_VARIABLE && attributes.has(LOCATION)) {
          const address = this.staticAddress(unit);
          if (address > 0 && !variables.has(address)) variables.set(address, entry);
        }
        if (abbreviation.children) open.push(scope);
      } while (open.length > 0 && cursor.at < unit.end);
      for (const scope of open) if (scope >= 0) all[scope]!.end = all.length;
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      for (const scope of open) if (scope >= 0) all[scope]!.end = all.length;
    }
    const functions: [number, number, number][] = [];
    for (const [i, scope] of all.entries()) {
      if (scope.inlined) continue;
      for (let r = 0; r < scope.ranges.length; r += 2) functions.push([scope.ranges[r]!, scope.ranges[r + 1]!, i]);
    }
    functions.sort((a, b) => a[0] - b[0]);
    unit.scopes = all.length > 0 || variables.size > 0 ? { all, functions, variables } : NO_SCOPES;
    return unit.scopes;
  }

  /** Name and start line of a function's entry, by way of its origin and declaration. */
  private functionOf(entry: number): { name: string; startLine: number } {
    const known = this.names.get(entry);
    if (known) return known;
    let name = '';
    let linkageName = '';
    let startLine = 0;
    for (const { unit, attributes } of this.origins(entry)) {
      linkageName ||= this.string(unit, LINKAGE_NAME);
      name ||= this.string(unit, NAME);
      startLine ||= attributes.number(DECL_LINE);
    }
    const found = { name: linkageName || name, startLine };
    this.names.set(entry, found);
    return found;
  }

  /** An entry, then what it refers to as its abstract origin or specification, and so on. */
  private *origins(entry: number): Generator<{ unit: Unit; attributes: Attributes }> {
    const { attributes } = this;
    let next = entry;
    for (let depth = 0; depth < ORIGIN_DEPTH; depth++) {
      const unit = this.unitOfEntry(next);
      if (!unit) return;
      try {
        if (!this.readEntry(unit, new Cursor(this.sections.info, next, unit.end))) return;
      } catch (error) {
        if (error instanceof RangeError) return;
        throw error;
      }
      // Read before the caller may use `attributes` for something else.
      const reference = attributes.has(ABSTRACT_ORIGIN) ? ABSTRACT_ORIGIN : SPECIFICATION;
      const referred = attributes.has(reference) ? attributes.number(reference) : -1;
      yield { unit, attributes };
      if (referred < 0) return;
      next = referred;
    }
  }

  private unitOfEntry(entry: number): Unit | null {
    let low = 0;
    let high = this.units.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.units[middle]!.start <= entry) low = middle + 1;
      else high = middle;
    }
    const unit = this.units[low - 1];
    return unit && entry >= unit.root && entry < unit.end ? unit : null;
  }

  // -- Values of `attributes`

  private string(unit: Unit, slot: number): string {
    const { form, value } = this.attributes;
    const at = value[slot]!;
    switch (form[slot]) {
      case FORM_STRING:
        return cString(this.sections.info, at);
      case FORM_STRP:
        return cString(this.sections.str, at);
      case FORM_LINE_STRP:
        return cString(this.sections.lineStr, at);
      case FORM_STRX: {
        const cursor = new Cursor(this.sections.strOffsets, unit.strOffsetsBase + at * unit.offsetSize);
        return cString(this.sections.str, cursor.offset(unit.offsetSize));
      }
      default:
        return '';
    }
  }

  private address(unit: Unit, slot: number): number {
    const value = this.attributes.value[slot]!;
    return this.attributes.form[slot] === FORM_ADDRX ? this.indexedAddress(unit, value) : value;
  }

  private indexedAddress(unit: Unit, index: number): number {
    return addressIn(unit, new Cursor(this.sections.addr, unit.addrBase + index * unit.addressSize));
  }

  /** Address of a variable whose location is the one operation DW_OP_addr or DW_OP_addrx; -1 for any other. */
  private staticAddress(unit: Unit): number {
    const { value, length } = this.attributes;
    const size = length[LOCATION]!;
    if (size < 2) return -1;
    const block = new Cursor(this.sections.info, value[LOCATION]!, value[LOCATION]! + size);
    const operation = block.u8();
    if (operation === 0x03) return size === 1 + unit.addressSize ? addressIn(unit, block) : -1;
    if (operation !== 0xa1) return -1;
    const index = block.uleb();
    return block.at === block.end ? this.indexedAddress(unit, index) : -1;
  }

  /** Code of the entry in `attributes`: low and high, or a list of ranges (DWARF 5, section 2.17). */
  private ranges(unit: Unit): Ranges {
    const { attributes } = this;
    if (attributes.has(RANGES)) {
      const indexed = attributes.form[RANGES] === FORM_RNGLISTX;
      const offset = attributes.number(RANGES);
      if (unit.version < 5) return this.rangesV2(unit, offset);
      if (!indexed) return this.rangesV5(unit, offset);
      const entry = new Cursor(this.sections.rnglists, unit.rnglistsBase + offset * unit.offsetSize);
      return this.rangesV5(unit, unit.rnglistsBase + entry.offset(unit.offsetSize));
    }
    if (!attributes.has(LOW_PC) || !attributes.has(HIGH_PC)) return [];
    const low = this.address(unit, LOW_PC);
    const highForm = attributes.form[HIGH_PC];
    const isAddress = highForm === FORM_ADDR || highForm === FORM_ADDRX;
    const high = isAddress ? this.address(unit, HIGH_PC) : low + attributes.number(HIGH_PC);
    return low > 0 && high > low ? [low, high] : [];
  }

  private rangesV2(unit: Unit, offset: number): Ranges {
    const cursor = new Cursor(this.sections.ranges, offset);
    const ranges: number[] = [];
    let base = unit.low;
    for (;;) {
      const low = addressIn(unit, cursor);
      const high = addressIn(unit, cursor);
      if (low === 0 && high === 0) return ranges;
      // The largest address selects a new base. As a number it is 2^64 or 2^32 - 1.
      if (low >= 2 ** (8 * unit.addressSize) - 1) base = high;
      else add(ranges, base + low, base + high);
    }
  }

  private rangesV5(unit: Unit, offset: number): Ranges {
    const cursor = new Cursor(this.sections.rnglists, offset);
    const ranges: number[] = [];
    let base = unit.low;
    for (;;) {
      switch (cursor.u8()) {
        case 0: // end_of_list
          return ranges;
        case 1: // base_addressx
          base = this.indexedAddress(unit, cursor.uleb());
          break;
        case 2: {
          const low = this.indexedAddress(unit, cursor.uleb());
          add(ranges, low, this.indexedAddress(unit, cursor.uleb()));
          break;
        }
        case 3: {
          const low = this.indexedAddress(unit, cursor.uleb());
          add(ranges, low, low + cursor.uleb());
          break;
        }
        case 4: {
          const low = base + cursor.uleb();
          add(ranges, low, base + cursor.uleb());
          break;
        }
        case 5: // base_address
          base = addressIn(unit, cursor);
          break;
        case 6: {
          const low = addressIn(unit, cursor);
          add(ranges, low, addressIn(unit, cursor));
          break;
        }
        case 7: {
          const low = addressIn(unit, cursor);
          add(ranges, low, low + cursor.uleb());
          break;
        }
        default:
          throw new RangeError('an unknown range entry');
      }
    }
  }
}

function addressIn({ addressSize }: Unit, cursor: Cursor): number {
  return addressSize === 8 ? cursor.u64() : cursor.u32();
}

function add(ranges: number[], low: number, high: number): void {
  if (low > 0 && high > low) ranges.push(low, high);
}

/** Position in `ranges` of the range that holds an address, or -1. */
function rangeAt(ranges: Ranges, address: number): number {
  for (let i = 0; i < ranges.length; i += 2) if (address >= ranges[i]! && address < ranges[i + 1]!) return i;
  return -1;
}

/** Function and inlined calls around an address, outermost first. */
function scopesAt(scopes: Scopes, address: number): Scope[] {
  const candidate = lastFrom(scopes.functions, address);
  if (!candidate || address >= candidate[1]) return [];
  const found = [scopes.all[candidate[2]]!];
  let at = candidate[2] + 1;
  let end = found[0]!.end;
  while (at < end) {
    const scope = scopes.all[at]!;
    if (scope.inlined && rangeAt(scope.ranges, address) >= 0) {
      found.push(scope);
      end = scope.end;
      at++;
    } else {
      at = scope.end;
    }
  }
  return found;
}

/** Of intervals in ascending order the last that starts at or below an address. */
function lastFrom<T extends readonly [number, ...unknown[]]>(intervals: readonly T[], address: number): T | undefined {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle]![0] <= address) low = middle + 1;
    else high = middle;
  }
  return intervals[low - 1];
}
