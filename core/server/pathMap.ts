/**
 * Paths of the machine that built the program and of this one: the setting `pagelens.pathMapping`, as a container or a
 * remote build needs it.
 */
import path from 'node:path';

interface Entry {
  readonly built: string;
  readonly local: string;
}

export class PathMap {
  readonly #entries: readonly Entry[];

  /** @param entries folder where it was built -> folder here, both absolute */
  constructor(entries: Readonly<Record<string, string>> = {}) {
    this.#entries = Object.entries(entries)
      .filter(([built, local]) => path.isAbsolute(built) && path.isAbsolute(local))
      .map(([built, local]) => ({ built: path.normalize(built), local: path.normalize(local) }));
  }

  /** Where a built file is here; the path itself when no entry is about it. */
  toLocal(file: string): string {
    return replaced(file, this.#entries, 'built', 'local') ?? file;
  }

  /** What a local file was called where it was built. */
  toBuilt(file: string): string {
    return replaced(file, this.#entries, 'local', 'built') ?? file;
  }
}

/** The longest folder that holds the file decides; null when none does. */
function replaced(file: string, entries: readonly Entry[], from: keyof Entry, to: keyof Entry): string | null {
  let best: Entry | null = null;
  for (const entry of entries) {
    if (isWithin(file, entry[from]) && (best === null || entry[from].length > best[from].length)) best = entry;
  }
  return best && path.join(best[to], path.relative(best[from], file));
}

/** Whole components: `/build/src2/a.c` is not within `/build/src`. */
export function isWithin(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Components that two paths have in common at their ends. */
export function commonSuffix(a: string, b: string): number {
  const [first, second] = [a.split('/').reverse(), b.split('/').reverse()];
  let length = 0;
  while (length < first.length && length < second.length && first[length] === second[length]) length++;
  return length;
}

/**
 * The mapping by which most of these files lie within a folder: what is above the longest common end is replaced.
 *
 * @param exists whether there is such a file
 * @returns null when the folder holds none of them
 */
export function proposeMapping(
  files: readonly string[],
  folder: string,
  exists: (file: string) => boolean,
): { built: string; local: string; files: number } | null {
  const votes = new Map<string, number>();
  for (const file of files) {
    const parts = file.split('/');
    // From the longest end: `src/a.c` in the folder is a better match than any `a.c`.
    for (let cut = 1; cut < parts.length; cut++) {
      if (!exists(path.join(folder, ...parts.slice(cut)))) continue;
      const built = parts.slice(0, cut).join('/') || '/';
      votes.set(built, (votes.get(built) ?? 0) + 1);
      break;
    }
  }
  const best = [...votes].sort((a, b) => b[1] - a[1] || b[0].length - a[0].length)[0];
  return best ? { built: best[0], local: folder, files: best[1] } : null;
}
