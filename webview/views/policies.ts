/** Policies: the modelled slowdown of each as a bar with its range, against the bound that none can beat. */

import type { PoliciesFacts } from '../../core/protocol.js';
import { niceTicks } from '../charts/scale.js';
import { drawSlowdowns, type SlowdownScale, slowdownsHeight } from '../charts/slowdowns.js';
import { el, icon } from '../dom.js';
import { percent, times } from '../format.js';
import * as l10n from '../l10n.js';
import { list, section } from '../parts.js';
import { type Picture, pictureButton } from '../picture.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Policy = PoliciesFacts['policies'][number];

export const policies: ViewKind = {
  id: 'policies',
  label: l10n.t('Policies'),
  icon: 'law',
  create(context: ViewContext): View {
    const content = el('div', { class: 'stack' });
    let shown: PoliciesFacts | null = null;
    const toolbar = el(
      'div',
      { class: 'toolbar' },
      el('span', { class: 'spring' }),
      pictureButton(context, () => shown && pictureOf(shown)),
    );
    return {
      element: el('div', { class: 'stack' }, toolbar, content),
      async load() {
        const facts = (await context.ask({})).facts as PoliciesFacts;
        shown = facts;
        const rows = sortedPolicies(facts);
        const scale = scaleOf(rows, facts.oracle.slowdown);
        content.replaceChildren(
          section(
            l10n.t('Modelled slowdown'),
            l10n.t('run time over that with everything in the fastest tier; less is better'),
            el(
              'div',
              { class: 'slowdowns' },
              ...rows.map(row => bar(row, scale, facts.oracle.slowdown, context)),
              axis(scale),
            ),
            el(
              'p',
              { class: 'note key-line' },
              el('span', { class: 'swatch oracle', 'aria-hidden': 'true' }),
              l10n.t('{0}: {1}, with the whole run known in advance.', facts.oracle.id, times(facts.oracle.slowdown)),
            ),
            el(
              'p',
              { class: 'note key-line' },
              el('span', { class: 'swatch range', 'aria-hidden': 'true' }),
              l10n.t('range: from the least to the greatest that the assumptions allow.'),
            ),
          ),
          section(l10n.t('Assumptions of the cost model'), null, list(facts.assumptions)),
        );
      },
    };
  },
};

const sortedPolicies = ({ policies }: PoliciesFacts) => [...policies].sort((a, b) => a.slowdown - b.slowdown);

function pictureOf(facts: PoliciesFacts): Picture {
  const rows = sortedPolicies(facts);
  const { id, slowdown } = facts.oracle;
  return {
    name: 'policies',
    width: 720,
    parts: [
      {
        title: l10n.t('Modelled slowdown by policy'),
        note: l10n.t(
          'run time over that with everything in the fastest tier, whole run; less is better. Thin line: the range that the assumptions allow. Dotted: {0}, {1}, with the whole run known in advance.',
          id,
          times(slowdown),
        ),
        height: slowdownsHeight(rows.length),
        draw: (frame, style) => drawSlowdowns(frame, style, rows, scaleOf(rows, slowdown), slowdown),
      },
    ],
  };
}

function scaleOf(rows: readonly Policy[], oracle: number): SlowdownScale {
  const most = Math.max(oracle, ...rows.map(row => row.range[1]), 1.01);
  const to = 1 + (most - 1) * 1.05;
  return { ticks: niceTicks(1, to, 4), at: slowdown => (slowdown - 1) / (to - 1) };
}

function bar(row: Policy, scale: SlowdownScale, oracle: number, context: ViewContext): HTMLElement {
  const selected = row.id === context.selection().policy;
  const track = el(
    'div',
    { class: 'slowdown-track', 'aria-hidden': 'true' },
    el('span', { class: 'slowdown-fill' }),
    el('span', { class: 'slowdown-range' }),
    el('span', { class: 'slowdown-oracle' }),
  );
  track.style.setProperty('--at', String(scale.at(row.slowdown)));
  track.style.setProperty('--from', String(scale.at(row.range[0])));
  track.style.setProperty('--to', String(scale.at(row.range[1])));
  track.style.setProperty('--oracle', String(scale.at(oracle)));
  return el(
    'div',
    { class: `slowdown${selected ? ' chosen' : ''}` },
    el(
      'div',
      { class: 'slowdown-top' },
      el('strong', {}, row.id),
      selected ? el('span', { class: 'chosen-mark' }, icon('check'), l10n.t('selected')) : null,
      el('span', { class: 'figure' }, times(row.slowdown)),
    ),
    track,
    el(
      'div',
      { class: 'slowdown-facts note' },
      el('span', {}, l10n.t('range {0} to {1}', times(row.range[0]), times(row.range[1]))),
      row.before === null ? null : el('span', {}, l10n.t('was {0} in the run before', times(row.before))),
      el('span', {}, l10n.t('fastest tier serves {0} of traffic', percent(row.fastTierHitRatio))),
      selected ? null : choose(row, context),
    ),
  );
}

function choose({ id }: Policy, context: ViewContext): HTMLElement {
  const label = l10n.t('select {0}: show its tiers in every view', id);
  const link = el('button', { type: 'button', class: 'link', title: label, 'aria-label': label }, l10n.t('select'));
  link.addEventListener('click', () => void context.select({ policy: id }).catch(context.failed));
  return link;
}

function axis(scale: SlowdownScale): HTMLElement {
  const element = el('div', { class: 'slowdown-axis', 'aria-hidden': 'true' });
  for (const tick of scale.ticks) {
    const label = el('span', {}, times(tick));
    label.style.setProperty('--at', String(scale.at(tick)));
    element.append(label);
  }
  return element;
}
