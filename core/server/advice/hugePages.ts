/** A run that waits for address translation: larger pages need fewer entries of the TLBs. */
import { bytes, compact, percent } from '../../model/format.js';
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
      action: `Try pages of 2 MiB for ${objects.name[largest]}`,
      evidence:
        `Translation takes ${percent(native.overheadPercent / 100)} of the modelled run time (mode native): ` +
        `${compact(native.tlbMisses)} TLB misses in ${compact(accesses)} accesses, whole run. It spans ` +
        `${compact(objects.pages[largest])} of the ${compact(pages.count)} pages touched (${bytes(objects.touchedBytes[largest])}). ` +
        'Profile again with --page-size 2m to see what is left of it.',
      // What larger pages leave of it is not known before that run; they cannot save more than all of it.
      gain: timeGain(0, native.overheadPercent / 100),
      object: largest,
      view: 'pageInspector',
    },
  ];
}
