/** Executables with access hooks below a folder: what a build has left that can be profiled. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { readBuildInfo } from './executable.js';

/** A folder that holds more is no build folder but somebody's home. */
const MOST_FILES = 50_000;
const DEEPEST = 8;

const SKIPPED = new Set(['.git', '.hg', '.svn', 'node_modules', 'CMakeFiles']);
/** Compiled and executable, and nothing to be started: libraries, and objects where all files are executable. */
const LIBRARY = /\.(so(\.\d+)*|a|o|lo|la|d)$/;

/** Absolute paths, the latest built first. */
export async function findPrograms(folder: string): Promise<string[]> {
  const found: { file: string; built: number }[] = [];
  let left = MOST_FILES;
  const visit = async (at: string, depth: number): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => [] as Dirent[]);
    left -= entries.length;
    if (left < 0) return;
    for (const entry of entries) {
      const file = path.join(at, entry.name);
      if (entry.isDirectory() && depth < DEEPEST && !SKIPPED.has(entry.name)) await visit(file, depth + 1);
      else if (entry.isFile() && !LIBRARY.test(entry.name)) {
        // A build that goes on may remove it meanwhile.
        const info = await stat(file).catch(() => null);
        if (info && (info.mode & 0o111) !== 0 && isRecordable(file)) found.push({ file, built: info.mtimeMs });
      }
    }
  };
  await visit(path.resolve(folder), 0);
  return found.sort((a, b) => b.built - a.built || (a.file < b.file ? -1 : 1)).map(({ file }) => file);
}

function isRecordable(file: string): boolean {
  try {
    return readBuildInfo(file).hooks;
  } catch {
    // It may be executed, but not read.
    return false;
  }
}
