/** Whole allocations placed by their traffic, where that beats what the operating system does when nobody tells it. */
import { percent } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import { type Advice, type Facts, isMovable, leastTime, timeGain, trafficOf } from './advice.js';

const shownMoves = 3;
/** Of the run's traffic: what has less makes no difference that one could see. */
const leastTraffic = 0.01;

export function placeByTraffic({ profile }: Facts): Advice[] {
  const { placement, objects, totals } = profile;
  const now = placement.policies.find(({ id }) => id === 'first-touch');
  const then = placement.policies.find(({ id }) => id === 'static-optimal');
  if (!now || !then || now.modelledSlowdown <= 0) return [];
  const saved = (a: number, b: number) => 1 - b / a;
  if (saved(now.modelledSlowdown, then.modelledSlowdown) < leastTime) return [];

  // Only the tier of most worth is scarce: what goes there is what must be told to the allocator.
  const fast = placement.fastestTier ?? 0;
  const traffic = totals.trafficReads + totals.trafficWrites;
  const moves = Array.from({ length: objects.count }, (_, object) => object)
    .filter(object => trafficOf(profile, object) >= leastTraffic * traffic)
    .filter(
      object => isMovable(profile, object) && then.tierOfObject[object] === fast && now.tierOfObject[object] !== fast,
    )
    .sort((a, b) => trafficOf(profile, b) - trafficOf(profile, a) || a - b);
  if (moves.length === 0) return [];
  const tier = placement.tiers[fast].name;
  const first = objects.name[moves[0]];
  const named = moves
    .slice(0, shownMoves)
    .map(object => `${objects.name[object]} (${percent(trafficOf(profile, object) / traffic)})`);
  const list = named.join(', ');
  const rest = moves.length - shownMoves;
  const [bestNow, worstNow] = now.modelledSlowdownRange;
  const [bestThen, worstThen] = then.modelledSlowdownRange;
  return [
    {
      rule: 'place-by-traffic',
      action:
        moves.length === 1
          ? l10n.t('Put {0} into {1}', first, tier)
          : l10n.t('Put {0} and {1} more into {2}', first, moves.length - 1, tier),
      evidence: l10n.t(
        "By first touch the run is modelled at {0} of everything in the fastest tier; with whole allocations placed by traffic at {1}. What first touch leaves outside, at least in part, with its share of the run's traffic: {2}.",
        times(now.modelledSlowdown),
        times(then.modelledSlowdown),
        rest > 0 ? l10n.t('{0} and {1} more', list, rest) : list,
      ),
      gain: timeGain(saved(bestNow, bestThen), saved(worstNow, worstThen)),
      object: moves[0],
      view: 'placement',
    },
  ];
}

function times(slowdown: number): string {
  return l10n.local(`${slowdown.toFixed(2)} ×`);
}
