/**
 * True LRU over one set of u32 keys, kept in order of use: position 0 was used last, the end is the victim.
 * A key of 0 is an empty way. Sets are short (2 to 72 ways) and are searched and shifted four ways at a time; time
 * stamps would need a scan for the oldest on every miss.
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

/** Moves the ways before byte offset `at` one way down, over the way there. The front is then free to be stored. */
export function lruShift(set: usize, at: usize): void {
  let to = at;
  for (; to >= 16; to -= 16) v128.store(set + to - 12, v128.load(set + to - 16));
  for (; to > 0; to -= 4) store<u32>(set + to, load<u32>(set + to - 4));
}

/** Moves `key` to the front and returns true, or returns false and changes nothing. */
export function lruPromote(set: usize, ways: u32, key: u32): bool {
  const at = lruFind(set, ways, key, 0);
  if (at < 0) return false;
  lruShift(set, at);
  store<u32>(set, key);
  return true;
}

/** Puts `key` at the front; the last way's key is forgotten. A set without ways takes nothing. */
export function lruInsert(set: usize, ways: u32, key: u32): void {
  if (ways == 0) return;
  lruShift(set, (<usize>ways - 1) << 2);
  store<u32>(set, key);
}
