/**
 * What programs do with control flow, processes, threads and atomics, at the ends of what optimisation does to code. The
 * counts are derived by hand in the sources.
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { countsAlone, pagelens, report } from '../helpers/cli.js';
import { compilers, environmentFor, programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('features');

async function profiled(wrapper: string, compiler: 'gcc' | 'clang', source: string, flags: string) {
  const program = path.join(folder, `${path.basename(source)}-${compiler}${flags.replaceAll(/\W/g, '')}`);
  const env = environmentFor(compiler);
  const words = [wrapper, ...flags.split(' '), path.join(programs, 'features', source), '-o', program];
  expect(await pagelens(words, { env })).toMatchObject({ status: 0, stderr: '' });
  const result = await report(['profile', ...countsAlone, '--json', '-', '--check', '--quiet', program], 0, { env });
  const counts = result.objects
    .filter(row => row.kind === 'global')
    .map(({ name, reads, writes }) => [name, { reads, writes }] as const);
  return { ...result, globals: new Map(counts) };
}

describe.each(compilers.flatMap(name => ['-O0', '-O3 -march=native'].map(flags => [name, flags] as const)))(
  '%s %s',
  (compiler, flags) => {
    test('C: jumps, signals, fork, vfork, exec, spawn, shells between, OpenMP, atomics', async () => {
      const { globals, program } = await profiled('cc', compiler, 'features.c', `${flags} -fopenmp`);
      for (const [name, reads, writes] of [
        ['jumped', 1000, 1000],
        ['handled', 100, 100],
        ['forked', 310, 310],
        ['vforked', 20, 20],
        ['executed', 600, 600],
        ['parallel', 4000, 4000],
        ['counted', 2000, 2000],
        ['swapped', 1000, 1],
      ] as const)
        expect(globals.get(name), name).toEqual({ reads, writes });
      // The program, three children, six executions, and two children that were recorded before they executed it.
      expect(program).toMatchObject({ complete: true, exit: { status: 0 }, processes: 12 });
    });

    test('C++: exceptions, virtual functions, atomics of C++20, threads', async () => {
      const language = `${flags} -std=c++20 -pthread`;
      const { globals, objects } = await profiled('c++', compiler, 'features.cc', `${language} -latomic`);
      for (const [name, reads, writes] of [
        ['thrown', 400, 400],
        ['called', 1000, 1000],
        ['counted', 4000, 4000],
        ['unrolled', 256, 256],
      ] as const)
        expect(globals.get(name), name).toEqual({ reads, writes });
      expect(globals.get('waited')).toMatchObject({ writes: 4 });
      // clang leaves 16 bytes to libatomic, which is unseen, unless it may use cmpxchg16b.
      if (compiler === 'gcc' || flags.includes('native')) expect(globals.get('pair')).toEqual({ reads: 1, writes: 2 });
      // The exceptions took their frames with them: what comes behind is called by main alone.
      const { stack } = objects.find(row => row.bytes === 4321)!;
      const own = stack.filter(frame => frame.includes('features.cc')).map(frame => frame.split(/[( ]/)[0]);
      expect(own).toEqual(['allocate_behind', 'main']);
    });
  },
);
