/** "Show the run as a tracker sees it": a pick of the profile's trackers, the exact counts first. */
import * as vscode from 'vscode';
import type { TrackersFacts } from '../core/protocol.js';
import type { Core } from './core.js';

export async function chooseTracker(core: Core): Promise<void> {
  const data = await core.request('pagelens/view', { view: 'trackers' });
  if (!data) throw new Error(vscode.l10n.t('No profile is open. Profile a program, or open a profile first.'));
  const { rows, chosen, none } = data.facts as TrackersFacts;
  const exact = {
    label: vscode.l10n.t('Exact counts'),
    description: chosen === 'exact' ? vscode.l10n.t('shown now') : '',
    detail: vscode.l10n.t('Every recorded access, counted.'),
    id: 'exact',
  };
  const trackers = rows
    .filter(row => row.id !== 'exact' && row.blind === null)
    .map(row => ({
      label: row.label,
      description: chosen === row.id ? vscode.l10n.t('shown now') : '',
      detail: detailOf(row),
      id: row.id,
    }));
  if (trackers.length === 0) {
    throw new Error(
      none ?? vscode.l10n.t('This profile has no tracker that names pages. Profile again with trackers.'),
    );
  }
  const picked = await vscode.window.showQuickPick([exact, ...trackers], {
    title: vscode.l10n.t('Show the source and every view as a tracker sees the run'),
    matchOnDetail: true,
  });
  if (picked) await core.request('pagelens/select', { tracker: picked.id });
}

function detailOf({ agreement, overheadPercent }: TrackersFacts['rows'][number]): string {
  const cost = vscode.l10n.t('{0} % modelled overhead', Number(overheadPercent.toPrecision(2)));
  if (!agreement) return cost;
  return `${vscode.l10n.t('finds {0} of the {1} hottest pages', agreement.found, agreement.k)}, ${cost}`;
}
