/**
 * First of the loops over a batch: every access to its page, object and pair, and the counts themselves.
 *
 * The hot path trusts the site's record: the tile of its last access, that tile's entry, its pair. Sites that follow
 * pointers change their tiles often, so behind the records stands a cache of tiles that all sites share. What changes
 * less often (object, first touch in an epoch) is handled off the hot path.
 *
 * For the machine's loops (distance.ts, tlb.ts, cache.ts) an access becomes a *touch* of a line. An access to the line
 * of the touch before it changes nothing there: that line and its page are the most recent everywhere. The exception is
 * a write by another pair, or after a read. So repeats are counted and left out, without a branch: which access repeats
 * is hard to predict.
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
  SITE_COUNT,
  SITE_DIRECTION,
  SITE_ENTRY,
  SITE_FILL,
  SITE_KEY,
  SITE_LAST_BYTE,
  SITE_OBJECT,
  SITE_PAGE,
  SITE_PAIR,
  SITE_SHIFT,
  SITE_STRIDE,
  SITE_TABLE,
  SITE_TILE_OBJECT,
  siteTable,
  switchPair,
} from './pairs';
import { STAMP_SHIFT, viewStamp } from './views';

/** Touches of the batch: line (PageIndex << (pageShift - 6) | line in the page), pair << 1 | isWrite, address. */
export const touchedLine: usize = heap.alloc(BATCH * 4);
export const touchedPair: usize = heap.alloc(BATCH * 4);
export const touchedAddress: usize = heap.alloc(BATCH * 8);
export let touchedCount: u32 = 0;
/**
 * Accesses whose bytes go on in a second line, in order: index of the touch of their first line (which a repeat shares
 * with other accesses), second line, pair << 1 | isWrite.
 */
export const crossIndex: usize = heap.alloc(BATCH * 4);
export const crossLine: usize = heap.alloc(BATCH * 4);
export const crossPair: usize = heap.alloc(BATCH * 4);
export let crossCount: u32 = 0;
/** The same of those whose bytes go on in a second page, with that page. */
export const straddleIndex: usize = heap.alloc(BATCH * 4);
export const straddlePage: usize = heap.alloc(BATCH * 4);
export const straddlePair: usize = heap.alloc(BATCH * 4);
export let straddleCount: u32 = 0;

/** No line: the address of the last line of the last page that could be. */
const NO_LINE: u32 = 0xffff_ffff;

// Tile cache: direct-mapped by tile number. A slot is the first half of a site record.
const TILE_SLOTS: u32 = 1024;
const SLOT_SHIFT = 5;
const tileSlots: usize = heap.alloc(TILE_SLOTS << SLOT_SHIFT);
memory.fill(tileSlots, 0, TILE_SLOTS << SLOT_SHIFT);

/** Line of the touch that was written last, and its pair column: what the next access is compared with. */
let lastLine: u32 = NO_LINE;

/** Counts the first `n` accesses of the batch, all of one process. */
export function countBatch(process: usize, n: u32): void {
  const stamp = (<u64>viewStamp(process)) << STAMP_SHIFT;
  const sites = siteTable;
  const lineBits = pageShift - 6;
  const inPage = ((<u32>1) << lineBits) - 1;
  let site = batchSite;
  let address = batchAddress;
  let out: usize = 0;
  let lastPair: u32 = 0;
  // The caches of another vCPU, or of this one after other batches, may hold the line elsewhere in their order.
  lastLine = NO_LINE;
  straddleCount = 0;
  crossCount = 0;
  for (const end = site + ((<usize>n) << 2); site < end; site += 4) {
    const s = sites + load<u32>(site) * SITE_STRIDE;
    const a = load<u64>(address) & ADDRESS_MASK;
    address += 8;
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
    const counter = entry + <usize>load<u8>(s, SITE_DIRECTION);
    const count = load<u32>(counter);
    if (!count) touchEntry(entry, load<u32>(s, SITE_PAGE));
    store<u32>(counter, count + 1);
    store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << (a >> 6)), ENTRY_LINES);
    store<u64>(s, load<u64>(s, SITE_COUNT) + 1, SITE_COUNT);
    const line = (load<u32>(s, SITE_PAGE) << lineBits) | (<u32>(a >> 6) & inPage);
    const pair = load<u32>(s, SITE_PAIR);
    store<u32>(touchedLine + out, line);
    store<u32>(touchedPair + out, pair);
    store<u64>(touchedAddress + (out << 1), a);
    const differs = <u32>(line != lastLine) | (pair & <u32>(pair != lastPair));
    lastLine = line;
    lastPair = differs ? pair : lastPair;
    out += (<usize>differs) << 2;
    if ((<u32>a & 63) + load<u8>(s, SITE_LAST_BYTE) > 63)
      endsInNextLine(process, s, a, entry, (<u32>out >> 2) - 1, line);
  }
  touchedCount = <u32>out >> 2;
}

/** Points the site's record at the tile of address `a`. */
function enterTile(process: usize, s: usize, a: u64, key: u64): void {
  const slot = tileSlots + ((<usize>(<u32>(a >> TILE_SHIFT) & (TILE_SLOTS - 1))) << SLOT_SHIFT);
  if (load<u64>(slot, SITE_KEY) != key) fillSlot(slot, process, a, key);
  const page = load<u32>(slot, SITE_PAGE);
  const object = load<u32>(slot, SITE_TILE_OBJECT);
  const entry = load<u32>(slot, SITE_ENTRY);
  v128.store(s, v128.load(slot));
  v128.store(s, v128.load(slot, 16), 16);
  addToSet(s, page);
  if (entry && object != load<u32>(s, SITE_OBJECT)) switchPair(s, object);
}

function fillSlot(slot: usize, process: usize, a: u64, key: u64): void {
  const tile = tileFor(process, a >> TILE_SHIFT);
  const page = pageOf(tile);
  const table = load<u32>(tile, TILE_TABLE);
  const fill = <usize>load<u32>(tile, TILE_FILL);
  store<u64>(slot, key, SITE_KEY);
  store<u32>(slot, page, SITE_PAGE);
  store<u32>(slot, <u32>fill, SITE_FILL);
  store<u32>(slot, table, SITE_TABLE);
  store<u32>(slot, load<u8>(tile, TILE_TABLE_SHIFT), SITE_SHIFT);
  store<u32>(slot, table ? 0 : <u32>fill, SITE_ENTRY);
  store<u32>(slot, load<u32>(fill, ENTRY_OBJECT), SITE_TILE_OBJECT);
}

/** Makes every tile be looked up again: view stamps begin anew. */
export function forgetTileCache(): void {
  memory.fill(tileSlots, 0, TILE_SLOTS << SLOT_SHIFT);
}

/**
 * The access covers two lines. Both are used; in the next tile the object is the one that the access counts on, since
 * an access belongs to the object of its first byte. `touch` is the touch that stands for its first line.
 */
function endsInNextLine(process: usize, s: usize, a: u64, entry: usize, touch: u32, line: u32): void {
  const last = a + load<u8>(s, SITE_LAST_BYTE);
  const pair = load<u32>(s, SITE_PAIR);
  if (last >> TILE_SHIFT == a >> TILE_SHIFT) {
    store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << (last >> 6)), ENTRY_LINES);
    addCross(touch, line + 1, pair);
    return;
  }
  // No page follows at the end of the address space.
  if (last > ADDRESS_MASK) return;
  const tile = tileFor(process, last >> TILE_SHIFT);
  const page = pageOf(tile);
  const other = entryOf(tile, load<u32>(entry, ENTRY_OBJECT));
  store<u64>(other, load<u64>(other, ENTRY_LINES) | 1, ENTRY_LINES);
  if (last >> pageShift == a >> pageShift) {
    addCross(touch, line + 1, pair);
    return;
  }
  addToSet(s, page);
  pageFirstInEpoch(page);
  addCross(touch, page << (pageShift - 6), pair);
  store<u32>(straddleIndex + (straddleCount << 2), touch);
  store<u32>(straddlePage + (straddleCount << 2), page);
  store<u32>(straddlePair + (straddleCount << 2), pair);
  straddleCount++;
}

function addCross(touch: u32, line: u32, pair: u32): void {
  store<u32>(crossIndex + (crossCount << 2), touch);
  store<u32>(crossLine + (crossCount << 2), line);
  store<u32>(crossPair + (crossCount << 2), pair);
  crossCount++;
  // The first line is no longer the last one used.
  lastLine = NO_LINE;
}

/** The kernel stored into the page of `address` for the program: touched, but no access. Returns the page. */
export function touchAddress(process: usize, address: u64): u32 {
  const page = pageOf(tileFor(process, (address & ADDRESS_MASK) >> TILE_SHIFT));
  pageFirstInEpoch(page);
  return page;
}
