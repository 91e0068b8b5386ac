/** A run that waits for address translation: larger pages need fewer entries of the TLBs. */
import { bytes, compact, percent } from '../../model/format.js';
import * as l10n from '../../model/l10n.js';
import { type Advice, type Facts, isMovable, leastTime, timeGain } from './advice.js';

/** Entries of 4 KiB become worth joining where an allocation spans at least one page of 2 MiB. */
const hugePage = 2 * 2 ** 20;

export function hugePages({ profile }: Facts): Advice[] {
  const { translation, options, objects, pages, totals } = profile;
  const native = translation.find(({ mode }) => mode === 'native');
  const accesses = totals.reads + totals.writes;
  if (!native || options.pageSize !== 4096 || accesses === 0 || native.overheadPercent < 100 * leastTime) return [];
  const largest = Array.from({ length: objects.count }, (_, object) => object)
    .filter(object => isMovable(profile, object) && objects.touchedBytes[object] >= hugePage)
    .sort((a, b) => objects.pages[b] - objects.pages[a] || a - b)[0];
  if (largest === undefined) return [];
  return [
    {
      rule: 'huge-pages',
      action: l10n.t('Try pages of 2 MiB for {0}', objects.name[largest]),
      evidence: l10n.t(
        'Translation takes {0} of the modelled run time (mode native): {1} TLB misses in {2} accesses, whole run. It spans {3} of the {4} pages touched ({5}). Profile again with --page-size 2m to see what is left of it.',
        percent(native.overheadPercent / 100),
        compact(native.tlbMisses),
        compact(accesses),
        compact(objects.pages[largest]),
        compact(pages.count),
        bytes(objects.touchedBytes[largest]),
      ),
      // What larger pages leave of it is not known before that run; they cannot save more than all of it.
      gain: timeGain(0, native.overheadPercent / 100),
      object: largest,
      view: 'pageInspector',
    },
  ];
}
