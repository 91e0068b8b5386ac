/** The heatmap as a picture of its own: the map with its axes and marks, and the scale below it. */
import type { Picture } from '../picture.js';
import type { HeatColor } from '../state.js';
import type { HeatChart } from './heat.js';
import type { HeatAxes } from './heatData.js';
import { drawScale, legendWords } from './heatLegend.js';

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
        title: 'Page accesses by address and time',
        note: legendWords(axes, color, scale, note),
        height: mapHeight,
        draw: (frame, style) => chart.picture(frame, style),
      },
      {
        title: 'Scale',
        note: 'per page and epoch',
        height: 40,
        draw: (frame, style) => drawScale({ ...frame, width: Math.min(frame.width, 320) }, style, scale, color),
      },
    ],
  };
}
