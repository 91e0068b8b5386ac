/**
 * What of the one selection is not as at first, in every view: whose eyes the run is seen with, which epochs are shown,
 * and what it is compared with; each with a button that takes it back. Nothing of it: no strip.
 */

import type { Selection } from '../core/protocol.js';
import { el, icon } from './dom.js';
import { span } from './format.js';
import * as l10n from './l10n.js';
import { button } from './toolkit.js';

interface Chip {
  readonly icon: string;
  readonly text: string;
  readonly hint: string;
  readonly undo: string;
  readonly change: Partial<Selection>;
}

export class SelectionStrip {
  readonly element = el('div', { class: 'strip', role: 'group', 'aria-label': l10n.t('What is shown'), hidden: true });

  constructor(readonly select: (change: Partial<Selection>) => void) {}

  show(selection: Selection): void {
    const chips = chipsOf(selection);
    this.element.hidden = chips.length === 0;
    this.element.replaceChildren(...chips.map(chip => this.#chip(chip)));
  }

  #chip({ icon: glyph, text, hint, undo, change }: Chip): HTMLElement {
    return el(
      'span',
      { class: 'chip', title: hint },
      icon(glyph),
      el('span', { class: 'chip-text' }, text),
      button({ label: undo, icon: 'close', appearance: 'icon', press: () => this.select(change) }),
    );
  }
}

function chipsOf({ profile, tracker, window, baseline }: Selection): Chip[] {
  if (profile === null) return [];
  const chips: Chip[] = [];
  if (tracker !== 'exact') {
    chips.push({
      icon: 'eye',
      text: l10n.t('as {0} sees it', tracker),
      hint: l10n.t(
        'Counts are the readings of this tracker, attributed by the exact counts; traffic, tiers and time stay as they are',
      ),
      undo: l10n.t('Show the exact counts again'),
      change: { tracker: 'exact' },
    });
  }
  if (window) {
    chips.push({
      icon: 'history',
      text: l10n.t('epochs {0}', span(window[0], window[1])),
      hint: l10n.t(
        'Pages and allocations are those of these epochs; lines, policies and trackers are of the whole run',
      ),
      undo: l10n.t('Show the whole run again'),
      change: { window: null },
    });
  }
  if (baseline !== null) {
    const name = baseline.startsWith('unsaved:') ? l10n.t('the run before') : baseline.split('/').pop()!;
    chips.push({
      icon: 'diff',
      text: l10n.t('compared with {0}', name),
      hint: baseline,
      undo: l10n.t('End the comparison'),
      change: { baseline: null },
    });
  }
  return chips;
}
