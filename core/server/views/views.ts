/** Every view of the dashboard: one file and one line here. */
import type { ViewId } from '../../protocol.js';
import { flame } from './flame.js';
import { heatmap } from './heatmap.js';
import { overview } from './overview.js';
import { pageInspector } from './pageInspector.js';
import { placement } from './placement.js';
import { policies } from './policies.js';
import { trackers } from './trackers.js';
import type { View } from './view.js';
import { workingSet } from './workingSet.js';

export const views: Readonly<Record<ViewId, View>> = {
  overview,
  heatmap,
  placement,
  flame,
  pageInspector,
  trackers,
  policies,
  workingSet,
};
