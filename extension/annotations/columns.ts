/** Where end-of-line texts begin: one below the other, unless a line is too long for that. */

/** Lines longer than this do not push the others' texts out of sight. */
const maxColumn = 100;
const gap = 3;

/** Width of a line in columns, tabs expanded. */
export function widthOf(text: string, tabSize: number): number {
  let width = 0;
  for (const character of text) width += character === '\t' ? tabSize - (width % tabSize) : 1;
  return width;
}

/** Space before each text, in characters, for lines of these widths. */
export function margins(widths: readonly number[]): number[] {
  const column = Math.max(0, ...widths.filter(width => width <= maxColumn));
  return widths.map(width => Math.max(column - width, 0) + gap);
}
