/** A row of block characters, for places that show text only (a hover). */

const blocks = '▁▂▃▄▅▆▇█';
/** Characters of a sparkline at most. */
export const sparklineWidth = 40;

/**
 * One character a value, scaled to the greatest value; more values than `width` are summed in groups first.
 * Only zero draws the lowest block, so that "a little" differs from "nothing". Empty when nothing is above zero.
 */
export function sparkline(values: ArrayLike<number>, width = sparklineWidth): string {
  const length = Math.min(width, values.length);
  const bins = new Float64Array(length);
  for (let i = 0; i < values.length; i++) bins[Math.floor((i * length) / values.length)] += values[i];
  // Groups differ by one in size when the length does not divide: the mean keeps an even load even.
  if (values.length > length) {
    const sizes = new Uint32Array(length);
    for (let i = 0; i < values.length; i++) sizes[Math.floor((i * length) / values.length)]++;
    for (let bin = 0; bin < length; bin++) bins[bin] /= sizes[bin];
  }
  const top = bins.reduce((a, b) => Math.max(a, b), 0);
  if (top === 0) return '';
  return Array.from(bins, value => blocks[value === 0 ? 0 : Math.max(1, Math.round((value / top) * 7))]).join('');
}
