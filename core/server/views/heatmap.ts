/**
 * Heatmap: address by time, binned to the pixels that can be told apart.
 *
 * A row of the whole map is a touched page in ascending order of process and address (the page table's own order), so
 * untouched memory takes no room. A column is one bin of the profile's heat or several. Every access of the visible
 * range falls into exactly one bin, so that the bins of the whole map add up to the totals of the run.
 */
import type { Profile } from '../../model/profile.js';
import type { HeatmapFacts } from '../../protocol.js';
import type { ProfileIndex } from '../profileIndex.js';
import { clampRange, location, maxAnswerBytes, type View, wire } from './view.js';

/** Three f32 columns in base64 take 16 bytes a bin; an eighth of the answer is left for names. */
const maxBins = Math.floor((maxAnswerBytes * 7) / 8 / 16);
/** Names beyond this many could not be read at any height. */
const maxSegments = 100;
const maxObjectRuns = 200;

export const heatmap: View = (index, query, selection) => {
  const { profile } = index;
  const { heat, pages, epochs } = profile;
  const step = heat.epochsPerBin;
  const [fromEpoch, toEpoch] = clampRange(query.range?.x, epochs.count);
  const [fromRow, toRow] = clampRange(query.range?.y, pages.count);
  // A bin of the heat cannot be cut: the shown range grows to whole bins.
  const fromBin = Math.floor(fromEpoch / step);
  const toBin = Math.ceil(toEpoch / step);
  const [columns, rows] = binsAcrossAndDown(toBin - fromBin, toRow - fromRow, query.pixels);
  const bins = sumBins(profile, fromBin, toBin, fromRow, toRow, columns, rows);

  const endOf = (epoch: number) => (epoch === 0 ? 0 : epochs.endNs[Math.min(epoch, epochs.count) - 1]);
  const timesNs = Array.from({ length: columns + 1 }, (_, column) =>
    endOf((fromBin + Math.ceil((column * (toBin - fromBin)) / Math.max(columns, 1))) * step),
  );
  const facts: HeatmapFacts = {
    columns,
    rows,
    epochs: epochs.count,
    pageRows: pages.count,
    shown: { x: [fromBin * step, Math.min(toBin * step, epochs.count)], y: [fromRow, toRow] },
    epochAccesses: epochs.accesses,
    timesNs,
    max: { reads: greatest(bins.reads), writes: greatest(bins.writes), traffic: greatest(bins.traffic) },
    segments: segmentsOf(index, fromRow, toRow, selection.policy),
    pageSize: profile.options.pageSize,
  };
  return { facts, columns: { reads: wire(bins.reads), writes: wire(bins.writes), traffic: wire(bins.traffic) } };
};

/** Bins across and down: no more than there is data, pixels, or room in an answer (then in the pixels' proportions). */
function binsAcrossAndDown(
  across: number,
  down: number,
  pixels: readonly [number, number] = [320, 180],
): [number, number] {
  const limit = (value: number, wanted: number) => Math.max(value === 0 ? 0 : 1, Math.min(value, Math.floor(wanted)));
  const columns = limit(across, pixels[0]);
  const rows = limit(down, pixels[1]);
  if (columns * rows <= maxBins) return [columns, rows];
  const shrink = Math.sqrt(maxBins / (columns * rows));
  const fewer = limit(columns, Math.max(columns * shrink, maxBins / rows / 2));
  return [fewer, limit(rows, maxBins / fewer)];
}

interface Bins {
  readonly reads: Float32Array;
  readonly writes: Float32Array;
  readonly traffic: Float32Array;
}

function sumBins(
  { heat }: Profile,
  fromBin: number,
  toBin: number,
  fromRow: number,
  toRow: number,
  columns: number,
  rows: number,
): Bins {
  // Summed in doubles: f32 stops counting at 2^24.
  const reads = new Float64Array(columns * rows);
  const writes = new Float64Array(columns * rows);
  const traffic = new Float64Array(columns * rows);
  const across = columns / (toBin - fromBin);
  const down = rows / (toRow - fromRow);
  const { page, start } = heat;
  for (let bin = fromBin; bin < toBin; bin++) {
    const column = Math.min(columns - 1, Math.floor((bin - fromBin) * across));
    // Pages ascend within a bin: skip to the first visible one.
    const end = start[bin + 1];
    for (let i = firstAtLeast(page, fromRow, start[bin], end); i < end && page[i] < toRow; i++) {
      const row = Math.min(rows - 1, Math.floor((page[i] - fromRow) * down));
      const at = row * columns + column;
      reads[at] += heat.reads[i];
      writes[at] += heat.writes[i];
      traffic[at] += heat.trafficReads[i] + heat.trafficWrites[i];
    }
  }
  return { reads: Float32Array.from(reads), writes: Float32Array.from(writes), traffic: Float32Array.from(traffic) };
}

function firstAtLeast(sorted: Uint32Array, value: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function greatest(column: Float32Array): number {
  let top = 0;
  for (let i = 0; i < column.length; i++) if (column[i] > top) top = column[i];
  return top;
}

/**
 * Runs of adjacent touched pages. Where there are more than can be named, the smallest gaps are bridged first, so that
 * what stays apart is what lies far apart in memory.
 */
function segmentsOf(index: ProfileIndex, from: number, to: number, policy: string): HeatmapFacts['segments'] {
  const { profile } = index;
  const { pages } = profile;
  const gapBefore = (row: number) =>
    pages.process[row] === pages.process[row - 1] ? pages.number[row] - pages.number[row - 1] - 1 : Infinity;
  const gaps = Float64Array.from({ length: Math.max(0, to - from - 1) }, (_, i) => gapBefore(from + 1 + i)).sort();
  const bridged = gaps.at(-maxSegments) ?? 0;
  const names = namedRuns(index, from, to);
  const segments: HeatmapFacts['segments'][number][] = [];
  for (let start = from, row = from + 1; start < to && row <= to; row++) {
    // An infinite gap (another process) is bridged only when there are more processes than segments.
    if (row < to && gapBefore(row) <= bridged) continue;
    segments.push({
      from: start,
      to: row,
      address: `0x${(BigInt(pages.number[start]) * BigInt(profile.options.pageSize)).toString(16)}`,
      bytes: (row - start) * profile.options.pageSize,
      objects: names
        .filter(run => run.from < row && run.to > start)
        .map(({ object, ...run }) => ({
          from: Math.max(run.from, start),
          to: Math.min(run.to, row),
          name: profile.objects.name[object],
          tier: index.tierOfObject(object, policy),
          location: location(profile, profile.objects.file[object], profile.objects.line[object]),
        })),
    });
    start = row;
  }
  return segments;
}

/** Runs of rows that belong mostly to one object, the longest of them where there are too many, in row order. */
function namedRuns({ profile: { pages } }: ProfileIndex, from: number, to: number) {
  const runs: { from: number; to: number; object: number }[] = [];
  for (let start = from, row = from + 1; start < to && row <= to; row++) {
    if (row < to && pages.object[row] === pages.object[start]) continue;
    runs.push({ from: start, to: row, object: pages.object[start] });
    start = row;
  }
  if (runs.length <= maxObjectRuns) return runs;
  return runs
    .sort((a, b) => b.to - b.from - (a.to - a.from) || a.from - b.from)
    .slice(0, maxObjectRuns)
    .sort((a, b) => a.from - b.from);
}
