/**
 * What `npm run bench` measures: the programs of speed.md section 2, and one that touches a gigabyte for the memory of
 * the replay. `goal` names the row of the goals for bytes per access.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** Downloads and builds; ignored by git. */
export const cache = path.join(root, '.bench');
const folder = path.join(root, 'test/programs/bench');

export const programs = [
  {
    name: 'sample',
    sources: [path.join(root, 'core/sample/raytracer.c')],
    full: ['604', '453'],
    quick: ['64', '48'],
    bytesPerAccess: 'regular',
  },
  {
    name: 'matmul',
    sources: [path.join(folder, 'matmul.c')],
    full: ['512'],
    quick: ['256'],
    bytesPerAccess: 'regular',
  },
  { name: 'hash', sources: [path.join(folder, 'hash.c')], full: ['22'], quick: ['18'], bytesPerAccess: 'random' },
  {
    name: 'list',
    sources: [path.join(folder, 'list.c')],
    full: ['300000', '20'],
    quick: ['50000', '5'],
    bytesPerAccess: 'random',
  },
  {
    name: 'sqlite',
    sources: [path.join(folder, 'sqlite.c')],
    fetch: sqliteSources,
    full: ['150000'],
    quick: ['5000'],
    bytesPerAccess: 'sqlite',
  },
  {
    name: 'touch',
    sources: [path.join(folder, 'touch.c')],
    full: ['1024'],
    quick: ['64'],
    bytesPerAccess: null,
    /** A test of memory: mostly page faults, so its slowdown would flatter the mean. */
    memoryOnly: true,
  },
];

export const timerSource = path.join(folder, 'timer.c');

/** The goals of speed.md section 7: achievable, ambitious. */
export const goals = {
  slowdownMean: [4, 3],
  slowdownWorst: [20, 9],
  /** Unmodified executables. */
  machineMean: [10, 6],
  machineWorst: [30, 15],
  bytesPerAccess: { regular: [0.15, 0.1], sqlite: [1.5, 1], random: [5, 3] },
  /** The mixture of recorded programs of speed.md section 3. */
  replayRate: [150, 275],
  /** Seconds for 1e9 accesses, from the command to the report, without the build. */
  endToEnd: [15, 6],
  /** MiB; the issue's own bound for a program that touches 1 GiB is 500 MB. */
  memory: [1000, 300],
};

const SQLITE_PACKAGE = 'better-sqlite3@13.2.0';

/**
 * SQLite's amalgamation from the npm package that ships it; npm checks the download against the registry's hash.
 * Fetched once.
 */
function sqliteSources() {
  const kept = path.join(cache, 'sqlite');
  const amalgamation = path.join(kept, 'sqlite3.c');
  if (!existsSync(amalgamation)) {
    const fresh = path.join(cache, `sqlite.${process.pid}`);
    mkdirSync(fresh, { recursive: true });
    try {
      run('npm', ['pack', '--silent', SQLITE_PACKAGE, '--pack-destination', fresh]);
      run('tar', ['-xzf', path.join(fresh, `${SQLITE_PACKAGE.replace('@', '-')}.tgz`), '-C', fresh]);
      rmSync(kept, { recursive: true, force: true });
      renameSync(path.join(fresh, 'package/deps/sqlite3'), kept);
    } finally {
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return {
    sources: [amalgamation],
    flags: [`-I${kept}`, '-w', '-DSQLITE_THREADSAFE=0', '-DSQLITE_OMIT_LOAD_EXTENSION'],
  };
}

function run(command, args) {
  const { status, error, stderr } = spawnSync(command, args, { cwd: cache, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${command} ${args[0]} failed: ${error?.message ?? stderr.trim()}`);
}
