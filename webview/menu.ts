/** A button with a menu below it: commands, or choices with a check mark. Keys are those of an ARIA menu. */
import { el, icon, setAttributes } from './dom.js';
import { button } from './toolkit.js';

export interface MenuItem {
  readonly label: string;
  /** Present: a choice that is on or off; the menu stays open when it is pressed. */
  readonly checked?: boolean;
  readonly disabled?: boolean;
  press(): void;
}

export interface MenuOptions {
  readonly label: string;
  readonly icon: string;
  /** Asked whenever the menu opens and after each choice. */
  items(): readonly MenuItem[];
}

/** Menus are told apart by their ids. */
let menus = 0;

export function menuButton({ label, icon: glyph, items }: MenuOptions): HTMLElement {
  const id = `menu-${++menus}`;
  const menu = el('div', { role: 'menu', class: 'menu', id, 'aria-label': label, hidden: true });
  const opener = button({ label, icon: glyph, appearance: 'icon', press: () => (menu.hidden ? open() : close()) });
  setAttributes(opener, { 'aria-haspopup': 'menu', 'aria-expanded': 'false' });
  const element = el('div', { class: 'menu-holder' }, opener, menu);

  /** While its entries are replaced, the focus is nowhere for a moment. */
  let filling = false;
  const entries = () => [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')];
  const fill = () => menu.replaceChildren(...items().map(item => entry(item)));
  function entry(item: MenuItem): HTMLElement {
    const choice = item.checked !== undefined;
    const line = el(
      'button',
      {
        type: 'button',
        role: choice ? 'menuitemcheckbox' : 'menuitem',
        'aria-checked': choice ? String(item.checked) : null,
        'aria-disabled': item.disabled ? 'true' : null,
        tabindex: -1,
      },
      el('span', { class: 'menu-mark' }, choice && item.checked ? icon('check') : null),
      item.label,
    );
    line.addEventListener('click', () => {
      if (item.disabled) return;
      const at = entries().indexOf(line);
      item.press();
      if (!choice) return close();
      filling = true;
      fill();
      entries()[at]?.focus();
      filling = false;
    });
    return line;
  }

  function open(): void {
    fill();
    menu.hidden = false;
    setAttributes(opener, { 'aria-expanded': 'true' });
    // Towards the side where there is room.
    menu.classList.toggle('to-left', element.getBoundingClientRect().left > document.body.clientWidth / 2);
    entries()[0]?.focus();
  }
  function close(): void {
    menu.hidden = true;
    setAttributes(opener, { 'aria-expanded': 'false' });
    opener.focus();
  }
  menu.addEventListener('keydown', event => {
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to: Readonly<Record<string, number>> = {
      ArrowDown: (at + 1) % all.length,
      ArrowUp: (at + all.length - 1) % all.length,
      Home: 0,
      End: all.length - 1,
    };
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (to[event.key] !== undefined) all[to[event.key]!]?.focus();
    else return;
    event.stopPropagation();
    if (event.key !== 'Tab') event.preventDefault();
  });
  // A click beside it, or the focus gone elsewhere: closed, and the focus stays where it went.
  element.addEventListener('focusout', ({ relatedTarget }) => {
    if (filling || menu.hidden || element.contains(relatedTarget as Node | null)) return;
    menu.hidden = true;
    setAttributes(opener, { 'aria-expanded': 'false' });
  });
  return element;
}
