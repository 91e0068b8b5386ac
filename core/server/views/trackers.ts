/** Trackers: what each mechanism found of the truly hottest pages, and what it would cost. */
import { whole } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import type { Profile, TrackerResult } from '../../model/profile.js';
import type { TrackersFacts } from '../../protocol.js';
import { trackers as table } from '../../tracking/trackers.js';
import { agreementOfTracker } from '../heat/agreement.js';
import { trackerLabel } from '../seen.js';
import type { View } from './view.js';

export const trackers: View = ({ exact: { profile } }, _query, selection, baseline) => {
  const facts: TrackersFacts = {
    chosen: selection.tracker,
    none: whyNone(profile),
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

function whyNone({ trackers: results, program: { sampling } }: Profile): string | null {
  if (results.length > 0) return null;
  return sampling
    ? l10n.t(
        'No tracker is shown: this run was sampled, its counts are {0} samples of {1}. A mechanism is emulated and judged beside every access in its order, which samples do not have. Profile the program with Pagelens, or import a trace that has every access.',
        whole(sampling.samples),
        sampling.event,
      )
    : l10n.t(
        'No tracker is shown: this profile has none. What trackers saw is not merged: open the runs one by one, or profile again with trackers.',
      );
}

function blindness({ id, pageReads, pageWrites }: TrackerResult): string | null {
  if (id === 'exact' || pageReads || pageWrites) return null;
  return l10n.t('It names no pages, so nothing can be shown as it sees it.');
}
