/**
 * Decodes the predicted encoding of a stream: the inverse of core/record/runtime/encode.c.
 *
 * docs/trace-records.md specifies the records and the rules by which the predictor learns; both sides must follow them
 * to the letter, for a prediction that differs once is wrong ever after. Hits need no bytes: the inner loop follows
 * `next` from site to site. Input may be damaged: every pointer comes from a checked site number, every read is bounded,
 * and no record makes more than 65,536 steps, so the worst outcome is STOP_ERROR.
 */
import {
  BATCH,
  EVENT_ALLOC,
  EVENT_EXEC,
  EVENT_FREE,
  EVENT_KERNEL_WRITE,
  EVENT_MAP,
  EVENT_MARK,
  EVENT_REMAP,
  EVENT_STAMP,
  EVENT_SYSCALL,
  EVENT_THREAD_EXIT,
  EVENT_THREAD_START,
  EVENT_UNMAP,
  REGION_CONTEXT,
  SITE_CALL,
  SITE_CLASS_MASK,
  SITE_ENTRY,
  SITE_EXIT,
  SITE_RANGE_READ,
  SITE_RANGE_WRITE,
  SITE_WRITE,
  STOP_ERROR,
  STOP_EVENT,
  STOP_INPUT,
  STOP_LIMIT,
} from './abi';
import { contextBelow } from './contexts';

/** The batch that `decode` fills: run-wide site numbers and full guest-virtual addresses of accesses, in order. */
export const batchSite: usize = heap.alloc(BATCH * 4);
export const batchAddress: usize = heap.alloc(BATCH * 8);
export let batchCount: u32 = 0;
/**
 * Under which calls these accesses happened: from access `turnAt` on (ascending; the first is 0) in context
 * `turnContext`. Without any turn: context 0.
 */
export const turnAt: usize = heap.alloc((BATCH + 1) * 4);
export const turnContext: usize = heap.alloc((BATCH + 1) * 4);
export let turnCount: u32 = 0;

/** The event that STOP_EVENT announces; see EVENT_* for the meaning of a to d. */
export let eventKind: u32 = 0;
export let eventSeq: u64 = 0;
export let eventA: u64 = 0;
export let eventB: u64 = 0;
export let eventC: u64 = 0;
export let eventD: u64 = 0;

/** Where in the bytes given last the record starts that STOP_ERROR refuses. */
export let decodeErrorOffset: u64 = 0;

// encoding.h
export const RUN_BYTE: u32 = 29;
export const RUN_VARINT: u32 = 30;
export const RUN_SPECIAL: u32 = 31;
export const ADDRESS_ALTERNATE: u32 = 4;
export const ADDRESS_FOLLOWER: u32 = 5;
export const FOLLOWER_BITS: u64 = 14;
export const SPECIAL_HITS: u32 = 0;
export const SPECIAL_EVENT: u32 = 1;
export const SPECIAL_UNWIND: u32 = 2;
export const SPECIAL_STAMP: u32 = 3;
const SPECIAL_PAD: u32 = 7;
const DEPTH_MAX: u32 = 1 << 18;
/** A stamp comes after this many steps at the latest: it bounds what one call of `decode` can be made to do. */
export const STEPS_MAX: u64 = 65536;
/** Longer than any user address space: a larger length is damage. */
const LENGTH_MAX: u64 = 1 << 47;

// A process: columns indexed by local site number, and a hash from pc to the CALL (else any) site with it.
export const P_COUNT: usize = 0;
const P_CAPACITY: usize = 4;
export const P_PC: usize = 8;
export const P_KIND: usize = 12;
const P_SITE: usize = 16;
const P_HASH: usize = 20;
const P_HASH_MASK: usize = 24;
const P_HASH_USED: usize = 28;
const P_BYTES: usize = 32;

// A site in a stream: the fields of `struct pl_site`, in the order of their use. Pointers are to whole sites.
export const S_LAST: usize = 0;
export const S_DELTA: usize = 8;
export const S_BASE: usize = 16;
export const S_NEXT: usize = 20;
const S_SITE: usize = 24;
const S_KIND: usize = 28;
export const S_SEEN: usize = 29;
const S_DOUBT: usize = 30;
export const S_NUMBER: usize = 32;
export const S_ALTERNATE: usize = 36;
export const S_ALTERNATE_BASE: usize = 40;
export const S_ALTERNATE_DELTA: usize = 48;
export const S_MISS_LAST: usize = 56;
/** Length of the last range. */
export const S_LENGTH: usize = 64;
/** Of an entry: the site of the call that its return address names. */
const S_CALL: usize = 72;
/** The three access sites before it, latest first, as of when it was trained. */
export const S_EARLIER: usize = 76;
/** Of a call: the context + 1 that it was last made in, and the one that it led to. */
const S_CALLER: usize = 88;
const S_CALLEE: usize = 92;
const S_BYTES: usize = 96;

const CHUNK_BITS: u32 = 8;
const CHUNK_SITES: u32 = 1 << CHUNK_BITS;

// A decoder.
export const D_PROCESS: usize = 0;
/** The site before the next step. */
export const D_BEFORE: usize = 4;
/** Directory of chunks of sites: pointers stay valid while it grows. */
const D_CHUNKS: usize = 8;
const D_CHUNK_COUNT: usize = 12;
const D_START: usize = 16;
const D_POSITION: usize = 20;
const D_END: usize = 24;
/** First byte of the record in work. */
const D_RECORD: usize = 28;
/** Hits of that record still to come. */
export const D_RUN: usize = 32;
/** Its tag; NO_RECORD between records. */
const D_TAG: usize = 36;
export const D_DEPTH: usize = 40;
const D_FRAME_CAPACITY: usize = 44;
/** pcs of the frames (u64[]), and their CALL sites (u32[]). */
const D_FRAME_PC: usize = 48;
const D_FRAME_SITE: usize = 52;
/** A range in work: its run-wide site, next line's address and lines to come. */
const D_RANGE_SITE: usize = 56;
const D_FAILED: usize = 60;
const D_RANGE_ADDRESS: usize = 64;
const D_RANGE_LINES: usize = 72;
export const D_SEQ: usize = 80;
export const D_EVENT_A: usize = 88;
export const D_EVENT_B: usize = 96;
export const D_EVENT_C: usize = 104;
/** Steps since the last stamp. */
export const D_STEPS: usize = 112;
/** By site and its last address: the address that came then (u64[]). */
export const D_FOLLOWERS: usize = 116;
/** The context of the next access, and those of the callers of the frames (u32[]). */
const D_CONTEXT: usize = 120;
const D_FRAME_CONTEXT: usize = 124;
/** The region that the next access lies in (regions.ts), 0 for none. */
const D_REGION: usize = 128;
const D_BYTES: usize = 136;

const NO_RECORD: u32 = 0x100;

export function zeroed(bytes: usize): usize {
  const at = heap.alloc(bytes);
  memory.fill(at, 0, bytes);
  return at;
}

export function grown(from: usize, used: usize, bytes: usize): usize {
  const at = zeroed(bytes);
  memory.copy(at, from, used);
  if (from) heap.free(from);
  return at;
}

// ---- processes ----

/** A recorded process: its table of sites (local number -> pc, kind, run-wide number). Returns a handle. */
export function processCreate(): usize {
  const process = zeroed(P_BYTES);
  store<usize>(process, zeroed(1024 * 4), P_HASH);
  store<u32>(process, 1023, P_HASH_MASK);
  return process;
}

function hashOf(pc: u64): u32 {
  return <u32>((pc * 0x9e3779b97f4a7c15) >> 32);
}

/** Slot of the hash that holds this pc's site (number + 1), or the free one where it belongs. */
function hashSlot(process: usize, pc: u64): usize {
  const table = load<usize>(process, P_HASH);
  const mask = load<u32>(process, P_HASH_MASK);
  const pcs = load<usize>(process, P_PC);
  let at = hashOf(pc) & mask;
  while (true) {
    const slot = table + ((<usize>at) << 2);
    const number = load<u32>(slot);
    if (number == 0 || load<u64>(pcs + ((<usize>(number - 1)) << 3)) == pc) return slot;
    at = (at + 1) & mask;
  }
}

function hashGrow(process: usize): void {
  const old = load<usize>(process, P_HASH);
  const mask = load<u32>(process, P_HASH_MASK);
  const pcs = load<usize>(process, P_PC);
  store<usize>(process, zeroed((<usize>mask + 1) << 3), P_HASH);
  store<u32>(process, (mask << 1) | 1, P_HASH_MASK);
  for (let at: u32 = 0; at <= mask; at++) {
    const number = load<u32>(old + ((<usize>at) << 2));
    if (number) store<u32>(hashSlot(process, load<u64>(pcs + ((<usize>(number - 1)) << 3))), number);
  }
  heap.free(old);
}

/**
 * Adds sites with local numbers first..first+count-1. Columns: pc u64[], kind u16[], run-wide number u32[].
 * A number that is left out, or given again, keeps the decoder safe but makes no sense.
 */
export function processAddSites(process: usize, first: u32, count: u32, pc: usize, kind: usize, site: usize): void {
  const end = first + count;
  const capacity = load<u32>(process, P_CAPACITY);
  const before = load<u32>(process, P_COUNT);
  if (end > capacity) {
    let size = max<u32>(1024, capacity * 2);
    while (size < end) size <<= 1;
    store<usize>(process, grown(load<usize>(process, P_PC), (<usize>before) << 3, (<usize>size) << 3), P_PC);
    store<usize>(process, grown(load<usize>(process, P_KIND), before, size), P_KIND);
    store<usize>(process, grown(load<usize>(process, P_SITE), (<usize>before) << 2, (<usize>size) << 2), P_SITE);
    store<u32>(process, size, P_CAPACITY);
  }
  const pcs = load<usize>(process, P_PC);
  const kinds = load<usize>(process, P_KIND);
  const sites = load<usize>(process, P_SITE);
  for (let i: u32 = 0; i < count; i++) {
    const number = first + i;
    const sitePc = load<u64>(pc + ((<usize>i) << 3));
    const siteKind = load<u16>(kind + ((<usize>i) << 1));
    store<u64>(pcs + ((<usize>number) << 3), sitePc);
    store<u8>(kinds + number, <u8>siteKind);
    store<u32>(sites + ((<usize>number) << 2), load<u32>(site + ((<usize>i) << 2)));
    const slot = hashSlot(process, sitePc);
    const known = load<u32>(slot);
    if (known == 0) {
      store<u32>(slot, number + 1);
      const used = load<u32>(process, P_HASH_USED) + 1;
      store<u32>(process, used, P_HASH_USED);
      if (used << 1 > load<u32>(process, P_HASH_MASK)) hashGrow(process);
    } else if ((siteKind & SITE_CLASS_MASK) == SITE_CALL) {
      store<u32>(slot, number + 1);
    }
  }
  if (end > before) store<u32>(process, end, P_COUNT);
}

/** Run-wide site number of the CALL (or other) site with this pc, or u32.MAX_VALUE. */
export function processSiteOfPc(process: usize, pc: u64): u32 {
  const number = load<u32>(hashSlot(process, pc));
  return number ? load<u32>(load<usize>(process, P_SITE) + ((<usize>(number - 1)) << 2)) : u32.MAX_VALUE;
}

// ---- decoders ----

/** A decoder for one stream. Returns a handle. */
export function decoderCreate(process: usize): usize {
  const decoder = zeroed(D_BYTES);
  store<usize>(decoder, process, D_PROCESS);
  store<u32>(decoder, NO_RECORD, D_TAG);
  // The root: what comes before the first step. It has number 0 in deltas but is no site.
  const root = zeroed(S_BYTES);
  store<u8>(root, <u8>SITE_CALL, S_KIND);
  store<u8>(root, 1, S_SEEN);
  store<usize>(root, root, S_BASE);
  setEarlier(root, root, root, root);
  store<usize>(decoder, root, D_BEFORE);
  store<u32>(decoder, 256, D_FRAME_CAPACITY);
  store<usize>(decoder, zeroed(256 * 8), D_FRAME_PC);
  store<usize>(decoder, zeroed(256 * 4), D_FRAME_SITE);
  store<usize>(decoder, zeroed(256 * 4), D_FRAME_CONTEXT);
  store<usize>(decoder, zeroed(8 << (<usize>FOLLOWER_BITS)), D_FOLLOWERS);
  return decoder;
}

/** Gives the next bytes (whole records). They must stay in place until `decode` returns STOP_INPUT. */
export function decoderInput(decoder: usize, bytes: usize, length: u32): void {
  store<usize>(decoder, bytes, D_START);
  store<usize>(decoder, bytes, D_POSITION);
  store<usize>(decoder, bytes + length, D_END);
}

export function setEarlier(s: usize, first: usize, second: usize, third: usize): void {
  store<usize>(s, first, S_EARLIER);
  store<usize>(s, second, S_EARLIER + 4);
  store<usize>(s, third, S_EARLIER + 8);
}

/** This stream's state of a site, made on first use; 0 when the process has no such site. */
export function siteAt(decoder: usize, number: u32): usize {
  const process = load<usize>(decoder, D_PROCESS);
  if (number >= load<u32>(process, P_COUNT)) return 0;
  const chunk = number >> CHUNK_BITS;
  const chunks = load<u32>(decoder, D_CHUNK_COUNT);
  if (chunk >= chunks) {
    let size = max<u32>(16, chunks);
    while (size <= chunk) size <<= 1;
    store<usize>(decoder, grown(load<usize>(decoder, D_CHUNKS), (<usize>chunks) << 2, (<usize>size) << 2), D_CHUNKS);
    store<u32>(decoder, size, D_CHUNK_COUNT);
  }
  const place = load<usize>(decoder, D_CHUNKS) + ((<usize>chunk) << 2);
  if (!load<usize>(place)) store<usize>(place, zeroed(<usize>CHUNK_SITES * S_BYTES));
  const s = load<usize>(place) + <usize>(number & (CHUNK_SITES - 1)) * S_BYTES;
  if (!load<usize>(s, S_BASE)) {
    const kind = load<u8>(load<usize>(process, P_KIND) + number);
    store<usize>(s, s, S_BASE);
    store<usize>(s, s, S_ALTERNATE_BASE);
    setEarlier(s, s, s, s);
    store<u32>(s, number, S_NUMBER);
    store<u8>(s, kind, S_KIND);
    store<u32>(s, load<u32>(load<usize>(process, P_SITE) + ((<usize>number) << 2)), S_SITE);
    if ((kind & SITE_CLASS_MASK) == SITE_ENTRY) {
      const call = load<u32>(hashSlot(process, load<u64>(load<usize>(process, P_PC) + ((<usize>number) << 3))));
      // Only damage leaves an entry without the CALL site of its return address.
      if (!call || (load<u8>(load<usize>(process, P_KIND) + (call - 1)) & SITE_CLASS_MASK) != SITE_CALL) {
        store<usize>(s, 0, S_BASE);
        return 0;
      }
      store<usize>(s, siteAt(decoder, call - 1), S_CALL);
    }
  }
  return s;
}

/** Set by the readers below when the input ends too early. */
let failed: bool = false;
/** Where they read. */
let position: usize = 0;
let end: usize = 0;

function readByte(): u32 {
  if (position >= end) {
    failed = true;
    return 0;
  }
  return load<u8>(position++);
}

function readVarint(): u64 {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 64; shift += 7) {
    const byte = readByte();
    value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) return value;
  }
  failed = true;
  return 0;
}

function unzigzag(value: u64): u64 {
  return (value >> 1) ^ (0 - (value & 1));
}

/** The shadow call stack at this point: depth, and the call sites' pcs (u64[], outermost first). */
export function decoderDepth(decoder: usize): u32 {
  return min<u32>(load<u32>(decoder, D_DEPTH), DEPTH_MAX);
}
export function decoderFrames(decoder: usize): usize {
  return load<usize>(decoder, D_FRAME_PC);
}

/** The stream's accesses lie in this region from the next batch on. */
export function decoderEnters(decoder: usize, region: u32): void {
  store<u32>(decoder, region, D_REGION);
}

/** The accesses from number `at` of the batch on happen in `context`. */
function turn(decoder: usize, at: u32, context: u32): void {
  store<u32>(decoder, context, D_CONTEXT);
  const region = load<u32>(decoder, D_REGION);
  if (!turnCount || load<u32>(turnAt + ((<usize>(turnCount - 1)) << 2)) != at) turnCount++;
  const last = (<usize>(turnCount - 1)) << 2;
  store<u32>(turnAt + last, at);
  store<u32>(turnContext + last, region ? contextBelow(context, REGION_CONTEXT | region) : context);
}

/** Pushes the call site that an entry's return address names; 0 where the stack is too deep to be kept. */
export function pushFrame(decoder: usize, s: usize): usize {
  const call = load<usize>(s, S_CALL);
  if (!load<u8>(s, S_SEEN)) {
    store<u8>(s, 1, S_SEEN);
    setEarlier(call, load<usize>(s, S_EARLIER), load<usize>(s, S_EARLIER + 4), load<usize>(s, S_EARLIER + 8));
  }
  const depth = load<u32>(decoder, D_DEPTH);
  store<u32>(decoder, depth + 1, D_DEPTH);
  if (depth >= DEPTH_MAX) return 0;
  const capacity = load<u32>(decoder, D_FRAME_CAPACITY);
  if (depth == capacity) {
    const pcs = load<usize>(decoder, D_FRAME_PC);
    const sites = load<usize>(decoder, D_FRAME_SITE);
    store<usize>(decoder, grown(pcs, (<usize>depth) << 3, (<usize>depth) << 4), D_FRAME_PC);
    const contexts = load<usize>(decoder, D_FRAME_CONTEXT);
    store<usize>(decoder, grown(sites, (<usize>depth) << 2, (<usize>depth) << 3), D_FRAME_SITE);
    store<usize>(decoder, grown(contexts, (<usize>depth) << 2, (<usize>depth) << 3), D_FRAME_CONTEXT);
    store<u32>(decoder, depth << 1, D_FRAME_CAPACITY);
  }
  const pcs = load<usize>(load<usize>(decoder, D_PROCESS), P_PC);
  const pc = load<u64>(pcs + ((<usize>load<u32>(call, S_NUMBER)) << 3));
  store<u64>(load<usize>(decoder, D_FRAME_PC) + ((<usize>depth) << 3), pc);
  store<usize>(load<usize>(decoder, D_FRAME_SITE) + ((<usize>depth) << 2), call);
  return call;
}

/** Entry, before access number `at` of the batch. */
function enter(decoder: usize, s: usize, at: u32): void {
  const call = pushFrame(decoder, s);
  if (!call) return;
  const depth = load<u32>(decoder, D_DEPTH) - 1;
  const caller = load<u32>(decoder, D_CONTEXT);
  store<u32>(load<usize>(decoder, D_FRAME_CONTEXT) + ((<usize>depth) << 2), caller);
  if (load<u32>(call, S_CALLER) != caller + 1) {
    store<u32>(call, caller + 1, S_CALLER);
    store<u32>(call, contextBelow(caller, load<u32>(call, S_SITE)), S_CALLEE);
  }
  turn(decoder, at, load<u32>(call, S_CALLEE));
}

/** Back to the context of the caller of the frame at `depth` (0: the outermost), before access number `at`. */
function backTo(decoder: usize, depth: u32, at: u32): void {
  turn(decoder, at, load<u32>(load<usize>(decoder, D_FRAME_CONTEXT) + ((<usize>depth) << 2)));
}

/** Pops a frame: the site that predicts the step behind an exit, which is the call's where its frame is known. */
export function popFrame(decoder: usize, s: usize): usize {
  store<u8>(s, 1, S_SEEN);
  const depth = load<u32>(decoder, D_DEPTH);
  if (depth == 0) return s;
  store<u32>(decoder, depth - 1, D_DEPTH);
  if (depth > DEPTH_MAX) return s;
  return load<usize>(load<usize>(decoder, D_FRAME_SITE) + ((<usize>(depth - 1)) << 2));
}

/** Exit, before access number `at` of the batch; gives what `popFrame` gives. */
function leave(decoder: usize, s: usize, at: u32): usize {
  const before = popFrame(decoder, s);
  if (before != s) backTo(decoder, load<u32>(decoder, D_DEPTH), at);
  return before;
}

/** Makes the accesses of a range's started lines due. False when it wraps around, which only damage does. */
function startRange(decoder: usize, s: usize): bool {
  const address = load<u64>(s, S_LAST);
  const length = load<u64>(s, S_LENGTH);
  if (length == 0 || length > LENGTH_MAX || address + length < address) return false;
  store<u32>(decoder, load<u32>(s, S_SITE), D_RANGE_SITE);
  store<u64>(decoder, address, D_RANGE_ADDRESS);
  store<u64>(decoder, ((address + length - 1) >> 6) - (address >> 6) + 1, D_RANGE_LINES);
  return true;
}

/** Learns that s came behind `before`: train_successor of encode.c. */
export function trainSuccessor(before: usize, s: usize, alternate: bool): void {
  const first = load<usize>(before, S_EARLIER);
  const second = load<usize>(before, S_EARLIER + 4);
  if ((load<u8>(before, S_KIND) & SITE_CLASS_MASK) <= SITE_RANGE_WRITE) setEarlier(s, before, first, second);
  else setEarlier(s, first, second, load<usize>(before, S_EARLIER + 8));
  if (alternate) {
    const doubt = load<u8>(before, S_DOUBT) + 1;
    store<u8>(before, doubt, S_DOUBT);
    if (doubt & 1) return;
    store<usize>(before, load<usize>(before, S_NEXT), S_ALTERNATE);
    store<usize>(before, s, S_NEXT);
  } else if (!load<usize>(before, S_NEXT)) {
    store<usize>(before, s, S_NEXT);
  } else {
    store<usize>(before, s, S_ALTERNATE);
  }
}

/** An explicit address behind its first byte; trains the alternate predictor: explicit_address of encode.c. */
function explicitAddress(s: usize, header: u32): u64 {
  const bytes = (header >> 3) & 7;
  const size: u32 = bytes == 7 ? 8 : bytes;
  let rest: u64 = 0;
  for (let i: u32 = 0; i < size; i++) rest |= (<u64>readByte()) << ((<u64>i) << 3);
  let delta = unzigzag((rest << 2) | (<u64>header >> 6));
  if (header & 4) delta <<= 3;
  const back = header & 3;
  const base = back ? load<usize>(s + ((<usize>(back - 1)) << 2), S_EARLIER) : s;
  const address = load<u64>(base, S_LAST) + delta;
  if (load<u8>(s, S_SEEN)) {
    store<usize>(s, base, S_ALTERNATE_BASE);
    store<u64>(s, delta, S_ALTERNATE_DELTA);
  } else {
    store<usize>(s, base, S_BASE);
    store<u64>(s, base == s ? 0 : delta, S_DELTA);
    store<usize>(s, s, S_ALTERNATE_BASE);
    store<u64>(s, 0, S_ALTERNATE_DELTA);
  }
  return address;
}

/** The alternate address; it becomes the primary when it was right twice running. */
export function alternateAddress(s: usize): u64 {
  const base = load<usize>(s, S_ALTERNATE_BASE);
  const delta = load<u64>(s, S_ALTERNATE_DELTA);
  const address = load<u64>(base, S_LAST) + delta;
  if (load<u64>(s, S_MISS_LAST) == load<u64>(s, S_LAST)) {
    store<usize>(s, load<usize>(s, S_BASE), S_ALTERNATE_BASE);
    store<u64>(s, load<u64>(s, S_DELTA), S_ALTERNATE_DELTA);
    store<usize>(s, base, S_BASE);
    store<u64>(s, delta, S_DELTA);
  }
  return address;
}

/** What PL_MISS_* says of successor (0 next, 1 alternate, 2 explicit) and of the address (W_*). */
export const W_PRIMARY: u32 = 0;
export const W_ALTERNATE: u32 = 1;
export const W_EXPLICIT: u32 = 2;
export const W_FOLLOWER: u32 = 3;
const successors: StaticArray<u8> = [0, 0, 1, 0, 1, 2, 1, 2];
const addresses: StaticArray<u8> = [1, 2, 0, 3, 2, 0, 1, 2];

/** The missed step of the record in work; `miss` is PL_MISS_*. Gives the site, or 0 for damage. */
function missedStep(decoder: usize, miss: u32): usize {
  const before = load<usize>(decoder, D_BEFORE);
  const successor = <u32>unchecked(successors[miss]);
  let where = <u32>unchecked(addresses[miss]);
  let s: usize;
  if (successor == 0) {
    s = load<usize>(before, S_NEXT);
  } else if (successor == 1) {
    s = load<usize>(before, S_ALTERNATE);
  } else {
    const number = <u64>load<u32>(before, S_NUMBER) + unzigzag(readVarint());
    s = number < u32.MAX_VALUE ? siteAt(decoder, <u32>number) : 0;
  }
  if (!s || failed) return 0;
  if (successor != 0) {
    trainSuccessor(before, s, successor == 1);
  }
  const kind = load<u8>(s, S_KIND);
  const siteClass = kind & SITE_CLASS_MASK;
  if (siteClass > SITE_RANGE_WRITE) return where == W_PRIMARY ? s : 0;

  const follower =
    load<usize>(decoder, D_FOLLOWERS) +
    <usize>(
      ((((load<u64>(s, S_LAST) ^ ((<u64>load<u32>(s, S_NUMBER)) << 40)) * 0x9e3779b97f4a7c15) >>
        (64 - FOLLOWER_BITS)) <<
        3)
    );
  let address: u64 = 0;
  if (where == W_EXPLICIT) {
    const header = readByte();
    if (header == ADDRESS_ALTERNATE) where = W_ALTERNATE;
    else if (header == ADDRESS_FOLLOWER) where = W_FOLLOWER;
    else {
      address = explicitAddress(s, header);
      store<u64>(follower, address);
      if (siteClass >= SITE_RANGE_READ) store<u64>(s, load<u64>(s, S_LENGTH) + unzigzag(readVarint()), S_LENGTH);
    }
    if (failed) return 0;
  }
  if (where == W_PRIMARY) address = load<u64>(load<usize>(s, S_BASE)) + load<u64>(s, S_DELTA);
  else if (where == W_ALTERNATE) address = alternateAddress(s);
  else if (where == W_FOLLOWER) address = load<u64>(follower);
  store<u64>(s, address, S_LAST);
  if (where != W_PRIMARY) store<u64>(s, address, S_MISS_LAST);
  store<u8>(s, 1, S_SEEN);
  return s;
}

/** Reads an event into the event record; false for damage. */
function readEvent(decoder: usize): bool {
  const kind = <i32>readByte();
  if (kind <= EVENT_STAMP || kind > EVENT_MARK) return false;
  const step = readVarint();
  const seq = load<u64>(decoder, D_SEQ) + step;
  eventKind = kind;
  eventSeq = step == 0 ? 0 : seq;
  store<u64>(decoder, seq, D_SEQ);
  eventA = 0;
  eventB = 0;
  eventC = 0;
  eventD = 0;
  // As event_fields of encode.c.
  if (kind != EVENT_THREAD_EXIT && kind != EVENT_EXEC) {
    eventA = load<u64>(decoder, D_EVENT_A) + unzigzag(readVarint());
    store<u64>(decoder, eventA, D_EVENT_A);
  }
  const wide = kind == EVENT_ALLOC || kind == EVENT_MAP || kind == EVENT_REMAP;
  const three = wide || kind == EVENT_THREAD_START || kind == EVENT_SYSCALL || kind == EVENT_MARK;
  if (three || kind == EVENT_UNMAP || kind == EVENT_KERNEL_WRITE) {
    eventB = load<u64>(decoder, D_EVENT_B) + unzigzag(readVarint());
    store<u64>(decoder, eventB, D_EVENT_B);
  }
  if (kind == EVENT_ALLOC || kind == EVENT_MAP) {
    const call = readVarint();
    const process = load<usize>(decoder, D_PROCESS);
    if (call > <u64>load<u32>(process, P_COUNT)) return false;
    if (call) eventC = load<u64>(load<usize>(process, P_PC) + ((<usize>(call - 1)) << 3));
  } else if (three) {
    eventC = load<u64>(decoder, D_EVENT_C) + unzigzag(readVarint());
    store<u64>(decoder, eventC, D_EVENT_C);
  }
  if (wide) eventD = readVarint();
  return !failed;
}

/** Reads a record's tag and run. False for damage. */
function startRecord(decoder: usize): bool {
  store<usize>(decoder, position, D_RECORD);
  const tag = readByte();
  if (tag == ((RUN_SPECIAL << 3) | SPECIAL_PAD)) return true;
  const code = tag >> 3;
  let run: u64 = code;
  if (code == RUN_BYTE) run = <u64>RUN_BYTE + readByte();
  else if (code >= RUN_VARINT) run = readVarint();
  const steps = load<u32>(decoder, D_STEPS) + run + (code == RUN_SPECIAL ? 0 : 1);
  if (failed || run > STEPS_MAX || steps > STEPS_MAX) return false;
  store<u32>(decoder, <u32>steps, D_STEPS);
  if (code == RUN_SPECIAL && (tag & 7) > SPECIAL_STAMP) return false;
  store<u32>(decoder, <u32>run, D_RUN);
  store<u32>(decoder, code == RUN_SPECIAL ? tag : tag & 7, D_TAG);
  return true;
}

/** `advance` got further and can get further still. */
const GO_ON: i32 = -1;

/** Makes the accesses of a range's lines: the first is at the range's start, the others at their lines'. */
function rangeLines(decoder: usize, limit: u32): void {
  const site = load<u32>(decoder, D_RANGE_SITE);
  let lines = load<u64>(decoder, D_RANGE_LINES);
  let address = load<u64>(decoder, D_RANGE_ADDRESS);
  let count = batchCount;
  while (lines && count < limit) {
    store<u32>(batchSite + ((<usize>count) << 2), site);
    store<u64>(batchAddress + ((<usize>count) << 3), address);
    address = (address & ~63) + 64;
    count++;
    lines--;
  }
  batchCount = count;
  store<u64>(decoder, address, D_RANGE_ADDRESS);
  store<u64>(decoder, lines, D_RANGE_LINES);
}

/** Performs up to `run` hits, until the limit is reached or a range starts. */
function hits(decoder: usize, run: u32, limit: u32): i32 {
  const batch = min<u32>(run, limit - batchCount);
  let left = batch;
  let before = load<usize>(decoder, D_BEFORE);
  let outSite = batchSite + ((<usize>batchCount) << 2);
  let outAddress = batchAddress + ((<usize>batchCount) << 3);
  let rangeStarted = false;
  while (left && !rangeStarted) {
    let s: usize = 0;
    let siteClass: i32 = 0;
    // Plain accesses follow each other in this loop; anything else leaves it.
    do {
      s = load<usize>(before, S_NEXT);
      if (!s) return STOP_ERROR;
      siteClass = load<u8>(s, S_KIND) & SITE_CLASS_MASK;
      if (siteClass > SITE_WRITE) break;
      const address = load<u64>(load<usize>(s, S_BASE)) + load<u64>(s, S_DELTA);
      store<u64>(s, address);
      store<u32>(outSite, load<u32>(s, S_SITE));
      store<u64>(outAddress, address);
      outSite += 4;
      outAddress += 8;
      before = s;
    } while (--left);
    if (left) {
      left--;
      before = s;
      if (siteClass == SITE_ENTRY) {
        enter(decoder, s, <u32>((outSite - batchSite) >> 2));
      } else if (siteClass == SITE_EXIT) {
        before = leave(decoder, s, <u32>((outSite - batchSite) >> 2));
      } else {
        if (siteClass > SITE_RANGE_WRITE) return STOP_ERROR;
        store<u64>(s, load<u64>(load<usize>(s, S_BASE)) + load<u64>(s, S_DELTA));
        if (!startRange(decoder, s)) return STOP_ERROR;
        rangeStarted = true;
      }
    }
  }
  batchCount = <u32>((outSite - batchSite) >> 2);
  store<usize>(decoder, before, D_BEFORE);
  store<u32>(decoder, run - (batch - left), D_RUN);
  return GO_ON;
}

/** The step that a record says was missed. */
function miss(decoder: usize, tag: u32): i32 {
  const s = missedStep(decoder, tag);
  if (!s) return STOP_ERROR;
  const siteClass: i32 = load<u8>(s, S_KIND) & SITE_CLASS_MASK;
  let before = s;
  if (siteClass <= SITE_WRITE) {
    store<u32>(batchSite + ((<usize>batchCount) << 2), load<u32>(s, S_SITE));
    store<u64>(batchAddress + ((<usize>batchCount) << 3), load<u64>(s, S_LAST));
    batchCount++;
  } else if (siteClass <= SITE_RANGE_WRITE) {
    if (!startRange(decoder, s)) return STOP_ERROR;
  } else if (siteClass == SITE_ENTRY) {
    enter(decoder, s, batchCount);
  } else if (siteClass == SITE_EXIT) {
    before = leave(decoder, s, batchCount);
  } else {
    return STOP_ERROR;
  }
  store<usize>(decoder, before, D_BEFORE);
  return GO_ON;
}

/** What a record that is no step says, behind its run. */
function specialRecord(decoder: usize, kind: u32): i32 {
  if (kind == SPECIAL_STAMP) {
    eventKind = EVENT_STAMP;
    eventSeq = load<u64>(decoder, D_SEQ) + readVarint();
    eventA = 0;
    eventB = 0;
    eventC = 0;
    eventD = 0;
    store<u64>(decoder, eventSeq, D_SEQ);
    store<u32>(decoder, 0, D_STEPS);
    return failed ? STOP_ERROR : STOP_EVENT;
  }
  if (kind == SPECIAL_EVENT) return readEvent(decoder) ? STOP_EVENT : STOP_ERROR;
  if (kind == SPECIAL_UNWIND) {
    const dropped = readVarint();
    const depth = load<u32>(decoder, D_DEPTH);
    if (failed || dropped > <u64>depth) return STOP_ERROR;
    const left = depth - <u32>dropped;
    store<u32>(decoder, left, D_DEPTH);
    if (dropped && left < DEPTH_MAX) backTo(decoder, left, batchCount);
  }
  // HITS is done when its run is.
  return GO_ON;
}

/** One part of the work: the lines of a range, a run of hits, or what a record says behind its run. */
function advance(decoder: usize, limit: u32): i32 {
  if (load<u64>(decoder, D_RANGE_LINES)) rangeLines(decoder, limit);
  if (batchCount == limit) return STOP_LIMIT;
  let tag = load<u32>(decoder, D_TAG);
  if (tag == NO_RECORD) {
    if (position >= end) return STOP_INPUT;
    if (!startRecord(decoder)) return STOP_ERROR;
    tag = load<u32>(decoder, D_TAG);
    if (tag == NO_RECORD) return GO_ON;
  }
  const run = load<u32>(decoder, D_RUN);
  if (run) return hits(decoder, run, limit);
  store<u32>(decoder, NO_RECORD, D_TAG);
  return tag < 8 ? miss(decoder, tag) : specialRecord(decoder, tag & 7);
}

/**
 * Fills the batch from its start with at most `limit` (1..BATCH) accesses; returns a STOP_*. An event comes after the
 * accesses of its batch. After STOP_ERROR the stream is over: every further call returns STOP_ERROR.
 */
export function decode(decoder: usize, limit: u32): i32 {
  position = load<usize>(decoder, D_POSITION);
  end = load<usize>(decoder, D_END);
  failed = false;
  batchCount = 0;
  turnCount = 0;
  turn(decoder, 0, load<u32>(decoder, D_CONTEXT));
  let why: i32 = load<u32>(decoder, D_FAILED) ? STOP_ERROR : GO_ON;
  while (why == GO_ON) why = advance(decoder, limit);
  store<usize>(decoder, position, D_POSITION);
  if (why == STOP_ERROR) {
    store<u32>(decoder, 1, D_FAILED);
    decodeErrorOffset = load<usize>(decoder, D_RECORD) - load<usize>(decoder, D_START);
  }
  return why;
}
