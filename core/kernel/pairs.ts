/**
 * Sites, and the pairs, of a site and an object in one context (contexts.ts), that are the one place where accesses are
 * counted.
 *
 * A site has one direction, so one counter a pair gives the reads and writes of the site, of the object and of the
 * source line: totals are conserved by construction (design 3.1).
 */
import { SITE_CLASS_MASK, SITE_RANGE_READ, SITE_RANGE_WRITE, SITE_SIZE_SHIFT, SITE_WRITE } from './abi';
import { allocate, enlarge, release, take } from './arena';
import { addToSite, beginSums } from './times';

// Site record, 64 bytes, one cache line: what the next access of the site most likely needs.
export const SITE_STRIDE = 64;
// Its first 32 bytes are a copy of a slot of the tile cache (count.ts): what the site knows of the tile it was last in.
/** u64: tile number and view stamp (views.ts) of the tile that the rest speaks about; ~0: none. */
export const SITE_KEY = 0;
/** Entry of the whole tile, or 0 when the tile has a table. */
export const SITE_ENTRY = 8;
/** The tile's first line: PageIndex << (pageShift - 6) | its place in the page. */
export const SITE_LINE = 12;
/** Entry of the bytes for which the table holds 0. */
export const SITE_FILL = 16;
/** Table of the tile, and log2 of the bytes that a word of it speaks about. */
export const SITE_TABLE = 20;
export const SITE_SHIFT = 24;
/** Object of SITE_ENTRY. */
export const SITE_TILE_OBJECT = 28;
/** Pair index << 1 | isWrite, and the pair's object; ~0: no pair yet. */
export const SITE_PAIR = 32;
export const SITE_OBJECT = 36;
/** u8: size in bytes - 1; 0 for range sites, whose pieces never cross a line. */
export const SITE_LAST_BYTE = 42;
/** u8: offset of the counter of this direction in an entry: 0 reads, 4 writes. */
export const SITE_DIRECTION = 43;
/** Context of the current pair. */
export const SITE_CONTEXT = 44;
/** Set of pages touched: directory of chunks, and its length. */
export const SITE_SET = 48;
export const SITE_SET_LENGTH = 52;
/** Record of the current pair, whose first u64 counts its accesses. */
export const SITE_COUNTER = 56;

const NONE: u32 = 0xffff_ffff;

export let siteTable: usize = 0;
export let siteCount: u32 = 0;
let siteCapacity: u32 = 0;
/** Stamps used by objects.ts to keep a site once in a stack: u32 by site. */
let seen: usize = 0;

export function siteRecord(site: u32): usize {
  return siteTable + site * SITE_STRIDE;
}

/** Where the stamp of a site is. */
export function seenStamp(site: u32): usize {
  return seen + (site << 2);
}

/** Announces sites 0 .. of the run: `sites` u32[count] run-wide numbers, `kinds` u16[count] (SITE_* of abi.ts). */
export function defineSites(count: u32, sites: usize, kinds: usize): void {
  for (let i: u32 = 0; i < count; i++) defineSite(load<u32>(sites + (i << 2)), load<u16>(kinds + (i << 1)));
}

export function defineSite(site: u32, kind: u32): void {
  if (site >= siteCapacity) {
    let larger: u32 = siteCapacity ? siteCapacity : 1024;
    while (larger <= site) larger *= 2;
    siteTable = enlarge(siteTable, siteCapacity * SITE_STRIDE, larger * SITE_STRIDE);
    seen = enlarge(seen, siteCapacity << 2, larger << 2);
    for (let s = siteCapacity; s < larger; s++) forgetTile(siteRecord(s), true);
    siteCapacity = larger;
  }
  if (site >= siteCount) siteCount = site + 1;
  const s = siteRecord(site);
  const sort = kind & SITE_CLASS_MASK;
  const write = sort == SITE_WRITE || sort == SITE_RANGE_WRITE;
  const range = sort == SITE_RANGE_READ || sort == SITE_RANGE_WRITE;
  store<u8>(s, <u8>(write ? 4 : 0), SITE_DIRECTION);
  const size: u32 = range ? 1 : 1 << ((kind >> SITE_SIZE_SHIFT) & 7);
  store<u8>(s, <u8>(size - 1), SITE_LAST_BYTE);
}

function forgetTile(s: usize, pair: bool): void {
  store<u64>(s, 0xffff_ffff_ffff_ffff, SITE_KEY);
  if (pair) store<u32>(s, NONE, SITE_OBJECT);
}

/** Makes every site look up its tile again. */
export function forgetTiles(): void {
  for (let s: u32 = 0; s < siteCapacity; s++) forgetTile(siteRecord(s), false);
}

/** Bytes that one access of the site covers, 1 to 64; 1 for range sites, whose pieces stay within a line. */
export function siteBytes(site: u32): u32 {
  return <u32>load<u8>(siteRecord(site), SITE_LAST_BYTE) + 1;
}

/** 1 for a site that writes. */
export function siteWrites(site: u32): u32 {
  return <u32>load<u8>(siteRecord(site), SITE_DIRECTION) >> 2;
}

// Pair record, 32 bytes, in chunks that never move: accesses (u64), site, object, context.
const PAIR_STRIDE = 32;
const PAIR_SITE = 8;
const PAIR_OBJECT = 12;
const PAIR_CONTEXT = 16;
const PAIR_CHUNK = 4096;

export let pairCount: u32 = 0;
let chunks: usize = 0;
let chunksCapacity: u32 = 0;
/**
 * Functions that are called from several places change their sites' contexts with every call, so before the table stands
 * a direct-mapped cache, 32 bytes a slot: site and context + 1 (both 0: empty), object, SITE_PAIR, SITE_COUNTER.
 */
export const PAIR_SLOTS: u32 = 8192;
export const PAIR_SLOT_SHIFT = 5;
export const SLOT_OBJECT = 8;
export const SLOT_PAIR = 12;
export const SLOT_COUNTER = 16;
export const pairSlots: usize = heap.alloc(PAIR_SLOTS << PAIR_SLOT_SHIFT);
memory.fill(pairSlots, 0, PAIR_SLOTS << PAIR_SLOT_SHIFT);

/** The cache's slot for a site in a context, and what a slot that speaks of them begins with. */
export function pairSlot(site: u32, context: u32): usize {
  return pairSlots + ((<usize>((site ^ (context * 0x9e3779b1)) & (PAIR_SLOTS - 1))) << PAIR_SLOT_SHIFT);
}
export function pairSlotKey(site: u32, context: u32): u64 {
  return ((<u64>(context + 1)) << 32) | site;
}

/** Open-addressed table of pair + 1 by (site, object, context), at most half full. */
let table: usize = 0;
let tableMask: u32 = 0;

export function pairRecord(pair: u32): usize {
  return <usize>load<u32>(chunks + ((pair / PAIR_CHUNK) << 2)) + (pair % PAIR_CHUNK) * PAIR_STRIDE;
}

function hash(site: u32, object: u32, context: u32): u32 {
  const h = (site * 0x9e3779b1) ^ (object * 0x85ebca6b) ^ (context * 0xc2b2ae35);
  return (h ^ (h >> 16)) * 0x2c1b3c6d;
}

function rehash(): void {
  const slots: u32 = tableMask ? (tableMask + 1) * 2 : 4096;
  if (tableMask) release(table, (tableMask + 1) << 2);
  table = allocate(slots << 2);
  tableMask = slots - 1;
  for (let pair: u32 = 0; pair < pairCount; pair++) {
    const p = pairRecord(pair);
    let slot = hash(load<u32>(p, PAIR_SITE), load<u32>(p, PAIR_OBJECT), load<u32>(p, PAIR_CONTEXT)) & tableMask;
    while (load<u32>(table + (slot << 2))) slot = (slot + 1) & tableMask;
    store<u32>(table + (slot << 2), pair + 1);
  }
}

/** Points the site's record `s` at its pair with `object` in `context`, made when new. */
export function switchPair(s: usize, object: u32, context: u32): void {
  const site = <u32>(s - siteTable) / SITE_STRIDE;
  if (pairCount * 2 >= tableMask) rehash();
  let slot = hash(site, object, context) & tableMask;
  let pair: u32 = 0;
  while (true) {
    const held = load<u32>(table + (slot << 2));
    if (!held) {
      pair = newPair(site, object, context);
      store<u32>(table + (slot << 2), pair + 1);
      break;
    }
    const p = pairRecord(held - 1);
    if (
      load<u32>(p, PAIR_SITE) == site &&
      load<u32>(p, PAIR_OBJECT) == object &&
      load<u32>(p, PAIR_CONTEXT) == context
    ) {
      pair = held - 1;
      break;
    }
    slot = (slot + 1) & tableMask;
  }
  store<u32>(s, object, SITE_OBJECT);
  store<u32>(s, context, SITE_CONTEXT);
  store<u32>(s, (pair << 1) | (<u32>load<u8>(s, SITE_DIRECTION) >> 2), SITE_PAIR);
  store<u32>(s, <u32>pairRecord(pair), SITE_COUNTER);
  const cached = pairSlot(site, context);
  store<u64>(cached, pairSlotKey(site, context));
  store<u32>(cached, object, SLOT_OBJECT);
  store<u32>(cached, load<u32>(s, SITE_PAIR), SLOT_PAIR);
  store<u32>(cached, load<u32>(s, SITE_COUNTER), SLOT_COUNTER);
}

export function pairSite(pair: u32): u32 {
  return load<u32>(pairRecord(pair), PAIR_SITE);
}

/** Tells times.ts how often each site accessed. */
export function sumPairsBySite(): void {
  beginSums();
  for (let pair: u32 = 0; pair < pairCount; pair++) addToSite(pairSite(pair), load<u64>(pairRecord(pair)), 0);
}

function newPair(site: u32, object: u32, context: u32): u32 {
  const pair = pairCount;
  if (pair % PAIR_CHUNK == 0) {
    const chunk = pair / PAIR_CHUNK;
    if (chunk == chunksCapacity) {
      const larger: u32 = chunksCapacity ? chunksCapacity * 2 : 64;
      chunks = enlarge(chunks, chunksCapacity << 2, larger << 2);
      chunksCapacity = larger;
    }
    store<u32>(chunks + (chunk << 2), <u32>take(PAIR_CHUNK * PAIR_STRIDE));
  }
  pairCount++;
  const p = pairRecord(pair);
  store<u32>(p, site, PAIR_SITE);
  store<u32>(p, object, PAIR_OBJECT);
  store<u32>(p, context, PAIR_CONTEXT);
  return pair;
}

// The set of pages of each site: chunks of 1024 pages (128 bytes) behind a directory that doubles.
export const SET_SHIFT = 10;
const SET_BYTES = 128;

/** Notes that the site of record `s` touched `page`. */
export function addToSet(s: usize, page: u32): void {
  const at = page >> SET_SHIFT;
  const length = load<u32>(s, SITE_SET_LENGTH);
  if (at >= length) {
    let larger: u32 = length ? length * 2 : 16;
    while (larger <= at) larger *= 2;
    store<u32>(s, <u32>enlarge(load<u32>(s, SITE_SET), length << 2, larger << 2), SITE_SET);
    store<u32>(s, larger, SITE_SET_LENGTH);
  }
  const slot = <usize>load<u32>(s, SITE_SET) + (at << 2);
  let chunk = <usize>load<u32>(slot);
  if (!chunk) {
    chunk = take(SET_BYTES);
    store<u32>(slot, <u32>chunk);
  }
  setBit(chunk, page);
}

/** Notes the page in the chunk that it belongs to. */
export function setBit(chunk: usize, page: u32): void {
  const word = chunk + (((page >> 5) & 31) << 2);
  store<u32>(word, load<u32>(word) | (1 << (page & 31)));
}

// Union of sets: add sites, then take the number of distinct pages.
let union: usize = 0;
let unionBytes: usize = 0;
let unionEnd: u32 = 0;

export function unionAdd(site: u32): void {
  if (site < siteCount) unionAddRecord(siteRecord(site));
}

/** The same of any record that has a set where sites have theirs. */
export function unionAddRecord(s: usize): void {
  const length = load<u32>(s, SITE_SET_LENGTH);
  if (<usize>length * SET_BYTES > unionBytes) {
    union = enlarge(union, unionBytes, length * SET_BYTES);
    unionBytes = length * SET_BYTES;
  }
  const set = <usize>load<u32>(s, SITE_SET);
  for (let c: u32 = 0; c < length; c++) {
    const chunk = <usize>load<u32>(set + (c << 2));
    if (!chunk) continue;
    if (c >= unionEnd) unionEnd = c + 1;
    const to = union + c * SET_BYTES;
    for (let b: usize = 0; b < <usize>SET_BYTES; b += 16)
      v128.store(to + b, v128.or(v128.load(to + b), v128.load(chunk + b)));
  }
}

/** Distinct pages of the sites added since the last call. */
export function unionTake(): u32 {
  const bytes = <usize>unionEnd * SET_BYTES;
  let pages: u32 = 0;
  for (let b: usize = 0; b < bytes; b += 8) pages += <u32>popcnt<u64>(load<u64>(union + b));
  memory.fill(union, 0, bytes);
  unionEnd = 0;
  return pages;
}
