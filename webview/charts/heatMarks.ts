/** Marks over and beside the map: tiers' patterns, a tracker's hits and misses, what is pointed at, the window. */
import * as l10n from '../l10n.js';
import type { Box, HeatAxes } from './heatData.js';
import { drawHatch, hatchOfTier } from './heatHatch.js';
import { bandOf, laneWidth, type Plot, px, py } from './heatPlot.js';
import { type Frame, line, themeValue } from './surface.js';
import type { Range } from './viewport.js';

/** Kinds of agreement, from left to right: the sign at the head of a lane also stands in the legend. */
export const agreementKinds = [
  { key: 'found', sign: '●', words: l10n.t('found') },
  { key: 'missed', sign: '○', words: l10n.t('missed; rising lines on the map where most are') },
  { key: 'falsely', sign: '×', words: l10n.t('falsely reported; falling lines') },
] as const;

/** Runs of rows of one tier wear its pattern. */
export function drawTierPatterns(context: CanvasRenderingContext2D, plot: Plot, axes: HeatAxes, style: Element): void {
  const { shown, step, rows, tiers } = axes.facts;
  context.strokeStyle = themeValue(style, '--plot-background');
  for (let row = 0, from = 0; row <= rows; row++) {
    const tier = (of: number) => axes.tierAt(shown.y[0] + of * step.y);
    if (row < rows && tier(row) === tier(from)) continue;
    const band = bandOf(plot, [shown.y[0] + from * step.y, shown.y[0] + row * step.y]);
    const kind = tier(from);
    if (band && kind !== null) {
      drawHatch(context, hatchOfTier(kind, tiers.length), { ...band, left: plot.left, right: plot.right });
    }
    from = row;
  }
}

/** Three lanes beside the map; the fuller, the larger the share of a bin's pages. */
export function drawAgreement(context: CanvasRenderingContext2D, plot: Plot, axes: HeatAxes, style: Element): void {
  const rows = axes.agreementRows();
  if (!axes.facts.agreement) return;
  const foreground = themeValue(style, '--foreground');
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  for (const [lane, { key, sign }] of agreementKinds.entries()) {
    const left = plot.right + 3 + lane * laneWidth;
    context.fillStyle = foreground;
    context.fillText(sign, left + laneWidth / 2 - 1, plot.top - 3);
    context.strokeStyle = themeValue(style, '--rule');
    context.lineWidth = 1;
    context.strokeRect(left + 0.5, plot.top, laneWidth - 3, plot.bottom - plot.top);
    for (const { y, [key]: pages } of rows) {
      const band = pages > 0 && bandOf(plot, y);
      if (!band) continue;
      context.globalAlpha = 0.35 + 0.65 * Math.min(1, pages / (y[1] - y[0]));
      const height = Math.max(1, band.bottom - band.top);
      context.fillRect(left + 1, band.bottom - height, laneWidth - 4, height);
    }
    context.globalAlpha = 1;
  }
  drawDisagreement(context, plot, rows, foreground);
}

/** On the map itself: rows that were mostly missed rise, rows that were mostly reported falsely fall. */
function drawDisagreement(
  context: CanvasRenderingContext2D,
  plot: Plot,
  rows: ReturnType<HeatAxes['agreementRows']>,
  color: string,
): void {
  context.strokeStyle = color;
  context.globalAlpha = 0.55;
  for (const { y, found, missed, falsely } of rows) {
    const band = bandOf(plot, y);
    const most = Math.max(found, missed, falsely);
    if (!band || most === found) continue;
    drawHatch(context, most === missed ? 'rising' : 'falling', { ...band, left: plot.left, right: plot.right }, 9);
  }
  context.globalAlpha = 1;
}

/** Outlines of the rows that the user points at, in two tones to stand out on any colour. */
export function drawFocus(context: CanvasRenderingContext2D, plot: Plot, axes: HeatAxes, style: Element): void {
  for (const run of axes.facts.focus?.runs ?? []) {
    const band = bandOf(plot, run);
    if (!band) continue;
    const height = Math.max(4, band.bottom - band.top);
    const box = [plot.left, (band.top + band.bottom - height) / 2, plot.right - plot.left, height] as const;
    for (const [width, color] of [
      [4, '--plot-background'],
      [2, '--focus'],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = themeValue(style, color);
      context.strokeRect(...box);
    }
  }
}

/** A crosshair through a bin, and a frame around it that is seen around the tiniest, in two tones on any colour. */
export function drawCursor({ context, ratio }: Frame, plot: Plot, box: Box, style: Element): void {
  const [fromX, toX] = [px(plot, box.x[0]), px(plot, box.x[1])];
  const [fromY, toY] = [py(plot, box.y[0]), py(plot, box.y[1])];
  const [x, y] = [(fromX + toX) / 2, (fromY + toY) / 2];
  context.strokeStyle = themeValue(style, '--foreground');
  context.lineWidth = 1 / ratio;
  context.setLineDash([3, 3]);
  line(context, x, plot.top, x, plot.bottom);
  line(context, plot.left, y, plot.right, y);
  context.setLineDash([]);
  const size = (from: number, to: number) => Math.max(7, Math.abs(to - from) + 4);
  const [width, height] = [size(fromX, toX), size(fromY, toY)];
  for (const [pen, color] of [
    [3, '--plot-background'],
    [1, '--foreground'],
  ] as const) {
    context.lineWidth = pen;
    context.strokeStyle = themeValue(style, color);
    context.strokeRect(x - width / 2, y - height / 2, width, height);
  }
}

/** What lies outside the window that all views share recedes. */
export function drawWindow(context: CanvasRenderingContext2D, plot: Plot, window: Range, style: Element): void {
  const cut = (epoch: number) => Math.max(plot.left, Math.min(plot.right, px(plot, epoch)));
  const [from, to] = [cut(window[0]), cut(window[1])];
  context.fillStyle = themeValue(style, '--plot-background');
  context.globalAlpha = 0.72;
  context.fillRect(plot.left, plot.top, from - plot.left, plot.bottom - plot.top);
  context.fillRect(to, plot.top, plot.right - to, plot.bottom - plot.top);
  context.globalAlpha = 1;
  context.strokeStyle = themeValue(style, '--foreground');
  context.lineWidth = 1;
  context.setLineDash([6, 3]);
  for (const x of [from, to]) if (x > plot.left && x < plot.right) line(context, x, plot.top, x, plot.bottom);
  context.setLineDash([]);
}
