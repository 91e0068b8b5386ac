/** Which columns of a table fit, and which rows are in sight. Pure, so that it can be tested without a page. */

export interface ColumnSize {
  /** Least width in CSS pixels. */
  readonly width: number;
  /** 0 always shows; of the others the smallest come first where there is no room for all. */
  readonly priority: number;
}

/** Indices of the columns that fit side by side, in their order; those of priority 0 even if they do not. */
export function fittingColumns(columns: readonly ColumnSize[], width: number): number[] {
  const byPriority = columns.map((_, i) => i).sort((a, b) => columns[a]!.priority - columns[b]!.priority || a - b);
  const shown: number[] = [];
  let used = 0;
  for (const i of byPriority) {
    const { width: own, priority } = columns[i]!;
    // A column never jumps the queue: what shows at one width also shows at every greater one.
    if (priority > 0 && used + own > width) break;
    shown.push(i);
    used += own;
  }
  return shown.sort((a, b) => a - b);
}

/** Rows [from, to) that a scrolled window shows, with some more on either side. */
export function visibleRows(
  scrollTop: number,
  height: number,
  rowHeight: number,
  total: number,
  beyond: number,
): [number, number] {
  const from = Math.max(0, Math.floor(scrollTop / rowHeight) - beyond);
  const to = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + beyond);
  return [Math.min(from, Math.max(0, to)), to];
}
