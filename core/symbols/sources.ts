/** Hashes of source files, taken at build time, by which a view knows whether its marks still fit the text. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

/** No source file is larger; what is, is not read. Bytes. */
const SOURCE_LIMIT = 64 << 20;

/** SHA-256 of each file, lower-case hex, in ascending order of path, once each; unreadable files are left out. */
export async function hashSources(paths: Iterable<string>): Promise<{ path: string; sha256: string }[]> {
  const hashes: { path: string; sha256: string }[] = [];
  for (const path of [...new Set(paths)].sort()) {
    try {
      const { size } = await stat(path);
      if (path === '' || size > SOURCE_LIMIT) continue;
      const sha256 = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      hashes.push({ path, sha256 });
    } catch {
      // Generated or removed since: the frames still name it.
    }
  }
  return hashes;
}
