/**
 * A profile prepared for questions about source: which rows belong to this file, which objects a line touches, which
 * tier its memory is in. Built once a profile; everything here is a lookup.
 */
import { realpathSync } from 'node:fs';
import { NONE } from '../model/columns.js';
import type { PolicyResult, Profile, SourceColumns } from '../model/profile.js';
import { exactly, type Seen } from './seen.js';

/** What one line, function or allocation did to one object. */
export interface ObjectShare {
  /** Row of `objects`. */
  readonly object: number;
  readonly reads: number;
  readonly writes: number;
  readonly traffic: number;
}

/** Rows of the profile's tables that belong to one file, by line. */
export interface FileRows {
  readonly file: number;
  readonly lines: readonly number[];
  readonly functions: readonly number[];
  /** Objects whose allocation or declaration is in the file. */
  readonly objects: readonly number[];
}

/** A line belongs to a tier when this share of its traffic does (design, section 2). */
const tierShare = 0.8;

export class ProfileIndex {
  /** The whole run in exact counts; itself unless it is shown in a window, or as a tracker sees it. */
  readonly exact: ProfileIndex;
  readonly #files = new Map<string, number>();
  readonly #linesOfFile: Grouped;
  readonly #functionsOfFile: Grouped;
  readonly #objectsOfFile: Grouped;
  readonly #pairsOfLine: Grouped;
  readonly #pairsOfFunction: Grouped;
  readonly #sitesOfLine: Grouped;
  readonly #sitesOfFunction: Grouped;
  readonly #sparklines = new Map<number, Float64Array>();

  /**
   * @param seen what the profile's counts are
   * @param exactIndex the whole run in exact counts, where `profile` is not
   * @param objectRow row of each object of the exact profile; null: the same
   */
  constructor(
    readonly profile: Profile,
    readonly seen: Seen = exactly,
    exactIndex: ProfileIndex | null = null,
    readonly objectRow: Uint32Array | null = null,
  ) {
    this.exact = exactIndex ?? this;
    const { files, lines, functions, objects, pairs, sites } = profile;
    files.forEach((file, row) => {
      this.#files.set(file.path, row);
    });
    this.#linesOfFile = new Grouped(lines.file.subarray(0, lines.count), files.length);
    this.#functionsOfFile = new Grouped(functions.file.subarray(0, functions.count), files.length);
    this.#objectsOfFile = new Grouped(objects.file.subarray(0, objects.count), files.length);
    // A site belongs to the innermost function of its inline chain: the one whose source it is.
    const functionOfSite = Uint32Array.from({ length: sites.count }, (_, site) => {
      const chain = sites.inlineStart[site];
      return chain < sites.inlineStart[site + 1] ? sites.inlineFunction[chain] : NONE;
    });
    const siteOfPair = pairs.site.subarray(0, pairs.count);
    this.#sitesOfLine = new Grouped(sites.line.subarray(0, sites.count), lines.count);
    this.#sitesOfFunction = new Grouped(functionOfSite, functions.count);
    this.#pairsOfLine = new Grouped(
      siteOfPair.map(site => sites.line[site]),
      lines.count,
    );
    this.#pairsOfFunction = new Grouped(
      siteOfPair.map(site => functionOfSite[site]),
      functions.count,
    );
  }

  /** Row here of an object of the exact profile. */
  objectFromExact(row: number): number {
    return this.objectRow ? this.objectRow[row] : row;
  }

  /** Row in the exact profile of an object here. */
  exactObject(row: number): number {
    return this.objectRow ? this.objectRow.indexOf(row) : row;
  }

  /** Accesses of the run: the denominator of every share. */
  get accesses(): number {
    return this.profile.totals.reads + this.profile.totals.writes;
  }

  /** Row of `files` for an absolute path, also when the path leads there by a symbolic link; -1: not in the profile. */
  fileOf(path: string): number {
    const row = this.#files.get(path);
    if (row !== undefined) return row;
    try {
      return this.#files.get(realpathSync(path)) ?? -1;
    } catch {
      return -1;
    }
  }

  rowsOf(file: number): FileRows {
    const { lines, functions, objects } = this.profile;
    const byLine = (column: Uint32Array) => (a: number, b: number) => column[a] - column[b] || a - b;
    return {
      file,
      lines: [...this.#linesOfFile.rows(file)].sort(byLine(lines.line)),
      functions: [...this.#functionsOfFile.rows(file)].sort(byLine(functions.startLine)),
      objects: [...this.#objectsOfFile.rows(file)].sort(byLine(objects.line)),
    };
  }

  /** The objects that a line touches, most accesses first. */
  objectsOfLine(line: number): ObjectShare[] {
    return this.#shares(this.#pairsOfLine.rows(line));
  }

  /** The objects that some functions touch together, most accesses first. */
  objectsOfFunctions(rows: readonly number[]): ObjectShare[] {
    return this.#shares(rows.flatMap(row => [...this.#pairsOfFunction.rows(row)]));
  }

  /** Access sites on a line: one for each place in the program where the compiler put its code. */
  sitesOfLine(line: number): Uint32Array {
    return this.#sitesOfLine.rows(line);
  }

  sitesOfFunctions(rows: readonly number[]): number[] {
    return rows.flatMap(row => [...this.#sitesOfFunction.rows(row)]);
  }

  #shares(rows: Iterable<number>): ObjectShare[] {
    const { pairs } = this.profile;
    const shares = new Map<number, { object: number; reads: number; writes: number; traffic: number }>();
    for (const pair of rows) {
      const object = pairs.object[pair];
      let share = shares.get(object);
      if (!share) shares.set(object, (share = { object, reads: 0, writes: 0, traffic: 0 }));
      share.reads += pairs.reads[pair];
      share.writes += pairs.writes[pair];
      share.traffic += pairs.trafficReads[pair] + pairs.trafficWrites[pair];
    }
    return [...shares.values()].sort((a, b) => b.reads + b.writes - a.reads - a.writes || a.object - b.object);
  }

  policy(id: string): PolicyResult | undefined {
    const { policies, oracle } = this.profile.placement;
    return policies.find(policy => policy.id === id) ?? (oracle.id === id ? oracle : undefined);
  }

  /** Name of the tier in which a policy puts an object; `mixed` when it splits the object, '' when it says nothing. */
  tierOfObject(object: number, policyId: string): string {
    const tier = this.policy(policyId)?.tierOfObject[object];
    if (tier === undefined) return '';
    return this.profile.placement.tiers[tier]?.name ?? 'mixed';
  }

  /**
   * Tier of the memory that these accesses go to: that of the object with 80 % of the traffic, else `mixed`. Where the
   * caches served everything there is no traffic to share out, and the accesses stand in for it.
   */
  tierOfShares(shares: readonly ObjectShare[], policyId: string): string {
    const traffic = shares.reduce((sum, share) => sum + share.traffic, 0);
    const weight = (share: ObjectShare) => (traffic > 0 ? share.traffic : share.reads + share.writes);
    const total = shares.reduce((sum, share) => sum + weight(share), 0);
    if (total === 0) return '';
    const main = shares.reduce((best, share) => (weight(share) > weight(best) ? share : best));
    return weight(main) >= tierShare * total ? this.tierOfObject(main.object, policyId) : 'mixed';
  }

  /**
   * Accesses per bin of the heat to the pages on which the object has most of the accesses. Walks all of the heat (tens
   * of milliseconds at its size limit), so each answer is kept.
   */
  accessesOverTime(object: number): Float64Array {
    let values = this.#sparklines.get(object);
    if (values) return values;
    const { heat, pages } = this.profile;
    values = new Float64Array(heat.start.length - 1);
    for (let bin = 0; bin < values.length; bin++) {
      let sum = 0;
      for (let row = heat.start[bin]; row < heat.start[bin + 1]; row++) {
        if (pages.object[heat.page[row]] === object) sum += heat.reads[row] + heat.writes[row];
      }
      values[bin] = sum;
    }
    this.#sparklines.set(object, values);
    return values;
  }
}

/** Rows grouped by a column that names a row of another table; `NONE` belongs to no group. */
class Grouped {
  readonly #start: Uint32Array;
  readonly #rows: Uint32Array;

  constructor(group: Uint32Array, groups: number) {
    const start = new Uint32Array(groups + 1);
    for (let row = 0; row < group.length; row++) if (group[row] !== NONE) start[group[row] + 1]++;
    for (let i = 0; i < groups; i++) start[i + 1] += start[i];
    const next = start.slice();
    const rows = new Uint32Array(start[groups]);
    for (let row = 0; row < group.length; row++) if (group[row] !== NONE) rows[next[group[row]]++] = row;
    this.#start = start;
    this.#rows = rows;
  }

  rows(group: number): Uint32Array {
    return this.#rows.subarray(this.#start[group], this.#start[group + 1]);
  }
}

/** Reads, writes, pages and traffic of one row of a table with the common columns. */
export function countsOf(table: SourceColumns, row: number) {
  return {
    reads: table.reads[row],
    writes: table.writes[row],
    pages: table.pages[row],
    trafficReads: table.trafficReads[row],
    trafficWrites: table.trafficWrites[row],
  };
}

export type Counts = ReturnType<typeof countsOf>;
