/**
 * The drain behind the real runtime: what a program recorded, drained while it runs or after it was killed, written to a
 * file, read back and decoded, is what the verifying runtime wrote raw, access by access.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { Drain } from '../../core/record/drain.js';
import { TraceFile } from '../../core/trace/reader.js';
import { TraceWriter } from '../../core/trace/writer.js';
import { header, temporaryFolder } from '../trace/blocks.js';
import { compareRun } from './compare.js';
import { buildProgram, buildRuntime, hasCompiler, makeRun, type Process, type Run } from './rundir.js';

const folder = temporaryFolder();

/** Threads and a forked child walk a table at random, so that predictions fail and records fill several chunks. */
const SOURCE = `
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#define WORDS (1 << 14)
static unsigned table[4][WORDS];
static int steps;
static void *walk(void *which) {
  unsigned *mine = table[(long)which], at = 1;
  for (int i = (long)which == 2 ? 0 : steps * 3 / 4; i < steps; i++) {
    at = at * 1664525 + 1013904223;
    mine[at >> 16 & (WORDS - 1)] += i;
  }
  for (int i = 0; i < WORDS; i++) mine[i] ^= 1; /* predicted to the end: pending hits */
  return NULL;
}
int main(int argc, char **argv) {
  steps = atoi(argv[1]);
  pthread_t threads[2];
  for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, walk, (void *)i);
  walk((void *)2);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  if (fork() == 0) { walk((void *)3); _exit(0); }
  wait(NULL);
  return argc - 2;
}
`;

/** Drains `child` into a file as a recorder does; gives the trace and the raw side that it should equal. */
async function drainChild(runDir: string, child: ChildProcess, exitSignal?: { after: number }) {
  const file = `${runDir}.pltrace`;
  const writer = await TraceWriter.create(file);
  await writer.write(header);
  const asked: string[] = [];
  const drain = new Drain({
    runDir,
    writer,
    async onModule(name) {
      asked.push(name);
      return [];
    },
  });
  let ended = false;
  const exit = new Promise<{ status: number } | { signal: string }>(resolve =>
    child.once('exit', (status, signal) => {
      ended = true;
      resolve(signal ? { signal } : { status: status! });
    }),
  );
  let safeSeq = 0;
  const chunks = new Map<string, Set<string>>();
  const start = performance.now();
  while (!ended) {
    const progress = await drain.poll();
    expect(progress.safeSeq).toBeGreaterThanOrEqual(safeSeq);
    safeSeq = progress.safeSeq;
    noteChunks(runDir, chunks);
    if (exitSignal && performance.now() - start > exitSignal.after) child.kill('SIGKILL');
    await sleep(5);
  }
  const summary = await drain.finish(await exit);
  await writer.close();
  const trace = await TraceFile.open(file);
  return { trace, run: await runOf(trace, runDir), summary, asked, chunks };
}

/** The names under which each chunk's file was seen; a file is told by inode and birth, since inodes are given again. */
function noteChunks(runDir: string, seen: Map<string, Set<string>>): void {
  for (const name of readdirSync(runDir).filter(name => /^s\d+\.\d+$/.test(name))) {
    const stat = statSync(path.join(runDir, name), { bigint: true, throwIfNoEntry: false });
    if (!stat) continue;
    const file = `${stat.ino} ${stat.birthtimeNs}`;
    seen.set(file, (seen.get(file) ?? new Set()).add(name));
  }
}

async function runOf(trace: TraceFile, runDir: string): Promise<Run> {
  const processes = new Map<number, Process>();
  for (const { process, pid } of trace.processes)
    processes.set(process, {
      ...{ number: process, pid, parent: null, forkSeq: 0n, modules: [], fileNames: [], warnings: [], lost: [] },
      sites: trace.sites
        .filter(s => s.process === process)
        .flatMap(s => Array.from(s.pc, (pc, i) => ({ pc, kind: s.kind[i], module: s.module[i] }))),
    });
  const streams: Run['streams'] = [];
  for (const { stream, process, tid, signal } of trace.threads) {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < trace.streamBlocks(stream); i++) parts.push(await trace.readStream(stream, i));
    const rawFile = path.join(runDir, `s${stream}.raw`);
    // A thread that was killed before its first event has none.
    const raw = existsSync(rawFile) ? readFileSync(rawFile) : Buffer.alloc(0);
    const words = new BigUint64Array(raw.buffer, raw.byteOffset, raw.byteLength >> 3);
    let entries = 0;
    while (entries * 8 < words.length && words[entries * 8] !== 0n) entries++;
    const bytes = Buffer.concat(parts);
    streams.push({
      ...{ number: stream, process, tid, signal, state: 0, count: BigInt(trace.end!.accesses[stream]), adjust: 0n },
      ...{ bytes, committed: bytes.length, raw: words.subarray(0, entries * 8) },
    });
  }
  return { processes, streams };
}

describe.skipIf(!hasCompiler('gcc'))('a real program', () => {
  const program = path.join(folder, 'walk');
  beforeAll(async () => {
    const source = path.join(folder, 'walk.c');
    writeFileSync(source, SOURCE);
    buildProgram(source, program, await buildRuntime({ verify: true }), 'gcc', ['-O2']);
  });
  const start = (runDir: string, steps: number) =>
    spawn(program, [String(steps)], { env: { ...process.env, PAGELENS_RUN: runDir }, stdio: 'ignore' });

  test('drained while it runs comes back access by access, and its chunks are gone', async () => {
    const runDir = makeRun(folder);
    const { trace, run, summary, asked, chunks } = await drainChild(runDir, start(runDir, 700_000));
    expect(summary).toMatchObject({ complete: true, warnings: [], processes: 2, threads: 4 });
    expect(trace.end!.exit).toEqual({ status: 0 });
    expect(trace.processes[1].parent!.process).toBe(0);
    expect(trace.processes.map(p => p.path)).toEqual([program, program]);
    const compared = await compareRun(run);
    // A load and a store a step: 700,000 random ones of the first thread, a quarter of it in each other walk, and
    // 16,384 regular ones in all four.
    expect(compared.accesses).toBeGreaterThan(2 * (700_000 + 3 * 175_000 + 4 * 16_384));
    expect(summary.accesses).toBe(compared.accesses);
    expect(asked).toContain(program);
    expect(new Set(asked).size).toBe(asked.length);
    const left = new Set(readdirSync(runDir).filter(name => /^s\d+\.\d+$/.test(name)));
    for (const { stream } of trace.threads) {
      const whole = Math.floor((trace.streamBytes(stream) - 10) / (1 << 20));
      for (let chunk = 0; chunk < whole; chunk++) expect(left.has(`s${stream}.${chunk}`)).toBe(false);
    }
    // More than a chunk of some stream was removed, so that this says something.
    expect(Math.max(...trace.threads.map(t => trace.streamBytes(t.stream)))).toBeGreaterThan(1 << 20);
    // And that some were filled again, under the name of a later one of the same stream.
    expect([...chunks.values()].some(names => names.size > 1)).toBe(true);
    for (const names of chunks.values()) expect(new Set([...names].map(name => name.split('.')[0])).size).toBe(1);
    await trace.close();
  });

  test('killed at any moment loses at most the record being written of each thread', async () => {
    let accesses = 0;
    for (const after of [3, 30, 70, 120]) {
      const runDir = makeRun(folder);
      const { trace, run, summary } = await drainChild(runDir, start(runDir, 1_000_000), { after });
      expect(summary.warnings).toEqual([]);
      expect(trace.end!.exit).toEqual({ signal: 'SIGKILL' });
      const compared = await compareRun(run, { killed: true });
      expect(compared.missing).toBeLessThanOrEqual(1);
      accesses += compared.accesses;
      await trace.close();
    }
    expect(accesses).toBeGreaterThan(1000);
  });
});
