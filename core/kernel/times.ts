/**
 * Sites through time: what each site did in each of at most TIME_BINS bins of equally many epochs.
 *
 * Both halves keep bins, each of its own two counters: accesses in the counting half (the second stays 0: a site reads
 * or writes), fills and write-backs in the machine half. The counting half decides when bins widen; epochs that merge in
 * pairs keep the bins where they are, as far as they can.
 */
import { TIME_BINS } from './abi';
import { allocate, enlarge } from './arena';

/** Rows at which bins widen. */
const ROWS_WIDE: u32 = 1 << 18;

// By site, 40 bytes: its two counters of all time as far as they were told (u64), those in closed bins (u64), its row in
// the open bin (u32; checked against the row itself, so never cleared).
const SITE_STRIDE = 40;
const S_FIRST = 0;
const S_SECOND = 8;
const S_OLD_FIRST = 16;
const S_OLD_SECOND = 24;
const S_ROW = 32;
let sites: usize = 0;
let siteCapacity: u32 = 0;
let siteCount: u32 = 0;

// Rows, 24 bytes: site, and its two counters (u64) in the bin.
const ROW_STRIDE = 24;
const ROW_FIRST = 8;
const ROW_SECOND = 16;
let rows: usize = 0;
let rowCapacity: u32 = 0;
export let timeRowCount: u32 = 0;

/** First row of each closed bin (u32[]), and of the one that is being built. */
const starts: usize = allocate((TIME_BINS + 1) << 2);
export let timeBinCount: u32 = 0;
export let epochsPerTimeBin: u32 = 1;
/** Epochs since the last bin closed. */
let openEpochs: u32 = 0;

export function timeRow(row: u32): usize {
  return rows + <usize>row * ROW_STRIDE;
}
/** First row of a bin; of the number of bins: the end of all rows. */
export function timeBinStart(bin: u32): u32 {
  return load<u32>(starts + (bin << 2));
}

function siteAt(site: u32): usize {
  return sites + <usize>site * SITE_STRIDE;
}

/** Forgets what the sites were told to have done; `addToSite` must tell it anew. */
export function beginSums(): void {
  for (let site: u32 = 0; site < siteCount; site++) {
    store<u64>(siteAt(site), 0, S_FIRST);
    store<u64>(siteAt(site), 0, S_SECOND);
  }
}

/** The site did so much in all. May be called several times: the sum counts. */
export function addToSite(site: u32, first: u64, second: u64): void {
  if (site >= siteCount) {
    if (site >= siteCapacity) {
      let larger: u32 = siteCapacity ? siteCapacity * 2 : 1024;
      while (larger <= site) larger *= 2;
      sites = enlarge(sites, <usize>siteCapacity * SITE_STRIDE, <usize>larger * SITE_STRIDE);
      siteCapacity = larger;
    }
    siteCount = site + 1;
  }
  const s = siteAt(site);
  store<u64>(s, load<u64>(s, S_FIRST) + first, S_FIRST);
  store<u64>(s, load<u64>(s, S_SECOND) + second, S_SECOND);
}

/** One more epoch ended. True: a bin is full, so the sums must be told anew, and `closeTimeBin` called. */
export function timeBinFull(): bool {
  return ++openEpochs == epochsPerTimeBin;
}

/** Whether an epoch ended since the last bin closed. */
export function timeBinOpen(): bool {
  return openEpochs > 0;
}

/** Closes a bin with what the sums are more than at the last one. */
export function closeTimeBin(): void {
  addDifferences();
  timeBinCount++;
  openEpochs = 0;
  store<u32>(starts + (timeBinCount << 2), timeRowCount);
}

/** What happened behind the last bin's end goes into that bin. */
export function foldIntoLastBin(): void {
  if (!timeBinCount) return;
  timeBinCount--;
  closeTimeBin();
}

function addDifferences(): void {
  const from = timeBinStart(timeBinCount);
  for (let site: u32 = 0; site < siteCount; site++) {
    const s = siteAt(site);
    const first = load<u64>(s, S_FIRST);
    const second = load<u64>(s, S_SECOND);
    const oldFirst = load<u64>(s, S_OLD_FIRST);
    const oldSecond = load<u64>(s, S_OLD_SECOND);
    if (first == oldFirst && second == oldSecond) continue;
    store<u64>(s, first, S_OLD_FIRST);
    store<u64>(s, second, S_OLD_SECOND);
    addRow(from, site, first - oldFirst, second - oldSecond);
  }
}

/** Adds to the site's row in the bin that begins at row `from`, or appends one. */
function addRow(from: u32, site: u32, first: u64, second: u64): void {
  const s = siteAt(site);
  const known = load<u32>(s, S_ROW);
  if (known >= from && known < timeRowCount && load<u32>(timeRow(known)) == site) {
    const row = timeRow(known);
    store<u64>(row, load<u64>(row, ROW_FIRST) + first, ROW_FIRST);
    store<u64>(row, load<u64>(row, ROW_SECOND) + second, ROW_SECOND);
    return;
  }
  if (timeRowCount == rowCapacity) {
    const larger: u32 = rowCapacity ? rowCapacity * 2 : 4096;
    rows = enlarge(rows, <usize>rowCapacity * ROW_STRIDE, <usize>larger * ROW_STRIDE);
    rowCapacity = larger;
  }
  const row = timeRow(timeRowCount);
  store<u32>(row, site);
  store<u64>(row, first, ROW_FIRST);
  store<u64>(row, second, ROW_SECOND);
  store<u32>(s, timeRowCount++, S_ROW);
}

/** Whether the bins are as many, or have as many rows, as they may; after a bin closed. */
export function timeBinsMustWiden(): bool {
  return timeBinCount % 2 == 0 && timeBinCount > 1 && (timeBinCount == TIME_BINS || timeRowCount > ROWS_WIDE);
}

/** Merges neighbouring bins in pairs, of which there are whole ones. */
export function widenTimeBins(): void {
  mergeTimeBins();
  epochsPerTimeBin *= 2;
}

/** Neighbouring epochs merged in pairs. */
export function doubleEpochsOfTimes(): void {
  if (epochsPerTimeBin == 1) mergeTimeBins();
  else {
    epochsPerTimeBin >>= 1;
    openEpochs >>= 1;
  }
}

/** In place: a merged bin never has more rows than its two parts. */
function mergeTimeBins(): void {
  const bins = timeBinCount >> 1;
  timeRowCount = 0;
  for (let bin: u32 = 0; bin < bins; bin++) {
    const from = timeBinStart(bin * 2);
    const to = timeBinStart(bin * 2 + 2);
    const start = timeRowCount;
    store<u32>(starts + (bin << 2), start);
    for (let row = from; row < to; row++) {
      const r = timeRow(row);
      addRow(start, load<u32>(r), load<u64>(r, ROW_FIRST), load<u64>(r, ROW_SECOND));
    }
  }
  timeBinCount = bins;
  store<u32>(starts + (bins << 2), timeRowCount);
}
