/** What a program writes to its recorder's pipe arrives, however soon the program ends. */
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { launch } from '../../core/record/launch.js';

test('what a program wrote to its pipe is there long after it ended', async () => {
  const program = await launch({
    executable: '/bin/sh',
    arguments: ['-c', 'echo records >&3; exit 3'],
    workingDirectory: '/',
    env: process.env,
    streams: { kind: 'standardError' },
    pipe: true,
  });
  expect(await program.exited).toEqual({ status: 3 });
  // Node gets rid of what nobody reads some turns of its loop after the end.
  for (let turn = 0; turn < 100; turn++) await new Promise(done => setImmediate(done));
  expect(await text(program.pipe!)).toBe('records\n');
});
