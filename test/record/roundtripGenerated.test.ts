/** The round trip where it is hardest: steps drawn from seeds, programs killed at random, damaged bytes. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareRun } from './compare.js';
import {
  buildProgram,
  buildRuntime,
  decodeStream,
  loadDecoder,
  makeRun,
  ROOT,
  readRun,
  STOP_ERROR,
  STOP_INPUT,
  scratchFolder,
} from './rundir.js';

const folder = scratchFolder();
afterAll(() => folder.remove());
const built = (name: string) => path.join(folder.path, name);

beforeAll(async () => {
  const runtime = await buildRuntime({ verify: true });
  const source = (name: string) => path.join(ROOT, 'test/programs/record', name);
  const generated = built('generated');
  execFileSync('gcc', [
    '-O1',
    '-g',
    source('generated.c'),
    runtime,
    `-Wl,-rpath,${path.dirname(runtime)}`,
    '-o',
    generated,
  ]);
  buildProgram(source('endless.c'), built('endless'), runtime, 'gcc', ['-O2']);
});

function recordGenerated(seed: number, steps: number): string {
  const run = makeRun(folder.path);
  execFileSync(built('generated'), [`${seed}`, `${steps}`], { env: { ...process.env, PAGELENS_RUN: run } });
  return run;
}

it.each(Array.from({ length: 16 }, (_, seed) => seed + 1))('decodes the steps of seed %i', async seed => {
  const compared = await compareRun(readRun(recordGenerated(seed, 12_000)));
  expect(compared.accesses).toBeGreaterThan(10_000);
});

it('keeps, of a program killed at any moment, all but the record being written', async () => {
  for (let round = 0; round < 20; round++) {
    const run = makeRun(folder.path);
    const child = spawn(built('endless'), {
      env: { ...process.env, PAGELENS_RUN: run },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child.stdout, 'data');
    await delay(Math.random() * 12);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const compared = await compareRun(readRun(run), { killed: true });
    expect(compared.accesses).toBeGreaterThan(0);
    // One step: an access, or a bulk operation of up to 1024 bytes and so up to 17 lines.
    expect(compared.missing).toBeLessThanOrEqual(17);
  }
});

it('meets damaged records with an error or other accesses, never with a trap or an endless loop', async () => {
  const run = readRun(recordGenerated(3, 3_000));
  const [stream] = run.streams;
  if (!stream) throw new Error('nothing recorded');
  const sites = run.processes.get(stream.process)?.sites ?? [];
  const kernel = await loadDecoder();
  let random = 1;
  const draw = (below: number) => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return Math.floor((random / 2 ** 32) * below);
  };
  let errors = 0;
  for (let round = 0; round < 300; round++) {
    const bytes = stream.bytes.slice(0, draw(stream.bytes.length) + 1);
    for (let i = draw(4); i >= 0; i--) bytes[draw(bytes.length)] = draw(256);
    let accesses = 0;
    class Enough extends Error {}
    try {
      const stop = decodeStream(kernel, sites, bytes, {
        access() {
          // A damaged length may ask for a huge range: the caller stops when it has enough.
          if (++accesses > 100_000) throw new Enough();
        },
      });
      expect([STOP_INPUT, STOP_ERROR]).toContain(stop);
      if (stop === STOP_ERROR) {
        errors++;
        expect(Number(kernel.decodeErrorOffset.value)).toBeLessThan(bytes.length);
      }
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
    }
  }
  expect(errors).toBeGreaterThan(10);
});
