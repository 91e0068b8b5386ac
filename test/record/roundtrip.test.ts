/** The first demand on the encoding: what was recorded comes back, access by access and event by event. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRun } from './compare.js';
import { buildProgram, buildRuntime, hasCompiler, makeRun, ROOT, readRun, scratchFolder } from './rundir.js';

const folder = scratchFolder();
afterAll(() => folder.remove());
const program = (name: string) => path.join(ROOT, 'test/programs/record', name);

/**
 * Accesses that each program makes at least, so that an empty recording cannot pass. Those of text.c: n bytes start at
 * least ceil(n / 64) lines, and for i = 0..119 it sets 7 i + 1 bytes (842 lines in all), copies 3 i (396 read and 396
 * written) and moves i + 9 (184 and 184); a strlen, memcmp and strcpy in each turn read and write 1, 2 and 2 lines (600).
 */
const programs: [name: string, least: number][] = [
  ['loops.c', 20_000],
  ['threads.c', 8_000],
  ['control.c', 20_000],
  ['objects.cpp', 5_000],
  ['text.c', 2_601],
];

for (const [c, cpp] of [
  ['gcc', 'g++'],
  ['clang', 'clang++'],
] as const) {
  describe.skipIf(!hasCompiler(c))(`programs built with ${c}`, () => {
    let runtime = '';
    beforeAll(async () => {
      runtime = await buildRuntime({ verify: true });
    });
    for (const [name, least] of programs) {
      for (const level of ['-O0', '-O2']) {
        it(`decode ${name} at ${level} to exactly what was recorded`, async () => {
          const target = path.join(folder.path, `${name}-${c}${level}`);
          buildProgram(program(name), target, runtime, name.endsWith('.cpp') ? cpp : c, [level, '-mcx16']);
          const run = makeRun(folder.path);
          execFileSync(target, { env: { ...process.env, PAGELENS_RUN: run }, stdio: ['ignore', 'ignore', 'pipe'] });
          const compared = await compareRun(readRun(run));
          expect(compared.accesses).toBeGreaterThan(least);
        });
      }
    }
  });
}
