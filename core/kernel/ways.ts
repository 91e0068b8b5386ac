/**
 * True LRU over one set of tagged ways that stay where they are: an *age* for each way, 0 for the one used last, says
 * the order of use. A use changes one vector of ages and nothing else, so a set of any size costs about the same; the
 * lists of lru.ts, which move keys, are cheaper only for a few ways.
 *
 * A set is: u8 ages, in blocks of 16; u32 tags and u32 values (the owner's business), in blocks of 8. Padding ways have
 * age 255 and a tag that nothing has, so that they are never found, never aged and never the oldest. Ways are named by
 * their byte offset among the tags. At most 254 ways.
 */

const NO_TAG: u32 = 0xffff_ffff;
const PADDING_AGE: u8 = 255;

/** Bytes of a set's ages, which are also the offset of its tags. */
export function ageBytes(ways: u32): usize {
  return (<usize>ways + 15) & ~15;
}

/** Bytes of a set's tags: the offset of its values behind the tags. */
export function tagBytes(ways: u32): usize {
  return ((<usize>ways + 7) & ~7) << 2;
}

export function setBytes(ways: u32): usize {
  return ageBytes(ways) + (tagBytes(ways) << 1);
}

/** Empties `sets` sets: tags and values 0. */
export function emptySets(start: usize, sets: u32, ways: u32): void {
  const ages = ageBytes(ways);
  const tags = tagBytes(ways);
  let set = start;
  for (let s: u32 = 0; s < sets; s++) {
    for (let way: usize = 0; way < ages; way++) store<u8>(set + way, way < <usize>ways ? <u8>way : PADDING_AGE);
    for (let at: usize = 0; at < tags; at += 4) {
      store<u32>(set + ages + at, at < (<usize>ways) << 2 ? 0 : NO_TAG);
      store<u32>(set + ages + tags + at, 0);
    }
    set += ages + (tags << 1);
  }
}

/** What is done to one set; compiled into its callers, which call it for almost every miss. */
export class Ways {
  /** The way that holds `tag`, or -1. `tags` is the address of the set's tags, `bytes` their length. */
  @inline
  static find(tags: usize, bytes: usize, tag: u32): isize {
    const wanted = i32x4.splat(tag);
    for (let at: usize = 0; at < bytes; at += 32) {
      const low = i32x4.eq(v128.load(tags + at), wanted);
      const high = i32x4.eq(v128.load(tags + at, 16), wanted);
      const hits = i16x8.bitmask(i16x8.narrow_i32x4_s(low, high));
      if (hits) return <isize>(at + ((<usize>ctz(hits)) << 2));
    }
    return -1;
  }

  /** The way was used: it becomes the youngest, those that were younger age by one. */
  @inline
  static use(set: usize, ages: usize, way: usize): void {
    const index = way >> 2;
    const age = i8x16.splat(<i8>load<u8>(set + index));
    // Whole vectors are stored: a byte stored alone would make the next load of the vector wait.
    for (let at: usize = 0; at < ages; at += 16) {
      const held = v128.load(set + at);
      const aged = i8x16.sub(held, i8x16.lt_u(held, age));
      const self = i8x16.eq(
        i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
        i8x16.splat(<i8>(index - at < 16 ? index - at : 16)),
      );
      v128.store(set + at, v128.andnot(aged, self));
    }
  }

  /** The way of this age, 0 to ways - 1. */
  @inline
  static ofAge(set: usize, ages: usize, age: u32): usize {
    const wanted = i8x16.splat(<i8>age);
    let at: usize = 0;
    let hits: i32 = 0;
    for (; at < ages; at += 16) {
      hits = i8x16.bitmask(i8x16.eq(v128.load(set + at), wanted));
      if (hits) break;
    }
    return (at + <usize>ctz(hits)) << 2;
  }
}
