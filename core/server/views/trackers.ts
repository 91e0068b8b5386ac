/** Trackers: what each mechanism found of the truly hottest pages, and what it would cost. */
import type { TrackersFacts } from '../../protocol.js';
import { trackers as table } from '../../tracking/trackers.js';
import type { View } from './view.js';

export const trackers: View = ({ profile }) => {
  const facts: TrackersFacts = {
    rows: profile.trackers.map(result => {
      // A profile of another version may name a tracker that this one does not know.
      const kind = Object.hasOwn(table, result.id) ? table[result.id] : undefined;
      return {
        id: result.id,
        label: kind?.label ?? result.id,
        needs: kind?.needs ?? '',
        pagesReported: result.pagesReported,
        precision: result.precision,
        recall: result.recall,
        f1: result.f1,
        rankCorrelation: result.rankCorrelation,
        workingSetError: result.workingSetError,
        vmExits: result.vmExits,
        overheadPercent: result.overheadPercent,
        periods: result.periods,
      };
    }),
  };
  return { facts };
};
