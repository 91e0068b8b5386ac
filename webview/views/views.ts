/** Every view of the dashboard in the order of its tabs: one file and one line here. */
import { flame } from './flame.js';
import { heatmap } from './heatmap.js';
import { overview } from './overview.js';
import { pageInspector } from './pageInspector.js';
import { placement } from './placement.js';
import { policies } from './policies.js';
import { trackers } from './trackers.js';
import type { ViewKind } from './view.js';
import { workingSet } from './workingSet.js';

export const views: readonly ViewKind[] = [
  overview,
  heatmap,
  placement,
  flame,
  pageInspector,
  trackers,
  policies,
  workingSet,
];
