/** The modelled slowdowns of the policies in a picture: bars with their ranges, and the bound as a dotted line. */

import { times } from '../format.js';
import * as l10n from '../l10n.js';
import { type Frame, fontOf, themeValue } from './surface.js';

export interface Slowdown {
  readonly id: string;
  readonly slowdown: number;
  readonly range: readonly [number, number];
}

export interface SlowdownScale {
  readonly ticks: readonly number[];
  /** Share of the track, 0 at a slowdown of 1. */
  at(slowdown: number): number;
}

/** CSS pixels. */
const row = 40;
const fontSize = 11;
const bar = { top: 18, height: 12 };
const foot = 20;

export const slowdownsHeight = (rows: number) => rows * row + foot;

export function drawSlowdowns(
  { context, width }: Frame,
  style: Element,
  rows: readonly Slowdown[],
  scale: SlowdownScale,
  oracle: number,
): void {
  const [ink, note] = [themeValue(style, '--foreground'), themeValue(style, '--note')];
  context.font = fontOf(style, fontSize);
  context.textBaseline = 'top';
  context.lineWidth = 1;
  rows.forEach(({ id, slowdown, range }, i) => {
    const top = i * row;
    context.fillStyle = ink;
    context.textAlign = 'left';
    context.fillText(id, 0, top);
    context.textAlign = 'right';
    context.fillText(l10n.t('{0} ({1} to {2})', times(slowdown), times(range[0]), times(range[1])), width, top);
    context.fillStyle = themeValue(style, '--track');
    context.fillRect(0, top + bar.top, width, bar.height);
    context.fillStyle = themeValue(style, '--series-1');
    context.fillRect(0, top + bar.top, scale.at(slowdown) * width, bar.height);
    context.strokeStyle = ink;
    const middle = top + bar.top + bar.height / 2;
    const [from, to] = range.map(end => scale.at(end) * width) as [number, number];
    line(context, from, middle, to, middle);
    for (const end of [from, to]) line(context, end, middle - 3, end, middle + 3);
  });
  const bottom = rows.length * row - (row - bar.top - bar.height);
  context.setLineDash([2, 2]);
  line(context, scale.at(oracle) * width, bar.top - 2, scale.at(oracle) * width, bottom + 2);
  context.setLineDash([]);
  context.strokeStyle = context.fillStyle = note;
  for (const tick of scale.ticks) {
    const x = scale.at(tick) * width;
    line(context, x, bottom + 4, x, bottom + 10);
    context.textAlign = x < 30 ? 'left' : x > width - 30 ? 'right' : 'center';
    context.fillText(times(tick), x, bottom + 13);
  }
}

function line(context: Frame['context'], x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
