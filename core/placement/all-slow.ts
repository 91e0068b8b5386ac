/** Everything in the slowest tier: the worst that a bad placement can do. */
import type { PolicyKind } from './policy.js';

export const allSlow: PolicyKind = {
  label: 'All slow',
  summary: 'Everything in the slowest tier, whatever its capacity.',
  yardstick: true,
  decide: ({ objects, slowest }) => ({ unit: 'object', tier: new Uint8Array(objects.count).fill(slowest) }),
};
