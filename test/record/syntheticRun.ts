/** Writes run directories as the C runtime does (runtime/layout.h), record by record, so that tests choose every moment. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const NONE = 0xffffffff;
const CHUNK_BYTES = 8192;

export class SyntheticRun {
  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    const page = Buffer.alloc(4096);
    page.write('PLRUN001', 'latin1');
    writeFileSync(path.join(folder, 'run'), page);
    this.counters({ nextSeq: 1 });
  }

  counters(values: { nextSeq?: number; nextProcess?: number; nextStream?: number }): void {
    const page = this.file('run');
    if (values.nextSeq !== undefined) page.writeBigUInt64LE(BigInt(values.nextSeq), 64);
    if (values.nextProcess !== undefined) page.writeBigUInt64LE(BigInt(values.nextProcess), 128);
    if (values.nextStream !== undefined) page.writeBigUInt64LE(BigInt(values.nextStream), 192);
    writeFileSync(path.join(this.folder, 'run'), page);
  }

  /** Sets a reason in the run page, as the runtime does when it has no room for a record. */
  lostFor(reason: number): void {
    const page = this.file('run');
    page.writeBigUInt64LE(page.readBigUInt64LE(336) | (1n << BigInt(reason)), 336);
    writeFileSync(path.join(this.folder, 'run'), page);
  }

  get stopAsked(): boolean {
    return this.file('run').readBigUInt64LE(256) === 1n;
  }

  /** `pid` defaults to one that cannot live (above the kernel's limit of 2^22). */
  process(
    process: number,
    options: { pid?: number; parent?: number; forkSeq?: number; path?: string; insideLibc?: boolean } = {},
  ): void {
    const head = Buffer.alloc(24);
    for (const [i, n] of [
      process,
      options.pid ?? 5_000_000 + process,
      options.parent ?? NONE,
      Number(options.insideLibc ?? true),
    ].entries())
      head.writeUInt32LE(n, 4 * i);
    head.writeBigUInt64LE(BigInt(options.forkSeq ?? 0), 16);
    this.meta(process, 1, Buffer.concat([head, Buffer.from(options.path ?? '/bin/program')]));
    this.counters({ nextProcess: process + 1 });
  }

  thread(process: number, stream: number, tid: number, signal = false): void {
    this.meta(process, 2, u32(stream, tid, signal ? 1 : 0, 0));
  }

  module(process: number, local: number, options: { base: bigint; path: string; id?: string }): void {
    const id = Buffer.from(options.id ?? '', 'hex');
    const name = Buffer.from(options.path);
    const parts = [
      u32(local, 2),
      u64(options.base),
      u64(0n, 4096n, 0n),
      u64(8192n, 4096n, 1n),
      u32(id.length, name.length),
    ];
    this.meta(process, 3, Buffer.concat([...parts, id, name]));
  }

  site(process: number, site: number, kind: number, pc: bigint, module = NONE): void {
    this.meta(process, 4, Buffer.concat([u32(site, kind), u64(pc), u32(module, 0)]));
  }

  fileName(process: number, index: number, name: string): void {
    this.meta(process, 5, Buffer.concat([u32(index, Buffer.byteLength(name)), Buffer.from(name)]));
  }

  warning(process: number, text: string): void {
    this.meta(process, 6, Buffer.from(text));
  }

  lost(process: number, stream: number, reason: number): void {
    this.meta(process, 7, u32(stream, reason));
  }

  meta(process: number, type: number, payload: Uint8Array): void {
    this.metaBytes(process, Buffer.concat([u32(type, payload.length), payload, Buffer.alloc(-payload.length & 7)]));
  }

  metaBytes(process: number, bytes: Uint8Array): void {
    appendFileSync(path.join(this.folder, `p${process}.meta`), bytes);
  }

  stream(process: number, stream: number, tid: number): SyntheticStream {
    this.counters({ nextStream: stream + 1 });
    return new SyntheticStream(this.folder, process, stream, tid);
  }

  exists(name: string): boolean {
    return existsSync(path.join(this.folder, name));
  }

  private file(name: string): Buffer {
    return readFileSync(path.join(this.folder, name));
  }
}

export class SyntheticStream {
  /** Everything committed: what the drain should find. */
  written: Buffer = Buffer.alloc(0);
  state = 1;
  lastSeq = 0;
  /** Steps in committed records, and those predicted since. */
  heldSteps = 0;
  pending = 0;
  adjust = 0;
  private room = 0;

  constructor(
    readonly folder: string,
    readonly process: number,
    readonly stream: number,
    readonly tid: number,
  ) {
    this.publish();
  }

  /** Appends whole records that hold `steps` steps; a record that does not fit into the chunk goes to the next. */
  record(bytes: Uint8Array, steps = 1): this {
    if (bytes.length > this.room) {
      this.append(Buffer.alloc(this.room, 0xff));
      this.room = CHUNK_BYTES;
    }
    this.append(bytes);
    this.room -= bytes.length;
    this.heldSteps += steps + this.pending;
    this.pending = 0;
    this.publish();
    return this;
  }

  set(values: Partial<Pick<SyntheticStream, 'state' | 'lastSeq' | 'pending' | 'adjust'>>): this {
    Object.assign(this, values);
    this.publish();
    return this;
  }

  /** Overwrites a field of the control page. */
  poke(offset: number, value: bigint): void {
    const file = path.join(this.folder, `s${this.stream}.ctl`);
    const page = readFileSync(file);
    page.writeBigUInt64LE(value, offset);
    writeFileSync(file, page);
  }

  private append(bytes: Uint8Array): void {
    const chunk = Math.floor(this.written.length / CHUNK_BYTES);
    const file = path.join(this.folder, `s${this.stream}.${chunk}`);
    if (bytes.length > 0) {
      const content = existsSync(file) ? readFileSync(file) : Buffer.alloc(CHUNK_BYTES);
      content.set(bytes, this.written.length % CHUNK_BYTES);
      writeFileSync(file, content);
    }
    this.written = Buffer.concat([this.written, bytes]);
  }

  private publish(): void {
    const page = Buffer.alloc(4096);
    page.write('PLSTR001', 'latin1');
    const fields: [number, number][] = [
      [8, this.process],
      [16, this.tid],
      [24, CHUNK_BYTES],
      [32, this.state],
      [64, this.written.length],
      [72, this.heldSteps + this.pending],
      [80, this.lastSeq],
      // The entry in use alternates; the other one is stale.
      [this.heldSteps % 2 ? 128 : 144, this.written.length],
      [this.heldSteps % 2 ? 136 : 152, this.heldSteps],
      [this.heldSteps % 2 ? 144 : 128, 999_999_999],
    ];
    for (const [offset, value] of fields) page.writeBigUInt64LE(BigInt(value), offset);
    page.writeBigInt64LE(BigInt(this.adjust), 88);
    writeFileSync(path.join(this.folder, `s${this.stream}.ctl`), page);
  }
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
}

function u64(...values: bigint[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(value, 8 * i);
  return bytes;
}
