/**
 * Sorted lists of disjoint address ranges, each with an object: mappings (modules, files, anonymous memory, the brk
 * heap), thread stacks, and heap blocks too large to be painted tile by tile. A process has one list of each.
 *
 * Arrays with binary search: such ranges number in the hundreds, and a look-up happens once a tile.
 */
import { enlarge } from './arena';
import { growLive, shrinkLive } from './objects';

// List header (in the process record): records, count, capacity.
const COUNT = 4;
const CAPACITY = 8;

// Range record, 32 bytes.
export const RANGE_START = 0;
/** One past the last byte. */
export const RANGE_END = 8;
export const RANGE_OBJECT = 16;
/** The module image whose globals lie in the range (paint.ts), or 0. */
export const RANGE_IMAGE = 20;
const STRIDE = 32;

export function rangeCount(list: usize): u32 {
  return load<u32>(list, COUNT);
}

export function rangeAt(list: usize, index: u32): usize {
  return <usize>load<u32>(list) + index * STRIDE;
}

/** Index of the first range that ends above `address`; `rangeCount` when there is none. */
export function rangeSearch(list: usize, address: u64): u32 {
  let low: u32 = 0;
  let high = load<u32>(list, COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(rangeAt(list, middle), RANGE_END) > address) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Makes room for one range at `index`. */
function open(list: usize, index: u32): usize {
  const count = load<u32>(list, COUNT);
  const capacity = load<u32>(list, CAPACITY);
  if (count == capacity) {
    const larger: u32 = capacity ? capacity * 2 : 16;
    store<u32>(list, <u32>enlarge(load<u32>(list), capacity * STRIDE, larger * STRIDE));
    store<u32>(list, larger, CAPACITY);
  }
  const at = rangeAt(list, index);
  memory.copy(at + STRIDE, at, (count - index) * STRIDE);
  store<u32>(list, count + 1, COUNT);
  return at;
}

function close(list: usize, index: u32): void {
  const count = load<u32>(list, COUNT) - 1;
  const at = rangeAt(list, index);
  memory.copy(at, at + STRIDE, (count - index) * STRIDE);
  store<u32>(list, count, COUNT);
}

/** Takes [start, end) out of every range of the list. */
export function rangeRemove(process: usize, list: usize, start: u64, end: u64): void {
  let i = rangeSearch(list, start);
  while (i < load<u32>(list, COUNT)) {
    const r = rangeAt(list, i);
    const from = load<u64>(r, RANGE_START);
    const to = load<u64>(r, RANGE_END);
    if (from >= end) return;
    const object = load<u32>(r, RANGE_OBJECT);
    shrinkLive(process, object, min(to, end) - max(from, start));
    if (from < start && to > end) {
      const image = load<u32>(r, RANGE_IMAGE);
      store<u64>(r, start, RANGE_END);
      put(open(list, i + 1), end, to, object, image);
      return;
    }
    if (from < start) {
      store<u64>(r, start, RANGE_END);
      i++;
    } else if (to > end) {
      store<u64>(r, end, RANGE_START);
      return;
    } else close(list, i);
  }
}

function put(r: usize, start: u64, end: u64, object: u32, image: u32): void {
  store<u64>(r, start, RANGE_START);
  store<u64>(r, end, RANGE_END);
  store<u32>(r, object, RANGE_OBJECT);
  store<u32>(r, image, RANGE_IMAGE);
}

/** Gives [start, end) to the object, in place of what the list held there. */
export function rangeInsert(process: usize, list: usize, start: u64, end: u64, object: u32, image: u32): void {
  if (start >= end) return;
  rangeRemove(process, list, start, end);
  put(open(list, rangeSearch(list, start)), start, end, object, image);
  growLive(process, object, end - start);
}

/** Copies a list into the empty list `to` (a fork). */
export function rangesCopy(from: usize, to: usize): void {
  const count = load<u32>(from, COUNT);
  const capacity = load<u32>(from, CAPACITY);
  if (!count) return;
  const copy = enlarge(0, 0, capacity * STRIDE);
  memory.copy(copy, load<u32>(from), count * STRIDE);
  store<u32>(to, <u32>copy);
  store<u32>(to, count, COUNT);
  store<u32>(to, capacity, CAPACITY);
}

/** Empties the list without counting bytes (the process is gone). */
export function rangesClear(list: usize): void {
  store<u32>(list, 0, COUNT);
}
