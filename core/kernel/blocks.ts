/**
 * What programs do to their address space: heap blocks, mappings, thread stacks, modules, forks.
 *
 * Small blocks that lie within one tile are recorded by their paint alone. Blocks that cross tiles are also in a table
 * by address; those with more than LARGE_TILES whole tiles are a range, so that reserving 100 GiB costs nothing until
 * it is touched.
 */
import { allocate, enlarge, release } from './arena';
import { copyExtents, noteExtent } from './extents';
import {
  clearLive,
  copyLive,
  countBlock,
  growLive,
  KIND_FILE,
  KIND_GLOBAL,
  KIND_STACK,
  NONE,
  objectKind,
  plainObject,
  shrinkLive,
  taggedObject,
  uncountBlock,
} from './objects';
import {
  ADDRESS_MASK,
  CHUNK_FIRST,
  CHUNK_NEXT,
  CHUNK_SHIFT,
  CHUNK_TILES,
  ENTRY_OBJECT,
  findChunk,
  findTile,
  NAMES_LENGTH,
  PROCESS_BLOCK_COUNT,
  PROCESS_BLOCK_SLOTS,
  PROCESS_BLOCKS,
  PROCESS_BRK,
  PROCESS_CHILD,
  PROCESS_CHUNKS,
  PROCESS_ENDED,
  PROCESS_FILES,
  PROCESS_LARGE,
  PROCESS_MAPPINGS,
  PROCESS_NAMES,
  PROCESS_PARENT,
  PROCESS_SIBLING,
  PROCESS_STACKS,
  TILE_FLAGS,
  TILE_NUMBER,
  TILE_SHIFT,
  TILE_TABLE,
  TILE_TABLE_SHIFT,
} from './pages';
import {
  blockBytesAt,
  FILL_BLOCK,
  fillTile,
  LARGE_TILES,
  ownerAt,
  paintBackground,
  paintBlock,
  tableLength,
  tileToPaint,
  unfillTile,
  unpaintBlock,
  WORD_START,
} from './paint';
import {
  RANGE_END,
  RANGE_OBJECT,
  RANGE_START,
  rangeAt,
  rangeCount,
  rangeInsert,
  rangeRemove,
  rangeSearch,
  rangesClear,
  rangesCopy,
} from './ranges';
import { invalidateView } from './views';

// Block table: open addressing by address, linear probing, deletion by shifting back. Slot: address, size, object + 1.
const SLOT = 24;
const SLOT_SIZE = 8;
const SLOT_OBJECT = 16;

function home(address: u64, mask: u32): u32 {
  return <u32>(((address >> 4) * 0x9e37_79b9_7f4a_7c15) >> 32) & mask;
}

/** Slot of the block at `address`, or 0. */
function findBlock(process: usize, address: u64): usize {
  const slots = load<u32>(process, PROCESS_BLOCK_SLOTS);
  if (!slots) return 0;
  const table = <usize>load<u32>(process, PROCESS_BLOCKS);
  let i = home(address, slots - 1);
  while (true) {
    const slot = table + i * SLOT;
    if (!load<u32>(slot, SLOT_OBJECT)) return 0;
    if (load<u64>(slot) == address) return slot;
    i = (i + 1) & (slots - 1);
  }
}

function insertBlock(process: usize, address: u64, size: u64, object: u32): void {
  const slots = load<u32>(process, PROCESS_BLOCK_SLOTS);
  const count = load<u32>(process, PROCESS_BLOCK_COUNT);
  if (count * 2 >= slots) {
    const old = <usize>load<u32>(process, PROCESS_BLOCKS);
    const larger: u32 = slots ? slots * 2 : 128;
    store<u32>(process, <u32>allocate(larger * SLOT), PROCESS_BLOCKS);
    store<u32>(process, larger, PROCESS_BLOCK_SLOTS);
    for (let i: u32 = 0; i < slots; i++) {
      const slot = old + i * SLOT;
      const held = load<u32>(slot, SLOT_OBJECT);
      if (held) placeBlock(process, load<u64>(slot), load<u64>(slot, SLOT_SIZE), held);
    }
    release(old, slots * SLOT);
  }
  placeBlock(process, address, size, object + 1);
  store<u32>(process, count + 1, PROCESS_BLOCK_COUNT);
}

function placeBlock(process: usize, address: u64, size: u64, tagged: u32): void {
  const table = <usize>load<u32>(process, PROCESS_BLOCKS);
  const mask = load<u32>(process, PROCESS_BLOCK_SLOTS) - 1;
  let i = home(address, mask);
  while (load<u32>(table + i * SLOT, SLOT_OBJECT)) i = (i + 1) & mask;
  const slot = table + i * SLOT;
  store<u64>(slot, address);
  store<u64>(slot, size, SLOT_SIZE);
  store<u32>(slot, tagged, SLOT_OBJECT);
}

function removeBlock(process: usize, slot: usize): void {
  const table = <usize>load<u32>(process, PROCESS_BLOCKS);
  const mask = load<u32>(process, PROCESS_BLOCK_SLOTS) - 1;
  let hole = <u32>(slot - table) / SLOT;
  let i = hole;
  while (true) {
    i = (i + 1) & mask;
    const other = table + i * SLOT;
    if (!load<u32>(other, SLOT_OBJECT)) break;
    // It may fill the hole unless its home lies between the hole and itself.
    const h = home(load<u64>(other), mask);
    if (((i - h) & mask) < ((i - hole) & mask)) continue;
    memory.copy(table + hole * SLOT, other, SLOT);
    hole = i;
  }
  store<u32>(table + hole * SLOT, 0, SLOT_OBJECT);
  store<u32>(process, load<u32>(process, PROCESS_BLOCK_COUNT) - 1, PROCESS_BLOCK_COUNT);
}

/** Whole tiles in [start, end), as first and one past the last; none when first >= last. */
function firstWhole(start: u64): u64 {
  return (start + 4095) >> TILE_SHIFT;
}

/** A heap block of `size` bytes at `address`. Replaces a block that was never freed. Blocks of 0 bytes only count. */
export function allocBlock(process: usize, address: u64, size: u64, object: u32): void {
  address &= ADDRESS_MASK;
  freeBlock(process, address);
  countBlock(object);
  size = min(size, ADDRESS_MASK + 1 - address);
  if (!size) return;
  const end = address + size;
  noteExtent(process, address, end);
  const first = address >> TILE_SHIFT;
  const last = (end - 1) >> TILE_SHIFT;
  if (first == last && size < 4096) {
    growLive(process, object, size);
    const from = <u32>(address & 4095);
    paintBlock(tileToPaint(process, first), from, from + <u32>size, object, true);
    return;
  }
  insertBlock(process, address, size, object);
  if (large(address, end)) {
    rangeInsert(process, process + PROCESS_LARGE, address, end, object, 0);
    repaint(process, address, end);
    return;
  }
  growLive(process, object, size);
  for (let number = first; number <= last; number++) {
    const tile = tileToPaint(process, number);
    const start = number << TILE_SHIFT;
    const from = address > start ? <u32>(address - start) : 0;
    const to = end < start + 4096 ? <u32>(end - start) : 4096;
    if (to - from == 4096) fillTile(tile, object);
    else paintBlock(tile, from, to, object, number == first);
  }
}

function large(address: u64, end: u64): bool {
  return end >> TILE_SHIFT > firstWhole(address) + LARGE_TILES;
}

/** Ends the block at `address`; nothing when there is none. */
export function freeBlock(process: usize, address: u64): void {
  address &= ADDRESS_MASK;
  const first = address >> TILE_SHIFT;
  const offset = <u32>(address & 4095);
  const slot = findBlock(process, address);
  if (!slot) {
    if (!findTile(process, first) && !load<u32>(process, PROCESS_PARENT)) return;
    const tile = tileToPaint(process, first);
    const bytes = blockBytesAt(tile, offset);
    if (!bytes) return;
    const object = load<u32>(ownerAt(tile, offset), ENTRY_OBJECT);
    shrinkLive(process, object, bytes);
    unpaintBlock(tile, offset, offset + bytes, object);
    return;
  }
  const size = load<u64>(slot, SLOT_SIZE);
  const object = load<u32>(slot, SLOT_OBJECT) - 1;
  const end = address + size;
  removeBlock(process, slot);
  if (large(address, end)) {
    rangeRemove(process, process + PROCESS_LARGE, address, end);
    repaint(process, address, end);
    return;
  }
  shrinkLive(process, object, size);
  for (let number = first; number << TILE_SHIFT < end; number++) {
    const tile = tileToPaint(process, number);
    const start = number << TILE_SHIFT;
    const from = address > start ? <u32>(address - start) : 0;
    const to = end < start + 4096 ? <u32>(end - start) : 4096;
    if (to - from == 4096) unfillTile(tile, object);
    else unpaintBlock(tile, from, to, object);
  }
}

/** Which pass `eachTile` makes over the tiles of a range. */
const PASS_REPAINT = 0;
const PASS_DROP_BLOCKS = 1;

/** Calls the pass for each known tile that intersects [start, end). */
function eachTile(process: usize, start: u64, end: u64, pass: i32): void {
  if (start >= end) return;
  const first = start >> TILE_SHIFT;
  const last = (end - 1) >> TILE_SHIFT;
  const firstChunk = first >> CHUNK_SHIFT;
  const lastChunk = last >> CHUNK_SHIFT;
  if (lastChunk - firstChunk < 16) {
    for (let c = firstChunk; c <= lastChunk; c++) {
      const chunk = findChunk(process, c << CHUNK_SHIFT);
      if (chunk) eachTileOf(process, chunk, first, last, start, end, pass);
    }
  } else {
    // A wide range: the chunks that exist are fewer than those it spans.
    for (let chunk = <usize>load<u32>(process, PROCESS_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT))
      eachTileOf(process, chunk, first, last, start, end, pass);
  }
}

function eachTileOf(process: usize, chunk: usize, first: u64, last: u64, start: u64, end: u64, pass: i32): void {
  const base = load<u64>(chunk, CHUNK_FIRST);
  if (base > last || base + 1023 < first) return;
  const from: usize = base >= first ? 0 : <usize>(first - base);
  const to: usize = base + 1023 <= last ? 1023 : <usize>(last - base);
  for (let i = from; i <= to; i++) {
    const tile = <usize>load<u32>(chunk + (i << 2), CHUNK_TILES);
    if (!tile) continue;
    if (pass == PASS_REPAINT) paintBackground(tile);
    else dropBlocks(process, tile, start, end);
  }
}

/** After a change of the ranges that touch [start, end). */
function repaint(process: usize, start: u64, end: u64): void {
  eachTile(process, start, end, PASS_REPAINT);
}

/** Ends the blocks of the tile that start in [start, end). */
function dropBlocks(process: usize, tile: usize, start: u64, end: u64): void {
  const base = load<u64>(tile, TILE_NUMBER) << TILE_SHIFT;
  if (<u32>load<u8>(tile, TILE_FLAGS) & FILL_BLOCK && base >= start && base < end) freeBlock(process, base);
  const table = <usize>load<u32>(tile, TILE_TABLE);
  if (!table) return;
  const length = tableLength(tile);
  const shift = <u32>load<u8>(tile, TILE_TABLE_SHIFT);
  for (let i: u32 = 0; i < length; i++) {
    if (!(load<u32>(table + (i << 2)) & WORD_START)) continue;
    const address = base + (i << shift);
    if (address >= start && address < end) freeBlock(process, address);
  }
}

/** Ends mappings, and the blocks that start, in [address, address + length). */
export function unmapRange(process: usize, address: u64, length: u64): void {
  const start = address & ADDRESS_MASK;
  const end = start + min(length, ADDRESS_MASK + 1 - start);
  const list = process + PROCESS_LARGE;
  for (let i = rangeSearch(list, start); i < rangeCount(list); ) {
    const r = rangeAt(list, i);
    const from = load<u64>(r, RANGE_START);
    if (from >= end) break;
    const count = rangeCount(list);
    if (from >= start) freeBlock(process, from);
    if (rangeCount(list) == count) i++;
  }
  eachTile(process, start, end, PASS_DROP_BLOCKS);
  rangeRemove(process, process + PROCESS_MAPPINGS, start, end);
  repaint(process, start, end);
}

/** A mapping of `object`, in place of what was mapped there. `image`: the globals in it, or 0. */
export function mapRange(process: usize, address: u64, length: u64, object: u32, image: usize): void {
  const start = address & ADDRESS_MASK;
  const end = start + min(length, ADDRESS_MASK + 1 - start);
  if (start == end) return;
  noteExtent(process, start, end);
  unmapRange(process, start, end - start);
  rangeInsert(process, process + PROCESS_MAPPINGS, start, end, object, <u32>image);
  repaint(process, start, end);
}

/** Moves or resizes a mapping; it keeps its object. */
export function remapRange(process: usize, from: u64, oldLength: u64, to: u64, newLength: u64): void {
  const list = process + PROCESS_MAPPINGS;
  const address = from & ADDRESS_MASK;
  const i = rangeSearch(list, address);
  let object: u32 = 0;
  if (i < rangeCount(list)) {
    const r = rangeAt(list, i);
    if (load<u64>(r, RANGE_START) <= address) object = load<u32>(r, RANGE_OBJECT);
  }
  unmapRange(process, from, oldLength);
  if (object) mapRange(process, to, newLength, object, 0);
  else unmapRange(process, to, newLength);
}

/** The brk heap now ends at `end`: what it grew by belongs to `object`. The first call only learns where it begins. */
export function setBreak(process: usize, end: u64, object: u32): void {
  const old = load<u64>(process, PROCESS_BRK);
  if (old && end > old) mapRange(process, old, end - old, object, 0);
  else if (end < old) unmapRange(process, end, old - end);
  store<u64>(process, end, PROCESS_BRK);
}

/** The stack [low, high) of thread number `thread`. */
export function addStack(process: usize, low: u64, high: u64, thread: u32): void {
  low &= ADDRESS_MASK;
  high &= ADDRESS_MASK;
  if (low >= high) return;
  noteExtent(process, low, high);
  const object = plainObject(KIND_STACK, thread, NONE);
  countBlock(object);
  rangeInsert(process, process + PROCESS_STACKS, low, high, object, 0);
  repaint(process, low, high);
}

export function removeStack(process: usize, low: u64, high: u64): void {
  low &= ADDRESS_MASK;
  high &= ADDRESS_MASK;
  if (low >= high) return;
  rangeRemove(process, process + PROCESS_STACKS, low, high);
  repaint(process, low, high);
}

/**
 * A loaded segment [address, address + length) of module number `module`, with the globals of `image`. Nothing when the
 * segment is known: a forked child may announce again what it inherited.
 */
export function mapModule(process: usize, address: u64, length: u64, module: u32, image: usize): void {
  const object = plainObject(KIND_GLOBAL, module, NONE);
  const list = process + PROCESS_MAPPINGS;
  const i = rangeSearch(list, address);
  if (i < rangeCount(list)) {
    const r = rangeAt(list, i);
    if (load<u64>(r, RANGE_START) == address && load<u32>(r, RANGE_OBJECT) == object) return;
  }
  countBlock(object);
  mapRange(process, address, length, object, image);
}

/** Mapped file number `index` of the process has the run-wide name `name`. */
export function nameFile(process: usize, index: u32, name: u32): void {
  setName(process + PROCESS_FILES, index, name);
}

/** The name that marks call `index` is the run's name number `name`. */
export function nameMark(process: usize, index: u32, name: u32): void {
  setName(process + PROCESS_NAMES, index, name);
}

/** A list of names: u32[] of run-wide numbers + 1, and its length. */
function setName(list: usize, index: u32, name: u32): void {
  const length = load<u32>(list, NAMES_LENGTH);
  if (index >= length) {
    let larger: u32 = length ? length * 2 : 16;
    while (larger <= index) larger *= 2;
    store<u32>(list, <u32>enlarge(load<u32>(list), length << 2, larger << 2));
    store<u32>(list, larger, NAMES_LENGTH);
  }
  store<u32>(<usize>load<u32>(list) + (index << 2), name + 1);
}

function nameIn(list: usize, index: u64): u32 {
  if (index >= load<u32>(list, NAMES_LENGTH)) return NONE;
  return load<u32>(<usize>load<u32>(list) + ((<usize>index) << 2)) - 1;
}

/** Run-wide number of the name that marks of the process call `index`; NONE when it was never told. */
export function markName(process: usize, index: u64): u32 {
  return nameIn(process + PROCESS_NAMES, index);
}

/** Object of mapped file number `index`; files that were never named share one object (name NONE). */
export function fileObject(process: usize, index: u64): u32 {
  return plainObject(KIND_FILE, nameIn(process + PROCESS_FILES, index), NONE);
}

/**
 * From now on the block, else the mapping, that begins at `address` is an object called by the run's name number `name`.
 * Nothing where there is neither.
 */
export function tagMemory(process: usize, address: u64, name: u32): void {
  address &= ADDRESS_MASK;
  const slot = findBlock(process, address);
  if (slot) {
    tagBlock(process, address, load<u64>(slot, SLOT_SIZE), load<u32>(slot, SLOT_OBJECT) - 1, name);
    return;
  }
  const number = address >> TILE_SHIFT;
  const offset = <u32>(address & 4095);
  if (findTile(process, number) || load<u32>(process, PROCESS_PARENT)) {
    const tile = tileToPaint(process, number);
    const bytes = blockBytesAt(tile, offset);
    if (bytes) {
      tagBlock(process, address, bytes, load<u32>(ownerAt(tile, offset), ENTRY_OBJECT), name);
      return;
    }
  }
  tagMapping(process, address, name);
}

function tagBlock(process: usize, address: u64, size: u64, object: u32, name: u32): void {
  freeBlock(process, address);
  uncountBlock(object);
  allocBlock(process, address, size, taggedObject(object, name));
}

/** Modules keep their globals' names. */
function tagMapping(process: usize, address: u64, name: u32): void {
  const list = process + PROCESS_MAPPINGS;
  const i = rangeSearch(list, address);
  if (i == rangeCount(list)) return;
  const r = rangeAt(list, i);
  const start = load<u64>(r, RANGE_START);
  const object = load<u32>(r, RANGE_OBJECT);
  if (start != address || objectKind(object) == KIND_GLOBAL) return;
  const end = load<u64>(r, RANGE_END);
  const tagged = taggedObject(object, name);
  uncountBlock(object);
  countBlock(tagged);
  rangeRemove(process, list, start, end);
  rangeInsert(process, list, start, end, tagged, 0);
  repaint(process, start, end);
}

/** `child` starts as a copy of `parent`: ranges and block table now, the painting tile by tile when either touches it. */
export function forkProcess(parent: usize, child: usize): void {
  if (parent == child || load<u32>(child, PROCESS_PARENT)) return;
  rangesCopy(parent + PROCESS_MAPPINGS, child + PROCESS_MAPPINGS);
  rangesCopy(parent + PROCESS_STACKS, child + PROCESS_STACKS);
  rangesCopy(parent + PROCESS_LARGE, child + PROCESS_LARGE);
  const slots = load<u32>(parent, PROCESS_BLOCK_SLOTS);
  if (slots) {
    const table = allocate(slots * SLOT);
    memory.copy(table, load<u32>(parent, PROCESS_BLOCKS), slots * SLOT);
    store<u32>(child, <u32>table, PROCESS_BLOCKS);
    store<u32>(child, slots, PROCESS_BLOCK_SLOTS);
    store<u32>(child, load<u32>(parent, PROCESS_BLOCK_COUNT), PROCESS_BLOCK_COUNT);
  }
  store<u64>(child, load<u64>(parent, PROCESS_BRK), PROCESS_BRK);
  const files = load<u32>(parent + PROCESS_FILES, NAMES_LENGTH);
  for (let i: u32 = 0; i < files; i++) {
    const name = nameIn(parent + PROCESS_FILES, i);
    if (name != NONE) nameFile(child, i, name);
  }
  copyExtents(parent, child);
  copyLive(parent, child);
  store<u32>(child, <u32>parent, PROCESS_PARENT);
  store<u32>(child, load<u32>(parent, PROCESS_CHILD), PROCESS_SIBLING);
  store<u32>(parent, <u32>child, PROCESS_CHILD);
}

/** The process has ended (exit, exec): nothing of it is alive. Children that still share its painting keep it. */
export function endProcess(process: usize): void {
  store<u32>(process, 1, PROCESS_ENDED);
  clearLive(process);
  rangesClear(process + PROCESS_MAPPINGS);
  rangesClear(process + PROCESS_STACKS);
  rangesClear(process + PROCESS_LARGE);
  release(<usize>load<u32>(process, PROCESS_BLOCKS), load<u32>(process, PROCESS_BLOCK_SLOTS) * SLOT);
  // An exec that fails ends the process in the trace, and another may follow.
  store<u32>(process, 0, PROCESS_BLOCKS);
  store<u32>(process, 0, PROCESS_BLOCK_SLOTS);
  store<u32>(process, 0, PROCESS_BLOCK_COUNT);
  // An ended process without children is taken off its parent, which may make the parent the next such one.
  let p = process;
  while (p && load<u32>(p, PROCESS_ENDED) && !load<u32>(p, PROCESS_CHILD)) {
    const parent = <usize>load<u32>(p, PROCESS_PARENT);
    if (parent) unlinkChild(parent, p);
    releaseTables(p);
    p = parent;
  }
}

function unlinkChild(parent: usize, child: usize): void {
  let link = parent + PROCESS_CHILD;
  while (<usize>load<u32>(link) != child) link = <usize>load<u32>(link) + PROCESS_SIBLING;
  store<u32>(link, load<u32>(child, PROCESS_SIBLING));
  store<u32>(child, 0, PROCESS_PARENT);
}

function releaseTables(process: usize): void {
  for (let chunk = <usize>load<u32>(process, PROCESS_CHUNKS); chunk; chunk = load<u32>(chunk, CHUNK_NEXT)) {
    for (let i: usize = 0; i < 1024; i++) {
      const tile = <usize>load<u32>(chunk + (i << 2), CHUNK_TILES);
      if (!tile) continue;
      const table = <usize>load<u32>(tile, TILE_TABLE);
      if (!table) continue;
      release(table, tableLength(tile) << 2);
      store<u32>(tile, 0, TILE_TABLE);
      store<u8>(tile, 0, TILE_FLAGS);
    }
  }
  invalidateView(process);
}
