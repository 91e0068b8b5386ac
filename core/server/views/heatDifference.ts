/**
 * The heatmap's difference: the same allocations in two runs, laid over each other by relative place and relative time
 * (heat/relative.ts says how), as the mean accesses of a page in a stretch of either run.
 */
import type { Profile } from '../../model/profile.js';
import type { HeatDifferenceFacts, ViewQuery } from '../../protocol.js';
import type { Baseline } from '../baseline.js';
import { accessesOfObjects, mostColumns, pagesOfObjects, relativeSums, type Spread } from '../heat/relative.js';
import type { ProfileIndex } from '../profileIndex.js';
import { location, type View, wire } from './view.js';

/** Six columns of f32 in base64: with these, two thirds of the largest answer. */
const maxRows = 160;
const maxColumns = 128;
/** Parts of one object: more would leave no room for the others. */
const rowsOfObject = 16;

interface Matched {
  readonly object: number;
  readonly before: number;
  readonly pages: number;
  readonly pagesBefore: number;
  /** The greater of both runs' shares of accesses. */
  readonly share: number;
}

export function heatDifference(index: ProfileIndex, baseline: Baseline, query: ViewQuery): ReturnType<View> {
  const [now, before] = [index.profile, baseline.profile];
  const ofNow = { pages: pagesOfObjects(now), accesses: accessesOfObjects(now) };
  const ofBefore = { pages: pagesOfObjects(before), accesses: accessesOfObjects(before) };
  const total = accessesOfRun(now);
  const totalBefore = accessesOfRun(before);

  // 1. Objects of both runs, those with the greatest share of either first.
  const matched: Matched[] = [];
  let withoutPages = 0;
  for (let object = 0; object < now.objects.count; object++) {
    const other = baseline.object(object);
    if (other === null) continue;
    const [pages, pagesBefore] = [ofNow.pages[object], ofBefore.pages[other]];
    if (pages === 0 || pagesBefore === 0) withoutPages++;
    else {
      const share = Math.max(
        ofNow.accesses[object] / Math.max(1, total),
        ofBefore.accesses[other] / Math.max(1, totalBefore),
      );
      matched.push({ object, before: other, pages, pagesBefore, share });
    }
  }
  matched.sort((a, b) => b.share - a.share || a.object - b.object);

  // 2. As many as have room, in as many parts as both have pages.
  const [across, down] = query.pixels ?? [maxColumns, maxRows];
  const columns = Math.max(1, Math.min(maxColumns, Math.floor(across), mostColumns(now), mostColumns(before)));
  const room = Math.max(1, Math.min(maxRows, Math.floor(down)));
  const shown: (Matched & { readonly from: number; readonly rows: number })[] = [];
  let rows = 0;
  for (const one of matched) {
    if (rows === room) break;
    const own = Math.min(one.pages, one.pagesBefore, rowsOfObject, room - rows);
    shown.push({ ...one, from: rows, rows: own });
    rows += own;
  }

  // 3. Their counts in either run, a page.
  const spreads = shown.map(({ object, pages, from, rows }): Spread => ({ object, pages, from, rows }));
  const spreadsBefore = shown.map((one): Spread => ({ ...one, object: one.before, pages: one.pagesBefore }));
  const sums = relativeSums(now, spreads, rows, columns);
  const sumsBefore = relativeSums(before, spreadsBefore, rows, columns);
  const mean = (counts: Float64Array, of: readonly Spread[]) => wire(perPage(counts, of, columns));
  const facts: HeatDifferenceFacts = {
    columns,
    rows,
    objects: shown.map(({ object, pages, pagesBefore, from, rows }) => ({
      ...{ object, pages, pagesBefore, from, rows },
      name: now.objects.name[object],
      location: location(now, now.objects.file[object], now.objects.line[object]),
    })),
    pageSize: now.options.pageSize,
    counted: index.seen.counted,
    now: { accesses: total, shown: sum(sums.reads) + sum(sums.writes) },
    before: { accesses: totalBefore, shown: sum(sumsBefore.reads) + sum(sumsBefore.writes) },
    leftOut: matched.length - shown.length,
    withoutPages,
  };
  return {
    facts,
    columns: {
      reads: mean(sums.reads, spreads),
      writes: mean(sums.writes, spreads),
      traffic: mean(sums.traffic, spreads),
      readsBefore: mean(sumsBefore.reads, spreadsBefore),
      writesBefore: mean(sumsBefore.writes, spreadsBefore),
      trafficBefore: mean(sumsBefore.traffic, spreadsBefore),
    },
  };
}

/** Of the whole run: the heat is never narrowed to a window. */
function accessesOfRun({ heat }: Profile): number {
  let all = 0;
  for (let i = 0; i < heat.page.length; i++) all += heat.reads[i] + heat.writes[i];
  return all;
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}

/** A row spans an equal part of its object's pages, which need not be whole. */
function perPage(counts: Float64Array, spreads: readonly Spread[], columns: number): Float32Array {
  const means = new Float32Array(counts.length);
  for (const { from, rows, pages } of spreads) {
    for (let at = from * columns; at < (from + rows) * columns; at++) means[at] = counts[at] / (pages / rows);
  }
  return means;
}
