/** The map's axes: time below, addresses on the left, what lies there on the right, and where the address jumps. */

import { compact, shortName, timeTick, whole } from '../format.js';
import * as l10n from '../l10n.js';
import type { HeatAxes } from './heatData.js';
import { fontSize, lanes, laneWidth, lineHeight, type Plot, px, py, wide } from './heatPlot.js';
import { fittingLabels, niceTicks } from './scale.js';
import { type Frame, fitText, fontOf, line, themeValue } from './surface.js';

export function drawAxes(frame: Frame, plot: Plot, axes: HeatAxes, style: Element): void {
  const { context, ratio } = frame;
  context.font = fontOf(style, fontSize);
  drawGaps(frame, plot, axes, style);
  drawTime(frame, plot, axes, style);
  if (frame.width >= wide) drawAddresses(frame, plot, axes, style);
  drawObjects(frame, plot, axes, style);
  context.strokeStyle = themeValue(style, '--rule');
  context.lineWidth = 1 / ratio;
  context.strokeRect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
}

/** A broken line across where the address jumps, and a sign on the axis; none closer than can be told apart. */
function drawGaps({ context, ratio }: Frame, plot: Plot, axes: HeatAxes, style: Element): void {
  let last = Number.POSITIVE_INFINITY;
  for (const { from } of axes.facts.segments) {
    const y = (Math.floor(py(plot, from) * ratio) + 0.5) / ratio;
    if (y >= plot.bottom - 2 || y <= plot.top + 2 || last - y < 6) continue;
    last = y;
    context.lineWidth = 1;
    context.strokeStyle = themeValue(style, '--plot-background');
    line(context, plot.left, y, plot.right, y);
    context.strokeStyle = themeValue(style, '--note');
    context.setLineDash([4, 4]);
    line(context, plot.left, y, plot.right, y);
    context.setLineDash([]);
    line(context, plot.left - 4, y + 4, plot.left + 2, y);
    line(context, plot.left - 4, y + 1, plot.left + 2, y - 3);
  }
}

function drawTime({ context, width, ratio }: Frame, plot: Plot, axes: HeatAxes, style: Element): void {
  context.fillStyle = context.strokeStyle = themeValue(style, '--note');
  context.textAlign = 'center';
  context.textBaseline = 'top';
  context.lineWidth = 1 / ratio;
  const ticks = niceTicks(plot.x[0], plot.x[1], Math.max(2, (plot.right - plot.left) / 80), 1);
  const times = ticks.map(tick => axes.timeAt(tick));
  const step = times.length > 1 ? (times.at(-1)! - times[0]!) / (times.length - 1) : 0;
  const labels = ticks.map((tick, i) => {
    const time = axes.timed ? timeTick(times[i]!, step || times[i]!) : compact(tick * axes.facts.epochAccesses);
    const size = Math.max(context.measureText(time).width, context.measureText(whole(tick)).width) + 8;
    return { at: px(plot, tick), size, weight: 1, time, tick };
  });
  for (const { at } of labels) line(context, at, plot.bottom, at, plot.bottom + 4);
  for (const { at, time, tick } of fittingLabels(labels, 0, width)) {
    context.fillText(time, at, plot.bottom + 6);
    context.fillText(whole(tick), at, plot.bottom + 6 + lineHeight);
  }
  const title = axes.timed
    ? l10n.t('modelled time; epochs of {0} accesses', whole(axes.facts.epochAccesses))
    : l10n.t('time in accesses; columns of {0} accesses', whole(axes.facts.epochAccesses));
  context.textAlign = 'left';
  context.fillText(fitText(context, title, width - plot.left), plot.left, plot.bottom + 6 + 2 * lineHeight);
}

function drawAddresses({ context }: Frame, plot: Plot, axes: HeatAxes, style: Element): void {
  const labels = axes.facts.segments
    .map(({ from, to, address }) => ({
      at: py(plot, from) - 1,
      size: lineHeight,
      weight: to - from,
      address,
    }))
    .filter(({ at }) => at >= plot.top && at <= plot.bottom);
  context.fillStyle = themeValue(style, '--note');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const { at, address } of fittingLabels(labels, plot.top, plot.bottom + lineHeight)) {
    context.fillText(fitText(context, address, plot.left - 9), plot.left - 7, at);
  }
}

function drawObjects(frame: Frame, plot: Plot, axes: HeatAxes, style: Element): void {
  const beside = plot.right + (axes.facts.agreement ? lanes * laneWidth + 3 : 0);
  drawBrackets(
    frame,
    plot,
    axes.facts.segments.flatMap(segment => segment.objects),
    beside,
    style,
  );
}

/** Rows of a map that are one thing. */
export interface NamedRows {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Brackets beside the map for what lies there, and the names that have room, the largest first. */
export function drawBrackets(
  { context, width, ratio }: Frame,
  plot: Plot,
  things: readonly NamedRows[],
  beside: number,
  style: Element,
): void {
  const runs = things
    .map(({ name, from, to }) => ({
      name,
      top: Math.max(plot.top, py(plot, to)),
      bottom: Math.min(plot.bottom, py(plot, from)),
    }))
    .filter(({ top, bottom }) => bottom - top >= 1);
  context.lineWidth = 2;
  context.strokeStyle = themeValue(style, '--note');
  runs.forEach(({ top, bottom }, i) => {
    // Neighbours stand apart by place, not by colour.
    const x = beside + (i % 2 ? 7 : 4);
    line(context, x, top + 1 / ratio, x, bottom - 1 / ratio);
  });
  context.fillStyle = themeValue(style, '--foreground');
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  const labels = runs.map(({ name, top, bottom }) => ({
    at: Math.max(plot.top + lineHeight / 2, Math.min(plot.bottom - lineHeight / 2, (top + bottom) / 2)),
    size: lineHeight,
    weight: bottom - top,
    name,
  }));
  const left = beside + 13;
  for (const { at, name } of fittingLabels(labels, plot.top, plot.bottom)) {
    const [head, tail] = shortName(name);
    context.fillText(fitText(context, head, width - left, tail), left, at);
  }
}
