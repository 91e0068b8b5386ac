/**
 * True LRU over one set of u32 keys, kept in order of use: position 0 was used last, the end is the victim.
 * A key of 0 is an empty way. Sets are short (2 to 72 ways) and are searched and shifted four ways at a time; time
 * stamps would need a scan for the oldest on every miss.
 *
 * Searching and shifting touch the same vectors: a load that spans two earlier stores would wait for both.
 */

/** Byte offset of the way that equals `key` in all bits outside `ignore`, or -1. */
export function lruFind(set: usize, ways: u32, key: u32, ignore: u32): isize {
  const wanted = i32x4.splat(key | ignore);
  const ignored = i32x4.splat(ignore);
  const end = (<usize>ways) << 2;
  let at: usize = 0;
  for (; at + 16 <= end; at += 16) {
    const hits = i32x4.bitmask(i32x4.eq(v128.or(v128.load(set + at), ignored), wanted));
    if (hits) return <isize>(at + ((<usize>ctz(hits)) << 2));
  }
  for (; at < end; at += 4) {
    if ((load<u32>(set + at) | ignore) == (key | ignore)) return <isize>at;
  }
  return -1;
}

/** Puts `key` at the front. The ways before byte offset `at` move down by one, over the way there. */
export function lruMove(set: usize, ways: u32, at: usize, key: u32): void {
  const end = (<usize>ways) << 2;
  let before = i32x4.splat(key);
  let to: usize = 0;
  for (; to + 16 <= end; to += 16) {
    const held = v128.load(set + to);
    const moved = v128.shuffle<i32>(before, held, 3, 4, 5, 6);
    if (at < to + 16) {
      v128.store(set + to, v128.bitselect(moved, held, upTo(<u32>(at - to) >> 2)));
      return;
    }
    v128.store(set + to, moved);
    before = held;
  }
  moveRest(set, to, at, <u32>i32x4.extract_lane(before, 3));
}

/** The lanes 0 .. `lane`. */
function upTo(lane: u32): v128 {
  return i32x4.le_s(i32x4(0, 1, 2, 3), i32x4.splat(lane));
}

/** The ways behind the last whole vector, from `to` to `at`. */
function moveRest(set: usize, to: usize, at: usize, before: u32): void {
  for (; to <= at; to += 4) {
    const held = load<u32>(set + to);
    store<u32>(set + to, before);
    before = held;
  }
}

/** Moves `key` to the front and returns true, or returns false and changes nothing. */
export function lruPromote(set: usize, ways: u32, key: u32): bool {
  const at = lruFind(set, ways, key, 0);
  if (at > 0) lruMove(set, ways, at, key);
  return at >= 0;
}

/** Puts `key` at the front; the last way's key is forgotten. A set without ways takes nothing. */
export function lruInsert(set: usize, ways: u32, key: u32): void {
  if (ways) lruMove(set, ways, (<usize>ways - 1) << 2, key);
}

/** Takes the key that equals `key` in all bits outside `ignore` out of the set: its way is free, behind all others. */
export function lruRemove(set: usize, ways: u32, key: u32, ignore: u32): void {
  const at = lruFind(set, ways, key, ignore);
  if (at < 0) return;
  const last = set + ((<usize>ways - 1) << 2);
  memory.copy(set + at, set + at + 4, last - (set + at));
  store<u32>(last, 0);
}

/** Promotes `key`, or inserts it, in one pass. Returns whether the set held it. The set has at least one way. */
export function lruUse(set: usize, ways: u32, key: u32): bool {
  if (load<u32>(set) == key) return true;
  const wanted = i32x4.splat(key);
  const end = (<usize>ways) << 2;
  let before = wanted;
  let to: usize = 0;
  // Whether the key is found or not, the ways before that place move down.
  for (; to + 16 <= end; to += 16) {
    const held = v128.load(set + to);
    const moved = v128.shuffle<i32>(before, held, 3, 4, 5, 6);
    const hits = i32x4.bitmask(i32x4.eq(held, wanted));
    if (hits) {
      v128.store(set + to, v128.bitselect(moved, held, upTo(<u32>ctz(hits))));
      return true;
    }
    v128.store(set + to, moved);
    before = held;
  }
  let at = to;
  while (at < end && load<u32>(set + at) != key) at += 4;
  moveRest(set, to, at < end ? at : end - 4, <u32>i32x4.extract_lane(before, 3));
  return at < end;
}
