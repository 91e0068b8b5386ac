/**
 * The counting half's loop over a batch: every access to its page, object and pair, and the counts themselves.
 *
 * The hot path trusts the site's record: the tile of its last access, that tile's entry, its pair. Sites that follow
 * pointers change their tiles often, so behind the records stands a cache of tiles that all sites share. What changes
 * less often (object, first touch in an epoch) is handled off the hot path.
 *
 * For the machine half (touches.ts) an access becomes a *touch* of a line. An access to the line
 * of the touch before it changes nothing there: that line and its page are the most recent everywhere. The exception is
 * a write by another pair, or after a read. So repeats are counted and left out, without a branch: which access repeats
 * is hard to predict.
 */
import { batchAddress, batchSite, turnAt, turnContext, turnCount } from './decode';
import { pageFirstInEpoch } from './heat';
import { addCross, addSample, addStraddle } from './outbox';
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
  pairSlot,
  pairSlotKey,
  SET_SHIFT,
  SITE_CONTEXT,
  SITE_COUNTER,
  SITE_DIRECTION,
  SITE_ENTRY,
  SITE_FILL,
  SITE_KEY,
  SITE_LAST_BYTE,
  SITE_LINE,
  SITE_OBJECT,
  SITE_PAIR,
  SITE_SET,
  SITE_SET_LENGTH,
  SITE_SHIFT,
  SITE_STRIDE,
  SITE_TABLE,
  SITE_TILE_OBJECT,
  SLOT_COUNTER,
  SLOT_OBJECT,
  SLOT_PAIR,
  setBit,
  siteTable,
  siteWrites,
  switchPair,
} from './pairs';
import { nextSampled, openSamples, samplerCount, samplerStream, takeSample } from './samplers';
import { STAMP_SHIFT, viewStamp } from './views';

/** No line: the address of the last line of the last page that could be. */
const NO_LINE: u32 = 0xffff_ffff;

// Tile cache: direct-mapped by tile number. A slot is the first half of a site record. So many slots reach over 128 MiB:
// with a quarter of them random accesses to 64 MiB took half as long again to count.
const TILE_SLOTS: u32 = 32768;
const SLOT_SHIFT = 5;
const tileSlots: usize = heap.alloc(TILE_SLOTS << SLOT_SHIFT);
memory.fill(tileSlots, 0, TILE_SLOTS << SLOT_SHIFT);

// Where the loop stands. In memory while an access takes the long way, so that the short way is free of calls, for which
// everything in registers would have to be saved.
let nextSite: usize = 0;
let nextAddress: usize = 0;
/** Where the accesses of the context end. */
let sitesEnd: usize = 0;
let context: u32 = 0;
/** The next turn of the batch to another context. */
let turn: u32 = 0;
let out: usize = 0;
/** Line of the touch that was written last, and its pair column: what the next access is compared with. */
let lastLine: u32 = NO_LINE;
let lastPair: u32 = 0;

/** Counts the first `n` accesses of the batch, all of one process. Returns the number of touches written to `touches`. */
export function countBatch(process: usize, n: u32, touches: usize): u32 {
  const stamp = (<u64>viewStamp(process)) << STAMP_SHIFT;
  nextSite = batchSite;
  nextAddress = batchAddress;
  turn = 0;
  context = 0;
  out = touches;
  lastPair = 0;
  // The caches of another vCPU, or of this one after other batches, may hold the line elsewhere in their order.
  lastLine = NO_LINE;
  if (samplerCount) countSampled(process, stamp, n, touches);
  else countTo(n, process, stamp, touches);
  return <u32>(out - touches) >> 3;
}

/** Counts the batch up to access `to`, context by context. */
function countTo(to: u32, process: usize, stamp: u64, touches: usize): void {
  const end = batchSite + ((<usize>to) << 2);
  while (nextSite < end) {
    // Several turns may be at one place: the last one counts.
    for (; turn < turnCount && turnSite() <= nextSite; turn++) {
      context = load<u32>(turnContext + ((<usize>turn) << 2));
    }
    sitesEnd = turn < turnCount ? min(end, turnSite()) : end;
    while (true) {
      countUsual(stamp);
      if (nextSite == sitesEnd) break;
      countOne(process, stamp, touches);
    }
  }
}

/** Where the next turn is. */
function turnSite(): usize {
  return batchSite + ((<usize>load<u32>(turnAt + ((<usize>turn) << 2))) << 2);
}

/** Counts the batch and tells the machine half which touches stand for sampled accesses. */
function countSampled(process: usize, stamp: u64, n: u32, touches: usize): void {
  openSamples(n);
  for (let at = nextSampled(n); at < n; at = nextSampled(n)) {
    countTo(at, process, stamp, touches);
    const before = out;
    countTo(at + 1, process, stamp, touches);
    const touch = (<u32>(out - touches) >> 3) - 1;
    const write = siteWrites(load<u32>(nextSite - 4));
    for (let i: u32 = 0; i < samplerCount; i++)
      if (takeSample(i, at, n)) addSample(touch, out == before ? 1 : 0, samplerStream(i), write);
  }
  countTo(n, process, stamp, touches);
}

/** Counts accesses up to one that needs more than its site's record and a cached tile. */
function countUsual(stamp: u64): void {
  const sites = siteTable;
  const end = sitesEnd;
  const here = context;
  let site = nextSite;
  let address = nextAddress;
  let touch = out;
  let beforeLine = lastLine;
  let beforePair = lastPair;
  while (site < end) {
    const s = sites + load<u32>(site) * SITE_STRIDE;
    const a = load<u64>(address) & ADDRESS_MASK;
    const low = <u32>a;
    if ((low & 63) + load<u8>(s, SITE_LAST_BYTE) > 63) break;
    if (load<u32>(s, SITE_CONTEXT) != here) {
      const number = load<u32>(site);
      const cached = pairSlot(number, here);
      if (load<u64>(cached) != pairSlotKey(number, here)) break;
      if (load<u32>(cached, SLOT_OBJECT) != load<u32>(s, SITE_OBJECT)) break;
      store<u32>(s, here, SITE_CONTEXT);
      store<u32>(s, load<u32>(cached, SLOT_PAIR), SITE_PAIR);
      store<u32>(s, load<u32>(cached, SLOT_COUNTER), SITE_COUNTER);
    }
    const key = (a >> TILE_SHIFT) | stamp;
    if (load<u64>(s, SITE_KEY) != key) {
      const slot = slotOf(a);
      if (load<u64>(slot, SITE_KEY) != key) break;
      const page = load<u32>(slot, SITE_LINE) >> (pageShift - 6);
      const part = page >> SET_SHIFT;
      if (part >= load<u32>(s, SITE_SET_LENGTH)) break;
      const set = <usize>load<u32>(<usize>load<u32>(s, SITE_SET) + (part << 2));
      if (!set) break;
      setBit(set, page);
      const object = load<u32>(slot, SITE_TILE_OBJECT);
      v128.store(s, v128.load(slot));
      v128.store(s, v128.load(slot, 16), 16);
      if (load<u32>(s, SITE_ENTRY) && object != load<u32>(s, SITE_OBJECT)) break;
    }
    let entry = <usize>load<u32>(s, SITE_ENTRY);
    if (!entry) {
      entry = entryInTable(s, low);
      if (load<u32>(entry, ENTRY_OBJECT) != load<u32>(s, SITE_OBJECT)) break;
    }
    const counter = entry + <usize>load<u8>(s, SITE_DIRECTION);
    const count = load<u32>(counter);
    if (!count) break;
    store<u32>(counter, count + 1);
    const inTile = (low >> 6) & 63;
    store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << inTile), ENTRY_LINES);
    const pairCounter = <usize>load<u32>(s, SITE_COUNTER);
    store<u64>(pairCounter, load<u64>(pairCounter) + 1);
    const line = load<u32>(s, SITE_LINE) + inTile;
    const pair = load<u32>(s, SITE_PAIR);
    store<u64>(touch, ((<u64>pair) << 32) | line);
    const differs = <u32>(line != beforeLine) | (pair & <u32>(pair != beforePair));
    beforeLine = line;
    beforePair = differs ? pair : beforePair;
    touch += (<usize>differs) << 3;
    site += 4;
    address += 8;
  }
  nextSite = site;
  nextAddress = address;
  out = touch;
  lastLine = beforeLine;
  lastPair = beforePair;
}

/** Counts the next access, whatever it needs. */
function countOne(process: usize, stamp: u64, touches: usize): void {
  const s = siteTable + load<u32>(nextSite) * SITE_STRIDE;
  const a = load<u64>(nextAddress) & ADDRESS_MASK;
  nextSite += 4;
  nextAddress += 8;
  const key = (a >> TILE_SHIFT) | stamp;
  if (load<u64>(s, SITE_KEY) != key) enterTile(process, s, a, key);
  let entry = <usize>load<u32>(s, SITE_ENTRY);
  if (!entry) entry = entryInTable(s, <u32>a);
  const object = load<u32>(entry, ENTRY_OBJECT);
  if (object != load<u32>(s, SITE_OBJECT) || context != load<u32>(s, SITE_CONTEXT)) switchPair(s, object, context);
  const counter = entry + <usize>load<u8>(s, SITE_DIRECTION);
  const count = load<u32>(counter);
  const first = load<u32>(s, SITE_LINE);
  if (!count) touchEntry(entry, first >> (pageShift - 6));
  store<u32>(counter, count + 1);
  const inTile = <u32>(a >> 6) & 63;
  store<u64>(entry, load<u64>(entry, ENTRY_LINES) | ((<u64>1) << inTile), ENTRY_LINES);
  const pairCounter = <usize>load<u32>(s, SITE_COUNTER);
  store<u64>(pairCounter, load<u64>(pairCounter) + 1);
  lastLine = first + inTile;
  lastPair = load<u32>(s, SITE_PAIR);
  store<u64>(out, ((<u64>lastPair) << 32) | lastLine);
  out += 8;
  if ((<u32>a & 63) + load<u8>(s, SITE_LAST_BYTE) > 63) {
    endsInNextLine(process, s, a, entry, (<u32>(out - touches) >> 3) - 1, lastLine);
    // The first line is no longer the last one used.
    lastLine = NO_LINE;
  }
}

/** Several objects share the tile: the word of the granule says whose the byte is. */
function entryInTable(s: usize, low: u32): usize {
  const granule = (low & 4095) >> load<u32>(s, SITE_SHIFT);
  const entry = (<usize>(load<u32>(<usize>load<u32>(s, SITE_TABLE) + (granule << 2)) & WORD_ENTRY)) << 6;
  return entry ? entry : <usize>load<u32>(s, SITE_FILL);
}

function slotOf(a: u64): usize {
  return tileSlots + ((<usize>(<u32>(a >> TILE_SHIFT) & (TILE_SLOTS - 1))) << SLOT_SHIFT);
}

/** Points the site's record at the tile of address `a`. */
function enterTile(process: usize, s: usize, a: u64, key: u64): void {
  const slot = slotOf(a);
  if (load<u64>(slot, SITE_KEY) != key) fillSlot(slot, process, a, key);
  v128.store(s, v128.load(slot));
  v128.store(s, v128.load(slot, 16), 16);
  addToSet(s, load<u32>(slot, SITE_LINE) >> (pageShift - 6));
}

function fillSlot(slot: usize, process: usize, a: u64, key: u64): void {
  const tile = tileFor(process, a >> TILE_SHIFT);
  const page = pageOf(tile);
  const table = load<u32>(tile, TILE_TABLE);
  const fill = <usize>load<u32>(tile, TILE_FILL);
  const tileInPage = <u32>(a >> TILE_SHIFT) & (((<u32>1) << (pageShift - TILE_SHIFT)) - 1);
  store<u64>(slot, key, SITE_KEY);
  store<u32>(slot, (page << (pageShift - 6)) | (tileInPage << (TILE_SHIFT - 6)), SITE_LINE);
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
  addStraddle(touch, page, pair);
}

/** The kernel stored into the page of `address` for the program: touched, but no access. Returns the page. */
export function touchAddress(process: usize, address: u64): u32 {
  const page = pageOf(tileFor(process, (address & ADDRESS_MASK) >> TILE_SHIFT));
  pageFirstInEpoch(page);
  return page;
}
