/** The hottest functions and allocations of a file or of the whole profile, for a list beside the editor. */

import { NONE } from '../model/columns.js';
import { bytes, percent, readWriteSplit } from '../model/format.js';
import { CLASS_NAMES } from '../model/profile.js';
import type { HotRegion, Location } from '../protocol.js';
import type { FileRows, ProfileIndex } from './profileIndex.js';
import type { SourceDocument } from './sourceDocument.js';

interface Candidate {
  readonly label: string;
  readonly accesses: number;
  readonly reads: number;
  readonly writes: number;
  readonly pages: number;
  readonly hotness: number;
  readonly location: Location | null;
}

/** Most accesses first. `rows` and `document` narrow it to one file, whose lines are given where they are now. */
export function hotRegions(
  index: ProfileIndex,
  limit: number,
  rows: FileRows | null,
  document: SourceDocument | null,
): HotRegion[] {
  const { functions, objects, files } = index.profile;
  const locate = (file: number, line: number): Location | null => {
    if (file === NONE || line === 0) return null;
    const now = document ? document.lineNow(line) : line;
    return now === 0 ? null : { file: files[file].path, line: now };
  };
  const candidates: Candidate[] = [];
  const add = (table: typeof functions | typeof objects, row: number, label: string, location: Location | null) => {
    const [reads, writes] = [table.reads[row], table.writes[row]];
    candidates.push({
      label,
      accesses: reads + writes,
      reads,
      writes,
      pages: table.pages[row],
      hotness: table.hotness[row],
      location,
    });
  };
  // Sorted tables: what is beyond the limit in its own table cannot be within it in both.
  for (const row of (rows?.functions ?? range(functions.count)).toSorted((a, b) => a - b).slice(0, limit)) {
    add(functions, row, functions.name[row], locate(functions.file[row], functions.startLine[row]));
  }
  for (const row of (rows?.objects ?? range(objects.count)).toSorted((a, b) => a - b).slice(0, limit)) {
    if (objects.kind[row] === 'unattributed') continue;
    add(objects, row, objects.name[row], locate(objects.file[row], objects.line[row]));
  }
  return candidates
    .sort((a, b) => b.accesses - a.accesses || (a.label < b.label ? -1 : 1))
    .slice(0, limit)
    .map(({ label, accesses, reads, writes, pages, hotness, location }) => ({
      label,
      detail: `${percent(accesses / index.accesses)} · ${readWriteSplit(reads, writes)} · ${bytes(pages * index.profile.options.pageSize)}`,
      hotness: CLASS_NAMES[hotness],
      location,
    }));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, row) => row);
}
