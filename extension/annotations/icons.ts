/**
 * Gutter icons as data URIs. The classes differ in shape, not only in colour: the hotter, the taller the bar. An image
 * cannot use theme colours, so each has the default of `contributes.colors` for dark and for light themes.
 */
import type { Hotness } from './lineMarks.js';

const heights: Readonly<Record<Hotness | 'stale', number>> = { hot: 14, warm: 8, cold: 3, stale: 8 };

export const iconColors: Readonly<Record<'dark' | 'light', Readonly<Record<Hotness | 'stale', string>>>> = {
  dark: { hot: '#f48771', warm: '#d7ba7d', cold: '#7fa8c9', stale: '#8a8a8a' },
  light: { hot: '#b3261e', warm: '#7a5900', cold: '#31688e', stale: '#767676' },
};

/** A stale mark is an outline: what it says is no longer sure. */
export function gutterIcon(kind: Hotness | 'stale', theme: 'dark' | 'light'): string {
  const height = heights[kind];
  const color = iconColors[theme][kind];
  const paint = kind === 'stale' ? `fill="none" stroke="${color}"` : `fill="${color}"`;
  const bar = `<rect x="6.5" y="${15 - height}" width="4" height="${height}" rx="1" ${paint}/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${bar}</svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
