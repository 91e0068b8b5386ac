/**
 * The same kernel through every recorder: by line and by page the counts are the same, and those of a plain count.
 *
 * What differs besides is explained and left out: at machine level the C library, the loader and the stack are recorded
 * too, and under QEMU blocks of the heap are not known, so that pages are found by where they lie beside each other.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { countsAlone, read, report, root, scratch } from '../helpers/cli.js';
import { clangForWasm } from '../helpers/wasm.js';

const source = path.join(root, 'test/programs/machine/agree.c');
const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Counts = [reads: number, writes: number];

/** The kernel, counted: elements of 8 bytes, 512 a page. */
function counted() {
  const pagesOf = (count: number) => Array.from({ length: count }, (): Counts => [0, 0]);
  const [grid, block, sums] = [pagesOf(4), pagesOf(2), pagesOf(1)];
  const add = (pages: Counts[], element: number, what: 0 | 1) => pages[Math.floor(element / 512)]![what]++;
  for (let i = 0; i < 2048; i++) add(grid, i, 1);
  for (let i = 0; i < 1000; i++) {
    add(grid, (i * i) % 2048, 0);
    add(block, (i * 3) % 1024, 1);
    add(sums, i % 8, 0);
    add(sums, i % 8, 1);
  }
  const lines: Record<string, Counts> = { fill: [0, 2048], gather: [1000, 0], scatter: [0, 1000], add: [1000, 1000] };
  return { grid, block, sums, lines };
}

const plain = () => {
  const program = path.join(folder, 'agree');
  execFileSync('gcc', ['-g', '-O2', source, '-o', program]);
  return program;
};

test.each([
  ['instrument', () => source],
  ['valgrind', plain],
  ['qemu', plain],
  ['wasm', () => clangForWasm(source, folder)],
])('%s counts what the kernel does, by line and by page', async (recorder, program) => {
  const options = ['--quiet', '--check', '--page-rows', '--json', '-', ...countsAlone, '--recorder', recorder];
  const found = await report(['profile', ...options, program()]);
  const { lines, ...tables } = counted();
  const text = read(source).split('\n');
  for (const [marker, counts] of Object.entries(lines)) {
    const line = text.findIndex(line => line.endsWith(`// @${marker}`)) + 1;
    const rows = found.lines.filter(row => row.file === source && row.line === line);
    const sum = (of: 'reads' | 'writes') => rows.reduce((total, row) => total + row[of], 0);
    expect([sum('reads'), sum('writes')], marker).toEqual(counts);
  }
  const pages = new Map(found.pageRows!.map(({ page, reads, writes }) => [page, [reads, writes]]));
  for (const [name, table] of Object.entries(tables)) {
    const beside = [...pages.keys()].map(first => table.map((_, i) => pages.get(first + i)));
    expect(beside, name).toContainEqual(table);
  }
});
