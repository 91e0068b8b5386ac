/**
 * What a process ever had mapped: disjoint page ranges, ascending, that only grow together. A heap block counts as
 * mapped, since the library takes its arenas from the kernel unseen. For the pattern metrics (runs and gaps of touched
 * pages within a mapping), which must know a hole in a mapping from the space between two.
 */
import { enlarge } from './arena';
import { ADDRESS_MASK, PROCESS_EXTENTS, processRecord, TILE_SHIFT } from './pages';

// List in the process record.
const COUNT = 4;
const CAPACITY = 8;
/** Record: first page and one past the last, of 4 KiB. */
const STRIDE = 16;
const END = 8;

/** Bytes [start, end) of the process are mapped, or are a block. */
export function noteExtent(process: usize, start: u64, end: u64): void {
  if (start >= end) return;
  const first = start >> TILE_SHIFT;
  const last = ((min(end, ADDRESS_MASK + 1) - 1) >> TILE_SHIFT) + 1;
  const list = process + PROCESS_EXTENTS;
  const i = search(list, first);
  const count = load<u32>(list, COUNT);
  if (i < count) {
    const r = at(list, i);
    const from = load<u64>(r);
    if (from <= first && last <= load<u64>(r, END)) return;
    if (from <= last) {
      store<u64>(r, min(from, first));
      store<u64>(r, max(load<u64>(r, END), last), END);
      join(list, i);
      return;
    }
  }
  const capacity = load<u32>(list, CAPACITY);
  if (count == capacity) {
    const larger: u32 = capacity ? capacity * 2 : 16;
    store<u32>(list, <u32>enlarge(load<u32>(list), capacity * STRIDE, larger * STRIDE));
    store<u32>(list, larger, CAPACITY);
  }
  const r = at(list, i);
  memory.copy(r + STRIDE, r, (count - i) * STRIDE);
  store<u64>(r, first);
  store<u64>(r, last, END);
  store<u32>(list, count + 1, COUNT);
}

/** A forked child has what its parent has. */
export function copyExtents(parent: usize, child: usize): void {
  const list = parent + PROCESS_EXTENTS;
  for (let i: u32 = 0; i < load<u32>(list, COUNT); i++) {
    const r = at(list, i);
    noteExtent(child, load<u64>(r) << TILE_SHIFT, load<u64>(r, END) << TILE_SHIFT);
  }
}

/** For the host: how many extents process number `process` has, and where they are (u64 pairs). */
export function extentCount(process: u32): u32 {
  return load<u32>(processRecord(process) + PROCESS_EXTENTS, COUNT);
}
export function extentsOf(process: u32): usize {
  return <usize>load<u32>(processRecord(process) + PROCESS_EXTENTS);
}

function at(list: usize, index: u32): usize {
  return <usize>load<u32>(list) + index * STRIDE;
}

/** First extent that ends at or above `first`: the one that [first, ...) may grow. */
function search(list: usize, first: u64): u32 {
  let low: u32 = 0;
  let high = load<u32>(list, COUNT);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(at(list, middle), END) >= first) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Takes the extents behind number `i` that it has come to touch into it. */
function join(list: usize, i: u32): void {
  const r = at(list, i);
  const count = load<u32>(list, COUNT);
  let next = i + 1;
  for (; next < count && load<u64>(at(list, next)) <= load<u64>(r, END); next++)
    store<u64>(r, max(load<u64>(r, END), load<u64>(at(list, next), END)), END);
  if (next == i + 1) return;
  memory.copy(r + STRIDE, at(list, next), (count - next) * STRIDE);
  store<u32>(list, count - (next - i - 1), COUNT);
}
