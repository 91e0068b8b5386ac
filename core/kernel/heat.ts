/**
 * Epochs: who was touched when. Per epoch the working set and its changes, and one heat row per page and bin.
 *
 * Both halves keep epochs, each of its own two counters a page: reads and writes in the counting half, fills and
 * write-backs in the machine half. The counting half decides when an epoch ends and when epochs double.
 *
 * With a given epoch length, epochs keep it and the heat's bins widen (HeatTable.epochsPerBin) when the rows would pass
 * their limit. Without one, epochs start short and double: whenever EPOCHS_MAX are full, or the rows pass their limit,
 * neighbours merge in pairs. All figures of merged epochs are recomputed from rows, so they are what a run with the
 * longer epochs from the start would have given.
 */
import { enlarge, FAIL_EPOCHS, fail, take } from './arena';
import { ENTRY_READS, ENTRY_TOTAL_READS, ENTRY_TOTAL_WRITES, ENTRY_WRITES } from './pages';

const EPOCH_START: u64 = 16384;
const EPOCHS_MAX: u32 = 512;
/** Counters of an epoch are 32 bits wide, so epochs end growing here. */
const EPOCH_LENGTH_MAX: u64 = 1 << 31;
/** Epochs of a given length, at most: their columns would otherwise exhaust memory. */
const EPOCHS_FIXED_MAX: u32 = 1 << 21;

// Epoch record, 64 bytes, all u64 but the time (f64). Sums of the two counters, then the pages: in all, with the first
// counter, with the second; and those that the epoch before did not touch.
const EPOCH_STRIDE = 64;
const E_FIRST = 0;
const E_SECOND = 8;
const E_END = 16;
const E_PAGES = 24;
const E_PAGES_FIRST = 32;
const E_PAGES_SECOND = 40;
const E_ENTERED = 48;
/** First heat row of the bin that begins with this epoch (only where one does). */
const E_ROW = 56;

let epochs: usize = 0;
let epochCapacity: u32 = 0;
export let epochCount: u32 = 0;
/** Length of an epoch in accesses. */
export let epochLength: u64 = EPOCH_START;
export let epochsPerBin: u32 = 1;
let fixedLength: bool = false;
let rowLimit: u32 = 6_000_000;
let epochsMax: u32 = EPOCHS_MAX;

// Heat row, 12 bytes: page and its two counters; in chunks that never move.
const ROW_STRIDE = 12;
const ROW_SHIFT = 14;
const ROW_MASK = (1 << ROW_SHIFT) - 1;
let rowChunks: usize = 0;
let rowChunksCapacity: u32 = 0;
let rowChunksCount: u32 = 0;
export let rowCount: u32 = 0;
/** First row of the open bin. */
let binStart: u32 = 0;

// What each page did, 32 bytes: apart from the page records and small, because random accesses come back to it from every
// side.
const NOW_SHIFT = 5;
/** Number (from 1) of the epoch that touched it last. */
const NOW_EPOCH = 0;
/** Its row in the bin being built. Checked against the row itself, so never cleared. */
const NOW_ROW = 4;
/** Its counters in the running epoch (u32), and of finished epochs (u64). */
const NOW_FIRST = 8;
const NOW_SECOND = 12;
const NOW_TOTAL_FIRST = 16;
const NOW_TOTAL_SECOND = 24;
let nows: usize = 0;
let nowCapacity: u32 = 0;

// What the running epoch touched: lists that grow. Entries (u32 address, u32 page), and pages.
let entryList: usize = 0;
let entryListCapacity: u32 = 0;
let entryListCount: u32 = 0;
let pageList: usize = 0;
let pageListCapacity: u32 = 0;
let pageListCount: u32 = 0;
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

/** Records of all pages, in steps of 32 bytes; u64[2] at 16: the page's counters. After the last epoch. */
export function pageCounts(): usize {
  return nows;
}

/** The run has `count` pages now. */
export function roomForPages(count: u32): void {
  if (count <= nowCapacity) return;
  let larger: u32 = nowCapacity ? nowCapacity * 2 : 4096;
  while (larger < count) larger *= 2;
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

/** Adds one to a counter of a page: the first (0) or the second (1). */
export function countPage(page: u32, counter: u32): void {
  pageFirstInEpoch(page);
  const at = pageNow(page) + (counter << 2);
  store<u32>(at, load<u32>(at, NOW_FIRST) + 1, NOW_FIRST);
}

/** Ends the running epoch, at `ns` of modelled time. */
export function endEpoch(ns: f64): void {
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
  store<f64>(record, ns, E_END);
  countsOfEntries();
  countsOfPages(record);
  epochCount++;
}

/** From entries to their pages. */
function countsOfEntries(): void {
  for (let i: u32 = 0; i < entryListCount; i++) {
    const entry = <usize>load<u32>(entryList + (i << 3));
    const p = pageNow(load<u32>(entryList + (i << 3), 4));
    const reads = load<u32>(entry, ENTRY_READS);
    const writes = load<u32>(entry, ENTRY_WRITES);
    store<u64>(entry, load<u64>(entry, ENTRY_TOTAL_READS) + reads, ENTRY_TOTAL_READS);
    store<u64>(entry, load<u64>(entry, ENTRY_TOTAL_WRITES) + writes, ENTRY_TOTAL_WRITES);
    store<u64>(entry, 0, ENTRY_READS);
    store<u32>(p, load<u32>(p, NOW_FIRST) + reads, NOW_FIRST);
    store<u32>(p, load<u32>(p, NOW_SECOND) + writes, NOW_SECOND);
  }
  entryListCount = 0;
}

/** From the listed pages to their totals, to the epoch, and to rows of the open bin. */
function countsOfPages(record: usize): void {
  let pagesFirst: u32 = 0;
  let pagesSecond: u32 = 0;
  let sumFirst: u64 = 0;
  let sumSecond: u64 = 0;
  for (let i: u32 = 0; i < pageListCount; i++) {
    const page = load<u32>(pageList + (i << 2));
    const now = pageNow(page);
    const first = load<u32>(now, NOW_FIRST);
    const second = load<u32>(now, NOW_SECOND);
    store<u64>(now, 0, NOW_FIRST);
    store<u64>(now, load<u64>(now, NOW_TOTAL_FIRST) + first, NOW_TOTAL_FIRST);
    store<u64>(now, load<u64>(now, NOW_TOTAL_SECOND) + second, NOW_TOTAL_SECOND);
    if (first) pagesFirst++;
    if (second) pagesSecond++;
    sumFirst += first;
    sumSecond += second;
    addRow(page, first, second);
  }
  store<u64>(record, load<u64>(record, E_FIRST) + sumFirst, E_FIRST);
  store<u64>(record, load<u64>(record, E_SECOND) + sumSecond, E_SECOND);
  store<u64>(record, pageListCount, E_PAGES);
  store<u64>(record, pagesFirst, E_PAGES_FIRST);
  store<u64>(record, pagesSecond, E_PAGES_SECOND);
  store<u64>(record, entered, E_ENTERED);
  pageListCount = 0;
  entered = 0;
}

/** What was counted behind the last epoch's border goes into that epoch. In the machine half, which has no page sets. */
export function foldLateCounts(): void {
  if (pageListCount && epochCount) countsOfPages(epochRecord(epochCount - 1));
}

/** Widens the bins until their rows are within the limit. */
export function widenFullBins(): void {
  while (rowCount > rowLimit && epochsPerBin < epochCount) widenBins();
}

/** Whether epochs chosen from the run must double now. */
export function mustDouble(): bool {
  if (fixedLength || epochCount < 2 || epochCount % 2 != 0 || epochLength >= EPOCH_LENGTH_MAX) return false;
  return epochCount == epochsMax || rowCount > rowLimit;
}

/** Whether epochs keep the length that they were given. */
export function keepsLength(): bool {
  return fixedLength;
}

function add32(a: u32, b: u32): u32 {
  const sum = a + b;
  return sum < a ? 0xffff_ffff : sum;
}

/** Adds to the page's row in the open bin (rows binStart .. rowCount), or appends one. Counts saturate at 2^32 - 1. */
function addRow(page: u32, first: u32, second: u32): void {
  const known = load<u32>(pageNow(page), NOW_ROW);
  if (known >= binStart && known < rowCount) {
    const r = heatRow(known);
    if (load<u32>(r) == page) {
      store<u32>(r, add32(load<u32>(r, 4), first), 4);
      store<u32>(r, add32(load<u32>(r, 8), second), 8);
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
  store<u32>(r, page);
  store<u32>(r, first, 4);
  store<u32>(r, second, 8);
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
      addRow(load<u32>(r), load<u32>(r, 4), load<u32>(r, 8));
    }
  }
}

function widenBins(): void {
  mergeBins();
  epochsPerBin *= 2;
}

/** Merges neighbouring epochs in pairs. `recountWorkingSets` or `forgetEpochsOfPages` must follow. */
export function doubleEpochs(): void {
  // Bins of several epochs have merged already.
  if (epochsPerBin > 1) epochsPerBin >>= 1;
  else mergeBins();
  const half = epochCount >> 1;
  for (let epoch: u32 = 0; epoch < half; epoch++) {
    const to = epochRecord(epoch);
    const a = epochRecord(epoch * 2);
    const b = a + EPOCH_STRIDE;
    const first = load<u64>(a, E_FIRST) + load<u64>(b, E_FIRST);
    const second = load<u64>(a, E_SECOND) + load<u64>(b, E_SECOND);
    const row = load<u64>(a, E_ROW);
    store<u64>(to, first, E_FIRST);
    store<u64>(to, second, E_SECOND);
    store<f64>(to, load<f64>(b, E_END), E_END);
    store<u64>(to, row, E_ROW);
  }
  epochCount = half;
  epochLength *= 2;
}

/** Every page counts as not yet touched in any epoch. */
export function forgetEpochsOfPages(): void {
  for (let now = nows, end = nows + ((<usize>nowCapacity) << NOW_SHIFT); now < end; now += 1 << NOW_SHIFT)
    store<u32>(now, 0, NOW_EPOCH);
}

/** Working sets of all epochs from their rows (one bin an epoch), and the pages' last epochs. */
export function recountWorkingSets(): void {
  forgetEpochsOfPages();
  for (let epoch: u32 = 0; epoch < epochCount; epoch++) {
    const to = binRow(epoch + 1, rowCount);
    let pages: u32 = 0;
    let read: u32 = 0;
    let written: u32 = 0;
    let fresh: u32 = 0;
    for (let row = binRow(epoch, rowCount); row < to; row++) {
      const r = heatRow(row);
      pages++;
      if (load<u32>(r, 4)) read++;
      if (load<u32>(r, 8)) written++;
      const p = pageNow(load<u32>(r));
      const last = load<u32>(p, NOW_EPOCH);
      if (last == 0 || last != epoch) fresh++;
      store<u32>(p, epoch + 1, NOW_EPOCH);
    }
    const record = epochRecord(epoch);
    store<u64>(record, pages, E_PAGES);
    store<u64>(record, read, E_PAGES_FIRST);
    store<u64>(record, written, E_PAGES_SECOND);
    store<u64>(record, fresh, E_ENTERED);
  }
}

/** True when the running epoch holds anything. */
export function epochOpen(): bool {
  return entryListCount + pageListCount > 0;
}
