/**
 * A reader of the run directory for tests: the contract of core/record/runtime/layout.h, read once after the program
 * ended, and independent of the drain. Also builds the runtime and programs, and decodes streams with the real decoder.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const RUNTIME = path.join(ROOT, 'core/record/runtime');

export interface Site {
  readonly kind: number;
  readonly pc: bigint;
  readonly module: number;
}

export interface Stream {
  readonly number: number;
  readonly process: number;
  readonly tid: number;
  readonly signal: boolean;
  readonly state: number;
  readonly count: bigint;
  readonly adjust: bigint;
  /** Records with the pending hits appended. */
  readonly bytes: Uint8Array;
  readonly committed: number;
  /** Of the verifying runtime: 8 words an entry. */
  readonly raw: BigUint64Array;
}

export interface Process {
  readonly number: number;
  readonly pid: number;
  readonly parent: number | null;
  readonly forkSeq: bigint;
  readonly sites: Site[];
  readonly modules: { readonly base: bigint; readonly buildId: string; readonly path: string }[];
  readonly fileNames: string[];
  readonly warnings: string[];
  readonly lost: { readonly stream: number; readonly reason: number }[];
}

export interface Run {
  readonly processes: Map<number, Process>;
  readonly streams: Stream[];
}

/** A fresh run directory, as the driver makes it. */
export function makeRun(folder: string, { maxBytes = 0n } = {}): string {
  const run = mkdtempSync(path.join(folder, 'run-'));
  const page = Buffer.alloc(4096);
  page.write('PLRUN001', 0, 'latin1');
  page.writeBigUInt64LE(1n, 64);
  page.writeBigUInt64LE(maxBytes, 320);
  writeFileSync(path.join(run, 'run'), page);
  return run;
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

export function readRun(run: string): Run {
  const processes = new Map<number, Process>();
  const threads = new Map<number, { process: number; tid: number; signal: boolean }>();
  const names = readdirSync(run);
  for (const name of names) {
    const match = /^p(\d+)\.meta$/.exec(name);
    if (match) readMeta(readFileSync(path.join(run, name)), Number(match[1]), processes, threads);
  }
  const streams: Stream[] = [];
  for (const [number, thread] of [...threads].sort(([a], [b]) => a - b)) {
    const file = path.join(run, `s${number}.ctl`);
    if (!existsSync(file)) continue;
    const ctl = readFileSync(file);
    const chunkBytes = Number(ctl.readBigUInt64LE(24));
    const committed = Number(ctl.readBigUInt64LE(64));
    const count = ctl.readBigUInt64LE(72);
    const held = [128, 144].find(at => Number(ctl.readBigUInt64LE(at)) === committed);
    if (held === undefined) throw new Error(`stream ${number}: no step count for ${committed} bytes`);
    const parts: Uint8Array[] = [];
    for (let chunk = 0; chunk * chunkBytes < committed; chunk++) {
      const bytes = readFileSync(path.join(run, `s${number}.${chunk}`));
      parts.push(bytes.subarray(0, Math.min(chunkBytes, committed - chunk * chunkBytes)));
    }
    const pending = count - ctl.readBigUInt64LE(held + 8);
    if (pending > 0n) parts.push(Uint8Array.from([0xf8, ...varint(pending)]));
    const rawFile = path.join(run, `s${number}.raw`);
    const raw = existsSync(rawFile) ? readFileSync(rawFile) : Buffer.alloc(0);
    const words = new BigUint64Array(raw.buffer, raw.byteOffset, raw.byteLength >> 3);
    let entries = 0;
    while (entries * 8 < words.length && words[entries * 8] !== 0n) entries++;
    streams.push({
      number,
      ...thread,
      state: Number(ctl.readBigUInt64LE(32)),
      count,
      adjust: ctl.readBigInt64LE(88),
      bytes: Buffer.concat(parts),
      committed,
      raw: words.subarray(0, entries * 8),
    });
  }
  return { processes, streams };
}

function readMeta(
  meta: Buffer,
  number: number,
  processes: Map<number, Process>,
  threads: Map<number, { process: number; tid: number; signal: boolean }>,
): void {
  let process: Process | undefined;
  for (let at = 0; at + 8 <= meta.length; ) {
    const type = meta.readUInt32LE(at);
    const length = meta.readUInt32LE(at + 4);
    const p = meta.subarray(at + 8, at + 8 + length);
    if (p.length < length) break;
    at += 8 + ((length + 7) & ~7);
    if (type === 1) {
      const parent = p.readUInt32LE(8);
      process = {
        number,
        pid: p.readUInt32LE(4),
        parent: parent === 0xffffffff ? null : parent,
        forkSeq: p.readBigUInt64LE(16),
        sites: [],
        modules: [],
        fileNames: [],
        warnings: [],
        lost: [],
      };
      processes.set(number, process);
      continue;
    }
    if (!process) throw new Error(`p${number}.meta does not start with its process`);
    if (type === 2)
      threads.set(p.readUInt32LE(0), { process: number, tid: p.readUInt32LE(4), signal: p.readUInt32LE(8) === 1 });
    else if (type === 3) {
      const names = 16 + p.readUInt32LE(4) * 24;
      const id = p.readUInt32LE(names);
      process.modules[p.readUInt32LE(0)] = {
        base: p.readBigUInt64LE(8),
        buildId: p.subarray(names + 8, names + 8 + id).toString('hex'),
        path: p.subarray(names + 8 + id, names + 8 + id + p.readUInt32LE(names + 4)).toString(),
      };
    } else if (type === 4) {
      process.sites[p.readUInt32LE(0)] = {
        kind: p.readUInt32LE(4),
        pc: p.readBigUInt64LE(8),
        module: p.readUInt32LE(16),
      };
    } else if (type === 5) process.fileNames[p.readUInt32LE(0)] = p.subarray(8, 8 + p.readUInt32LE(4)).toString();
    else if (type === 6) process.warnings.push(p.toString());
    else if (type === 7) process.lost.push({ stream: p.readUInt32LE(0), reason: p.readUInt32LE(4) });
  }
}

// ---- the decoder alone, compiled from its source ----

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly batchSite: WebAssembly.Global;
  readonly batchAddress: WebAssembly.Global;
  readonly batchCount: WebAssembly.Global;
  readonly eventKind: WebAssembly.Global;
  readonly eventSeq: WebAssembly.Global;
  readonly eventA: WebAssembly.Global;
  readonly eventB: WebAssembly.Global;
  readonly eventC: WebAssembly.Global;
  readonly eventD: WebAssembly.Global;
  readonly decodeErrorOffset: WebAssembly.Global;
  processCreate(): number;
  processAddSites(process: number, first: number, count: number, pc: number, kind: number, site: number): void;
  processSiteOfPc(process: number, pc: bigint): number;
  decoderCreate(process: number): number;
  decoderInput(decoder: number, bytes: number, length: number): void;
  decode(decoder: number, limit: number): number;
  decoderDepth(decoder: number): number;
  decoderFrames(decoder: number): number;
  __new(size: number, id: number): number;
}

const scratch = path.join(os.tmpdir(), `pagelens-test-${process.getuid?.() ?? 0}`);
mkdirSync(scratch, { recursive: true });

/** A file made from sources once per version of them. */
async function cached(
  name: string,
  sources: readonly string[],
  make: (target: string) => Promise<void> | void,
): Promise<string> {
  const target = path.join(scratch, name);
  const newest = Math.max(...sources.map(file => statSync(file).mtimeMs));
  if (!existsSync(target) || statSync(target).mtimeMs < newest) {
    const fresh = path.join(scratch, `${process.pid}-${name}`);
    await make(fresh);
    renameSync(fresh, target);
  }
  return target;
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** A fresh instance of core/kernel/decode.ts. */
export async function loadDecoder(): Promise<Exports> {
  compiled ??= (async () => {
    const folder = path.join(ROOT, 'core/kernel');
    const sources = [path.join(folder, 'decode.ts'), path.join(folder, 'abi.ts')];
    const wasm = await cached('decode.wasm', sources, async target => {
      const out = path.relative(ROOT, target);
      const { error, stderr } = await asc.main([
        sources[0],
        '--baseDir',
        ROOT,
        '-o',
        out,
        '--runtime',
        'stub',
        '--exportRuntime',
        '-O3',
        '--noAssert',
        '--enable',
        'simd,bulk-memory',
      ]);
      if (error) throw new Error(stderr.toString());
    });
    return WebAssembly.compile(readFileSync(wasm));
  })();
  const { exports } = await WebAssembly.instantiate(await compiled, {
    env: {
      abort() {
        throw new Error('abort in the decoder');
      },
    },
  });
  return exports as unknown as Exports;
}

export interface DecodedEvent {
  readonly kind: number;
  readonly seq: bigint;
  readonly fields: readonly [bigint, bigint, bigint, bigint];
}

export interface Sink {
  access(site: number, address: bigint): void;
  event?(event: DecodedEvent): void;
}

export const STOP_INPUT = 1;
export const STOP_EVENT = 2;
export const STOP_ERROR = 3;

/** Decodes a whole stream; sites keep the process's numbers. Returns the final STOP_*. */
export function decodeStream(
  kernel: Exports,
  sites: readonly Site[],
  bytes: Uint8Array,
  sink: Sink,
  limit = 16384,
): number {
  const process = kernel.processCreate();
  addSites(kernel, process, sites);
  const decoder = kernel.decoderCreate(process);
  return decodeWith(kernel, decoder, bytes, sink, limit);
}

export function addSites(kernel: Exports, process: number, sites: readonly Site[]): void {
  const pc = kernel.__new(sites.length * 8, 0);
  const kind = kernel.__new(sites.length * 2, 0);
  const number = kernel.__new(sites.length * 4, 0);
  const view = new DataView(kernel.memory.buffer);
  sites.forEach((site, i) => {
    view.setBigUint64(pc + i * 8, site.pc, true);
    view.setUint16(kind + i * 2, site.kind, true);
    view.setUint32(number + i * 4, i, true);
  });
  kernel.processAddSites(process, 0, sites.length, pc, kind, number);
}

export function decodeWith(kernel: Exports, decoder: number, bytes: Uint8Array, sink: Sink, limit = 16384): number {
  const input = kernel.__new(Math.max(bytes.length, 1), 0);
  new Uint8Array(kernel.memory.buffer).set(bytes, input);
  kernel.decoderInput(decoder, input, bytes.length);
  for (;;) {
    const stop = kernel.decode(decoder, limit);
    const count = kernel.batchCount.value as number;
    const site = new Uint32Array(kernel.memory.buffer, kernel.batchSite.value as number, count);
    const address = new BigUint64Array(kernel.memory.buffer, kernel.batchAddress.value as number, count);
    for (let i = 0; i < count; i++) sink.access(site[i] as number, address[i] as bigint);
    if (stop === STOP_EVENT) {
      const word = (g: WebAssembly.Global) => BigInt.asUintN(64, g.value as bigint);
      sink.event?.({
        kind: kernel.eventKind.value as number,
        seq: word(kernel.eventSeq),
        fields: [word(kernel.eventA), word(kernel.eventB), word(kernel.eventC), word(kernel.eventD)],
      });
    } else if (stop !== 0) return stop;
  }
}

// ---- building ----

export const RUNTIME_FLAGS = [
  '-O2',
  '-g',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-builtin',
  '-fexceptions',
  '-ftls-model=initial-exec',
  '-Wall',
  '-Wextra',
  '-Werror',
];

/** The runtime as a shared object; the verifying build also writes every step raw. */
export async function buildRuntime({ verify = false, compiler = 'gcc' } = {}): Promise<string> {
  const sources = readdirSync(RUNTIME)
    .filter(name => /\.[ch]$/.test(name))
    .map(name => path.join(RUNTIME, name));
  return cached(`libpagelens-${compiler}${verify ? '-verify' : ''}.so`, sources, target => {
    const defines = verify ? ['-DPAGELENS_VERIFY'] : [];
    const units = sources.filter(name => name.endsWith('.c'));
    execFileSync(compiler, [...RUNTIME_FLAGS, ...defines, '-shared', '-o', target, ...units, '-ldl', '-pthread'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  });
}

/** Compiler flags that hook a program's accesses: the core of core/record/flags.ts. */
export function hookFlags(compiler: string): string[] {
  const common = ['-g', '-fsanitize=thread', '-U__SANITIZE_THREAD__'];
  if (/clang/.test(compiler)) return [...common, '-mllvm', '-tsan-instrument-read-before-write=1'];
  return [...common, '-fno-builtin-memcpy', '-fno-builtin-memset', '-fno-builtin-memcmp', '-fno-builtin-strcpy'];
}

/** Compiles one source file against the runtime. */
export function buildProgram(
  source: string,
  target: string,
  runtime: string,
  compiler: string,
  flags: readonly string[],
): void {
  const object = `${target}.o`;
  execFileSync(compiler, [...flags, ...hookFlags(compiler), '-c', source, '-o', object], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  execFileSync(
    compiler,
    [object, runtime, `-Wl,-rpath,${path.dirname(runtime)}`, '-o', target, '-lm', '-pthread', '-ldl'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
}

export function hasCompiler(name: string): boolean {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A scratch folder that goes away with the test file. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(path.join(scratch, 'case-'));
  return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
