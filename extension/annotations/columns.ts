/** Where end-of-line texts begin: one below the other among neighbours, unless a line is too long for that. */

/** Lines longer than this do not push their neighbours' texts out of sight. */
const maxColumn = 80;
/** Marked lines with at most so many others between them share a column. */
const reach = 4;
const gap = 3;

/** Width of a line in columns, tabs expanded. */
export function widthOf(text: string, tabSize: number): number {
  let width = 0;
  for (const character of text) width += character === '\t' ? tabSize - (width % tabSize) : 1;
  return width;
}

/** Space before each text, in characters, for these lines, ascending, of these widths. */
export function margins(lines: readonly { readonly line: number; readonly width: number }[]): number[] {
  const spaces: number[] = [];
  for (let from = 0, to = 0; from < lines.length; from = to) {
    for (to = from + 1; to < lines.length && lines[to]!.line - lines[to - 1]!.line <= reach + 1; ) to++;
    const block = lines.slice(from, to).map(({ width }) => width);
    const column = Math.max(0, ...block.filter(width => width <= maxColumn));
    spaces.push(...block.map(width => Math.max(column - width, 0) + gap));
  }
  return spaces;
}
