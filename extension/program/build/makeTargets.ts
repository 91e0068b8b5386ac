/** The programs that a folder's makefile links, as make itself tells, and the mirror in which they are built. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { type MakeDatabase, parseMakeDatabase } from './makeDatabase.js';

/** In the order in which GNU make looks for them. */
const makefileNames = ['GNUmakefile', 'makefile', 'Makefile'];

/** Reading a makefile takes milliseconds; one that takes longer waits for something. */
const timeLimitMs = 10_000;

export interface MakeOptions {
  readonly make: string;
  /** Folder in which make runs. */
  readonly folder: string;
  /** Absolute; undefined: the folder's own. */
  readonly makefile: string | undefined;
}

export function hasMakefile({ folder, makefile }: Pick<MakeOptions, 'folder' | 'makefile'>): boolean {
  return makefile ? existsSync(makefile) : makefileNames.some(name => existsSync(path.join(folder, name)));
}

export function makefileArguments({ folder, makefile }: MakeOptions): string[] {
  return makefile ? ['-f', path.relative(folder, makefile)] : [];
}

/**
 * Nothing of the project is run: its shell is one that does nothing, also for `$(shell ...)`, for recipes that run even
 * with `-n`, and for making included makefiles; and the goal is one that no rule makes. Rejects when make cannot be
 * run or takes too long; an error in the makefile gives what was read before it.
 */
export function readMakeDatabase(options: MakeOptions, signal?: AbortSignal): Promise<MakeDatabase> {
  const args = [...makefileArguments(options), '-pn', 'SHELL=/bin/true', '.DEFAULT'];
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', MAKEFLAGS: '' };
    const limits = { timeout: timeLimitMs, maxBuffer: 256 << 20, ...(signal && { signal }) };
    execFile(options.make, args, { cwd: options.folder, env, ...limits }, (error, output) => {
      // make ends with status 2, since it does not know the goal.
      if (error && (error.killed || typeof error.code !== 'number')) reject(error);
      else resolve(parseMakeDatabase(output));
    });
  });
}

/** Files under version control, relative to the folder; none without git. */
export function trackedFiles(folder: string): Promise<ReadonlySet<string>> {
  return new Promise(resolve => {
    execFile('git', ['ls-files', '-z'], { cwd: folder, maxBuffer: 256 << 20 }, (error, output) =>
      resolve(new Set(error ? [] : output.split('\0').filter(Boolean))),
    );
  });
}
