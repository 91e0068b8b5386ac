/**
 * Sites through time (kernel/times.ts): of one half of the kernel, and of both together. The halves have the same bins.
 */
import type { RawSiteTimes } from '../model/raw.js';
import { wide } from './heatRows.js';

export interface SiteTimesExports {
  readonly memory: { readonly buffer: ArrayBufferLike };
  readonly epochsPerTimeBin: { readonly value: number };
  readonly timeBinCount: { readonly value: number };
  timeBinStart(bin: number): number;
  timeRow(row: number): number;
}

/** Rows `start[b] .. start[b + 1]` are of bin b, each site once a bin, in no order; the half's two counters. */
export interface SiteTimes {
  readonly epochsPerBin: number;
  readonly start: Uint32Array;
  readonly site: Uint32Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** A row of kernel/times.ts, in words. */
const ROW_WORDS = 6;

export function readSiteTimes(exports: SiteTimesExports): SiteTimes {
  const bins = exports.timeBinCount.value;
  const start = Uint32Array.from({ length: bins + 1 }, (_, bin) => exports.timeBinStart(bin));
  const count = start[bins];
  const words = new Uint32Array(exports.memory.buffer, count > 0 ? exports.timeRow(0) >>> 0 : 0, count * ROW_WORDS);
  const column = (word: number) => Float64Array.from({ length: count }, (_, i) => wide(words, i * ROW_WORDS + word));
  return {
    epochsPerBin: exports.epochsPerTimeBin.value,
    start,
    site: Uint32Array.from({ length: count }, (_, i) => words[i * ROW_WORDS]),
    first: column(2),
    second: column(4),
  };
}

/** Both halves bin by bin, sites ascending. A row without accesses has the traffic of earlier ones. */
export function mergedSiteTimes(counted: SiteTimes, traffic: SiteTimes): RawSiteTimes {
  const bins = counted.start.length - 1;
  const most = counted.site.length + traffic.site.length;
  const sites = Math.max(
    0,
    ...[counted, traffic].map(({ site }) => site.reduce((all, one) => Math.max(all, one + 1), 0)),
  );
  const start = new Uint32Array(bins + 1);
  const site = new Uint32Array(most);
  const columns = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  // By site: its row in the bin, where that is not an earlier bin's.
  const rowOf = new Uint32Array(sites);
  for (let bin = 0; bin < bins; bin++) {
    const from = start[bin];
    let end = from;
    for (const part of [counted, traffic]) {
      for (let at = part.start[bin]; at < part.start[bin + 1]; at++) site[end++] = part.site[at];
    }
    site.subarray(from, end).sort();
    let rows = from;
    for (let at = from; at < end; at++) if (at === from || site[at] !== site[at - 1]) site[rows++] = site[at];
    for (let row = from; row < rows; row++) rowOf[site[row]] = row;
    for (let at = counted.start[bin]; at < counted.start[bin + 1]; at++)
      columns[0][rowOf[counted.site[at]]] += counted.first[at];
    for (let at = traffic.start[bin]; at < traffic.start[bin + 1]; at++) {
      columns[1][rowOf[traffic.site[at]]] += traffic.first[at];
      columns[2][rowOf[traffic.site[at]]] += traffic.second[at];
    }
    start[bin + 1] = rows;
  }
  const [accesses, trafficReads, trafficWrites] = columns.map(column => column.slice(0, start[bins]));
  return {
    epochsPerBin: counted.epochsPerBin,
    start,
    site: site.slice(0, start[bins]),
    accesses,
    trafficReads,
    trafficWrites,
  };
}
