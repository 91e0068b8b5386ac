/**
 * The escape filter of direct segments: a Bloom filter of 256 bits with four H3 hash functions, of the pages inside a
 * segment that paging translates all the same, since their host page is bad (mechanisms.md, F.3). The hardware looks
 * pages up at each walk; a false positive costs a nested walk and nothing else.
 *
 * Which host pages are bad is not known from a trace. Those of the guest-physical pages 1, 2, 4, 8, ... are taken: as many as the
 * parameter says, at any size of program, and the same in every run.
 */
import { badPages } from './config';

const HASHES: usize = 4;
const KEY_BITS: usize = 32;
/** H3: one random byte for each bit of the key and each function. A hash is the XOR of those whose bit is set. */
const rows: usize = heap.alloc(HASHES * KEY_BITS);
/** 256 bits. */
const filter: usize = heap.alloc(32);

export function escapeStart(): void {
  memory.fill(filter, 0, 32);
  // xorshift32 from a fixed seed.
  let x: u32 = 0x9e37_79b9;
  for (let i: usize = 0; i < HASHES * KEY_BITS; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    store<u8>(rows + i, x >> 24);
  }
  for (let i: u32 = 0; i < badPages; i++) insert(1 << i);
}

function hash(page: u32, which: usize): u32 {
  let h: u32 = 0;
  const row = rows + which * KEY_BITS;
  for (let rest = page; rest; rest &= rest - 1) h ^= load<u8>(row + <usize>ctz(rest));
  return h;
}

function insert(page: u32): void {
  for (let i: usize = 0; i < HASHES; i++) {
    const h = hash(page, i);
    const at = filter + ((<usize>(h >> 5)) << 2);
    store<u32>(at, load<u32>(at) | (1 << (h & 31)));
  }
}

/** Whether the filter holds the guest-physical page (its number), truly or falsely. */
export function escapes(page: u32): bool {
  for (let i: usize = 0; i < HASHES; i++) {
    const h = hash(page, i);
    if (!((load<u32>(filter + ((<usize>(h >> 5)) << 2)) >> (h & 31)) & 1)) return false;
  }
  return true;
}
