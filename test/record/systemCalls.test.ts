/**
 * System calls that libc makes inside itself are recorded, each once, with the numbers that strace sees; and programs
 * that do to signals, stacks and processes what a trap could disturb behave as they do unrecorded.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { record } from '../../core/record/record.js';
import { TraceFile } from '../../core/trace/reader.js';
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

const MAP = 4;
const UNMAP = 5;
const REMAP = 6;
const BRK = 7;
const SYSCALL = 10;
const KERNEL_WRITE = 11;
const GETPGID = 121;
const EXIT_GROUP = 231n;
const OPENAT = 257n;

const source = (name: string) => path.join(ROOT, 'test/programs/record', name);
const built = (name: string) => path.join(folder.path, name);
let runtime: string;

/** The same program with hooks and without. */
function buildBoth(name: string, compiler = 'gcc'): void {
  const file = source(name);
  const target = built(path.parse(name).name);
  buildProgram(file, target, runtime, compiler, ['-O2']);
  execFileSync(compiler, ['-O2', file, '-o', `${target}.plain`, '-pthread', '-lm']);
}

interface Recorded {
  readonly run: Run;
  readonly status: number | null;
  readonly signal: string | null;
  readonly output: string;
}

function runBoth(name: string, mode: string): { readonly plain: Omit<Recorded, 'run'>; readonly recorded: Recorded } {
  const call = (file: string, env: NodeJS.ProcessEnv) => {
    const options = { env, cwd: folder.path, encoding: 'utf8', timeout: 60_000, input: 'a line\n' } as const;
    const { status, signal, stdout, stderr } = spawnSync(file, [mode], options);
    return { status, signal, output: stdout + stderr };
  };
  const directory = makeRun(folder.path);
  const plain = call(`${built(name)}.plain`, process.env);
  const recorded = call(built(name), { ...process.env, PAGELENS_RUN: directory });
  return { plain, recorded: { ...recorded, run: readRun(directory) } };
}

/** The events of each stream. */
async function eventsOf(
  run: Run,
): Promise<{ tid: number; signal: boolean; process: number; events: DecodedEvent[] }[]> {
  const result = [];
  for (const { tid, signal, process, bytes } of run.streams) {
    const events: DecodedEvent[] = [];
    decodeStream(await loadDecoder(), run.processes.get(process)?.sites ?? [], bytes, {
      access() {},
      event: event => events.push(event),
    });
    result.push({ tid, signal, process, events });
  }
  return result;
}

type Counts = Record<number, number>;

function count(counts: Counts, number: number): void {
  counts[number] = (counts[number] ?? 0) + 1;
}

/** Calls by number between the marks of each thread, as strace sees them. */
function straced(mode: string): Counts {
  const log = path.join(folder.path, 'strace');
  execFileSync('strace', ['-f', '-n', '-qq', '-o', log, `${built('inside')}.plain`, mode], { cwd: folder.path });
  const counts: Counts = {};
  const open = new Set<string>();
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const match = /^(\d+) +\[ *(\d+)\] (\w+)\(|^(\d+) +\[ *(\d+)\] (\w+) resumed|^(\d+) \[ *\d+\] <\.\.\./.exec(line);
    if (!match?.[1] || !match[2]) continue;
    const tid = match[1];
    const number = Number(match[2]);
    if (number === GETPGID) {
      if (!open.delete(tid)) open.add(tid);
    } else if (open.has(tid)) count(counts, number);
  }
  return counts;
}

/** The same from what was recorded. */
async function recordedCalls(run: Run): Promise<Counts> {
  const counts: Counts = {};
  for (const { signal, process, events } of await eventsOf(run)) {
    if (process !== 0) continue;
    let open = signal;
    for (const { kind, fields } of events) {
      if (kind !== SYSCALL) continue;
      if (Number(fields[0]) === GETPGID) open = !open;
      else if (open) count(counts, Number(fields[0]));
    }
  }
  return counts;
}

beforeAll(async () => {
  runtime = await buildRuntime();
  buildBoth('inside.c');
  buildBoth('disturbed.c');
});

describe('system calls by number', () => {
  it.each(['copy', 'threads', 'blocks', 'folders', 'signals', 'commands', 'wrappers'])('%s: as strace', async mode => {
    const expected = straced(mode);
    const { recorded } = runBoth('inside', mode);
    expect(recorded.status).toBe(0);
    const found = await recordedCalls(recorded.run);
    // Whether a join has to wait depends on who is quicker.
    delete expected[202];
    delete found[202];
    expect(found).toEqual(expected);
    expect(Object.keys(found).length).toBeGreaterThan(2);
  });
});

describe('what a trap could disturb', () => {
  it.each([
    ...['masks', 'small', 'alternate', 'interrupted', 'cancellation', 'children', 'contexts', 'instruction', 'storm'],
    ...['crowd', 'errors'],
  ])('%s: the program does as it does unrecorded', async mode => {
    const { plain, recorded } = runBoth('disturbed', mode);
    expect(plain.output).toMatch(/done 1\n$/);
    expect(recorded.output).toBe(plain.output);
    expect([recorded.status, recorded.signal]).toEqual([0, null]);
    // It was recorded to its end, with the calls inside libc: `lines` opens a file. (A jump out of a handler begins a
    // new stream.)
    const streams = (await eventsOf(recorded.run)).filter(({ process }) => process === 0);
    const events = streams.flatMap(stream => stream.events);
    expect(events.filter(({ kind, fields }) => kind === SYSCALL && fields[0] === EXIT_GROUP)).toHaveLength(1);
    expect(events.some(({ kind, fields }) => kind === SYSCALL && fields[0] === OPENAT)).toBe(true);
  });

  it('sigsys: the program’s own handler, SIG_IGN and the default all work', () => {
    const { plain, recorded } = runBoth('disturbed', 'sigsys');
    expect(plain.signal).toBe('SIGSYS');
    expect(recorded.signal).toBe('SIGSYS');
    expect(plain.output).toBe('1\nSIGSYS 1 from 1, 1\n1 1\nignored\n');
    expect(recorded.output).toBe(plain.output);
  });

  it('refused: a program that asks for a dispatch of its own is told that there is none', () => {
    expect(runBoth('disturbed', 'refused').recorded.output).toBe('1\ndone 1\n');
  });
});

describe('where the kernel refuses', () => {
  beforeAll(() => {
    execFileSync('gcc', ['-O2', source('sandbox.c'), '-o', built('sandbox')]);
  });

  it.each([
    ['a sandbox', () => built('sandbox'), []],
    ['valgrind', () => 'valgrind', ['-q', '--tool=none']],
  ])('%s: the public functions are recorded as ever', async (_name, command, options) => {
    const directory = makeRun(folder.path);
    const env = { ...process.env, PAGELENS_RUN: directory };
    const call = [...options, built('inside'), 'wrappers'];
    expect(spawnSync(command(), call, { cwd: folder.path, env }).status).toBe(0);
    const { events } = (await eventsOf(readRun(directory)))[0]!;
    const numbers = new Set(events.filter(({ kind }) => kind === SYSCALL).map(({ fields }) => Number(fields[0])));
    // read, write, mmap, mkdir and sleep, but not the marks.
    for (const number of [0, 1, 9, 83, 230]) expect(numbers).toContain(number);
    expect(numbers).not.toContain(GETPGID);
  });

  it('the trace and a warning say what is not recorded', async () => {
    const script = built('sandboxed.sh');
    writeFileSync(script, `#!/bin/sh\nexec ${built('sandbox')} ${built('inside')} copy\n`, { mode: 0o755 });
    const traceFile = built('sandboxed.pltrace');
    const { warnings, complete } = await record({
      ...{ program: script, arguments: [], workingDirectory: folder.path, traceFile },
      streams: { kind: 'text', onText: () => {} },
    });
    expect(complete).toBe(true);
    expect(warnings).toContainEqual(expect.stringMatching(/^system calls and mappings that the C library makes/));
    const trace = await TraceFile.open(traceFile);
    expect(trace.processes.map(block => block.insideLibc)).toEqual([undefined]);
    await trace.close();
  });
});

describe('mappings inside libc', () => {
  it('malloc’s own mmap, mremap, munmap and brk are events, on the call stack of the program', async () => {
    const { recorded } = runBoth('inside', 'blocks');
    const { events } = (await eventsOf(recorded.run))[0]!;
    // malloc(40 MiB) and realloc to 80 MiB: a mapping of the block, its header, and what rounds it to pages.
    const map = events.find(({ kind, fields }) => kind === MAP && fields[1] === BigInt((40 << 20) + 4096))!;
    const moved = events.find(({ kind, fields }) => kind === REMAP && fields[0] === map.fields[0])!;
    expect([moved.fields[1], moved.fields[3]]).toEqual([BigInt((40 << 20) + 4096), BigInt((80 << 20) + 4096)]);
    expect(events.some(({ kind, fields }) => kind === UNMAP && fields[0] === moved.fields[2])).toBe(true);
    // 4000 blocks of 1008 bytes: the heap grows by 132 KiB at a time, and is trimmed at the end.
    const ends = events.filter(({ kind }) => kind === BRK).map(({ fields }) => fields[0]);
    const grown = ends.map((end, i) => (i > 0 ? Number(end - ends[i - 1]!) : 0)).filter(bytes => bytes > 0);
    expect(grown.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(4000 * 1008);
    expect(ends.at(-1)! < [...ends].sort().at(-1)!).toBe(true);
    // The call that the mapping is named by lies in the program, not in libc.
    const { sites, modules } = recorded.run.processes.get(0)!;
    const site = sites.find(({ pc, kind }) => pc === map.fields[2] && kind === 6)!;
    expect(modules[site.module]?.path).toBe(built('inside'));
    // Each was made once.
    const calls = (number: number) =>
      events.filter(({ kind, fields }) => kind === SYSCALL && Number(fields[0]) === number).length;
    expect(calls(9)).toBe(events.filter(({ kind }) => kind === MAP).length);
    expect(calls(25)).toBe(1);
  });

  it('what the kernel reads into a buffer of stdio touches its pages', async () => {
    const { recorded } = runBoth('inside', 'copy');
    const { events } = (await eventsOf(recorded.run))[0]!;
    // 30,000 numbers, one a line: 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5 + 20000 * 6 bytes, read twice.
    const written = events.filter(
      ({ kind, fields }) => kind === KERNEL_WRITE && fields[1] <= 4096n && fields[1] > 200n,
    );
    const read = events.filter(({ kind, fields }) => kind === SYSCALL && fields[0] === 0n);
    expect(read.reduce((sum, { fields }) => sum + fields[2], 0n)).toBe(2n * 168_890n);
    expect(written.reduce((sum, { fields }) => sum + fields[1], 0n)).toBe(2n * 168_890n);
  });
});
