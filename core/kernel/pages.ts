/**
 * Pages and what they are made of.
 *
 * A *page* is the unit of translation and of every count (4 KiB or 2 MiB). A *tile* is the 4 KiB unit in which
 * ownership of bytes is kept (paint.ts); with 4 KiB pages the two coincide, a 2 MiB page has up to 512 tiles. An *entry*
 * is one object on one tile: the counters of the running epoch, the totals, and a mask of the 64 lines used. Counting
 * on entries makes page counts, (object, page) sets and lines used exact in one increment.
 *
 * Lookup: a hash of (process, 4 MiB of address space) to a chunk of 1024 tile addresses. Chunks are few, so the hash
 * stays in the first-level cache, and neighbouring tiles share a leaf.
 */
import { allocate, enlarge, release, take } from './arena';
import { entryFirstInEpoch, pageFirstInEpoch, roomForPages } from './heat';

export const TILE_SHIFT = 12;
export const TILE_BYTES: u64 = 4096;
/** Guest-virtual addresses have 57 bits (5-level paging); the rest of a longer one is dropped. */
export const ADDRESS_MASK: u64 = (1 << 57) - 1;

// Process record, 192 bytes.
export const PROCESS_STRIDE = 192;
/** First of the process's chunks. */
export const PROCESS_CHUNKS = 0;
export const PROCESS_INDEX = 4;
/** Process it was forked from (record), first child, next child of the same parent: while painting is shared. */
export const PROCESS_PARENT = 8;
export const PROCESS_CHILD = 12;
export const PROCESS_SIBLING = 16;
/** Range lists (ranges.ts), 16 bytes each. */
export const PROCESS_MAPPINGS = 20;
export const PROCESS_STACKS = 36;
export const PROCESS_LARGE = 52;
/** Table of blocks by address: address, slots, used slots. */
export const PROCESS_BLOCKS = 68;
export const PROCESS_BLOCK_SLOTS = 72;
export const PROCESS_BLOCK_COUNT = 76;
/** The decoder's process. */
export const PROCESS_DECODER = 80;
/** View stamp of the site caches; 0: none yet. */
export const PROCESS_STAMP = 84;
/** End of the brk heap, 0 while unknown (u64). */
export const PROCESS_BRK = 88;
/** Names of mapped files: u32[] of run-wide name numbers + 1, and its length. */
export const PROCESS_FILES = 96;
/** Where a list of names has its length. */
export const NAMES_LENGTH = 4;
/** Live bytes an object has in this process: u64[], and its length. */
export const PROCESS_LIVE = 104;
export const PROCESS_LIVE_LENGTH = 108;
export const PROCESS_ENDED = 112;
/** List of what was ever mapped (extents.ts), 12 bytes. */
export const PROCESS_EXTENTS = 116;
/** Names that marks refer to, as PROCESS_FILES has those of files. */
export const PROCESS_NAMES = 128;
/** The phase that it is in (regions.ts); 0: none. */
export const PROCESS_PHASE = 136;

let processes: usize = 0;
let processCapacity: u32 = 0;
export let processCount: u32 = 0;

/** Record of process number `index`, made at first mention. */
export function processRecord(index: u32): usize {
  if (index >= processCapacity) {
    let larger: u32 = processCapacity ? processCapacity : 16;
    while (larger <= index) larger *= 2;
    processes = enlarge(processes, processCapacity << 2, larger << 2);
    processCapacity = larger;
  }
  if (index >= processCount) processCount = index + 1;
  const slot = processes + (index << 2);
  let p = <usize>load<u32>(slot);
  if (!p) {
    p = take(PROCESS_STRIDE);
    store<u32>(p, index, PROCESS_INDEX);
    store<u32>(slot, <u32>p);
  }
  return p;
}

// Chunk: key, next chunk of the process, number of its first tile, pages of its two 2 MiB halves, then 1024 tiles.
const CHUNK_KEY = 0;
export const CHUNK_NEXT = 8;
const CHUNK_PAGES = 16;
export const CHUNK_FIRST = 24;
export const CHUNK_TILES = 64;
const CHUNK_BYTES = 64 + 4096;
export const CHUNK_SHIFT = 10;

/** Open-addressed table of chunk addresses, at most a quarter full. */
let table: usize = 0;
let tableMask: u32 = 0;
let chunkCount: u32 = 0;

function chunkKey(process: usize, number: u64): u64 {
  return ((<u64>load<u32>(process, PROCESS_INDEX)) << 35) | (number >> CHUNK_SHIFT);
}

function chunkHash(key: u64): u32 {
  const h = key * 0x9e37_79b9_7f4a_7c15;
  return <u32>(h >> 32);
}

/** Chunk of the tile `number`, or 0. Table slots are key u64, address u32, pad. */
export function findChunk(process: usize, number: u64): usize {
  if (!tableMask) return 0;
  const key = chunkKey(process, number);
  let slot = chunkHash(key) & tableMask;
  while (true) {
    const at = table + (slot << 4);
    const chunk = <usize>load<u32>(at, 8);
    if (!chunk || load<u64>(at) == key) return chunk;
    slot = (slot + 1) & tableMask;
  }
}

function insertChunk(key: u64, chunk: usize): void {
  let slot = chunkHash(key) & tableMask;
  while (load<u32>(table + (slot << 4), 8)) slot = (slot + 1) & tableMask;
  store<u64>(table + (slot << 4), key);
  store<u32>(table + (slot << 4), <u32>chunk, 8);
}

function makeChunk(process: usize, number: u64): usize {
  if (chunkCount * 4 >= tableMask) {
    const old = table;
    const oldSlots: u32 = tableMask ? tableMask + 1 : 0;
    const slots: u32 = oldSlots ? oldSlots * 2 : 1024;
    table = allocate(slots << 4);
    tableMask = slots - 1;
    for (let s: u32 = 0; s < oldSlots; s++) {
      const chunk = <usize>load<u32>(old + (s << 4), 8);
      if (chunk) insertChunk(load<u64>(old + (s << 4)), chunk);
    }
    release(old, oldSlots << 4);
  }
  const chunk = take(CHUNK_BYTES);
  const key = chunkKey(process, number);
  store<u64>(chunk, key, CHUNK_KEY);
  store<u64>(chunk, (number >> CHUNK_SHIFT) << CHUNK_SHIFT, CHUNK_FIRST);
  store<u64>(chunk, 0xffff_ffff_ffff_ffff, CHUNK_PAGES);
  store<u32>(chunk, load<u32>(process, PROCESS_CHUNKS), CHUNK_NEXT);
  store<u32>(process, <u32>chunk, PROCESS_CHUNKS);
  insertChunk(key, chunk);
  chunkCount++;
  return chunk;
}

// Tile record, 64 bytes: a slot of the entries' slabs, next to the tile's first entry, so that the two mostly share a
// translation of the host's and its prefetch. Bytes 8-15 stay 0, which marks the slot as no used entry.
/** u64: address >> 12. */
export const TILE_NUMBER = 0;
export const TILE_PROCESS = 16;
/** PageIndex + 1 once touched. */
export const TILE_PAGE = 20;
/** Entry of the bytes that the table does not speak about (all bytes without a table); 0: not yet resolved. */
export const TILE_FILL = 24;
/** u32 words, one per 1 << shift bytes (paint.ts); 0: none. */
export const TILE_TABLE = 28;
export const TILE_ENTRIES = 32;
export const TILE_TABLE_SHIFT = 36;
export const TILE_FLAGS = 37;

/** The tile, or 0 when nothing has spoken of it. */
export function findTile(process: usize, number: u64): usize {
  const chunk = findChunk(process, number);
  return chunk ? <usize>load<u32>(chunk + ((<usize>(number & 1023)) << 2), CHUNK_TILES) : 0;
}

/** A new, empty tile; the caller has seen that there is none. */
export function makeTile(process: usize, number: u64): usize {
  let chunk = findChunk(process, number);
  if (!chunk) chunk = makeChunk(process, number);
  const tile = newSlot();
  store<u64>(tile, number, TILE_NUMBER);
  store<u32>(tile, <u32>process, TILE_PROCESS);
  store<u32>(chunk + ((<usize>(number & 1023)) << 2), <u32>tile, CHUNK_TILES);
  return tile;
}

// Entry, 64 bytes: one object on one tile.
/** Reads and writes of the running epoch (u32 each). */
export const ENTRY_READS = 0;
export const ENTRY_WRITES = 4;
/** u64: the 64-byte lines used. Not 0 exactly when the object was accessed on this tile. */
export const ENTRY_LINES = 8;
export const ENTRY_OBJECT = 16;
export const ENTRY_TILE = 20;
export const ENTRY_NEXT = 24;
/** u64: reads and writes of finished epochs. */
export const ENTRY_TOTAL_READS = 32;
export const ENTRY_TOTAL_WRITES = 40;
const ENTRY_STRIDE = 64;
/** Entries and tiles lie in slabs of this many, which the host enumerates. */
const ENTRY_CHUNK = 1024;

/** Slots in use. */
export let entryCount: u32 = 0;
let entryChunks: usize = 0;
let entryChunksCapacity: u32 = 0;

export function entryRecord(entry: u32): usize {
  return <usize>load<u32>(entryChunks + ((entry / ENTRY_CHUNK) << 2)) + (entry % ENTRY_CHUNK) * ENTRY_STRIDE;
}

/** A zeroed slot for an entry or a tile. */
function newSlot(): usize {
  if (entryCount % ENTRY_CHUNK == 0) {
    const chunk = entryCount / ENTRY_CHUNK;
    if (chunk == entryChunksCapacity) {
      const larger: u32 = entryChunksCapacity ? entryChunksCapacity * 2 : 256;
      entryChunks = enlarge(entryChunks, entryChunksCapacity << 2, larger << 2);
      entryChunksCapacity = larger;
    }
    store<u32>(entryChunks + (chunk << 2), <u32>take(ENTRY_CHUNK * ENTRY_STRIDE));
  }
  return entryRecord(entryCount++);
}

/** The entry of `object` on `tile`, made when new. The one found moves to the front: allocation sites come in runs. */
export function entryOf(tile: usize, object: u32): usize {
  let before: usize = 0;
  let entry = <usize>load<u32>(tile, TILE_ENTRIES);
  while (entry && load<u32>(entry, ENTRY_OBJECT) != object) {
    before = entry;
    entry = <usize>load<u32>(entry, ENTRY_NEXT);
  }
  if (entry && !before) return entry;
  if (entry) {
    store<u32>(before, load<u32>(entry, ENTRY_NEXT), ENTRY_NEXT);
  } else {
    entry = newSlot();
    store<u32>(entry, object, ENTRY_OBJECT);
    store<u32>(entry, <u32>tile, ENTRY_TILE);
  }
  store<u32>(entry, load<u32>(tile, TILE_ENTRIES), ENTRY_NEXT);
  store<u32>(tile, <u32>entry, TILE_ENTRIES);
  return entry;
}

// Page record, 16 bytes, in chunks that never move. Its counts are in heat.ts.
/** u64: guest-virtual page number (address / page size). */
export const PAGE_NUMBER = 0;
export const PAGE_PROCESS = 8;
const PAGE_STRIDE = 16;
const PAGE_CHUNK = 1024;

export let pageCount: u32 = 0;
let pageChunks: usize = 0;
let pageChunksCapacity: u32 = 0;
/** log2 of the page size: 12 or 21. */
export let pageShift: u32 = 12;

/** 4096 or 2097152; before the first access. */
export function setPageSize(bytes: u32): void {
  pageShift = ctz<u32>(bytes);
}

export function pageRecord(page: u32): usize {
  return <usize>load<u32>(pageChunks + ((page / PAGE_CHUNK) << 2)) + (page % PAGE_CHUNK) * PAGE_STRIDE;
}

/** PageIndex of the tile, given in order of first touch. */
export function pageOf(tile: usize): u32 {
  const known = load<u32>(tile, TILE_PAGE);
  return known ? known - 1 : assignPage(tile);
}

function assignPage(tile: usize): u32 {
  const process = <usize>load<u32>(tile, TILE_PROCESS);
  const number = load<u64>(tile, TILE_NUMBER);
  let half: usize = 0;
  if (pageShift != TILE_SHIFT) {
    half = findChunk(process, number) + ((<usize>((number >> 9) & 1)) << 2);
    const page = load<u32>(half, CHUNK_PAGES);
    if (page != 0xffff_ffff) {
      store<u32>(tile, page + 1, TILE_PAGE);
      return page;
    }
  }
  const page = pageCount;
  if (page % PAGE_CHUNK == 0) {
    const chunk = page / PAGE_CHUNK;
    if (chunk == pageChunksCapacity) {
      const larger: u32 = pageChunksCapacity ? pageChunksCapacity * 2 : 256;
      pageChunks = enlarge(pageChunks, pageChunksCapacity << 2, larger << 2);
      pageChunksCapacity = larger;
    }
    store<u32>(pageChunks + (chunk << 2), <u32>take(PAGE_CHUNK * PAGE_STRIDE));
  }
  pageCount++;
  roomForPages(pageCount);
  const p = pageRecord(page);
  store<u64>(p, number >> (pageShift - TILE_SHIFT), PAGE_NUMBER);
  store<u32>(p, load<u32>(process, PROCESS_INDEX), PAGE_PROCESS);
  store<u32>(tile, page + 1, TILE_PAGE);
  if (half) store<u32>(half, page, CHUNK_PAGES);
  return page;
}

/** Notes the first read or the first write of an entry, on `page`, in the running epoch. */
export function touchEntry(entry: usize, page: u32): void {
  if (load<u32>(entry, ENTRY_READS) | load<u32>(entry, ENTRY_WRITES)) return;
  entryFirstInEpoch(entry, page);
  pageFirstInEpoch(page);
}
