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
/** Parts of one object at first: more would leave no room for the others. Each step of zoom doubles them. */
const rowsOfObject = 16;
/** A page a row for the largest objects there are. */
const mostZoom = 24;

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

  // 2. The part that is asked for, of allocations in as many rows as both have pages.
  const { columns, rows, ...area } = areaOf(matched, query, Math.min(mostColumns(now), mostColumns(before)));
  const shown = area.objects;

  // 3. Their counts in either run, a page.
  const spreads = shown.map(({ object, pages, from, rows }): Spread => ({ object, pages, from, rows }));
  const spreadsBefore = shown.map((one): Spread => ({ ...one, object: one.before, pages: one.pagesBefore }));
  const part = { rows, columns, firstColumn: area.firstColumn, allColumns: area.allColumns };
  const sums = relativeSums(now, spreads, part);
  const sumsBefore = relativeSums(before, spreadsBefore, part);
  const mean = (counts: Float64Array, of: readonly Spread[]) => wire(perPage(counts, of, rows, columns));
  const facts: HeatDifferenceFacts = {
    columns,
    rows,
    zoom: area.zoom,
    firstColumn: area.firstColumn,
    allColumns: area.allColumns,
    firstRow: area.firstRow,
    allRows: area.allRows,
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
function perPage(counts: Float64Array, spreads: readonly Spread[], rows: number, columns: number): Float32Array {
  const means = new Float32Array(counts.length);
  for (const { from, rows: own, pages } of spreads) {
    const end = Math.min(rows, from + own) * columns;
    for (let at = Math.max(0, from) * columns; at < end; at++) means[at] = counts[at] / (pages / own);
  }
  return means;
}

/** What is seen of the map of all matched allocations: its rows, columns and allocations, of how many. */
function areaOf(matched: readonly Matched[], { pixels, options = {} }: ViewQuery, mostColumns: number) {
  const number = (name: string) => (typeof options[name] === 'number' ? options[name] : 0);
  const [across, down] = pixels ?? [maxColumns, maxRows];
  const zoom = Math.max(0, Math.min(mostZoom, Math.floor(number('zoom'))));

  // As many are in sight, however close one looks.
  const columns = Math.max(1, Math.min(maxColumns, Math.floor(across), mostColumns));
  const allColumns = Math.max(1, Math.min(columns * 2 ** zoom, mostColumns));
  const firstColumn = inside(Math.floor(number('progress') * allColumns) - number('column'), allColumns - columns);

  let allRows = 0;
  let wanted = 0;
  const laid = matched.map(one => {
    const own = rowsOf(one, zoom);
    const from = allRows;
    allRows += own;
    if (one.object === options.object) wanted = from + Math.floor(number('place') * own);
    return { ...one, from, rows: own };
  });
  const allAtFirst = matched.reduce((rows, one) => rows + rowsOf(one, 0), 0);
  const rows = Math.min(allAtFirst, Math.max(1, Math.min(maxRows, Math.floor(down))));
  const firstRow = inside(wanted - number('row'), allRows - rows);
  const objects = laid
    .filter(({ from, rows: own }) => from < firstRow + rows && from + own > firstRow)
    .map(one => ({ ...one, from: one.from - firstRow }));
  return { zoom, columns, firstColumn, allColumns, rows, firstRow, allRows, objects };
}

function rowsOf({ pages, pagesBefore }: Matched, zoom: number): number {
  return Math.min(pages, pagesBefore, rowsOfObject * 2 ** zoom);
}

/** A whole number from 0 to `last`. */
function inside(value: number, last: number): number {
  return Math.max(0, Math.min(Math.round(value), last));
}
