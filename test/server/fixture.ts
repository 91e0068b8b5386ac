/** One small program for the server's tests: 1,000 accesses by four lines of three functions to three objects. */
import { createHash } from 'node:crypto';
import { type ProfileSpec, profileOf } from '../helpers/profile.js';

export const source = [
  'double *table;', // 1
  'double sum(int n) {', // 2
  '  double s = 0;', // 3
  '  for (int i = 0; i < n; i++) s += table[i];', // 4
  '  return s;', // 5
  '}', // 6
  'void fill(int n) {', // 7
  '  table = malloc(n * sizeof *table);', // 8
  '  for (int i = 0; i < n; i++) table[i] = i;', // 9
  '}', // 10
  'int main(void) {', // 11
  '  fill(64);', // 12
  '  return log_count + sum(64);', // 13
  '}', // 14
  '',
].join('\n');

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

export const spec = (file: string, text = source): ProfileSpec => ({
  file,
  sha256: sha256(text),
  functions: { sum: 2, fill: 7, main: 11 },
  lines: [
    // 600 + 100 + 250 + 50 = 1,000 accesses; line 4 has 80 % of its traffic (40 of 50) in `table`.
    { line: 4, function: 'sum', object: 'table', reads: 600, trafficReads: 40, hotness: 0 },
    { line: 4, function: 'sum', object: 'stack of thread 1', reads: 100, trafficReads: 10, hotness: 0 },
    { line: 9, function: 'fill', object: 'table', writes: 250, trafficWrites: 30, hotness: 1 },
    { line: 13, function: 'main', object: 'log_count', reads: 49, writes: 1, hotness: 2 },
  ],
  objects: [
    {
      name: 'table',
      line: 8,
      page: 0x7f000,
      pages: 5,
      tier: 0,
      hotness: 0,
      stack: ['fill prog.c:8', 'main prog.c:12'],
    },
    { name: 'stack of thread 1', kind: 'stack', page: 0x7fff0, pages: 1, tier: 1 },
    { name: 'log_count', kind: 'global', line: 1, page: 0x404, pages: 1, tier: 2, hotness: 2 },
  ],
});

export const profile = (file: string, text = source) => profileOf(spec(file, text));
