/**
 * Painting: which object each byte of a tile belongs to.
 *
 * A tile's `fill` entry owns the bytes that its table does not speak about, so a tile that belongs to one object needs
 * no table. A table has one word per granule of 1 << shift bytes (16, 8, 4 or 1: the coarsest that keeps every border
 * exact). Words hold the *entry* that an access counts on:
 *   bits 0-25  address of the entry / 64     bit 26  a block starts here
 *   bits 27-30 unused bytes at the end of the granule (the block's last word)
 *   bit 31     a heap block; else background made explicit because the tile's background is not one object
 * A small block that lies within one tile is recorded in these words alone: start, extent and slack give its size, which
 * keeps a heap of small blocks at 1 KiB a tile. Other blocks are also in the process's block table (blocks.ts).
 *
 * Background comes from the ranges of the process. Innermost wins: a global inside its image, a thread's stack or a
 * large block (the smaller one) inside a mapping, a heap block inside all of them.
 */
import { allocate, release } from './arena';
import { countBlock, growLive, KIND_GLOBAL, plainObject } from './objects';
import {
  ENTRY_OBJECT,
  entryOf,
  findTile,
  makeTile,
  PROCESS_CHILD,
  PROCESS_LARGE,
  PROCESS_MAPPINGS,
  PROCESS_PARENT,
  PROCESS_SIBLING,
  PROCESS_STACKS,
  TILE_BYTES,
  TILE_FILL,
  TILE_FLAGS,
  TILE_NUMBER,
  TILE_PAGE,
  TILE_PROCESS,
  TILE_SHIFT,
  TILE_TABLE,
  TILE_TABLE_SHIFT,
} from './pages';
import { RANGE_END, RANGE_IMAGE, RANGE_OBJECT, RANGE_START, rangeAt, rangeCount, rangeSearch } from './ranges';
import { invalidateView } from './views';

export const WORD_ENTRY: u32 = 0x03ff_ffff;
export const WORD_START: u32 = 1 << 26;
export const WORD_SLACK_SHIFT: u32 = 27;
export const WORD_SLACK: u32 = 15;
export const WORD_BLOCK: u32 = 0x8000_0000;

/** TILE_FLAGS: the fill is a heap block that covers the tile; the background is in explicit words. */
export const FILL_BLOCK: u32 = 1;
export const MIXED_BACKGROUND: u32 = 2;

/** Tiles that lie wholly in one block are painted one by one up to this many; longer blocks become ranges. */
export const LARGE_TILES: u64 = 64;

// Module image: globals sorted by address, disjoint. Header: globals, count. Global: start, end, module, row, object.
const IMAGE_COUNT = 4;
const GLOBAL_STRIDE = 32;
const GLOBAL_END = 8;
const GLOBAL_MODULE = 16;
const GLOBAL_ROW = 20;
/** Object + 1; 0 while never seen. */
const GLOBAL_OBJECT = 24;

/** A table for the globals of one loaded module. Its rows are filled with `setGlobal` in ascending order. */
export function makeImage(count: u32): usize {
  const image = allocate(8);
  store<u32>(image, <u32>allocate(max<u32>(count, 1) * GLOBAL_STRIDE));
  store<u32>(image, count, IMAGE_COUNT);
  return image;
}

export function setGlobal(image: usize, index: u32, start: u64, end: u64, module: u32, row: u32): void {
  const g = <usize>load<u32>(image) + index * GLOBAL_STRIDE;
  store<u64>(g, start);
  store<u64>(g, end, GLOBAL_END);
  store<u32>(g, module, GLOBAL_MODULE);
  store<u32>(g, row, GLOBAL_ROW);
}

/** Where the object that `coverAt` found stops owning bytes, at the latest. */
let coverEnd: u64 = 0;

/** Object of the background at `address`. */
export function coverAt(process: usize, address: u64): u32 {
  let object: u32 = 0;
  coverEnd = 0xffff_ffff_ffff_ffff;
  let list = process + PROCESS_MAPPINGS;
  let i = rangeSearch(list, address);
  if (i < rangeCount(list)) {
    const r = rangeAt(list, i);
    coverEnd = load<u64>(r, RANGE_START);
    if (coverEnd <= address) {
      object = load<u32>(r, RANGE_OBJECT);
      coverEnd = load<u64>(r, RANGE_END);
      const image = <usize>load<u32>(r, RANGE_IMAGE);
      if (image) object = globalAt(process, image, address, object);
    }
  }
  let size: u64 = 0xffff_ffff_ffff_ffff;
  list = process + PROCESS_LARGE;
  for (let layer = 0; layer < 2; layer++) {
    i = rangeSearch(list, address);
    if (i < rangeCount(list)) {
      const r = rangeAt(list, i);
      const start = load<u64>(r, RANGE_START);
      const end = load<u64>(r, RANGE_END);
      if (start > address) coverEnd = min(coverEnd, start);
      else {
        coverEnd = min(coverEnd, end);
        if (end - start <= size) {
          object = load<u32>(r, RANGE_OBJECT);
          size = end - start;
        }
      }
    }
    list = process + PROCESS_STACKS;
  }
  return object;
}

function globalAt(process: usize, image: usize, address: u64, otherwise: u32): u32 {
  const globals = <usize>load<u32>(image);
  const count = load<u32>(image, IMAGE_COUNT);
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(globals + middle * GLOBAL_STRIDE, GLOBAL_END) > address) high = middle;
    else low = middle + 1;
  }
  if (low == count) return otherwise;
  const g = globals + low * GLOBAL_STRIDE;
  const start = load<u64>(g);
  if (start > address) {
    coverEnd = min(coverEnd, start);
    return otherwise;
  }
  coverEnd = min(coverEnd, load<u64>(g, GLOBAL_END));
  const known = load<u32>(g, GLOBAL_OBJECT);
  if (known) return known - 1;
  const object = plainObject(KIND_GLOBAL, load<u32>(g, GLOBAL_MODULE), load<u32>(g, GLOBAL_ROW));
  store<u32>(g, object + 1, GLOBAL_OBJECT);
  countBlock(object);
  growLive(process, object, load<u64>(g, GLOBAL_END) - start);
  return object;
}

/** Sites may remember the old structure of a tile once it was touched. */
function changed(tile: usize): void {
  if (load<u32>(tile, TILE_PAGE)) invalidateView(<usize>load<u32>(tile, TILE_PROCESS));
}

/** Words in the tile's table. */
export function tableLength(tile: usize): u32 {
  return 4096 >> load<u8>(tile, TILE_TABLE_SHIFT);
}

/** Gives the tile a table with granules of at most 1 << shift bytes. */
function refine(tile: usize, shift: u32): void {
  const old = <usize>load<u32>(tile, TILE_TABLE);
  const oldShift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
  if (old && oldShift <= shift) return;
  const table = allocate((<usize>4) << (TILE_SHIFT - shift));
  if (old) {
    const length: u32 = 4096 >> oldShift;
    const parts: u32 = 1 << (oldShift - shift);
    for (let i: u32 = 0; i < length; i++) {
      const word = load<u32>(old + (i << 2));
      if (!word) continue;
      // The block's bytes of this granule, in the finer granules; its slack stays unpainted.
      const used: u32 = (1 << oldShift) - ((word >> WORD_SLACK_SHIFT) & WORD_SLACK);
      const plain = word & (WORD_ENTRY | WORD_BLOCK);
      for (let part: u32 = 0; part < parts && part << shift < used; part++) {
        const left = used - (part << shift);
        const slack: u32 = left < 1 << shift ? (1 << shift) - left : 0;
        const w = plain | (part ? 0 : word & WORD_START) | (slack << WORD_SLACK_SHIFT);
        store<u32>(table + ((i * parts + part) << 2), w);
      }
    }
    release(old, (<usize>4) << (TILE_SHIFT - oldShift));
  }
  store<u32>(tile, <u32>table, TILE_TABLE);
  store<u8>(tile, <u8>shift, TILE_TABLE_SHIFT);
  changed(tile);
}

/** Coarsest granule at which all the given borders (or-ed together) are exact. */
function shiftFor(borders: u64): u32 {
  if (!(borders & 15)) return 4;
  if (!(borders & 7)) return 3;
  return borders & 3 ? 0 : 2;
}

/** Paints the background of the tile from the process's ranges, under the heap blocks that lie on it. */
export function paintBackground(tile: usize): void {
  const process = <usize>load<u32>(tile, TILE_PROCESS);
  const start = load<u64>(tile, TILE_NUMBER) << TILE_SHIFT;
  const end = start + TILE_BYTES;
  let flags = <u32>load<u8>(tile, TILE_FLAGS);
  const first = coverAt(process, start);
  let table = <usize>load<u32>(tile, TILE_TABLE);
  if (flags & MIXED_BACKGROUND) {
    const length = tableLength(tile);
    for (let i: u32 = 0; i < length; i++) {
      const at = table + (i << 2);
      if (!(load<u32>(at) & WORD_BLOCK)) store<u32>(at, 0);
    }
    flags &= ~MIXED_BACKGROUND;
  }
  if (coverEnd >= end) {
    if (!(flags & FILL_BLOCK)) store<u32>(tile, <u32>entryOf(tile, first), TILE_FILL);
  } else {
    flags |= MIXED_BACKGROUND;
    let borders: u64 = 0;
    for (let at = start; at < end; at = coverEnd) {
      coverAt(process, at);
      if (coverEnd < end) borders |= coverEnd;
    }
    refine(tile, shiftFor(borders));
    table = load<u32>(tile, TILE_TABLE);
    const shift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
    if (!(flags & FILL_BLOCK)) store<u32>(tile, <u32>entryOf(tile, first), TILE_FILL);
    for (let at = start; at < end; ) {
      const object = coverAt(process, at);
      const to = min(coverEnd, end);
      // A block that covers the tile hides the background; it is painted again when the block goes.
      if (!(flags & FILL_BLOCK)) {
        const word = <u32>(entryOf(tile, object) >> 6);
        const last = <u32>((to - start) >> shift);
        for (let i = <u32>((at - start) >> shift); i < last; i++)
          if (!load<u32>(table + (i << 2))) store<u32>(table + (i << 2), word);
      }
      at = to;
    }
  }
  store<u8>(tile, <u8>flags, TILE_FLAGS);
  changed(tile);
}

/** The tile, painted. Made when new: a forked child takes its parent's blocks along. */
export function tileFor(process: usize, number: u64): usize {
  let tile = findTile(process, number);
  if (tile) return tile;
  const parent = <usize>load<u32>(process, PROCESS_PARENT);
  const theirs = parent ? inherited(parent, number) : 0;
  tile = makeTile(process, number);
  paintBackground(tile);
  if (theirs) copyBlocks(theirs, tile);
  return tile;
}

/** The nearest ancestor's tile that holds what a child forked from `process` inherits, or 0. */
function inherited(process: usize, number: u64): usize {
  const tile = findTile(process, number);
  if (tile) return tile;
  const parent = <usize>load<u32>(process, PROCESS_PARENT);
  if (!parent || !inherited(parent, number)) return 0;
  return tileFor(process, number);
}

/**
 * The tile before its blocks change: children that still share the painting take their copies first, since a fork's
 * child has the blocks of the moment of the fork.
 */
export function tileToPaint(process: usize, number: u64): usize {
  const tile = tileFor(process, number);
  for (let child = <usize>load<u32>(process, PROCESS_CHILD); child; child = load<u32>(child, PROCESS_SIBLING))
    tileFor(child, number);
  return tile;
}

/** Copies heap blocks (not the background) from the tile of another process with the same number. */
function copyBlocks(from: usize, to: usize): void {
  const source = <usize>load<u32>(from, TILE_TABLE);
  if (<u32>load<u8>(from, TILE_FLAGS) & FILL_BLOCK)
    fillTile(to, load<u32>(<usize>load<u32>(from, TILE_FILL), ENTRY_OBJECT));
  if (!source) return;
  const sourceShift = <u32>load<u8>(from, TILE_TABLE_SHIFT);
  refine(to, sourceShift);
  const shift = <u32>load<u8>(to, TILE_TABLE_SHIFT);
  // The child's table may be finer where its background is: bring both to one granule.
  if (shift < sourceShift) refine(from, shift);
  const words = <usize>load<u32>(from, TILE_TABLE);
  const table = <usize>load<u32>(to, TILE_TABLE);
  const length = tableLength(to);
  for (let i: u32 = 0; i < length; i++) {
    const word = load<u32>(words + (i << 2));
    if (!(word & WORD_BLOCK)) continue;
    const object = load<u32>((<usize>(word & WORD_ENTRY)) << 6, ENTRY_OBJECT);
    store<u32>(table + (i << 2), (word & ~WORD_ENTRY) | <u32>(entryOf(to, object) >> 6));
  }
}

/** Makes one block of `object` own the whole tile. */
export function fillTile(tile: usize, object: u32): void {
  const table = <usize>load<u32>(tile, TILE_TABLE);
  if (table) memory.fill(table, 0, tableLength(tile) << 2);
  store<u32>(tile, <u32>entryOf(tile, object), TILE_FILL);
  store<u8>(tile, load<u8>(tile, TILE_FLAGS) | <u8>FILL_BLOCK, TILE_FLAGS);
  changed(tile);
}

/** The block that owned the whole tile is gone. */
export function unfillTile(tile: usize, object: u32): void {
  const flags = <u32>load<u8>(tile, TILE_FLAGS);
  if (!(flags & FILL_BLOCK) || load<u32>(<usize>load<u32>(tile, TILE_FILL), ENTRY_OBJECT) != object) return;
  store<u8>(tile, <u8>(flags & ~FILL_BLOCK), TILE_FLAGS);
  paintBackground(tile);
}

/** Gives bytes [from, to) of the tile (offsets, not all of it) to a block of `object`. `starts`: its first byte is at `from`. */
export function paintBlock(tile: usize, from: u32, to: u32, object: u32, starts: bool): void {
  // The end may lie within a granule (slack), the start may not; nor may the end cut a block that goes on behind it.
  refine(tile, shiftFor(from));
  const shift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
  const block = <u32>(entryOf(tile, object) >> 6) | WORD_BLOCK;
  const table = <usize>load<u32>(tile, TILE_TABLE);
  const first = from >> shift;
  const last = (to - 1) >> shift;
  for (let i = first; i <= last; i++) store<u32>(table + (i << 2), block);
  if (starts) store<u32>(table + (first << 2), load<u32>(table + (first << 2)) | WORD_START);
  const slack = ((last + 1) << shift) - to;
  if (slack) store<u32>(table + (last << 2), load<u32>(table + (last << 2)) | (slack << WORD_SLACK_SHIFT));
}

/** Takes bytes [from, to) of the tile from a block of `object`; bytes that others own by now stay theirs. */
export function unpaintBlock(tile: usize, from: u32, to: u32, object: u32): void {
  const table = <usize>load<u32>(tile, TILE_TABLE);
  if (!table) return;
  const shift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
  const first = from >> shift;
  const last = (to - 1) >> shift;
  for (let i = first; i <= last; i++) {
    const word = load<u32>(table + (i << 2));
    // Another block that starts behind this one's start has taken the rest.
    if (i > first && word & WORD_START) break;
    if (word & WORD_BLOCK && load<u32>((<usize>(word & WORD_ENTRY)) << 6, ENTRY_OBJECT) == object)
      store<u32>(table + (i << 2), 0);
  }
  if (<u32>load<u8>(tile, TILE_FLAGS) & MIXED_BACKGROUND) paintBackground(tile);
}

/** Entry that owns the byte at `offset` of the tile. */
export function ownerAt(tile: usize, offset: u32): usize {
  const table = <usize>load<u32>(tile, TILE_TABLE);
  if (table) {
    const word = load<u32>(table + ((offset >> load<u8>(tile, TILE_TABLE_SHIFT)) << 2)) & WORD_ENTRY;
    if (word) return (<usize>word) << 6;
  }
  return load<u32>(tile, TILE_FILL);
}

/** Bytes, within this tile, of the block that starts at `offset`; 0 when none does. */
export function blockBytesAt(tile: usize, offset: u32): u32 {
  const table = <usize>load<u32>(tile, TILE_TABLE);
  const shift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
  if (!table || offset & ((1 << shift) - 1)) return 0;
  let i = offset >> shift;
  const length = tableLength(tile);
  const start = load<u32>(table + (i << 2));
  if ((start & (WORD_BLOCK | WORD_START)) != (WORD_BLOCK | WORD_START)) return 0;
  const same = start & (WORD_ENTRY | WORD_BLOCK);
  let word = start;
  let bytes: u32 = 0;
  do {
    bytes += (1 << shift) - ((word >> WORD_SLACK_SHIFT) & WORD_SLACK);
    if (++i == length) break;
    // Slack marks a block's last word.
    if ((word >> WORD_SLACK_SHIFT) & WORD_SLACK) break;
    word = load<u32>(table + (i << 2));
  } while ((word & (WORD_ENTRY | WORD_BLOCK | WORD_START)) == same);
  return bytes;
}
