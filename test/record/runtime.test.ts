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
  hasCompiler,
  hookFlags,
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
const source = (name: string) => path.join(ROOT, 'test/programs/record', name);
const CALL = 6;
const REMAP = 6;
const BRK = 7;
const IDLE = 2;

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

/** Builds and runs a program of test/programs/record recorded; what it printed, and what was recorded. */
function record(executable: string): { readonly lines: string[][]; readonly run: Run } {
  const directory = makeRun(folder.path);
  const env = { ...process.env, PAGELENS_RUN: directory };
  const output = execFileSync(executable, { env, encoding: 'utf8' });
  const lines = output.trim().split('\n');
  return { lines: lines.map(line => line.split(' ')), run: readRun(directory) };
}

let runtime: string;
let run: Run;
let decoded: Map<number, Decoded>;
let parent: Decoded;
let printed: Map<string, bigint[]>;

beforeAll(async () => {
  runtime = await buildRuntime();
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

describe.each(
  [
    ['gcc', 'g++'],
    ['clang', 'clang++'],
  ].filter(([c = '']) => hasCompiler(c)),
)('built with %s', (c, cpp) => {
  it('every form of allocation and release is an event, and every size of atomic a read and a write', async () => {
    const executable = path.join(folder.path, `forms-${c}`);
    buildProgram(source('forms.cpp'), executable, runtime, cpp, [
      '-O1',
      '-std=c++17',
      '-fsized-deallocation',
      '-mcx16',
    ]);
    const { lines, run: recorded } = record(executable);
    const { events, accesses } = (await decodeAll(recorded)).get(0) as Decoded;
    const own = events.filter(({ kind, fields }) => kind === ALLOC && fields[1] !== 1024n); // but not stdio's buffer
    // MALLOC 0, CALLOC 1, REALLOC 2, ALIGNED 3, NEW 4
    const start = own.findIndex(({ fields }) => fields[1] === 1n);
    expect(own.slice(start, start + 16).map(({ fields }) => `${fields[3]}:${fields[1]}`)).toEqual([
      ...['4:1', '4:1001', '4:1002', '4:1003', '4:1004', '4:64', '4:192', '4:1005'],
      ...['0:1006', '1:1007', '2:1008', '2:1009', '3:1152', '3:1010', '3:1011', '0:8'],
    ]);
    // Each of these blocks is given back: a resized one by the event before its successor.
    const live = new Set<bigint>();
    const first = events.indexOf(own[start] as DecodedEvent);
    const last = events.indexOf(own[start + 15] as DecodedEvent);
    for (const { kind, fields } of events.slice(first, last + 2)) {
      if (kind === ALLOC) live.add(fields[0]);
      else if (kind === FREE) expect(live.delete(fields[0])).toBe(true);
    }
    expect(live.size).toBe(0);

    const [map, moved] = (lines[0] as string[]).slice(1).map(BigInt) as [bigint, bigint];
    expect(events.find(event => event.kind === REMAP)?.fields).toEqual([map, 8192n, moved, 20480n]);
    const end = BigInt(lines[1]?.[1] as string);
    // The first says where the heap ended when recording began.
    expect(events.filter(event => event.kind === BRK).map(event => event.fields[0])).toEqual([
      end,
      end + 4096n,
      end + 8192n,
    ]);

    const atomics = (lines[2] as string[]).slice(1).map(BigInt);
    atomics.forEach((at, log2) => {
      const kinds = accesses.filter(access => access.address === at).map(access => access.kind);
      const read = 64 + (log2 << 3);
      const write = read + 1;
      expect([log2, ...kinds]).toEqual([log2, read, write, read, write, read, write, read, write]);
    });
  });

  it('a library loaded by its bare name is found as the program itself would, and recorded', async () => {
    const plugins = path.join(folder.path, `plugins-${c}`);
    mkdirSync(plugins);
    const library = path.join(plugins, 'libplugin.so');
    execFileSync(c, ['-O2', '-fPIC', ...hookFlags(c), '-c', source('plugin.c'), '-o', `${library}.o`]);
    execFileSync(c, ['-shared', `${library}.o`, '-o', library]);
    const executable = path.join(folder.path, `loader-${c}`);
    buildProgram(source('loader.c'), executable, runtime, c, ['-O2']);
    const paths = `-Wl,-rpath,${path.dirname(runtime)}:$ORIGIN/plugins-${c},--enable-new-dtags`;
    execFileSync(c, [`${executable}.o`, runtime, paths, '-o', executable, '-ldl']);
    const { lines, run: recorded } = record(executable);
    expect(lines).toEqual([['332']]);
    const module = recorded.processes.get(0)?.modules.findIndex(m => m.path === library) ?? -1;
    const sites = recorded.processes.get(0)?.sites ?? [];
    let writes = 0;
    for (const { bytes } of recorded.streams) {
      decodeStream(await loadDecoder(), sites, bytes, {
        access(site) {
          const { kind, module: of } = sites[site] as { kind: number; module: number };
          if (of === module && (kind & 7) === 1) writes++;
        },
      });
    }
    expect(writes).toBe(333);
  });
});

describe('starting programs', () => {
  const executable = path.join(folder.path, 'spawns');
  let recorded: Run;
  let accesses: Map<number, Decoded>;
  beforeAll(async () => {
    buildProgram(source('spawns.c'), executable, runtime, 'gcc', ['-O2']);
    ({ run: recorded } = record(executable));
    accesses = await decodeAll(recorded);
  });

  it('records what posix_spawn, system, popen, vfork and exec start, whatever environment they are given', () => {
    const writes = [...accesses.values()].map(({ accesses: of }) => of.filter(({ kind }) => (kind & 7) === 1).length);
    // The last stream of the program is its handler's, with one write. The children of vfork and fork each write the
    // variable `child`, which is in memory, and the latter one of `marks`, before they become another program.
    expect(writes.sort((a, b) => a - b)).toEqual([1, 1, 2, 101, 102, 103, 104, 105, 106]);
  });

  it("leaves a handler's stream idle when the handler returned, so that nobody waits for it", () => {
    const handlers = recorded.streams.filter(stream => stream.signal);
    expect(handlers.map(stream => [stream.process, stream.state])).toEqual([[0, IDLE]]);
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
