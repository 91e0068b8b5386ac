/**
 * Allocation sites beside valgrind's DHAT, which keeps a call stack for each block as the report does: as many blocks,
 * and the same peak of live bytes, for every stack of a C++ program.
 *
 * DHAT (3.19) brings a site's own peak up to date only while the whole heap is near its peak: ten blocks of 100 bytes
 * that live together after a larger peak give 0. So the program must be one whose heap grows nearly to its end, and the
 * greater of DHAT's two figures counts: the site's peak and its bytes at the peak of the heap. DHAT also leaves a
 * reallocated block to the stack that made it first; the program reallocates none.
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
    /** Blocks ever allocated; bytes at the site's peak, and at the heap's. */
    readonly tbk: number;
    readonly mb: number;
    readonly gb: number;
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

/** A text for each site that main leads to, ascending. */
function sitesOfDhat(executable: string, args: readonly string[]): string[] {
  const file = `${executable}.dhat`;
  // As many frames as it can give: the default of 12 cuts the inlined calls of containers.
  const options = ['--tool=dhat', '--quiet', '--num-callers=40', `--dhat-out-file=${file}`];
  execFileSync('valgrind', [...options, executable, ...args], { stdio: 'ignore' });
  const { pps, ftbl } = JSON.parse(readFileSync(file, 'utf8')) as Dhat;
  const sites: string[] = [];
  for (const { tbk, mb, gb, fs } of pps) {
    const frames = fs.map(frame => ftbl[frame]!);
    const main = frames.findIndex(frame => /: main \(/.test(frame));
    if (main >= 0) sites.push(siteText(stackOf(frames.slice(0, main + 1)), tbk, Math.max(mb, gb)));
  }
  return sites.sort();
}

const siteText = (stack: string, blocks: number, bytes: number) => `${stack}: ${blocks} blocks, ${bytes} bytes`;

describe.skipIf(!onPath('valgrind')).each(compilers)('%s', compiler => {
  test('each call stack that allocates has the blocks and the peak bytes that DHAT finds', {
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

    const reported = objects
      .filter(({ kind, stack }) => kind === 'heap' && stack.some(frame => /^main(\(.*\))? /.test(frame)))
      .map(({ stack, blocks, bytes }) => siteText(stackOf(stack), blocks!, bytes));
    expect(reported.length).toBeGreaterThan(10);
    expect(reported.sort()).toEqual(expected);
  });
});
