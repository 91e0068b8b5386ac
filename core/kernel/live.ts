/**
 * The log of live bytes: of which object how many came alive and died, in order.
 *
 * Attribution makes one row of the objects whose stacks resolve to the same source lines (a call in an unrolled loop, a
 * duplicated branch). The most bytes that such a group had alive at once does not follow from its members' own peaks;
 * it follows from this log, for any grouping made later.
 *
 * Changes of one object that follow each other are one step up to their highest point and one on to where they end:
 * nothing else in a group changes meanwhile, so the group's peak is the same. A program that allocates and frees at one
 * site for hours takes two entries.
 */
import { take } from './arena';

/**
 * Entries, 8 bytes each: object, then the change in bytes as i32, or in MiB where `IN_MIB` is set in the object. 16 MiB
 * of memory at most; a run with more says that its sums are bounds.
 */
const ENTRIES: u32 = 1 << 21;
const CHUNK_SHIFT: u32 = 16;
const ENTRY_BYTES = 8;
const CHANGE = 4;
const IN_MIB: u32 = 0x8000_0000;
const MIB: i64 = 1 << 20;

const chunks: usize = heap.alloc((ENTRIES >> CHUNK_SHIFT) * 4);
memory.fill(chunks, 0, (ENTRIES >> CHUNK_SHIFT) * 4);
export let liveLogCount: u32 = 0;
/** Entries were lost: there were too many. */
export let liveLogFull: bool = false;

/** The object that changes now; its bytes relative to where this began, and the highest of them (0 or more). */
let current: u32 = 0;
let level: i64 = 0;
let highest: i64 = 0;

export function logLive(object: u32, change: i64): void {
  if (object != current) {
    endStep();
    current = object;
  }
  level += change;
  if (level > highest) highest = level;
}

function endStep(): void {
  if (highest) append(current, highest);
  if (level != highest) append(current, level - highest);
  level = 0;
  highest = 0;
}

/** A change too large for an i32 takes two entries, both of its sign, so that no level between them is a new peak. */
function append(object: u32, change: i64): void {
  if (<i64>(<i32>change) != change) {
    put(object | IN_MIB, <i32>(change / MIB));
    change %= MIB;
    if (!change) return;
  }
  put(object, <i32>change);
}

function put(object: u32, change: i32): void {
  if (liveLogCount == ENTRIES) {
    liveLogFull = true;
    return;
  }
  const chunk = chunks + ((liveLogCount >> CHUNK_SHIFT) << 2);
  if (!load<u32>(chunk)) store<u32>(chunk, <u32>take((<usize>ENTRY_BYTES) << CHUNK_SHIFT));
  const entry = liveLogEntry(liveLogCount++);
  store<u32>(entry, object);
  store<i32>(entry, change, CHANGE);
}

/** Entries are contiguous within chunks of 1 << CHUNK_SHIFT. */
export function liveLogEntry(index: u32): usize {
  const chunk = <usize>load<u32>(chunks + ((index >> CHUNK_SHIFT) << 2));
  return chunk + (index & ((1 << CHUNK_SHIFT) - 1)) * ENTRY_BYTES;
}

/** Puts what is not yet logged into the log. After the last event of the run. */
export function liveLogEnd(): void {
  endStep();
}
