/**
 * Where the lines of the content that was profiled are now, after the edits made since.
 *
 * An edit replaces a block of lines by another. Within the block, lines that read the same (but for white space at the
 * ends, so that a re-indented line is still itself) are matched in order; what is left over is paired where the old and
 * the new line are alike, as when somebody types within it; the rest is gone.
 */

export class LineMap {
  /** Current line of every built line, 0-based; -1: gone. */
  readonly #at: Int32Array;
  readonly #built: readonly string[];
  #current: string[];

  /** @param text the content that was profiled */
  constructor(text: string) {
    this.#built = linesOf(text);
    this.#current = [...this.#built];
    this.#at = Int32Array.from(this.#built.keys());
  }

  /** Current line (0-based) of a built line (0-based), or -1 when it was removed or never existed. */
  lineNow(built: number): number {
    return built >= 0 && built < this.#at.length ? this.#at[built] : -1;
  }

  /** Whether the text of a built line that is still there differs from what was built, white space at its ends apart. */
  edited(built: number): boolean {
    const now = this.lineNow(built);
    return now >= 0 && this.#current[now].trim() !== this.#built[built].trim();
  }

  /** Follows one `didChange` range; positions are those of the text before this change. */
  replace(startLine: number, startCharacter: number, endLine: number, endCharacter: number, text: string): void {
    const current = this.#current;
    const last = Math.min(endLine, current.length - 1);
    const old = current.slice(startLine, last + 1);
    const head = (old[0] ?? '').slice(0, startCharacter);
    const tail = endLine > last ? '' : (old[old.length - 1] ?? '').slice(endCharacter);
    this.#replaceLines(startLine, old, linesOf(head + text + tail));
  }

  /** Follows a change that sends the whole document. */
  replaceAll(text: string): void {
    this.#replaceLines(0, this.#current, linesOf(text));
  }

  #replaceLines(start: number, old: readonly string[], lines: readonly string[]): void {
    const match = matchLines(old, lines);
    const end = start + old.length;
    const shift = lines.length - old.length;
    const at = this.#at;
    for (let built = 0; built < at.length; built++) {
      const line = at[built];
      if (line < start) continue;
      if (line >= end) at[built] = line + shift;
      else at[built] = match[line - start] < 0 ? -1 : start + match[line - start];
    }
    this.#current = [...this.#current.slice(0, start), ...lines, ...this.#current.slice(end)];
  }
}

/** The same line ends as the protocol's: `\r\n`, `\n`, `\r`. */
function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

/** Above this many cells the longest common subsequence would be felt while typing; such a block counts as rewritten. */
const maxCells = 1_000_000;

/** For every old line the new line that continues it, ascending; -1 where none does. */
export function matchLines(old: readonly string[], lines: readonly string[]): Int32Array {
  const a = old.map(line => line.trim());
  const b = lines.map(line => line.trim());
  const match = new Int32Array(a.length).fill(-1);
  // 1. What is the same at both ends: nearly every edit ends here.
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) match[from] = from++;
  let endA = a.length;
  let endB = b.length;
  while (endA > from && endB > from && a[endA - 1] === b[endB - 1]) match[--endA] = --endB;
  // 2. The longest common subsequence of the rest.
  if ((endA - from) * (endB - from) <= maxCells) commonLines(a, b, from, endA, endB, match);
  // 3. Between two matched lines, what was typed over.
  let nextB = from;
  for (let i = from; i < endA; i++) {
    if (match[i] >= 0) {
      nextB = match[i] + 1;
      continue;
    }
    let limit = endB;
    for (let k = i + 1; k < endA; k++) {
      if (match[k] >= 0) {
        limit = match[k];
        break;
      }
    }
    for (let j = nextB; j < limit; j++) {
      if (!alike(a[i], b[j])) continue;
      match[i] = j;
      nextB = j + 1;
      break;
    }
  }
  return match;
}

function commonLines(a: string[], b: string[], from: number, endA: number, endB: number, match: Int32Array): void {
  const width = endB - from + 1;
  const length = new Uint32Array((endA - from + 1) * width);
  for (let i = endA - from - 1; i >= 0; i--) {
    for (let j = width - 2; j >= 0; j--) {
      length[i * width + j] =
        a[from + i] === b[from + j]
          ? length[(i + 1) * width + j + 1] + 1
          : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < endA - from && j < width - 1; ) {
    if (a[from + i] === b[from + j]) match[from + i++] = from + j++;
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) i++;
    else j++;
  }
}

/** Whether at least half of the longer line is a common beginning and end. */
function alike(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length);
  if (shorter === 0) return false;
  let head = 0;
  while (head < shorter && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  return (head + tail) * 2 >= Math.max(a.length, b.length);
}
