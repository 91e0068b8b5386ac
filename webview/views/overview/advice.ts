/** The best things to do: what, why, what it would gain as a modelled range, and the way to the place. */
import type { AdviceFacts, OverviewFacts } from '../../../core/protocol.js';
import { el, icon } from '../../dom.js';
import { bytes, percent } from '../../format.js';
import { section } from '../../parts.js';
import { button } from '../../toolkit.js';
import type { ViewContext } from '../view.js';

export function adviceSection({ advice }: OverviewFacts, context: ViewContext): HTMLElement {
  const note = 'from exact counts of the whole run; gains are modelled, each alone';
  if (advice.length === 0) {
    return section(
      'What to do',
      note,
      el(
        'p',
        { class: 'note' },
        'Nothing that is worth it: no placement, page size or layout is modelled to save 1 % of the run time or much memory.',
      ),
    );
  }
  return section(
    'What to do',
    note,
    el('ol', { class: 'advice', 'aria-label': 'What to do' }, ...advice.map(piece => card(piece, context))),
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
              label: 'Go to source',
              icon: 'go-to-file',
              appearance: 'secondary',
              press: () => context.reveal(location),
            }),
          ]
        : []),
      button({
        label: 'Look closer',
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
  const amount = say(low) === say(high) ? say(high) : low === 0 ? `up to ${say(high)}` : `${say(low)} to ${say(high)}`;
  return gain.kind === 'time' ? `Saves ${amount} of the modelled run time` : `Frees ${amount} of ${gain.of}`;
}
