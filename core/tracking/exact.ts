/** Exact: the counts themselves, through the trackers' door, so that views can choose it like any other. */
import { type Tracker, tracker } from './tracker.js';

export const exact = tracker({
  label: 'Exact',
  summary: 'every recorded access, counted; the ground truth that the others are scored against',
  needs: 'a recording',
  parameters: {},
  create: (): Tracker => ({
    onTime() {},
    // The counts are the kernel's: TrackerRun puts them in.
    finish: () => ({ vmExits: 0, costNs: 0, memoryBytes: 0, periods: null, own: {}, warnings: [] }),
  }),
});
