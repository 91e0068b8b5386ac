/**
 * The grid of the heatmap's bins: powers of two of epochs and rows from the map's origin on, cut into tiles. Every view
 * of the same size uses the same bins, so that panning needs only what comes into sight. Pure.
 */
import type { Range } from './viewport.js';

/** Bins of a tile across and down: with three counts a bin, half of the largest answer. */
export const tileColumns = 256;
export const tileRows = 128;

export interface Step {
  readonly x: number;
  readonly y: number;
}

export interface TileId extends Step {
  readonly column: number;
  readonly row: number;
}

/** The finest step, `least` times a power of two, with which a length has at most `bins` bins. */
export function stepFor(length: number, bins: number, least: number): number {
  let step = least;
  while (length / step > Math.max(1, bins)) step *= 2;
  return step;
}

/** Tiles that cover a part of the map, those in its middle first. */
export function tilesOver(x: Range, y: Range, step: Step, whole: Step): TileId[] {
  const [width, height] = [step.x * tileColumns, step.y * tileRows];
  const tiles: TileId[] = [];
  const last = (to: number, end: number, size: number) => Math.ceil(Math.min(to, end) / size);
  for (let row = Math.floor(y[0] / height); row < last(y[1], whole.y, height); row++) {
    for (let column = Math.floor(x[0] / width); column < last(x[1], whole.x, width); column++) {
      tiles.push({ ...step, column, row });
    }
  }
  const away = ({ column, row }: TileId) =>
    Math.hypot((column + 0.5) * width - (x[0] + x[1]) / 2, (row + 0.5) * height - (y[0] + y[1]) / 2);
  return tiles.sort((a, b) => away(a) - away(b));
}

export function keyOf({ x, y, column, row }: TileId): string {
  return `${x} ${y} ${column} ${row}`;
}

/** Epochs and rows of a tile, as far as the map goes. */
export function extentOf({ x, y, column, row }: TileId, whole: Step): { x: Range; y: Range } {
  const cut = (from: number, size: number, end: number): Range => [from, Math.min(from + size, end)];
  return {
    x: cut(column * x * tileColumns, x * tileColumns, whole.x),
    y: cut(row * y * tileRows, y * tileRows, whole.y),
  };
}

/** A tile as far as it hides others: `painted` is null while it has nothing to be drawn. */
export interface Cover {
  readonly id: Step;
  readonly x: Range;
  readonly y: Range;
  readonly painted: unknown;
}

/**
 * Behind a resolution that covers a part of the map, nothing is seen.
 * @param tiles overlap the part; those of one resolution follow each other, what is drawn on top comes last
 * @returns index of the first that is seen
 */
export function firstSeen(tiles: readonly Cover[], x: Range, y: Range): number {
  const overlap = (a: Range, b: Range) => Math.min(a[1], b[1]) - Math.max(a[0], b[0]);
  const area = (x[1] - x[0]) * (y[1] - y[0]);
  for (let last = tiles.length - 1; last >= 0; ) {
    const { id } = tiles[last]!;
    let covered = 0;
    let at = last;
    for (; at >= 0 && tiles[at]!.id.x === id.x && tiles[at]!.id.y === id.y; at--) {
      const tile = tiles[at]!;
      if (tile.painted !== null) covered += overlap(tile.x, x) * overlap(tile.y, y);
    }
    // Tiles of one resolution do not overlap; the sum is as exact as doubles are.
    if (covered >= area * (1 - 1e-9)) return at + 1;
    last = at;
  }
  return 0;
}
