/**
 * Encodes accesses that other tools recorded as the records of a stream: core/record/runtime/encode.c for imports.
 *
 * docs/trace-records.md has the rules. The predictor's state and its training are the decoder's own (decode.ts), so
 * that the two cannot part. The host fills columns with a batch and takes the bytes of its records.
 */
import {
  BATCH,
  EVENT_ALLOC,
  EVENT_EXEC,
  EVENT_KERNEL_WRITE,
  EVENT_MAP,
  EVENT_MARK,
  EVENT_REMAP,
  EVENT_SYSCALL,
  EVENT_THREAD_EXIT,
  EVENT_THREAD_START,
  EVENT_UNMAP,
  SITE_CALL,
  SITE_CLASS_MASK,
  SITE_ENTRY,
  SITE_EXIT,
  SITE_RANGE_READ,
} from './abi';
import {
  ADDRESS_ALTERNATE,
  ADDRESS_FOLLOWER,
  alternateAddress,
  D_BEFORE,
  D_DEPTH,
  D_EVENT_A,
  D_EVENT_B,
  D_EVENT_C,
  D_FOLLOWERS,
  D_RUN,
  D_SEQ,
  D_STEPS,
  decoderCreate,
  FOLLOWER_BITS,
  P_COUNT,
  P_KIND,
  P_PC,
  popFrame,
  processAddSites,
  processCreate,
  pushFrame,
  RUN_BYTE,
  RUN_SPECIAL,
  RUN_VARINT,
  S_ALTERNATE,
  S_ALTERNATE_BASE,
  S_ALTERNATE_DELTA,
  S_BASE,
  S_DELTA,
  S_EARLIER,
  S_LAST,
  S_LENGTH,
  S_MISS_LAST,
  S_NEXT,
  S_NUMBER,
  S_SEEN,
  SPECIAL_EVENT,
  SPECIAL_HITS,
  SPECIAL_STAMP,
  SPECIAL_UNWIND,
  STEPS_MAX,
  siteAt,
  trainSuccessor,
  W_ALTERNATE,
  W_EXPLICIT,
  W_FOLLOWER,
  W_PRIMARY,
  zeroed,
} from './decode';

/** The batch, up to BATCH rows: return address, first byte, SITE_* kind, and the length of a range. */
export let encodePc: usize = 0;
export let encodeAddress: usize = 0;
export let encodeKind: usize = 0;
export let encodeLength: usize = 0;

/** Bytes of the records made since `encoderTake`. */
export let encoded: usize = 0;
/** Accesses of the run that they stand for, with the lines of ranges. */
export let encodedAccesses: u64 = 0;
/** A tag with a run, a site, an address and a length, or an event; and room behind for a store of 8 bytes. */
const RECORD_BYTES: usize = 64;
let out: usize = 0;

/** Sites of the process by return address and kind: number + 1, in a table of a power of two. */
let index: usize = 0;
let indexMask: u32 = 0;
let process: usize = 0;

/** PL_MISS_* by successor (next, alternate, explicit) and address (W_*); next and primary is a hit. */
const missOf: StaticArray<u8> = [0xff, 0, 1, 3, 2, 6, 4, 4, 5, 7, 7, 7];

/** One import encodes one process: makes it, once. */
export function encoderStart(): void {
  encodePc = heap.alloc(BATCH * 8);
  encodeAddress = heap.alloc(BATCH * 8);
  encodeKind = heap.alloc(BATCH * 2);
  encodeLength = heap.alloc(BATCH * 8);
  encoded = heap.alloc(<usize>(BATCH + 4) * RECORD_BYTES);
  out = encoded;
  process = processCreate();
  indexMask = 1023;
  index = zeroed(1024 * 4);
}

/** A stream of the process. Returns a handle. */
export function encoderStream(): usize {
  return decoderCreate(process);
}

/** Sites that the process has so far, and their columns: u64[] and u8[]. */
export function encoderSiteCount(): u32 {
  return load<u32>(process, P_COUNT);
}
export function encoderSitePcs(): usize {
  return load<usize>(process, P_PC);
}
export function encoderSiteKinds(): usize {
  return load<usize>(process, P_KIND);
}

/** Bytes since the last call; they stay until the next `encode`. */
export function encoderTake(): u32 {
  const bytes = <u32>(out - encoded);
  out = encoded;
  return bytes;
}

function indexOf(pc: u64, kind: u32): u32 {
  return <u32>(((pc ^ ((<u64>kind) << 56)) * 0x9e3779b97f4a7c15) >> 32);
}

function indexGrow(): void {
  const mask = (indexMask << 1) | 1;
  const table = zeroed((<usize>mask + 1) << 2);
  const count = load<u32>(process, P_COUNT);
  for (let number: u32 = 0; number < count; number++) {
    const pc = load<u64>(load<usize>(process, P_PC) + ((<usize>number) << 3));
    let at = indexOf(pc, load<u8>(load<usize>(process, P_KIND) + number)) & mask;
    while (load<u32>(table + ((<usize>at) << 2))) at = (at + 1) & mask;
    store<u32>(table + ((<usize>at) << 2), number + 1);
  }
  heap.free(index);
  index = table;
  indexMask = mask;
}

const newPc: usize = heap.alloc(8);
const newKind: usize = heap.alloc(8);
const newSite: usize = heap.alloc(8);

/** Number of the site with this pc and kind, which becomes one with its first use. */
function siteNumber(pc: u64, kind: u32): u32 {
  let at = indexOf(pc, kind) & indexMask;
  while (true) {
    const known = load<u32>(index + ((<usize>at) << 2));
    if (!known) break;
    const number = known - 1;
    if (
      load<u64>(load<usize>(process, P_PC) + ((<usize>number) << 3)) == pc &&
      <u32>load<u8>(load<usize>(process, P_KIND) + number) == kind
    )
      return number;
    at = (at + 1) & indexMask;
  }
  const number = load<u32>(process, P_COUNT);
  store<u32>(index + ((<usize>at) << 2), number + 1);
  store<u64>(newPc, pc);
  store<u16>(newKind, <u16>kind);
  store<u32>(newSite, number);
  processAddSites(process, number, 1, newPc, newKind, newSite);
  if ((number + 1) << 1 > indexMask) indexGrow();
  return number;
}

function zigzag(value: u64): u64 {
  return (value << 1) ^ <u64>(<i64>value >> 63);
}

function byte(value: u32): void {
  store<u8>(out++, <u8>value);
}

function varint(value: u64): void {
  while (value >= 0x80) {
    byte((<u32>value & 0x7f) | 0x80);
    value >>= 7;
  }
  byte(<u32>value);
}

/** A missed step's tag, with the hits before it. */
function tag(stream: usize, miss: u32): void {
  const run = load<u32>(stream, D_RUN);
  if (run < RUN_BYTE) {
    byte((run << 3) | miss);
  } else if (run < RUN_BYTE + 256) {
    byte((RUN_BYTE << 3) | miss);
    byte(run - RUN_BYTE);
  } else {
    byte((RUN_VARINT << 3) | miss);
    varint(run);
  }
  store<u32>(stream, 0, D_RUN);
}

function special(stream: usize, kind: u32): void {
  byte((RUN_SPECIAL << 3) | kind);
  varint(load<u32>(stream, D_RUN));
  store<u32>(stream, 0, D_RUN);
}

/** The address as a difference to the nearest of up to four bases: explicit_address of encode.c. */
function explicitAddress(s: usize, address: u64): void {
  let base = s;
  let best: u32 = 0;
  let delta = address - load<u64>(s, S_LAST);
  for (let i: u32 = 0; i < 3; i++) {
    const other = load<usize>(s + ((<usize>i) << 2), S_EARLIER);
    const otherDelta = address - load<u64>(other, S_LAST);
    if (zigzag(otherDelta) >= zigzag(delta)) continue;
    base = other;
    best = i + 1;
    delta = otherDelta;
  }
  const shift: u32 = delta != 0 && !(delta & 7) ? 1 : 0;
  const value = zigzag(shift ? <u64>(<i64>delta >> 3) : delta);
  const rest = value >> 2;
  let bytes = <u32>((70 - clz((rest << 1) | 1)) >> 3);
  if (bytes == 7) bytes = 8;
  byte(best | (shift << 2) | (min<u32>(bytes, 7) << 3) | ((<u32>value & 3) << 6));
  store<u64>(out, rest);
  out += bytes;
  if (load<u8>(s, S_SEEN)) {
    store<usize>(s, base, S_ALTERNATE_BASE);
    store<u64>(s, delta, S_ALTERNATE_DELTA);
  } else {
    store<usize>(s, base, S_BASE);
    store<u64>(s, best ? delta : 0, S_DELTA);
    store<usize>(s, s, S_ALTERNATE_BASE);
    store<u64>(s, 0, S_ALTERNATE_DELTA);
  }
}

/** Where the followers' table has what came after the site's last address. */
function followerOf(stream: usize, s: usize): usize {
  const key = load<u64>(s, S_LAST) ^ ((<u64>load<u32>(s, S_NUMBER)) << 40);
  return load<usize>(stream, D_FOLLOWERS) + <usize>(((key * 0x9e3779b97f4a7c15) >> (64 - FOLLOWER_BITS)) << 3);
}

/** A function's entry or exit: a step without an address. */
function frame(stream: usize, s: usize, entry: bool): void {
  const before = load<usize>(stream, D_BEFORE);
  if (load<usize>(before, S_NEXT) == s) {
    store<u32>(stream, load<u32>(stream, D_RUN) + 1, D_RUN);
  } else {
    const alternate = load<usize>(before, S_ALTERNATE) == s;
    tag(stream, unchecked(missOf[((alternate ? 1 : 2) << 2) | W_PRIMARY]));
    if (!alternate) varint(zigzag(<u64>load<u32>(s, S_NUMBER) - <u64>load<u32>(before, S_NUMBER)));
    trainSuccessor(before, s, alternate);
  }
  if (entry) pushFrame(stream, s);
  store<usize>(stream, entry ? s : popFrame(stream, s), D_BEFORE);
}

/** One step, an access (length 0) or a range. */
function step(stream: usize, s: usize, address: u64, length: u64): void {
  const before = load<usize>(stream, D_BEFORE);
  const successor: u32 = load<usize>(before, S_NEXT) == s ? 0 : load<usize>(before, S_ALTERNATE) == s ? 1 : 2;
  const follower = followerOf(stream, s);
  let where = W_EXPLICIT;
  if (!load<u8>(s, S_SEEN) || (length && length != load<u64>(s, S_LENGTH))) where = W_EXPLICIT;
  else if (load<u64>(load<usize>(s, S_BASE), S_LAST) + load<u64>(s, S_DELTA) == address) where = W_PRIMARY;
  else if (load<u64>(load<usize>(s, S_ALTERNATE_BASE), S_LAST) + load<u64>(s, S_ALTERNATE_DELTA) == address)
    where = W_ALTERNATE;
  else if (load<u64>(follower) == address) where = W_FOLLOWER;
  store<usize>(stream, s, D_BEFORE);
  if (successor == 0 && where == W_PRIMARY) {
    store<u64>(s, address, S_LAST);
    store<u32>(stream, load<u32>(stream, D_RUN) + 1, D_RUN);
    return;
  }
  tag(stream, unchecked(missOf[(successor << 2) | where]));
  if (successor == 2) varint(zigzag(<u64>load<u32>(s, S_NUMBER) - <u64>load<u32>(before, S_NUMBER)));
  if (successor) trainSuccessor(before, s, successor == 1);
  if (where == W_EXPLICIT) {
    explicitAddress(s, address);
    store<u64>(follower, address);
    if (length) {
      varint(zigzag(length - load<u64>(s, S_LENGTH)));
      store<u64>(s, length, S_LENGTH);
    }
  } else if (where == W_ALTERNATE) {
    if (successor == 2) byte(ADDRESS_ALTERNATE);
    alternateAddress(s);
  } else if (where == W_FOLLOWER && successor) {
    byte(ADDRESS_FOLLOWER);
  }
  store<u64>(s, address, S_LAST);
  if (where != W_PRIMARY) store<u64>(s, address, S_MISS_LAST);
  store<u8>(s, 1, S_SEEN);
}

/**
 * Encodes rows `from` to `to` of the batch: accesses, bulk operations, function entries and exits. Returns the row that it stopped at: `to`, or earlier where a stamp is due
 * (`encoderStamp`).
 */
export function encode(stream: usize, from: u32, to: u32): u32 {
  let steps = load<u32>(stream, D_STEPS);
  let row = from;
  for (; row < to && steps < <u32>STEPS_MAX; row++) {
    const kind = <u32>load<u16>(encodeKind + ((<usize>row) << 1));
    const pc = load<u64>(encodePc + ((<usize>row) << 3));
    steps++;
    if (<i32>kind == SITE_ENTRY) siteNumber(pc, SITE_CALL);
    if (<i32>kind == SITE_ENTRY || <i32>kind == SITE_EXIT) {
      frame(stream, siteAt(stream, siteNumber(pc, kind)), <i32>kind == SITE_ENTRY);
      continue;
    }
    const address = load<u64>(encodeAddress + ((<usize>row) << 3));
    const range = <i32>(kind & SITE_CLASS_MASK) >= SITE_RANGE_READ;
    const length = range ? load<u64>(encodeLength + ((<usize>row) << 3)) : 0;
    step(stream, siteAt(stream, siteNumber(pc, kind)), address, length);
    encodedAccesses += range ? ((address + length - 1) >> 6) - (address >> 6) + 1 : 1;
  }
  store<u32>(stream, steps, D_STEPS);
  return row;
}

/** `seq` must be above the stream's latest. */
export function encoderStamp(stream: usize, seq: u64): void {
  special(stream, SPECIAL_STAMP);
  varint(seq - load<u64>(stream, D_SEQ));
  store<u64>(stream, seq, D_SEQ);
  store<u32>(stream, 0, D_STEPS);
}

function difference(stream: usize, field: usize, value: u64): void {
  const at = stream + field;
  varint(zigzag(value - load<u64>(at)));
  store<u64>(at, value);
}

/** An event as abi.ts tells of it, `seq` 0 or above the stream's latest; `c` of ALLOC and MAP: a return address or 0. */
export function encoderEvent(stream: usize, kind: u32, seq: u64, a: u64, b: u64, c: u64, d: u64): void {
  const called = kind == EVENT_ALLOC || kind == EVENT_MAP;
  const call: u64 = called && c ? <u64>siteNumber(c, SITE_CALL) + 1 : 0;
  special(stream, SPECIAL_EVENT);
  byte(kind);
  varint(seq ? seq - load<u64>(stream, D_SEQ) : 0);
  if (seq) store<u64>(stream, seq, D_SEQ);
  if (kind == EVENT_THREAD_EXIT || kind == EVENT_EXEC) return;
  difference(stream, D_EVENT_A, a);
  const wide = called || kind == EVENT_REMAP;
  const three = wide || kind == EVENT_THREAD_START || kind == EVENT_SYSCALL || kind == EVENT_MARK;
  if (three || kind == EVENT_UNMAP || kind == EVENT_KERNEL_WRITE) difference(stream, D_EVENT_B, b);
  if (called) varint(call);
  else if (three) difference(stream, D_EVENT_C, c);
  if (wide) varint(d);
}

/** An exception left this many calls. */
export function encoderUnwind(stream: usize, frames: u32): void {
  special(stream, SPECIAL_UNWIND);
  const dropped = min<u32>(frames, load<u32>(stream, D_DEPTH));
  varint(dropped);
  store<u32>(stream, load<u32>(stream, D_DEPTH) - dropped, D_DEPTH);
}

/** The stream ends: the hits that no record holds yet. */
export function encoderEnd(stream: usize): void {
  if (load<u32>(stream, D_RUN)) special(stream, SPECIAL_HITS);
}
