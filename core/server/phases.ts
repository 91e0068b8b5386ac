/**
 * The phases of a run as one chooses them: those that the program names itself, then the detected ones. They are made
 * here, so that nobody who chooses or shows a phase need know where it is from.
 */
import { LEAST_SHARE, phasesOf } from '../hotness/phases.js';
import { NONE } from '../model/columns.js';
import type { Profile } from '../model/profile.js';
import type { PhaseFacts } from '../protocol.js';

/** Of a run in exact counts, as it was opened. @returns none for a run of one phase without names: it is the whole run */
export function choosablePhases(profile: Profile): readonly PhaseFacts[] {
  return [...namedPhases(profile), ...detectedPhases(profile)];
}

/** Stretches of the program's own phases and regions; of one that recurs, those that a detected phase might be, too. */
function namedPhases({ regions, totals }: Profile): readonly PhaseFacts[] {
  if (!regions) return [];
  const all = totals.reads + totals.writes;
  const worthwhile = regions.stretches.filter(({ accesses }) => accesses >= LEAST_SHARE * all);
  return regions.name.flatMap((name, row) =>
    worthwhile
      .filter(stretch => stretch.row === row)
      .map(({ from, to, accesses }, i, stretches) => ({
        id: `${regions.kind[row]}-${row + 1}-${i + 1}`,
        window: [from, to] as const,
        share: accesses / all,
        code: '',
        data: '',
        named: { name, number: i + 1, of: stretches.length },
      })),
  );
}

function detectedPhases(profile: Profile): readonly PhaseFacts[] {
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
