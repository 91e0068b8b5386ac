/** An allocation that is mostly written, in a tier that stores more slowly than it loads. */
import { percent } from '../../model/format.js';
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
      action: `Keep ${objects.name[object]} out of ${tier.name}, which is slow to write`,
      evidence:
        `${percent(written)} of its ${traffic} lines of traffic are write-backs; under ${policy.id} it lies in ` +
        `${tier.name}, where a line takes ${tier.writeLatencyNs} ns to store and ${tier.readLatencyNs} ns to load. ` +
        `The gain is that of ${tiers[fast].name}, if it has the room.`,
      gain: timeGain(low, high),
      object,
      view: 'placement',
    });
  }
  return found;
}
