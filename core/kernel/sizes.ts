/**
 * Which pages are large. Page tables of one dimension may map pages of several sizes: of every hundred aligned ranges of
 * 2 MiB, or of 1 GiB, so many are mapped by one page of that size and the others by the dimension's smallest. Which ones
 * follows from the range's number alone, spread evenly by Fibonacci hashing (Knuth, The Art of Computer Programming,
 * vol. 3, 6.4), so that a range has one size for the whole run, also when it is unmapped and mapped again.
 */
import { eptLeaf, eptShare1g, eptShare2m, guestLeaf, guestShare1g, guestShare2m } from './config';

/** Level of the guest's entry that maps an address: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB. */
export function guestLeafOf(address: u64): u32 {
  return leafOf(address >> 12, guestLeaf, guestShare2m, guestShare1g);
}

/** The same of the EPT's entry that maps a guest frame of 4 KiB. */
export function eptLeafOf(frame: u64): u32 {
  return leafOf(frame, eptLeaf, eptShare2m, eptShare1g);
}

/** log2 of the bytes that an entry of a level maps. */
export function levelShift(level: u32): u32 {
  return 12 + 9 * (level - 1);
}

function leafOf(number: u64, smallest: u32, share2m: u32, share1g: u32): u32 {
  if (smallest < 3 && chosen(<u32>(number >> 18), share1g)) return 3;
  if (smallest < 2 && chosen(<u32>(number >> 9), share2m)) return 2;
  return smallest;
}

function chosen(range: u32, percent: u32): bool {
  const hash = ((range + 1) * 0x9e37_79b1) >> 16;
  return (hash * 100) >> 16 < percent;
}
