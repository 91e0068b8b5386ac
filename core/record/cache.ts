/**
 * The folder for what is built once on a user's machine: the recorder's runtime per compiler, the answers of compiler
 * probes. Everything in it is named by a hash of what it was made from and appears by one rename, so that any number of
 * processes may fill it at a time and a stale entry is never read. It may be deleted whenever nothing is recorded.
 */
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** XDG_CACHE_HOME/pagelens, else ~/.cache/pagelens, else a folder of the user's own below the temporary folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const xdg = env.XDG_CACHE_HOME;
  const candidates = [
    // The XDG specification has relative paths ignored.
    ...(xdg && path.isAbsolute(xdg) ? [path.join(xdg, 'pagelens')] : []),
    path.join(env.HOME || homedir(), '.cache', 'pagelens'),
    path.join(tmpdir(), `pagelens-${userInfo().uid}`),
  ];
  for (const folder of candidates) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // A home that is read-only or absent (services, containers): the next candidate.
    }
  }
  throw new Error(`no writable cache folder (tried ${candidates.join(', ')}); set XDG_CACHE_HOME to a writable one`);
}

/** A short name for what was made from `parts`: 20 hexadecimal digits of their SHA-256. */
export function contentName(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  // The length before each part, so that ('ab', 'c') and ('a', 'bc') differ.
  for (const part of parts) hash.update(`${part.length}\n`).update(part);
  return hash.digest('hex').slice(0, 20);
}

let temporary = 0;

/** A name beside `target` that no other process uses, to be renamed to it when complete. */
export function temporaryBeside(target: string): string {
  return `${target}.${process.pid}.${temporary++}.tmp`;
}

/** Writes a whole file or nothing. */
export function writeAtomically(target: string, content: string): void {
  const file = temporaryBeside(target);
  try {
    writeFileSync(file, content);
    renameSync(file, target);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}
