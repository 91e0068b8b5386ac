/**
 * The counting half of the replay kernel as the host sees it: instantiates `kernel.wasm`, feeds it sites, modules and
 * stream bytes, runs it, and gives typed views of its memory.
 *
 * One `Kernel` is one replay. What it tells the machine half goes to `deliver`. Its memory grows while it runs, which detaches every view taken before: take views from
 * `u32` and the like where they are used, and do not keep them across a call into the kernel.
 */
import { BATCH } from '../kernel/abi.js';
import type { ModuleBlock, SitesBlock } from '../trace/blocks.js';
import { guarded, instantiate } from './instance.js';
import type { SiteTimesExports } from './siteTimes.js';

/** Why `run` returned; RUN_* of kernel/run.ts. */
export type RunStop =
  /** The stream's bytes are used up: give more, or it is at its end. */
  | { readonly stop: 'input' }
  /** An event with number `seq` at or above the limit comes next: another stream's turn. */
  | { readonly stop: 'turn'; readonly seq: bigint }
  /** The run's accesses reached a multiple of SLICE. */
  | { readonly stop: 'slice' }
  | { readonly stop: 'fork'; readonly child: number }
  /** The process called exec: its streams end. */
  | { readonly stop: 'exec' }
  /** The thread or signal handler ended. */
  | { readonly stop: 'exit' }
  /** The stream is damaged at this offset of the bytes given last. */
  | { readonly stop: 'error'; readonly offset: number };

/** A stream in the kernel. */
export interface KernelStream {
  readonly record: number;
  readonly decoder: number;
  readonly vcpu: number;
  /** Its input in kernel memory. */
  input: number;
  inputBytes: number;
}

interface Global {
  readonly value: number;
}
interface BigGlobal {
  readonly value: bigint;
}

/** The kernel's exports that its host uses; addresses are numbers, 64-bit integers bigints. */
export interface KernelExports extends SiteTimesExports {
  readonly memory: WebAssembly.Memory;
  readonly failure: Global;
  allocate(bytes: number): number;
  release(block: number, bytes: number): void;
  // Set-up.
  setPageSize(bytes: number): void;
  addSampler(stream: number, period: number, jitter: number, seed: number, directions: number, level: number): void;
  setEpochLength(accesses: bigint): void;
  setEpochLimits(start: bigint, maximum: number, rows: number): void;
  processStart(process: number): number;
  processRecord(process: number): number;
  processAddSites(decoderProcess: number, first: number, count: number, pc: number, kind: number, site: number): void;
  defineSites(count: number, sites: number, kinds: number): void;
  threadCreate(process: number): number;
  streamCreate(decoder: number, vcpu: number, thread: number, signal: number): number;
  decoderCreate(decoderProcess: number): number;
  decoderInput(decoder: number, bytes: number, length: number): void;
  makeImage(count: number): number;
  setGlobal(image: number, index: number, start: bigint, end: bigint, module: number, row: number): void;
  mapModule(process: number, address: bigint, length: bigint, module: number, image: number): void;
  nameFile(process: number, index: number, name: number): void;
  nameMark(process: number, index: number, name: number): void;
  // Replay.
  run(stream: number, limit: bigint): number;
  batchLimit(): number;
  replayBatch(vcpu: number, count: number): void;
  finishRun(): void;
  flushOutbox(): void;
  readonly stampSeq: BigGlobal;
  readonly forkedProcess: Global;
  readonly accesses: BigGlobal;
  readonly systemCalls: BigGlobal;
  readonly decodeErrorOffset: BigGlobal;
  readonly batchSite: Global;
  readonly batchAddress: Global;
  // What programs do to their address space; `process` is a record of `processRecord`.
  allocBlock(process: number, address: bigint, size: bigint, object: number): void;
  freeBlock(process: number, address: bigint): void;
  mapRange(process: number, address: bigint, length: bigint, object: number, image: number): void;
  unmapRange(process: number, address: bigint, length: bigint): void;
  remapRange(process: number, from: bigint, oldLength: bigint, to: bigint, newLength: bigint): void;
  setBreak(process: number, end: bigint, object: number): void;
  addStack(process: number, low: bigint, high: bigint, thread: number): void;
  removeStack(process: number, low: bigint, high: bigint): void;
  forkProcess(parent: number, child: number): void;
  endProcess(process: number): void;
  touchAddress(process: number, address: bigint): number;
  stackObjectOfSites(kind: number, sites: number, length: number): number;
  plainObject(kind: number, a: number, b: number): number;
  countBlock(object: number): void;
  // Results.
  readonly objectCount: Global;
  objectRecord(object: number): number;
  readonly liveLogCount: Global;
  readonly liveLogFull: Global;
  liveLogEnd(): void;
  liveLogEntry(index: number): number;
  readonly contextCount: Global;
  contextRecord(context: number): number;
  readonly contextsFull: Global;
  readonly pairCount: Global;
  pairRecord(pair: number): number;
  readonly siteCount: Global;
  siteWrites(site: number): number;
  readonly pageCount: Global;
  pageRecord(page: number): number;
  pageCounts(): number;
  readonly entryCount: Global;
  entryRecord(entry: number): number;
  readonly epochCount: Global;
  readonly epochLength: BigGlobal;
  readonly epochsPerBin: Global;
  epochRecord(epoch: number): number;
  readonly rowCount: Global;
  heatRow(row: number): number;
  extentCount(process: number): number;
  extentsOf(process: number): number;
  unionAdd(site: number): void;
  unionTake(): number;
  // Regions and phases.
  readonly regionCount: Global;
  regionRecord(node: number): number;
  unionAddRegion(node: number): void;
  readonly stretchCount: Global;
  readonly stretchesFull: Global;
  stretchRecord(index: number): number;
}

/** One number for each name of the run, whatever the processes call it. */
class NameNumbers {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.names.length;
      this.names.push(name);
      this.#numbers.set(name, number);
    }
    return number;
  }
}

const STOPS = ['input', 'turn', 'slice', 'fork', 'exec', 'error', 'exit'] as const;

export interface KernelOptions {
  readonly pageSize: 4096 | 2097152;
  /** Length of an epoch in accesses, 1 to 2^31; 0: chosen from the run. */
  readonly epochAccesses: number;
  /** Takes what the machine half is told; the bytes are the callee's for the time of the call. Without it: nobody. */
  readonly deliver?: (messages: Uint8Array) => void;
}

export class Kernel {
  readonly exports: KernelExports;
  readonly pageSize: 4096 | 2097152;
  readonly #fileNumbers = new NameNumbers();
  readonly #markNumbers = new NameNumbers();
  readonly #processes = new Set<number>();

  constructor(options: KernelOptions) {
    const { deliver } = options;
    this.exports = instantiate((at, bytes) => deliver?.(this.u8(at, bytes)));
    this.pageSize = options.pageSize;
    this.exports.setPageSize(options.pageSize);
    this.exports.setEpochLength(BigInt(options.epochAccesses));
  }

  /** Run-wide names of mapped files, as `RawObjects.name` gives them. */
  get fileNames(): readonly string[] {
    return this.#fileNumbers.names;
  }

  /** Run-wide names of regions, phases and tags. */
  get markNames(): readonly string[] {
    return this.#markNumbers.names;
  }

  /** Calls into the kernel; a trap becomes an error that says why. */
  guard<T>(call: () => T): T {
    return guarded(this.exports, call);
  }

  // Addresses come out of WebAssembly as signed numbers: from 2 GiB on they are negative.
  u8(address: number, length: number): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer, address >>> 0, length);
  }
  u16(address: number, length: number): Uint16Array {
    return new Uint16Array(this.exports.memory.buffer, address >>> 0, length);
  }
  u32(address: number, length: number): Uint32Array {
    return new Uint32Array(this.exports.memory.buffer, address >>> 0, length);
  }
  u64(address: number, length: number): BigUint64Array {
    return new BigUint64Array(this.exports.memory.buffer, address >>> 0, length);
  }
  f64(address: number, length: number): Float64Array {
    return new Float64Array(this.exports.memory.buffer, address >>> 0, length);
  }

  /** Bytes of kernel memory. */
  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  /** Accesses replayed so far, and pages touched. */
  get progress(): { readonly accesses: number; readonly pages: number } {
    return { accesses: Number(this.exports.accesses.value), pages: this.exports.pageCount.value };
  }

  /** What each process ever had mapped: page numbers [first, end), ascending by process, then first. */
  mappings(): { readonly process: number; readonly first: number; readonly end: number }[] {
    const tiles = this.pageSize / 4096;
    return [...this.#processes]
      .sort((a, b) => a - b)
      .flatMap(process => {
        const extents = this.u64(this.exports.extentsOf(process), 2 * this.exports.extentCount(process));
        return Array.from({ length: extents.length / 2 }, (_, i) => ({
          process,
          first: Math.floor(Number(extents[2 * i]) / tiles),
          end: Math.ceil(Number(extents[2 * i + 1]) / tiles),
        }));
      });
  }

  /** Announces a process, by its dense number, before anything else of it. */
  defineProcess(process: number): void {
    this.#processes.add(process);
    this.guard(() => this.exports.processStart(process));
  }

  /** New sites of a process. `numbers[i]` is the run-wide number of local site `block.first + i`. */
  defineSites(block: Pick<SitesBlock, 'process' | 'first' | 'pc' | 'kind'>, numbers: Uint32Array): void {
    const count = numbers.length;
    this.#lend([block.pc, numbers, block.kind], ([pc, site, kind]) => {
      this.exports.defineSites(count, site, kind);
      this.exports.processAddSites(this.exports.processStart(block.process), block.first, count, pc, kind, site);
    });
  }

  /** Sites of the run without a process: for tests and imported traces that have no program counters. */
  defineRunSites(numbers: Uint32Array, kinds: Uint16Array): void {
    this.#lend([numbers, kinds], ([site, kind]) => this.exports.defineSites(numbers.length, site, kind));
  }

  /** A loaded module with its globals, before replay reaches accesses to it. */
  defineModule(block: ModuleBlock): void {
    const base = BigInt(block.base);
    // Disjoint and ascending. Of aliases the widest stays; what begins inside another global belongs to that one.
    const globals = block.globals
      .map((global, row) => ({ start: global.offset, end: global.offset + global.size, row }))
      .filter(global => global.end > global.start && global.start >= 0)
      .sort((a, b) => a.start - b.start || b.end - a.end || a.row - b.row);
    let end = 0;
    const disjoint = globals.filter(global => {
      if (global.start < end) return false;
      end = global.end;
      return true;
    });
    this.guard(() => {
      const { exports } = this;
      const image = exports.makeImage(disjoint.length);
      for (const [i, global] of disjoint.entries())
        exports.setGlobal(image, i, base + BigInt(global.start), base + BigInt(global.end), block.module, global.row);
      exports.processStart(block.process);
      const process = exports.processRecord(block.process);
      for (const segment of block.segments)
        exports.mapModule(process, base + BigInt(segment.offset), BigInt(segment.size), block.module, image);
    });
  }

  /** The name that a process's marks call `index`. */
  defineMarkName(process: number, index: number, text: string): void {
    const name = this.#markNumbers.of(text);
    this.guard(() => this.exports.nameMark(this.exports.processRecord(process), index, name));
  }

  /** The name of mapped file number `index` of a process. */
  defineFile(process: number, index: number, path: string): void {
    const name = this.#fileNumbers.of(path);
    this.guard(() => this.exports.nameFile(this.exports.processRecord(process), index, name));
  }

  /** A recorded thread of a process; returns its vCPU. */
  createThread(process: number): number {
    return this.guard(() => {
      this.exports.processStart(process);
      return this.exports.threadCreate(process);
    });
  }

  /**
   * A stream on a vCPU. `thread` is the number by which `RawObjects.thread` names its stack. `signal`: it belongs to a
   * signal handler, which runs on another stream's thread and stack.
   */
  createStream(process: number, vcpu: number, thread: number, signal = false): KernelStream {
    return this.guard(() => {
      const decoder = this.exports.decoderCreate(this.exports.processStart(process));
      const record = this.exports.streamCreate(decoder, vcpu, thread, signal ? 1 : 0);
      return { record, decoder, vcpu, input: 0, inputBytes: 0 };
    });
  }

  /** Gives a stream its next bytes, whole records; only when it has none, or `run` returned 'input'. */
  feed(stream: KernelStream, bytes: Uint8Array): void {
    this.guard(() => {
      if (stream.input) this.exports.release(stream.input, stream.inputBytes);
      stream.inputBytes = bytes.length;
      stream.input = this.exports.allocate(bytes.length);
      this.u8(stream.input, bytes.length).set(bytes);
      this.exports.decoderInput(stream.decoder, stream.input, bytes.length);
    });
  }

  /** Replays a stream until it stops. Events numbered `limit` or above are another stream's turn. */
  run(stream: KernelStream, limit: bigint): RunStop {
    const stop = STOPS[this.guard(() => this.exports.run(stream.record, limit))];
    switch (stop) {
      case 'turn':
        return { stop, seq: BigInt.asUintN(64, this.exports.stampSeq.value) };
      case 'fork':
        return { stop, child: this.exports.forkedProcess.value };
      case 'error':
        return { stop, offset: Number(this.exports.decodeErrorOffset.value) };
      case 'input':
        if (stream.input) this.exports.release(stream.input, stream.inputBytes);
        stream.input = 0;
        stream.inputBytes = 0;
        return { stop };
      case undefined:
        throw new Error('the replay kernel stopped without a reason');
      default:
        return { stop };
    }
  }

  /** Replays accesses that no decoder made: columns of equal length. For tests and imported traces. */
  access(vcpu: number, sites: Uint32Array, addresses: BigUint64Array): void {
    const { exports } = this;
    for (let from = 0; from < sites.length; ) {
      const to = Math.min(sites.length, from + exports.batchLimit(), from + BATCH);
      this.u32(exports.batchSite.value, BATCH).set(sites.subarray(from, to));
      this.u64(exports.batchAddress.value, BATCH).set(addresses.subarray(from, to));
      const count = to - from;
      this.guard(() => exports.replayBatch(vcpu, count));
      from = to;
    }
  }

  /** Hands over what the machine half is to be told so far. */
  flush(): void {
    this.guard(() => this.exports.flushOutbox());
  }

  /** Ends the run: what is counted after the last epoch's border becomes an epoch. */
  finish(): void {
    this.guard(() => this.exports.finishRun());
  }

  /** Copies columns into kernel memory for one call. */
  #lend(columns: readonly ArrayBufferView[], call: (addresses: number[]) => void): void {
    this.guard(() => {
      const addresses = columns.map(column => {
        const address = this.exports.allocate(Math.max(1, column.byteLength));
        this.u8(address, column.byteLength).set(
          new Uint8Array(column.buffer as ArrayBuffer, column.byteOffset, column.byteLength),
        );
        return address;
      });
      call(addresses);
      for (const [i, column] of columns.entries()) this.exports.release(addresses[i], Math.max(1, column.byteLength));
    });
  }
}
