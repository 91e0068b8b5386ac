/** Pieces that several views share: class words, source links, the split of reads and writes, a section. */

import { word } from '../core/model/words.js';
import type { Location } from '../core/protocol.js';
import { type Child, el, icon, setShare } from './dom.js';
import { percent, shortName } from './format.js';
import * as l10n from './l10n.js';

/** The class as a shape and a word; the colour only repeats them. The shapes are those of the tree of hot regions. */
const classIcons: Readonly<Record<string, string>> = { hot: 'flame', warm: 'circle-filled', cold: 'circle-outline' };

export function hotness(name: string): HTMLElement {
  return el('span', { class: `hotness ${name}` }, icon(classIcons[name] ?? 'circle-outline'), word(name));
}

/** An object's name: whole where there is room; in a narrow page short, with the line number uncut. */
export function objectName(name: string): HTMLElement {
  const [head, tail] = shortName(name);
  if (tail === '') return el('span', { class: 'grid-text' }, name);
  return el(
    'span',
    { class: 'object-name' },
    el('span', { class: 'if-wide' }, name),
    el('span', { class: 'if-narrow' }, el('span', { class: 'grid-text' }, head), tail),
  );
}

/** A button that looks like a link and leads to the source; plain text where no source is known. */
export function sourceLink(text: string, location: Location | null, reveal: (location: Location) => void): HTMLElement {
  if (!location)
    return el('span', { class: 'source', title: l10n.t('{0}\nno source line is known', text) }, objectName(text));
  const link = el(
    'button',
    { type: 'button', class: 'link source', title: `${text}\n${placeOf(location)}` },
    objectName(text),
  );
  link.addEventListener('click', () => reveal(location));
  return link;
}

export function placeOf({ file, line }: Location): string {
  return `${file}:${line}`;
}

/** Reads solid, writes hatched, both with their per cent in words beside the bar. */
export function splitBar(reads: number, writes: number): HTMLElement {
  const total = reads + writes;
  const share = total === 0 ? 0 : reads / total;
  return el(
    'div',
    { class: 'split' },
    setShare(
      el(
        'div',
        { class: 'split-bar', 'aria-hidden': 'true' },
        el('span', { class: 'reads' }),
        el('span', { class: 'writes' }),
      ),
      share,
    ),
    el(
      'div',
      { class: 'split-words' },
      el('span', { class: 'key reads' }, l10n.t('{0} read', percent(share))),
      el('span', { class: 'key writes' }, l10n.t('{0} write', percent(total === 0 ? 0 : 1 - share))),
    ),
  );
}

/** A bar that fills a share of its track. */
export function shareBar(share: number, kind = ''): HTMLElement {
  return setShare(el('div', { class: `share-bar ${kind}`, 'aria-hidden': 'true' }, el('span', {})), share);
}

export function section(heading: string, note: string | null, ...content: readonly Child[]): HTMLElement {
  return el(
    'section',
    { class: 'part' },
    el('h2', {}, heading, note === null ? null : el('small', {}, note)),
    ...content,
  );
}

export function list(items: readonly string[]): HTMLElement {
  return el('ul', { class: 'plain' }, ...items.map(item => el('li', {}, item)));
}
