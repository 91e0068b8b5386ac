/** Trackers: what each mechanism found of the truly hottest pages, and what it would cost. */
import * as l10n from '../../model/l10n.js';
import type { TrackerResult } from '../../model/profile.js';
import type { TrackersFacts } from '../../protocol.js';
import { trackers as table } from '../../tracking/trackers.js';
import { agreementOfTracker } from '../heat/agreement.js';
import { trackerLabel } from '../seen.js';
import type { View } from './view.js';

export const trackers: View = ({ exact: { profile } }, _query, selection, baseline) => {
  const facts: TrackersFacts = {
    chosen: selection.tracker,
    rows: profile.trackers.map(result => {
      const agreed = agreementOfTracker(profile, result.id)?.totals;
      const before = baseline?.profile.trackers.find(({ id }) => id === result.id);
      return {
        id: result.id,
        label: trackerLabel(result.id),
        needs: Object.hasOwn(table, result.id) ? l10n.shown(table[result.id].needs) : '',
        pagesReported: result.pagesReported,
        precision: result.precision,
        recall: result.recall,
        f1: result.f1,
        rankCorrelation: result.rankCorrelation,
        workingSetError: result.workingSetError,
        vmExits: result.vmExits,
        overheadPercent: result.overheadPercent,
        memoryBytes: result.memoryBytes ?? null,
        periods: result.periods,
        warnings: result.warnings.map(l10n.shown),
        blind: blindness(result),
        agreement: agreed ?? null,
        before: before ? { f1: before.f1, overheadPercent: before.overheadPercent } : null,
      };
    }),
  };
  return { facts };
};

function blindness({ id, pageReads, pageWrites }: TrackerResult): string | null {
  if (id === 'exact' || pageReads || pageWrites) return null;
  return l10n.t('It names no pages, so nothing can be shown as it sees it.');
}
