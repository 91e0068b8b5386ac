/** The heatmap as a picture of its own: the map with its axes and marks, and the scale below it. */
import * as l10n from '../l10n.js';
import type { Picture, PictureKey } from '../picture.js';
import type { HeatColor } from '../state.js';
import type { HeatChart } from './heat.js';
import type { HeatAxes } from './heatData.js';
import { drawScale, legendWords, tierName } from './heatLegend.js';
import { tierVariable } from './heatPaint.js';

const mapHeight = 480;

export function heatPicture(chart: HeatChart, axes: HeatAxes, color: HeatColor, note: string): Picture | null {
  const { scale } = chart;
  if (!scale) return null;
  const { width } = chart.size;
  return {
    name: 'heatmap',
    width,
    parts: [
      {
        title: l10n.t('Page accesses by address and time'),
        note: legendWords(axes, color, scale, note),
        ...(color === 'tier' && { legend: axes.facts.tiers.map(tierKey) }),
        height: mapHeight,
        draw: (frame, style) => chart.picture(frame, style),
      },
      {
        title: l10n.t('Scale'),
        note: l10n.t('per page and epoch'),
        height: 40,
        draw: (frame, style) => drawScale({ ...frame, width: Math.min(frame.width, 320) }, style, scale, color),
      },
    ],
  };
}

function tierKey(name: string, tier: number, { length }: readonly string[]): PictureKey {
  return { name: tierName(name), color: tierVariable(tier, length), dash: [], kind: 'bars' };
}
