/** A figure that matters: its value, unit and denominator, what it was before, and a small picture of its parts. */
import type { OverviewFacts } from '../../../core/protocol.js';
import { changeLine } from '../../change.js';
import { el, setShare } from '../../dom.js';
import { compact } from '../../format.js';
import { hotness } from '../../parts.js';

export interface Tile {
  readonly label: string;
  readonly value: string;
  /** Unit, denominator and window, in small print. */
  readonly note: string;
  /** What it means, and the figures uncut. */
  readonly hint: string;
  readonly below: HTMLElement;
  /** null: there is no run to compare with. */
  readonly change: { readonly before: number; readonly now: number; say(value: number): string } | null;
}

export function tile({ label, value, note, hint, below, change }: Tile): HTMLElement {
  return el(
    'div',
    { class: 'tile', title: hint },
    el('h2', {}, label),
    el('div', { class: 'value' }, value),
    change && changeLine(change.before, change.now, change.say),
    el('p', { class: 'note' }, note),
    below,
  );
}

/** Hot, warm and cold pages as parts of one bar, with their numbers in words below. */
export function classBar({ hotPages, warmPages, coldPages, pagesTouched }: OverviewFacts): HTMLElement {
  const parts = [
    ['hot', hotPages],
    ['warm', warmPages],
    ['cold', coldPages],
  ] as const;
  const share = (count: number) => (pagesTouched === 0 ? 0 : count / pagesTouched);
  return el(
    'div',
    {},
    el(
      'div',
      { class: 'class-bar', 'aria-hidden': 'true' },
      ...parts.map(([name, count]) => setShare(el('span', { class: name }), share(count))),
    ),
    el(
      'div',
      { class: 'class-words' },
      ...parts.map(([name, count]) => el('span', {}, hotness(name), ` ${compact(count)}`)),
    ),
  );
}
