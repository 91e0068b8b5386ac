/**
 * Pages of whole programs beside valgrind's: the build without hooks runs under lackey, and each of its accesses to heap
 * and globals is laid onto the page on which the same byte lies in the recorded build. The report must name exactly these
 * pages, and on each count what was executed there.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { onPath } from '../../core/record/compiler.js';
import { cli, report } from '../helpers/cli.js';
import { executedInstructions } from '../helpers/lackey.js';
import { programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('pages');
const header = path.join(programs, 'pages/blocks.h');
const PAGE = 4096;

/** Small: each instruction and each access is a line of valgrind's log. */
const PROGRAMS = [
  { source: path.join(programs, 'bench/hash.c'), args: ['14'], job: 'hash table' },
  { source: path.join(programs, 'bench/list.c'), args: ['3000', '3'], job: 'linked list' },
  { source: path.join(programs, 'bench/matmul.c'), args: ['24'], job: 'matrix product' },
  { source: path.join(programs, 'known/globals.c'), args: [], job: 'tables of globals' },
] as const;

/** The C start-up code's, which no compiler of ours has seen: whether destructors ran. */
const START_UP = /^completed\.\d+$/;

interface Extent {
  readonly name: string;
  readonly from: number;
  readonly bytes: number;
}

/** Variables of an executable, by nm. */
function variables(executable: string): Extent[] {
  const lines = execFileSync('nm', ['-S', executable], { encoding: 'utf8' }).split('\n');
  return lines.flatMap(line => {
    const [, from, bytes, name] = /^([0-9a-f]+) ([0-9a-f]+) [bdBD] (.*)$/.exec(line) ?? [];
    return from && !START_UP.test(name!)
      ? [{ name, from: Number.parseInt(from, 16), bytes: Number.parseInt(bytes, 16) }]
      : [];
  });
}

/** Blocks that a build told of on its standard error, in order (blocks.h). */
function blocks(told: string): Extent[] {
  return [...told.matchAll(/^block ([0-9a-f]+) (\d+)$/gm)].map(([, from, bytes], i) => ({
    name: `block ${i}`,
    from: Number.parseInt(from, 16),
    bytes: Number(bytes),
  }));
}

interface Counts {
  reads: number;
  writes: number;
}

const compile = (command: readonly string[], source: string, output: string) => {
  const [program, ...first] = command;
  const flags = ['-O2', '-g', '-no-pie', '-fno-tree-vectorize', '-include', header];
  execFileSync(program, [...first, ...flags, source, '-o', output, '-lm']);
  return output;
};

describe.skipIf(!onPath('valgrind'))('pages of heap and globals', () => {
  test.each(PROGRAMS)(
    '$job: those and only those that a build without hooks accesses',
    { timeout: 180_000 },
    async ({ source, args }) => {
      const name = path.basename(source, '.c');
      const hooked = compile([process.execPath, cli, 'cc'], source, path.join(folder, `${name}.hooked`));
      const plain = compile(['gcc'], source, path.join(folder, name));

      // 1. The recorded run.
      const output = path.join(folder, `${name}.output`);
      const found = await report(
        ['profile', '--quiet', '--page-rows', '--json', '-', '--program-output', output, hooked, ...args],
        0,
        { cwd: folder },
      );
      const here = [...variables(hooked), ...blocks(readFileSync(output, 'utf8'))];

      // 2. The same program without hooks: each access to data, in order, and where its blocks were.
      const accesses: { readonly address: number; readonly isWrite: boolean }[] = [];
      let shown = '';
      await executedInstructions(plain, args, {
        folder,
        each: (address, isWrite) => accesses.push({ address, isWrite }),
        output: text => {
          shown += text;
        },
      });
      const there = [...variables(plain), ...blocks(shown)];
      const twin = new Map(here.map(extent => [extent.name, extent]));

      // 3. Laid onto the pages of the recorded run. What is neither is the program's table of library functions (GOT).
      const expected = new Map<number, Counts>();
      const sorted = there.toSorted((a, b) => a.from - b.from);
      const image = sorted.filter(({ name }) => !name.startsWith('block')).at(-1)!;
      for (const { address, isWrite } of accesses) {
        const extent = sorted.find(({ from, bytes }) => address >= from && address < from + bytes);
        if (!extent) {
          expect(address).toBeLessThan(image.from + PAGE);
          continue;
        }
        const moved = twin.get(extent.name)!;
        const page = Math.floor((moved.from + address - extent.from) / PAGE);
        const counts = expected.get(page) ?? { reads: 0, writes: 0 };
        counts[isWrite ? 'writes' : 'reads']++;
        expected.set(page, counts);
      }
      const reported = found.pageRows!.filter(({ objectRow }) =>
        ['heap', 'global'].includes(found.objects[objectRow]!.kind),
      );
      const byPage = (a: [number, Counts], b: [number, Counts]) => a[0] - b[0];
      const told: [number, Counts][] = reported.map(({ page, reads, writes }) => [page, { reads, writes }]);
      expect(told.sort(byPage)).toEqual([...expected].sort(byPage));
      expect(expected.size).toBeGreaterThan(2);
    },
  );
});
