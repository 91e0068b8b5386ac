/** A figure beside what it was in the run before: a sign as a shape and in words, never by colour alone. */

import { el, icon } from './dom.js';
import { percent } from './format.js';
import * as l10n from './l10n.js';

/** `+12 %`, `−3.0 %`, `none`; null where there was nothing to compare with. */
export function changeText(before: number, now: number): string | null {
  if (before === now) return l10n.t('unchanged');
  if (before === 0) return null;
  const share = (now - before) / before;
  return `${share > 0 ? '+' : '\u2212'}${percent(Math.abs(share))}`;
}

/** `▲ +12 %, was 1.2 M`. @param say formats a value with its unit */
export function changeLine(before: number, now: number, say: (value: number) => string): HTMLElement {
  const change = changeText(before, now);
  const was = before === now ? '' : l10n.t(', was {0}', say(before));
  return el('p', { class: 'change' }, changeIcon(before, now), `${change ?? l10n.t('from none')}${was}`);
}

export function changeIcon(before: number, now: number): HTMLElement {
  return icon(now > before ? 'triangle-up' : now < before ? 'triangle-down' : 'dash');
}
