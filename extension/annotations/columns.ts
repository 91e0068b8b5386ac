/**
 * Where end-of-line texts begin: one below the other among neighbours, unless a line is too long for that.
 *
 * A column is decided once, when the marks appear. Nothing that is typed afterwards moves it: a line that outgrows its
 * column pushes its own text only.
 */

/** Lines longer than this do not push their neighbours' texts out of sight. */
const maxColumn = 80;
/** Marked lines with at most so many others between them share a column. */
const reach = 4;
const gap = 3;

export interface MarkedLine {
  /** The line as it was built: what stays the same while the text is edited. */
  readonly built: number;
  /** Where it is now, ascending. */
  readonly line: number;
  readonly width: number;
}

/** Width of a line in columns, tabs expanded. */
export function widthOf(text: string, tabSize: number): number {
  let width = 0;
  for (const character of text) width += character === '\t' ? tabSize - (width % tabSize) : 1;
  return width;
}

/** The columns of one document's texts. */
export class Columns {
  readonly #columns = new Map<number, number>();

  /** Space before each text, in characters. */
  spaces(lines: readonly MarkedLine[]): number[] {
    this.#decide(lines);
    return lines.map(({ built, width }) => Math.max(this.#columns.get(built)! - width, 0) + gap);
  }

  /** Columns for lines that have none yet: that of a neighbour, else the longest line's of the block. */
  #decide(lines: readonly MarkedLine[]): void {
    for (const block of blocksOf(lines)) {
      const known = block.map(({ built }) => this.#columns.get(built)).filter(column => column !== undefined);
      const widths = block.map(({ width }) => width).filter(width => width <= maxColumn);
      const column = known.length > 0 ? Math.max(...known) : Math.max(0, ...widths);
      for (const { built } of block) if (!this.#columns.has(built)) this.#columns.set(built, column);
    }
  }
}

function blocksOf(lines: readonly MarkedLine[]): MarkedLine[][] {
  const blocks: MarkedLine[][] = [];
  for (const line of lines) {
    const last = blocks.at(-1)?.at(-1);
    if (last && line.line - last.line <= reach + 1) blocks.at(-1)!.push(line);
    else blocks.push([line]);
  }
  return blocks;
}
