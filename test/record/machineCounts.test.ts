/** What the Valgrind tool counts of each module, added up by whether it has hooks. */
import { expect, test } from 'vitest';
import { sum } from '../../core/record/machineCounts.js';

test('accesses are told apart by the code that makes them, and of code with hooks by the memory', () => {
  const lines = [
    '1 2 4 8 16 32 /bin/with hooks',
    '64 128 256 512 1024 2048 /lib/libc.so.6',
    '9 9 9 9 9 9 /cache/runtime-0/libpagelens.so',
    // A child's, with the same modules.
    '100 200 400 800 1600 3200 /bin/with hooks',
    '',
  ];
  expect(sum(lines.join('\n'), module => module === '/bin/with hooks')).toEqual({
    stack: { reads: 101, writes: 808 },
    constants: { reads: 202, writes: 1616 },
    libraries: { reads: 64 + 128 + 256, writes: 512 + 1024 + 2048 },
  });
});
