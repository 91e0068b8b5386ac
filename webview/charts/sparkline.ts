/** A line without axes, for a tile: the shape of a column, from 0 to its greatest value. */
import { el, svg } from '../dom.js';

const width = 200;
const height = 32;

export function sparkline(values: ArrayLike<number>, most: number): HTMLElement {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const y = (value: number) => (most > 0 ? height - 1 - (value / most) * (height - 2) : height - 1);
  const points = Array.from(values, (value, i) => `${(i * step).toFixed(1)},${y(value).toFixed(1)}`);
  if (points.length === 1) points.push(`${width},${points[0]!.split(',')[1]}`);
  return el(
    'div',
    { class: 'sparkline' },
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      svg('polygon', { points: `0,${height} ${points.join(' ')} ${width},${height}`, class: 'area' }),
      svg('polyline', { points: points.join(' '), class: 'line', 'vector-effect': 'non-scaling-stroke' }),
    ) as unknown as Node,
  );
}
