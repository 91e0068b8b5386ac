/** What the runtime reports of allocations, bulk operations, atomics, system calls and processes, and its limits. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildProgram,
  buildRuntime,
  type DecodedEvent,
  decodeStream,
  loadDecoder,
  makeRun,
  ROOT,
  type Run,
  readRun,
  scratchFolder,
} from './rundir.js';

const folder = scratchFolder();
afterAll(() => folder.remove());
const program = path.join(folder.path, 'events');
const loops = path.join(folder.path, 'loops');
const ALLOC = 2;
const FREE = 3;
const MAP = 4;
const UNMAP = 5;
const SYSCALL = 10;
const KERNEL_WRITE = 11;
const FORK = 12;
const EXEC = 13;
const CALL = 6;

interface Decoded {
  readonly accesses: { readonly kind: number; readonly address: bigint }[];
  readonly events: DecodedEvent[];
}

async function decodeAll(run: Run): Promise<Map<number, Decoded>> {
  const decoded = new Map<number, Decoded>();
  for (const stream of run.streams) {
    const sites = run.processes.get(stream.process)?.sites ?? [];
    const result: Decoded = { accesses: [], events: [] };
    decodeStream(await loadDecoder(), sites, stream.bytes, {
      access: (site, address) => result.accesses.push({ kind: sites[site]?.kind ?? -1, address }),
      event: event => result.events.push(event),
    });
    decoded.set(stream.process, result);
  }
  return decoded;
}

let run: Run;
let decoded: Map<number, Decoded>;
let parent: Decoded;
let printed: Map<string, bigint[]>;

beforeAll(async () => {
  const runtime = await buildRuntime();
  const source = (name: string) => path.join(ROOT, 'test/programs/record', name);
  buildProgram(source('events.c'), program, runtime, 'gcc', ['-O2']);
  buildProgram(source('loops.c'), loops, runtime, 'gcc', ['-O2']);
  const directory = makeRun(folder.path);
  const output = execFileSync(program, { env: { ...process.env, PAGELENS_RUN: directory }, encoding: 'utf8' });
  printed = new Map(
    output
      .trim()
      .split('\n')
      .map(line => line.split(' '))
      .map(([name = '', ...values]) => [name, values.map(BigInt)]),
  );
  run = readRun(directory);
  decoded = await decodeAll(run);
  parent = decoded.get(0) as Decoded;
});

const address = (name: string, i = 0) => printed.get(name)?.[i] as bigint;
const of = (kind: number) => parent.events.filter(event => event.kind === kind);

describe('events', () => {
  it("names an allocation inside libc by the program's own call", () => {
    const alloc = of(ALLOC).find(event => event.fields[0] === address('duplicate'));
    expect(alloc?.fields[1]).toBe(22n); // "some text of the user" and its terminator
    // The call lies in the little function `duplicate`.
    const distance = (alloc?.fields[2] ?? 0n) - address('duplicate', 1);
    expect(distance > 0n && distance < 120n).toBe(true);
    const site = run.processes.get(0)?.sites.find(s => s.pc === alloc?.fields[2] && s.kind === CALL);
    expect(site).toBeDefined();
  });

  it('numbers a free after its allocation', () => {
    const alloc = of(ALLOC).find(event => event.fields[0] === address('duplicate'));
    const free = of(FREE).find(event => event.fields[0] === address('duplicate') && event.seq > (alloc?.seq ?? 0n));
    expect(free).toBeDefined();
  });

  it('reports mappings in whole pages', () => {
    expect(of(MAP).find(event => event.fields[0] === address('mmap'))?.fields[1]).toBe(12288n);
    expect(of(UNMAP).find(event => event.fields[0] === address('mmap'))?.fields[1]).toBe(12288n);
  });

  it('reports a read with its result, and the bytes that the kernel wrote', () => {
    expect(of(SYSCALL).some(({ fields }) => fields[0] === 0n && fields[1] === 5n && fields[2] === 5n)).toBe(true);
    expect(of(KERNEL_WRITE).some(({ fields }) => fields[0] === address('read') && fields[1] === 5n)).toBe(true);
  });

  it('takes sequence numbers that only rise within a stream', () => {
    for (const { events } of decoded.values()) {
      const numbers = events.map(event => event.seq).filter(seq => seq !== 0n);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)));
    }
  });
});

describe('accesses', () => {
  it('counts a failed compare-and-swap as one read and a successful one as a read and a write', () => {
    const kinds = parent.accesses.filter(access => access.address === address('value')).map(access => access.kind);
    const atomic = 64 + (2 << 3);
    expect(kinds).toEqual([atomic, atomic, atomic + 1]);
  });

  it('expands a bulk write to one access per started line', () => {
    const start = address('memset');
    const lines = parent.accesses.filter(({ kind, address: a }) => (kind & 7) === 3 && a >= start && a < start + 200n);
    expect(lines.map(line => line.address - start)).toEqual([0n, 8n, 72n, 136n]);
  });
});

describe('processes', () => {
  it('gives a forked child and an exec image their own processes in the run', () => {
    const fork = of(FORK)[0];
    expect(fork?.fields[0]).toBe(1n);
    const child = run.processes.get(1);
    expect(child?.parent).toBe(0);
    expect(child?.forkSeq).toBe(fork?.seq);
    expect(decoded.get(1)?.events.some(event => event.kind === EXEC)).toBe(true);
    // The image was given an empty environment and still joins.
    expect(run.processes.get(2)?.parent).toBeNull();
    expect(run.processes.get(2)?.pid).toBe(child?.pid);
    expect(decoded.get(2)?.accesses.some(access => access.kind === 64 + 1 + (2 << 3))).toBe(true);
  });

  it('announces the executable with its build id', () => {
    const id = /Build ID: ([0-9a-f]+)/.exec(execFileSync('readelf', ['-n', program], { encoding: 'utf8' }))?.[1];
    const module = run.processes.get(0)?.modules.find(m => m.path === program);
    expect(module?.buildId).toBe(id ?? '');
  });
});

describe('limits', () => {
  const output = (env: NodeJS.ProcessEnv) =>
    execFileSync(loops, { env: { ...process.env, ...env }, encoding: 'utf8', stdio: 'pipe' });

  it('changes nothing of a program that is not recorded', () => {
    const plain = path.join(folder.path, 'plain');
    execFileSync('gcc', ['-O2', path.join(ROOT, 'test/programs/record/loops.c'), '-o', plain]);
    expect(output({})).toBe(execFileSync(plain, { encoding: 'utf8' }));
    expect(output({ PAGELENS_RUN: path.join(folder.path, 'absent') })).toBe(output({}));
  });

  it('stops recording at the byte limit, says so, and lets the program go on', () => {
    // Room for no chunk at all.
    const directory = makeRun(folder.path, { maxBytes: 1000n });
    expect(output({ PAGELENS_RUN: directory })).toBe(output({}));
    expect(readRun(directory).processes.get(0)?.lost[0]).toMatchObject({ stream: 0, reason: 2 });
  });

  it('records nothing more when the driver asked to stop', () => {
    const directory = makeRun(folder.path);
    const page = readFileSync(path.join(directory, 'run'));
    page.writeBigUInt64LE(1n, 256);
    writeFileSync(path.join(directory, 'run'), page);
    expect(output({ PAGELENS_RUN: directory })).toBe(output({}));
    expect(readRun(directory).processes.size).toBe(0);
  });

  it('goes on unrecorded when the run directory holds no run', () => {
    const directory = path.join(folder.path, 'empty');
    mkdirSync(directory);
    expect(output({ PAGELENS_RUN: directory })).toBe(output({}));
  });
});
