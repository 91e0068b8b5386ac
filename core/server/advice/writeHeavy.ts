/** An allocation that is mostly written, in a tier that stores more slowly than it loads. */
import { percent, whole } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import {
  type Advice,
  atEachParallelism,
  type Facts,
  isMovable,
  leastTime,
  runNs,
  timeGain,
  trafficOf,
  waitNs,
} from './advice.js';

/** Store latency over load latency from which a tier is called dear to write. */
const dearWrites = 1.25;
const mostlyWritten = 0.5;

export function writeHeavy({ profile, policy }: Facts): Advice[] {
  const { placement, objects } = profile;
  const { tiers } = placement;
  const fast = placement.fastestTier ?? 0;
  const found: Advice[] = [];
  for (let object = 0; object < objects.count; object++) {
    const tier = tiers[policy.tierOfObject[object]];
    const traffic = trafficOf(profile, object);
    if (!tier || traffic === 0 || !isMovable(profile, object)) continue;
    const written = objects.trafficWrites[object] / traffic;
    if (written < mostlyWritten || tier.writeLatencyNs < dearWrites * tier.readLatencyNs) continue;
    const from = policy.tierOfObject[object];
    const [low, high] = atEachParallelism(
      overlap =>
        (waitNs(profile, object, from, overlap) - waitNs(profile, object, fast, overlap)) /
        runNs(profile, policy, overlap),
    );
    if (Math.max(low, high) < leastTime) continue;
    found.push({
      rule: 'write-heavy',
      action: l10n.t('Keep {0} out of {1}, which is slow to write', objects.name[object], tier.name),
      evidence: l10n.t(
        '{0} of its {1} lines of traffic are write-backs; under {2} it lies in {3}, where a line takes {4} ns to store and {5} ns to load. The gain is that of {6}, if it has the room.',
        percent(written),
        whole(traffic),
        policy.id,
        tier.name,
        tier.writeLatencyNs,
        tier.readLatencyNs,
        tiers[fast].name,
      ),
      gain: timeGain(low, high),
      object,
      view: 'placement',
    });
  }
  return found;
}
