/**
 * The instructions of WebAssembly (core specification 2.0, chapter 5.4, and the proposals for threads, exceptions and tail
 * calls): how long each is, and what it does to memory.
 */
import { WasmError, type WasmReader } from '../../symbols/wasm/binary.js';
import { valueType } from '../../symbols/wasm/module.js';

export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  try: 0x06,
  catch: 0x07,
  end: 0x0b,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  callReference: 0x14,
  delegate: 0x18,
  catchAll: 0x19,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  memorySize: 0x3f,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eq: 0x46,
  i64Eq: 0x51,
  i64Mul: 0x7e,
  i64ExtendI32Signed: 0xac,
  i64ExtendI32Unsigned: 0xad,
  referenceFunction: 0xd2,
  bulk: 0xfc,
  vector: 0xfd,
  atomic: 0xfe,
} as const;

/** Sub-opcodes of `OP.bulk`. */
export const BULK = { memoryInit: 8, memoryCopy: 10, memoryFill: 11 } as const;

export const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;

/** What an instruction does at the address that it takes. */
export interface MemoryAccess {
  readonly does: 'read' | 'write' | 'modify' | 'compare';
  /** Bytes. */
  readonly size: number;
  readonly atomic: boolean;
  /** Types of its operands above the address. */
  readonly operands: readonly number[];
}

function plain(does: 'read' | 'write', size: number, ...operands: number[]): MemoryAccess {
  return { does, size, atomic: false, operands };
}

/** 0x28 i32.load to 0x3e i64.store32. */
const PLAIN: readonly MemoryAccess[] = [
  ...[4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4].map(size => plain('read', size)),
  plain('write', 4, TYPE.i32),
  plain('write', 8, TYPE.i64),
  plain('write', 4, TYPE.f32),
  plain('write', 8, TYPE.f64),
  ...[1, 2].map(size => plain('write', size, TYPE.i32)),
  ...[1, 2, 4].map(size => plain('write', size, TYPE.i64)),
];
const FIRST_PLAIN = 0x28;

const VECTOR: ReadonlyMap<number, MemoryAccess> = new Map([
  ...[16, 8, 8, 8, 8, 8, 8, 1, 2, 4, 8].map((size, i) => [i, plain('read', size)] as const),
  [11, plain('write', 16, TYPE.v128)],
  ...[1, 2, 4, 8].map((size, i) => [84 + i, plain('read', size, TYPE.v128)] as const),
  ...[1, 2, 4, 8].map((size, i) => [88 + i, plain('write', size, TYPE.v128)] as const),
  [92, plain('read', 4)],
  [93, plain('read', 8)],
]);

/** The seven forms that each atomic operation has: i32, i64, i32 of 8 and 16 bits, i64 of 8, 16 and 32 bits. */
const ATOMIC_SIZES = [4, 8, 1, 2, 1, 2, 4];
const ATOMIC_TYPES = [TYPE.i32, TYPE.i64, TYPE.i32, TYPE.i32, TYPE.i64, TYPE.i64, TYPE.i64];

/** 0x10 i32.atomic.load to 0x4e i64.atomic.rmw32.cmpxchg_u. Waiting and waking transfer nothing. */
const ATOMIC: readonly MemoryAccess[] = (
  ['read', 'write', 'modify', 'modify', 'modify', 'modify', 'modify', 'modify', 'compare'] as const
).flatMap(does =>
  ATOMIC_SIZES.map((size, i) => {
    const type = ATOMIC_TYPES[i]!;
    const operands = does === 'read' ? [] : does === 'compare' ? [type, type] : [type];
    return { does, size, atomic: true, operands };
  }),
);
const FIRST_ATOMIC = 0x10;

export interface Instruction {
  readonly opcode: number;
  /** Behind a prefix; else 0. */
  readonly sub: number;
  /** First index or depth among the immediates; a function's, where it names one. */
  readonly index: number;
  /** Labels that the handlers of a try_table go to. */
  readonly handlers: readonly number[];
  readonly access: MemoryAccess | null;
  /** What is added to the address. */
  readonly offset: number;
}

const NO_HANDLERS: readonly number[] = [];

/** Reads the instruction at the reader. @throws WasmError */
export function readInstruction(reader: WasmReader): Instruction {
  const opcode = reader.u8();
  let sub = 0;
  let index = 0;
  let handlers = NO_HANDLERS;
  let access: MemoryAccess | null = null;
  let offset = 0;
  const atAddress = (what: MemoryAccess | null) => {
    if (reader.u32() & 0x40) throw new WasmError('it has several memories: modules with one memory are recorded');
    offset = reader.u32();
    access = what;
  };
  if (opcode >= FIRST_PLAIN && opcode < FIRST_PLAIN + PLAIN.length) atAddress(PLAIN[opcode - FIRST_PLAIN]!);
  else if (opcode >= 0x45 && opcode <= 0xc4) {
    // Numeric: no immediates.
  } else {
    switch (opcode) {
      case 0x00: // unreachable
      case 0x01: // nop
      case 0x05: // else
      case 0x0a: // throw_ref
      case OP.end:
      case 0x0f: // return
      case OP.catchAll:
      case 0x1a: // drop
      case 0x1b: // select
      case 0xd1: // ref.is_null
      case 0xd4: // ref.as_non_null
        break;
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.try:
        skipBlockType(reader);
        break;
      case OP.i32Const:
      case OP.i64Const:
      case 0xd0: // ref.null
        reader.skipLeb();
        break;
      case OP.tryTable:
        skipBlockType(reader);
        handlers = readHandlers(reader);
        break;
      case OP.catch:
      case 0x08: // throw
      case 0x09: // rethrow
      case 0x0c: // br
      case 0x0d: // br_if
      case OP.call:
      case OP.returnCall:
      case OP.callReference:
      case 0x15: // return_call_ref
      case OP.delegate:
      case OP.localGet:
      case OP.localSet:
      case OP.localTee:
      case 0x23: // global.get
      case 0x24: // global.set
      case 0x25: // table.get
      case 0x26: // table.set
      case OP.memorySize:
      case OP.memoryGrow:
      case OP.referenceFunction:
      case 0xd5: // br_on_null
      case 0xd6: // br_on_non_null
        index = reader.u32();
        break;
      case OP.callIndirect:
      case 0x13: // return_call_indirect
        reader.u32();
        reader.u32();
        break;
      case 0x0e: // br_table
        for (let left = reader.count(); left >= 0; left--) reader.u32();
        break;
      case 0x1c: // select of types
        for (let left = reader.count(); left > 0; left--) valueType(reader);
        break;
      case 0x43: // f32.const
        reader.skip(4);
        break;
      case 0x44: // f64.const
        reader.skip(8);
        break;
      case OP.bulk:
        sub = reader.u32();
        skipBulk(reader, sub);
        break;
      case OP.vector:
        sub = reader.u32();
        if (VECTOR.has(sub)) {
          atAddress(VECTOR.get(sub)!);
          if (sub >= 84 && sub <= 91) reader.u8();
        } else if (sub === 12 || sub === 13) reader.skip(16);
        else if (sub >= 21 && sub <= 34) reader.u8();
        else if (sub > 0x113) throw reader.damaged(`an unknown vector instruction ${sub}`);
        break;
      case OP.atomic:
        sub = reader.u32();
        if (sub === 3) reader.u8();
        else if (sub <= 2) atAddress(null);
        else if (ATOMIC[sub - FIRST_ATOMIC]) atAddress(ATOMIC[sub - FIRST_ATOMIC]!);
        else throw reader.damaged(`an unknown atomic instruction ${sub}`);
        break;
      case 0xfb:
        throw new WasmError('it uses garbage-collected objects, which are not recorded');
      default:
        throw reader.damaged(`an unknown instruction 0x${opcode.toString(16)}`);
    }
  }
  return { opcode, sub, index, handlers, access, offset };
}

/** A value type, or the index of a type as a signed number. */
function skipBlockType(reader: WasmReader): void {
  const first = reader.bytes[reader.at];
  if (first === 0x63 || first === 0x64) valueType(reader);
  else reader.skipLeb();
}

/** Immediates of the instructions with prefix 0xfc. */
function skipBulk(reader: WasmReader, sub: number): void {
  if (sub > 17) throw reader.damaged(`an unknown instruction 0xfc ${sub}`);
  // 0 to 7: conversions that saturate.
  if (sub < 8) return;
  const two = [BULK.memoryInit, BULK.memoryCopy, 12, 14] as readonly number[];
  reader.u32();
  if (two.includes(sub)) reader.u32();
}

/** Labels of the handlers of a try_table: catch, catch_ref, catch_all, catch_all_ref. */
function readHandlers(reader: WasmReader): number[] {
  const labels: number[] = [];
  for (let left = reader.count(); left > 0; left--) {
    const kind = reader.u8();
    if (kind > 3) throw reader.damaged(`an unknown handler ${kind}`);
    if (kind < 2) reader.u32();
    labels.push(reader.u32());
  }
  return labels;
}
