/**
 * Objects: what bytes belong to (design section 2), numbered in order of first sight; 0 is `unattributed`.
 *
 * A heap object is an allocation site: all blocks that one function (key a: ALLOC_*) allocated under one call stack.
 * Stacks are compared as sequences of site numbers, innermost first, with each call site kept once, at its innermost
 * place: a recursive builder would otherwise make a new object for every path through its recursion (2^depth of them
 * with two calls).
 */
import { allocate, enlarge, release, take } from './arena';
import { decoderDepth, decoderFrames, processSiteOfPc } from './decode';
import { logLive } from './live';
import { PROCESS_LIVE, PROCESS_LIVE_LENGTH } from './pages';
import { seenStamp, siteCount } from './pairs';

// Kinds, as RawObjects.kind names them.
export const KIND_UNATTRIBUTED = 0;
export const KIND_HEAP = 1;
export const KIND_GLOBAL = 2;
export const KIND_STACK = 3;
export const KIND_FILE = 4;
export const KIND_ANONYMOUS = 5;

export const NONE: u32 = 0xffff_ffff;

/** Object record, 64 bytes: kind, key a, key b, stack length, stack address, last seen stamp; live, peak, blocks. */
const STRIDE = 64;
const KIND = 0;
const KEY_A = 4;
const KEY_B = 8;
const STACK_LENGTH = 12;
const STACK = 16;
const HASH = 20;
const LIVE = 24;
const PEAK = 32;
const BLOCKS = 40;

/** Innermost call sites kept of an allocation stack, and frames looked at to find them. */
const STACK_MAX: u32 = 32;
const FRAMES_MAX: u32 = 256;

let records: usize = 0;
let capacity: u32 = 0;
export let objectCount: u32 = 0;

/** Open-addressed table of object number + 1, at most half full. */
let table: usize = 0;
let tableMask: u32 = 0;

/** The stack being looked up. */
const scratch: usize = heap.alloc((STACK_MAX + 1) * 4);
let scratchLength: u32 = 0;
/** Marks the sites already in the scratch stack. */
let stackStamp: u32 = 0;

export function objectRecord(object: u32): usize {
  return records + object * STRIDE;
}

/** KIND_* of an object. */
export function objectKind(object: u32): u32 {
  return load<u32>(objectRecord(object), KIND);
}

function mix(h: u32, v: u32): u32 {
  const x = (h ^ v) * 0x9e3779b1;
  return x ^ (x >> 15);
}

/** The object with this identity, made at first sight. The stack is the scratch one. */
function identify(kind: u32, a: u32, b: u32): u32 {
  let h = mix(mix(mix(0x1234567, kind), a), b);
  for (let i: u32 = 0; i < scratchLength; i++) h = mix(h, load<u32>(scratch + (i << 2)));
  if (objectCount * 2 >= tableMask) rehash();
  let slot = h & tableMask;
  while (true) {
    const held = load<u32>(table + (slot << 2));
    if (!held) break;
    const o = objectRecord(held - 1);
    if (
      load<u32>(o, HASH) == h &&
      load<u32>(o, KIND) == kind &&
      load<u32>(o, KEY_A) == a &&
      load<u32>(o, KEY_B) == b &&
      load<u32>(o, STACK_LENGTH) == scratchLength &&
      memory.compare(load<u32>(o, STACK), scratch, scratchLength << 2) == 0
    )
      return held - 1;
    slot = (slot + 1) & tableMask;
  }
  if (objectCount == capacity) {
    const larger: u32 = capacity ? capacity * 2 : 256;
    records = enlarge(records, capacity * STRIDE, larger * STRIDE);
    capacity = larger;
  }
  const o = objectRecord(objectCount);
  store<u32>(o, kind, KIND);
  store<u32>(o, a, KEY_A);
  store<u32>(o, b, KEY_B);
  store<u32>(o, h, HASH);
  store<u32>(o, scratchLength, STACK_LENGTH);
  if (scratchLength) {
    const stack = take(scratchLength << 2);
    memory.copy(stack, scratch, scratchLength << 2);
    store<u32>(o, <u32>stack, STACK);
  }
  store<u32>(table + (slot << 2), ++objectCount);
  return objectCount - 1;
}

function rehash(): void {
  const slots: u32 = tableMask ? (tableMask + 1) * 2 : 1024;
  if (tableMask) release(table, (tableMask + 1) << 2);
  table = allocate(slots << 2);
  tableMask = slots - 1;
  for (let object: u32 = 0; object < objectCount; object++) {
    let slot = load<u32>(objectRecord(object), HASH) & tableMask;
    while (load<u32>(table + (slot << 2))) slot = (slot + 1) & tableMask;
    store<u32>(table + (slot << 2), object + 1);
  }
}

/** An object without a stack: a global (module, row), a module's image (module, NONE), a thread's stack, a file. */
export function plainObject(kind: u32, a: u32, b: u32): u32 {
  scratchLength = 0;
  return identify(kind, a, b);
}

function pushSite(site: u32): void {
  if (site >= siteCount || scratchLength == STACK_MAX) return;
  if (load<u32>(seenStamp(site)) == stackStamp) return;
  store<u32>(seenStamp(site), stackStamp);
  store<u32>(scratch + (scratchLength++ << 2), site);
}

/**
 * The heap or anonymous object of an allocation made now on `decoder` by the call at `pc` (0: unknown), by means of
 * `how` (ALLOC_*). `process` is the decoder's process; 0 without a decoder.
 */
export function stackObject(kind: u32, how: u32, process: usize, decoder: usize, pc: u64): u32 {
  scratchLength = 0;
  stackStamp++;
  if (process) {
    if (pc) pushSite(processSiteOfPc(process, pc));
    const depth = decoderDepth(decoder);
    const frames = decoderFrames(decoder);
    const from: u32 = depth > FRAMES_MAX ? depth - FRAMES_MAX : 0;
    for (let i = depth; i > from && scratchLength < STACK_MAX; i--)
      pushSite(processSiteOfPc(process, load<u64>(frames + ((i - 1) << 3))));
  }
  return identify(kind, how, NONE);
}

/** The same from site numbers given by the host (u32[], innermost first): imported traces and tests. */
export function stackObjectOfSites(kind: u32, sites: usize, length: u32): u32 {
  scratchLength = 0;
  stackStamp++;
  for (let i: u32 = 0; i < length; i++) pushSite(load<u32>(sites + (i << 2)));
  return identify(kind, NONE, NONE);
}

/** What `object` is when it is called by the run's name number `name`: allocated by the same calls. */
export function taggedObject(object: u32, name: u32): u32 {
  const o = objectRecord(object);
  scratchLength = load<u32>(o, STACK_LENGTH);
  memory.copy(scratch, load<u32>(o, STACK), scratchLength << 2);
  return identify(load<u32>(o, KIND), load<u32>(o, KEY_A), name);
}

/** A block turned out to be of another object. */
export function uncountBlock(object: u32): void {
  const o = objectRecord(object);
  const blocks = load<u64>(o, BLOCKS);
  if (blocks) store<u64>(o, blocks - 1, BLOCKS);
}

/** One more block of an object. */
export function countBlock(object: u32): void {
  const o = objectRecord(object);
  store<u64>(o, load<u64>(o, BLOCKS) + 1, BLOCKS);
}

/** Slot of the object in the process's table of live bytes. */
function liveSlot(process: usize, object: u32): usize {
  const length = load<u32>(process, PROCESS_LIVE_LENGTH);
  if (object >= length) {
    let larger: u32 = length ? length * 2 : 64;
    while (larger <= object) larger *= 2;
    store<u32>(process, <u32>enlarge(load<u32>(process, PROCESS_LIVE), length << 3, larger << 3), PROCESS_LIVE);
    store<u32>(process, larger, PROCESS_LIVE_LENGTH);
  }
  return <usize>load<u32>(process, PROCESS_LIVE) + (object << 3);
}

/** Adds bytes alive in `process`; keeps the peak over all processes. */
export function growLive(process: usize, object: u32, bytes: u64): void {
  const slot = liveSlot(process, object);
  store<u64>(slot, load<u64>(slot) + bytes);
  grow(object, bytes);
}

/** Takes off bytes, at most as many as the process has. */
export function shrinkLive(process: usize, object: u32, bytes: u64): void {
  const slot = liveSlot(process, object);
  const live = load<u64>(slot);
  const less = min(live, bytes);
  store<u64>(slot, live - less);
  shrink(object, less);
}

/** A forked child has its own copy of everything that its parent had. */
export function copyLive(parent: usize, child: usize): void {
  const length = load<u32>(parent, PROCESS_LIVE_LENGTH);
  for (let object: u32 = 0; object < length; object++) {
    const bytes = load<u64>(<usize>load<u32>(parent, PROCESS_LIVE) + (object << 3));
    if (bytes) growLive(child, object, bytes);
  }
}

/** Nothing of an ended process is alive. */
export function clearLive(process: usize): void {
  const length = load<u32>(process, PROCESS_LIVE_LENGTH);
  const live = <usize>load<u32>(process, PROCESS_LIVE);
  for (let object: u32 = 0; object < length; object++) {
    const bytes = load<u64>(live + (object << 3));
    if (bytes) shrink(object, bytes);
  }
  release(live, length << 3);
  store<u32>(process, 0, PROCESS_LIVE);
  store<u32>(process, 0, PROCESS_LIVE_LENGTH);
}

function grow(object: u32, bytes: u64): void {
  const o = objectRecord(object);
  const live = load<u64>(o, LIVE) + bytes;
  store<u64>(o, live, LIVE);
  if (live > load<u64>(o, PEAK)) store<u64>(o, live, PEAK);
  if (mayMerge(o)) logLive(object, <i64>bytes);
}

function shrink(object: u32, bytes: u64): void {
  const o = objectRecord(object);
  store<u64>(o, load<u64>(o, LIVE) - bytes, LIVE);
  if (mayMerge(o)) logLive(object, -(<i64>bytes));
}

/** Whether source lines or file names may show that this object is the same as another. */
function mayMerge(o: usize): bool {
  const kind = load<u32>(o, KIND);
  return kind == KIND_HEAP || kind == KIND_ANONYMOUS || kind == KIND_FILE;
}

// Object 0.
plainObject(KIND_UNATTRIBUTED, NONE, NONE);
