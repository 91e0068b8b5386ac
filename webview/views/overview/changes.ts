/** What changed since the run before: the lines and allocations whose accesses grew or shrank most. */

import type { ChangedRow, OverviewFacts } from '../../../core/protocol.js';
import { changeIcon, changeText } from '../../change.js';
import { type Child, el } from '../../dom.js';
import { bytes, compact, percent, whole } from '../../format.js';
import * as l10n from '../../l10n.js';
import { list, section, sourceLink } from '../../parts.js';
import { button } from '../../toolkit.js';
import type { ViewContext } from '../view.js';

export function changesSection(facts: OverviewFacts, context: ViewContext): HTMLElement {
  const { changes } = facts;
  if (!changes) return section(l10n.t('What changed'), null, ...nothingToCompare(facts, context));
  const { baseline } = context.selection();
  const run =
    baseline === null || baseline.startsWith('unsaved:') ? l10n.t('the run before') : baseline.split('/').pop()!;
  const nothing = changes.source.length === 0 && changes.objects.length === 0;
  return section(
    l10n.t('What changed'),
    l10n.t('since {0}; accesses of each whole run, and their share of it', run),
    ...(nothing
      ? [el('p', { class: 'note' }, l10n.t('Nothing: every line and allocation did as much as before.'))]
      : []),
    el(
      'div',
      { class: 'changes' },
      part(
        `${changes.kind === 'lines' ? l10n.t('Lines') : l10n.t('Functions')}`,
        changes.source,
        changes.sources,
        context,
      ),
      part(
        l10n.t('Allocations'),
        changes.objects.map(row => ({
          ...row,
          note:
            row.bytesBefore === row.bytesNow
              ? null
              : l10n.t('peak {0}, was {1}', bytes(row.bytesNow), row.before === null ? 'none' : bytes(row.bytesBefore)),
        })),
        changes.allocations,
        context,
      ),
    ),
    changes.cautions.length > 0 ? list(changes.cautions) : null,
  );
}

function nothingToCompare({ window }: OverviewFacts, context: ViewContext): Child[] {
  const { baseline, tracker } = context.selection();
  if (baseline !== null && window) {
    return [el('p', { class: 'note' }, l10n.t('Whole runs are compared, and a window of this one is shown.'))];
  }
  if (baseline !== null && tracker !== 'exact') {
    return [el('p', { class: 'note' }, l10n.t('The run before was recorded without the tracker that is chosen.'))];
  }
  return [
    el(
      'p',
      { class: 'note' },
      l10n.t('Profile the program again and what changed is shown here; or compare with a saved profile.'),
    ),
    el(
      'div',
      { class: 'buttons' },
      button({
        label: l10n.t('Compare with a profile'),
        icon: 'diff',
        appearance: 'secondary',
        press: () => context.run('pagelens.compare'),
      }),
    ),
  ];
}

function part(
  title: string,
  rows: readonly (ChangedRow & { readonly note?: string | null })[],
  all: number,
  context: ViewContext,
): HTMLElement | null {
  if (rows.length === 0) return null;
  return el(
    'div',
    { class: 'part' },
    el(
      'h3',
      {},
      title,
      all > rows.length ? el('small', {}, l10n.t('{0} of {1} that changed', rows.length, whole(all))) : null,
    ),
    el(
      'ol',
      { class: 'changed', 'aria-label': l10n.t('{0} that changed', title) },
      ...rows.map(row =>
        el(
          'li',
          {
            title: l10n.t(
              '{0} before, {1} now',
              l10n.plural(row.accessesBefore, '{0} access', '{0} accesses'),
              whole(row.accessesNow),
            ),
          },
          el(
            'div',
            { class: 'ranking-top' },
            sourceLink(row.label, row.location, context.reveal),
            el('span', { class: 'figure' }, changeIcon(row.accessesBefore, row.accessesNow), changeOf(row)),
          ),
          el(
            'div',
            { class: 'ranking-facts note' },
            el('span', {}, sharesOf(row)),
            row.note ? el('span', {}, row.note) : null,
          ),
        ),
      ),
    ),
  );
}

function changeOf({ before, now, accessesBefore, accessesNow }: ChangedRow): string {
  if (before === null) return 'new';
  if (now === null) return 'gone';
  return changeText(accessesBefore, accessesNow) ?? l10n.t('from none');
}

/** `was 38 %, now 12 %`; where the share is as it was, the counts. */
function sharesOf({ before, now, accessesBefore, accessesNow }: ChangedRow): string {
  const [was, is] = [percent(before ?? 0), percent(now ?? 0)];
  if (was !== is) return l10n.t('was {0}, now {1}', was, is);
  return l10n.t('{0}, was {1}, now {2}', is, compact(accessesBefore), compact(accessesNow));
}
