/**
 * Third loop over a batch: the data caches, which leave of the accesses the *traffic* (design, section 2).
 *
 * L1D and L2 are private to a vCPU, the last-level cache (LLC) is shared. All are set-associative, true LRU,
 * write-back, write-allocate, physically indexed (a page's host frame is its PageIndex, see tables.ts). A miss fills
 * every level; levels do not force lines out of each other. A dirty victim goes to the next level: into the line if it
 * is there (its place in the LRU order stays), else as a new line. There is no prefetcher and no coherence: a line
 * that two vCPUs write is two copies, each written back.
 *
 * A line filled from memory is read traffic of the pair (site, object) and page that missed. A dirty line that leaves
 * the LLC is write traffic of the pair that last wrote it; that pair travels with the line. Lines still dirty in a
 * cache at the end of the run are no traffic.
 *
 * A set's tags are line + 1 (0: empty), its values the last writers, pair + 1 (0: clean); see ways.ts. In front of L1D
 * stand, for each of its sets, the tag used last and where its writer is: most accesses need no more.
 */

import {
  C_CACHE_ACCESSES,
  C_FILLS,
  C_L2_HITS,
  C_LLC_HITS,
  C_WRITE_BACKS,
  SERVED_L1,
  SERVED_L2,
  SERVED_LLC,
  SERVED_MEMORY,
} from './abi-machine';
import { allocate } from './arena';
import { add, l1dSets, l1dWays, l2Sets, l2Ways, llcSets, llcWays } from './config';
import { sampledLevel, sampleServed } from './samplers';
import { pushWords } from './streams';
import {
  CROSS_PAIR,
  CROSS_STRIDE,
  CROSS_TO,
  crossCount,
  crosses,
  SAMPLE_STREAM,
  SAMPLE_STRIDE,
  sampleCount,
  samples,
  TOUCH_PAIR,
  TOUCH_SHIFT,
  touchCount,
  touches,
} from './touches';
import { serveLine } from './traffic';
import { V_L1D, V_L1D_FRONT, V_L2, V_NUMBER, vcpuRecord } from './vcpu';
import { ageBytes, emptySets, setBytes, tagBytes, Ways } from './ways';

let llc: usize = 0;
// Shapes of the sets: bytes of the ages, of the tags, of all.
let ages1: usize = 0;
let tags1: usize = 0;
let bytes1: usize = 0;
let ages2: usize = 0;
let tags2: usize = 0;
let bytes2: usize = 0;
let ages3: usize = 0;
let tags3: usize = 0;
let bytes3: usize = 0;

export function cachesStart(): void {
  ages1 = ageBytes(l1dWays);
  tags1 = tagBytes(l1dWays);
  bytes1 = setBytes(l1dWays);
  ages2 = ageBytes(l2Ways);
  tags2 = tagBytes(l2Ways);
  bytes2 = setBytes(l2Ways);
  ages3 = ageBytes(llcWays);
  tags3 = tagBytes(llcWays);
  bytes3 = setBytes(llcWays);
  llc = allocate(<usize>llcSets * bytes3);
  emptySets(llc, llcSets, llcWays);
}

/** The touches of the batch; `n` accesses stand behind them. */
export function cacheLines(vcpu: u32, n: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const front = <usize>load<u32>(record, V_L1D_FRONT);
  const lastTouch = touches + ((<usize>touchCount) << TOUCH_SHIFT);
  const lastCross = crosses + <usize>crossCount * CROSS_STRIDE;
  const lastSample = samples + <usize>sampleCount * SAMPLE_STRIDE;
  let cross = crosses;
  let sample = samples;
  /** What served the touch that was sampled last. */
  let level: u32 = SERVED_L1;
  let at = touches;
  while (true) {
    const more = cross < lastCross;
    const end = more ? touches + ((<usize>load<u32>(cross) + 1) << TOUCH_SHIFT) : lastTouch;
    for (; sample < lastSample; sample += SAMPLE_STRIDE) {
      const index = load<u32>(sample);
      const touch = touches + ((<usize>(index >> 1)) << TOUCH_SHIFT);
      if (touch >= end) break;
      if (touch >= at) {
        cacheTouches(record, front, at, touch);
        at = touch + (1 << TOUCH_SHIFT);
        served = SERVED_L1;
        cacheTouches(record, front, touch, at);
        level = served;
      }
      // A repeat of the touch's line is served by the first level.
      const by = index & 1 ? SERVED_L1 : level;
      const stream = load<u32>(sample, SAMPLE_STREAM);
      pushWords(stream >> 1, load<u32>(touch), (vcpu << 3) | (by << 1) | (stream & 1));
    }
    cacheTouches(record, front, at, end);
    at = end;
    if (!more) break;
    // The access goes on into the next line, which may lie in another page.
    const line = load<u32>(cross, CROSS_TO);
    access(record, front + ((<usize>(line & (l1dSets - 1))) << 3), line, load<u32>(cross, CROSS_PAIR));
    cross += CROSS_STRIDE;
  }
  add(C_CACHE_ACCESSES, n + crossCount);
}

/** The touches from `at` up to `end`. */
function cacheTouches(record: usize, front: usize, at: usize, end: usize): void {
  const mask = l1dSets - 1;
  for (; at < end; at += 1 << TOUCH_SHIFT) {
    const line = load<u32>(at);
    const pair = load<u32>(at, TOUCH_PAIR);
    const first = front + ((<usize>(line & mask)) << 3);
    if (load<u32>(first) == line + 1) {
      if (pair & 1) store<u32>(<usize>load<u32>(first, 4), (pair >> 1) + 1);
    } else access(record, first, line, pair);
  }
}

/** What served the last access that the first level did not (SERVED_*). */
let served: u32 = SERVED_L1;

/** One line's access, `first` being its set's place in front of L1D. `pair` is pair index << 1 | isWrite. */
function access(record: usize, first: usize, line: u32, pair: u32): void {
  const tag = line + 1;
  const writer = pair & 1 ? (pair >> 1) + 1 : 0;
  const set = <usize>load<u32>(record, V_L1D) + <usize>(line & (l1dSets - 1)) * bytes1;
  let way = Ways.find(set + ages1, tags1, tag);
  if (way >= 0) {
    Ways.use(set, ages1, way);
    const writers = set + ages1 + tags1 + way;
    store<u32>(first, tag);
    store<u32>(first, <u32>writers, 4);
    if (writer) store<u32>(writers, writer);
    return;
  }
  const set2 = l2Set(record, line);
  way = Ways.find(set2 + ages2, tags2, tag);
  if (way >= 0) {
    Ways.use(set2, ages2, way);
    add(C_L2_HITS, 1);
    served = SERVED_L2;
  } else {
    const set3 = llcSet(line);
    way = Ways.find(set3 + ages3, tags3, tag);
    if (way >= 0) {
      Ways.use(set3, ages3, way);
      add(C_LLC_HITS, 1);
      served = SERVED_LLC;
    } else {
      add(C_FILLS, 1);
      served = SERVED_MEMORY;
      serveLine(pair >> 1, line, 0);
      insert(set3, ages3, tags3, llcWays, tag, 0);
      if (victimWriter) toMemory();
    }
    insert(set2, ages2, tags2, l2Ways, tag, 0);
    if (victimWriter) toLlc();
  }
  if (served >= sampledLevel) sampleServed(line, load<u32>(record, V_NUMBER), served, pair & 1);
  const writers = insert(set, ages1, tags1, l1dWays, tag, writer);
  store<u32>(first, tag);
  store<u32>(first, <u32>writers, 4);
  if (victimWriter) toL2(record);
}

/** The dirty victim left L1D. */
function toL2(record: usize): void {
  const set = l2Set(record, victimTag - 1);
  const way = Ways.find(set + ages2, tags2, victimTag);
  if (way >= 0) {
    store<u32>(set + ages2 + tags2 + way, victimWriter);
    return;
  }
  insert(set, ages2, tags2, l2Ways, victimTag, victimWriter);
  if (victimWriter) toLlc();
}

/** The dirty victim left L2. */
function toLlc(): void {
  const set = llcSet(victimTag - 1);
  const way = Ways.find(set + ages3, tags3, victimTag);
  if (way >= 0) {
    store<u32>(set + ages3 + tags3 + way, victimWriter);
    return;
  }
  insert(set, ages3, tags3, llcWays, victimTag, victimWriter);
  if (victimWriter) toMemory();
}

/** The dirty victim left the LLC. */
function toMemory(): void {
  add(C_WRITE_BACKS, 1);
  serveLine(victimWriter - 1, victimTag - 1, 1);
}

/** Empties the private caches of a new vCPU. */
export function emptyCaches(record: usize): void {
  emptySets(<usize>load<u32>(record, V_L1D), l1dSets, l1dWays);
  emptySets(<usize>load<u32>(record, V_L2), l2Sets, l2Ways);
}

/** The private caches of a vCPU that ends: what is dirty goes to the LLC, set by set, the most recent first. */
export function flushCaches(vcpu: u32): void {
  const record = vcpuRecord(vcpu);
  if (record == 0) return;
  const l1 = <usize>load<u32>(record, V_L1D);
  for (let i: u32 = 0; i < l1dSets * l1dWays; i++) {
    if (take(l1 + <usize>(i / l1dWays) * bytes1, ages1, tags1, i % l1dWays)) toL2(record);
  }
  const l2 = <usize>load<u32>(record, V_L2);
  for (let i: u32 = 0; i < l2Sets * l2Ways; i++) {
    if (take(l2 + <usize>(i / l2Ways) * bytes2, ages2, tags2, i % l2Ways)) toLlc();
  }
}

function l2Set(record: usize, line: u32): usize {
  return <usize>load<u32>(record, V_L2) + <usize>(line & (l2Sets - 1)) * bytes2;
}

function llcSet(line: u32): usize {
  return llc + <usize>(line % llcSets) * bytes3;
}

/** The line that `insert` or `take` removed; no writer: it was clean, or the way empty. */
let victimTag: u32 = 0;
let victimWriter: u32 = 0;

/** Puts a line in the place of the least recently used one, which becomes the victim. Returns where its writer is. */
function insert(set: usize, ages: usize, tags: usize, ways: u32, tag: u32, writer: u32): usize {
  const way = Ways.ofAge(set, ages, ways - 1);
  const at = set + ages + way;
  const writers = at + tags;
  victimTag = load<u32>(at);
  victimWriter = load<u32>(writers);
  store<u32>(at, tag);
  store<u32>(writers, writer);
  Ways.use(set, ages, way);
  return writers;
}

/** Removes the line of this age as the victim. Returns whether it was dirty. */
function take(set: usize, ages: usize, tags: usize, age: u32): bool {
  const at = set + ages + Ways.ofAge(set, ages, age);
  victimTag = load<u32>(at);
  victimWriter = load<u32>(at + tags);
  store<u32>(at, 0);
  store<u32>(at + tags, 0);
  return victimWriter != 0;
}
