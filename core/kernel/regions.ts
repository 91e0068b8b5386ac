/**
 * Regions and phases: what a program calls stretches of its own run (pagelens.h).
 *
 * A region is of one thread, and regions nest. A phase is of a process, and lies around its threads' regions. Together
 * they make a tree of *nodes*, as call paths do; what a thread does counts in the node that it is in, by a context of the
 * node's own (contexts.ts). A name that is open already makes no node below itself: recursion would have no end.
 *
 * Each node knows the pages that were touched in it, and the longer stretches of each name are kept, for those who want
 * to look at one alone.
 */
import { take } from './arena';
import { decoderEnters } from './decode';
import { straddleCount, straddlePage } from './outbox';
import { pageShift } from './pages';
import { addToSet, unionAddRecord } from './pairs';

// Node, 64 bytes: its parent, its key (name << 1 | is a phase), how often it was entered (u64). Its set of pages lies
// where a site has it (pairs.ts).
const NODE_STRIDE = 64;
const NODE_KEY = 4;
const NODE_TIMES = 8;
/** Number 0 is outside all. More nodes than this count in their parents. */
const NODES_MAX: u32 = 4096;
let nodes: usize = 0;
export let regionCount: u32 = 1;

/** u32[4] of a node: parent, key, times it was entered (u64). */
export function regionRecord(node: u32): usize {
  if (!nodes) nodes = take(NODES_MAX * NODE_STRIDE);
  return nodes + node * NODE_STRIDE;
}

/** The node of `key` in `node`: itself where the name is open already, or there is no room. */
function nodeBelow(node: u32, key: u32): u32 {
  for (let at = node; at; at = load<u32>(regionRecord(at)))
    if (load<u32>(regionRecord(at), NODE_KEY) == key) return node;
  for (let other: u32 = 1; other < regionCount; other++) {
    const record = regionRecord(other);
    if (load<u32>(record) == node && load<u32>(record, NODE_KEY) == key) return other;
  }
  if (regionCount == NODES_MAX) return node;
  const record = regionRecord(regionCount);
  store<u32>(record, node);
  store<u32>(record, key, NODE_KEY);
  return regionCount++;
}

function entered(node: u32): void {
  const record = regionRecord(node);
  store<u64>(record, load<u64>(record, NODE_TIMES) + 1, NODE_TIMES);
}

// Stretch, 24 bytes: its key, and the accesses of the run at its begin and end (u64).
const STRETCH = 24;
const STRETCH_FROM = 8;
const STRETCH_TO = 16;
const STRETCHES_MAX: u32 = 8192;
/** One of fewer than a fiftieth of the accesses is no phase that anyone looks at alone (hotness/phases.ts). */
const LEAST_PART: u64 = 50;
let stretches: usize = 0;
export let stretchCount: u32 = 0;
/** 1: some were left out for want of room. */
export let stretchesFull: u32 = 0;

/** A stretch: key (u32), then begin and end in accesses of the run (u64). */
export function stretchRecord(index: u32): usize {
  if (!stretches) stretches = take(STRETCHES_MAX * STRETCH);
  return stretches + index * STRETCH;
}

function addStretch(key: u32, from: u64, to: u64): void {
  if (from == to) return;
  if (stretchCount == STRETCHES_MAX) dropShort(to / LEAST_PART);
  if (stretchCount == STRETCHES_MAX) {
    stretchesFull = 1;
    return;
  }
  const s = stretchRecord(stretchCount++);
  store<u32>(s, key);
  store<u64>(s, from, STRETCH_FROM);
  store<u64>(s, to, STRETCH_TO);
}

function dropShort(least: u64): void {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < stretchCount; i++) {
    const s = stretchRecord(i);
    if (load<u64>(s, STRETCH_TO) - load<u64>(s, STRETCH_FROM) < least) continue;
    memory.copy(stretchRecord(kept++), s, STRETCH);
  }
  stretchCount = kept;
}

// What is open. Of a process: its phase. Of a thread: regions, innermost last. Both are lists through their first word.
const OPEN_NEXT = 0;
// Phase: its node and key, since when.
const PHASE_NODE = 4;
const PHASE_KEY = 8;
const PHASE_FROM = 16;
const PHASE_BYTES = 24;
let phases: usize = 0;
// Regions of a thread: how many, the node of the phase that they were found in, the node of the innermost; then of each
// its key, the node around it, and since when (u64).
const OPEN_COUNT = 4;
const OPEN_PHASE = 8;
const OPEN_NODE = 12;
const OPEN_FIRST = 16;
const ENTRY_SHIFT = 4;
const ENTRY_AROUND = 4;
const ENTRY_FROM = 8;
/** Regions that a thread has open at once; deeper ones are not told apart from the last. */
const OPEN_MAX: u32 = 256;
let threads: usize = 0;

/** What a thread has open, made with its first mark. */
export function openRegions(): usize {
  const open = take(OPEN_FIRST + (OPEN_MAX << ENTRY_SHIFT));
  store<u32>(open, <u32>threads, OPEN_NEXT);
  threads = open;
  return open;
}

function entry(open: usize, index: u32): usize {
  return open + OPEN_FIRST + (index << ENTRY_SHIFT);
}

/** The process is in the phase `name`. `phase`: its phase before, 0 for none. Returns what it is in now. */
export function beginPhase(phase: usize, name: u32, now: u64): usize {
  if (!phase) {
    phase = take(PHASE_BYTES);
    store<u32>(phase, <u32>phases, OPEN_NEXT);
    phases = phase;
  } else addStretch(load<u32>(phase, PHASE_KEY), load<u64>(phase, PHASE_FROM), now);
  const key = (name << 1) | 1;
  const node = nodeBelow(0, key);
  entered(node);
  store<u32>(phase, node, PHASE_NODE);
  store<u32>(phase, key, PHASE_KEY);
  store<u64>(phase, now, PHASE_FROM);
  return phase;
}

export function beginRegion(open: usize, name: u32, now: u64): void {
  const count = load<u32>(open, OPEN_COUNT);
  if (count == OPEN_MAX) return;
  const key = name << 1;
  const around = load<u32>(open, OPEN_NODE);
  const node = nodeBelow(around, key);
  if (node != around) entered(node);
  const e = entry(open, count);
  store<u32>(e, key);
  store<u32>(e, around, ENTRY_AROUND);
  store<u64>(e, now, ENTRY_FROM);
  store<u32>(open, count + 1, OPEN_COUNT);
  store<u32>(open, node, OPEN_NODE);
}

/** Ends the innermost region of this name, and those that were left open in it; nothing when none is open. */
export function endRegion(open: usize, name: u32, now: u64): void {
  let at = load<u32>(open, OPEN_COUNT);
  while (at && load<u32>(entry(open, at - 1)) != name << 1) at--;
  if (at) closeFrom(open, at - 1, now);
}

function closeFrom(open: usize, first: u32, now: u64): void {
  for (let at = load<u32>(open, OPEN_COUNT); at > first; at--) {
    const e = entry(open, at - 1);
    addStretch(load<u32>(e), load<u64>(e, ENTRY_FROM), now);
    store<u32>(open, load<u32>(e, ENTRY_AROUND), OPEN_NODE);
  }
  store<u32>(open, first, OPEN_COUNT);
}

/** The node that the thread of `decoder` is in; `open` and `phase` may be 0. The decoder is told. */
export function enterRegion(decoder: usize, open: usize, phase: usize): u32 {
  const around = phase ? load<u32>(phase, PHASE_NODE) : 0;
  let node = around;
  if (open) {
    if (load<u32>(open, OPEN_PHASE) != around) moveInto(open, around);
    node = load<u32>(open, OPEN_NODE);
  }
  decoderEnters(decoder, node);
  return node;
}

/** Another phase lies around the thread's regions. */
function moveInto(open: usize, phase: u32): void {
  store<u32>(open, phase, OPEN_PHASE);
  let node = phase;
  for (let at: u32 = 0; at < load<u32>(open, OPEN_COUNT); at++) {
    const e = entry(open, at);
    store<u32>(e, node, ENTRY_AROUND);
    node = nodeBelow(node, load<u32>(e));
  }
  store<u32>(open, node, OPEN_NODE);
}

/** The run is over: so is what is open. */
export function closeRegions(now: u64): void {
  for (let open = threads; open; open = load<u32>(open, OPEN_NEXT)) closeFrom(open, 0, now);
  for (let phase = phases; phase; phase = load<u32>(phase, OPEN_NEXT))
    addStretch(load<u32>(phase, PHASE_KEY), load<u64>(phase, PHASE_FROM), now);
}

/** Notes the pages of a batch's touches, and those that its accesses went on in. */
export function touchedIn(node: u32, touches: usize, count: u32): void {
  const record = regionRecord(node);
  const shift = pageShift - 6;
  let before: u32 = 0xffff_ffff;
  for (let at = touches, end = touches + (count << 3); at < end; at += 8) {
    const page = load<u32>(at) >> shift;
    if (page == before) continue;
    addToSet(record, page);
    before = page;
  }
  for (let i: u32 = 0; i < straddleCount; i++) addToSet(record, straddlePage(i));
}

/** Adds the node's pages to the union that `unionTake` counts. */
export function unionAddRegion(node: u32): void {
  unionAddRecord(regionRecord(node));
}
