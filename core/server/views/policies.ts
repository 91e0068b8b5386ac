/** Policies: what each would cost against everything in the fastest tier, and the bound that none can beat. */
import type { PoliciesFacts } from '../../protocol.js';
import { policyFacts } from './placement.js';
import type { View } from './view.js';

export const policies: View = ({ profile: { placement } }) => {
  const facts: PoliciesFacts = {
    policies: placement.policies.map(policyFacts),
    oracle: { id: placement.oracle.id, slowdown: placement.oracle.modelledSlowdown },
    assumptions: placement.assumptions,
  };
  return { facts };
};
