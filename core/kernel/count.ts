/**
 * First of the three loops over a batch: every access to its page, object and pair, and the counts themselves.
 *
 * The hot path trusts the site's record: the tile of its last access, that tile's entry, its pair. What changes less
 * often than every access (page, object, first touch in an epoch) is handled off it. Output columns serve the other two
 * loops (machine.ts) and the stack distance.
 */
import { BATCH } from './abi';
import { batchAddress, batchSite } from './decode';
import { pageFirstInEpoch } from './heat';
import {
  ADDRESS_MASK,
  ENTRY_LINES,
  ENTRY_OBJECT,
  entryOf,
  pageOf,
  pageShift,
  TILE_FILL,
  TILE_SHIFT,
  TILE_TABLE,
  TILE_TABLE_SHIFT,
  touchEntry,
} from './pages';
import { tileFor, WORD_ENTRY } from './paint';
import {
  addToSet,
  SITE_DIRECTION,
  SITE_ENTRY,
  SITE_FILL,
  SITE_KEY,
  SITE_LAST_BYTE,
  SITE_OBJECT,
  SITE_PAGE,
  SITE_PAIR,
  SITE_PAIR_RECORD,
  SITE_SHIFT,
  SITE_STRIDE,
  SITE_TABLE,
  siteTable,
  switchPair,
} from './pairs';
import { STAMP_SHIFT, viewStamp } from './views';

/** PageIndex of each access of the batch. */
export const batchPage: usize = heap.alloc(BATCH * 4);
/** Pair index << 1 | isWrite. */
export const batchPair: usize = heap.alloc(BATCH * 4);
/** Accesses of the batch whose bytes go on in a second page: their index, and that page, in order. */
export const straddleIndex: usize = heap.alloc(BATCH * 4);
export const straddlePage: usize = heap.alloc(BATCH * 4);
export let straddleCount: u32 = 0;

/** Counts the first `n` accesses of the batch, all of one process. */
export function countBatch(process: usize, n: u32): void {
  const stamp = (<u64>viewStamp(process)) << STAMP_SHIFT;
  const sites = siteTable;
  let site = batchSite;
  let address = batchAddress;
  let page = batchPage;
  let pair = batchPair;
  straddleCount = 0;
  for (const end = page + ((<usize>n) << 2); page < end; page += 4) {
    const s = sites + load<u32>(site) * SITE_STRIDE;
    const a = load<u64>(address) & ADDRESS_MASK;
    const key = (a >> TILE_SHIFT) | stamp;
    if (load<u64>(s, SITE_KEY) != key) enterTile(process, s, a, key);
    let entry = <usize>load<u32>(s, SITE_ENTRY);
    if (!entry) {
      // Several objects share the tile: the word of the granule says whose the byte is.
      const offset = (<usize>a & 4095) >> load<u32>(s, SITE_SHIFT);
      entry = (<usize>(load<u32>(<usize>load<u32>(s, SITE_TABLE) + (offset << 2)) & WORD_ENTRY)) << 6;
      if (!entry) entry = <usize>load<u32>(s, SITE_FILL);
      const object = load<u32>(entry, ENTRY_OBJECT);
      if (object != load<u32>(s, SITE_OBJECT)) switchPair(s, object);
    }
    const counter = entry + load<u32>(s, SITE_DIRECTION);
    const count = load<u32>(counter);
    if (!count) touchEntry(entry);
    store<u32>(counter, count + 1);
    store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << (a >> 6)), ENTRY_LINES);
    const total = <usize>load<u32>(s, SITE_PAIR_RECORD);
    store<u64>(total, load<u64>(total) + 1);
    store<u32>(page, load<u32>(s, SITE_PAGE));
    store<u32>(pair, load<u32>(s, SITE_PAIR));
    if ((<u32>a & 63) + load<u32>(s, SITE_LAST_BYTE) > 63)
      crossLine(process, s, a, entry, <u32>(page - batchPage) >> 2);
    site += 4;
    address += 8;
    pair += 4;
  }
}

/** Points the site's record at the tile of address `a`. */
function enterTile(process: usize, s: usize, a: u64, key: u64): void {
  const tile = tileFor(process, a >> TILE_SHIFT);
  const page = pageOf(tile);
  const table = load<u32>(tile, TILE_TABLE);
  const fill = <usize>load<u32>(tile, TILE_FILL);
  store<u64>(s, key, SITE_KEY);
  store<u32>(s, page, SITE_PAGE);
  store<u32>(s, <u32>fill, SITE_FILL);
  store<u32>(s, table, SITE_TABLE);
  store<u32>(s, load<u8>(tile, TILE_TABLE_SHIFT), SITE_SHIFT);
  store<u32>(s, table ? 0 : <u32>fill, SITE_ENTRY);
  addToSet(s, page);
  if (!table) {
    const object = load<u32>(fill, ENTRY_OBJECT);
    if (object != load<u32>(s, SITE_OBJECT)) switchPair(s, object);
  }
}

/**
 * The access covers two lines. Both are used; in the next tile the object is the one that the access counts on, since
 * an access belongs to the object of its first byte.
 */
function crossLine(process: usize, s: usize, a: u64, entry: usize, index: u32): void {
  const last = a + load<u32>(s, SITE_LAST_BYTE);
  if (last >> TILE_SHIFT == a >> TILE_SHIFT) {
    store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << (last >> 6)), ENTRY_LINES);
    return;
  }
  if (last > ADDRESS_MASK) return;
  const tile = tileFor(process, last >> TILE_SHIFT);
  const page = pageOf(tile);
  const other = entryOf(tile, load<u32>(entry, ENTRY_OBJECT));
  store<u64>(other, load<u64>(other, ENTRY_LINES) | 1, ENTRY_LINES);
  if (last >> pageShift == a >> pageShift) return;
  addToSet(s, page);
  pageFirstInEpoch(page);
  store<u32>(straddleIndex + (straddleCount << 2), index);
  store<u32>(straddlePage + (straddleCount << 2), page);
  straddleCount++;
}

/** The kernel stored into the page of `address` for the program: touched, but no access. Returns the page. */
export function touchAddress(process: usize, address: u64): u32 {
  const page = pageOf(tileFor(process, (address & ADDRESS_MASK) >> TILE_SHIFT));
  pageFirstInEpoch(page);
  return page;
}
