/**
 * The batch that the machine's loops (distance.ts, tlb.ts, cache.ts) go over, in the inbox, and the pages by number.
 *
 * A touch is an access to a line, but repeats of the line before it are left out (count.ts): 8 bytes, the line
 * (PageIndex << (pageShift - 6) | line in the page), then pair << 1 | isWrite.
 */
import { OUTSIDE_PRIMARY } from './abi';
import { enlarge } from './arena';

export const TOUCH_SHIFT = 3;
export const TOUCH_PAIR = 4;

export let touches: usize = 0;
export let touchCount: u32 = 0;
/**
 * Accesses whose bytes go on in a second line, in order, 12 bytes each: index of the touch of their first line (which a
 * repeat shares with other accesses), second line, pair << 1 | isWrite.
 */
export let crosses: usize = 0;
export let crossCount: u32 = 0;
/** The same of those whose bytes go on in a second page, with that page. */
export let straddles: usize = 0;
export let straddleCount: u32 = 0;

/**
 * Sampled accesses, in order, 8 bytes each: index of the touch that stands for the access << 1 | 1 if it repeats that
 * touch's line; stream << 1 | isWrite.
 */
export let samples: usize = 0;
export let sampleCount: u32 = 0;

export const SAMPLE_STRIDE = 8;
export const SAMPLE_STREAM = 4;

export const CROSS_STRIDE = 12;
export const CROSS_TO = 4;
export const CROSS_PAIR = 8;

/** Virtual page number of each page (u64[], in units of the page), and how many there are. */
export let pageNumbers: usize = 0;
export let pagesKnown: u32 = 0;
let capacity: u32 = 0;
/** u8[]: whether the page lies outside the primary region (segments.ts). */
let outside: usize = 0;

/** Takes the columns of a batch; `at` is where its touches begin. Returns where the page numbers do. */
export function setTouches(at: usize, count: u32): usize {
  touches = at;
  touchCount = count;
  return at + ((<usize>count) << TOUCH_SHIFT);
}

/** Returns what is behind them. */
export function setCrosses(at: usize, count: u32, straddling: u32): usize {
  crosses = at;
  crossCount = count;
  straddles = at + <usize>count * CROSS_STRIDE;
  straddleCount = straddling;
  return straddles + <usize>straddling * CROSS_STRIDE;
}

/** Returns what is behind them. */
export function setSamples(at: usize, count: u32): usize {
  samples = at;
  sampleCount = count;
  return at + <usize>count * SAMPLE_STRIDE;
}

/** The next pages of the run have these numbers, with OUTSIDE_PRIMARY where it applies. Returns what is behind them. */
export function addPages(numbers: usize, count: u32): usize {
  const bytes = (<usize>count) << 3;
  if (pagesKnown + count > capacity) {
    let larger: u32 = capacity ? capacity * 2 : 4096;
    while (larger < pagesKnown + count) larger *= 2;
    pageNumbers = enlarge(pageNumbers, (<usize>capacity) << 3, (<usize>larger) << 3);
    outside = enlarge(outside, capacity, larger);
    capacity = larger;
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    const number = load<u64>(numbers + (i << 3));
    const page = <usize>pagesKnown + i;
    store<u64>(pageNumbers + (page << 3), number & (((<u64>1) << OUTSIDE_PRIMARY) - 1));
    store<u8>(outside + page, number >> OUTSIDE_PRIMARY);
  }
  pagesKnown += count;
  return numbers + bytes;
}

/** Whether a page belongs to the memory that a program would place in a direct segment: heap and anonymous mappings. */
export function inPrimaryRegion(page: u32): bool {
  return !load<u8>(outside + page);
}
