/**
 * Which phase of the run is shown, to be chosen; and what of the one selection is not as at first, in every view: whose
 * eyes the run is seen with, which epochs are shown, and what it is compared with, each with a button that takes it back.
 * A run of one phase with nothing else selected: no strip.
 */

import type { PhaseFacts, Selection } from '../core/protocol.js';
import { el, icon } from './dom.js';
import { span } from './format.js';
import * as l10n from './l10n.js';
import { PhasePicker } from './phases.js';
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

  readonly #phases: PhasePicker;
  readonly #chips = el('div', { class: 'chips' });
  #selection: Selection | null = null;

  constructor(readonly select: (change: Partial<Selection>) => void) {
    this.#phases = new PhasePicker(select);
    this.element.append(this.#phases.element, this.#chips);
  }

  show(selection: Selection): void {
    this.#selection = selection;
    const chips = chipsOf(selection, id => this.#phases.nameOf(id));
    this.#chips.hidden = chips.length === 0;
    this.#chips.replaceChildren(...chips.map(chip => this.#chip(chip)));
    this.#phases.show(selection);
    this.element.hidden = this.#chips.hidden && this.#phases.element.hidden;
  }

  /** The phases of the run that is shown. */
  offer(phases: readonly PhaseFacts[]): void {
    this.#phases.offer(phases);
    if (this.#selection) this.show(this.#selection);
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

function chipsOf(
  { profile, tracker, tierChanges, window, phase, baseline }: Selection,
  nameOf: (phase: string) => string,
): Chip[] {
  if (profile === null) return [];
  const chips: Chip[] = [];
  if (tierChanges.length > 0) {
    chips.push({
      icon: 'settings',
      text: l10n.t('what if: {0}', tierChanges.map(({ tier }) => tier).join(', ')),
      hint: l10n.t('Objects are placed, here and in the source, in tiers of other capacities or latencies'),
      undo: l10n.t('Place in the tiers as they are'),
      change: { tierChanges: [] },
    });
  }
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
      text:
        phase === null
          ? l10n.t('epochs {0}', span(window[0], window[1]))
          : l10n.t('phase {0}, epochs {1}', nameOf(phase), span(window[0], window[1])),
      hint:
        tracker === 'exact'
          ? l10n.t(
              'Counts of pages, allocations and lines are those of these epochs; policies and scores of trackers are of the whole run',
            )
          : l10n.t(
              'Readings of pages and allocations are those that the tracker came to know in these epochs, shared among lines by the accesses of these epochs; policies and scores of trackers are of the whole run',
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
