/** What capacity of the fastest tier is worth: the modelled slowdown of the best placement by capacity, with its knee. */
import type { CapacityCurve } from '../core/model/profile.js';
import type { PlacementFacts } from '../core/protocol.js';
import { Plot, type PlotData } from './charts/plot.js';
import { niceTicks } from './charts/scale.js';
import { el } from './dom.js';
import { bytes, times } from './format.js';
import * as l10n from './l10n.js';
import { section } from './parts.js';
import { plainTable } from './plainTable.js';

export class CapacitySection {
  readonly element = el('div', { hidden: true });
  readonly #plot = new Plot(l10n.t('Modelled slowdown by capacity of the fastest tier'));
  readonly #sentence = el('p', { class: 'note' });
  readonly #table = el('div', {});

  constructor() {
    this.element.append(
      section(
        l10n.t('What capacity is worth'),
        l10n.t(
          'modelled slowdown of the best placement, objects cut anywhere, by capacity of the fastest tier; whole run',
        ),
        this.#plot.element,
        this.#sentence,
        el('details', {}, el('summary', {}, l10n.t('Capacities as a table')), this.#table),
      ),
    );
  }

  show({ capacityCurve: curve, tiers }: PlacementFacts): void {
    this.element.hidden = curve === null;
    if (!curve) return;
    const tier = tiers[curve.tier]!;
    const figure = figureOf(curve);
    this.#plot.show(plotOf(curve, tier));
    this.#sentence.textContent = sentenceOf(curve, tier);
    this.#table.replaceChildren(
      plainTable(
        [l10n.t('Capacity'), l10n.t('Modelled slowdown')],
        curve.capacityBytes.map((capacity, i) => [bytes(capacity), figure(curve.modelledSlowdown[i]!)]),
      ),
    );
  }
}

type Tier = PlacementFacts['tiers'][number];

/** Slowdowns that differ little need more digits than two to be told apart. */
function figureOf({ modelledSlowdown }: CapacityCurve): (value: number) => string {
  const most = Math.max(...modelledSlowdown) - 1;
  const digits = most > 0 ? Math.min(5, Math.max(2, 1 - Math.floor(Math.log10(most)))) : 2;
  return value => times(value, digits);
}

function plotOf(curve: CapacityCurve, tier: Tier): PlotData {
  const { capacityBytes, modelledSlowdown, knee } = curve;
  const figure = figureOf(curve);
  const whole = capacityBytes.at(-1)!;
  // Round numbers of a binary unit.
  const unit = 1024 ** Math.max(0, Math.floor(Math.log2(whole) / 10));
  const most = Math.max(...modelledSlowdown);
  const top = most > 1 ? 1 + (most - 1) * 1.05 : 1.1;
  return {
    points: capacityBytes,
    series: [
      { name: l10n.t('modelled slowdown'), values: modelledSlowdown, color: '--series-1', dash: [], kind: 'line' },
    ],
    x: {
      from: 0,
      to: whole,
      logarithmic: false,
      title: l10n.t('capacity of {0}', tier.name),
      ticks: wanted => niceTicks(0, whole / unit, wanted).map(tick => tick * unit),
      label: bytes,
    },
    y: {
      from: 1,
      to: top,
      logarithmic: false,
      title: l10n.t('modelled slowdown'),
      ticks: wanted => niceTicks(1, top, wanted),
      label: figure,
    },
    marks: [
      ...(knee === null
        ? []
        : [{ at: capacityBytes[knee]!, label: l10n.t('knee {0}', bytes(capacityBytes[knee]!)), dash: [] }]),
      ...(tier.capacityBytes > whole
        ? []
        : [{ at: tier.capacityBytes, label: l10n.t('chosen {0}', bytes(tier.capacityBytes)), dash: [4, 3] }]),
    ],
    sentence: i => l10n.t('{0} of {1}: {2}', bytes(capacityBytes[i]!), tier.name, figure(modelledSlowdown[i]!)),
  };
}

function sentenceOf(curve: CapacityCurve, tier: Tier): string {
  const step = bytes(curve.stepBytes);
  const figure = figureOf(curve);
  const sentences = [
    l10n.t(
      '{0} of {1}: {2}; {3} more: {4}.',
      bytes(tier.capacityBytes),
      tier.name,
      figure(curve.at),
      step,
      figure(curve.atMore),
    ),
  ];
  if (curve.stepBytes <= tier.capacityBytes) sentences.push(l10n.t('{0} less: {1}.', step, figure(curve.atLess)));
  sentences.push(
    curve.knee === null
      ? l10n.t('The curve has no knee: no capacity stands out.')
      : l10n.t('From {0} on, more is worth clearly less.', bytes(curve.capacityBytes[curve.knee]!)),
  );
  return sentences.join(' ');
}
