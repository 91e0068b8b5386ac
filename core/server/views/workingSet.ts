/**
 * Working set: distinct pages per epoch, and the miss-ratio curve with the sizes of the tiers on its axis.
 *
 * Where there are more epochs than pixels, a point stands for several: the greatest working set among them, and all
 * pages that entered or left, so that no peak is smoothed away.
 */
import type { WorkingSetFacts } from '../../protocol.js';
import { type View, wire } from './view.js';

/** Six columns of doubles in base64 stay within half an answer. */
const maxPoints = 8_000;

export const workingSet: View = ({ profile }, query) => {
  const { epochs, missRatio, options, placement } = profile;
  const wanted = Math.max(1, Math.min(maxPoints, Math.floor(query.pixels?.[0] ?? maxPoints)));
  const epochsPerPoint = Math.max(1, Math.ceil(epochs.count / wanted));
  const points = Math.ceil(epochs.count / epochsPerPoint);
  const fold = (column: Float64Array, join: (a: number, b: number) => number) => {
    const folded = new Float64Array(points);
    for (let epoch = 0; epoch < epochs.count; epoch++) {
      const point = Math.floor(epoch / epochsPerPoint);
      folded[point] = join(folded[point], column[epoch]);
    }
    return wire(folded);
  };
  const add = (a: number, b: number) => a + b;
  const facts: WorkingSetFacts = {
    epochs: epochs.count,
    epochsPerPoint,
    epochAccesses: epochs.accesses,
    pageSize: options.pageSize,
    machineMarks: placement.tiers.map(tier => ({
      label: tier.name,
      pages: Math.floor(tier.capacityBytes / options.pageSize),
    })),
  };
  return {
    facts,
    columns: {
      endNs: fold(epochs.endNs, Math.max),
      pages: fold(epochs.pages, Math.max),
      pagesRead: fold(epochs.pagesRead, Math.max),
      pagesWritten: fold(epochs.pagesWritten, Math.max),
      entered: fold(epochs.entered, add),
      left: fold(epochs.left, add),
      missPages: wire(missRatio.pages),
      missRatio: wire(missRatio.missRatio),
    },
  };
};
