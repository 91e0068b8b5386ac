/** The phases of the run, to choose one of: every view shows its epochs then. */
import type { PhaseFacts, Selection } from '../core/protocol.js';
import { percent, shortName } from './format.js';
import * as l10n from './l10n.js';
import { type Choice, dropdown } from './toolkit.js';

/** No phase has it: core numbers or names them. */
const wholeRun = '';

/** Hidden where the whole run is one phase. */
export class PhasePicker {
  readonly #dropdown;
  #phases: readonly PhaseFacts[] = [];

  constructor(select: (change: Partial<Selection>) => void) {
    this.#dropdown = dropdown(l10n.t('Phase of the run'), [], id => select({ phase: id === wholeRun ? null : id }));
    this.element.classList.add('phases');
    this.element.hidden = true;
  }

  get element(): HTMLElement {
    return this.#dropdown.element;
  }

  offer(phases: readonly PhaseFacts[]): void {
    this.#phases = phases;
    this.element.hidden = phases.length === 0;
  }

  /** What a phase is called in a sentence: as the program named it, else its number. */
  nameOf(id: string): string {
    const named = this.#phases.find(phase => phase.id === id)?.named;
    return named ? nameText(named) : id;
  }

  show({ phase }: Selection): void {
    if (this.#phases.length > 0) this.#dropdown.set(phase ?? wholeRun, choicesOf(this.#phases));
  }
}

/**
 * `3: sum · 38 % of accesses`, with what it uses where the code alone does not tell it from another phase; of those that
 * the program named `solve · 38 % of accesses`, with a number where the name recurs.
 */
export function choicesOf(phases: readonly PhaseFacts[]): readonly Choice[] {
  const whole = l10n.t('Whole run, {0} phases', phases.length);
  const choices = phases.map(phase => {
    if (phase.named)
      return { value: phase.id, label: l10n.t('{0} · {1} of accesses', nameText(phase.named), percent(phase.share)) };
    const alike = phases.filter(({ code, named }) => !named && code === phase.code).length > 1;
    const data = shortName(phase.data).join('');
    const name = [phase.code, alike || phase.code === '' ? data : ''].filter(Boolean).join(', ');
    const label = l10n.t('{0}: {1} · {2} of accesses', phase.id, name, percent(phase.share));
    return { value: phase.id, label };
  });
  return [{ value: wholeRun, label: whole }, ...choices];
}

function nameText({ name, number, of }: NonNullable<PhaseFacts['named']>): string {
  return of === 1 ? name : l10n.t('{0}, {1} of {2}', name, number, of);
}
