/**
 * What the counting half tells the machine half: batches of touches, new pages, epochs, vCPUs, system calls, in order.
 *
 * The two halves are two instances of this module with a memory each, so that they can run on two threads. Messages
 * (MESSAGE_* of abi.ts) gather in the outbox; the host carries them over when it is full, and at the end of a turn.
 * Nothing ever comes back: what the counting half does cannot depend on the machine.
 */
import {
  BATCH,
  MESSAGE_BATCH,
  MESSAGE_DOUBLE,
  MESSAGE_EPOCH,
  MESSAGE_MAPPING,
  MESSAGE_PAGES,
  MESSAGE_PAIRS,
  MESSAGE_SYNCHRONISE,
  MESSAGE_SYSTEM_CALL,
  MESSAGE_VCPU,
  MESSAGE_VCPU_END,
  MESSAGE_WIDEN,
  OUTBOX_BYTES,
  OUTSIDE_PRIMARY,
  SAMPLE_PERIOD_MIN,
} from './abi';
import { SAMPLERS } from './abi-machine';
import { KIND_FILE, KIND_GLOBAL, KIND_STACK, objectKind } from './objects';
import { PAGE_NUMBER, PAGE_PROCESS, pageCount, pageRecord, pageShift, processRecord } from './pages';
import { coverAt } from './paint';
import { pairCount, pairSite } from './pairs';

/** The host's part: takes `bytes` of whole messages at `at`. */
export declare function deliver(at: usize, bytes: u32): void;

const outbox: usize = heap.alloc(OUTBOX_BYTES);
let used: u32 = 0;
/** Pages whose numbers, and pairs whose sites, the machine half knows. */
let namedPages: u32 = 0;
let namedPairs: u32 = 0;

// Crosses and straddles: 3 words each, see touches.ts.
const CROSS_BYTES: u32 = 12;
const crosses: usize = heap.alloc(BATCH * CROSS_BYTES);
const straddles: usize = heap.alloc(BATCH * CROSS_BYTES);
let crossCount: u32 = 0;
export let straddleCount: u32 = 0;

/** Samples of the batch, see touches.ts. */
const SAMPLE_BYTES: u32 = 8;
const SAMPLES_MAX: u32 = SAMPLERS * (BATCH / SAMPLE_PERIOD_MIN);
const samples: usize = heap.alloc(SAMPLES_MAX * SAMPLE_BYTES);
let sampleCount: u32 = 0;

const BATCH_HEADER: u32 = 32;
/** A batch whose every access straddles and touches two new pages, with all samplers at their shortest periods. */
const BATCH_BYTES: u32 = BATCH_HEADER + BATCH * (8 + 2 * 8 + 2 * CROSS_BYTES) + SAMPLES_MAX * SAMPLE_BYTES + 8;
const PAGES_AT_ONCE: u32 = 4096;
const PAIRS_AT_ONCE: u32 = 8192;

/** Hands over what is there. */
export function flushOutbox(): void {
  namePages();
  if (used) deliver(outbox, used);
  used = 0;
}

function room(bytes: u32): usize {
  if (used + bytes > <u32>OUTBOX_BYTES) {
    deliver(outbox, used);
    used = 0;
  }
  return outbox + used;
}

function post(kind: u32, argument: u32): void {
  const at = room(8);
  store<u32>(at, kind);
  store<u32>(at, argument, 4);
  used += 8;
}

/** Where the touches of the next batch go: u64[], pair << 33 | isWrite << 32 | line. */
export function openBatch(): usize {
  crossCount = 0;
  straddleCount = 0;
  sampleCount = 0;
  // The pages so far, so that a batch names no more than its own.
  namePages();
  return room(BATCH_BYTES) + BATCH_HEADER;
}

/** An access of the touch numbered `touch` went on in `line`. */
export function addCross(touch: u32, line: u32, pair: u32): void {
  addTriple(crosses + crossCount++ * CROSS_BYTES, touch, line, pair);
}

/** An access of the touch numbered `touch` went on in `page`. */
export function addStraddle(touch: u32, page: u32, pair: u32): void {
  addTriple(straddles + straddleCount++ * CROSS_BYTES, touch, page, pair);
}

/** The page of a straddle of the batch. */
export function straddlePage(index: u32): u32 {
  return load<u32>(straddles + index * CROSS_BYTES, 4);
}

/** An access is a sample of `stream`: it made the touch numbered `touch`, or repeats its line. */
export function addSample(touch: u32, repeat: u32, stream: u32, write: u32): void {
  const at = samples + sampleCount++ * SAMPLE_BYTES;
  store<u32>(at, (touch << 1) | repeat);
  store<u32>(at, (stream << 1) | write, 4);
}

function addTriple(at: usize, first: u32, second: u32, third: u32): void {
  store<u32>(at, first);
  store<u32>(at, second, 4);
  store<u32>(at, third, 8);
}

/** Ends the batch: `accesses` made these many touches. */
export function closeBatch(vcpu: u32, accesses: u32, touches: u32): void {
  const header = outbox + used;
  const pages = pageCount - namedPages;
  store<u32>(header, MESSAGE_BATCH);
  store<u32>(header, vcpu, 4);
  store<u32>(header, accesses, 8);
  store<u32>(header, touches, 12);
  store<u32>(header, pages, 16);
  store<u32>(header, crossCount, 20);
  store<u32>(header, straddleCount, 24);
  store<u32>(header, sampleCount, 28);
  let at = header + BATCH_HEADER + (touches << 3);
  at = putNumbers(at, pages);
  at = putTriples(at, crosses, crossCount);
  at = putTriples(at, straddles, straddleCount);
  memory.copy(at, samples, sampleCount * SAMPLE_BYTES);
  at += sampleCount * SAMPLE_BYTES;
  used = (<u32>(at - outbox) + 7) & ~7;
}

function putNumbers(at: usize, pages: u32): usize {
  for (const end = namedPages + pages; namedPages < end; namedPages++) {
    const page = pageRecord(namedPages);
    store<u64>(at, load<u64>(page, PAGE_NUMBER) | ((<u64>outsidePrimary(page)) << OUTSIDE_PRIMARY));
    at += 8;
  }
  return at;
}

/** Whether the page begins in a stack, a mapped file or a module: not where an allocator gets its memory. */
function outsidePrimary(page: usize): bool {
  const process = processRecord(load<u32>(page, PAGE_PROCESS));
  const kind = objectKind(coverAt(process, load<u64>(page, PAGE_NUMBER) << pageShift));
  return kind == KIND_STACK || kind == KIND_FILE || kind == KIND_GLOBAL;
}

function putTriples(at: usize, from: usize, count: u32): usize {
  memory.copy(at, from, count * CROSS_BYTES);
  return at + count * CROSS_BYTES;
}

function namePages(): void {
  while (namedPages < pageCount) {
    const pages = min(pageCount - namedPages, PAGES_AT_ONCE);
    room(8 + (pages << 3));
    post(MESSAGE_PAGES, pages);
    putNumbers(outbox + used, pages);
    used += pages << 3;
  }
}

/** Padded to an even number of words, so that messages stay multiples of 8 bytes. */
function namePairs(): void {
  while (namedPairs < pairCount) {
    const count = min(pairCount - namedPairs, PAIRS_AT_ONCE);
    room(8 + ((count + 1) << 2));
    post(MESSAGE_PAIRS, count);
    for (let i: u32 = 0; i < count; i++) store<u32>(outbox + used + (i << 2), pairSite(namedPairs++));
    used += ((count + 1) & ~1) << 2;
  }
}

export function postEpoch(): void {
  // Whose traffic it was is asked when an epoch ends.
  namePairs();
  post(MESSAGE_EPOCH, 0);
}
export function postDouble(): void {
  post(MESSAGE_DOUBLE, 0);
}
export function postWiden(): void {
  post(MESSAGE_WIDEN, 0);
}
export function postVcpu(process: u32): void {
  post(MESSAGE_VCPU, process);
}
export function postVcpuEnd(vcpu: u32): void {
  post(MESSAGE_VCPU_END, vcpu);
}
export function postSynchronise(vcpu: u32): void {
  post(MESSAGE_SYNCHRONISE, vcpu);
}
export function postSystemCall(vcpu: u32): void {
  post(MESSAGE_SYSTEM_CALL, vcpu);
}

/** The process's mappings changed (MAPPING_*): `pages` pages from page number `first` on. */
export function postMapping(process: u32, what: u32, first: u64, pages: u64): void {
  const at = room(32);
  store<u32>(at, MESSAGE_MAPPING);
  store<u32>(at, process, 4);
  store<u32>(at, what, 8);
  store<u64>(at, first, 16);
  store<u64>(at, pages, 24);
  used += 32;
}
