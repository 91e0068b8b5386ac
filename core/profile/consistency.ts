/**
 * Whether the tables of a profile fit together: columns of a table equally long, row numbers inside the tables that
 * they name. Views index columns without asking; a file that passes here cannot lead them astray.
 */
import { NONE } from '../model/columns.js';
import {
  type CallTable,
  CLASS_NAMES,
  type HeatTable,
  type RegionTable,
  type RestOfProfile,
  type SiteTimeTable,
  type SourceProfile,
  type TrackerHeat,
} from '../model/profile.js';
import { ShapeError } from './codec.js';

/** @throws ShapeError at the first thing that does not fit. */
export function checkSource(profile: SourceProfile): void {
  const { files, modules, functions, lines, sites, objects, pairs, epochs, placement } = profile;

  const inlined = sites.inlineStart.at(-1) ?? 0;
  lengths('functions', functions, functions.count);
  lengths('lines', lines, lines.count);
  const { inlineStart, inlineFunction, inlineLine, inlineFile, ...siteColumns } = sites;
  lengths('sites', siteColumns, sites.count);
  lengths('sites', { inlineFunction, inlineLine, inlineFile }, inlined);
  lengths('objects', objects, objects.count);
  lengths('pairs', pairs, pairs.count);
  lengths('epochs', epochs, epochs.count);
  if (profile.regions) checkRegions(profile.regions, epochs.count);
  lengths('missRatio', profile.missRatio, profile.missRatio.pages.length);

  starts('sites.inlineStart', inlineStart, sites.count + 1);

  rows('functions.file', functions.file, files.length, true);
  rows('lines.file', lines.file, files.length);
  rows('lines.function', lines.function, functions.count);
  rows('sites.module', sites.module, modules.length, true);
  rows('sites.line', sites.line, lines.count, true);
  rows('sites.inlineFunction', inlineFunction, functions.count);
  rows('sites.inlineFile', inlineFile, files.length, true);
  rows('objects.file', objects.file, files.length, true);
  rows('pairs.site', pairs.site, sites.count);
  rows('pairs.object', pairs.object, objects.count);
  for (const [name, table] of Object.entries({ functions, lines, objects }))
    rows(`${name}.hotness`, table.hotness, CLASS_NAMES.length);

  for (const { id, tierOfObject, bytesInTier } of [...placement.policies, placement.oracle]) {
    lengths(`policy ${id}`, { tierOfObject }, objects.count);
    lengths(`policy ${id}`, { bytesInTier }, placement.tiers.length);
  }
}

/**
 * @param source checked before
 * @throws ShapeError at the first thing that does not fit.
 */
export function checkRest({ calls, siteTimes, pages, heat, trackers }: RestOfProfile, source: SourceProfile): void {
  const { files, pairs, objects, epochs } = source;
  if (calls) checkCalls(calls, files.length, pairs.count);
  if (siteTimes) checkSiteTimes(siteTimes, source);

  lengths('pages', pages, pages.count);
  checkHeat('heat', heat, epochs.count, pages.count);

  rows('pages.object', pages.object, objects.count);
  rows('pages.hotness', pages.hotness, CLASS_NAMES.length);

  for (const { id, pageReads, pageWrites, heat: readings } of trackers) {
    if (pageReads) lengths(`tracker ${id}`, { pageReads }, pages.count);
    if (pageWrites) lengths(`tracker ${id}`, { pageWrites }, pages.count);
    if (readings) checkHeat(`heat of tracker ${id}`, readings, epochs.count, pages.count);
  }
}

function checkRegions({ stretches, ...columns }: RegionTable, epochs: number): void {
  lengths('regions', columns, columns.count);
  for (const { row, from, to } of stretches)
    if (row >= columns.count || from >= to || to > epochs)
      throw new ShapeError(`a stretch of regions is row ${row}, epochs ${from} to ${to}`);
}

function checkHeat(what: string, heat: HeatTable | TrackerHeat, epochs: number, pages: number): void {
  const { start, ...columns } = heat;
  lengths(what, columns, start.at(-1) ?? 0);
  if (heat.epochsPerBin < 1) throw new ShapeError(`${what}.epochsPerBin is 0`);
  starts(`${what}.start`, start, Math.ceil(epochs / heat.epochsPerBin) + 1);
  rows(`${what}.page`, heat.page, pages);
}

function checkCalls({ frames, parent, frame, ...table }: CallTable, files: number, pairs: number): void {
  lengths('calls.frames', frames, frames.name.length);
  rows('calls.frames.file', frames.file, files, true);
  lengths('calls', { frame }, parent.length);
  rows('calls.frame', frame, frames.name.length, true);
  for (const [path, above] of parent.entries())
    if (path === 0 ? above !== NONE : above >= path) throw new ShapeError(`calls.parent of ${path} is ${above}`);
  lengths('calls', table, table.count);
  rows('calls.pair', table.pair, pairs);
  rows('calls.path', table.path, parent.length);
}

function checkSiteTimes({ epochsPerBin, start, ...columns }: SiteTimeTable, { sites, epochs }: SourceProfile): void {
  if (epochsPerBin < 1) throw new ShapeError('siteTimes.epochsPerBin is 0');
  starts('siteTimes.start', start, Math.ceil(epochs.count / epochsPerBin) + 1);
  lengths('siteTimes', columns, start.at(-1) ?? 0);
  rows('siteTimes.site', columns.site, sites.count);
}

function lengths(table: string, columns: object, rowCount: number): void {
  for (const [name, value] of Object.entries(columns)) {
    if (!ArrayBuffer.isView(value) && !Array.isArray(value)) continue;
    const { length } = value as unknown as { length: number };
    if (length !== rowCount) throw new ShapeError(`${table}.${name} has ${length} rows instead of ${rowCount}`);
  }
}

function rows(what: string, column: Uint32Array | Uint8Array, rowCount: number, orNone = false): void {
  for (let i = 0; i < column.length; i++) {
    const row = column[i]!;
    if (row >= rowCount && !(orNone && row === NONE)) throw new ShapeError(`${what} names row ${row} of ${rowCount}`);
  }
}

/** Offsets of groups: as many as groups and one more, from 0, never falling. */
function starts(what: string, column: Uint32Array | Float64Array, length: number): void {
  if (column.length !== length) throw new ShapeError(`${what} has ${column.length} rows instead of ${length}`);
  let before = 0;
  for (let i = 0; i < length; i++) {
    const at = column[i]!;
    if (!Number.isInteger(at) || at < before || (i === 0 && at !== 0)) throw new ShapeError(`${what} is out of order`);
    before = at;
  }
}
