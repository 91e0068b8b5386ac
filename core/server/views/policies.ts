/** Policies: what each would cost against everything in the fastest tier, and the bound that none can beat. */
import * as l10n from '../../model/l10n.js';
import type { PoliciesFacts } from '../../protocol.js';
import { policyFacts } from './placement.js';
import type { View } from './view.js';

export const policies: View = ({ profile: { placement } }, _query, _selection, baseline) => {
  const facts: PoliciesFacts = {
    policies: placement.policies.map(policy => ({
      ...policyFacts(policy),
      before: baseline?.index.policy(policy.id)?.modelledSlowdown ?? null,
    })),
    oracle: { id: placement.oracle.id, slowdown: placement.oracle.modelledSlowdown },
    assumptions: placement.assumptions.map(l10n.shown),
  };
  return { facts };
};
