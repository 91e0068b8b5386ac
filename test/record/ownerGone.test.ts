/** A program whose recorder was killed notices that nobody drains, stops recording, and goes on. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { isAlive } from '../../core/record/runDirectory.js';
import { environmentFor, scratchFolder } from '../helpers/records.js';
import { ROOT } from './rundir.js';

const folder = scratchFolder('owner');

/** Writes for ever, here and there, so that predictions fail. */
const SOURCE = `
volatile int array[1000];
int main(void) { for (unsigned i = 0;; i++) array[i * 2654435761u % 1000] = i; }
`;

/** Polls until it gives something; null after ten seconds. */
async function until<T>(find: () => T | null): Promise<T | null> {
  for (let i = 0; i < 200; i++) {
    const found = find();
    if (found !== null) return found;
    await sleep(50);
  }
  return null;
}

test('after SIGKILL of the recorder the stream ends and no more files are written', async () => {
  const source = path.join(folder, 'endless.c');
  writeFileSync(source, SOURCE);
  const recorder = spawn(
    process.execPath,
    [path.join(ROOT, 'dist/cli.cjs'), 'record', '--quiet', '-o', path.join(folder, 'run.pltrace'), source],
    { env: environmentFor('gcc'), stdio: 'ignore' },
  );
  onTestFinished(() => void recorder.kill('SIGKILL'));
  // When the program's first stream has filled a chunk; and its process id, from the metadata.
  const runDir = await until(() => {
    const name = readdirSync(folder).find(name => name.startsWith('.pagelens-run-'));
    return name && readdirSync(path.join(folder, name)).some(file => /^s0\.[1-9]/.test(file))
      ? path.join(folder, name)
      : null;
  });
  expect(runDir).not.toBeNull();
  const pid = readFileSync(path.join(runDir!, 'p0.meta')).readUInt32LE(12);
  try {
    recorder.kill('SIGKILL');
    const state = () => Number(readFileSync(path.join(runDir!, 's0.ctl')).readBigUInt64LE(32));
    expect(state()).toBe(1);
    expect(await until(() => (state() === 3 ? true : null))).toBe(true);
    const files = readdirSync(runDir!);
    await sleep(300);
    expect(readdirSync(runDir!)).toEqual(files);
    expect(isAlive(pid)).toBe(true);
  } finally {
    process.kill(pid, 'SIGKILL');
  }
}, 30_000);
