/**
 * Allocation sites beside valgrind's DHAT, which keeps a call stack for each block as the report does: as many blocks
 * for every stack of a C++ program, and a peak of live bytes between DHAT's and all bytes ever allocated there.
 *
 * Between, for DHAT (3.19) looks for a site's peak only now and then: of a site whose blocks all live to the end it may
 * say less than their sum, even 0. It also leaves a reallocated block to the stack that made it first, so that the
 * program here has none.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { onPath } from '../../core/record/compiler.js';
import { pagelens, report } from '../helpers/cli.js';
import { compilers, programs, scratchFolder } from '../helpers/records.js';

const folder = scratchFolder('dhat');

/** The parts of DHAT's output that are read here, by the names of dh_main.c. */
interface Dhat {
  readonly ftbl: readonly string[];
  readonly pps: readonly {
    /** Bytes and blocks ever allocated; the most bytes alive at once that DHAT saw. */
    readonly tb: number;
    readonly tbk: number;
    readonly mb: number;
    /** Indices into `ftbl`, innermost first. */
    readonly fs: readonly number[];
  }[];
}

/**
 * `store.cpp:12` of each frame, innermost first: what both can say, whatever they call functions. Frames inside the C
 * library have lines only where its debug information is installed.
 */
const stackOf = (frames: readonly string[]) =>
  frames
    .flatMap(frame => /([^/\s(]+:\d+)\)?$/.exec(frame)?.[1] ?? [])
    .filter(place => !/\.[cS]:\d+$/.test(place))
    .join(' < ');

function sitesOfDhat(executable: string, args: readonly string[]) {
  const file = `${executable}.dhat`;
  // As many frames as it can give: the default of 12 cuts the inlined calls of containers.
  const options = ['--tool=dhat', '--quiet', '--num-callers=40', `--dhat-out-file=${file}`];
  execFileSync('valgrind', [...options, executable, ...args], { stdio: 'ignore' });
  const { pps, ftbl } = JSON.parse(readFileSync(file, 'utf8')) as Dhat;
  const sites = new Map<string, { blocks: number; seenPeak: number; allocated: number }>();
  for (const { tb, tbk, mb, fs } of pps) {
    const frames = fs.map(frame => ftbl[frame]!);
    const main = frames.findIndex(frame => /: main \(/.test(frame));
    if (main < 0) continue;
    const stack = stackOf(frames.slice(0, main + 1));
    // A loop that the compiler unrolled is several calls of one line.
    const site = sites.get(stack) ?? { blocks: 0, seenPeak: 0, allocated: 0 };
    sites.set(stack, {
      blocks: site.blocks + tbk,
      seenPeak: Math.max(site.seenPeak, mb),
      allocated: site.allocated + tb,
    });
  }
  return sites;
}

describe.skipIf(!onPath('valgrind')).each(compilers)('%s', compiler => {
  test('each call stack of operator new has the blocks that DHAT counts, and a peak that fits its bytes', {
    timeout: 120_000,
  }, async () => {
    // The runtime by gcc, and clang's program in DWARF 4: valgrind 3.19 stumbles over clang's DWARF 5.
    const env = { ...process.env, PAGELENS_CC: 'gcc', PAGELENS_CXX: compiler === 'gcc' ? 'g++' : 'clang++' };
    const executable = path.join(folder, `store-${compiler}`);
    const flags = ['-O2', '-g', ...(compiler === 'clang' ? ['-gdwarf-4'] : []), '-o', executable];
    const built = await pagelens(['c++', ...flags, path.join(programs, 'lines/store.cpp')], { env });
    expect([built.status, built.stderr]).toEqual([0, '']);
    const { objects } = await report(['profile', '--quiet', '--json', '-', executable, '80'], 0, { env });
    // The same executable: outside a recording the runtime passes everything on.
    const expected = sitesOfDhat(executable, ['80']);

    const heap = objects.filter(
      ({ kind, stack }) => kind === 'heap' && stack.some(frame => /^main(\(.*\))? /.test(frame)),
    );
    const blocks = new Map<string, number>();
    for (const row of heap) blocks.set(stackOf(row.stack), (blocks.get(stackOf(row.stack)) ?? 0) + row.blocks!);
    expect(Object.fromEntries(blocks)).toEqual(
      Object.fromEntries(Array.from(expected, ([stack, site]) => [stack, site.blocks])),
    );
    expect(blocks.size).toBeGreaterThan(10);
    for (const row of heap) {
      const { seenPeak, allocated } = expected.get(stackOf(row.stack))!;
      expect(row.bytes, stackOf(row.stack)).toBeGreaterThanOrEqual(seenPeak);
      expect(row.bytes, stackOf(row.stack)).toBeLessThanOrEqual(allocated);
    }
  });
});
