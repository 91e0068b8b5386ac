/**
 * The phases of a run as one chooses them. Those that a program names itself will come before the detected ones: they are
 * made here, so that nobody who chooses or shows a phase need know where it is from.
 */
import { phasesOf } from '../hotness/phases.js';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import type { PhaseFacts } from '../protocol.js';

/** Of a run in exact counts, as it was opened. @returns none for a run of one phase: it is the whole run */
export function choosablePhases(profile: Profile): readonly PhaseFacts[] {
  const { totals, functions, objects } = profile;
  const phases = phasesOf(profile);
  if (phases.length < 2) return [];
  return phases.map(({ window, accesses, function: code, object }, i) => ({
    id: String(i + 1),
    window,
    share: accesses / (totals.reads + totals.writes),
    code: code === NONE ? '' : functions.name[code],
    data: object === NONE ? '' : objects.name[object],
  }));
}
