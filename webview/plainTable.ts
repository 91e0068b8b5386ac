/** A short table without sorting; its first column takes what is left over. For long ones there is `grid.ts`. */
import { type Child, el } from './dom.js';

/** @param rows their cells; all but the first of a row are figures or short words */
export function plainTable(headings: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const cell = (tag: 'td' | 'th', content: Child, i: number) =>
    el(tag, { scope: tag === 'th' ? 'col' : null, class: i > 0 ? 'numeric' : null }, content);
  return el(
    'table',
    { class: 'plain-table' },
    el('thead', {}, el('tr', {}, ...headings.map((heading, i) => cell(heading === '' ? 'td' : 'th', heading, i)))),
    el('tbody', {}, ...rows.map(cells => el('tr', {}, ...cells.map((content, i) => cell('td', content, i))))),
  );
}
