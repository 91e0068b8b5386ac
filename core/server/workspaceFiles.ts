/** Files of the workspace with given names: where the sources of a program that was built elsewhere may be. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** Never sources of one's own, and large. */
const skipped = new Set(['.git', '.hg', '.svn', 'node_modules', '.cache']);
/** A workspace with more entries than this is not searched to its end. */
const maxEntries = 200_000;

/** Absolute paths by base name. Links to folders are not followed, so that no circle is. */
export async function findFiles(
  folders: readonly string[],
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  const waiting = [...folders];
  let entries = 0;
  for (let folder = waiting.shift(); folder !== undefined && entries < maxEntries; folder = waiting.shift()) {
    const children = await readdir(folder, { withFileTypes: true }).catch(() => []);
    entries += children.length;
    for (const child of children) {
      const file = path.join(folder, child.name);
      if (child.isDirectory()) {
        if (!skipped.has(child.name)) waiting.push(file);
      } else if (names.has(child.name)) {
        found.set(child.name, [...(found.get(child.name) ?? []), file]);
      }
    }
  }
  return found;
}
