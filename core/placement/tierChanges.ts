/** What if a tier were larger, smaller, faster or slower: changes to a run's tiers, for a placement that is thrown away again. */
import { UsageError } from '../errors.js';
import { bytes } from '../model/format.js';
import * as l10n from '../model/l10n.js';
import type { Tier, TierChange } from '../model/profile.js';

const MAX_FACTOR = 100;

/** @throws UsageError for a tier that is not there, and figures that are none */
export function changedTiers(tiers: readonly Tier[], changes: readonly TierChange[]): readonly Tier[] {
  for (const { tier, capacityBytes = 0, latencyFactor = 1 } of changes) {
    if (!tiers.some(({ id }) => id === tier)) {
      throw new UsageError(l10n.t('tier {0}: unknown; known: {1}', tier, tiers.map(({ id }) => id).join(', ')));
    }
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0) {
      throw new UsageError(l10n.t('tier {0}: its capacity must be whole bytes, 0 or more', tier));
    }
    if (!(latencyFactor >= 1 / MAX_FACTOR && latencyFactor <= MAX_FACTOR)) {
      throw new UsageError(
        l10n.t('tier {0}: its latency may be multiplied by {1} to {2}', tier, 1 / MAX_FACTOR, MAX_FACTOR),
      );
    }
  }
  return tiers.map((tier, index) => {
    const change = changes.find(({ tier: id }) => id === tier.id);
    if (!change) return tier;
    const { capacityBytes = tier.capacityBytes, latencyFactor = 1 } = change;
    return {
      ...tier,
      capacityBytes: index === tiers.length - 1 ? tier.capacityBytes : capacityBytes,
      readLatencyNs: tier.readLatencyNs * latencyFactor,
      writeLatencyNs: tier.writeLatencyNs * latencyFactor,
    };
  });
}

/** That a placement is of tiers as they are not, one sentence a changed tier. */
export function changesTold(tiers: readonly Tier[], changes: readonly TierChange[]): string[] {
  return tiers
    .filter(({ id }) => changes.some(({ tier }) => tier === id))
    .map(({ name, capacityBytes, readLatencyNs, writeLatencyNs }) =>
      l10n.kept(
        'What if: {0} is taken to have {1}, and to take {2} ns for a load and {3} ns for a store.',
        name,
        bytes(capacityBytes),
        Number(readLatencyNs.toPrecision(4)),
        Number(writeLatencyNs.toPrecision(4)),
      ),
    );
}
