/** The bundled sample, and what a run of several processes gives: properties that hold whatever the numbers are. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../core/profile/report.js';
import { report, root, scratch } from '../helpers/cli.js';

const folder = scratch();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundled sample', () => {
  let found: Report;
  const all = (report: Report) => report.accesses.reads + report.accesses.writes;

  beforeAll(async () => {
    found = await report([
      'profile',
      '--json',
      '-',
      '--check',
      path.join(root, 'core/sample/raytracer.c'),
      '64',
      '48',
      '2',
      '2',
    ]);
  });

  test('at least 99.5 % of its accesses reach a line, and an object', () => {
    const { reads, writes } = found.unattributed;
    expect((reads + writes) / all(found)).toBeLessThan(0.005);
    const nowhere = found.objects.find(object => object.kind === 'unattributed');
    expect(((nowhere?.reads ?? 0) + (nowhere?.writes ?? 0)) / all(found)).toBeLessThan(0.005);
  });

  test('has hot, warm and cold, read-mostly and write-mostly objects', () => {
    const classes = new Set(found.objects.map(object => object.hotness.class));
    expect([...classes].sort()).toEqual(['cold', 'hot', 'warm']);
    const busy = found.objects.filter(object => object.reads + object.writes > all(found) / 10_000);
    expect(busy.some(object => object.reads > 9 * object.writes)).toBe(true);
    expect(busy.some(object => object.writes > 9 * object.reads)).toBe(true);
  });

  test('names the allocations by the lines that make them', () => {
    const heap = found.objects.filter(object => object.kind === 'heap' && object.reads + object.writes > 0);
    expect(heap.length).toBeGreaterThan(5);
    for (const object of heap) expect(object.file).toBe(path.join(root, 'core/sample/raytracer.c'));
  });

  test('the trace that ships replays without a compiler and gives the same kind of picture', async () => {
    const shipped = await report([
      'replay',
      '--json',
      '-',
      '--check',
      path.join(root, 'core/sample/raytracer.pltrace'),
    ]);
    expect(shipped.program.complete).toBe(true);
    expect(shipped.functions[0].function).toBe(found.functions[0].function);
    expect((shipped.unattributed.reads + shipped.unattributed.writes) / all(shipped)).toBeLessThan(0.005);
  });
});

describe('processes', () => {
  const run = (name: string, text: string, expected = 0) => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return report(['profile', '--json', '-', '--page-rows', '--check', file], expected);
  };

  test('a forked child has its own pages at the same addresses, and its own counts', async () => {
    const found = await run(
      'fork.c',
      `#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
  volatile char *block = aligned_alloc(4096, 4096);
  for (int i = 0; i < 300; i++) block[i] = 1;
  if (fork() == 0) {
    for (int i = 0; i < 70; i++) block[i] = 2;
    _exit(0);
  }
  wait(0);
  for (int i = 0; i < 11; i++) block[i] = 3;
  return 0;
}
`,
    );
    expect(found.program.processes).toBe(2);
    expect(found.accesses).toEqual({ reads: 0, writes: 381 });
    const rows = found.pageRows!.filter(row => row.writes > 0).map(row => [row.process, row.writes]);
    expect(rows.sort()).toEqual([
      [0, 311],
      [1, 70],
    ]);
    expect(new Set(found.pageRows!.filter(row => row.writes > 0).map(row => row.page)).size).toBe(1);
    // One allocation, whoever uses it.
    expect(found.objects.filter(object => object.kind === 'heap' && object.writes > 0)).toHaveLength(1);
  });

  test('after exec the new image is recorded, and nothing of the old one is lost', async () => {
    const found = await run(
      'exec.c',
      `#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv) {
  volatile char *block = malloc(4096);
  int count = argc > 1 ? 7 : 1000;
  for (int i = 0; i < count; i++) block[i] = 1;
  char *again[] = {argv[0], "again", 0};
  if (argc == 1) execv("/proc/self/exe", again);
  return 0;
}
`,
    );
    expect(found.accesses.writes).toBeGreaterThanOrEqual(1007);
    // The array of arguments is a local that escapes: three more writes.
    expect(found.accesses.writes).toBeLessThanOrEqual(1013);
    expect(found.program.complete).toBe(true);
  });
});
