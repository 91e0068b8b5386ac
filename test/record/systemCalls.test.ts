/**
 * System calls that libc makes inside itself are recorded, each once, with the numbers that strace sees; and programs
 * that do to signals, stacks and processes what a trap could disturb behave as they do unrecorded.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

const MAP = 4;
const UNMAP = 5;
const REMAP = 6;
const BRK = 7;
const SYSCALL = 10;
const KERNEL_WRITE = 11;
const GETPGID = 121;
const WRITE = 1n;

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
