/**
 * Rewrites a WebAssembly module so that it tells of its loads and stores, calls and allocations: before each a call of a
 * hook (hooks/hooks.ts), imported behind the module's own imports, so that only the indices of its functions move.
 *
 * 1. Types and imports of the hooks are appended.
 * 2. Code: operands that lie above the address wait in locals of their own while the hook is called.
 * 3. Allocators: the function keeps its index but becomes a wrapper; its code moves to a new function at the end.
 * 4. What names functions (exports, start, elements, constants) follows their indices. Custom sections are left out.
 *
 * The code may be any that an engine accepts; it need not be understood beyond the length of instructions, since whatever
 * is on the stack below the operands stays there.
 */
import { SITE_ATOMIC, SITE_CALL, SITE_RANGE_READ, SITE_RANGE_WRITE, SITE_READ, SITE_WRITE } from '../../kernel/abi.js';
import { WasmError, WasmReader } from '../../symbols/wasm/binary.js';
import { EXTERNAL, type FunctionType, SECTION, valueType, type WasmModule } from '../../symbols/wasm/module.js';
import { type Allocator, allocatorOf } from './allocators.js';
import { CodeWriter } from './code.js';
import { FIRST_SITE } from './hooks/records.js';
import { BULK, type Instruction, OP, readInstruction, TYPE } from './instructions.js';

/** Module name of the hooks' imports. */
export const HOOKS = 'pagelens';

const { i32 } = TYPE;

/** The hooks, with their types: hooks/hooks.ts. */
const hookTypes = {
  access: { params: [i32, i32], results: [i32] },
  wrote: { params: [i32, i32, i32], results: [] },
  range: { params: [i32, i32, i32, i32], results: [] },
  enter: { params: [i32], results: [] },
  leave: { params: [], results: [] },
  depth: { params: [], results: [i32] },
  unwind: { params: [i32], results: [] },
  grown: { params: [i32, i32], results: [] },
  allocating: { params: [], results: [i32] },
  freed: { params: [i32], results: [] },
  allocated: { params: [i32, i32, i32, i32], results: [] },
} as const satisfies Record<string, FunctionType>;

type Hook = keyof typeof hookTypes;
const hookNames = Object.keys(hookTypes) as Hook[];

/** Most sites of a module: their numbers are immediates of 32 bits, kept positive. */
const MAX_SITES = 1 << 30;

/** What the hooks' records speak of: number FIRST_SITE + i is row i. */
export interface WasmSites {
  /** The instruction, in bytes from the content of the code section. */
  readonly code: readonly number[];
  /** SITE_* of kernel/abi.ts, without the size. */
  readonly kind: readonly number[];
  /** Bytes; 0 of calls and bulk operations. */
  readonly size: readonly number[];
  /** What the instruction adds to its address. */
  readonly offset: readonly number[];
}

export interface Rewritten {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sites: WasmSites;
  /** Names of the functions that are taken for allocators. */
  readonly allocators: readonly string[];
}

/** @throws WasmError for what is damaged or not known */
export function rewrite(module: WasmModule): Rewritten {
  return new Rewriter(module).run();
}

interface Wrapped {
  readonly allocator: Allocator;
  /** Index that its own code has now. */
  readonly moved: number;
  readonly body: Uint8Array;
}

class Rewriter {
  readonly #code: number[] = [];
  readonly #kind: number[] = [];
  readonly #size: number[] = [];
  readonly #offset: number[] = [];
  readonly #types: FunctionType[] = [];
  readonly #hooks: Readonly<Record<Hook, number>>;
  readonly #allocators: string[] = [];

  constructor(private readonly module: WasmModule) {
    const first = module.importedFunctions;
    this.#hooks = Object.fromEntries(hookNames.map((name, i) => [name, first + i])) as Record<Hook, number>;
  }

  run(): Rewritten {
    const { module } = this;
    const hooks = hookNames.map(name => this.#type(hookTypes[name]));
    const { functions, code } = this.#functions();
    const out = new CodeWriter().u8(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const sections = new Map(module.sections.filter(({ id }) => id !== SECTION.custom).map(s => [s.id, s]));
    // In the order that sections have; those of types and imports may have been missing.
    const { type, table, memory, tag, global, start, element, dataCount, data } = SECTION;
    const order = [type, SECTION.import, SECTION.function, table, memory, tag, global, SECTION.export];
    for (const id of [...order, start, element, dataCount, SECTION.code, data]) {
      const section = sections.get(id);
      const reader = section ? new WasmReader(module.bytes, section.start, section.end) : null;
      const content = new CodeWriter();
      if (id === type) this.#appended(content, reader, this.#types.length, () => this.#writeTypes(content));
      else if (id === SECTION.import)
        this.#appended(content, reader, hookNames.length, () => writeHooks(content, hooks));
      else if (!reader) continue;
      else if (id === SECTION.function) writeIndices(content, functions);
      else if (id === SECTION.code) content.raw(code);
      else if (id === table) this.#constants(content, reader, copyTable);
      else if (id === global) this.#constants(content, reader, copyGlobal);
      else if (id === SECTION.export) this.#exports(content);
      else if (id === start) content.u32(this.#moved(reader.u32()));
      else if (id === element) this.#elements(content, reader);
      else content.raw(reader.bytes.subarray(reader.at, reader.end));
      out.u8(id).sized(content);
    }
    return {
      bytes: out.bytes,
      sites: { code: this.#code, kind: this.#kind, size: this.#size, offset: this.#offset },
      allocators: this.#allocators,
    };
  }

  /** Index of a function of the original. */
  #moved(index: number): number {
    return index < this.module.importedFunctions ? index : index + hookNames.length;
  }

  /** Index of a type that is added. */
  #type(type: FunctionType): number {
    return this.module.types.length + this.#types.push(type) - 1;
  }

  #site(code: number, kind: number, size = 0, offset = 0): number {
    if (this.#code.length === MAX_SITES) throw new WasmError('it has more than 2^30 loads and stores');
    this.#kind.push(kind);
    this.#size.push(size);
    this.#offset.push(offset);
    return FIRST_SITE + this.#code.push(code) - 1;
  }

  #call(out: CodeWriter, hook: Hook): void {
    out.u8(OP.call).u32(this.#hooks[hook]);
  }

  // -- Sections

  /** A vector with more elements behind its own. */
  #appended(out: CodeWriter, reader: WasmReader | null, more: number, write: () => void): void {
    out.u32((reader?.count() ?? 0) + more);
    if (reader) out.raw(reader.bytes.subarray(reader.at, reader.end));
    write();
  }

  #writeTypes(out: CodeWriter): void {
    for (const { params, results } of this.#types) {
      out
        .u8(0x60)
        .u32(params.length)
        .u8(...params);
      out.u32(results.length).u8(...results);
    }
  }

  #exports(out: CodeWriter): void {
    const { exports } = this.module;
    out.u32(exports.length);
    for (const { name, kind, index } of exports)
      out
        .text(name)
        .u8(kind)
        .u32(kind === EXTERNAL.function ? this.#moved(index) : index);
  }

  /** A vector whose elements end in a constant expression, if `copy` says so. */
  #constants(out: CodeWriter, reader: WasmReader, copy: (out: CodeWriter, reader: WasmReader) => boolean): void {
    const count = reader.count();
    out.u32(count);
    for (let left = count; left > 0; left--) if (copy(out, reader)) this.#constant(out, reader);
  }

  /** A constant expression up to its end, with the functions that it names. */
  #constant(out: CodeWriter, reader: WasmReader): void {
    for (;;) {
      const start = reader.at;
      const { opcode, index } = readInstruction(reader);
      if (opcode === OP.referenceFunction) out.u8(opcode).u32(this.#moved(index));
      else out.raw(reader.bytes.subarray(start, reader.at));
      if (opcode === OP.end) return;
    }
  }

  /** Element segments (core specification, 5.5.12): eight forms by three bits. */
  #elements(out: CodeWriter, reader: WasmReader): void {
    const count = reader.count();
    out.u32(count);
    for (let left = count; left > 0; left--) {
      const form = reader.u32();
      if (form > 7) throw reader.damaged(`elements of kind ${form}`);
      out.u32(form);
      const passive = (form & 1) !== 0;
      const explicit = (form & 2) !== 0;
      const expressions = (form & 4) !== 0;
      if (!passive && explicit) out.u32(reader.u32());
      if (!passive) this.#constant(out, reader);
      if (passive || explicit) {
        const start = reader.at;
        if (expressions) valueType(reader);
        else reader.u8();
        out.raw(reader.bytes.subarray(start, reader.at));
      }
      const items = reader.count();
      out.u32(items);
      for (let item = items; item > 0; item--) {
        if (expressions) this.#constant(out, reader);
        else out.u32(this.#moved(reader.u32()));
      }
    }
  }

  // -- Functions

  /** Types of the functions, and the content of the code section. */
  #functions(): { functions: readonly number[]; code: Uint8Array } {
    const { module } = this;
    const { functionTypes, bodies, importedFunctions } = module;
    const wrapped: Wrapped[] = [];
    const types = [...functionTypes];
    const code = new CodeWriter();
    const body = new CodeWriter();
    for (const [i, { start, end }] of bodies.entries()) {
      const type = module.types[functionTypes[i]!];
      if (!type) throw new WasmError(`it is damaged: function ${importedFunctions + i} has no type`);
      new FunctionRewriter(module, type, this.#tools).write(body, new WasmReader(module.bytes, start, end));
      const name = module.functionNames.get(importedFunctions + i) ?? '';
      const allocator = allocatorFor(name, type);
      if (allocator) {
        this.#allocators.push(name);
        const moved = importedFunctions + hookNames.length + types.push(functionTypes[i]!) - 1;
        wrapped.push({ allocator, moved, body: body.bytes.slice() });
        body.clear();
        this.#wrapper(body, allocator, moved);
      }
      code.sized(body);
      body.clear();
    }
    const out = new CodeWriter().u32(types.length).raw(code.bytes);
    for (const { body } of wrapped) out.u32(body.length).raw(body);
    return { functions: types, code: out.bytes };
  }

  /** Calls the allocator that moved, and tells of what it did. */
  #wrapper(out: CodeWriter, { params, results, kind, size, count, frees, into }: Allocator, moved: number): void {
    const [own, result] = [params, params + 1];
    const get = (index: number) => out.u8(OP.localGet).u32(index);
    out.u32(1).u32(2).u8(i32);
    this.#call(out, 'allocating');
    out.u8(OP.localSet).u32(own);
    if (kind === undefined) {
      get(own).u8(OP.if, EMPTY_BLOCK);
      get(frees!);
      this.#call(out, 'freed');
      out.u8(OP.end);
    }
    for (let i = 0; i < params; i++) get(i);
    out.u8(OP.call).u32(moved);
    if (results === 1) out.u8(OP.localSet).u32(result);
    get(own).u8(OP.if, EMPTY_BLOCK);
    if (kind === undefined) {
      for (let i = 0; i < 4; i++) out.u8(OP.i32Const).s32(0);
    } else {
      // Where the address is put somewhere, it is there only after success: result 0.
      if (into !== undefined) {
        get(result).u8(I32_EQZ, OP.if, i32);
        get(into).u8(I32_LOAD, 2, 0, ELSE, OP.i32Const, 0, OP.end);
      } else get(result);
      get(size!);
      if (count !== undefined) get(count).u8(I32_MUL);
      if (frees !== undefined) get(frees);
      else out.u8(OP.i32Const).s32(0);
      out.u8(OP.i32Const).s32(kind);
    }
    this.#call(out, 'allocated');
    out.u8(OP.end);
    if (results === 1) get(result);
    out.u8(OP.end);
  }

  readonly #tools: Tools = {
    site: (code, kind, size, offset) => this.#site(code, kind, size, offset),
    call: (out, hook) => this.#call(out, hook),
    moved: index => this.#moved(index),
    type: type => this.#type(type),
  };
}

const EMPTY_BLOCK = 0x40;
const ELSE = 0x05;
const I32_LOAD = 0x28;
const I32_EQZ = 0x45;
const I32_MUL = 0x6c;
const I32_AND = 0x71;
const I64_AND = 0x83;

/** Of a function of this name, where its type is what the name promises. */
function allocatorFor(name: string, { params, results }: FunctionType): Allocator | null {
  const allocator = allocatorOf(name, params.length);
  const fits = allocator && params.length === allocator.params && results.length === allocator.results;
  return fits && params.length > 0 && [...params, ...results].every(type => type === i32) ? allocator : null;
}

function writeHooks(out: CodeWriter, types: readonly number[]): void {
  for (const [i, name] of hookNames.entries()) out.text(HOOKS).text(name).u8(EXTERNAL.function).u32(types[i]!);
}

function writeIndices(out: CodeWriter, indices: readonly number[]): void {
  out.u32(indices.length);
  for (const index of indices) out.u32(index);
}

/** A table, without its first value. Whether one follows. */
function copyTable(out: CodeWriter, reader: WasmReader): boolean {
  const start = reader.at;
  const hasValue = reader.bytes[start] === 0x40;
  if (hasValue) reader.skip(2);
  valueType(reader);
  const flags = reader.u8();
  reader.skipLeb();
  if (flags & 1) reader.skipLeb();
  out.raw(reader.bytes.subarray(start, reader.at));
  return hasValue;
}

function copyGlobal(out: CodeWriter, reader: WasmReader): boolean {
  const start = reader.at;
  valueType(reader);
  reader.u8();
  out.raw(reader.bytes.subarray(start, reader.at));
  return true;
}

/** What a function needs of the module. */
interface Tools {
  site(code: number, kind: number, size?: number, offset?: number): number;
  call(out: CodeWriter, hook: Hook): void;
  moved(index: number): number;
  type(type: FunctionType): number;
}

class FunctionRewriter {
  /** The new code, without locals. */
  readonly #out = new CodeWriter();
  /** Types of the locals that are added, and their indices by type and use. */
  readonly #added: number[] = [];
  readonly #locals = new Map<number, number>();
  /** Index of the first of them. */
  #firstAdded = 0;
  /** The local with the depth of calls at the function's start, where it catches exceptions. */
  #depth = -1;

  constructor(
    private readonly module: WasmModule,
    private readonly type: FunctionType,
    private readonly tools: Tools,
  ) {}

  /** Writes locals and code. */
  write(out: CodeWriter, reader: WasmReader): void {
    let locals = this.type.params.length;
    const groups = reader.count();
    const start = reader.at;
    for (let left = groups; left > 0; left--) {
      locals += reader.u32();
      valueType(reader);
    }
    if (locals > MAX_LOCALS) throw reader.damaged('a function has more than 50,000 variables');
    const declared = reader.bytes.subarray(start, reader.at);
    this.#firstAdded = locals;
    this.#body(reader);
    out.u32(groups + this.#added.length).raw(declared);
    for (const type of this.#added) out.u32(1).u8(type);
    out.raw(this.#out.bytes);
  }

  #body(reader: WasmReader): void {
    const out = this.#out;
    const handlers = this.#catches() ? handlersOf(new WasmReader(reader.bytes, reader.at, reader.end)) : null;
    if (handlers) {
      this.#depth = this.#local(i32, USE.depth);
      this.tools.call(out, 'depth');
      out.u8(OP.localSet).u32(this.#depth);
      // A handler may go to the function's end: to that of a block around it, then.
      if (handlers.atEnd) this.#block(out);
    }
    const blocks: { readonly unwinds: boolean }[] = [];
    for (;;) {
      const start = reader.at;
      const instruction = readInstruction(reader);
      const { opcode } = instruction;
      if (opcode === OP.end && blocks.length === 0) break;
      this.#instruction(instruction, start, reader);
      if (!handlers) {
        if (isBlock(opcode)) blocks.push({ unwinds: false });
        else if (opcode === OP.end || opcode === OP.delegate) blocks.pop();
        continue;
      }
      const target = handlers.targets.has(start);
      if (opcode === OP.catch || opcode === OP.catchAll || (opcode === OP.loop && target)) this.#unwind();
      if (isBlock(opcode)) blocks.push({ unwinds: target && opcode !== OP.loop });
      else if ((opcode === OP.end || opcode === OP.delegate) && blocks.pop()!.unwinds) this.#unwind();
    }
    if (!reader.done) throw reader.damaged('code behind the end of a function');
    if (handlers?.atEnd) {
      out.u8(OP.end);
      this.#unwind();
    }
    out.u8(OP.end);
  }

  /** Only a module with tags catches anything of its own. */
  #catches(): boolean {
    return this.module.sections.some(({ id }) => id === SECTION.tag);
  }

  #block(out: CodeWriter): void {
    const { results } = this.type;
    out.u8(OP.block);
    if (results.length === 0) out.u8(EMPTY_BLOCK);
    else if (results.length === 1 && results[0]! < 0x80 && results[0]! > 0x64) out.u8(results[0]!);
    else out.s32(this.tools.type({ params: [], results }));
  }

  #unwind(): void {
    this.#out.u8(OP.localGet).u32(this.#depth);
    this.tools.call(this.#out, 'unwind');
  }

  /** Index of the local that is added for this use, with its first. */
  #local(type: number, use: number): number {
    const key = 256 * use + type;
    const known = this.#locals.get(key);
    if (known !== undefined) return known;
    const index = this.#firstAdded + this.#added.push(type) - 1;
    this.#locals.set(key, index);
    return index;
  }

  #instruction(instruction: Instruction, start: number, reader: WasmReader): void {
    const out = this.#out;
    const { opcode, sub, index, access } = instruction;
    const code = start - this.module.codeStart;
    const copy = () => out.raw(reader.bytes.subarray(start, reader.at));
    if (access) this.#access(instruction, code, copy);
    else if (opcode === OP.call) {
      const counts = index >= this.module.importedFunctions;
      if (counts) this.#enter(code);
      out.u8(OP.call).u32(this.tools.moved(index));
      if (counts) this.tools.call(out, 'leave');
    } else if (opcode === OP.callIndirect || opcode === OP.callReference) {
      this.#enter(code);
      copy();
      this.tools.call(out, 'leave');
    } else if (opcode === OP.returnCall || opcode === OP.referenceFunction) {
      out.u8(opcode).u32(this.tools.moved(index));
    } else if (opcode === OP.memoryGrow) this.#grow(copy);
    else if (opcode === OP.bulk && sub === BULK.memoryCopy) this.#bulk(code, copy, true);
    else if (opcode === OP.bulk && (sub === BULK.memoryFill || sub === BULK.memoryInit)) this.#bulk(code, copy, false);
    else copy();
  }

  #enter(code: number): void {
    this.#out.u8(OP.i32Const).s32(this.tools.site(code, SITE_CALL));
    this.tools.call(this.#out, 'enter');
  }

  #access({ access, offset }: Instruction, code: number, copy: () => void): void {
    const out = this.#out;
    const { does, size, atomic, operands } = access!;
    const flag = atomic ? SITE_ATOMIC : 0;
    // The operands above the address wait: the first lowest.
    const waiting = operands.map((type, i) => this.#local(type, i === 0 ? USE.first : USE.second));
    for (const local of waiting.toReversed()) out.u8(OP.localSet).u32(local);
    const tell = (kind: number) => {
      out.u8(OP.i32Const).s32(this.tools.site(code, kind | flag, size, offset));
      this.tools.call(out, 'access');
    };
    if (does !== 'write') tell(SITE_READ);
    if (does === 'write' || does === 'modify') tell(SITE_WRITE);
    const address = does === 'compare' ? this.#local(i32, USE.address) : -1;
    if (address >= 0) out.u8(OP.localTee).u32(address);
    for (const local of waiting) out.u8(OP.localGet).u32(local);
    copy();
    if (address < 0) return;
    // It has written when what it found is what it expected, in as many bits as it compares.
    const type = operands[0]!;
    const found = this.#local(type, USE.result);
    out.u8(OP.localTee).u32(found);
    out.u8(OP.i32Const).s32(this.tools.site(code, SITE_WRITE | flag, size, offset));
    out.u8(OP.localGet).u32(address);
    out.u8(OP.localGet).u32(found).u8(OP.localGet).u32(waiting[0]!);
    const wide = type === TYPE.i64;
    if (size < (wide ? 8 : 4))
      out
        .u8(wide ? OP.i64Const : OP.i32Const)
        .s32(2 ** (8 * size) - 1)
        .u8(wide ? I64_AND : I32_AND);
    out.u8(wide ? OP.i64Eq : OP.i32Eq);
    this.tools.call(out, 'wrote');
  }

  /** memory.copy, fill and init: each of the lines read or written is an access. */
  #bulk(code: number, copy: () => void, reads: boolean): void {
    const out = this.#out;
    const to = this.#local(i32, USE.address);
    const from = this.#local(i32, USE.first);
    const length = this.#local(i32, USE.second);
    for (const local of [length, from, to]) out.u8(OP.localSet).u32(local);
    const tell = (address: number, kind: number) => {
      out.u8(OP.localGet).u32(address).u8(OP.localGet).u32(length).u8(OP.memorySize, 0);
      out.u8(OP.i32Const).s32(this.tools.site(code, kind));
      this.tools.call(out, 'range');
    };
    if (reads) tell(from, SITE_RANGE_READ);
    tell(to, SITE_RANGE_WRITE);
    for (const local of [to, from, length]) out.u8(OP.localGet).u32(local);
    copy();
  }

  #grow(copy: () => void): void {
    const out = this.#out;
    const pages = this.#local(i32, USE.first);
    const old = this.#local(i32, USE.result);
    out.u8(OP.localTee).u32(pages);
    copy();
    out.u8(OP.localTee).u32(old);
    out.u8(OP.localGet).u32(old).u8(OP.localGet).u32(pages);
    this.tools.call(out, 'grown');
  }
}

/** What an added local holds, from before an instruction to behind it; the depth for the whole function. */
const USE = { depth: 0, address: 1, first: 2, second: 3, result: 4 } as const;
/** Of the engines (the JavaScript interface's limits). */
const MAX_LOCALS = 50_000;

function isBlock(opcode: number): boolean {
  return (opcode >= OP.block && opcode <= OP.if) || opcode === OP.try || opcode === OP.tryTable;
}

/** Where the blocks begin that handlers go to, by offset in the file; null for a function that catches nothing. */
function handlersOf(reader: WasmReader): { targets: ReadonlySet<number>; atEnd: boolean } | null {
  const targets = new Set<number>();
  let atEnd = false;
  let catches = false;
  const blocks: number[] = [];
  while (!reader.done) {
    const start = reader.at;
    const { opcode, handlers } = readInstruction(reader);
    if (opcode === OP.try || opcode === OP.tryTable) catches = true;
    for (const label of handlers) {
      const target = blocks[blocks.length - 1 - label];
      if (target === undefined) atEnd = true;
      else targets.add(target);
    }
    if (isBlock(opcode)) blocks.push(start);
    else if (opcode === OP.end || opcode === OP.delegate) blocks.pop();
  }
  return catches ? { targets, atEnd } : null;
}
