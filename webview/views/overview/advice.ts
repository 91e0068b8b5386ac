/** The best things to do: what, why, what it would gain as a modelled range, and the way to the place. */

import type { AdviceFacts, OverviewFacts } from '../../../core/protocol.js';
import { el, icon } from '../../dom.js';
import { bytes, percent } from '../../format.js';
import * as l10n from '../../l10n.js';
import { section } from '../../parts.js';
import { button } from '../../toolkit.js';
import type { ViewContext } from '../view.js';

export function adviceSection({ advice }: OverviewFacts, context: ViewContext): HTMLElement {
  const note = l10n.t('from exact counts of the whole run; gains are modelled, each alone');
  if (advice.length === 0) {
    return section(
      l10n.t('What to do'),
      note,
      el(
        'p',
        { class: 'note' },
        l10n.t(
          'Nothing that is worth it: no placement, page size or layout is modelled to save 1 % of the run time or much memory.',
        ),
      ),
    );
  }
  return section(
    l10n.t('What to do'),
    note,
    el('ol', { class: 'advice', 'aria-label': l10n.t('What to do') }, ...advice.map(piece => card(piece, context))),
  );
}

function card(advice: AdviceFacts, context: ViewContext): HTMLElement {
  const { location } = advice;
  return el(
    'li',
    { class: 'details' },
    el('h3', {}, icon('lightbulb'), advice.action),
    el('p', { class: 'gain' }, gainText(advice.gain)),
    el('p', { class: 'note' }, advice.evidence),
    el(
      'div',
      { class: 'buttons' },
      ...(location
        ? [
            button({
              label: l10n.t('Go to source'),
              icon: 'go-to-file',
              appearance: 'secondary',
              press: () => context.reveal(location),
            }),
          ]
        : []),
      button({
        label: l10n.t('Look closer'),
        icon: 'arrow-right',
        appearance: 'secondary',
        press: () => void lookCloser(advice, context),
      }),
    ),
  );
}

async function lookCloser({ object, view }: AdviceFacts, context: ViewContext): Promise<void> {
  try {
    if (object !== null) await context.select({ focus: { kind: 'object', object } });
    context.show(view);
  } catch (error) {
    context.failed(error);
  }
}

/** `Saves 3.0 to 12 % of the modelled run time`. */
export function gainText(gain: AdviceFacts['gain']): string {
  const { low, high } = gain;
  const say = gain.kind === 'time' ? percent : bytes;
  const amount =
    say(low) === say(high)
      ? say(high)
      : low === 0
        ? l10n.t('up to {0}', say(high))
        : l10n.t('{0} to {1}', say(low), say(high));
  return gain.kind === 'time'
    ? l10n.t('Saves {0} of the modelled run time', amount)
    : l10n.t('Frees {0} of {1}', amount, gain.of);
}
