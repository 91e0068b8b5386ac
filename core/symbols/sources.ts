/**
 * Source files as they were at build time: hashes, by which a view knows whether its marks still fit the text, and what
 * only the text knows.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { isFortranFile } from '../model/languages.js';
import type { TraceSource } from '../trace/blocks.js';
import { allocations } from './fortran.js';

/** No source file is larger; what is, is not read. Bytes. */
const SOURCE_LIMIT = 64 << 20;

/** SHA-256 of each file, lower-case hex, in ascending order of path, once each; unreadable files are left out. */
export async function readSources(paths: Iterable<string>): Promise<TraceSource[]> {
  const sources: TraceSource[] = [];
  for (const path of [...new Set(paths)].sort()) {
    try {
      const { size } = await stat(path);
      if (path === '' || size > SOURCE_LIMIT) continue;
      const bytes = await readFile(path);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const allocates = isFortranFile(path) ? allocations(path, bytes.toString('utf8')) : [];
      sources.push({ path, sha256, ...(allocates.length > 0 && { allocates }) });
    } catch {
      // Generated or removed since: the frames still name it.
    }
  }
  return sources;
}
