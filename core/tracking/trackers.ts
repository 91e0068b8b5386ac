/** The table of trackers: one file, one line each. Order is the report's; a tracker's arms (at most 32) are numbered by it. */
import { eptAdScan } from './ept-ad-scan.js';
import { exact } from './exact.js';
import { pml } from './pml.js';
import type { TrackerKind } from './tracker.js';

export const trackers: Readonly<Record<string, TrackerKind>> = {
  exact,
  pml,
  'ept-ad-scan': eptAdScan,
};
