/**
 * True LRU over one set of u32 keys, kept in order of use: position 0 was used last, the end is the victim.
 * A key of 0 is an empty way. Sets are short (2 to 72 ways) and hits sit near the front, so order by shifting is
 * cheaper than time stamps, which need a scan for the oldest on every miss.
 */

/** Moves `key` to the front and returns true, or returns false and changes nothing. */
export function lruPromote(set: usize, ways: u32, key: u32): bool {
  if (ways == 0) return false;
  if (load<u32>(set) == key) return true;
  for (let at: usize = 4, end = (<usize>ways) << 2; at < end; at += 4) {
    if (load<u32>(set + at) != key) continue;
    lruShift(set, at);
    store<u32>(set, key);
    return true;
  }
  return false;
}

/** Puts `key` at the front; the last way's key is forgotten. */
export function lruInsert(set: usize, ways: u32, key: u32): void {
  if (ways == 0) return;
  lruShift(set, (<usize>ways - 1) << 2);
  store<u32>(set, key);
}

/** Moves the entries before byte offset `at` one way down, over the entry there. */
export function lruShift(set: usize, at: usize): void {
  for (let to = set + at; to > set; to -= 4) store<u32>(to, load<u32>(to - 4));
}
