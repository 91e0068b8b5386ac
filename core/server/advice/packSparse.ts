/** An allocation that uses a small part of the lines of its pages: cold bytes ride along with hot ones. */
import { bytes, percent } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import { type Advice, type Facts, isMovable } from './advice.js';

/** Used share of the lines of its pages below which a layout is worth a look. */
const sparse = 0.5;
/** Of the accesses of the run, and of the touched memory: less than that is not worth the work. */
const leastShare = 0.02;

export function packSparse({ profile, index }: Facts): Advice[] {
  const { objects, totals, options } = profile;
  const touched = totals.pagesTouched * options.pageSize;
  const found: Advice[] = [];
  for (let object = 0; object < objects.count; object++) {
    const size = objects.touchedBytes[object];
    const density = objects.density[object];
    const share = (objects.reads[object] + objects.writes[object]) / index.accesses;
    if (density >= sparse || !isMovable(profile, object) || share < leastShare || size < leastShare * touched) continue;
    found.push({
      rule: 'pack-sparse',
      action: l10n.t(
        'Pack what is used of {0}: split hot fields from cold ones, or shrink the stride',
        objects.name[object],
      ),
      evidence: l10n.t(
        "{0} of the 64-byte lines of its touched pages ({1}) were used in the whole run, by {2} of the run's accesses: its pages look hot for a few of their lines.",
        percent(density),
        bytes(size),
        percent(share),
      ),
      gain: { kind: 'memory', low: 0, high: size * (1 - density), of: l10n.t('touched memory') },
      object,
      view: 'pageInspector',
    });
  }
  return found;
}
