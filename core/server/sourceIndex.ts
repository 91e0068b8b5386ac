/**
 * What a profile knows of source, prepared for questions: which rows belong to this file, which objects a line touches,
 * which tier its memory is in. Built once a profile; everything here is a lookup.
 */
import { realpathSync } from 'node:fs';
import type { PolicyResult, SourceColumns, SourceProfile } from '../model/profile.js';
import { type History, historyOfObject } from './history.js';
import { exactly, type Seen } from './seen.js';
import { groupedRows, rowsOfGroup, type SourceGroups } from './sourceGroups.js';

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

export class SourceIndex {
  readonly #files = new Map<string, number>();
  /** What the heat tells of each object; null: it is not at hand (yet). */
  history: History | null = null;

  /**
   * @param seen what the profile's counts are
   * @param groups of the same profile
   * @param window epochs that lines and functions are of; null: the whole run
   */
  constructor(
    readonly profile: SourceProfile,
    readonly seen: Seen = exactly,
    readonly groups: SourceGroups = groupedRows(profile),
    readonly window: readonly [number, number] | null = null,
  ) {
    profile.files.forEach((file, row) => {
      this.#files.set(file.path, row);
    });
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
      lines: [...rowsOfGroup(this.groups.linesOfFile, file)].sort(byLine(lines.line)),
      functions: [...rowsOfGroup(this.groups.functionsOfFile, file)].sort(byLine(functions.startLine)),
      objects: [...rowsOfGroup(this.groups.objectsOfFile, file)].sort(byLine(objects.line)),
    };
  }

  /** The objects that a line touches, most accesses first. */
  objectsOfLine(line: number): ObjectShare[] {
    return this.#shares(rowsOfGroup(this.groups.pairsOfLine, line));
  }

  /** The objects that some functions touch together, most accesses first. */
  objectsOfFunctions(rows: readonly number[]): ObjectShare[] {
    return this.#shares(rows.flatMap(row => [...rowsOfGroup(this.groups.pairsOfFunction, row)]));
  }

  /** Access sites on a line: one for each place in the program where the compiler put its code. */
  sitesOfLine(line: number): Uint32Array {
    return rowsOfGroup(this.groups.sitesOfLine, line);
  }

  sitesOfFunctions(rows: readonly number[]): number[] {
    return rows.flatMap(row => [...rowsOfGroup(this.groups.sitesOfFunction, row)]);
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
   * Accesses over the run, in slices of equal length, to the pages on which the object has most of the accesses; null:
   * not known (yet).
   */
  accessesOverTime(object: number): Float64Array | null {
    return this.history && historyOfObject(this.history, object);
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
