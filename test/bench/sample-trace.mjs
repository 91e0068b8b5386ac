/**
 * `node test/bench/sample-trace.mjs`: records the trace that ships beside the sample, core/sample/raytracer.pltrace. It is
 * what `npm start` replays where no C compiler is found. To be run again when the sample, the encoding or the trace
 * format changes.
 *
 * The frame is small (96 x 72, least detail), so that the package stays small. The program is built and run in a folder
 * of its own under /tmp, so that the trace carries no path of the machine that it was recorded on.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from '../../esbuild.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const cli = path.join(root, 'dist/cli.cjs');
const neutral = '/tmp/pagelens-sample';
const target = path.join(root, 'core/sample/raytracer.pltrace');
const frame = ['96', '72', '1', '1'];
/** What the package can spare. */
const MAX_BYTES = 2e6;

await build({ production: true });
rmSync(neutral, { recursive: true, force: true });
mkdirSync(neutral);
try {
  copyFileSync(path.join(root, 'core/sample/raytracer.c'), path.join(neutral, 'raytracer.c'));
  pagelens('cc', '-O2', '-g', 'raytracer.c', '-o', 'raytracer', '-lm');
  pagelens('record', '--quiet', '-o', 'raytracer.pltrace', '--program-output', 'output', './raytracer', ...frame);
  const { size } = statSync(path.join(neutral, 'raytracer.pltrace'));
  if (size >= MAX_BYTES)
    throw new Error(`the trace has ${size} bytes; at most ${MAX_BYTES} ship: take a smaller frame`);
  copyFileSync(path.join(neutral, 'raytracer.pltrace'), `${target}.new`);
  renameSync(`${target}.new`, target);
  console.log(`${path.relative(process.cwd(), target)}: ${size} bytes`);
} finally {
  rmSync(neutral, { recursive: true, force: true });
}

function pagelens(...args) {
  const env = { PATH: process.env.PATH, HOME: neutral, XDG_CACHE_HOME: path.join(neutral, 'cache') };
  const { status, error } = spawnSync(process.execPath, [cli, ...args], { cwd: neutral, env, stdio: 'inherit' });
  if (error || status !== 0) throw new Error(`pagelens ${args[0]} failed: ${error?.message ?? `status ${status}`}`);
}
