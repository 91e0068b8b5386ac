/**
 * Exact LRU stack distance of every access, in pages, over the whole run (Mattson; mechanisms.md E.5).
 *
 * The distance is the 1-based position of the page in the LRU stack, infinite at its first access. The top of the stack
 * is a short list, so that the usual few pages in turn cost a compare. Pages that fall out of it get a time; the stack
 * below the list is the order of these times: a bitmap with one bit per time that is some page's latest, counted by a
 * Fenwick tree over words of 64 bits. When times run out, they are renumbered without the gaps.
 */
import { allocate, enlarge, release } from './arena';
import { pageShift } from './pages';
import { TOUCH_SHIFT, touchCount, touches } from './touches';

const NONE: u32 = 0xffff_ffff;

/** The most recent pages, newest first; NONE where there is none yet. */
const RECENT: u32 = 8;
const recent: usize = heap.alloc(RECENT * 4);
memory.fill(recent, 0xff, RECENT * 4);

/** Accesses at each distance 1 .. (u64); index 0: first accesses of pages. */
export let histogram: usize = 0;
let histogramLength: u32 = 0;
/** Distances that occur are at most this. */
export let distinct: u32 = 0;

/** Time + 1 of each page below the list; 0: in the list, or never seen. Tag bit SEEN tells these apart. */
let times: usize = 0;
let timesLength: u32 = 0;
const SEEN: u32 = 0x8000_0000;

let slots: u32 = 0;
/** One bit a time; page of each time; Fenwick tree over the words before the open one. */
let bits: usize = 0;
let pages: usize = 0;
let tree: usize = 0;
/** Next time, and the bits set. */
let now: u32 = 0;
let below: u32 = 0;

/** Adds the accesses of the batch; `known` is the number of pages that the run has touched until now. */
export function distanceBatch(n: u32, known: u32): void {
  if (known > timesLength) {
    let larger: u32 = timesLength ? timesLength * 2 : 4096;
    while (larger < known) larger *= 2;
    times = enlarge(times, timesLength << 2, larger << 2);
    timesLength = larger;
    histogram = enlarge(histogram, histogramLength << 3, (<usize>(larger + 2)) << 3);
    histogramLength = larger + 2;
  }
  // The list stays in two registers: written to memory lane by lane, every look-up would wait for the stores.
  let low = v128.load(recent);
  let high = v128.load(recent, 16);
  const zero = i32x4.splat(0);
  let last = load<u32>(recent);
  // Accesses that made no touch of their own are to the page before them.
  let again: u64 = n - touchCount;
  const lineBits = pageShift - 6;
  const end = touches + ((<usize>touchCount) << TOUCH_SHIFT);
  for (let at = touches; at < end; at += 1 << TOUCH_SHIFT) {
    const page = load<u32>(at) >> lineBits;
    if (page == last) {
      again++;
      continue;
    }
    last = page;
    const wanted = i32x4.splat(page);
    let upLow = i32x4.eq(low, wanted);
    let upHigh = i32x4.eq(high, wanted);
    const found = i32x4.bitmask(upLow) | (i32x4.bitmask(upHigh) << 4);
    // The page comes to the front; those before its old place move down by one.
    const movedLow = v128.shuffle<i32>(wanted, low, 0, 4, 5, 6);
    const movedHigh = v128.shuffle<i32>(low, high, 3, 4, 5, 6);
    if (found) {
      count(<u32>ctz(found) + 1);
      // From the one lane that matched to all lanes up to it.
      upHigh = v128.or(upHigh, v128.shuffle<i32>(upHigh, zero, 1, 2, 3, 4));
      upHigh = v128.or(upHigh, v128.shuffle<i32>(upHigh, zero, 2, 3, 4, 5));
      upLow = v128.or(upLow, v128.shuffle<i32>(upHigh, upHigh, 0, 0, 0, 0));
      upLow = v128.or(upLow, v128.shuffle<i32>(upLow, zero, 1, 2, 3, 4));
      upLow = v128.or(upLow, v128.shuffle<i32>(upLow, zero, 2, 3, 4, 5));
      low = v128.bitselect(movedLow, low, upLow);
      high = v128.bitselect(movedHigh, high, upHigh);
      continue;
    }
    const out = <u32>i32x4.extract_lane(high, 3);
    low = movedLow;
    high = movedHigh;
    const slot = times + (page << 2);
    const time = load<u32>(slot);
    if (time) count(RECENT + removeTime((time & ~SEEN) - 1));
    else {
      distinct++;
      count(0);
    }
    store<u32>(slot, SEEN);
    if (out != NONE) appendTime(out);
  }
  v128.store(recent, low);
  v128.store(recent, high, 16);
  if (again) {
    const one = histogram + 8;
    store<u64>(one, load<u64>(one) + again);
  }
}

function count(distance: u32): void {
  const h = histogram + ((<usize>distance) << 3);
  store<u64>(h, load<u64>(h) + 1);
}

/** Forgets a time; returns its 1-based position among the set ones, the newest being 1. */
function removeTime(time: u32): u32 {
  const word = bits + ((time >> 6) << 3);
  const held = load<u64>(word);
  // Set bits before the time: whole words by the tree, then within the word.
  let before = <u32>popcnt<u64>(held & (((<u64>1) << (time & 63)) - 1));
  for (let i = time >> 6; i > 0; i &= i - 1) before += load<u32>(tree + (i << 2));
  store<u64>(word, held & ~((<u64>1) << (time & 63)));
  // The tree holds closed words only; node i covers words i - (i & -i) .. i - 1.
  const closed = now >> 6;
  for (let i = (time >> 6) + 1; i <= closed; i += i & (0 - i))
    store<u32>(tree + (i << 2), load<u32>(tree + (i << 2)) - 1);
  return below-- - before;
}

function appendTime(page: u32): void {
  if (now == slots) renumber();
  const time = now++;
  const word = bits + ((time >> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (time & 63)));
  store<u32>(pages + (time << 2), page);
  store<u32>(times + (page << 2), (time + 1) | SEEN);
  below++;
  if (!(now & 63)) closeWord(now >> 6);
}

/** Word index `node` - 1 is full: makes its node, which covers itself and the nodes below it. */
function closeWord(node: u32): void {
  let sum = <u32>popcnt<u64>(load<u64>(bits + ((node - 1) << 3)));
  const floor = node - (node & (0 - node));
  for (let i = node - 1; i > floor; i &= i - 1) sum += load<u32>(tree + (i << 2));
  store<u32>(tree + (node << 2), sum);
}

/** Packs the times in use to the front, in as many slots as leave three quarters of them free. */
function renumber(): void {
  let larger: u32 = slots ? slots : 1 << 16;
  while (larger < below * 4) larger *= 2;
  const oldBits = bits;
  const oldPages = pages;
  const oldSlots = slots;
  bits = allocate(larger >> 3);
  pages = allocate((<usize>larger) << 2);
  if (larger != slots) {
    release(tree, ((slots >> 6) + 1) << 2);
    tree = allocate(((larger >> 6) + 1) << 2);
  }
  slots = larger;
  now = 0;
  below = 0;
  for (let w: u32 = 0; w < oldSlots >> 6; w++) {
    let word = load<u64>(oldBits + (w << 3));
    while (word) {
      appendTime(load<u32>(oldPages + (((w << 6) + <u32>ctz<u64>(word)) << 2)));
      word &= word - 1;
    }
  }
  release(oldBits, oldSlots >> 3);
  release(oldPages, (<usize>oldSlots) << 2);
}
