/**
 * What a region or a line was in the run before: its share of that run's accesses, when it is certain that it is the
 * same one. Sources change between two runs, so a line is followed by the two texts, a function by its name within the
 * file, an allocation by its line or its name. What cannot be followed has no share.
 */
import { shortFunctionName } from '../model/names.js';
import { LineMap } from './lineMap.js';
import type { FileRows, ProfileIndex } from './profileIndex.js';
import { accessesOf, type Region, regionsOf } from './regions.js';
import type { Snapshots } from './snapshots.js';

/** One file in both runs. */
interface Both {
  readonly rows: FileRows;
  readonly regions: readonly Region[];
  /** Line in the run before, 1-based, of a line now; null where that is unknown, 0 where it was not there. */
  readonly lineBefore: (now: number) => number | null;
  /** Nothing was changed: what is not in the run before did nothing in it. */
  readonly unchanged: boolean;
}

export class Previous {
  readonly #files = new Map<number, Both | null>();

  constructor(
    readonly now: ProfileIndex,
    readonly before: ProfileIndex,
    readonly snapshots: Snapshots,
  ) {}

  /** @param file row of the file in the profile that is shown */
  shareOfLine(file: number, line: number): number | null {
    const both = this.#file(file);
    const before = both?.lineBefore(line);
    if (!both || !before) return null;
    const { lines } = this.before.profile;
    const row = both.rows.lines.find(candidate => lines.line[candidate] === before);
    if (row !== undefined) return (lines.reads[row] + lines.writes[row]) / this.before.accesses;
    // It was there, and did nothing.
    return 0;
  }

  shareOfRegion(file: number, region: Region): number | null {
    const both = this.#file(file);
    if (!both) return null;
    const line = both.lineBefore(region.line);
    const named = both.regions.filter(candidate => nameKey(candidate) === nameKey(region));
    const same = named.find(candidate => candidate.line === line) ?? (named.length === 1 ? named[0] : undefined);
    if (same) return accessesOf(same) / this.before.accesses;
    return named.length === 0 && both.unchanged ? 0 : null;
  }

  #file(file: number): Both | null {
    let both = this.#files.get(file);
    if (both === undefined) this.#files.set(file, (both = this.#compare(file)));
    return both;
  }

  #compare(file: number): Both | null {
    const { path, sha256 } = this.now.profile.files[file];
    const row = this.before.profile.files.findIndex(candidate => candidate.path === path);
    if (row < 0 || sha256 === '') return null;
    const hashBefore = this.before.profile.files[row].sha256;
    const rows = this.before.rowsOf(row);
    return {
      rows,
      // No policy: tiers play no part here.
      regions: regionsOf(this.before, rows, ''),
      lineBefore: hashBefore === sha256 ? line => line : this.#lineMap(sha256, hashBefore),
      unchanged: hashBefore === sha256,
    };
  }

  #lineMap(hashNow: string, hashBefore: string): (line: number) => number | null {
    const now = this.snapshots.get(hashNow);
    const before = this.snapshots.get(hashBefore);
    if (now === undefined || before === undefined) return () => null;
    const map = new LineMap(now);
    map.replaceAll(before);
    return line => map.lineNow(line - 1) + 1;
  }
}

/** A name without what an edit elsewhere changes: `malloc in fill (prog.c:8)` is `malloc in fill` of the same file. */
function nameKey({ kind, name }: Region): string {
  return kind === 'function'
    ? `${kind} ${shortFunctionName(name, true)}`
    : `${kind} ${name.replaceAll(/ \([^()]*:\d+\)/g, '')}`;
}

/** `was 38 %`, when the share changed by more than rounding shows; else ''. */
export function wasText(share: number, before: number | null, percent: (share: number) => string): string {
  if (before === null) return '';
  // The last digit that a share is shown with: tenths of a per cent below 10 %, else whole ones.
  const step = Math.max(share, before) < 0.0995 ? 0.001 : 0.01;
  return Math.abs(share - before) >= step && percent(share) !== percent(before) ? `was ${percent(before)}` : '';
}
