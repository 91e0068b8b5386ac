/**
 * Counts per line of real programs, beside valgrind's of every load and store: what a report says of a line is exactly
 * what the hooks in the executable were told there, and where that differs from what the same program does without
 * hooks, a rule of lineRules.ts says why.
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { onPath } from '../../core/record/compiler.js';
import { countLines } from '../helpers/lineCounts.js';
import { compilers, programs, scratchFolder } from '../helpers/records.js';
import { type Cell, cellsOf, RULES, total } from './lineRules.js';

/** Small: each instruction and each access is a line of valgrind's log. */
const PROGRAMS = [
  { source: 'bench/hash.c', args: ['10'], job: 'hash table' },
  { source: 'bench/matmul.c', args: ['20'], job: 'matrix product' },
  { source: 'bench/list.c', args: ['800', '5'], job: 'linked list' },
  { source: 'lines/archive.c', args: ['2000'], job: 'compressor (LZ77 and Huffman) in C' },
  { source: 'lines/store.cpp', args: ['80'], job: 'B-tree, hash map, strings and virtual calls in C++' },
] as const;

const folder = scratchFolder('lines');

/** What the report and the machine count. The machine's stack is left out: spills would make any share look small. */
const weight = ({ report, plain }: Cell) => report + plain.data + plain.constant;
const share = (part: readonly Cell[], all: readonly Cell[]) =>
  part.reduce((sum, cell) => sum + weight(cell), 0) / all.reduce((sum, cell) => sum + weight(cell), 0);
const show = ({ place, kind, report, hooks, plain, hooked }: Cell) =>
  `${path.basename(place)} ${kind}: ${JSON.stringify({ report, hooks, plain, hooked })}`;
const ruleOf = (cell: Cell) => RULES.find(({ holds }) => holds(cell))?.id ?? null;

describe.skipIf(!onPath('valgrind')).each(compilers)('%s', compiler => {
  test.each(PROGRAMS)(
    '$source ($job): each differing line is explained',
    { timeout: 180_000 },
    async ({ source, args }) => {
      const cells = cellsOf(await countLines({ source: path.join(programs, source), args }, compiler, folder));

      // The report loses, invents and misplaces nothing that the hooks were told. Calls of the library add to it.
      const wrong = cells.filter(({ report, hooks, callsLibrary }) =>
        callsLibrary ? report < total(hooks) : report !== total(hooks),
      );
      expect(wrong.map(show)).toEqual([]);

      const unexplained = cells.filter(cell => ruleOf(cell) === null);
      expect(share(unexplained, cells), unexplained.map(show).join('\n')).toBeLessThanOrEqual(0.01);
      // The rules that speak of the optimiser do not carry the rest: on most lines the numbers are the same, but for the
      // machine's stack.
      const loose = cells.filter(cell => ['moved', 'removed'].includes(ruleOf(cell)!));
      expect(share(loose, cells), loose.map(show).join('\n')).toBeLessThanOrEqual(0.15);
      const agree = cells.filter(cell => ['equal', 'spill'].includes(ruleOf(cell)!));
      expect(share(agree, cells)).toBeGreaterThanOrEqual(0.5);
    },
  );
});
