/** Memory that is allocated and never touched: it costs nothing until something makes it real, and then all at once. */
import { bytes, percent } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import type { Advice, Facts } from './advice.js';

/** Unused part of an allocation from which on its size looks like a mistake. */
const mostly = 0.5;
/** Of the memory that the run touches: less is not worth the work. */
const leastShare = 0.05;

export function neverUsed({ profile }: Facts): Advice[] {
  const { objects, totals, options } = profile;
  const touched = totals.pagesTouched * options.pageSize;
  const found: Advice[] = [];
  for (let object = 0; object < objects.count; object++) {
    // A mapping is often a reserve of addresses; what is only known to be at most so large may be smaller.
    if (objects.kind[object] !== 'heap' && objects.kind[object] !== 'global') continue;
    if (objects.bytesAtMost?.[object]) continue;
    const size = objects.bytes[object];
    const unused = size - objects.touchedBytes[object];
    if (unused < mostly * size || unused < Math.max(options.pageSize, leastShare * touched)) continue;
    found.push({
      rule: 'never-used',
      action: l10n.t('Allocate less for {0}', objects.name[object]),
      evidence: l10n.t(
        '{0} of the {1} that it has alive at once at most ({2}) lie in pages that nothing touched in the whole run. Such pages take no memory by themselves; locked, filled beforehand, in pages of 2 MiB or bound to a tier they do.',
        bytes(unused),
        bytes(size),
        percent(unused / size),
      ),
      gain: { kind: 'memory', low: 0, high: unused, of: l10n.t('allocated memory') },
      object,
      view: 'placement',
    });
  }
  return found;
}
