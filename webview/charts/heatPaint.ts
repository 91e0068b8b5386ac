/** The bins as pixels: tiles are painted once for a scale and colouring, and drawn stretched to where they belong. */
import type { HeatColor } from '../state.js';
import type { HeatAxes } from './heatData.js';
import { tileColumns, tileRows } from './heatGrid.js';
import { type Plot, px, py } from './heatPlot.js';
import type { HeatScale } from './heatScale.js';
import type { HeatTiles, Tile } from './heatTiles.js';
import { parseHex, type Rgb, ramp, rampSize } from './ramp.js';
import { themeValue } from './surface.js';

/** What the bins are coloured by. */
export interface Paint {
  readonly color: HeatColor;
  readonly scale: HeatScale;
  /** Tells the tiers of rows. */
  readonly axes: HeatAxes;
  /** Colours of the theme: the ramp, and one for each tier. */
  readonly ramp: Uint32Array;
  readonly tiers: readonly Uint32Array[];
  /** Of rows that no policy places. */
  readonly noTier: Uint32Array;
}

/** The faintest bin of a tier is still that much of its colour. */
const leastOpacity = 0.3;

/**
 * Draws what is at hand of the tiles in sight.
 * @param until when painting ends for this frame, as `performance.now()` counts; tiles that are not painted anew by then
 *   are drawn as they were, those that never were are left to what stands in for them
 * @returns whether all are painted as they should be
 */
export function drawTiles(
  context: CanvasRenderingContext2D,
  plot: Plot,
  tiles: HeatTiles,
  paint: Paint,
  ground: string,
  until: number,
): boolean {
  const sharp = tiles.sharp();
  const sharpDone = paintTiles(sharp, paint, until);
  const covered = tiles.complete && sharp.every(({ painted }) => painted !== null);
  const standIns = covered ? [] : tiles.others(plot.x, plot.y);
  const done = paintTiles(standIns.toReversed(), paint, until) && sharpDone;
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  context.clip();
  for (const tile of [...standIns, ...sharp]) {
    if (tile.painted === null) continue;
    const [left, right] = [px(plot, tile.x[0]), px(plot, tile.x[1])];
    const [top, bottom] = [py(plot, tile.y[1]), py(plot, tile.y[0])];
    context.fillStyle = ground;
    // Bins without a count are bare: what stood in for the tile must not show through.
    if (standIns.length > 0) context.fillRect(left, top, right - left, bottom - top);
    drawImage(context, tile, left, top, right - left, bottom - top);
  }
  context.restore();
  return done;
}

/** Paints tiles that are not as they should be, one at least. @returns whether all are now */
function paintTiles(tiles: readonly Tile[], paint: Paint, until: number): boolean {
  for (const tile of tiles.filter(({ painted }) => painted !== paint)) {
    if (performance.now() >= until) return false;
    paintTile(tile, paint);
  }
  return true;
}

/** The last bins of the map may be cut: a tile's image is as wide as whole bins would be. */
function drawImage(
  context: CanvasRenderingContext2D,
  tile: Tile,
  left: number,
  top: number,
  width: number,
  height: number,
) {
  const { step, columns, rows } = tile.bins.facts;
  const across = (width * columns * step.x) / (tile.x[1] - tile.x[0]);
  const down = (height * rows * step.y) / (tile.y[1] - tile.y[0]);
  // Bins are sharp; those that are smaller than pixels are mixed, since a choice of them would be a pattern of its own.
  context.imageSmoothingEnabled = across < columns || down < rows;
  context.drawImage(tile.image, left, top + height - down, across, down);
}

/** Pixels on their way to a tile's image, of one tile at a time. */
let scratch: ImageData | null = null;

function paintTile(tile: Tile, paint: Paint): void {
  tile.painted = paint;
  const { columns, rows } = tile.bins.facts;
  const { image } = tile;
  if (image.width !== columns) image.width = columns;
  if (image.height !== rows) image.height = rows;
  scratch ??= new ImageData(tileColumns, tileRows);
  // As canvases of a little-endian machine keep them: 0xaabbggrr.
  const pixels = new Uint32Array(scratch.data.buffer);
  const densities = tile.bins.densities(paint.color === 'tier' ? 'accesses' : paint.color);
  for (let row = 0; row < rows; row++) {
    const colors = paint.color === 'tier' ? tierRamp(tile, paint, row) : paint.ramp;
    // Low addresses lie at the bottom.
    const at = (rows - 1 - row) * tileColumns;
    for (let column = 0; column < columns; column++) {
      const value = densities[row * columns + column]!;
      pixels[at + column] = value > 0 ? colors[Math.round(paint.scale.place(value) * (rampSize - 1))]! : 0;
    }
  }
  image.getContext('2d')!.putImageData(scratch, 0, 0, 0, 0, columns, rows);
}

/** The colours of a row's tier, the more opaque the more there is. */
function tierRamp(tile: Tile, paint: Paint, row: number): Uint32Array {
  const [from, to] = tile.bins.boxOf({ column: 0, row }).y;
  const tier = paint.axes.tierAt(Math.floor((from + to) / 2));
  return (tier === null ? undefined : paint.tiers[tier]) ?? paint.noTier;
}

function fading([red, green, blue]: Rgb): Uint32Array {
  const opaque = (blue << 16) | (green << 8) | red;
  const opacity = (i: number) => Math.round(255 * (leastOpacity + ((1 - leastOpacity) * i) / (rampSize - 1)));
  return Uint32Array.from({ length: rampSize }, (_, i) => ((opacity(i) << 24) | opaque) >>> 0);
}

/** The stops of the theme, `--heat-0` (the least) to `--heat-6` (the most). */
export function themeRamp(style: Element): Uint32Array {
  return ramp(Array.from({ length: 7 }, (_, i) => parseHex(themeValue(style, `--heat-${i}`))));
}

/** A ramp for each tier; the last is for what is in several. */
export function tierRamps(style: Element, tiers: number): Uint32Array[] {
  return Array.from({ length: tiers }, (_, tier) => fading(parseHex(themeValue(style, tierVariable(tier, tiers)))));
}

export const noTierRamp = fading([128, 128, 128]);

export function tierVariable(tier: number, tiers: number): string {
  return tier === tiers - 1 ? '--tier-mixed' : `--tier-${(tier % 5) + 1}`;
}
