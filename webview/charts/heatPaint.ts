/** The bins as pixels: tiles are painted once for a scale and colouring, and drawn stretched to where they belong. */
import type { HeatColor } from '../state.js';
import type { HeatAxes } from './heatData.js';
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
  readonly tiers: readonly Rgb[];
}

/** The faintest bin of a tier is still that much of its colour. */
const leastOpacity = 0.3;

export function drawTiles(
  context: CanvasRenderingContext2D,
  plot: Plot,
  tiles: HeatTiles,
  paint: Paint,
  ground: string,
) {
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  context.clip();
  const standIns = tiles.complete ? [] : tiles.others(plot.x, plot.y);
  for (const tile of [...standIns, ...tiles.sharp()]) {
    paintTile(tile, paint);
    const [left, right] = [px(plot, tile.x[0]), px(plot, tile.x[1])];
    const [top, bottom] = [py(plot, tile.y[1]), py(plot, tile.y[0])];
    context.fillStyle = ground;
    // Bins without a count are bare: what stood in for the tile must not show through.
    if (standIns.length > 0) context.fillRect(left, top, right - left, bottom - top);
    drawImage(context, tile, left, top, right - left, bottom - top);
  }
  context.restore();
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

function paintTile(tile: Tile, paint: Paint): void {
  if (tile.painted === paint) return;
  tile.painted = paint;
  const { columns, rows } = tile.bins.facts;
  const { image } = tile;
  image.width = columns;
  image.height = rows;
  const data = new ImageData(columns, rows);
  const pixels = new Uint32Array(data.data.buffer);
  const densities = tile.bins.densities(paint.color === 'tier' ? 'accesses' : paint.color);
  for (let row = 0; row < rows; row++) {
    const colors = rowColors(tile, paint, row);
    // Low addresses lie at the bottom.
    const at = (rows - 1 - row) * columns;
    for (let column = 0; column < columns; column++) {
      const value = densities[row * columns + column]!;
      if (value > 0) pixels[at + column] = colors(paint.scale.place(value));
    }
  }
  image.getContext('2d')!.putImageData(data, 0, 0);
}

/** From a place on the scale to a pixel as a canvas of a little-endian machine keeps it: 0xaabbggrr. */
function rowColors(tile: Tile, paint: Paint, row: number): (place: number) => number {
  if (paint.color !== 'tier') return place => paint.ramp[Math.round(place * (rampSize - 1))]!;
  const [from, to] = tile.bins.boxOf({ column: 0, row }).y;
  const tier = paint.axes.tierAt(Math.floor((from + to) / 2));
  const [red, green, blue] = (tier === null ? null : paint.tiers[tier]) ?? [128, 128, 128];
  const opaque = ((blue << 16) | (green << 8) | red) >>> 0;
  return place => ((Math.round(255 * (leastOpacity + (1 - leastOpacity) * place)) << 24) | opaque) >>> 0;
}

/** The stops of the theme, `--heat-0` (the least) to `--heat-6` (the most). */
export function themeRamp(style: Element): Uint32Array {
  return ramp(Array.from({ length: 7 }, (_, i) => parseHex(themeValue(style, `--heat-${i}`))));
}

/** Variables of the tiers' colours; the last is for what is in several. */
export function tierColors(style: Element, tiers: number): Rgb[] {
  return Array.from({ length: tiers }, (_, tier) => parseHex(themeValue(style, tierVariable(tier, tiers))));
}

export function tierVariable(tier: number, tiers: number): string {
  return tier === tiers - 1 ? '--tier-mixed' : `--tier-${(tier % 5) + 1}`;
}
