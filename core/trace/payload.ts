/**
 * What is inside a block: JSON for what is rare, binary columns for sites, the bytes themselves for streams. Decoding
 * checks every field, because a trace may come from anywhere and what follows (the kernel above all) indexes by these
 * numbers. A payload that breaks a rule is reported as damage of the trace at that block.
 */
import { NONE } from '../model/columns.js';
import { type CutReason, cutReasons } from '../model/cut.js';
import type { Sampling } from '../model/sampling.js';
import type { RunWindow } from '../model/window.js';
import type {
  Allocation,
  Block,
  EndBlock,
  FileNameBlock,
  GlobalSymbol,
  HeaderBlock,
  MarkNameBlock,
  ModuleBlock,
  ProcessBlock,
  SitesBlock,
  SymbolFrame,
  SymbolsBlock,
  ThreadBlock,
} from './blocks.js';
import { MAX_STREAMS } from './format.js';

/** Process, module and file numbers lie below this; like MAX_STREAMS it bounds what a reader allocates. */
export const MAX_NUMBER = 1 << 24;
/** Local site numbers of a process lie below this. */
export const MAX_SITES = 1 << 28;

/** Bytes of a sites payload before its columns: process, first, count, 0. */
const SITES_HEADER_BYTES = 16;
/** pc, offset, module, kind. */
export const SITE_BYTES = 8 + 8 + 4 + 2;

/** A payload that breaks the format; the message is a phrase. */
export class PayloadError extends Error {}

/** A module block as it is stored: the globals only with the first block of that module number. */
export interface EncodeOptions {
  readonly omitGlobals?: boolean;
}

export function encodePayload(block: Block, { omitGlobals = false }: EncodeOptions = {}): Uint8Array {
  switch (block.type) {
    case 'stream':
      return block.data;
    case 'sites':
      return encodeSites(block);
    case 'symbols':
      return json(packSymbols(block));
    case 'module': {
      const { type: _, globals, ...rest } = block;
      return json(omitGlobals ? rest : { ...rest, globals });
    }
    default: {
      const { type: _, ...rest } = block;
      return json(rest);
    }
  }
}

/** A module whose globals are those of an earlier block with its number. */
export type StoredModule = Omit<ModuleBlock, 'globals'> & { readonly globals: readonly GlobalSymbol[] | null };

export type StoredBlock = Exclude<Block, ModuleBlock | { type: 'stream' }> | StoredModule;

/** @throws PayloadError */
export function decodePayload(type: StoredBlock['type'], payload: Uint8Array): StoredBlock {
  if (type === 'sites') return decodeSites(payload);
  const value = fields(parse(payload), type);
  switch (type) {
    case 'header':
      return decodeHeader(value);
    case 'process':
      return decodeProcess(value);
    case 'thread':
      return decodeThread(value);
    case 'module':
      return decodeModule(value);
    case 'fileName':
      return decodeFileName(value);
    case 'markName':
      return decodeMarkName(value);
    case 'symbols':
      return unpackSymbols(value);
    case 'end':
      return decodeEnd(value);
  }
}

// Sites: four columns, the widest elements first, so that each is aligned when the payload is.

function encodeSites(block: SitesBlock): Uint8Array {
  const count = block.pc.length;
  if (block.kind.length !== count || block.module.length !== count || block.offset.length !== count)
    throw new RangeError(
      `columns of a sites block differ in length: pc ${count}, kind ${block.kind.length}, module ${block.module.length}, offset ${block.offset.length}`,
    );
  const payload = new Uint8Array(SITES_HEADER_BYTES + count * SITE_BYTES);
  new Uint32Array(payload.buffer, 0, 4).set([block.process, block.first, count, 0]);
  let at = SITES_HEADER_BYTES;
  for (const column of [block.pc, block.offset, block.module, block.kind]) {
    payload.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += column.byteLength;
  }
  return payload;
}

function decodeSites(payload: Uint8Array): SitesBlock {
  if (payload.length < SITES_HEADER_BYTES) fail('a sites block is too short');
  // Copied to its own buffer, because a typed array needs an aligned start (and a Buffer's `slice` is a view).
  const own = new Uint8Array(payload);
  const [process, first, count] = new Uint32Array(own.buffer, 0, 4) as unknown as [number, number, number];
  if (own.length !== SITES_HEADER_BYTES + count * SITE_BYTES) fail(`a sites block of ${count} has ${own.length} bytes`);
  if (process >= MAX_NUMBER || first + count > MAX_SITES) fail('a number in a sites block is out of range');
  let at = SITES_HEADER_BYTES;
  const pc = new BigUint64Array(own.buffer, at, count);
  at += count * 8;
  const offset = new Float64Array(own.buffer, at, count);
  at += count * 8;
  const module = new Uint32Array(own.buffer, at, count);
  at += count * 4;
  const kind = new Uint16Array(own.buffer, at, count);
  for (let i = 0; i < count; i++) {
    // Class 0 to 6, log2 of the size 0 to 6, and the flags of kernel/abi.ts.
    if ((kind[i] & 7) === 7 || ((kind[i] >> 3) & 7) === 7 || kind[i] > 255) fail(`site kind ${kind[i]} is unknown`);
    if (!Number.isSafeInteger(offset[i])) fail(`site offset ${offset[i]} is not an integer`);
    if (module[i] !== NONE && module[i] >= MAX_NUMBER) fail(`module number ${module[i]} is out of range`);
  }
  return { type: 'sites', process, first, pc, kind, module, offset };
}

// Symbols: names and paths recur, so frames refer to a table of strings; five numbers a frame.

function packSymbols(block: SymbolsBlock): object {
  const strings: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (text: string) => {
    let number = numbers.get(text);
    if (number === undefined) {
      number = strings.length;
      strings.push(text);
      numbers.set(text, number);
    }
    return number;
  };
  const frames = block.frames.map(chain =>
    chain.flatMap(f => [numberOf(f.function), numberOf(f.file), f.line, f.column, f.startLine]),
  );
  const sources = block.sources.map(({ allocates, ...source }) => ({
    ...source,
    ...(allocates && { allocates: allocates.map(a => [a.firstLine, a.lastLine, a.names]) }),
  }));
  return { module: block.module, offset: block.offset, strings, frames, sources };
}

function unpackSymbols(value: Fields): SymbolsBlock {
  const module = list(value, 'module').map(m => integer(m, 'module', MAX_NUMBER));
  const offset = list(value, 'offset').map(o => integer(o, 'offset'));
  const strings = list(value, 'strings').map(s => text(s, 'strings'));
  const frames = list(value, 'frames').map(chain => {
    if (!Array.isArray(chain) || chain.length % 5 !== 0) return fail('a chain of frames is not in fives');
    const numbers = chain.map(n => integer(n, 'frames', 2 ** 32));
    const out: SymbolFrame[] = [];
    for (let i = 0; i < numbers.length; i += 5) {
      const [name, file, line, column, startLine] = numbers.slice(i, i + 5);
      if (name >= strings.length || file >= strings.length) fail('a frame refers to no string');
      out.push({ function: strings[name], file: strings[file], line, column, startLine });
    }
    return out;
  });
  if (offset.length !== module.length || frames.length !== module.length) fail('columns of symbols differ in length');
  const sources = list(value, 'sources').map(s => {
    const source = fields(s, 'sources');
    const sha256 = text(source.sha256, 'sha256');
    if (!/^[0-9a-f]{64}$/.test(sha256)) fail('a SHA-256 is not 64 hexadecimal digits');
    const allocates = source.allocates === undefined ? {} : { allocates: unpackAllocations(source) };
    return { path: text(source.path, 'path'), sha256, ...allocates };
  });
  return { type: 'symbols', module, offset, frames, sources };
}

function unpackAllocations(source: Fields): Allocation[] {
  return list(source, 'allocates').map(entry => {
    if (!Array.isArray(entry) || entry.length !== 3) return fail('an allocation is not three values');
    const [firstLine, lastLine] = entry.slice(0, 2).map(line => integer(line, 'allocates', 2 ** 32));
    return { firstLine, lastLine, names: text(entry[2], 'allocates') };
  });
}

// The small ones.

const RECORDERS = ['instrument', 'valgrind', 'qemu', 'wasm', 'import'] as const;
const LEVELS = ['source', 'machine'] as const;

function decodeHeader(value: Fields): HeaderBlock {
  if (value.version !== 1) fail(`the header's version is ${JSON.stringify(value.version)}`);
  return {
    type: 'header',
    version: 1,
    tool: text(value.tool, 'tool'),
    program: text(value.program, 'program'),
    arguments: list(value, 'arguments').map(a => text(a, 'arguments')),
    workingDirectory: text(value.workingDirectory, 'workingDirectory'),
    recorder: oneOf(RECORDERS, value.recorder, 'recorder'),
    level: oneOf(LEVELS, value.level, 'level'),
    compiler: text(value.compiler, 'compiler'),
    flags: text(value.flags, 'flags'),
    ...(value.imported === undefined ? {} : { imported: text(value.imported, 'imported') }),
  };
}

function decodeProcess(value: Fields): ProcessBlock {
  const process = integer(value.process, 'process', MAX_NUMBER);
  const parent = value.parent === null ? null : fields(value.parent, 'parent');
  return {
    type: 'process',
    process,
    pid: integer(value.pid, 'pid'),
    parent: parent && {
      process: integer(parent.process, 'parent', MAX_NUMBER),
      seq: integer(parent.seq, 'seq'),
    },
    ...(value.path === undefined ? {} : { path: text(value.path, 'path') }),
    ...(value.insideLibc === undefined ? {} : { insideLibc: flag(value.insideLibc, 'insideLibc') }),
    ...(value.rank === undefined ? {} : { rank: integer(value.rank, 'rank', MAX_NUMBER) }),
  };
}

function decodeThread(value: Fields): ThreadBlock {
  return {
    type: 'thread',
    process: integer(value.process, 'process', MAX_NUMBER),
    stream: integer(value.stream, 'stream', MAX_STREAMS),
    tid: integer(value.tid, 'tid'),
    signal: flag(value.signal, 'signal'),
  };
}

function decodeModule(value: Fields): StoredModule {
  const base = text(value.base, 'base');
  if (!/^\d{1,20}$/.test(base) || BigInt(base) >= 1n << 64n) fail('a module base is not an address');
  const buildId = text(value.buildId, 'buildId');
  if (!/^([0-9a-f]{2})*$/.test(buildId)) fail('a build id is not hexadecimal');
  return {
    type: 'module',
    process: integer(value.process, 'process', MAX_NUMBER),
    module: integer(value.module, 'module', MAX_NUMBER),
    path: text(value.path, 'path'),
    buildId,
    base,
    segments: list(value, 'segments').map(s => {
      const segment = fields(s, 'segments');
      return {
        offset: integer(segment.offset, 'offset'),
        size: integer(segment.size, 'size'),
        writable: flag(segment.writable, 'writable'),
      };
    }),
    globals:
      value.globals === undefined
        ? null
        : list(value, 'globals').map(g => {
            const global = fields(g, 'globals');
            return {
              name: text(global.name, 'name'),
              offset: integer(global.offset, 'offset'),
              size: integer(global.size, 'size'),
              file: text(global.file, 'file'),
              line: integer(global.line, 'line'),
            };
          }),
  };
}

function decodeFileName(value: Fields): FileNameBlock {
  return {
    type: 'fileName',
    process: integer(value.process, 'process', MAX_NUMBER),
    index: integer(value.index, 'index', MAX_NUMBER),
    path: text(value.path, 'path'),
  };
}

function decodeWindow(value: Fields): RunWindow {
  const seconds = (name: 'startAfter' | 'stopAfter') => {
    const given = value[name];
    if (given === undefined) return {};
    if (typeof given !== 'number' || !(given >= 0)) return fail(`"${name}" is no time`);
    return { [name]: given };
  };
  const named = (name: 'startAt' | 'stopAt') => (value[name] === undefined ? {} : { [name]: text(value[name], name) });
  return {
    ...named('startAt'),
    ...named('stopAt'),
    ...seconds('startAfter'),
    ...seconds('stopAfter'),
    windows: integer(value.windows, 'windows'),
    outside: integer(value.outside, 'outside'),
  };
}

function decodeMarkName(value: Fields): MarkNameBlock {
  return {
    type: 'markName',
    process: integer(value.process, 'process', MAX_NUMBER),
    index: integer(value.index, 'index', MAX_NUMBER),
    name: text(value.name, 'name'),
  };
}

function decodeEnd(value: Fields): EndBlock {
  let exit: EndBlock['exit'] = null;
  if (value.exit !== null) {
    const given = fields(value.exit, 'exit');
    exit =
      given.signal === undefined
        ? { status: integer(given.status, 'status', 256) }
        : { signal: text(given.signal, 'signal') };
  }
  return {
    type: 'end',
    exit,
    complete: flag(value.complete, 'complete'),
    // A reason of a later version is one without a name.
    ...(typeof value.cut === 'string' && Object.hasOwn(cutReasons, value.cut) && { cut: value.cut as CutReason }),
    warnings: list(value, 'warnings').map(w => text(w, 'warnings')),
    accesses: list(value, 'accesses').map(a => integer(a, 'accesses')),
    ...(value.sampling === undefined ? {} : { sampling: decodeSampling(fields(value.sampling, 'sampling')) }),
    ...(value.window === undefined ? {} : { window: decodeWindow(fields(value.window, 'window')) }),
  };
}

function decodeSampling(value: Fields): Sampling {
  return {
    event: text(value.event, 'event'),
    samples: integer(value.samples, 'samples'),
    period: integer(value.period, 'period'),
    least: integer(value.least, 'least'),
    most: integer(value.most, 'most'),
    factor: integer(value.factor, 'factor'),
    unit: text(value.unit, 'unit'),
  };
}

// Checked access to parsed JSON.

type Fields = Readonly<Record<string, unknown>>;

function fail(reason: string): never {
  throw new PayloadError(reason);
}

function json(value: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return fail('a payload is not JSON');
  }
}

function fields(value: unknown, name: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`"${name}" is not an object`);
  return value as Fields;
}

function list(value: Fields, name: string): readonly unknown[] {
  const found = value[name];
  return Array.isArray(found) ? found : fail(`"${name}" is not a list`);
}

function text(value: unknown, name: string): string {
  return typeof value === 'string' ? value : fail(`"${name}" is not a string`);
}

function flag(value: unknown, name: string): boolean {
  return typeof value === 'boolean' ? value : fail(`"${name}" is neither true nor false`);
}

/** An integer from 0 to below `limit`. */
function integer(value: unknown, name: string, limit = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) >= limit)
    return fail(`"${name}" is not an integer from 0 to ${limit - 1}`);
  return value as number;
}

function oneOf<T extends string>(choices: readonly T[], value: unknown, name: string): T {
  return choices.find(c => c === value) ?? fail(`"${name}" is none of ${choices.join(', ')}`);
}
