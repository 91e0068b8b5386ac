/** What the map's colours, patterns and signs mean, with the scale's numbers and their unit. */

import type { HeatmapFacts } from '../../core/protocol.js';
import { el } from '../dom.js';
import { countTick, local, whole } from '../format.js';
import * as l10n from '../l10n.js';
import type { HeatColor } from '../state.js';
import { binSize, type HeatAxes, isLive, unitOf } from './heatData.js';
import { drawHatch, hatchOfTier } from './heatHatch.js';
import { agreementKinds } from './heatMarks.js';
import { themeRamp, tierVariable } from './heatPaint.js';
import { fontSize } from './heatPlot.js';
import type { HeatScale } from './heatScale.js';
import { fittingLabels } from './scale.js';
import { type Frame, fontOf, Surface, themeValue } from './surface.js';

export class HeatLegend {
  readonly element: HTMLElement;
  readonly #words = el('p', { class: 'note' });
  readonly #keys = el('ul', { class: 'heat-keys' });
  readonly #box = el('div', { class: 'heat-scale', 'aria-hidden': 'true' });
  readonly #surface: Surface;
  #scale: HeatScale | null = null;
  #color: HeatColor = 'accesses';
  #shownKeys = '';

  constructor() {
    this.#surface = new Surface(this.#box, frame => this.#draw(frame));
    this.element = el('div', { class: 'heat-legend' }, this.#box, this.#words, this.#keys);
  }

  /** @param note what else holds of the counts, such as that a recording goes on */
  show(axes: HeatAxes, color: HeatColor, scale: HeatScale | null, note: string): void {
    // What did not change is left alone: this is called with every movement.
    if (scale !== this.#scale || color !== this.#color) this.#surface.redraw();
    this.#scale = scale;
    this.#color = color;
    const words = legendWords(axes, color, scale, note);
    if (words !== this.#words.textContent) this.#words.textContent = words;
    const tiers = color === 'tier' ? axes.facts.tiers : [];
    const { agreement } = axes.facts;
    // Made anew only when they change: a scale follows every zoom.
    const keys = JSON.stringify([tiers, agreement?.tracker]);
    if (keys !== this.#shownKeys) {
      this.#shownKeys = keys;
      this.#keys.replaceChildren(
        ...tiers.map((name, tier) => tierKey(name, tier, tiers.length)),
        ...(agreement ? agreementKinds.map(({ sign, words }) => signKey(sign, `${agreement.tracker}: ${words}`)) : []),
      );
    }
  }

  #draw(frame: Frame): void {
    if (this.#scale) drawScale(frame, this.#box, this.#scale, this.#color);
  }
}

/** The scale as a bar with its numbers; also for pictures. */
export function drawScale({ context, width, ratio }: Frame, style: Element, scale: HeatScale, color: HeatColor): void {
  const table = themeRamp(style);
  const height = 10;
  const foreground = themeValue(style, '--foreground');
  for (let x = 0; x < width; x += 1 / ratio) {
    const pixel = table[Math.min(table.length - 1, Math.floor((x / width) * table.length))]!;
    // A tier's colour is fainter where less was counted, whichever it is.
    context.globalAlpha = color === 'tier' ? 0.3 + (0.7 * x) / width : 1;
    context.fillStyle =
      color === 'tier' ? foreground : `rgb(${pixel & 255}, ${(pixel >> 8) & 255}, ${(pixel >> 16) & 255})`;
    context.fillRect(x, 0, 1.5 / ratio, height);
  }
  context.globalAlpha = 1;
  context.font = fontOf(style, fontSize);
  context.fillStyle = themeValue(style, '--note');
  context.textBaseline = 'top';
  context.textAlign = 'center';
  const texts = scale.ticks.map(({ value }) => density(value));
  const labels = scale.ticks.map(({ place, share }, i) => {
    // A number is not said twice, but for percentiles, which may have equal ones.
    const text = share === '' && i < texts.length - 1 && texts[i] === texts.at(-1) ? '' : texts[i]!;
    const size = Math.max(context.measureText(text).width, context.measureText(share).width);
    const at = Math.max(size / 2, Math.min(width - size / 2, place * width));
    return { text, share, at, size: size + 10, weight: i === 0 || i === scale.ticks.length - 1 ? 1 : 0 };
  });
  for (const { text, share, at } of fittingLabels(labels, -6, width + 6)) {
    context.fillText(text, at, height + 3);
    if (share !== '') context.fillText(share, at, height + 3 + fontSize + 2);
  }
}

/** A mean on the scale: `0.0031`, `5`, `12 k`, `9.9×10⁻⁷`. */
export function density(value: number): string {
  if (value >= 1) return countTick(value);
  if (value === 0) return '0';
  if (value >= 0.001) return local(String(Number(value.toPrecision(2))));
  const [digits, exponent] = value.toExponential(1).split('e-') as [string, string];
  const raised = [...exponent].map(digit => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]).join('');
  return `${local(digits.replace(/\.0$/, ''))}×10⁻${raised}`;
}

export function legendWords({ facts }: HeatAxes, color: HeatColor, scale: HeatScale | null, note: string): string {
  const unit = unitOf(color === 'tier' ? 'accesses' : color, facts);
  if (!scale) return l10n.t('no {0} in sight', unit);
  const kind =
    scale.kind === 'log'
      ? l10n.t('logarithmic')
      : l10n.t('by percentile of the bins in sight: the lower numbers say how many of them have less');
  const by = color === 'tier' ? l10n.t('Tier by colour and pattern; stronger: more ') : '';
  const agreed = agreementWords(facts);
  const mean = isLive(facts) ? l10n.t('{0} per block and column', unit) : l10n.t('{0} per page and epoch', unit);
  return l10n.t(
    '{0}{1}, mean of each bin of {2}, {3}; bare where there are none. {4}{5}',
    by,
    mean,
    binSize(facts),
    kind,
    note,
    agreed,
  );
}

/** A tier's name; core calls what is in several `mixed`. */
export function tierName(name: string): string {
  return name === 'mixed' ? l10n.t('in several tiers') : name;
}

function tierKey(name: string, tier: number, tiers: number): HTMLElement {
  const swatch = el('span', { class: 'heat-swatch', 'aria-hidden': 'true' });
  new Surface(swatch, ({ context, width, height }) => {
    context.fillStyle = themeValue(swatch, tierVariable(tier, tiers));
    context.fillRect(0, 0, width, height);
    context.strokeStyle = themeValue(swatch, '--plot-background');
    drawHatch(context, hatchOfTier(tier, tiers), { left: 0, top: 0, right: width, bottom: height }, 5);
  });
  return el('li', {}, swatch, tierName(name));
}

function signKey(sign: string, words: string): HTMLElement {
  return el('li', {}, el('span', { 'aria-hidden': 'true' }, sign), words);
}

function agreementWords({ agreement }: HeatmapFacts): string {
  if (!agreement) return '';
  const counts = [agreement.found, agreement.k, agreement.missed, agreement.falsely].map(whole);
  return agreement.inWindow
    ? l10n.t(
        ' {0} found {1} of the {2} hottest pages of the window (the top 10 %), missed {3}, reported {4} falsely.',
        agreement.tracker,
        ...counts,
      )
    : l10n.t(
        ' {0} found {1} of the {2} hottest pages of the whole run (the top 10 %), missed {3}, reported {4} falsely.',
        agreement.tracker,
        ...counts,
      );
}
