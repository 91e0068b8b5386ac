/** Where the frames of a flame graph lie, and which one a key leads to. Pure. */
import type { FlameFrame } from '../../core/protocol.js';

export interface FlameBox {
  /** Index of the frame. */
  readonly frame: number;
  /** Row, 0 at the top. */
  readonly depth: number;
  /** Shares of the width. */
  readonly from: number;
  readonly to: number;
}

export interface FlameLayout {
  /** By frame; null for what has no place (no weight). */
  readonly boxes: readonly (FlameBox | null)[];
  /** From left to right within a row. */
  readonly rows: readonly (readonly FlameBox[])[];
  /** From left to right. */
  readonly children: readonly (readonly number[])[];
}

/**
 * @param root the frame that is as wide as the whole; those before it are its callers, and as wide
 * @param leftHeavy the widest first; else by name. What is folded comes last.
 */
export function flameLayout(frames: readonly FlameFrame[], root: number, leftHeavy: boolean): FlameLayout {
  const children: number[][] = frames.map(() => []);
  frames.forEach(({ parent }, i) => {
    if (parent >= 0) children[parent]!.push(i);
  });
  const order = (a: number, b: number) => {
    const [x, y] = [frames[a]!, frames[b]!];
    const rest = Number(x.kind === 'rest') - Number(y.kind === 'rest');
    const byName = x.name < y.name ? -1 : x.name > y.name ? 1 : 0;
    return rest || (leftHeavy ? y.weight - x.weight || byName : byName) || a - b;
  };
  for (const list of children) list.sort(order);

  const boxes: (FlameBox | null)[] = frames.map(() => null);
  const rows: FlameBox[][] = [];
  const place = (frame: number, depth: number, from: number, to: number) => {
    const box = { frame, depth, from, to };
    boxes[frame] = box;
    (rows[depth] ??= []).push(box);
  };
  for (let i = 0; i <= root && i < frames.length; i++) place(i, i, 0, 1);
  const visit = (frame: number, { depth, from, to }: FlameBox) => {
    const { weight } = frames[frame]!;
    let at = from;
    for (const child of children[frame]!) {
      const width = weight > 0 ? ((to - from) * frames[child]!.weight) / weight : 0;
      if (width <= 0) continue;
      place(child, depth + 1, at, Math.min(to, at + width));
      visit(child, boxes[child]!);
      at += width;
    }
  };
  if (root < frames.length) visit(root, boxes[root]!);
  return { boxes, rows, children };
}

/** The box of a row under a share of the width. */
export function boxAt({ rows }: FlameLayout, depth: number, at: number): FlameBox | null {
  return rows[depth]?.find(({ from, to }) => at >= from && at < to) ?? null;
}

/** Where an arrow key leads: down to the first child, up to the parent, sideways within the row. */
export function neighbour(
  layout: FlameLayout,
  frames: readonly FlameFrame[],
  frame: number,
  key: string,
): number | null {
  const box = layout.boxes[frame];
  if (!box) return null;
  const row = layout.rows[box.depth]!;
  const at = row.indexOf(box);
  switch (key) {
    case 'ArrowDown':
      return layout.children[frame]!.find(child => layout.boxes[child]) ?? null;
    case 'ArrowUp':
      return frames[frame]!.parent >= 0 ? frames[frame]!.parent : null;
    case 'ArrowLeft':
      return row[at - 1]?.frame ?? null;
    case 'ArrowRight':
      return row[at + 1]?.frame ?? null;
    case 'Home':
      return row[0]!.frame;
    case 'End':
      return row.at(-1)!.frame;
    default:
      return null;
  }
}

/** The words of a search, each of which a name must hold. */
export function searchWords(search: string): string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean);
}

export function matches(name: string, words: readonly string[]): boolean {
  const text = name.toLowerCase();
  return words.length > 0 && words.every(word => text.includes(word));
}
