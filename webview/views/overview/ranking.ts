/** The hottest rows of a table: name, share, class, and where to go from there. */

import { word } from '../../../core/model/words.js';
import type { Location } from '../../../core/protocol.js';
import { el } from '../../dom.js';
import { percent, whole } from '../../format.js';
import * as l10n from '../../l10n.js';
import { hotness, shareBar, sourceLink } from '../../parts.js';

export interface Ranked {
  readonly label: string;
  readonly location: Location | null;
  readonly reads: number;
  readonly writes: number;
  readonly hotness: string;
  readonly tier: string;
  readonly note: string;
}

export interface Ranking {
  readonly label: string;
  readonly rows: readonly Ranked[];
  /** What the figures are shares of. */
  readonly of: number;
  reveal(location: Location): void;
}

export function ranking({ label, rows, of, reveal }: Ranking): HTMLElement {
  const most = Math.max(...rows.map(row => row.reads + row.writes), 0);
  if (most === 0) return el('p', { class: 'note' }, l10n.t('None: no access reached one.'));
  return el(
    'ol',
    { class: 'ranking', 'aria-label': label },
    ...rows
      .filter(row => row.reads + row.writes > 0)
      .map(row => {
        const count = row.reads + row.writes;
        return el(
          'li',
          { title: l10n.t('{0} reads, {1} writes', whole(row.reads), whole(row.writes)) },
          el(
            'div',
            { class: 'ranking-top' },
            sourceLink(row.label, row.location, reveal),
            el('span', { class: 'figure' }, percent(of === 0 ? 0 : count / of)),
          ),
          // The bar compares rows; the figure above is of the whole.
          shareBar(count / most, row.hotness),
          el(
            'div',
            { class: 'ranking-facts note' },
            hotness(row.hotness),
            el('span', {}, l10n.t('{0} read', percent(row.reads / count))),
            el('span', {}, row.note),
            row.tier === ''
              ? null
              : el(
                  'span',
                  { class: 'tier', title: l10n.t('Memory tier that the selected policy gives it') },
                  word(row.tier),
                ),
          ),
        );
      }),
  );
}
