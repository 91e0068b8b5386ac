/** Every rule: one file and one line here; and which of what they say is shown. */
import type { Advice, Facts, Rule } from './advice.js';
import { coldInFast } from './coldInFast.js';
import { hugePages } from './hugePages.js';
import { neverUsed } from './neverUsed.js';
import { packSparse } from './packSparse.js';
import { placeByTraffic } from './placeByTraffic.js';
import { writeHeavy } from './writeHeavy.js';

export const rules: readonly Rule[] = [placeByTraffic, writeHeavy, hugePages, coldInFast, packSparse, neverUsed];

/**
 * The best things to do: by run time that they would save in the middle of their range, then by memory. Of one rule only
 * the best, so that three pieces of advice are three different things to do.
 */
export function bestAdvice(facts: Facts, count: number): Advice[] {
  const best = rules.flatMap(rule => rule(facts).toSorted(compare).slice(0, 1));
  return best.sort(compare).slice(0, count);
}

function compare(a: Advice, b: Advice): number {
  return byWorth(a, b) || (a.action < b.action ? -1 : a.action > b.action ? 1 : 0);
}

/** Time comes before memory: they are different units, and time is what most people are after. */
function byWorth({ gain: a }: Advice, { gain: b }: Advice): number {
  if (a.kind !== b.kind) return a.kind === 'time' ? -1 : 1;
  return b.low + b.high - a.low - a.high;
}
