/** The hottest functions and allocations of a file or of the whole profile, for a list beside the editor. */

import { NONE } from '../model/columns.js';
import { bytes, percent, readWriteSplit } from '../model/format.js';
import type { HotRegion } from '../protocol.js';
import { accessesOf, hottestRegions } from './regions.js';
import type { FileRows, SourceIndex } from './sourceIndex.js';

/** A region and where it was built: row of the file, -1 when unknown, and line. */
interface BuiltRegion extends Omit<HotRegion, 'location'> {
  readonly row: number;
  readonly line: number;
}

/** Most accesses first, summed as the lenses are. `rows` narrows it to one file. */
export function hotRegions(index: SourceIndex, limit: number, rows: FileRows | null, policy: string): BuiltRegion[] {
  return hottestRegions(index, limit, rows, policy).map(({ file, region }) => {
    const detail = [
      percent(accessesOf(region) / index.accesses),
      readWriteSplit(region.reads, region.writes),
      region.pages === null
        ? ''
        : `${region.pagesAtMost ? '≤ ' : ''}${bytes(region.pages * index.profile.options.pageSize)}`,
      region.several,
    ];
    return {
      label: region.name,
      detail: detail.filter(Boolean).join(' · '),
      hotness: region.hotness,
      row: file === NONE ? -1 : file,
      line: region.line,
    };
  });
}
