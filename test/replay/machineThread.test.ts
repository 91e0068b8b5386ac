/** The machine on a thread of its own: the same profile, and failures that are told. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { replayOptions } from '../../core/options.js';
import { MachineThread } from '../../core/replay/machineThread.js';
import { replay } from '../../core/replay.js';

const trace = path.resolve(__dirname, '../../core/sample/raytracer.pltrace');
const options = replayOptions({});

test('one thread and two give the same profile', async () => {
  const alone = await replay(trace, options);
  const together = await replay(trace, options, { parallel: true });
  expect(together).toEqual(alone);
});

test('a machine that cannot start is told while its thread is written to, and at the end', async () => {
  const unknown = { ...options, trackers: ['pebs-of-tomorrow'] };
  const ended = new MachineThread(unknown);
  await expect(ended.finish()).rejects.toThrow(/tracker pebs-of-tomorrow: unknown/);

  const written = new MachineThread(unknown);
  const messages = new Uint8Array(16);
  // More messages than the ring holds: whoever writes them must not wait for ever.
  expect(() => {
    for (let i = 0; i < 100; i++) written.deliver(messages);
  }).toThrow(/tracker pebs-of-tomorrow: unknown/);
  written.stop();
});

test('a replay that is given up leaves no thread behind', async () => {
  const cancel = new AbortController();
  cancel.abort();
  const profile = await replay(trace, options, { parallel: true, signal: cancel.signal });
  expect(profile.program.complete).toBe(false);
});
