/**
 * What if a tier were larger or slower: sliders, after each of whose steps core places the run anew, for every view and
 * the source. While core is at it the newest step waits, and those between are left out.
 */
import type { TierChange } from '../core/model/profile.js';
import type { PlacementFacts, Selection } from '../core/protocol.js';
import { el } from './dom.js';
import { bytes, percent, times } from './format.js';
import * as l10n from './l10n.js';
import { section } from './parts.js';
import { button } from './toolkit.js';

type Tier = PlacementFacts['tiers'][number];

/** Latency sliders go from a quarter to four times, in steps of a sixteenth of a doubling. */
const DOUBLINGS = 2;
const STEPS_OF_DOUBLING = 16;

export class WhatIf {
  readonly element = el('div', { hidden: true });
  readonly #rows = el('div', { class: 'what-if' });
  /** Stands by the sliders, so that one sees what moving them does. */
  readonly #result = el('p', { class: 'headline', role: 'status' });
  readonly #undo: HTMLElement;
  /** What the sliders say, by tier. */
  readonly #changes = new Map<string, TierChange>();
  #sliders: readonly TierSliders[] = [];
  #tiers = '';
  #asking = false;
  #askAgain = false;
  /** The answer that came while newer steps were on their way. */
  #late: (() => void) | null = null;

  constructor(
    readonly select: (change: Partial<Selection>) => Promise<void>,
    readonly failed: (error: unknown) => void,
  ) {
    this.#undo = button({
      label: l10n.t('As they are'),
      icon: 'discard',
      appearance: 'secondary',
      press: () => {
        this.#changes.clear();
        void this.#ask();
      },
    });
    this.element.append(
      section(
        l10n.t('What if'),
        l10n.t(
          'the tiers were larger, smaller, faster or slower: placed anew at once, in every view and in the source',
        ),
        this.#rows,
        this.#result,
        el('div', { class: 'toolbar' }, this.#undo),
      ),
    );
  }

  show(facts: PlacementFacts, selection: Selection): void {
    this.element.hidden = false;
    this.#late = this.#asking ? () => this.show(facts, selection) : null;
    if (this.#late) return;
    const { tiers, touchedBytes } = facts;
    const { tierChanges } = selection;
    this.#result.replaceChildren(...resultOf(facts, selection));
    this.#changes.clear();
    for (const change of tierChanges) this.#changes.set(change.tier, change);
    this.#undo.hidden = tierChanges.length === 0;
    const shape = JSON.stringify([touchedBytes, tiers.map(({ id, name }) => [id, name])]);
    if (shape !== this.#tiers) {
      this.#tiers = shape;
      this.#sliders = tiers.map(
        (tier, i) =>
          new TierSliders(tier, touchedBytes, i < tiers.length - 1, change => {
            this.#changes.set(tier.id, { ...this.#changes.get(tier.id), ...change, tier: tier.id });
            void this.#ask();
          }),
      );
      this.#rows.replaceChildren(...this.#sliders.map(({ element }) => element));
    }
    for (const [i, tier] of tiers.entries()) this.#sliders[i]!.show(tier, this.#changes.get(tier.id));
  }

  async #ask(): Promise<void> {
    this.#askAgain = true;
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#askAgain) {
        this.#askAgain = false;
        await this.select({ tierChanges: [...this.#changes.values()] });
      }
    } catch (error) {
      this.#askAgain = false;
      this.failed(error);
    } finally {
      this.#asking = false;
      this.#late?.();
    }
  }
}

function resultOf({ policies }: PlacementFacts, { policy }: Selection): (string | HTMLElement)[] {
  const chosen = policies.find(({ id }) => id === policy);
  if (!chosen) return [];
  const [least, most] = chosen.range.map(value => times(value));
  return [
    el('strong', {}, times(chosen.slowdown)),
    l10n.t(' modelled run time under {0} (range {1} to {2}), whole run', policy, least!, most!),
  ];
}

/** The sliders of one tier. */
class TierSliders {
  readonly element: HTMLElement;
  readonly #capacity: Slider | null;
  readonly #latency: Slider;

  /** @param limited false: it takes the rest, whatever its capacity */
  constructor(
    { name }: Tier,
    readonly touchedBytes: number,
    limited: boolean,
    change: (change: Partial<TierChange>) => void,
  ) {
    this.#capacity = limited
      ? new Slider(l10n.t('Capacity of {0}', name), 0, 100, value =>
          change({ capacityBytes: Math.round((value / 100) * touchedBytes) }),
        )
      : null;
    const most = DOUBLINGS * STEPS_OF_DOUBLING;
    this.#latency = new Slider(l10n.t('Latency of {0}', name), -most, most, value =>
      change({ latencyFactor: 2 ** (value / STEPS_OF_DOUBLING) }),
    );
    this.element = el(
      'fieldset',
      {},
      el('legend', {}, name),
      this.#capacity?.element ?? el('p', { class: 'note' }, l10n.t('Takes what the others do not.')),
      this.#latency.element,
    );
  }

  show({ capacityBytes, readLatencyNs }: Tier, change: TierChange | undefined): void {
    const share = this.touchedBytes > 0 ? Math.min(1, capacityBytes / this.touchedBytes) : 0;
    this.#capacity?.show(
      Math.round(share * 100),
      l10n.t('{0}: {1} of what is touched', bytes(capacityBytes), percent(share)),
    );
    const { latencyFactor = 1 } = change ?? {};
    const load = Number(readLatencyNs.toPrecision(3));
    this.#latency.show(
      Math.round(Math.log2(latencyFactor) * STEPS_OF_DOUBLING),
      latencyFactor === 1
        ? l10n.t('{0} ns a load', load)
        : l10n.t('{0} ns a load: {1} times its own', load, Number(latencyFactor.toPrecision(3))),
    );
  }
}

class Slider {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #text = el('span', { class: 'note', 'aria-hidden': 'true' });

  constructor(label: string, min: number, max: number, change: (value: number) => void) {
    this.#input = el('input', { type: 'range', min, max, step: 1, 'aria-label': label });
    this.#input.addEventListener('input', () => change(Number(this.#input.value)));
    this.element = el('label', { class: 'slider' }, el('span', {}, label), this.#input, this.#text);
  }

  show(value: number, text: string): void {
    this.#input.value = String(value);
    this.#input.setAttribute('aria-valuetext', text);
    this.#text.textContent = text;
  }
}
