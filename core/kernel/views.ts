/**
 * Validity of what site records remember about a tile.
 *
 * A site record holds the tile of its last access under a key made of the tile's number (45 bits) and a *view stamp* (19
 * bits) that stands for one process in one state of its painting. A change of a tile's structure takes a new stamp for
 * its process, so that all records of the old view miss at once, without being visited. When stamps run out, every
 * record is cleared and numbering starts again.
 */

import { forgetTileCache } from './count';
import { PROCESS_STAMP, processCount, processRecord } from './pages';
import { forgetTiles } from './pairs';

const STAMPS: u32 = 1 << 19;
export const STAMP_SHIFT: u64 = 45;

let stamp: u32 = 0;

/** The painting of a tile of `process` changed its structure. */
export function invalidateView(process: usize): void {
  store<u32>(process, 0, PROCESS_STAMP);
}

/** Current view stamp of the process, 1 to 2^19 - 1. */
export function viewStamp(process: usize): u32 {
  const held = load<u32>(process, PROCESS_STAMP);
  if (held) return held;
  if (++stamp == STAMPS - 1) {
    for (let p: u32 = 0; p < processCount; p++) invalidateView(processRecord(p));
    forgetTiles();
    forgetTileCache();
    stamp = 1;
  }
  store<u32>(process, stamp, PROCESS_STAMP);
  return stamp;
}
