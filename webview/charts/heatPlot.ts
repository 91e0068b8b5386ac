/** Where the heatmap's parts lie on its canvas, and how epochs and rows become pixels. Pure. */
import type { Frame } from './surface.js';
import type { Range } from './viewport.js';

/** CSS pixels. */
export const fontSize = 11;
export const lineHeight = 14;
/** Below this width addresses have no room; the readout tells them. */
export const wide = 560;
/** A lane of the tracker's agreement: found, missed, falsely reported. */
export const laneWidth = 13;
export const lanes = 3;

export interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  readonly x: Range;
  readonly y: Range;
}

/** @param withLanes room for the agreement beside the map */
export function plotOf(
  { width, height }: Pick<Frame, 'width' | 'height'>,
  x: Range,
  y: Range,
  withLanes: boolean,
): Plot {
  const [left, right] = width >= wide ? [104, 176] : [10, Math.max(84, Math.min(150, width * 0.32))];
  return {
    left,
    right: Math.max(left + 40, width - right - (withLanes ? lanes * laneWidth + 3 : 0)),
    top: withLanes ? 20 : 6,
    bottom: Math.max(60, height - 50),
    x,
    y,
  };
}

export function px({ left, right, x }: Plot, epoch: number): number {
  return left + ((epoch - x[0]) / (x[1] - x[0])) * (right - left);
}

export function py({ top, bottom, y }: Plot, page: number): number {
  return bottom - ((page - y[0]) / (y[1] - y[0])) * (bottom - top);
}

/** Top and bottom of some rows, as far as they are in sight; null where they are not. */
export function bandOf(plot: Plot, [from, to]: Range): { readonly top: number; readonly bottom: number } | null {
  if (to <= plot.y[0] || from >= plot.y[1]) return null;
  return { top: Math.max(plot.top, py(plot, to)), bottom: Math.min(plot.bottom, py(plot, from)) };
}
