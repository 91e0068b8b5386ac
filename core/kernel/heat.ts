/**
 * Epochs: who was touched when. Per epoch the working set and its changes, and one heat row per page and bin.
 *
 * With a given epoch length, epochs keep it and the heat's bins widen (HeatTable.epochsPerBin) when the rows would pass
 * their limit. Without one, epochs start short and double: whenever EPOCHS_MAX are full, or the rows pass their limit,
 * neighbours merge in pairs. All figures of merged epochs are recomputed from rows, so they are what a run with the
 * longer epochs from the start would have given.
 */
import { enlarge, FAIL_EPOCHS, fail, take } from './arena';
import { modelledNs } from './machine';
import {
  ENTRY_READS,
  ENTRY_TOTAL_READS,
  ENTRY_TOTAL_WRITES,
  ENTRY_WRITES,
  PAGE_TOTAL_READS,
  PAGE_TOTAL_TRAFFIC_READS,
  PAGE_TOTAL_TRAFFIC_WRITES,
  PAGE_TOTAL_WRITES,
  pageCount,
  pageRecord,
} from './pages';
import { addPairTraffic } from './pairs';

const EPOCH_START: u64 = 16384;
const EPOCHS_MAX: u32 = 512;
/** Counters of an epoch are 32 bits wide, so epochs end growing here. */
const EPOCH_LENGTH_MAX: u64 = 1 << 31;
/** Epochs of a given length, at most: their columns would otherwise exhaust memory. */
const EPOCHS_FIXED_MAX: u32 = 1 << 21;

// Epoch record, 80 bytes, all u64 but the time (f64).
const EPOCH_STRIDE = 80;
const E_READS = 0;
const E_WRITES = 8;
const E_TRAFFIC_READS = 16;
const E_TRAFFIC_WRITES = 24;
const E_END = 32;
const E_PAGES = 40;
const E_PAGES_READ = 48;
const E_PAGES_WRITTEN = 56;
const E_ENTERED = 64;
/** First heat row of the bin that begins with this epoch (only where one does). */
const E_ROW = 72;

let epochs: usize = 0;
let epochCapacity: u32 = 0;
export let epochCount: u32 = 0;
/** Length of an epoch in accesses. */
export let epochLength: u64 = EPOCH_START;
export let epochsPerBin: u32 = 1;
let fixedLength: bool = false;
let rowLimit: u32 = 6_000_000;
let epochsMax: u32 = EPOCHS_MAX;

// Heat row, 20 bytes: page | TRAFFIC_ONLY, reads, writes, traffic reads, traffic writes; in chunks that never move.
const ROW_STRIDE = 20;
const ROW_SHIFT = 14;
const ROW_MASK = (1 << ROW_SHIFT) - 1;
/** The page was not touched in this bin: a dirty line of it was written back. */
const TRAFFIC_ONLY: u32 = 0x8000_0000;
let rowChunks: usize = 0;
let rowChunksCapacity: u32 = 0;
let rowChunksCount: u32 = 0;
export let rowCount: u32 = 0;
/** First row of the open bin. */
let binStart: u32 = 0;

// What each page did in the running epoch, 32 bytes of u32: apart from the page records and small, because random
// accesses come back to it from every side.
const NOW_SHIFT = 5;
/** Number (from 1) of the epoch that touched it last. */
const NOW_EPOCH = 0;
/** Its row in the bin being built. Checked against the row itself, so never cleared. */
const NOW_ROW = 4;
const NOW_READS = 8;
const NOW_WRITES = 12;
const NOW_TRAFFIC_READS = 16;
const NOW_TRAFFIC_WRITES = 20;
let nows: usize = 0;
let nowCapacity: u32 = 0;

// What the running epoch touched: lists that grow. Entries (u32 address, u32 page), and pages.
let entryList: usize = 0;
let entryListCapacity: u32 = 0;
let entryListCount: u32 = 0;
let pageList: usize = 0;
let pageListCapacity: u32 = 0;
let pageListCount: u32 = 0;
let trafficList: usize = 0;
let trafficListCapacity: u32 = 0;
let trafficListCount: u32 = 0;
let entered: u32 = 0;

export function epochRecord(epoch: u32): usize {
  return epochs + epoch * EPOCH_STRIDE;
}

export function heatRow(row: u32): usize {
  return <usize>load<u32>(rowChunks + ((row >> ROW_SHIFT) << 2)) + (row & ROW_MASK) * ROW_STRIDE;
}

/** Epochs of `accesses` (1 to 2^31), or 0: chosen from the run. Before the first access. */
export function setEpochLength(accesses: u64): void {
  fixedLength = accesses > 0;
  epochLength = accesses ? (accesses < EPOCH_LENGTH_MAX ? accesses : EPOCH_LENGTH_MAX) : EPOCH_START;
}

/** Other limits than the standing ones, for tests: first epoch length, epochs before doubling (even), heat rows. */
export function setEpochLimits(start: u64, maximum: u32, rows: u32): void {
  if (!fixedLength) epochLength = start;
  epochsMax = maximum;
  rowLimit = rows;
}

function pageNow(page: u32): usize {
  return nows + ((<usize>page) << NOW_SHIFT);
}

/** The run has `count` pages now. */
export function roomForPages(count: u32): void {
  if (count <= nowCapacity) return;
  const larger: u32 = nowCapacity ? nowCapacity * 2 : 4096;
  nows = enlarge(nows, (<usize>nowCapacity) << NOW_SHIFT, (<usize>larger) << NOW_SHIFT);
  nowCapacity = larger;
}

/** Called once a page and epoch at least: at its first touch. */
export function pageFirstInEpoch(page: u32): void {
  const p = pageNow(page);
  const now = epochCount + 1;
  const last = load<u32>(p, NOW_EPOCH);
  if (last == now) return;
  if (last == 0 || last != now - 1) entered++;
  store<u32>(p, now, NOW_EPOCH);
  if (pageListCount == pageListCapacity) {
    const larger: u32 = pageListCapacity ? pageListCapacity * 2 : 4096;
    pageList = enlarge(pageList, pageListCapacity << 2, larger << 2);
    pageListCapacity = larger;
  }
  store<u32>(pageList + (pageListCount++ << 2), page);
}

/** Called when both counters of the entry are 0 and one is about to become 1. */
export function entryFirstInEpoch(entry: usize, page: u32): void {
  if (entryListCount == entryListCapacity) {
    const larger: u32 = entryListCapacity ? entryListCapacity * 2 : 4096;
    entryList = enlarge(entryList, entryListCapacity << 3, larger << 3);
    entryListCapacity = larger;
  }
  const at = entryList + (entryListCount++ << 3);
  store<u32>(at, <u32>entry);
  store<u32>(at, page, 4);
}

/**
 * A 64-byte line that memory served: a fill (`isWrite` 0), charged to the pair that missed, or a write-back (1), charged
 * to the pair that last wrote the line. `page` is the line's page.
 */
export function addTraffic(pair: u32, page: u32, isWrite: u32): void {
  addPairTraffic(pair, isWrite);
  const p = pageNow(page);
  if (load<u32>(p, NOW_EPOCH) != epochCount + 1 && !load<u64>(p, NOW_TRAFFIC_READS)) {
    if (trafficListCount == trafficListCapacity) {
      const larger: u32 = trafficListCapacity ? trafficListCapacity * 2 : 4096;
      trafficList = enlarge(trafficList, trafficListCapacity << 2, larger << 2);
      trafficListCapacity = larger;
    }
    store<u32>(trafficList + (trafficListCount++ << 2), page);
  }
  const counter = p + (isWrite << 2);
  store<u32>(counter, load<u32>(counter, NOW_TRAFFIC_READS) + 1, NOW_TRAFFIC_READS);
}

/** Ends the running epoch. */
export function endEpoch(): void {
  if (epochCount == epochCapacity) {
    const larger: u32 = epochCapacity ? epochCapacity * 2 : 512;
    if (larger > EPOCHS_FIXED_MAX) fail(FAIL_EPOCHS);
    epochs = enlarge(epochs, epochCapacity * EPOCH_STRIDE, larger * EPOCH_STRIDE);
    epochCapacity = larger;
  }
  const record = epochRecord(epochCount);
  memory.fill(record, 0, EPOCH_STRIDE);
  if (epochCount % epochsPerBin == 0) binStart = rowCount;
  store<u64>(record, binStart, E_ROW);

  // 1. From entries to their pages.
  for (let i: u32 = 0; i < entryListCount; i++) {
    const entry = <usize>load<u32>(entryList + (i << 3));
    const p = pageNow(load<u32>(entryList + (i << 3), 4));
    const reads = load<u32>(entry, ENTRY_READS);
    const writes = load<u32>(entry, ENTRY_WRITES);
    store<u64>(entry, load<u64>(entry, ENTRY_TOTAL_READS) + reads, ENTRY_TOTAL_READS);
    store<u64>(entry, load<u64>(entry, ENTRY_TOTAL_WRITES) + writes, ENTRY_TOTAL_WRITES);
    store<u64>(entry, 0, ENTRY_READS);
    store<u32>(p, load<u32>(p, NOW_READS) + reads, NOW_READS);
    store<u32>(p, load<u32>(p, NOW_WRITES) + writes, NOW_WRITES);
  }
  entryListCount = 0;

  // 2. From pages to the epoch and to heat rows.
  let pagesRead: u32 = 0;
  let pagesWritten: u32 = 0;
  for (let i: u32 = 0; i < pageListCount; i++) {
    const page = load<u32>(pageList + (i << 2));
    const p = pageNow(page);
    if (load<u32>(p, NOW_READS)) pagesRead++;
    if (load<u32>(p, NOW_WRITES)) pagesWritten++;
    endPage(record, page, 0);
  }
  for (let i: u32 = 0; i < trafficListCount; i++) {
    const page = load<u32>(trafficList + (i << 2));
    if (load<u32>(pageNow(page), NOW_EPOCH) != epochCount + 1) endPage(record, page, TRAFFIC_ONLY);
  }
  store<u64>(record, pageListCount, E_PAGES);
  store<u64>(record, pagesRead, E_PAGES_READ);
  store<u64>(record, pagesWritten, E_PAGES_WRITTEN);
  store<u64>(record, entered, E_ENTERED);
  store<f64>(record, modelledNs(), E_END);
  pageListCount = 0;
  trafficListCount = 0;
  entered = 0;
  epochCount++;

  // 3. Make room.
  if (fixedLength) {
    while (rowCount > rowLimit && epochsPerBin < epochCount) widenBins();
  } else {
    while (
      (epochCount == epochsMax || rowCount > rowLimit) &&
      epochCount > 1 &&
      epochCount % 2 == 0 &&
      epochLength < EPOCH_LENGTH_MAX
    )
      doubleEpochs();
  }
}

/** Moves the epoch's counts of a page to its totals, to the epoch and to a row of the open bin. */
function endPage(record: usize, page: u32, flag: u32): void {
  const now = pageNow(page);
  const reads = load<u32>(now, NOW_READS);
  const writes = load<u32>(now, NOW_WRITES);
  const trafficReads = load<u32>(now, NOW_TRAFFIC_READS);
  const trafficWrites = load<u32>(now, NOW_TRAFFIC_WRITES);
  store<u64>(now, 0, NOW_READS);
  store<u64>(now, 0, NOW_TRAFFIC_READS);
  const p = pageRecord(page);
  store<u64>(p, load<u64>(p, PAGE_TOTAL_READS) + reads, PAGE_TOTAL_READS);
  store<u64>(p, load<u64>(p, PAGE_TOTAL_WRITES) + writes, PAGE_TOTAL_WRITES);
  store<u64>(p, load<u64>(p, PAGE_TOTAL_TRAFFIC_READS) + trafficReads, PAGE_TOTAL_TRAFFIC_READS);
  store<u64>(p, load<u64>(p, PAGE_TOTAL_TRAFFIC_WRITES) + trafficWrites, PAGE_TOTAL_TRAFFIC_WRITES);
  store<u64>(record, load<u64>(record, E_READS) + reads, E_READS);
  store<u64>(record, load<u64>(record, E_WRITES) + writes, E_WRITES);
  store<u64>(record, load<u64>(record, E_TRAFFIC_READS) + trafficReads, E_TRAFFIC_READS);
  store<u64>(record, load<u64>(record, E_TRAFFIC_WRITES) + trafficWrites, E_TRAFFIC_WRITES);
  addRow(page | flag, reads, writes, trafficReads, trafficWrites);
}

function add32(a: u32, b: u32): u32 {
  const sum = a + b;
  return sum < a ? 0xffff_ffff : sum;
}

/** Adds to the page's row in the open bin (rows binStart .. rowCount), or appends one. Counts saturate at 2^32 - 1. */
function addRow(tagged: u32, reads: u32, writes: u32, trafficReads: u32, trafficWrites: u32): void {
  const page = tagged & ~TRAFFIC_ONLY;
  const known = load<u32>(pageNow(page), NOW_ROW);
  if (known >= binStart && known < rowCount) {
    const r = heatRow(known);
    const held = load<u32>(r);
    if ((held & ~TRAFFIC_ONLY) == page) {
      store<u32>(r, held & tagged);
      store<u32>(r, add32(load<u32>(r, 4), reads), 4);
      store<u32>(r, add32(load<u32>(r, 8), writes), 8);
      store<u32>(r, add32(load<u32>(r, 12), trafficReads), 12);
      store<u32>(r, add32(load<u32>(r, 16), trafficWrites), 16);
      return;
    }
  }
  if ((rowCount & ROW_MASK) == 0 && rowCount >> ROW_SHIFT == rowChunksCount) {
    if (rowChunksCount == rowChunksCapacity) {
      const larger: u32 = rowChunksCapacity ? rowChunksCapacity * 2 : 64;
      rowChunks = enlarge(rowChunks, rowChunksCapacity << 2, larger << 2);
      rowChunksCapacity = larger;
    }
    store<u32>(rowChunks + (rowChunksCount++ << 2), <u32>take(ROW_STRIDE << ROW_SHIFT));
  }
  const r = heatRow(rowCount);
  store<u32>(r, tagged);
  store<u32>(r, reads, 4);
  store<u32>(r, writes, 8);
  store<u32>(r, trafficReads, 12);
  store<u32>(r, trafficWrites, 16);
  store<u32>(pageNow(page), rowCount++, NOW_ROW);
}

/** First row of the bin that starts with epoch `epoch`, or the end of all rows. */
function binRow(epoch: u32, end: u32): u32 {
  return epoch < epochCount ? <u32>load<u64>(epochRecord(epoch), E_ROW) : end;
}

/** Merges neighbouring bins in place: a merged bin never has more rows than its two parts. */
function mergeBins(): void {
  const end = rowCount;
  rowCount = 0;
  for (let epoch: u32 = 0; epoch < epochCount; epoch += epochsPerBin * 2) {
    const from = binRow(epoch, end);
    const to = binRow(epoch + epochsPerBin * 2, end);
    binStart = rowCount;
    store<u64>(epochRecord(epoch), binStart, E_ROW);
    for (let row = from; row < to; row++) {
      const r = heatRow(row);
      addRow(load<u32>(r), load<u32>(r, 4), load<u32>(r, 8), load<u32>(r, 12), load<u32>(r, 16));
    }
  }
}

function widenBins(): void {
  mergeBins();
  epochsPerBin *= 2;
}

function doubleEpochs(): void {
  mergeBins();
  const half = epochCount >> 1;
  for (let epoch: u32 = 0; epoch < half; epoch++) {
    const to = epochRecord(epoch);
    const a = epochRecord(epoch * 2);
    const b = a + EPOCH_STRIDE;
    const row = load<u64>(a, E_ROW);
    for (let field: usize = E_READS; field <= <usize>E_TRAFFIC_WRITES; field += 8)
      store<u64>(to + field, load<u64>(a + field) + load<u64>(b + field));
    store<f64>(to, load<f64>(b, E_END), E_END);
    store<u64>(to, row, E_ROW);
  }
  epochCount = half;
  epochLength *= 2;
  recountWorkingSets();
}

/** Working sets of all epochs from their rows (one bin an epoch), and the pages' last epochs. */
function recountWorkingSets(): void {
  for (let page: u32 = 0; page < pageCount; page++) store<u32>(pageNow(page), 0, NOW_EPOCH);
  for (let epoch: u32 = 0; epoch < epochCount; epoch++) {
    const to = binRow(epoch + 1, rowCount);
    let pages: u32 = 0;
    let read: u32 = 0;
    let written: u32 = 0;
    let fresh: u32 = 0;
    for (let row = binRow(epoch, rowCount); row < to; row++) {
      const r = heatRow(row);
      const page = load<u32>(r);
      if (page & TRAFFIC_ONLY) continue;
      pages++;
      if (load<u32>(r, 4)) read++;
      if (load<u32>(r, 8)) written++;
      const p = pageNow(page);
      const last = load<u32>(p, NOW_EPOCH);
      if (last == 0 || last != epoch) fresh++;
      store<u32>(p, epoch + 1, NOW_EPOCH);
    }
    const record = epochRecord(epoch);
    store<u64>(record, pages, E_PAGES);
    store<u64>(record, read, E_PAGES_READ);
    store<u64>(record, written, E_PAGES_WRITTEN);
    store<u64>(record, fresh, E_ENTERED);
  }
}

/** True when the running epoch holds anything. */
export function epochOpen(): bool {
  return entryListCount + pageListCount + trafficListCount > 0;
}
