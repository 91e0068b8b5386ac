/** Everything in the fastest tier, capacity ignored: what a machine with enough of it would reach. */
import type { PolicyKind } from './policy.js';

export const allFast: PolicyKind = {
  label: 'All fast',
  summary: 'Everything in the fastest tier, whatever its capacity.',
  yardstick: true,
  decide: ({ objects, fastest }) => ({ unit: 'object', tier: new Uint8Array(objects.count).fill(fastest) }),
};
