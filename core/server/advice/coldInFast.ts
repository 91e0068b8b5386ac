/** A cold allocation that takes room in the fastest tier when pages are placed by first touch. */
import { bytes, percent } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import { COLD } from '../../model/profile.js';
import { type Advice, atEachParallelism, type Facts, isMovable, runNs, waitNs } from './advice.js';

/** Of the fastest tier's capacity: less does not change who else fits. */
const leastShare = 0.1;
/** Of the run time that moving it may cost at most, to be called free. */
const mostCost = 0.005;

export function coldInFast({ profile }: Facts): Advice[] {
  const { placement, objects, totals } = profile;
  const now = placement.policies.find(({ id }) => id === 'first-touch');
  const fast = placement.fastestTier ?? 0;
  const slow = placement.tiers.length - 1;
  if (!now || fast === slow) return [];
  const { capacityBytes, name } = placement.tiers[fast];
  const found: Advice[] = [];
  for (let object = 0; object < objects.count; object++) {
    const size = objects.touchedBytes[object];
    if (objects.hotness[object] !== COLD || now.tierOfObject[object] !== fast || !isMovable(profile, object)) continue;
    if (size < leastShare * capacityBytes) continue;
    const cost = atEachParallelism(
      overlap =>
        (waitNs(profile, object, slow, overlap) - waitNs(profile, object, fast, overlap)) /
        runNs(profile, now, overlap),
    );
    if (Math.max(...cost) > mostCost) continue;
    const accesses = objects.reads[object] + objects.writes[object];
    found.push({
      rule: 'cold-in-fast',
      action: l10n.t('Leave {0} to {1}', objects.name[object], placement.tiers[slow].name),
      evidence: l10n.t(
        "It is cold: {0} of the run's accesses. By first touch its {1} take {2} of {3}; elsewhere they would cost at most {4} of the modelled run time.",
        percent(accesses / (totals.reads + totals.writes)),
        bytes(size),
        percent(size / capacityBytes),
        name,
        percent(Math.max(0, ...cost)),
      ),
      gain: { kind: 'memory', low: size, high: size, of: name },
      object,
      view: 'placement',
    });
  }
  return found;
}
