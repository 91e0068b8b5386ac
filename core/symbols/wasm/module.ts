/**
 * The structure of a WebAssembly module (core specification 2.0, chapter 5.5): what the recorder rewrites and what names
 * come from. Code is left as it is; hostile files end in a WasmError.
 *
 * The larger proposals that compilers for C, C++, Rust and Fortran use are known (bulk memory, SIMD, threads, exceptions,
 * reference types, tail calls); what is not is said by name.
 */
import { WasmError, WasmReader } from './binary.js';

/** Sections by their ids. */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** Kinds of imports and exports. */
export const EXTERNAL = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export const PAGE_BYTES = 65536;

export interface Section {
  readonly id: number;
  /** Of a custom section; else ''. */
  readonly name: string;
  /** Content, behind the name: offsets in the file. */
  readonly start: number;
  readonly end: number;
}

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  /** Of a function. */
  readonly type: number;
}

export interface Export {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** A function's code: `start` is that of its list of locals. Offsets in the file. */
export interface Body {
  readonly start: number;
  readonly end: number;
}

/** What the program's memory begins with: bytes at an address. */
export interface DataSegment {
  readonly address: number;
  readonly size: number;
}

export interface WasmModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sections: readonly Section[];
  /** Null for what is no type of a plain function. */
  readonly types: readonly (FunctionType | null)[];
  readonly imports: readonly Import[];
  readonly importedFunctions: number;
  /** Types of the functions that it defines. */
  readonly functionTypes: readonly number[];
  readonly bodies: readonly Body[];
  /** Where offsets of code count from, as those of DWARF do: the content of the code section. */
  readonly codeStart: number;
  /** Pages of 64 KiB that the memory begins with; null without memory. */
  readonly memoryPages: number | null;
  readonly exports: readonly Export[];
  /** Values of the globals that begin with a constant i32; null for others. */
  readonly globals: readonly (number | null)[];
  /** Active segments whose address is a constant. */
  readonly data: readonly DataSegment[];
  /** By index, imported ones included; from the name section, then from the exports. */
  readonly functionNames: ReadonlyMap<number, string>;
  readonly globalNames: ReadonlyMap<number, string>;
}

/** Whether a file begins as all of WebAssembly does. */
export function isWasm(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0 && start[1] === 0x61 && start[2] === 0x73 && start[3] === 0x6d;
}

/** @throws WasmError */
export function parseModule(bytes: Uint8Array<ArrayBuffer>): WasmModule {
  const sections = readSections(bytes);
  const of = (id: number): WasmReader | null => {
    const section = sections.find(section => section.id === id);
    return section ? new WasmReader(bytes, section.start, section.end) : null;
  };
  const types = readTypes(of(SECTION.type));
  const { imports, globals: importedGlobals } = readImports(of(SECTION.import));
  const importedFunctions = imports.filter(({ kind }) => kind === EXTERNAL.function).length;
  const functionTypes = list(of(SECTION.function), reader => reader.u32());
  const code = of(SECTION.code);
  const codeStart = code?.at ?? 0;
  const bodies = list(code, reader => {
    const { at, end } = reader.part(reader.u32());
    return { start: at, end };
  });
  if (bodies.length !== functionTypes.length)
    throw new WasmError(`it is damaged: ${functionTypes.length} functions have ${bodies.length} bodies`);
  const exports = list(of(SECTION.export), reader => ({
    name: reader.text(),
    kind: reader.u8(),
    index: reader.u32(),
  }));
  const globals = [...Array<null>(importedGlobals).fill(null), ...list(of(SECTION.global), readGlobal)];
  const names = readNames(bytes, sections);
  for (const { name, kind, index } of exports)
    if (kind === EXTERNAL.function && !names.functions.has(index)) names.functions.set(index, name);
  return {
    bytes,
    sections,
    types,
    imports,
    importedFunctions,
    functionTypes,
    bodies,
    codeStart,
    memoryPages: readMemory(of(SECTION.memory)),
    exports,
    globals,
    data: readData(of(SECTION.data), globals),
    functionNames: names.functions,
    globalNames: names.globals,
  };
}

function readSections(bytes: Uint8Array): Section[] {
  if (!isWasm(bytes)) throw new WasmError('it is no WebAssembly');
  if (bytes.length < 8) throw new WasmError('it is cut: it ends within its first 8 bytes');
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(4, true);
  if (version >> 16 !== 0)
    throw new WasmError('it is a component: only core modules are recorded (such as wasm32-wasip1 makes)');
  if (version !== 1) throw new WasmError(`it is of version ${version}: only version 1 is known`);
  const reader = new WasmReader(bytes, 8, bytes.length);
  const sections: Section[] = [];
  const seen = new Set<number>();
  while (!reader.done) {
    const id = reader.u8();
    if (id > SECTION.tag) throw reader.damaged(`there is no section ${id}`);
    const content = reader.part(reader.u32());
    if (id !== SECTION.custom && seen.has(id)) throw reader.damaged(`section ${id} comes twice`);
    seen.add(id);
    const name = id === SECTION.custom ? content.text() : '';
    sections.push({ id, name, start: content.at, end: content.end });
  }
  return sections;
}

/** The elements of a section's vector; none without the section. */
export function list<T>(reader: WasmReader | null, element: (reader: WasmReader) => T): T[] {
  if (!reader) return [];
  const found: T[] = [];
  for (let left = reader.count(); left > 0; left--) found.push(element(reader));
  return found;
}

/** A value type; of a reference to a defined type only that it is one. */
export function valueType(reader: WasmReader): number {
  const type = reader.u8();
  // (ref null HEAPTYPE), (ref HEAPTYPE)
  if (type === 0x63 || type === 0x64) reader.skipLeb();
  return type;
}

function readTypes(reader: WasmReader | null): (FunctionType | null)[] {
  return list(reader, reader => {
    const form = reader.u8();
    if (form !== 0x60) throw new WasmError('it uses types of garbage-collected objects, which are not recorded');
    const params = list(reader, valueType);
    const results = list(reader, valueType);
    return { params, results };
  });
}

function readImports(reader: WasmReader | null): { imports: Import[]; globals: number } {
  let globals = 0;
  const imports = list(reader, reader => {
    const module = reader.text();
    const name = reader.text();
    const kind = reader.u8();
    let type = 0;
    if (kind === EXTERNAL.function) type = reader.u32();
    else if (kind === EXTERNAL.table) {
      valueType(reader);
      skipLimits(reader);
    } else if (kind === EXTERNAL.memory) skipLimits(reader);
    else if (kind === EXTERNAL.global) {
      valueType(reader);
      reader.u8();
      globals++;
    } else if (kind === EXTERNAL.tag) {
      reader.u8();
      reader.u32();
    } else throw reader.damaged(`an import of kind ${kind}`);
    return { module, name, kind, type };
  });
  return { imports, globals };
}

/** Flags of limits: a maximum follows; shared; 64-bit. */
const LIMITS_MAXIMUM = 1;
const LIMITS_64 = 4;

function skipLimits(reader: WasmReader): number {
  const flags = reader.u8();
  reader.skipLeb();
  if (flags & LIMITS_MAXIMUM) reader.skipLeb();
  return flags;
}

function readMemory(reader: WasmReader | null): number | null {
  const memories = list(reader, reader => {
    const flags = reader.bytes[reader.at] ?? 0;
    if (flags & LIMITS_64)
      throw new WasmError('it has a memory of 64-bit addresses, for which WASI preview 1 has no functions');
    const start = reader.at;
    skipLimits(reader);
    return new WasmReader(reader.bytes, start + 1, reader.at).u32();
  });
  if (memories.length > 1)
    throw new WasmError(`it has ${memories.length} memories: modules with one memory are recorded`);
  return memories[0] ?? null;
}

const I32_CONST = 0x41;
const GLOBAL_GET = 0x23;
const REF_NULL = 0xd0;
const END = 0x0b;

/** The value of a constant expression that is one i32.const, and its end; null for any other. */
function constant(reader: WasmReader, globals: readonly (number | null)[] = []): number | null {
  const opcode = reader.bytes[reader.at];
  if (opcode === I32_CONST || opcode === GLOBAL_GET) {
    reader.u8();
    const value = opcode === I32_CONST ? reader.s32() >>> 0 : (globals[reader.u32()] ?? null);
    if (reader.u8() === END) return value;
  }
  skipConstant(reader);
  return null;
}

/** Moves behind a constant expression, from within it. */
function skipConstant(reader: WasmReader): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === END) return;
    if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else if (opcode === 0xfd) {
      if (reader.u32() !== 12) throw reader.damaged('an unknown constant');
      reader.skip(16);
    } else if (
      opcode === I32_CONST ||
      opcode === 0x42 ||
      opcode === GLOBAL_GET ||
      opcode === REF_NULL ||
      opcode === 0xd2
    )
      reader.skipLeb();
    // Extended constants: add, sub and mul of i32 and i64.
    else if (![0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e].includes(opcode)) throw reader.damaged('an unknown constant');
  }
}

function readGlobal(reader: WasmReader): number | null {
  valueType(reader);
  reader.u8();
  return constant(reader);
}

function readData(reader: WasmReader | null, globals: readonly (number | null)[]): DataSegment[] {
  const segments = list(reader, reader => {
    const flags = reader.u32();
    if (flags > 2) throw reader.damaged(`a data segment of kind ${flags}`);
    if (flags === 2) reader.u32();
    const address = flags === 1 ? null : constant(reader, globals);
    const size = reader.count();
    reader.skip(size);
    return address === null ? null : { address, size };
  });
  return segments.filter(segment => segment !== null && segment.size > 0) as DataSegment[];
}

/** The name section (core specification, appendix "Custom Sections"); what is wrong with it only costs names. */
function readNames(bytes: Uint8Array, sections: readonly Section[]) {
  const functions = new Map<number, string>();
  const globals = new Map<number, string>();
  const section = sections.find(({ name }) => name === 'name');
  try {
    const reader = section ? new WasmReader(bytes, section.start, section.end) : null;
    while (reader && !reader.done) {
      const id = reader.u8();
      const part = reader.part(reader.u32());
      const names = id === 1 ? functions : id === 7 ? globals : null;
      if (!names) continue;
      for (let left = part.count(); left > 0; left--) names.set(part.u32(), part.text());
    }
  } catch (error) {
    if (!(error instanceof WasmError)) throw error;
  }
  return { functions, globals };
}
