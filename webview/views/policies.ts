/** Policies: the modelled slowdown of each as a bar with its range, against the bound that none can beat. */
import type { PoliciesFacts } from '../../core/protocol.js';
import { niceTicks } from '../charts/scale.js';
import { el, icon } from '../dom.js';
import { percent, times } from '../format.js';
import { list, section } from '../parts.js';
import type { View, ViewContext, ViewKind } from './view.js';

type Policy = PoliciesFacts['policies'][number];

export const policies: ViewKind = {
  id: 'policies',
  label: 'Policies',
  icon: 'law',
  create(context: ViewContext): View {
    const element = el('div', { class: 'stack' });
    return {
      element,
      async load() {
        const facts = (await context.ask({})).facts as PoliciesFacts;
        const rows = [...facts.policies].sort((a, b) => a.slowdown - b.slowdown);
        const scale = scaleOf(rows, facts.oracle.slowdown);
        element.replaceChildren(
          section(
            'Modelled slowdown',
            'run time over that with everything in the fastest tier; less is better',
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
              `${facts.oracle.id}: ${times(facts.oracle.slowdown)}, with the whole run known in advance.`,
            ),
            el(
              'p',
              { class: 'note key-line' },
              el('span', { class: 'swatch range', 'aria-hidden': 'true' }),
              'range: from the least to the greatest that the assumptions allow.',
            ),
          ),
          section('Assumptions of the cost model', null, list(facts.assumptions)),
        );
      },
    };
  },
};

interface Scale {
  readonly to: number;
  readonly ticks: readonly number[];
  /** Share of the track, 0 at a slowdown of 1. */
  at(slowdown: number): number;
}

function scaleOf(rows: readonly Policy[], oracle: number): Scale {
  const most = Math.max(oracle, ...rows.map(row => row.range[1]), 1.01);
  const to = 1 + (most - 1) * 1.05;
  return { to, ticks: niceTicks(1, to, 4), at: slowdown => (slowdown - 1) / (to - 1) };
}

function bar(row: Policy, scale: Scale, oracle: number, context: ViewContext): HTMLElement {
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
      selected ? el('span', { class: 'chosen-mark' }, icon('check'), 'selected') : null,
      el('span', { class: 'figure' }, times(row.slowdown)),
    ),
    track,
    el(
      'div',
      { class: 'slowdown-facts note' },
      el('span', {}, `range ${times(row.range[0])} to ${times(row.range[1])}`),
      el('span', {}, `fastest tier serves ${percent(row.fastTierHitRatio)} of traffic`),
      selected ? null : choose(row, context),
    ),
  );
}

function choose({ id }: Policy, context: ViewContext): HTMLElement {
  const label = `select ${id}: show its tiers in every view`;
  const link = el('button', { type: 'button', class: 'link', title: label, 'aria-label': label }, 'select');
  link.addEventListener('click', () => void context.select({ policy: id }).catch(context.failed));
  return link;
}

function axis(scale: Scale): HTMLElement {
  const element = el('div', { class: 'slowdown-axis', 'aria-hidden': 'true' });
  for (const tick of scale.ticks) {
    const label = el('span', {}, times(tick));
    label.style.setProperty('--at', String(scale.at(tick)));
    element.append(label);
  }
  return element;
}
