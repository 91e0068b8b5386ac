/**
 * Gutter icons as data URIs: a bar as high as the line's share, on a logarithmic scale, and as wide as its class, so
 * that no class is told by colour alone. An image cannot use theme colours, so each has the default of
 * `contributes.colors` for dark and for light themes.
 */
import type { LineHeat } from '../../core/protocol.js';

/** A class of lines, or a mark that is no longer sure. */
export type MarkKind = LineHeat['hotness'] | 'stale';
export const markKinds: readonly MarkKind[] = ['hot', 'warm', 'cold', 'stale'];

/** Least share of each height but the lowest, from low to high; each is about three times the one before. */
export const barShares = [0.01, 0.03, 0.1, 0.3] as const;
export const barLevels = [0, 1, 2, 3, 4] as const;
export type BarLevel = (typeof barLevels)[number];

const widths: Readonly<Record<MarkKind, number>> = { hot: 7, warm: 4, cold: 2, stale: 5 };

export const iconColors: Readonly<Record<'dark' | 'light', Readonly<Record<MarkKind, string>>>> = {
  dark: { hot: '#f48771', warm: '#d7ba7d', cold: '#7fa8c9', stale: '#8a8a8a' },
  light: { hot: '#b3261e', warm: '#7a5900', cold: '#31688e', stale: '#767676' },
};

/** @param share of the run's accesses, 0 to 1 */
export function barLevel(share: number): BarLevel {
  return barShares.filter(least => share >= least).length as BarLevel;
}

/** A stale mark is an outline: what it says is no longer sure. */
export function gutterIcon(kind: MarkKind, level: BarLevel, theme: 'dark' | 'light'): string {
  const height = 3 + 3 * level;
  const width = widths[kind];
  const color = iconColors[theme][kind];
  const inset = kind === 'stale' ? 0.5 : 0;
  const paint = kind === 'stale' ? `fill="none" stroke="${color}"` : `fill="${color}"`;
  const at = `x="${8 - width / 2 + inset}" y="${15.5 - height + inset}"`;
  const bar = `<rect ${at} width="${width - 2 * inset}" height="${height - 2 * inset}" ${paint}/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">${bar}</svg>`;
  return `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
}
