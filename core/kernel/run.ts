/**
 * The counting half: replay of one stream until the host is needed. Decodes a batch, counts it, tells the machine half of
 * it (outbox.ts), and handles what happens between accesses.
 *
 * Batches never cross an epoch's end or a multiple of QUANTUM accesses of the run, so no figure depends on how the
 * trace was cut into blocks. An event with a sequence number begins a segment (design 7): when another stream's turn
 * comes first, it stays pending until this stream runs again.
 */
import {
  ALLOC_BRK,
  ALLOC_MMAP,
  BATCH,
  EVENT_ALLOC,
  EVENT_BRK,
  EVENT_EXEC,
  EVENT_FORK,
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
  MAPPING_END,
  MAPPING_FORK,
  MAPPING_MAP,
  MAPPING_UNMAP,
  MARK_PHASE,
  MARK_REGION_BEGIN,
  MARK_REGION_END,
  MARK_TAG,
  QUANTUM,
  SLICE,
  STOP_ERROR,
  STOP_EVENT,
  STOP_INPUT,
} from './abi';
import { enlarge, take } from './arena';
import {
  addStack,
  allocBlock,
  endProcess,
  fileObject,
  forkProcess,
  freeBlock,
  mapRange,
  markName,
  remapRange,
  removeStack,
  setBreak,
  tagMemory,
  unmapRange,
} from './blocks';
import { countBatch, touchAddress } from './count';
import { batchCount, decode, eventA, eventB, eventC, eventD, eventKind, eventSeq, processCreate } from './decode';
import {
  doubleEpochs,
  endEpoch,
  epochLength,
  epochOpen,
  keepsLength,
  mustDouble,
  recountWorkingSets,
  widenFullBins,
} from './heat';
import { countBlock, KIND_ANONYMOUS, KIND_HEAP, NONE, stackObject } from './objects';
import {
  closeBatch,
  flushOutbox,
  openBatch,
  postDouble,
  postEpoch,
  postMapping,
  postSynchronise,
  postSystemCall,
  postVcpu,
  postVcpuEnd,
  postWiden,
} from './outbox';
import {
  ADDRESS_MASK,
  PROCESS_BRK,
  PROCESS_DECODER,
  PROCESS_INDEX,
  PROCESS_PHASE,
  pageShift,
  processRecord,
} from './pages';
import { sumPairsBySite } from './pairs';
import { beginPhase, beginRegion, closeRegions, endRegion, enterRegion, openRegions, touchedIn } from './regions';
import { closeTimeBin, doubleEpochsOfTimes, timeBinFull, timeBinOpen, timeBinsMustWiden, widenTimeBins } from './times';

// Why `run` returned.
/** The stream needs its next block, or is at its end. */
export const RUN_INPUT = 0;
/** An event with `stampSeq` at or above the limit is next: another stream's turn. */
export const RUN_TURN = 1;
/** A multiple of SLICE accesses was reached. */
export const RUN_SLICE = 2;
/** The process forked: `forkedProcess` is the child's number. */
export const RUN_FORK = 3;
/** The process called exec and ended. */
export const RUN_EXEC = 4;
/** The stream is damaged; `decodeErrorOffset` of the decoder says where. */
export const RUN_ERROR = 5;
/** The thread, or the signal handler, ended. */
export const RUN_EXIT = 6;

/** A system call transfers at most 0x7ffff000 bytes (read(2)). */
const TRANSFER_MAX: u64 = 0x7fff_f000;

export let stampSeq: u64 = 0;
export let forkedProcess: u32 = 0;
export let systemCalls: u64 = 0;
/** Accesses of the run, and of the running epoch. */
export let accesses: u64 = 0;
let epochAccesses: u64 = 0;

/** Announces process number `process`; returns the decoder's process, which takes its sites. */
export function processStart(process: u32): usize {
  const record = processRecord(process);
  if (!load<u32>(record, PROCESS_DECODER)) store<u32>(record, <u32>processCreate(), PROCESS_DECODER);
  return load<u32>(record, PROCESS_DECODER);
}

// Processes of the vCPUs.
let vcpuProcess: usize = 0;
let vcpuCapacity: u32 = 0;
let vcpus: u32 = 0;

/** A recorded thread of process number `process`: the dense number of its vCPU, the handle for the functions below. */
export function threadCreate(process: u32): u32 {
  const vcpu = vcpus++;
  postVcpu(process);
  if (vcpu >= vcpuCapacity) {
    let larger: u32 = vcpuCapacity ? vcpuCapacity * 2 : 64;
    while (larger <= vcpu) larger *= 2;
    vcpuProcess = enlarge(vcpuProcess, vcpuCapacity << 2, larger << 2);
    vcpuCapacity = larger;
  }
  store<u32>(vcpuProcess + (vcpu << 2), <u32>processRecord(process));
  return vcpu;
}

// Stream record.
const STREAM_DECODER = 0;
const STREAM_VCPU = 4;
const STREAM_THREAD = 8;
/** 1: a signal handler's stream, which runs on another thread's stack. */
const STREAM_SIGNAL = 12;
/** An event was decoded but not handled. */
const STREAM_PENDING = 16;
const STREAM_A = 24;
const STREAM_B = 32;
const STREAM_C = 40;
const STREAM_D = 48;
const STREAM_SEQ = 56;
const STREAM_LOW = 64;
const STREAM_HIGH = 72;
/** The regions that its thread has open (regions.ts); 0 before its first mark. */
const STREAM_REGIONS = 80;
const STREAM_BYTES = 88;

/** A stream: its decoder, the vCPU that runs it, the number by which its stack object is known. */
export function streamCreate(decoder: usize, vcpu: u32, thread: u32, signal: bool): usize {
  const stream = take(STREAM_BYTES);
  store<u32>(stream, <u32>decoder, STREAM_DECODER);
  store<u32>(stream, vcpu, STREAM_VCPU);
  store<u32>(stream, thread, STREAM_THREAD);
  store<u32>(stream, signal ? 1 : 0, STREAM_SIGNAL);
  return stream;
}

function processOf(vcpu: u32): usize {
  return load<u32>(vcpuProcess + (vcpu << 2));
}

/** Accesses that the next batch may have: to the end of the epoch, of the quantum, of the columns. */
export function batchLimit(): u32 {
  const toEpoch = epochLength - epochAccesses;
  const toQuantum = <u64>QUANTUM - (accesses % QUANTUM);
  return <u32>min(min(toEpoch, toQuantum), <u64>BATCH);
}

/** Replays the first `n` accesses (at most `batchLimit`) of the batch columns on the vCPU. */
export function replayBatch(vcpu: u32, n: u32): void {
  replayIn(0, vcpu, n);
}

/** The same in a region, or outside all (0). */
function replayIn(region: u32, vcpu: u32, n: u32): void {
  if (!n) return;
  const touches = openBatch();
  const count = countBatch(processOf(vcpu), n, touches);
  if (region) touchedIn(region, touches, count);
  closeBatch(vcpu, n, count);
  accesses += n;
  epochAccesses += n;
  if (epochAccesses == epochLength) closeEpoch();
}

function closeEpoch(): void {
  epochAccesses = 0;
  postEpoch();
  // The machine's clock is the machine's: here, epochs have no time.
  endEpoch(0);
  if (keepsLength()) widenFullBins();
  if (timeBinFull()) closeBin();
  while (mustDouble()) {
    postDouble();
    doubleEpochs();
    recountWorkingSets();
    doubleEpochsOfTimes();
  }
}

function closeBin(): void {
  sumPairsBySite();
  closeTimeBin();
  while (timeBinsMustWiden()) {
    postWiden();
    widenTimeBins();
  }
}

/** Ends the last epoch. After the last access. */
export function finishRun(): void {
  closeRegions(accesses);
  if (epochAccesses || epochOpen()) closeEpoch();
  if (timeBinOpen()) {
    sumPairsBySite();
    closeTimeBin();
  }
  flushOutbox();
}

/** Replays the stream; returns a RUN_*. Events with a sequence number below `limit` are handled inside. */
export function run(stream: usize, limit: u64): i32 {
  const decoder = <usize>load<u32>(stream, STREAM_DECODER);
  const vcpu = load<u32>(stream, STREAM_VCPU);
  const pending = load<u32>(stream, STREAM_PENDING);
  if (pending) {
    const seq = load<u64>(stream, STREAM_SEQ);
    if (seq >= limit) {
      stampSeq = seq;
      return RUN_TURN;
    }
    store<u32>(stream, 0, STREAM_PENDING);
    if (seq) postSynchronise(vcpu);
    const stop = handle(
      stream,
      pending,
      load<u64>(stream, STREAM_A),
      load<u64>(stream, STREAM_B),
      load<u64>(stream, STREAM_C),
      load<u64>(stream, STREAM_D),
    );
    if (stop >= 0) return stop;
  }
  while (true) {
    const phase = <usize>load<u32>(processOf(vcpu), PROCESS_PHASE);
    const region = enterRegion(decoder, load<u32>(stream, STREAM_REGIONS), phase);
    const stop = decode(decoder, batchLimit());
    replayIn(region, vcpu, batchCount);
    const slice = batchCount > 0 && accesses % SLICE == 0;
    if (stop == STOP_EVENT) {
      if (slice || eventSeq >= limit) {
        store<u32>(stream, eventKind, STREAM_PENDING);
        store<u64>(stream, eventA, STREAM_A);
        store<u64>(stream, eventB, STREAM_B);
        store<u64>(stream, eventC, STREAM_C);
        store<u64>(stream, eventD, STREAM_D);
        store<u64>(stream, eventSeq, STREAM_SEQ);
        stampSeq = eventSeq;
        return slice ? RUN_SLICE : RUN_TURN;
      }
      if (eventSeq) postSynchronise(vcpu);
      const reason = handle(stream, eventKind, eventA, eventB, eventC, eventD);
      if (reason >= 0) return reason;
    } else if (stop == STOP_ERROR) return RUN_ERROR;
    else if (slice) return RUN_SLICE;
    else if (stop == STOP_INPUT) return RUN_INPUT;
  }
}

/** Handles an event; returns a RUN_* when the host must know, else -1. */
function handle(stream: usize, kind: u32, a: u64, b: u64, c: u64, d: u64): i32 {
  const vcpu = load<u32>(stream, STREAM_VCPU);
  const decoder = <usize>load<u32>(stream, STREAM_DECODER);
  const process = processOf(vcpu);
  const names = <usize>load<u32>(process, PROCESS_DECODER);
  switch (kind) {
    case EVENT_STAMP:
      postSynchronise(vcpu);
      break;
    case EVENT_ALLOC:
      allocBlock(process, a, b, stackObject(KIND_HEAP, <u32>d, names, decoder, c));
      break;
    case EVENT_FREE:
      freeBlock(process, a);
      break;
    case EVENT_MAP: {
      const object = d ? fileObject(process, d - 1) : stackObject(KIND_ANONYMOUS, ALLOC_MMAP, names, decoder, c);
      countBlock(object);
      mapRange(process, a, b, object, 0);
      mapped(process, a, b);
      break;
    }
    case EVENT_UNMAP:
      unmapRange(process, a, b);
      unmapped(process, a, b);
      break;
    case EVENT_REMAP:
      remapRange(process, a, b, c, d);
      unmapped(process, a, b);
      mapped(process, c, d);
      break;
    case EVENT_BRK: {
      const old = load<u64>(process, PROCESS_BRK);
      const end = a & ADDRESS_MASK;
      setBreak(process, end, stackObject(KIND_ANONYMOUS, ALLOC_BRK, names, decoder, 0));
      if (old && end > old) mapped(process, old, end - old);
      else if (end < old) unmapped(process, end, old - end);
      break;
    }
    case EVENT_THREAD_START:
      if (load<u32>(stream, STREAM_SIGNAL)) break;
      store<u64>(stream, a, STREAM_LOW);
      store<u64>(stream, b, STREAM_HIGH);
      addStack(process, a, b, load<u32>(stream, STREAM_THREAD));
      break;
    case EVENT_THREAD_EXIT:
      removeStack(process, load<u64>(stream, STREAM_LOW), load<u64>(stream, STREAM_HIGH));
      // A signal handler's stream shares its thread's vCPU.
      if (!load<u32>(stream, STREAM_SIGNAL)) postVcpuEnd(vcpu);
      return RUN_EXIT;
    case EVENT_SYSCALL:
      systemCalls++;
      postSystemCall(vcpu);
      break;
    case EVENT_KERNEL_WRITE: {
      if (!b) break;
      const first = (a & ADDRESS_MASK) >> pageShift;
      const last = min((a & ADDRESS_MASK) + min(b, TRANSFER_MAX) - 1, ADDRESS_MASK) >> pageShift;
      for (let number = first; number <= last; number++) touchAddress(process, number << pageShift);
      break;
    }
    case EVENT_MARK:
      mark(stream, process, <u32>a, markName(process, b), c);
      break;
    case EVENT_FORK: {
      forkedProcess = <u32>a;
      const child = processRecord(<u32>a);
      forkProcess(process, child);
      postMapping(<u32>a, MAPPING_FORK, load<u32>(process, PROCESS_INDEX), 0);
      return RUN_FORK;
    }
    case EVENT_EXEC:
      endProcess(process);
      postMapping(load<u32>(process, PROCESS_INDEX), MAPPING_END, 0, 0);
      postVcpuEnd(vcpu);
      return RUN_EXEC;
  }
  return -1;
}

/** What the program says of itself; one whose name was never told says nothing. */
function mark(stream: usize, process: usize, kind: u32, name: u32, address: u64): void {
  if (name == NONE) return;
  if (kind == MARK_TAG) tagMemory(process, address, name);
  else if (kind == MARK_PHASE)
    store<u32>(process, <u32>beginPhase(load<u32>(process, PROCESS_PHASE), name, accesses), PROCESS_PHASE);
  else if (kind == MARK_REGION_BEGIN || kind == MARK_REGION_END) {
    if (!load<u32>(stream, STREAM_REGIONS)) store<u32>(stream, <u32>openRegions(), STREAM_REGIONS);
    const open = <usize>load<u32>(stream, STREAM_REGIONS);
    if (kind == MARK_REGION_BEGIN) beginRegion(open, name, accesses);
    else endRegion(open, name, accesses);
  }
}

/** Tells the machine half of a mapping: the pages that it covers, also in part. */
function mapped(process: usize, address: u64, length: u64): void {
  const start = address & ADDRESS_MASK;
  if (!length) return;
  const first = start >> pageShift;
  const last = (start + min(length, ADDRESS_MASK + 1 - start) - 1) >> pageShift;
  postMapping(load<u32>(process, PROCESS_INDEX), MAPPING_MAP, first, last - first + 1);
}

/** Tells the machine half of the end of a mapping: the whole pages in it. */
function unmapped(process: usize, address: u64, length: u64): void {
  const start = address & ADDRESS_MASK;
  const first = (start + (1 << pageShift) - 1) >> pageShift;
  const end = (start + min(length, ADDRESS_MASK + 1 - start)) >> pageShift;
  if (end > first) postMapping(load<u32>(process, PROCESS_INDEX), MAPPING_UNMAP, first, end - first);
}
