/** Every rule: one file and one line here; and which of what they say is shown. */
import type { Advice, Facts, Rule } from './advice.js';
import { coldInFast } from './coldInFast.js';
import { hugePages } from './hugePages.js';
import { packSparse } from './packSparse.js';
import { placeByTraffic } from './placeByTraffic.js';
import { writeHeavy } from './writeHeavy.js';

export const rules: readonly Rule[] = [placeByTraffic, writeHeavy, hugePages, coldInFast, packSparse];

/**
 * The best things to do: by run time that they would save in the middle of their range, then by memory. Of one rule and
 * of one allocation only the best, so that three pieces of advice are three different things to do.
 */
export function bestAdvice(facts: Facts, count: number): Advice[] {
  const all = rules.flatMap(rule => rule(facts)).sort((a, b) => byWorth(a, b) || compare(a.action, b.action));
  const chosen: Advice[] = [];
  for (const advice of all) {
    const taken = chosen.some(
      ({ rule, object }) => rule === advice.rule || (object !== null && object === advice.object),
    );
    if (!taken && chosen.length < count) chosen.push(advice);
  }
  return chosen;
}

/** Time comes before memory: they are different units, and time is what most people are after. */
function byWorth({ gain: a }: Advice, { gain: b }: Advice): number {
  if (a.kind !== b.kind) return a.kind === 'time' ? -1 : 1;
  return b.low + b.high - a.low - a.high;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
